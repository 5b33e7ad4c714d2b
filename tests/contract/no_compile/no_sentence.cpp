// ExpectationWithoutSentence
#include "collectors/base/metric.h"
constexpr auto kMetric =
    pg_integrity::gauge("pg_integrity_thing", "Help.", pg_integrity::must_be(0), "table");
