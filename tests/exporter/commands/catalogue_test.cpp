#include "exporter/commands/catalogue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "collectors/base/metric_info.h"
#include "collectors/collector.h"
#include "collectors/registry.h"
#include "exporter/evidence/self_metrics.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"

namespace pg_integrity::test::catalogue_test {
namespace {

nlohmann::json catalogue() {
  return nlohmann::json::parse(catalogue_as_json());
}

std::set<std::string> metric_names() {
  std::set<std::string> names;
  const nlohmann::json all = catalogue();
  for (const auto& metric : all["metrics"]) names.insert(metric["name"]);
  return names;
}

TEST(Catalogue, HasEveryCollectorAndItsMetrics) {
  const nlohmann::json all = catalogue();
  ASSERT_EQ(all["collectors"].size(), collectors().size());
  const auto names = metric_names();
  for (const CollectorSpec* spec : collectors())
    for (const MetricInfo* metric : spec->metrics)
      EXPECT_TRUE(names.contains(std::string(metric->name))) << metric->name;
  for (const char* name : {"pg_integrity_up", "pg_integrity_verdict", "pg_integrity_build_info",
                           "pg_integrity_exporter_sessions", "pg_integrity_collector_success"})
    EXPECT_TRUE(names.contains(name)) << name;
}

TEST(Catalogue, EveryMetricIsExplainedOnce) {
  const nlohmann::json all = catalogue();
  std::set<std::string> names;
  for (const auto& metric : all["metrics"]) {
    EXPECT_TRUE(names.insert(metric["name"]).second) << metric["name"] << " appears twice";
    EXPECT_NE(metric["help"], "") << metric["name"];
    EXPECT_TRUE(metric["name"].get<std::string>().starts_with("pg_integrity_")) << metric["name"];
  }
}

TEST(Catalogue, LimitsAreMetricsOfTheCatalogue) {
  const nlohmann::json all = catalogue();
  const auto names = metric_names();
  for (const auto& metric : all["metrics"])
    for (const char* relation : {"at_least", "at_most"})
      if (metric["should_be"].contains(relation)) {
        EXPECT_TRUE(names.contains(metric["should_be"][relation])) << metric["name"];
      }
}

TEST(Catalogue, HasWhatThePageReallyShows) {
  const Database db;
  db.run("CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int REFERENCES parent)");
  const Findings found = look(one_server(db.dsn()));
  std::map<std::string, std::set<std::string>> labels;
  const nlohmann::json all = catalogue();
  for (const auto& metric : all["metrics"])
    for (const auto& label : metric["labels"]) labels[metric["name"]].insert(label);
  const auto names = metric_names();
  for (const Series& series : found.page.series()) {
    std::string name = series.name;
    if (name.starts_with("process_")) continue;
    for (const std::string_view part : {"_bucket", "_count", "_sum"})
      if (series.name.ends_with(part) && !names.contains(name))
        name = name.substr(0, name.size() - part.size());
    EXPECT_TRUE(names.contains(name)) << series.name;
    for (const auto& [label, value] : series.labels)
      EXPECT_TRUE(label == "le" || labels[name].contains(label)) << series.name << " " << label;
  }
}

void expect_help(const nlohmann::json& options, const std::string& path) {
  std::set<std::string> keys;
  for (const auto& option : options) {
    const std::string key = path + "." + option["key"].get<std::string>();
    EXPECT_TRUE(keys.insert(key).second) << key << " appears twice";
    EXPECT_NE(option["help"], "") << key;
    if (option.contains("members")) expect_help(option["members"], key);
  }
}

TEST(Catalogue, EveryKeyOfTheConfigurationIsExplained) {
  const nlohmann::json all = catalogue();
  ASSERT_FALSE(all["configuration"].empty());
  expect_help(all["configuration"], "");
}

TEST(Catalogue, TheMarkdownsTablesAreWhole) {
  std::istringstream lines(catalogue_as_markdown());
  std::string line;
  std::ptrdiff_t columns = 0;
  int rows = 0;
  while (std::getline(lines, line)) {
    if (!line.starts_with("|")) {
      columns = 0;
      continue;
    }
    const auto bars = std::count(line.begin(), line.end(), '|');
    if (columns == 0) columns = bars;
    EXPECT_EQ(bars, columns) << line;
    ++rows;
  }
  EXPECT_GT(rows, 100);
}

TEST(Catalogue, TheMarkdownHasEveryMetricToo) {
  const std::string text = catalogue_as_markdown();
  for (const std::string& name : metric_names())
    EXPECT_NE(text.find("| `" + name + "` | "), std::string::npos) << name;
}

}  // namespace
}  // namespace pg_integrity::test::catalogue_test
