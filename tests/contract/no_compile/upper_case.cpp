// metric_name_must_be_lower_case_words_joined_by_underscores
#include "collectors/base/metric.h"
constexpr auto kMetric = pg_integrity::gauge("pg_integrity_Thing", "Help.");
