// objective_must_be_a_gauge
#include "collectors/base/metric.h"
constexpr auto kMax = pg_integrity::counter("pg_integrity_things_total", "Help.");
constexpr auto kMetric = pg_integrity::gauge(
    "pg_integrity_thing", "Help.", pg_integrity::at_most(kMax).says("{value}, not {limit}."));
