#include "collectors/service/replica_config.h"

#include <algorithm>

namespace pg_integrity {

Replica replica_from(const Settings& record) {
  const auto& compare = record.texts("compare");
  const bool content =
      compare.empty() || std::find(compare.begin(), compare.end(), "content") != compare.end();
  return {record.text("name"), record.texts("tables"), content, record.maybe_duration("max_lag")};
}

void check_replicas(const Settings& settings, Problems& problems) {
  for (const Settings& record : settings.records("replicas"))
    for (const std::string& what : record.texts("compare"))
      if (what != "rows" && what != "content")
        problems.add(
            record.place("compare"),
            "replica \"" + record.text("name") + "\" cannot be compared by \"" + what + "\"",
            "compare = [\"rows\"] or [\"content\"]");
}

}  // namespace pg_integrity
