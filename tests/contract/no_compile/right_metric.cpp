// compiles
#include "collectors/base/batch.h"
#include "collectors/base/metric.h"
#include "collectors/recovery/backup_metrics.h"
namespace pg_integrity {
constexpr auto kMax = gauge("pg_integrity_thing_max_seconds", "Objective.", "table");
constexpr auto kAge =
    age("pg_integrity_thing_age_seconds", "Age.",
        at_most(kMax).says("{table} is {value} old, not {limit}."), "table", "column");
void use(Batch& out) {
  out.set(kMax, 1, std::string("t"));
}
}  // namespace pg_integrity
