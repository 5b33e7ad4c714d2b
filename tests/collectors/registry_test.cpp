#include "collectors/registry.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/metric_rules.h"
#include "collectors/base/settings.h"
#include "collectors/base/units.h"
#include "collectors/collector.h"
#include "tests/support/content.h"
#include "tests/support/paths.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>

namespace pg_integrity::test::registry_test {
namespace {

const std::filesystem::path kSource = source_path("");

bool contains(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

TEST(Registry, IsSortedAndEveryNameIsUnique) {
  const auto all = collectors();
  ASSERT_FALSE(all.empty());
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_LT(all[i - 1]->name, all[i]->name);
}

TEST(Registry, FindsACollectorByItsNameAndNothingElse) {
  for (const CollectorSpec* spec : collectors()) EXPECT_EQ(collector_named(spec->name), spec);
  EXPECT_EQ(collector_named("nobody"), nullptr);
  EXPECT_EQ(collector_named(""), nullptr);
  EXPECT_EQ(collector_named("Orphans"), nullptr);
}

/// Sources below collectors/ that define a collector, by their stem, and the theme that each is in.
std::map<std::string, std::string, std::less<>> collector_files() {
  std::map<std::string, std::string, std::less<>> files;
  std::size_t seen = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kSource / "collectors")) {
    if (entry.path().extension() != ".cpp") continue;
    ++seen;
    if (content_of(entry.path()).find("constexpr CollectorSpec k") != std::string::npos)
      files.emplace(entry.path().stem(), entry.path().parent_path().filename());
  }
  EXPECT_GE(seen, 60U) << "most sources were not seen";
  return files;
}

TEST(Registry, EveryCollectorIsInTheFileOfItsNameAndHasATest) {
  const auto files = collector_files();
  for (const CollectorSpec* spec : collectors()) {
    const std::string name(spec->name);
    ASSERT_TRUE(files.contains(name)) << name;
    const std::filesystem::path theme = files.at(name);
    const std::string source = content_of(kSource / "collectors" / theme / (name + ".cpp"));
    EXPECT_NE(source.find(".name = \"" + name + "\""), std::string::npos) << name;
    EXPECT_TRUE(
        std::filesystem::exists(kSource / "tests/collectors" / theme / (name + "_test.cpp")))
        << name;
  }
}

TEST(Registry, LeavesNoCollectorOut) {
  std::set<std::string, std::less<>> files;
  for (const auto& [stem, theme] : collector_files()) files.insert(stem);
  std::set<std::string, std::less<>> known;
  for (const CollectorSpec* spec : collectors()) known.emplace(spec->name);
  EXPECT_EQ(files, known);
}

TEST(Registry, EveryCollectorCanBeMadeAndSaysWhatItIs) {
  for (const CollectorSpec* spec : collectors()) {
    EXPECT_NE(spec->make, nullptr) << spec->name;
    EXPECT_FALSE(spec->summary.empty()) << spec->name;
    EXPECT_FALSE(spec->report_section.empty()) << spec->name;
    EXPECT_GE(spec->version, 1) << spec->name;
    EXPECT_NE(static_cast<int>(spec->depends_on), 0) << spec->name;
  }
}

TEST(Registry, DefaultIntervalsAndDeadlinesAreWithinTheirOwnRange) {
  for (const CollectorSpec* spec : collectors())
    for (const Option& option : kCommonOptions) {
      if (option.type != OptionType::duration) continue;
      const auto value =
          parse_duration(option.name == "interval" ? spec->interval : spec->deadline);
      ASSERT_TRUE(value) << spec->name << "." << option.name;
      EXPECT_GE(value->count(), option.min) << spec->name << "." << option.name;
      EXPECT_LE(value->count(), option.max) << spec->name << "." << option.name;
    }
}

TEST(Registry, EveryMetricBelongsToOneCollector) {
  std::set<std::string_view> names;
  for (const CollectorSpec* spec : collectors()) {
    EXPECT_FALSE(spec->metrics.empty()) << spec->name;
    for (const MetricInfo* metric : spec->metrics)
      EXPECT_TRUE(names.insert(metric->name).second) << metric->name;
  }
}

TEST(Registry, ObjectivesAreExportedByTheCollectorThatIsHeldToThem) {
  for (const CollectorSpec* spec : collectors())
    for (const MetricInfo* metric : spec->metrics)
      for (const MetricInfo* objective : {metric->expectation.upper, metric->expectation.lower}) {
        if (objective == nullptr) continue;
        EXPECT_TRUE(
            std::any_of(spec->metrics.begin(), spec->metrics.end(),
                        [&](const MetricInfo* own) { return own->name == objective->name; }))
            << metric->name << " should be held against " << objective->name;
      }
}

TEST(Registry, WhatIsJudgedHasAnObjectToBelongTo) {
  for (const CollectorSpec* spec : collectors()) {
    for (const MetricInfo* metric : spec->metrics) {
      if (metric->expectation.none()) continue;
      const auto labels = metric->labels();
      // Without any label it is about what the collector looks at as a whole.
      EXPECT_TRUE(labels.empty() || std::any_of(labels.begin(), labels.end(),
                                                [&](std::string_view label) {
                                                  return contains(spec->identity, label);
                                                }))
          << metric->name;
    }
    for (const std::string_view label : spec->identity)
      EXPECT_TRUE(
          std::any_of(spec->metrics.begin(), spec->metrics.end(),
                      [&](const MetricInfo* metric) { return contains(metric->labels(), label); }))
          << spec->name << ": no metric has the label " << label;
  }
}

/// Calls `visit` for each option, members of records included, with its path.
void for_each_option(std::span<const Option> options, const std::string& path,
                     const std::function<void(const Option&, const std::string&)>& visit) {
  for (const Option& option : options) {
    const std::string own = path + "." + std::string(option.name);
    visit(option, own);
    for_each_option(option.members, own, visit);
  }
}

TEST(Registry, OptionsAreDocumentedAndNamedOnce) {
  for (const CollectorSpec* spec : collectors()) {
    std::set<std::string> paths;
    for (const Option& common : kCommonOptions)
      paths.insert(std::string(spec->name) + "." + std::string(common.name));
    for_each_option(
        spec->options, std::string(spec->name), [&](const Option& option, const std::string& path) {
          EXPECT_TRUE(paths.insert(path).second) << path << " is there twice";
          EXPECT_TRUE(metric_detail::is_snake_case(option.name)) << path;
          EXPECT_FALSE(option.help.empty()) << path;
          EXPECT_FALSE(option.required && !option.fallback.empty()) << path << " needs no default";
          EXPECT_LE(option.min, option.max) << path;
        });
    EXPECT_EQ(spec->wanted == nullptr, spec->wanted_hint.empty()) << spec->name;
    for (const std::string_view name : spec->server_options) {
      const auto options = watched_server_options();
      EXPECT_TRUE(name == "name" ||
                  std::any_of(options.begin(), options.end(),
                              [&](const Option& option) { return option.name == name; }))
          << spec->name << " depends on `" << name << "`, which no server has";
    }
  }
}

TEST(Registry, DefaultsAreWhatOneMayWrite) {
  for (const CollectorSpec* spec : collectors())
    for_each_option(spec->options, std::string(spec->name),
                    [](const Option& option, const std::string& path) {
                      if (option.fallback.empty()) return;
                      std::optional<double> value;
                      if (option.type == OptionType::duration) {
                        if (const auto duration = parse_duration(option.fallback))
                          value = duration->count();
                      } else if (option.type == OptionType::size) {
                        value = parse_size(option.fallback);
                      } else {
                        return;
                      }
                      ASSERT_TRUE(value) << path << ": " << option.fallback;
                      EXPECT_GE(*value, option.min) << path;
                      EXPECT_LE(*value, option.max) << path;
                    });
}

}  // namespace
}  // namespace pg_integrity::test::registry_test
