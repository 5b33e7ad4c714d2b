// metric_needs_a_help_text
#include "collectors/base/metric.h"
constexpr auto kMetric = pg_integrity::gauge("pg_integrity_thing", "");
