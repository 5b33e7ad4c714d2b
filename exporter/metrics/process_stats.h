// The standard process_* metrics of Prometheus client libraries, read from /proc/self.
#pragma once

#include <string_view>
#include <vector>

namespace pg_integrity {

struct ProcessStat {
  std::string_view name;
  std::string_view help;
  double value = 0;
  bool counts = false;  ///< a counter
};

/// The metrics of this process. A value that cannot be read is left out. Safe on any thread.
std::vector<ProcessStat> process_stats();

}  // namespace pg_integrity
