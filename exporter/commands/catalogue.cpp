#include "exporter/commands/catalogue.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/registry.h"
#include "exporter/config/config_schema.h"
#include "exporter/evidence/self_metrics.h"
#include "exporter/evidence/verdict.h"

namespace pg_integrity {

namespace {

using Ordered = nlohmann::ordered_json;

std::string_view type_name(MetricType type) {
  switch (type) {
    case MetricType::gauge:
    case MetricType::age:
      return "gauge";
    case MetricType::counter:
      return "counter";
    case MetricType::histogram:
      return "histogram";
  }
  return "";
}

std::string_view type_name(OptionType type) {
  constexpr std::string_view kNames[] = {
      "flag", "integer", "number", "duration",        "size",           "date", "text",
      "zone", "texts",   "table",  "array of tables", "table of tables"};
  return kNames[static_cast<std::size_t>(type)];
}

std::string should_be(const Expectation& expectation) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (expectation.constant) add(std::to_string(static_cast<int>(expectation.value)));
  if (expectation.lower != nullptr) add(fmt::format("≥ {}", expectation.lower->name));
  if (expectation.upper != nullptr) add(fmt::format("≤ {}", expectation.upper->name));
  return text;
}

/// Metrics of one origin and the labels that the runtime puts before their own.
struct Group {
  std::string title;
  std::string question;
  std::string report_section;
  std::vector<std::string> labels;
  std::span<const MetricInfo* const> metrics;
};

std::vector<Group> groups() {
  const std::vector<std::string> server{"server"};
  const std::vector<std::string> database{"server", "database"};
  std::vector<Group> groups;
  for (const CollectorSpec* spec : collectors())
    groups.push_back({std::string(spec->name), std::string(name_of(spec->question)),
                      std::string(spec->report_section),
                      spec->scope == Scope::server ? server : database, spec->metrics});
  groups.push_back({"every collector", "", "", database, self::kCollectorMetrics});
  groups.push_back({"every database", "", "", database, self::kDatabaseMetrics});
  groups.push_back({"every server", "", "", server, self::kServerMetrics});
  groups.push_back({"the process", "", "", {}, self::kProcessMetrics});
  return groups;
}

std::vector<std::string> all_labels(const Group& group, const MetricInfo& metric) {
  std::vector<std::string> labels = group.labels;
  for (const std::string_view label : metric.labels()) labels.emplace_back(label);
  return labels;
}

void append_metrics(std::string& out) {
  for (const Group& group : groups()) {
    out += fmt::format(
        "\n#### {}\n\n| metric | type | labels | should be | meaning |\n|---|---|---|---|---|\n",
        group.title);
    for (const MetricInfo* metric : group.metrics) {
      const std::string expectation = should_be(metric->expectation);
      out += fmt::format("| `{}` | {} | {} | {} | {} |\n", metric->name, type_name(metric->type),
                         fmt::join(all_labels(group, *metric), ", "),
                         expectation.empty() ? "–" : expectation, metric->help);
    }
  }
}

void append_options(std::string& out, std::span<const Option> options, const std::string& path) {
  const std::string title = path.starts_with('[') ? fmt::format("`{}`", path) : path;
  out += fmt::format("\n#### {}\n\n| key | type | default | effect |\n|---|---|---|---|\n", title);
  for (const Option& option : options) {
    std::string fallback = option.required ? "required" : std::string(option.fallback);
    if (fallback.empty()) fallback = "–";
    out += fmt::format("| `{}` | {} | {} | {} |\n", option.name, type_name(option.type), fallback,
                       option.help);
  }
  for (const Option& option : options) {
    if (option.members.empty() || option.name == "defaults") continue;
    const std::string inner = path.substr(path.find_first_not_of('['));
    const std::string base = path.starts_with('[') ? inner.substr(0, inner.find(']')) + "." : "";
    const std::string name = base + std::string(option.name);
    if (option.name == "collectors")
      for (const Option& collector : option.members)
        append_options(out, collector.members, fmt::format("[{}.{}]", name, collector.name));
    else if (option.type == OptionType::records)
      append_options(out, option.members, fmt::format("[[{}]]", name));
    else if (option.type == OptionType::named_records)
      append_options(out, option.members, fmt::format("[{}.NAME]", name));
    else
      append_options(out, option.members, fmt::format("[{}]", name));
  }
}

Ordered options_as_json(std::span<const Option> options) {
  Ordered list = Ordered::array();
  for (const Option& option : options) {
    Ordered entry{{"key", std::string(option.name)},
                  {"type", std::string(type_name(option.type))},
                  {"help", std::string(option.help)},
                  {"required", option.required}};
    if (!option.fallback.empty()) entry["default"] = std::string(option.fallback);
    if (!option.members.empty()) entry["members"] = options_as_json(option.members);
    list.push_back(std::move(entry));
  }
  return list;
}

Ordered metrics_as_json() {
  Ordered list = Ordered::array();
  for (const Group& group : groups())
    for (const MetricInfo* metric : group.metrics) {
      const Expectation& expectation = metric->expectation;
      Ordered should_be = Ordered::object();
      if (expectation.constant) should_be["equals"] = expectation.value;
      if (expectation.lower != nullptr)
        should_be["at_least"] = std::string(expectation.lower->name);
      if (expectation.upper != nullptr) should_be["at_most"] = std::string(expectation.upper->name);
      list.push_back({{"name", std::string(metric->name)},
                      {"type", std::string(type_name(metric->type))},
                      {"help", std::string(metric->help)},
                      {"labels", all_labels(group, *metric)},
                      {"should_be", std::move(should_be)},
                      {"says", std::string(expectation.says)},
                      {"past_event", metric->past_event},
                      {"origin", group.title},
                      {"question", group.question}});
    }
  return list;
}

}  // namespace

std::string catalogue_as_markdown() {
  std::string out =
      "### Metrics\n\nAn objective that is not configured has no series and sets no limit. "
      "A judged metric of an object whose damage is accepted has a twin `…_accepted`.\n"
      "Collectors that are about the whole server carry no `database` label. Beside these there "
      "are "
      "the usual `process_…` metrics.\n";
  append_metrics(out);
  out +=
      "\n### Configuration\n\nDurations are written as `\"90s\"`, `\"15m\"`, `\"6h\"`, `\"7d\"`; "
      "sizes as "
      "`\"64MiB\"`.\nEvery key of `[[server]]` but name, connection and `accept` may stand in "
      "`[defaults]` too.\n";
  append_options(out, configuration_options(), "top of the file");
  return out;
}

std::string catalogue_as_json() {
  Ordered collector_list = Ordered::array();
  for (const CollectorSpec* spec : collectors())
    collector_list.push_back(
        {{"name", std::string(spec->name)},
         {"summary", std::string(spec->summary)},
         {"question", std::string(name_of(spec->question))},
         {"report_section", std::string(spec->report_section)},
         {"interval", std::string(spec->interval)},
         {"deadline", std::string(spec->deadline)},
         {"identity", std::vector<std::string>(spec->identity.begin(), spec->identity.end())}});
  const Ordered document{{"collectors", std::move(collector_list)},
                         {"metrics", metrics_as_json()},
                         {"configuration", options_as_json(configuration_options())}};
  return document.dump(2) + "\n";
}

}  // namespace pg_integrity
