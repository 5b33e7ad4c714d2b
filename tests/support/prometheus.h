// A real Prometheus that scrapes one target, and what it answers to queries; a real Alertmanager.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/page_text.h"
#include "tests/support/process.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test {

struct PrometheusOptions {
  std::string job = "test";
  std::string rules = {};     ///< directory of rule files; empty: none
  int alertmanager_port = 0;  ///< 0: none
};

class Prometheus {
 public:
  /// Scrapes 127.0.0.1:`target_port`, and evaluates rules, every second.
  explicit Prometheus(int target_port, const PrometheusOptions& options = {});

  /// The instant vector that an expression is now; empty while there is none.
  /// The metric's name is taken from the label __name__.
  [[nodiscard]] std::vector<Series> query(const std::string& expression) const;
  /// Waits until an expression is not empty; throws with the log if it never is.
  [[nodiscard]] std::vector<Series> wait_for(const std::string& expression) const;
  /// What /api/v1/`path` answers, JSON; empty if it fails.
  [[nodiscard]] std::string api(const std::string& path) const;

 private:
  TemporaryDirectory directory_;
  int port_;
  std::unique_ptr<Process> process_;
};

/// alerts/ as deploy/hurried_alerts.sh writes it, in `directory`; notifications go to
/// `webhook`/RECEIVER unless that is empty. Throws if the script fails.
void write_hurried_alerts(const std::string& directory, const std::string& webhook = {});

class Alertmanager {
 public:
  /// Waits until it is ready.
  explicit Alertmanager(const std::string& config_path);
  [[nodiscard]] int port() const { return port_; }

 private:
  TemporaryDirectory directory_;
  int port_;
  Process process_;
};

}  // namespace pg_integrity::test
