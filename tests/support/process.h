// Child processes of tests. Each is started in a process group of its own and ended by its id. None
// outlives the test.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pg_integrity::test {

struct ProcessOptions {
  std::map<std::string, std::string> environment;  ///< added to the inherited one
  std::vector<std::string> without;                ///< variables that are removed from it
  bool unprivileged = false;  ///< run as user postgres if the test runs as root
};

class Process {
 public:
  explicit Process(std::vector<std::string> command, const ProcessOptions& options = {});
  ~Process();  ///< SIGKILL to the whole group, if it still runs
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const;
  /// The exit status, or 128 + the number of the signal that ended it. Empty if it still runs after
  /// `timeout`.
  std::optional<int> wait_for(std::chrono::milliseconds timeout);
  [[nodiscard]] bool running();
  /// The output so far.
  [[nodiscard]] std::string out() const;
  [[nodiscard]] std::string err() const;

 private:
  pid_t pid_ = -1;
  std::optional<int> status_;
  std::string out_path_;
  std::string err_path_;
};

struct Finished {
  int status = 0;
  std::string out;
  std::string err;
};

/// Runs a command to its end. The test fails if it takes longer than two minutes.
Finished run(std::vector<std::string> command, const ProcessOptions& options = {});

/// The command line that runs the command as a user other than root.
std::vector<std::string> as_unprivileged(std::vector<std::string> command);

/// A port on 127.0.0.1 that was free a moment ago.
int free_port();

}  // namespace pg_integrity::test
