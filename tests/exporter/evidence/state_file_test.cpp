#include "exporter/evidence/state_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "collectors/base/errors.h"
#include "collectors/base/json_value.h"
#include "exporter/evidence/state_section.h"
#include "exporter/io/clock.h"
#include "exporter/io/json_reader.h"
#include "tests/support/captured_log.h"
#include "tests/support/clock.h"
#include "tests/support/content.h"
#include "tests/support/failure.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test::state_file_test {
namespace {

/// The sections that a later version of the program reads and writes.
constexpr std::array<KnownSection, 3> kTomorrow{{{"evidence", 1}, {"holdings", 2}, {"proofs", 1}}};

class StateFile : public ::testing::Test {
 protected:
  void write(const std::string& content) const { directory_.write("evidence.json", content); }
  void write_sections(const std::string& sections) const {
    write(R"({"format": 2, "saved_at": 1, "sections": {)" + sections + "}}");
  }
  [[nodiscard]] SavedState load(std::span<const KnownSection> known = kTomorrow) const {
    return load_state(directory_.path(), known);
  }
  /// The sections as lines of "name version content".
  static std::string sections(const SavedState& state) {
    std::string text;
    for (const StateSection& section : state.sections)
      text += section.name + " " + std::to_string(section.version) + " " + section.content + "\n";
    return text;
  }
  [[nodiscard]] Reason refused(const std::string& content) const {
    write(content);
    return failure([&] { static_cast<void>(load()); }).reason();
  }
  [[nodiscard]] JsonValue file() const {
    return SaxJson().read(content_of(directory_.path() + "/evidence.json"));
  }

  const TemporaryDirectory directory_;
};

TEST_F(StateFile, KeepsSectionsByNameEachWithItsVersion) {
  save_state(directory_.path(),
             {1700000000.5, {{"evidence", 1, R"({"servers":{}})"}, {"holdings", 2, "[1,2]"}}, {}});
  const SavedState state = load();
  EXPECT_EQ(state.saved_at, 1700000000.5);
  EXPECT_EQ(sections(state), "evidence 1 {\"servers\":{}}\nholdings 2 [1,2]\n");
  EXPECT_TRUE(state.of_others.empty());
  EXPECT_EQ(file().at("sections").at("holdings").at("version").number(), 2);
  EXPECT_EQ(file().at("sections").at("holdings").at("content").elements().size(), 2U);
}

TEST_F(StateFile, NoFileHasNoSections) {
  EXPECT_TRUE(load().sections.empty());
  EXPECT_TRUE(load_state(directory_.path() + "/nowhere").sections.empty());
}

TEST_F(StateFile, AnOlderFormOfASectionIsForItsReader) {
  write_sections(R"("holdings": {"version": 1, "content": "old"})");
  EXPECT_EQ(sections(load()), "holdings 1 \"old\"\n");
}

TEST_F(StateFile, ANewerProgramsSectionSurvivesAnOlderOne) {
  save_state(directory_.path(),
             {1, {{"holdings", 2, R"({"a":[1,"zwö"]})"}, {"evidence", 1, "{}"}}, {}});
  {
    const CapturedLog log;
    const SavedState today = load_state(directory_.path());
    EXPECT_EQ(log.written(), "");
    EXPECT_EQ(sections(today), "evidence 1 {}\n");
    EXPECT_EQ(today.of_others.size(), 1U);
    save_state(directory_.path(), {2, {{"evidence", 1, R"({"new":true})"}}, today.of_others});
  }
  EXPECT_EQ(sections(load()), "evidence 1 {\"new\":true}\nholdings 2 {\"a\":[1,\"zwö\"]}\n");
}

TEST_F(StateFile, WhatItDoesNotKnowMayHaveAnyForm) {
  write_sections(R"("history": [18446744073709551615, 0.1, null, {"b": {}, "a": "\u0000\"é"}],
                    "progress": 7)");
  const SavedState state = load();
  save_state(directory_.path(), state);
  const JsonValue written = file();
  const auto& history = written.at("sections").at("history").elements();
  EXPECT_EQ(history.at(1).number(), 0.1);
  EXPECT_EQ(history.at(3).at("a").text(), std::string("\0\"é", 4));
  EXPECT_EQ(written.at("sections").at("progress").number(), 7);
  EXPECT_NE(content_of(directory_.path() + "/evidence.json").find("18446744073709551615"),
            std::string::npos)
      << "not as a double";
}

TEST_F(StateFile, ABrokenOrNewerSectionCostsItselfAndOneLine) {
  const std::string good = R"("evidence": {"version": 1, "content": {}}, )";
  for (const char* bad :
       {R"("holdings": {"version": 3, "content": {}})", R"("holdings": {"version": 2})",
        R"("holdings": {"content": {}})", R"("holdings": {"version": "2", "content": {}})",
        R"("holdings": [])", R"("holdings": null)"}) {
    write_sections(good + bad);
    const CapturedLog log;
    const SavedState state = load();
    EXPECT_EQ(sections(state), "evidence 1 {}\n") << bad;
    EXPECT_TRUE(state.of_others.empty()) << "it is ours: what is saved next replaces it";
    const std::string line = log.written();
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << bad;
    EXPECT_NE(line.find("holdings"), std::string::npos) << line;
  }
}

TEST_F(StateFile, ASectionThatItsReaderRefusesCostsItselfAndOneLine) {
  const SavedState state{1, {{"evidence", 1, "1"}, {"holdings", 2, "2"}}, {}};
  const CapturedLog log;
  std::string read;
  for (const char* name : {"evidence", "holdings", "proofs"})
    read_section(state, name, [&](const StateSection& section) {
      if (section.name == "holdings") throw SourceError(Reason::decode, "it has no tables");
      read += section.content;
    });
  EXPECT_EQ(read, "1");
  const std::string line = log.written();
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
  EXPECT_NE(line.find("it has no tables"), std::string::npos) << line;
}

TEST_F(StateFile, DamagedForeignAndNewerFilesAreRefused) {
  EXPECT_EQ(refused(""), Reason::decode);
  EXPECT_EQ(refused("{\"format\": 1, \"servers\": {"), Reason::decode);
  EXPECT_EQ(refused("[]"), Reason::decode);
  EXPECT_EQ(refused("{\"format\": 99, \"saved_at\": 1, \"sections\": {}}"), Reason::decode);
  EXPECT_EQ(refused("{\"format\": 2, \"saved_at\": 1, \"sections\": []"), Reason::decode);
  EXPECT_EQ(refused("{\"format\": 2, \"sections\": {}}"), Reason::decode);
  EXPECT_EQ(refused("{\"format\": 1, \"saved_at\": 1, \"servers\": {}, \"collectors\": [3]}"),
            Reason::decode);
}

TEST_F(StateFile, OneThatCannotBeUsedIsNoneAfterOneLine) {
  write("{");
  const CapturedLog log;
  EXPECT_TRUE(state_on_record(directory_.path(), SystemClock()).sections.empty());
  const std::string line = log.written();
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
}

TEST_F(StateFile, AFullDiskKeepsTheOldFile) {
  save_state(directory_.path(), {1, {{"evidence", 1, "{}"}}, {}});
  // A directory in the way of the temporary file stands for every failure to write it.
  std::filesystem::create_directory(directory_.path() + "/evidence.json.new");
  EXPECT_THROW(save_state(directory_.path(), {}), SourceError);
  EXPECT_EQ(sections(load()), "evidence 1 {}\n");
}

}  // namespace
}  // namespace pg_integrity::test::state_file_test
