#include <gtest/gtest.h>

#include "collectors/base/errors.h"
#include "exporter/commands/drill.h"
#include "exporter/evidence/verdict.h"
#include "exporter/io/clock.h"
#include "tests/support/content.h"
#include "tests/support/observer.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test::restore_drill_test {
namespace {

/// Records in a directory, which the collector reads. It asks no server.
class DrillsOnRecord : public ::testing::Test {
 protected:
  void record(const std::string& started, const std::string& outcome, const std::string& rest = {},
              const std::string& server = "test") const {
    place_.write("drill-" + started + ".json",
                 R"({"format": 1, "record": "drill", "server": ")" + server +
                     R"(", "source": "dumps", "kind": "dump", "backup": "/b/a.dump",
                     "backup_time": 1764720000, "started": )" +
                     started + R"(, "duration_seconds": 30, "phases": [{"name": "restore",
                     "seconds": 29}], "outcome": ")" +
                     outcome + R"(", "reasons": ["because"], "tables": [)" + rest + "]}");
  }
  [[nodiscard]] Findings find() const {
    return look(one_server("host=127.0.0.1 port=1 dbname=nothing",
                           "drills = { directory = \"" + place_.path() +
                               "\", max_age = \"9000d\", recovery_time_objective = \"1m\" }\n"
                               "[[server.backups]]\nname = \"dumps\"\ndirectory = \"/b\"\n",
                           "restore_drill"));
  }
  static std::optional<double> value(const Findings& found, const std::string& metric) {
    return found.value("pg_integrity_restore_drill_" + metric,
                       {{"source", "dumps"}, {"kind", "dump"}});
  }

  const std::string object_ = "restore_drill/dumps.dump";
  TemporaryDirectory place_;
};

TEST_F(DrillsOnRecord, NoneIsUnproven) {
  record("1764730000", "success", {}, "another server");
  const Findings found = find();
  EXPECT_EQ(found.reason(object_), Reason::missing);
  EXPECT_EQ(value(found, "success"), std::nullopt);
  EXPECT_EQ(value(found, "objective_seconds"), 60);
}

TEST_F(DrillsOnRecord, ASuccessIsProvenWithItsTimeAndPoint) {
  record("1764730000", "success",
         R"({"schema": "public", "table": "a", "unexplained_rows": 0, "orphaned_rows": 0})");
  const Findings found = find();
  EXPECT_EQ(found.state(object_), State::proven);
  EXPECT_EQ(value(found, "success"), 1);
  EXPECT_EQ(value(found, "last_success_timestamp_seconds"), 1764730000);
  EXPECT_EQ(value(found, "duration_seconds"), 30);
  EXPECT_EQ(value(found, "backup_timestamp_seconds"), 1764720000);
  EXPECT_EQ(found.value("pg_integrity_restore_drill_phase_duration_seconds"), 29);
  EXPECT_EQ(found.state(object_ + ".public.a"), State::proven);
}

TEST_F(DrillsOnRecord, ARecoveryHasThePointThatItReached) {
  record("1764730000", "success");
  std::string text = content_of(place_.path() + "/drill-1764730000.json");
  text.insert(1, R"("recovered_to": 1764725000, "target": 1764725001, "seed": 7, )");
  place_.write("drill-1764730000.json", text);
  EXPECT_EQ(value(find(), "backup_timestamp_seconds"), 1764725000);
}

TEST_F(DrillsOnRecord, OneThatRunsTellsHowFarItHasCome) {
  const auto note = [&](double written, const std::string& all) {
    place_.write("progress-0.json",
                 R"({"format": 1, "record": "progress", "server": "test", "source": "dumps",
                 "kind": "dump", "phase": "fetch", "started": 1, "bytes": 50, "all_bytes": )" +
                     all + R"(, "written": )" + std::to_string(written) + "}");
  };
  const auto seen = [&](const std::string& metric) {
    return find().value("pg_integrity_restore_drill_phase_" + metric,
                        {{"source", "dumps"}, {"kind", "dump"}, {"phase", "fetch"}});
  };
  const double now = SystemClock().unix_now();
  note(now, "200");
  EXPECT_EQ(seen("bytes"), 50);
  EXPECT_EQ(seen("ratio"), 0.25);
  note(now, "0");
  EXPECT_EQ(seen("bytes"), 50);
  EXPECT_FALSE(seen("ratio")) << "nobody knows";
  note(now - 400, "200");
  EXPECT_FALSE(seen("bytes")) << "it was killed";
}

TEST_F(DrillsOnRecord, TheNewestThatCouldTellCountsAndAFailureMakesNothingYounger) {
  record("1764730000", "success");
  record("1764740000", "failed");
  const Findings found = find();
  EXPECT_EQ(found.violated(), object_);
  EXPECT_EQ(value(found, "success"), 0);
  EXPECT_EQ(value(found, "last_success_timestamp_seconds"), 1764730000);
  EXPECT_EQ(found.object(object_).lines, std::vector<std::string>{"because"});
  record("1764750000", "success");
  EXPECT_EQ(find().state(object_), State::proven);
}

TEST_F(DrillsOnRecord, ADrillThatCouldNotTellIsUnprovenAndKeepsWhatWasKnown) {
  record("1764730000", "success");
  record("1764740000", "unproven");
  EXPECT_EQ(find().reason(object_), Reason::missing);
  EXPECT_EQ(value(find(), "success"), 1);
  record("1764735000", "failed");
  EXPECT_EQ(find().violated(), object_);
}

TEST_F(DrillsOnRecord, TablesAreObjectsOfTheirOwn) {
  record("1764730000", "failed",
         R"({"schema": "public", "table": "a", "unexplained_rows": 3, "orphaned_rows": 0},
            {"schema": "public", "table": "b", "unproven": "no record"},
            {"schema": "public", "table": "c", "unexplained_rows": 0, "orphaned_rows": 2})");
  const Findings found = find();
  EXPECT_EQ(found.violated(), object_ + " " + object_ + ".public.a " + object_ + ".public.c");
  EXPECT_EQ(found.state(object_ + ".public.b"), State::unproven);
}

TEST_F(DrillsOnRecord, ARestoreThatTookTooLongMissesItsObjective) {
  place_.write("drill-1.json", R"({"format": 1, "record": "drill", "server": "test",
    "source": "dumps", "kind": "dump", "backup": "/b/a", "backup_time": 1, "started": 1764730000,
    "duration_seconds": 61, "phases": [], "outcome": "success", "reasons": [], "tables": []})");
  EXPECT_EQ(find().violated(), object_);
}

TEST_F(DrillsOnRecord, AnUnusableRecordMayHideAFailure) {
  record("1764730000", "success");
  place_.write("drill-2.json", "{");
  EXPECT_EQ(find().reason(object_), Reason::decode);
}

}  // namespace
}  // namespace pg_integrity::test::restore_drill_test
