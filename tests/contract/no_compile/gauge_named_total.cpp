// only_counters_end_in_total
#include "collectors/base/metric.h"
constexpr auto kMetric = pg_integrity::gauge("pg_integrity_things_total", "Help.");
