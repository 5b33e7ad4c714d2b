// label_name_is_invalid_or_reserved
#include "collectors/base/metric.h"
constexpr auto kMetric = pg_integrity::gauge("pg_integrity_thing", "Help.", "server");
