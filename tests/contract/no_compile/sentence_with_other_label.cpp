// sentence_has_a_placeholder_that_is_no_label_of_this_metric
#include "collectors/base/metric.h"
constexpr auto kMetric = pg_integrity::gauge(
    "pg_integrity_thing", "Help.", pg_integrity::must_be(0).says("{schema} is bad."), "table");
