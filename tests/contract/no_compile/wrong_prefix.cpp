// metric_name_must_start_with_pg_integrity
#include "collectors/base/metric.h"
constexpr auto kMetric = pg_integrity::gauge("pg_thing", "Help.");
