#include "exporter/config/toml.h"

#include <gtest/gtest.h>

#include "collectors/base/instant.h"
#include "collectors/base/settings.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test::toml_test {
namespace {

constexpr Option kMembers[] = {{.name = "name", .help = ""},
                               {.name = "size", .type = OptionType::size, .help = ""}};
constexpr Option kOptions[] = {
    {.name = "flag", .type = OptionType::flag, .help = ""},
    {.name = "integer", .type = OptionType::integer, .help = "", .min = 1, .max = 16},
    {.name = "number", .type = OptionType::number, .help = ""},
    {.name = "duration", .type = OptionType::duration, .help = "", .min = 1, .max = 86400},
    {.name = "size", .type = OptionType::size, .help = ""},
    {.name = "date", .type = OptionType::date, .help = ""},
    {.name = "text", .type = OptionType::text, .help = ""},
    {.name = "zone", .type = OptionType::zone, .help = ""},
    {.name = "texts", .type = OptionType::texts, .help = ""},
    {.name = "record", .type = OptionType::record, .help = "", .members = kMembers},
    {.name = "records", .type = OptionType::records, .help = "", .members = kMembers},
    {.name = "named", .type = OptionType::named_records, .help = "", .members = kMembers}};

struct Read {
  Settings settings;
  std::string problems;  ///< one a line, without the file's name
};

Read read(const std::string& text) {
  const TemporaryDirectory directory;
  const std::string path = directory.write("file", text);
  Problems problems;
  Read result{read_toml(path, kOptions, problems), {}};
  for (const std::string& line : problems.lines())
    result.problems += line.substr(path.size()) + "\n";
  return result;
}

Settings good(const std::string& text) {
  Read result = read(text);
  EXPECT_EQ(result.problems, "") << text;
  return std::move(result.settings);
}

TEST(Toml, EveryTypeIsTakenAsItIsWritten) {
  const Settings settings = good(R"(
    flag = true
    integer = 16
    number = 3
    duration = "1h30m"
    size = "64MiB"
    date = 2026-01-31
    text = "ünï\n"
    zone = "Europe/Berlin"
    texts = ["a", "b"]
    record = { name = "x", size = 7 })");
  EXPECT_TRUE(settings.flag("flag"));
  EXPECT_EQ(settings.number("integer"), 16);
  EXPECT_EQ(settings.number("number"), 3) << "a whole number is a number";
  EXPECT_EQ(settings.duration("duration"), Seconds(5400));
  EXPECT_EQ(settings.number("size"), 67108864);
  EXPECT_EQ(settings.number("date"), 1769817600);
  EXPECT_EQ(settings.text("text"), "ünï\n");
  EXPECT_EQ(settings.text("zone"), "Europe/Berlin");
  EXPECT_EQ(settings.texts("texts"), (std::vector<std::string>{"a", "b"}));
  ASSERT_NE(settings.record("record"), nullptr);
  EXPECT_EQ(settings.record("record")->number("size"), 7) << "bytes without a unit";
}

TEST(Toml, ADayMayBeWrittenAsTextToo) {
  EXPECT_EQ(good("date = \"2026-01-31\"").number("date"), 1769817600);
  EXPECT_NE(read("date = \"2026-02-30\"").problems, "");
  EXPECT_NE(read("date = 2026-01-31T00:00:00Z").problems, "");
}

TEST(Toml, RecordsKeepTheirOrderAndNamedOnesTheirNames) {
  const Settings settings = good(R"(
    [[records]]
    name = "b"
    [[records]]
    name = "a"
    [named.second]
    size = 2
    [named."first one"]
    size = 1)");
  const auto& records = settings.records("records");
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].text("name"), "b");
  EXPECT_EQ(records[1].text("name"), "a");
  std::map<std::string, double> named;
  for (const Settings& record : settings.records("named"))
    named[record.name()] = record.number("size");
  EXPECT_EQ(named, (std::map<std::string, double>{{"first one", 1}, {"second", 2}}));
}

TEST(Toml, AnEmptyFileSaysNothing) {
  EXPECT_FALSE(good("").has("flag"));
  EXPECT_FALSE(good("# only a remark\n\n").has("flag"));
}

TEST(Toml, EachValueOfAWrongTypeIsSaidWhereItStands) {
  EXPECT_EQ(
      read(
          "flag = 1\ninteger = 1.5\n  number = \"3\"\nsize = -1\ntexts = [\"a\", 1]\nrecord = []\n")
          .problems,
      ":1:8: \"flag\" should be true or false\n"
      ":2:11: \"integer\" should be a whole number\n"
      ":3:12: \"number\" should be a number\n"
      ":4:8: \"size\" should be a size such as \"64MiB\", or a number of bytes\n"
      ":5:9: \"texts\" should be a list of texts\n"
      ":6:10: \"record\" should be a table\n");
}

TEST(Toml, WhatWasRefusedIsNeitherThereNorMissing) {
  const Settings settings = read("integer = 17\nflag = 0\n").settings;
  for (const char* name : {"integer", "flag"}) {
    EXPECT_FALSE(settings.has(name)) << name;
    EXPECT_TRUE(settings.refused(name)) << name;
  }
  EXPECT_FALSE(settings.refused("number"));
}

TEST(Toml, RangesIncludeTheirEnds) {
  EXPECT_EQ(good("integer = 1\nduration = \"1d\"").number("integer"), 1);
  EXPECT_EQ(read("integer = 0").problems,
            ":1:11: \"integer\" is out of range. HINT: from 1 to 16\n");
  EXPECT_EQ(read("duration = \"25h\"").problems,
            ":1:12: \"duration\" is out of range. HINT: from \"1s\" to \"1d\"\n");
  EXPECT_EQ(read("number = -0.5").problems,
            ":1:10: \"number\" is out of range. HINT: at least 0\n");
  EXPECT_NE(read("number = inf").problems, "");
  EXPECT_NE(read("number = nan").problems, "");
}

TEST(Toml, AnUnknownKeyIsSaidWithTheNearestKnownOne) {
  EXPECT_EQ(read("tekst = \"x\"").problems,
            ":1:1: unknown key \"tekst\" at the top of the file. HINT: did you mean \"text\"?\n");
  EXPECT_EQ(read("record = { colour = 1 }").problems,
            ":1:12: unknown key \"colour\" in \"record\". HINT: known here: name, size\n");
}

TEST(Toml, PlacesAreKeptForLaterComplaints) {
  const Settings settings = good("\n  text = \"x\"\n");
  EXPECT_EQ(settings.place("text").line, 2U);
  EXPECT_EQ(settings.place("text").column, 3U);
}

}  // namespace
}  // namespace pg_integrity::test::toml_test
