#include "collectors/integrity/custom_config.h"

#include <algorithm>
#include <map>
#include <set>

#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/metric_rules.h"
#include "collectors/postgres/sql_lexer.h"

namespace pg_integrity {

namespace {

std::string metric_name(const Settings& metric) {
  return "pg_integrity_custom_" + metric.name();
}

std::vector<std::string> metric_labels(const Settings& query) {
  std::vector<std::string> labels{std::string(kQueryLabel)};
  const auto& own = query.texts("labels");
  labels.insert(labels.end(), own.begin(), own.end());
  return labels;
}

/// Adds the series that is the objective of another.
const MetricInfo& add_limit(const Settings& metric, std::string_view end, std::string_view which,
                            MetricSet& metrics) {
  return metrics.add(metric_name(metric) + std::string(end),
                     "Configured " + std::string(which) + " limit of custom_" + metric.name() + ".",
                     {std::string(kQueryLabel)}, {});
}

CustomMetric metric_from(const Settings& query, const Settings& metric, MetricSet& metrics) {
  CustomMetric made;
  Expectation expectation;
  if (const auto value = metric.maybe_number("must_be")) expectation = must_be(*value).expectation;
  made.at_most = metric.maybe_number("at_most");
  made.at_least = metric.maybe_number("at_least");
  if (made.at_most) expectation.upper = &add_limit(metric, "_max", "upper", metrics);
  if (made.at_least) expectation.lower = &add_limit(metric, "_min", "lower", metrics);
  made.info =
      &metrics.add(metric_name(metric), metric.text("help"), metric_labels(query), expectation);
  made.column = metric.text("value");
  made.null_is_absent = metric.text("null_is") == "absent";
  return made;
}

/// The names that the metrics of one configuration have taken so far.
class TakenNames {
 public:
  explicit TakenNames(const std::vector<std::string_view>& reserved)
      : reserved_(reserved.begin(), reserved.end()) {}

  /// Several databases may share one metric if they declare it alike.
  void take(const Settings& query, const Settings& metric, Problems& problems) {
    if (!is_free(query.text_or_empty("database"), metric_name(metric))) {
      problems.add(metric.place(), "the name of metric \"" + metric.name() + "\" is taken",
                   "queries may share one if each of them names another `database`");
      return;
    }
    const Shape shape{metric.text("help"), query.texts("labels")};
    if (const auto [known, added] = shapes_.emplace(metric.name(), shape); known->second != shape)
      problems.add(metric.place(),
                   "metric \"" + metric.name() +
                       "\" has other labels or another help text for another database",
                   "declare it alike");
  }

 private:
  /// A query without `database` runs in the database of the DSN, which another query may name. So
  /// such a query shares the name of a metric with no other query.
  bool is_free(const std::string& database, const std::string& name) {
    std::set<std::string>& databases = taken_[name];
    const bool free = databases.empty() || (!database.empty() && !databases.contains("") &&
                                            !databases.contains(database));
    databases.insert(database);
    return free && !reserved_.contains(name);
  }

  using Shape = std::pair<std::string, std::vector<std::string>>;
  std::set<std::string, std::less<>> reserved_;
  std::map<std::string, std::set<std::string>> taken_;  ///< databases by name
  std::map<std::string, Shape> shapes_;
};

/// These endings go with the limits of a metric. No metric may have them, even if it has no limits.
bool ends_like_a_limit(std::string_view name) {
  return name.ends_with("_min") || name.ends_with("_max") || name.ends_with("_accepted");
}

void check_metric(const Settings& query, const Settings& metric, Problems& problems) {
  const std::string name = "metric \"" + metric.name() + "\" ";
  MetricSet metrics;
  if (const MetricFault fault = fault_of(*metric_from(query, metric, metrics).info);
      fault != MetricFault::none)
    problems.add(metric.place(), name + std::string(text_of(fault)));
  if (ends_like_a_limit(metric.name()))
    problems.add(metric.place(), name + "must not end in _min, _max or _accepted",
                 "such names go with the limits of a metric");
  const auto low = metric.maybe_number("at_least");
  const auto high = metric.maybe_number("at_most");
  if (metric.has("must_be") && (low || high))
    problems.add(metric.place("must_be"), name + "has must_be and another limit");
  if (low && high && *low > *high)
    problems.add(metric.place("at_least"), name + "has at_least above at_most");
  const std::string& null_is = metric.text("null_is");
  if (null_is != "error" && null_is != "absent")
    problems.add(metric.place("null_is"), "\"null_is\" should be \"error\" or \"absent\"");
}

void check_query(const Settings& query, Problems& problems) {
  const std::string name = "query \"" + query.text("name") + "\" ";
  if (const auto fault = query_fault(query.text("sql")))
    problems.add(query.place("sql"), name + *fault, "write one SELECT statement");
  const auto low = query.maybe_number("min_rows");
  const auto high = query.maybe_number("max_rows");
  if (query.records("metrics").empty() && !low && !high)
    problems.add(query.place(), name + "gives no metric",
                 "name one: metrics = { NAME = { value = \"…\", help = \"…\" } }, or say how many"
                 " rows there may be: max_rows = 0");
  if (low && high && *low > *high)
    problems.add(query.place("min_rows"), name + "has min_rows above max_rows");
}

}  // namespace

std::vector<CustomQuery> custom_queries(const Settings& settings, MetricSet& metrics) {
  std::vector<CustomQuery> queries;
  for (const Settings& record : settings.records("queries")) {
    CustomQuery query{record.text("name"),
                      record.text("sql"),
                      record.texts("labels"),
                      {},
                      record.maybe_number("min_rows"),
                      record.maybe_number("max_rows")};
    for (const Settings& metric : record.records("metrics"))
      query.metrics.push_back(metric_from(record, metric, metrics));
    queries.push_back(std::move(query));
  }
  std::sort(queries.begin(), queries.end(),
            [](const CustomQuery& a, const CustomQuery& b) { return a.name < b.name; });
  return queries;
}

void check_custom(const Settings& settings, const std::vector<std::string_view>& reserved,
                  Problems& problems) {
  TakenNames taken(reserved);
  for (const Settings& query : settings.records("queries")) {
    check_query(query, problems);
    if (query.texts("labels").size() >= kMaxLabels) {
      problems.add(query.place("labels"), "query \"" + query.text("name") + "\" has more than " +
                                              std::to_string(kMaxLabels - 1) + " labels");
      continue;
    }
    for (const Settings& metric : query.records("metrics")) {
      check_metric(query, metric, problems);
      taken.take(query, metric, problems);
    }
  }
}

}  // namespace pg_integrity
