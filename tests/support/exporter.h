// The real program, which serves a configuration on a free port of 127.0.0.1.
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
  /// @param toml the configuration without `listen` and `state_dir`, which this class adds.
  explicit ExporterProcess(const std::string& toml, const ProcessOptions& options = {});

  /// Starts the program again after stop(), with the same configuration and state directory.
  /// Returns once it listens.
  /// @param port 0 means any free port.
  void start(int port = 0);
  /// Sends SIGTERM and returns the exit status. Throws if the program has not ended within ten
  /// seconds.
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
  /// Waits until /-/ready reports that it is ready. Throws with the log if it never does.
  void wait_until_ready() const;
  /// The present value of a series on the page.
  [[nodiscard]] std::optional<double> value(const std::string& name,
                                            const LabelSet& labels = {}) const {
    return page().value(name, labels);
  }
  /// Waits for a value. Returns false if it does not come within `patience`.
  [[nodiscard]] bool shows(const std::string& name, const LabelSet& labels, double value,
                           std::chrono::seconds patience = std::chrono::seconds(60)) const;
  /// Waits until a series is gone. Returns false if it is still there after `patience`.
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
