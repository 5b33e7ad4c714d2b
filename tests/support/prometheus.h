// A real Prometheus that scrapes one target and answers queries, and a real Alertmanager.
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
  std::string scrape = {};    ///< further lines of the scrape configuration
};

class Prometheus {
 public:
  /// Scrapes 127.0.0.1:`target_port` every second, and evaluates rules as often.
  explicit Prometheus(int target_port, const PrometheusOptions& options = {});

  /// The present instant vector of an expression; may be empty. The label __name__ holds the
  /// metric's name.
  [[nodiscard]] std::vector<Series> query(const std::string& expression) const;
  /// Waits until an expression is not empty. Throws with the log if it never is.
  [[nodiscard]] std::vector<Series> wait_for(const std::string& expression) const;
  /// The JSON answer of /api/v1/`path`. Empty if the request fails.
  [[nodiscard]] std::string api(const std::string& path) const;

 private:
  TemporaryDirectory directory_;
  int port_;
  std::unique_ptr<Process> process_;
};

/// Writes alerts/ into `directory`, as deploy/hurried_alerts.sh does. Notifications go to
/// `webhook`/RECEIVER unless `webhook` is empty. Throws if the script fails.
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
