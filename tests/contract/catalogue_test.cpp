// One fact, said once: the catalogue, the documentation and the page agree.
#include "exporter/commands/catalogue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "collectors/collector.h"
#include "collectors/registry.h"
#include "tests/support/content.h"
#include "tests/support/demo.h"
#include "tests/support/exporter.h"
#include "tests/support/paths.h"
#include "tests/support/wait.h"
#include "tests/support/wire.h"

namespace pg_integrity::test::catalogue_test {
namespace {

nlohmann::json catalogue() {
  return nlohmann::json::parse(catalogue_as_json());
}

TEST(Catalogue, EveryCollectorHasARowForUsersAndAParagraphInItsTheme) {
  const std::string readme = content_of(source_path("README.md"));
  for (const CollectorSpec* spec : collectors()) {
    const std::string row =
        "| `" + std::string(spec->name) + "` | " + (spec->wanted == nullptr ? "yes" : "when told");
    EXPECT_NE(readme.find(row), std::string::npos) << row << " is not in README.md";
    std::size_t paragraphs = 0;
    for (const char* theme : {"integrity", "recovery", "audit", "service"})
      if (content_of(source_path("collectors/" + std::string(theme) + "/README.md"))
              .find("**" + std::string(spec->name) + "** ") != std::string::npos)
        ++paragraphs;
    EXPECT_EQ(paragraphs, 1U) << spec->name << " is explained in the README of its theme";
  }
}

TEST(Catalogue, EveryClaimOfTheReportIsProvenByMetricsThatExist) {
  const std::string readme = content_of(source_path("deploy/demo/README.md"));
  const std::size_t from = readme.find("## What became of the report's claims");
  ASSERT_NE(from, std::string::npos);
  const std::string claims = readme.substr(from, readme.find("\n## ", from) - from);
  std::set<std::string> known;
  const auto document = catalogue();
  for (const auto& metric : document.at("metrics"))
    known.insert(metric.at("name").get<std::string>());
  std::size_t named = 0;
  for (std::size_t tick = claims.find('`', claims.find("\n|--")); tick != std::string::npos;) {
    const std::size_t end = claims.find('`', tick + 1);
    const std::string name = "pg_integrity_" + claims.substr(tick + 1, end - tick - 1);
    EXPECT_TRUE(known.contains(name)) << name;
    ++named;
    tick = claims.find('`', end + 1);
  }
  EXPECT_GE(named, 20U);
}

TEST(Catalogue, NamesAndLabelsOfTheDemosPageAreAllInIt) {
  std::map<std::string, std::set<std::string>> known;
  std::map<std::string, std::string> types;
  const auto document = catalogue();
  for (const auto& metric : document.at("metrics")) {
    const auto labels = metric.at("labels").get<std::set<std::string>>();
    const auto name = metric.at("name").get<std::string>();
    known[name].insert(labels.begin(), labels.end());
    types[name] = metric.at("type").get<std::string>();
  }
  const Demo demo;
  const ExporterProcess exporter(demo.configuration(), demo.environment());
  exporter.wait_until_ready();
  std::set<std::string> seen;
  const PageText page = exporter.page();
  for (const Series& series : page.series()) {
    std::string name = series.name;
    if (name.starts_with("process_")) continue;  // the same in every exporter
    LabelSet labels = series.labels;
    for (const char* suffix : {"_bucket", "_sum", "_count"}) {
      const std::string base = name.ends_with(suffix) ? name.substr(0, name.rfind('_')) : name;
      if (types[base] == "histogram") {
        name = base;
        labels.erase("le");
      }
    }
    if (name.ends_with("_accepted")) name = name.substr(0, name.rfind('_'));
    ASSERT_TRUE(known.contains(name)) << name << " is on the page, not in the catalogue";
    for (const auto& [label, value] : labels)
      EXPECT_TRUE(known[name].contains(label)) << name << " has the label " << label;
    seen.insert(name);
  }
  EXPECT_GE(seen.size(), 40U);
}

TEST(Catalogue, EveryKeyOfTheShippedConfigurationsIsExplained) {
  const std::string text = catalogue_as_markdown();
  for (const char* key : {"listen", "state_dir", "dsn_file", "max_load", "accept", "backups"})
    EXPECT_NE(text.find("| `" + std::string(key) + "` |"), std::string::npos) << key;
}

TEST(Catalogue, EveryExpectationHasASentenceWhosePlaceholdersAreLabelsOfItsSeries) {
  std::size_t sentences = 0;
  const auto document = catalogue();
  for (const auto& metric : document.at("metrics")) {
    const auto says = metric.at("says").get<std::string>();
    EXPECT_EQ(says.empty(), metric.at("should_be").empty()) << metric;
    if (!says.empty()) ++sentences;
    auto known = metric.at("labels").get<std::set<std::string>>();
    known.insert({"value", "limit"});
    for (std::size_t brace = says.find('{'); brace != std::string::npos;
         brace = says.find('{', brace + 1)) {
      const std::string name = says.substr(brace + 1, says.find('}', brace) - brace - 1);
      const bool chosen_by_value = std::count(name.begin(), name.end(), '|') == 1;
      EXPECT_TRUE(!chosen_by_value || says.find("{value}") != std::string::npos) << says;
      EXPECT_TRUE(chosen_by_value || known.contains(name))
          << metric.at("name") << " has no " << name;
    }
  }
  EXPECT_GE(sentences, 50U);
}

TEST(Catalogue, EveryCollectorSaysByWhichLabelsItNamesItsObjects) {
  const auto document = catalogue();
  std::map<std::string, std::vector<std::string>> identities;
  for (const auto& collector : document.at("collectors"))
    identities[collector.at("name").get<std::string>()] =
        collector.at("identity").get<std::vector<std::string>>();
  EXPECT_EQ(identities["orphans"], (std::vector<std::string>{"schema", "table", "constraint"}));
  EXPECT_EQ(identities["superusers"], std::vector<std::string>{});
}

TEST(Catalogue, EveryKeyAndMetricHasAnExplanation) {
  const auto document = catalogue();
  for (const auto& metric : document.at("metrics"))
    EXPECT_FALSE(metric.at("help").get<std::string>().empty()) << metric;
  const std::function<void(const nlohmann::json&)> explained = [&](const nlohmann::json& options) {
    for (const auto& option : options) {
      EXPECT_FALSE(option.at("help").get<std::string>().empty()) << option;
      if (option.contains("members")) explained(option.at("members"));
    }
  };
  explained(document.at("configuration"));
}

}  // namespace
}  // namespace pg_integrity::test::catalogue_test
