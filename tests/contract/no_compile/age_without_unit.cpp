// age_must_end_in_age_seconds
#include "collectors/base/metric.h"
constexpr auto kMetric =
    pg_integrity::age("pg_integrity_thing_age", "Help.", pg_integrity::must_be(0).says("Old."));
