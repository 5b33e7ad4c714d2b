#include "collectors/base/settings.h"

#include <gtest/gtest.h>

#include "collectors/base/instant.h"
#include "collectors/base/metric_rules.h"
#include "collectors/base/units.h"
#include "exporter/config/config.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test::settings_test {
namespace {

TEST(ParseDuration, KnowsEveryUnit) {
  EXPECT_EQ(parse_duration("250ms"), Seconds(0.25));
  EXPECT_EQ(parse_duration("90s"), Seconds(90));
  EXPECT_EQ(parse_duration("15m"), Seconds(900));
  EXPECT_EQ(parse_duration("6h"), Seconds(21600));
  EXPECT_EQ(parse_duration("7d"), Seconds(604800));
  EXPECT_EQ(parse_duration("2w"), Seconds(1209600));
}

TEST(ParseDuration, AddsPartsAndTakesFractionsAndZero) {
  EXPECT_EQ(parse_duration("1h30m"), Seconds(5400));
  EXPECT_EQ(parse_duration("1m1s500ms"), Seconds(61.5));
  EXPECT_EQ(parse_duration("1.5h"), Seconds(5400));
  EXPECT_EQ(parse_duration("0s"), Seconds(0));
  EXPECT_EQ(parse_duration("007m"), Seconds(420));
}

TEST(ParseDuration, RefusesWhatIsNone) {
  for (const char* text :
       {"",       " ",     "5",          "0",        "h",    "-1s",   "+1s",  "1 h",
        "1h ",    " 1h",   "15 minutes", "1y",       "1H",   "1hs",   "1e3s", "0x1s",
        "1,5h",   "1..5h", ".5h",        "1.5.2h",   "infs", "nans",  "inf",  "nan",
        "1h-30m", "1h30",  "1h30m!",     "1\u00b5s", "1.s",  "1.h30m"})
    EXPECT_FALSE(parse_duration(text)) << '"' << text << '"';
  EXPECT_FALSE(parse_duration(std::string_view("1h\0", 3)));
}

TEST(ParseDuration, TakesEachUnitOnceAndLargerOnesFirst) {
  for (const char* text : {"1m1m", "1h30m1h", "30m1h", "1ms1s", "1d1w", "1s1s"})
    EXPECT_FALSE(parse_duration(text)) << text << " is more likely a slip than meant";
  EXPECT_EQ(parse_duration("1w1d1h1m1s1ms"), Seconds(694861.001));
}

TEST(ParseDuration, RefusesWhatNoNumberHolds) {
  EXPECT_FALSE(parse_duration(std::string(400, '9') + "s"));
  EXPECT_FALSE(parse_duration("9" + std::string(305, '0') + "w")) << "the unit makes it too large";
  EXPECT_FALSE(
      parse_duration("1797" + std::string(305, '0') + "s1797" + std::string(305, '0') + "ms"))
      << "the sum is too large";
}

TEST(ParseSize, KnowsEveryUnit) {
  EXPECT_EQ(parse_size("512"), 512);
  EXPECT_EQ(parse_size("512B"), 512);
  EXPECT_EQ(parse_size("8kB"), 8e3);
  EXPECT_EQ(parse_size("8KiB"), 8192);
  EXPECT_EQ(parse_size("64MB"), 64e6);
  EXPECT_EQ(parse_size("64MiB"), 67108864);
  EXPECT_EQ(parse_size("10GB"), 10e9);
  EXPECT_EQ(parse_size("1GiB"), 1073741824);
  EXPECT_EQ(parse_size("2TB"), 2e12);
  EXPECT_EQ(parse_size("1TiB"), 1099511627776);
}

TEST(ParseSize, TakesFractionsZeroAndASpaceBeforeTheUnit) {
  EXPECT_EQ(parse_size("1.5GiB"), 1610612736);
  EXPECT_EQ(parse_size("0"), 0);
  EXPECT_EQ(parse_size("5 MB"), 5e6);
}

TEST(ParseSize, RefusesWhatIsNone) {
  for (const char* text :
       {"",     " ",    "MB",      "-1", "-1MB", "+1",  "5mb",  "5M",  "5KB", "5 MBytes",
        "5MB ", " 5MB", "1.5.2GB", "1.", "1.MB", "1e6", "0x10", "inf", "nan", "1GB2MB"})
    EXPECT_FALSE(parse_size(text)) << '"' << text << '"';
  EXPECT_FALSE(parse_size(std::string(400, '9')));
  EXPECT_FALSE(parse_size("9" + std::string(305, '0') + "TiB"));
}

TEST(ParseDate, IsMidnightUtcOfThatDay) {
  EXPECT_EQ(parse_date("1970-01-01"), 0);
  EXPECT_EQ(parse_date("2026-01-31"), 1769817600);
  EXPECT_EQ(parse_date("2024-02-29"), 1709164800);
  EXPECT_EQ(parse_date("1969-12-31"), -86400);
}

TEST(ParseDate, RefusesDaysThatAreNone) {
  for (const char* text : {"", "2023-02-29", "2026-13-01", "2026-00-10", "2026-01-00", "2026-04-31",
                           "26-01-31", "2026-1-31", "2026/01/31", "20260131", "2026-01-31T00:00",
                           "2026-01-3a", "-123-01-01", "+026-01-01", " 026-01-01", "2026--1-01"})
    EXPECT_FALSE(parse_date(text)) << '"' << text << '"';
}

TEST(FormatDuration, WritesWhatTheConfigurationReads) {
  EXPECT_EQ(format_duration(Seconds(0)), "0s");
  EXPECT_EQ(format_duration(Seconds(5400)), "1h30m");
  EXPECT_EQ(format_duration(Seconds(694861)), "8d1h1m1s");
  EXPECT_EQ(format_duration(Seconds(0.25)), "250ms");
  for (const double seconds :
       {0.0, 0.001, 0.999, 1.0, 59.0, 60.0, 3599.0, 3600.0, 86399.0, 34560000.0})
    EXPECT_EQ(parse_duration(format_duration(Seconds(seconds))), Seconds(seconds));
}

TEST(FormatDuration, RoundsToWhatPeopleRead) {
  EXPECT_EQ(format_duration(Seconds(59.9996)), "1m");
  EXPECT_EQ(format_duration(Seconds(0.0004)), "0s");
  EXPECT_EQ(format_duration(Seconds(90.25)), "1m30s")
      << "milliseconds only of what is below a second";
  EXPECT_EQ(format_duration(Seconds(-90)), "-1m30s");
  EXPECT_EQ(format_duration(Seconds(-0.0004)), "0s");
}

TEST(Problems, ComeInTheOrderOfTheFileWithTheirHints) {
  Problems problems;
  EXPECT_TRUE(problems.empty());
  problems.add({"a.toml", 7, 3}, "third");
  problems.add({"a.toml", 2, 9}, "second", "do this");
  problems.add({"a.toml", 2, 1}, "first");
  EXPECT_FALSE(problems.empty());
  EXPECT_EQ(problems.lines(),
            (std::vector<std::string>{"a.toml:2:1: first", "a.toml:2:9: second. HINT: do this",
                                      "a.toml:7:3: third"}));
}

TEST(Problems, ThatAreFoundTwiceAreToldOnceAndOthersAtTheSamePlaceAreKept) {
  Problems problems;
  problems.add({"a.toml", 2, 1}, "twice");
  problems.add({"a.toml", 2, 1}, "twice");
  problems.add({"a.toml", 2, 1}, "other");
  EXPECT_EQ(problems.lines(), (std::vector<std::string>{"a.toml:2:1: twice", "a.toml:2:1: other"}));
}

TEST(Problems, NeedNoFileAndNoLine) {
  Problems problems;
  problems.add({}, "from the environment");
  problems.add({"a.toml"}, "of the whole file");
  EXPECT_EQ(problems.lines(), (std::vector<std::string>{"configuration: from the environment",
                                                        "a.toml: of the whole file"}));
}

TEST(Problems, UnknownKeysNameTheirNeighbourAndEveryFaultIsToldAtOnce) {
  const TemporaryDirectory directory;
  const std::string path = directory.write("t.toml", R"([[server]]
name = "a"
dsn = "dbname=a"
[server.collectors.row_counts]
exact_upto = "1GB"
interval = "0s"
deadline = "-1s"
[[server.collectors.row_counts.limits]]
max_drop = 1.5
)");
  const ReadOptions read = read_configuration(path);
  const auto* lines = std::get_if<std::vector<std::string>>(&read);
  ASSERT_NE(lines, nullptr);
  ASSERT_EQ(lines->size(), 5U) << ::testing::PrintToString(*lines);
  EXPECT_EQ(lines->at(0), path +
                              ":5:1: unknown key \"exact_upto\" in \"row_counts\"."
                              " HINT: did you mean \"exact_up_to\"?");
  EXPECT_EQ(lines->at(1),
            path + ":6:12: \"interval\" is out of range. HINT: from \"1s\" to \"30d\"");
  EXPECT_NE(lines->at(2).find(":7:12: \"deadline\" should be a duration"), std::string::npos);
  EXPECT_NE(lines->at(3).find("\"table\" is missing"), std::string::npos) << lines->at(3);
  EXPECT_NE(lines->at(4).find(":9:12: \"max_drop\" is out of range"), std::string::npos);
}

TEST(Settings, GiveWhatWasPutUnderItsType) {
  Settings settings;
  settings.put("flag", true, {});
  settings.put("number", 2.5, {});
  settings.put("text", std::string("x"), {});
  settings.put("texts", std::vector<std::string>{"a", "b"}, {});
  EXPECT_TRUE(settings.flag("flag"));
  EXPECT_EQ(settings.number("number"), 2.5);
  EXPECT_EQ(settings.duration("number"), Seconds(2.5));
  EXPECT_EQ(settings.text("text"), "x");
  EXPECT_EQ(settings.texts("texts"), (std::vector<std::string>{"a", "b"}));
}

TEST(Settings, WhatWasNotGivenIsAbsentNotZero) {
  const Settings settings;
  EXPECT_FALSE(settings.has("x"));
  EXPECT_FALSE(settings.maybe_number("x"));
  EXPECT_FALSE(settings.maybe_duration("x"));
  EXPECT_EQ(settings.text_or_empty("x"), "");
  EXPECT_TRUE(settings.texts("x").empty());
  EXPECT_TRUE(settings.records("x").empty());
  EXPECT_EQ(settings.record("x"), nullptr);
}

TEST(Settings, AskingForWhatNoOptionHasIsAFaultOfTheProgram) {
  Settings settings;
  settings.put("number", 1.0, {});
  EXPECT_THROW((void)settings.number("nothing"), std::logic_error);
  EXPECT_THROW((void)settings.value("nothing"), std::logic_error);
  EXPECT_THROW((void)settings.flag("number"), std::logic_error);
  EXPECT_THROW((void)settings.text("number"), std::logic_error);
}

TEST(Settings, KnowTheirPlaceAndThatOfEachOption) {
  Settings settings({"a.toml", 3, 1}, "name");
  settings.put("given", 1.0, {"a.toml", 4, 9});
  settings.put("default", 1.0, {});
  EXPECT_EQ(settings.place("given").line, 4U);
  EXPECT_EQ(settings.place("default").line, 3U);
  EXPECT_EQ(settings.place("nothing").line, 3U);
  EXPECT_EQ(settings.name(), "name");
}

TEST(Settings, WhatWasRefusedIsNeitherThereNorMissing) {
  Settings settings;
  settings.refuse("x");
  EXPECT_TRUE(settings.refused("x"));
  EXPECT_FALSE(settings.refused("y"));
  EXPECT_FALSE(settings.has("x"));
}

constexpr Option kMembers[] = {{.name = "a", .type = OptionType::number},
                               {.name = "b", .type = OptionType::number}};
constexpr Option kOverlaid[] = {{.name = "plain", .type = OptionType::number},
                                {.name = "kept", .type = OptionType::number},
                                {.name = "one", .type = OptionType::record, .members = kMembers},
                                {.name = "many", .type = OptionType::records, .members = kMembers}};

Settings record(const std::string& option, double value) {
  Settings settings;
  settings.put(option, value, {});
  return settings;
}

TEST(Settings, OverlayGoesMemberByMemberIntoARecordAndReplacesTheRest) {
  Settings base;
  base.put("plain", 1.0, {});
  base.put("kept", 1.0, {});
  base.put("one", std::vector<Settings>{record("a", 1)}, {});
  base.put("many", std::vector<Settings>{record("a", 1), record("a", 2)}, {});
  Settings over;
  over.put("plain", 2.0, {});
  over.put("one", std::vector<Settings>{record("b", 2)}, {});
  over.put("many", std::vector<Settings>{record("b", 3)}, {});
  over.put("unknown", 9.0, {});
  over.refuse("refused");
  base.overlay(over, kOverlaid);
  EXPECT_EQ(base.number("plain"), 2);
  EXPECT_EQ(base.number("kept"), 1);
  EXPECT_EQ(base.record("one")->number("a"), 1);
  EXPECT_EQ(base.record("one")->number("b"), 2);
  ASSERT_EQ(base.records("many").size(), 1U);
  EXPECT_EQ(base.records("many")[0].number("b"), 3);
  EXPECT_FALSE(base.has("unknown"));
  EXPECT_TRUE(base.refused("refused"));
}

TEST(Settings, RecordsAreVisitedAndSortedOut) {
  Settings settings;
  settings.put("many", std::vector<Settings>{record("a", 1), record("a", 2), record("a", 3)}, {});
  settings.put("number", 1.0, {});
  settings.for_each_record("many",
                           [](Settings& each) { each.put("a", each.number("a") * 10, {}); });
  settings.keep_records("many", [](const Settings& each) { return each.number("a") != 20; });
  double sum = 0;
  std::as_const(settings).for_each_record("many",
                                          [&](const Settings& each) { sum += each.number("a"); });
  EXPECT_EQ(sum, 40);
  settings.for_each_record("number", [](Settings&) { ADD_FAILURE() << "no record"; });
  settings.keep_records("nothing", [](const Settings&) { return false; });
}

TEST(Settings, EqualCanonicalTextsMeanEqualSettings) {
  const auto canonical = [](const Settings::Value& value, const std::string& name = {}) {
    Settings settings(Place{"a.toml", 1, 1}, name);
    settings.put("x", value, {"a.toml", 1, 1});
    return settings.canonical();
  };
  Settings elsewhere(Place{"b.toml", 9, 9});
  elsewhere.put("x", 1.0, {"b.toml", 9, 9});
  EXPECT_EQ(canonical(1.0), elsewhere.canonical()) << "it does not matter where it was written";
  EXPECT_NE(canonical(1.0), canonical(1.0, "named"));
  EXPECT_NE(canonical(0.1), canonical(0.1 + 1e-16));
  EXPECT_NE(canonical(std::vector<std::string>{"a", "b"}),
            canonical(std::vector<std::string>{"ab"}));
  EXPECT_NE(canonical(std::vector<std::string>{"a,b"}),
            canonical(std::vector<std::string>{"a", "b"}));
  EXPECT_NE(canonical(std::vector<std::string>{}), canonical(std::vector<std::string>{""}));
  EXPECT_NE(canonical(std::vector<Settings>{record("a", 1)}),
            canonical(std::vector<Settings>{record("a", 1), record("a", 1)}));
  EXPECT_NE(canonical(std::vector<Settings>{record("a", 1)}),
            canonical(std::vector<Settings>{record("b", 1)}));
}

}  // namespace
}  // namespace pg_integrity::test::settings_test
