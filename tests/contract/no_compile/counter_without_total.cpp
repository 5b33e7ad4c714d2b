// only_counters_end_in_total
#include "collectors/base/metric.h"
constexpr auto kMetric = pg_integrity::counter("pg_integrity_things", "Help.");
