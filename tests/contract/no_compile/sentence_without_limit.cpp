// sentence_of_an_objective_must_name_value_and_limit
#include "collectors/base/metric.h"
constexpr auto kMax = pg_integrity::gauge("pg_integrity_thing_max", "Help.");
constexpr auto kMetric = pg_integrity::gauge("pg_integrity_thing", "Help.",
                                             pg_integrity::at_most(kMax).says("{value} is bad."));
