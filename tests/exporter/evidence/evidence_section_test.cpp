#include "exporter/evidence/evidence_section.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <limits>
#include <map>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric_info.h"
#include "collectors/registry.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/evidence/verdict.h"
#include "exporter/io/clock.h"
#include "tests/support/by_way_of_disk.h"
#include "tests/support/cluster.h"
#include "tests/support/failure.h"
#include "tests/support/observer.h"
#include "tests/support/paths.h"
#include "tests/support/plain_dump.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test::evidence_section_test {
namespace {

/// Saved evidence of a real check, because the state file knows only registered collectors.
std::shared_ptr<const SavedEvidence> some_record(const Database& db) {
  db.run(
      "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int CONSTRAINT key "
      "REFERENCES parent);"
      "SET session_replication_role = replica; INSERT INTO child VALUES (7)");
  return look(one_server(db.dsn())).saved;
}

TEST(State, SurvivesTheWayToDiskAndBack) {
  const Database db;
  const SystemClock clock;
  const auto saved = some_record(db);
  const SavedEvidence loaded = *by_way_of_disk(*saved, clock, clock);
  ASSERT_EQ(loaded.collectors.size(), saved->collectors.size());
  EXPECT_EQ(loaded.servers.at("test").system_identifier,
            saved->servers.at("test").system_identifier);
  const CollectorId id{"test", db.name(), "orphans"};
  const SavedCollector& before = saved->collectors.at(id);
  const SavedCollector& after = loaded.collectors.at(id);
  EXPECT_EQ(after.fingerprint, before.fingerprint);
  EXPECT_EQ(after.success, before.success);
  const ObjectKey key{"public", "child", "key"};
  ASSERT_TRUE(after.objects.contains(key));
  const auto& samples = after.objects.at(key).samples;
  ASSERT_EQ(samples.size(), before.objects.at(key).samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    EXPECT_EQ(samples[i].metric, before.objects.at(key).samples[i].metric);
    EXPECT_EQ(samples[i].value, before.objects.at(key).samples[i].value);
    EXPECT_NEAR((samples[i].observed_at - before.objects.at(key).samples[i].observed_at).count(), 0,
                0.01);
  }
}

TEST(State, WhatWasInTheWayIsKept) {
  const Database db;
  db.run("CREATE TABLE secret (i int); DROP ROLE IF EXISTS forgetful; CREATE ROLE forgetful LOGIN");
  const SystemClock clock;
  const auto saved = look(one_server(db.dsn("forgetful"), {}, "row_counts")).saved;
  const SavedEvidence loaded = *by_way_of_disk(*saved, clock, clock);
  const auto& objects = loaded.collectors.at({"test", db.name(), "row_counts"}).objects;
  const auto& trouble = objects.at({"public", "secret"}).trouble;
  ASSERT_TRUE(trouble);
  EXPECT_EQ(trouble->obstacle, (Obstacle{{"public", "secret"}, false, "forgetful"}));
}

TEST(State, AViolationIsStillThereAfterARestartWithTheServerDown) {
  Cluster own;
  const Database db(own);
  const auto saved = some_record(db);
  own.stop("immediate");
  const Findings found = look(one_server(db.dsn()), saved);
  EXPECT_EQ(found.violated(), "orphans/public.child.key");
  EXPECT_EQ(found.value("pg_integrity_orphaned_rows", {{"constraint", "key"}}), 1);
  EXPECT_EQ(found.value("pg_integrity_up"), 0);
}

TEST(State, AnotherConfigurationDoesNotTakeItOver) {
  const Database db;
  const auto saved = some_record(db);
  db.run("DROP TABLE child");
  const Findings found = look(one_server(db.dsn(), "exclude = [\"public.nothing\"]"), saved);
  EXPECT_EQ(found.violated(), "");
}

TEST(State, WhatWasLearnedSurvivesOtherOptions) {
  const Database db;
  const auto saved = some_record(db);
  db.run("DROP TABLE child");
  const Findings found =
      look(one_server(db.dsn(), "[server.collectors.inventory]\nlearn_after = \"0s\"\n"), saved);
  EXPECT_EQ(found.violated(), "orphans/public.child.key")
      << "the row without its parent has vanished with its table, which repairs nothing";
  EXPECT_EQ(found.reason("inventory/tables"), Reason::gone);
}

// A series whose metric has got another label since, such as foreign_key_info, is left out.
TEST(State, WhatZeroOneWroteIsRead) {
  const TemporaryDirectory directory;
  std::filesystem::copy(source_path("tests/exporter/evidence/evidence_0.1.0.json"),
                        directory.path() + "/evidence.json");
  const SystemClock clock;
  const SavedState state = load_state(directory.path());
  const auto saved = evidence_on_record(state, clock);
  EXPECT_EQ(saved->servers.at("tovplay").system_identifier, "7713217569414409921");
  std::map<std::string, std::pair<std::size_t, std::size_t>> found;  // objects and samples
  for (const auto& [id, collector] : saved->collectors) {
    auto& [objects, samples] = found[id.collector];
    objects = collector.objects.size();
    for (const auto& [key, object] : collector.objects) samples += object.samples.size();
  }
  EXPECT_EQ(found, (decltype(found){{"backups", {5, 32}},
                                    {"orphans", {1, 4}},
                                    {"row_counts", {2, 2}},
                                    {"superusers", {1, 1}}}));
  const SavedCollector& backups = saved->collectors.at({"tovplay", "", "backups"});
  EXPECT_EQ(backups.fingerprint, 1651451507757747140U) << "which no double holds";
  EXPECT_TRUE(backups.success);
  ASSERT_TRUE(backups.last_success);
  const Object& whole = backups.objects.at({});
  EXPECT_EQ(whole.lines, std::vector<std::string>{
                             "newest backup that counts: of kind manual, source backup-log"});
}

TEST(State, EvidenceThatIsNoneIsRefused) {
  const SystemClock clock;
  const RecordedTimes times(clock.unix_now(), clock);
  const auto refused = [&](const std::string& content) {
    return failure([&] { evidence_from({"evidence", 1, content}, times); }).reason();
  };
  EXPECT_EQ(refused(""), Reason::decode);
  EXPECT_EQ(refused("[]"), Reason::decode);
  EXPECT_EQ(refused(R"({"servers": {}})"), Reason::decode);
  EXPECT_EQ(refused(R"({"servers": {}, "collectors": [{"server": 3}]})"), Reason::decode);
  EXPECT_EQ(refused(R"({"servers": {}, "collectors": [{"server": "s", "database": "d",
      "collector": "orphans", "version": 1, "fingerprint": "no number"}]})"),
            Reason::decode);
}

TEST(State, ACollectorThatThisProgramDoesNotHaveIsLeftOut) {
  const SystemClock clock;
  const SavedEvidence saved =
      evidence_from({"evidence", 1,
                     R"({"servers": {}, "collectors": [{"server": "s", "database": "d",
                         "collector": "of_tomorrow"}]})"},
                    RecordedTimes(clock.unix_now(), clock));
  EXPECT_TRUE(saved.collectors.empty());
}

/// The evidence as another process reads it whose wall clock is `back` behind that of the writer.
SavedEvidence reloaded(const SavedEvidence& saved, Seconds back) {
  SteppedClock writer;
  writer.step_wall(back);
  return *by_way_of_disk(saved, writer, SystemClock());
}

TEST(State, AfterTheClockWasSetBackOnlyWhatWasBrokenIsStillKnown) {
  Cluster own;
  const Database db(own);
  const auto saved = some_record(db);
  own.stop("immediate");
  const auto later = [&](double back) {
    return look(one_server(db.dsn()),
                std::make_shared<const SavedEvidence>(reloaded(*saved, Seconds(back))));
  };
  const Findings usual = later(1);
  EXPECT_EQ(usual.violated(), "orphans/public.child.key");
  EXPECT_EQ(usual.state("inventory/tables"), State::proven) << "clocks are adjusted by a little";
  const Findings found = later(3600);
  EXPECT_EQ(found.violated(), "orphans/public.child.key");
  EXPECT_EQ(found.value("pg_integrity_orphaned_rows", {{"constraint", "key"}}), 1);
  EXPECT_EQ(found.reason("inventory/tables"), Reason::stale);
  EXPECT_FALSE(found.value("pg_integrity_inventory", {{"type", "tables"}}));
  EXPECT_TRUE(found.saved->collectors.at({"test", db.name(), "inventory"}).remembered)
      << "what was learned is no matter of time";
}

TEST(State, AgesDoNotShrinkWhenTheClockIsSetBack) {
  const Database db;
  const TemporaryDirectory backups;
  backups.write("old.dump", plain_dump());
  const auto three_days = std::chrono::hours(72);
  std::filesystem::last_write_time(backups.path() + "/old.dump",
                                   std::filesystem::file_time_type::clock::now() - three_days);
  const auto saved =
      look(one_server(db.dsn(),
                      "[[server.backups]]\nname = \"dumps\"\nmin_size = 0\nevery = \"24h\"\n"
                      "directory = \"" +
                          backups.path() + "\"\n",
                      "backups"))
          .saved;
  const SavedEvidence loaded = reloaded(*saved, std::chrono::hours(24 * 30));
  const auto& objects = loaded.collectors.at({"test", "", "backups"}).objects;
  bool seen = false;
  for (const Sample& sample : objects.at({"dumps", "dump"}).samples) {
    if (sample.metric->type != MetricType::age) continue;
    seen = true;
    EXPECT_NEAR((SystemClock().now() - sample.since).count(), Seconds(three_days).count(), 60);
  }
  EXPECT_TRUE(seen);
}

TEST(State, AValueThatJsonDoesNotHaveCostsNoOther) {
  const Database db;
  SavedEvidence saved = *some_record(db);
  const CollectorId id{"test", db.name(), "row_counts"};
  auto& objects = saved.collectors.at(id).objects;
  const ObjectKey key{"public", "child"};
  const std::size_t before = objects.at(key).samples.size();
  ASSERT_GT(before, 0U);
  objects.at(key).samples.front().value = std::numeric_limits<double>::infinity();
  const SavedEvidence loaded = reloaded(saved, Seconds(0));
  EXPECT_EQ(loaded.collectors.at(id).objects.at(key).samples.size(), before - 1);
  EXPECT_EQ(loaded.collectors.size(), saved.collectors.size());
}

TEST(State, WhatCouldNotBeSeenIsStillKnownAndSinceWhen) {
  const Database db;
  db.run("CREATE TABLE secret (i int); DROP ROLE IF EXISTS blind; CREATE ROLE blind LOGIN");
  const auto saved = look(one_server(db.dsn("blind"), {}, "row_counts")).saved;
  const CollectorId id{"test", db.name(), "row_counts"};
  const ObjectKey key{"public", "secret"};
  SavedEvidence vanished = *saved;
  vanished.collectors.at(id).objects.at(key).gone_since = SystemClock().now();
  const auto& known = saved->collectors.at(id).objects.at(key).trouble;
  ASSERT_TRUE(known);
  const Trouble before = *known;
  const SavedEvidence loaded = reloaded(vanished, Seconds(0));
  const Object& object = loaded.collectors.at(id).objects.at(key);
  EXPECT_TRUE(object.samples.empty());
  ASSERT_TRUE(object.trouble);
  EXPECT_EQ(object.trouble->reason, Reason::permission);
  EXPECT_EQ(object.trouble->detail, before.detail);
  EXPECT_TRUE(object.gone_since);
  EXPECT_NEAR((object.trouble->since - before.since).count(), 0, 0.01);
}

}  // namespace
}  // namespace pg_integrity::test::evidence_section_test
