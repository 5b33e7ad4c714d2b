#include "exporter/evidence/snapshot.h"

#include <gtest/gtest.h>

#include "collectors/base/batch.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric_info.h"
#include "collectors/collector.h"
#include "collectors/recovery/backup_metrics.h"
#include "collectors/registry.h"
#include "tests/support/sample_evidence.h"

namespace pg_integrity::test::snapshot_test {
namespace {

constexpr Instant kNow{Seconds(100000)};

CollectorHealth every_ten_minutes() {
  CollectorHealth health;
  health.configured_interval = Seconds(600);
  return health;
}

TEST(KeptInterval, IsTheConfiguredOneWhereThatCanBeKept) {
  CollectorHealth health = every_ten_minutes();
  EXPECT_EQ(kept_interval(health), Seconds(600));
  health.last_duration = Seconds(30);
  health.pass_since = kNow - Seconds(10);
  health.pass_advanced = kNow;
  EXPECT_EQ(kept_interval(health), Seconds(600));
}

TEST(KeptInterval, IsAsLongAsAPassReallyTakes) {
  CollectorHealth health = every_ten_minutes();
  health.last_duration = Seconds(3600);
  EXPECT_EQ(kept_interval(health), Seconds(3600));
}

TEST(KeptInterval, GrowsWithAPassThatRunsAndGetsOn) {
  CollectorHealth health = every_ten_minutes();
  health.pass_since = kNow - Seconds(7200);
  health.pass_advanced = kNow - Seconds(200);
  EXPECT_EQ(kept_interval(health), Seconds(7000));
}

constexpr auto kRows = gauge("pg_integrity_pair_rows", "Rows.", "table", "state", "schema");
constexpr auto kTables = gauge("pg_integrity_pair_tables", "Tables.", "schema");
constexpr auto kAll = gauge("pg_integrity_pair_all", "All.", "state");
constexpr const MetricInfo* kPairMetrics[] = {&kRows, &kTables, &kAll};
constexpr std::string_view kPairIdentity[] = {"schema", "table"};
constexpr CollectorSpec kPairs{.name = "pairs",
                               .summary = "made for tests",
                               .report_section = "Pairs",
                               .interval = "1m",
                               .deadline = "10s",
                               .metrics = kPairMetrics,
                               .identity = kPairIdentity,
                               .reads = no_reads};

TEST(ObjectKeyOf, IsWhatTheSeriesHasOfTheIdentityInItsOrder) {
  EXPECT_EQ(object_key(kPairs, kRows, {"t", "live", "s"}), (ObjectKey{"s", "t"}));
  EXPECT_EQ(object_key(kPairs, kTables, {"s"}), (ObjectKey{"s"}));
  EXPECT_EQ(object_key(kPairs, kAll, {"live"}), ObjectKey{});
}

TEST(ObjectNameOf, IsWhatPeopleSeeAndWrite) {
  EXPECT_EQ(object_name(kPairs, {"s", "t"}), "pairs/s.t");
  EXPECT_EQ(object_name(kPairs, {}), "pairs");
}

TEST(SnapshotOf, StaysAsItWas) {
  SampleEvidence of;
  of.add();
  of.pass([](Batch& out) { out.set(kBad, 1, std::string("a")); });
  const auto before = of.evidence->snapshot();
  of.pass([](Batch& out) { out.set(kBad, 2, std::string("b")); });
  of.evidence->remove_database("s", "d");
  ASSERT_EQ(before->collectors.size(), 1U);
  ASSERT_EQ(before->collectors[0]->objects.size(), 1U);
  EXPECT_EQ(before->collectors[0]->objects.at({"a"})->samples.at(0).value, 1);
  EXPECT_EQ(before->databases.size(), 1U);
}

TEST(SnapshotOf, WhatDidNotChangeIsShared) {
  SampleEvidence of;
  of.add();
  of.pass([](Batch& out) { out.set(kBad, 1, std::string("a")); });
  const auto before = of.evidence->snapshot();
  of.evidence->set_up("s", "d", true);
  EXPECT_EQ(of.evidence->snapshot()->collectors[0], before->collectors[0]);
}

}  // namespace
}  // namespace pg_integrity::test::snapshot_test
