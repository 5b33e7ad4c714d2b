// objective_has_a_label_that_this_metric_lacks
#include "collectors/base/metric.h"
constexpr auto kMax = pg_integrity::gauge("pg_integrity_thing_max", "Help.", "table");
constexpr auto kMetric = pg_integrity::gauge(
    "pg_integrity_thing", "Help.", pg_integrity::at_most(kMax).says("{value}, not {limit}."));
