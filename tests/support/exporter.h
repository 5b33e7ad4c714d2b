// The real program, serving a configuration on a free port of 127.0.0.1.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/page_text.h"
#include "tests/support/paths.h"
#include "tests/support/process.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test {

class ExporterProcess {
 public:
  /// @param toml the configuration without `listen` and `state_dir`, which are added.
  explicit ExporterProcess(const std::string& toml, const ProcessOptions& options = {});

  /// Starts it again after stop(), with the same configuration and state directory; `start` waits
  /// until it listens.
  /// @param port 0: any that is free.
  void start(int port = 0);
  /// SIGTERM; returns the exit status, or throws if it has not ended within ten seconds.
  int stop();
  void rewrite_configuration(const std::string& toml) const;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] Process& process() { return *process_; }
  [[nodiscard]] const std::string& config_path() const { return config_path_; }
  [[nodiscard]] std::string state_file() const {
    return directory_.path() + "/state/evidence.json";
  }
  [[nodiscard]] std::string log() const { return process_->err(); }

  [[nodiscard]] PageText page() const;
  [[nodiscard]] bool ready() const;
  /// Waits until /-/ready says so; throws with the log if it never does.
  void wait_until_ready() const;
  /// The value of a series on the page right now.
  [[nodiscard]] std::optional<double> value(const std::string& name,
                                            const LabelSet& labels = {}) const {
    return page().value(name, labels);
  }
  /// Waits for a value; false if it does not come within `patience`.
  [[nodiscard]] bool shows(const std::string& name, const LabelSet& labels, double value,
                           std::chrono::seconds patience = std::chrono::seconds(60)) const;
  /// Waits for a series to be gone.
  [[nodiscard]] bool withdraws(const std::string& name, const LabelSet& labels,
                               std::chrono::seconds patience = std::chrono::seconds(60)) const;

 private:
  TemporaryDirectory directory_;
  ProcessOptions options_;
  std::string config_path_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace pg_integrity::test
