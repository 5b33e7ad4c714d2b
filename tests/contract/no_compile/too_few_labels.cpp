// error
#include "collectors/base/batch.h"
constexpr auto kMetric = pg_integrity::gauge("pg_integrity_thing", "Help.", "schema", "table");
void use(pg_integrity::Batch& out) {
  out.set(kMetric, 1, std::string("t"));
}
