// expectation_needs_a_sentence_with_a_capital_and_a_full_stop
#include "collectors/base/metric.h"
constexpr auto kMetric = pg_integrity::gauge("pg_integrity_thing", "Help.",
                                             pg_integrity::must_be(0).says("Wrong"), "table");
