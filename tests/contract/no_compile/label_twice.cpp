// label_is_declared_twice
#include "collectors/base/metric.h"
constexpr auto kMetric = pg_integrity::gauge("pg_integrity_thing", "Help.", "table", "table");
