// A real Prometheus that scrapes one target, and what it answers to queries.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/page_text.h"
#include "tests/support/process.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test {

class Prometheus {
 public:
  /// Scrapes 127.0.0.1:`target_port` every second as job "test".
  explicit Prometheus(int target_port);

  /// The instant vector that an expression is now; empty while there is none.
  /// The metric's name is taken from the label __name__.
  [[nodiscard]] std::vector<Series> query(const std::string& expression) const;
  /// Waits until an expression is not empty; throws with the log if it never is.
  [[nodiscard]] std::vector<Series> wait_for(const std::string& expression) const;

 private:
  TemporaryDirectory directory_;
  int port_;
  std::unique_ptr<Process> process_;
};

}  // namespace pg_integrity::test
