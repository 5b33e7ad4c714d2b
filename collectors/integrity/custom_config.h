// The configuration of the user's own queries and of their metrics, and the check of it. Constants
// and pure functions.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/metric_set.h"
#include "collectors/base/settings.h"

namespace pg_integrity {

inline constexpr std::size_t kMaxCustomRows = 1000;  ///< of one query; more are not read

inline constexpr double kAnyNumber = -std::numeric_limits<double>::infinity();

inline constexpr Option kCustomMetricOptions[] = {
    {.name = "value", .fallback = "value", .help = "column of the result that has the value"},
    {.name = "help", .help = "what the metric means, in one sentence", .required = true},
    {.name = "null_is",
     .fallback = "error",
     .help = "\"error\": a NULL makes the query unproven; \"absent\": it is no series"},
    {.name = "must_be",
     .type = OptionType::number,
     .help = "any other value is a violation",
     .min = kAnyNumber},
    {.name = "at_most",
     .type = OptionType::number,
     .help = "a higher value is a violation; exported as custom_NAME_max",
     .min = kAnyNumber},
    {.name = "at_least",
     .type = OptionType::number,
     .help = "a lower value is a violation; exported as custom_NAME_min",
     .min = kAnyNumber}};

inline constexpr Option kCustomQueryOptions[] = {
    {.name = "name", .help = "label `query`; unique in the database", .required = true},
    {.name = "database", .help = "where it runs; default: the database of the DSN"},
    {.name = "sql",
     .help = "one SELECT statement with schema-qualified names; read through a cursor, 1,000 rows "
             "at most",
     .required = true},
    {.name = "labels",
     .type = OptionType::texts,
     .help = "columns of the result that tell its rows apart: each is a label of that name"},
    {.name = "metrics",
     .type = OptionType::named_records,
     .help = "the metrics: NAME becomes pg_integrity_custom_NAME",
     .members = kCustomMetricOptions},
    {.name = "min_rows",
     .type = OptionType::integer,
     .help = "fewer rows are a violation; without it no row at all is unproven(missing) if a "
             "metric is judged, with 0 it is as it should be",
     .max = kMaxCustomRows},
    {.name = "max_rows",
     .type = OptionType::integer,
     .help = "more rows are a violation; 0: the query looks for what must not be there",
     .max = kMaxCustomRows}};

/// A metric of a query, and the column that its values come from.
struct CustomMetric {
  const MetricInfo* info = nullptr;
  std::string column;
  bool null_is_absent = false;
  std::optional<double> at_most;  ///< the value of its expectation's upper objective
  std::optional<double> at_least;
};

struct CustomQuery {
  std::string name;
  std::string sql;
  std::vector<std::string> labels;
  std::vector<CustomMetric> metrics;
  std::optional<double> min_rows;
  std::optional<double> max_rows;
};

/// Every custom metric has this label. Its value is the name of the query.
inline constexpr std::string_view kQueryLabel = "query";

/// The queries, sorted by name.
/// @param settings of the collector; check_custom() found no fault with them.
/// @param metrics the set that their metrics are added to.
std::vector<CustomQuery> custom_queries(const Settings& settings, MetricSet& metrics);

/// @param reserved names of metrics that no query may declare.
void check_custom(const Settings& settings, const std::vector<std::string_view>& reserved,
                  Problems& problems);

}  // namespace pg_integrity
