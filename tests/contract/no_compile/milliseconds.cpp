// metric_must_use_a_base_unit
#include "collectors/base/metric.h"
constexpr auto kMetric = pg_integrity::gauge("pg_integrity_thing_milliseconds", "Help.");
