#include "exporter/evidence/sentence.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "collectors/base/metric_info.h"
#include "exporter/evidence/spoken.h"
#include "exporter/io/clock.h"

namespace pg_integrity {

namespace {

std::string_view side_of(const Broken& broken) {
  if (broken.relation == "<=") return "at most ";
  return broken.relation == ">=" ? "at least " : "";
}

/// A sentence about a limit on one side says which side that is. One about both does not.
std::string limit_of(const Broken& broken) {
  const MetricInfo& metric = *broken.sample->metric;
  const Expectation& expected = metric.expectation;
  const bool has_both = expected.upper != nullptr && expected.lower != nullptr;
  return std::string(has_both ? side_of(broken) : "") + spoken(metric, broken.limit);
}

std::string filled(std::string_view name, const CollectorId& id, const Broken& broken) {
  if (name == "value") return spoken(*broken.sample->metric, broken.value);
  if (name == "limit") return limit_of(broken);
  if (const std::size_t bar = name.find('|'); bar != std::string_view::npos)
    return std::string(broken.value == 1 ? name.substr(0, bar) : name.substr(bar + 1));
  if (name == "server") return id.server;
  if (name == "database") return id.database;
  const auto names = broken.sample->metric->labels();
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end()
             ? std::string()
             : broken.sample->labels[static_cast<std::size_t>(found - names.begin())];
}

}  // namespace

std::string sentence_of(const CollectorId& id, const Broken& broken) {
  std::string_view rest = broken.sample->metric->expectation.says;
  std::string text;
  for (std::size_t brace = rest.find('{'); brace != std::string_view::npos;
       brace = rest.find('{')) {
    const std::size_t end = rest.find('}', brace);
    text += rest.substr(0, brace);
    text += filled(rest.substr(brace + 1, end - brace - 1), id, broken);
    rest.remove_prefix(end + 1);
  }
  return text.append(rest);
}

std::string sentence_of(const AcceptedDamage& accepted) {
  const std::string by = accepted.by.empty() ? std::string() : " by " + accepted.by;
  return fmt::format("accepted until {:.10}{}: {}", format_utc(accepted.until), by,
                     accepted.reason);
}

}  // namespace pg_integrity
