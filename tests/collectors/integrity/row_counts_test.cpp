#include <gtest/gtest.h>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/registry.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/evidence/verdict.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"

namespace pg_integrity::test::row_counts_test {
namespace {

Findings count_rows(const Database& database, const std::string& more = {},
                    std::shared_ptr<const SavedEvidence> record = nullptr) {
  return look(one_server(database.dsn(), more, "row_counts"), std::move(record));
}

LabelSet table(const std::string& name, const std::string& schema = "public") {
  return {{"schema", schema}, {"table", name}};
}

std::string limit(const std::string& name, const std::string& rest) {
  return "[[server.collectors.row_counts.limits]]\ntable = \"" + name + "\"\n" + rest + "\n";
}

TEST(RowCounts, CountsExactlyWhateverTheStatisticsSay) {
  const Database db;
  db.run(
      "CREATE TABLE t AS SELECT generate_series(1, 1000) i; ANALYZE t; DELETE FROM t WHERE i > 700;"
      "CREATE TABLE empty (i int)");
  const Findings found = count_rows(db);
  EXPECT_EQ(found.value("pg_integrity_table_rows", table("t")), 700);
  EXPECT_EQ(found.value("pg_integrity_table_rows", table("empty")), 0);
  EXPECT_FALSE(found.value("pg_integrity_table_rows_estimate", table("t")));
  EXPECT_EQ(found.state("row_counts/public.t"), State::observed);
}

TEST(RowCounts, CountsPartitionsAndHeirsOnce) {
  const Database db;
  db.run(R"(CREATE TABLE p (i int) PARTITION BY RANGE (i);
    CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (i);
    CREATE TABLE p_1_1 PARTITION OF p_1 FOR VALUES FROM (0) TO (5);
    CREATE TABLE p_2 PARTITION OF p FOR VALUES FROM (10) TO (20);
    INSERT INTO p VALUES (1), (2), (11);
    CREATE TABLE base (i int); CREATE TABLE heir () INHERITS (base);
    INSERT INTO base VALUES (1); INSERT INTO heir VALUES (2), (3);)");
  const Findings found = count_rows(db);
  EXPECT_EQ(found.page.all("pg_integrity_table_rows").size(), 2U);
  EXPECT_EQ(found.value("pg_integrity_table_rows", table("p")), 3);
  EXPECT_EQ(found.value("pg_integrity_table_rows", table("base")), 3);
}

TEST(RowCounts, LeavesOutWhatIsNobodysTable) {
  const Database db;
  db.run(
      R"(CREATE TABLE mine (i int); CREATE UNLOGGED TABLE unlogged (i int); CREATE VIEW v AS SELECT 1;
    CREATE MATERIALIZED VIEW m AS SELECT 1; CREATE EXTENSION pg_stat_statements;
    CREATE EXTENSION postgres_fdw; CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '192.0.2.1');
    CREATE FOREIGN TABLE remote (i int) SERVER elsewhere;
    CREATE TABLE mixed (i int) PARTITION BY RANGE (i);
    CREATE FOREIGN TABLE mixed_1 PARTITION OF mixed FOR VALUES FROM (0) TO (10) SERVER elsewhere;)");
  Client temporary(db.dsn());
  temporary.run("CREATE TEMP TABLE passing (i int)");
  const Findings found = count_rows(db);
  EXPECT_EQ(found.page.all("pg_integrity_table_rows").size(), 2U);
  EXPECT_TRUE(found.value("pg_integrity_table_rows", table("mine")));
  EXPECT_TRUE(found.value("pg_integrity_table_rows", table("unlogged")));
  EXPECT_EQ(
      found.value("pg_integrity_objects", {{"collector", "row_counts"}, {"state", "excluded"}}), 1)
      << "the table with a partition on another server";
}

TEST(RowCounts, EstimatesAboveTheSizeGateUnderAnotherName) {
  const Database db;
  db.run(
      "CREATE TABLE big AS SELECT generate_series(1, 5000) i; CREATE TABLE small AS SELECT 1 i; "
      "ANALYZE");
  const Findings found =
      count_rows(db, "[server.collectors.row_counts]\nexact_up_to = \"100kB\"\n" +
                         limit("big", "min_rows = 1"));
  EXPECT_FALSE(found.value("pg_integrity_table_rows", table("big")));
  EXPECT_EQ(found.value("pg_integrity_table_rows_estimate", table("big")), 5000);
  EXPECT_EQ(found.value("pg_integrity_table_rows", table("small")), 1);
  EXPECT_EQ(found.reason("row_counts/public.big"), Reason::too_large)
      << "a limit needs an exact count";
}

TEST(RowCounts, MeasuresATableThatWasNeverAnalyzed) {
  const Database db;
  db.run(
      "CREATE TABLE fresh AS SELECT generate_series(1, 5000) i;"
      "CREATE TABLE parts (i int) PARTITION BY RANGE (i);"
      "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (9999); INSERT INTO parts "
      "SELECT * FROM fresh");
  const Findings found =
      count_rows(db, "[server.collectors.row_counts]\nexact_up_to = \"100kB\"\n");
  EXPECT_FALSE(found.value("pg_integrity_table_rows", table("fresh")));
  EXPECT_FALSE(found.value("pg_integrity_table_rows", table("parts")));
}

TEST(RowCounts, FewerRowsThanConfiguredAreAViolation) {
  const Database db;
  db.run(
      "CREATE TABLE t AS SELECT generate_series(1, 5) i; CREATE TABLE u AS SELECT "
      "generate_series(1, 5) i");
  const Findings found = count_rows(db, limit("t", "min_rows = 6") + limit("u", "min_rows = 5"));
  EXPECT_EQ(found.violated(), "row_counts/public.t");
  EXPECT_EQ(found.value("pg_integrity_table_rows_min", table("t")), 6);
  EXPECT_EQ(found.state("row_counts/public.u"), State::proven);
}

TEST(RowCounts, ALimitForATableThatIsNotThereIsUnproven) {
  const Database db;
  const Findings found = count_rows(db, limit("nowhere", "min_rows = 1"));
  EXPECT_EQ(found.reason("row_counts/public.nowhere"), Reason::missing);
  EXPECT_EQ(found.value("pg_integrity_table_rows_min", table("nowhere")), 1)
      << "objectives are always there";
}

TEST(RowCounts, VanishedRowsAreMeasuredAgainstTheHighestCount) {
  const Database db;
  const std::string config = limit("t", "max_drop = 0.1");
  db.run("CREATE TABLE t AS SELECT generate_series(1, 100) i");
  Findings found = count_rows(db, config);
  EXPECT_EQ(found.value("pg_integrity_table_rows_drop_ratio", table("t")), 0);
  db.run("DELETE FROM t WHERE i <= 8");
  found = count_rows(db, config, found.saved);
  EXPECT_DOUBLE_EQ(found.value("pg_integrity_table_rows_drop_ratio", table("t")).value(), 0.08);
  EXPECT_EQ(found.state("row_counts/public.t"), State::proven);
  db.run("DELETE FROM t WHERE i <= 20");
  found = count_rows(db, config, found.saved);
  EXPECT_DOUBLE_EQ(found.value("pg_integrity_table_rows_drop_ratio", table("t")).value(), 0.2);
  EXPECT_EQ(found.violated(), "row_counts/public.t");
  // Another check does not make it good; bringing the rows back does.
  found = count_rows(db, config, found.saved);
  EXPECT_EQ(found.violated(), "row_counts/public.t");
  db.run("INSERT INTO t SELECT generate_series(1, 20)");
  found = count_rows(db, config, found.saved);
  EXPECT_EQ(found.state("row_counts/public.t"), State::proven);
}

TEST(RowCounts, ADroppedTableVanishes) {
  const Database db;
  db.run("CREATE TABLE a (i int); CREATE TABLE b (i int)");
  Findings found = count_rows(db);
  db.run("DROP TABLE b");
  found = count_rows(db, {}, found.saved);
  EXPECT_FALSE(found.value("pg_integrity_table_rows", table("b")));
  EXPECT_FALSE(found.has_object("row_counts/public.b"));
  EXPECT_EQ(found.violated(), "") << "the inventory misses it";
}

TEST(RowCounts, ExcludedTablesAreNotLookedAt) {
  const Database db;
  db.run("CREATE TABLE keep (i int); CREATE TABLE tmp_1 (i int); CREATE TABLE tmp_2 (i int)");
  const Findings found = count_rows(db, "exclude = [\"public.tmp_*\"]");
  EXPECT_EQ(found.page.all("pg_integrity_table_rows").size(), 1U);
  EXPECT_EQ(
      found.value("pg_integrity_objects", {{"collector", "row_counts"}, {"state", "excluded"}}), 2);
}

TEST(RowCounts, WhatMayNotBeReadIsUnprovenNeverZero) {
  const Database db;
  db.run(
      "CREATE TABLE secret (i int); CREATE TABLE filtered (i int); CREATE TABLE open (i int);"
      "DROP ROLE IF EXISTS half_blind; CREATE ROLE half_blind LOGIN; GRANT SELECT ON filtered, "
      "open TO half_blind;"
      "ALTER TABLE filtered ENABLE ROW LEVEL SECURITY");
  const Findings found = look(one_server(db.dsn("half_blind"), {}, "row_counts"));
  EXPECT_EQ(found.reason("row_counts/public.secret"), Reason::permission);
  EXPECT_EQ(found.reason("row_counts/public.filtered"), Reason::policy);
  EXPECT_FALSE(found.value("pg_integrity_table_rows", table("secret")));
  EXPECT_FALSE(found.value("pg_integrity_table_rows", table("filtered")));
  EXPECT_EQ(found.value("pg_integrity_table_rows", table("open")), 0);
  EXPECT_EQ(found.value("pg_integrity_unproven_objects", {{"reason", "permission"}}), 1);
  EXPECT_EQ(found.value("pg_integrity_objects", {{"state", "limited"}}), 1);
}

TEST(RowCounts, NamesThatDifferOnlyAfterTheLimitStayApart) {
  const Database db;
  const std::string a = std::string(61, 'x') + "_a";
  const std::string b = std::string(61, 'x') + "_b";
  db.run("CREATE TABLE " + a + " (i int); CREATE TABLE " + b + " (i int); INSERT INTO " + b +
         " VALUES (1)");
  const Findings found = count_rows(db);
  EXPECT_EQ(found.value("pg_integrity_table_rows", table(a)), 0);
  EXPECT_EQ(found.value("pg_integrity_table_rows", table(b)), 1);
}

TEST(RowCounts, BytesThatAreNoUtf8StillMakeAPage) {
  const Database db(Cluster::shared(), "sql_ascii_names",
                    "ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0");
  db.run(
      "SET client_encoding = 'SQL_ASCII'; CREATE TABLE \"bad\xff\" (i int); CREATE TABLE "
      "\"bad\xfe\" (i int)");
  const Findings found = count_rows(db);
  EXPECT_EQ(found.value("pg_integrity_table_rows", table("bad\\xff")), 0);
  EXPECT_EQ(found.value("pg_integrity_table_rows", table("bad\\xfe")), 0);
}

/// The evidence as it will be after so many more hours.
std::shared_ptr<const SavedEvidence> later(const std::shared_ptr<const SavedEvidence>& record,
                                           double hours) {
  auto aged = std::make_shared<SavedEvidence>(*record);
  for (auto& [id, collector] : aged->collectors)
    for (auto& [key, object] : collector.objects)
      for (Sample& sample : object.samples) {
        sample.observed_at -= Seconds(hours * 3600);
        if (sample.metric->name == "pg_integrity_table_rows_drop_reference_timestamp_seconds")
          sample.value -= hours * 3600;
      }
  return aged;
}

/// A table of 100 rows, of which a tenth may vanish within a day. A process of its own makes each
/// check.
class DropsOfRows : public ::testing::Test {
 protected:
  DropsOfRows() {
    db_.run("CREATE TABLE t AS SELECT generate_series(1, 100) i");
    look_again(0);
  }

  /// The state after so many more hours, when the table has that many rows.
  State with(int rows, double hours) {
    db_.run("TRUNCATE t; INSERT INTO t SELECT generate_series(1, " + std::to_string(rows) + ")");
    return look_again(hours);
  }
  [[nodiscard]] double reference() const {
    return found_.value("pg_integrity_table_rows_drop_reference", table("t")).value();
  }

 private:
  State look_again(double hours) {
    found_ = count_rows(db_, limit("t", "max_drop = 0.1\ndrop_window = \"24h\""),
                        found_.saved ? later(found_.saved, hours) : nullptr);
    return found_.state("row_counts/public.t");
  }

  const Database db_;
  Findings found_;
};

TEST_F(DropsOfRows, CountForAWholeWindowHoweverOldTheReferenceIs) {
  EXPECT_EQ(with(99, 1), State::proven);
  EXPECT_EQ(with(80, 22.9), State::violated) << "a minute before the reference's window ends";
  EXPECT_EQ(with(80, 0.2), State::violated);
  EXPECT_EQ(with(80, 23.7), State::violated);
  EXPECT_EQ(reference(), 100);
  EXPECT_EQ(with(80, 0.2), State::proven) << "a day after it was found";
  EXPECT_EQ(reference(), 80);
}

TEST_F(DropsOfRows, CountThoughTheWindowEndedBetweenTwoLooks) {
  EXPECT_EQ(with(95, 1), State::proven);
  EXPECT_EQ(with(95, 22.9), State::proven);
  EXPECT_EQ(with(85, 0.2), State::violated);
  EXPECT_EQ(with(85, 23.9), State::violated);
  EXPECT_EQ(with(85, 0.2), State::proven);
}

TEST_F(DropsOfRows, CountAnewWhenAsManyGoOnceMore) {
  EXPECT_EQ(with(80, 1), State::violated);
  EXPECT_EQ(with(79, 12), State::violated);
  EXPECT_EQ(with(60, 11.9), State::violated) << "a second drop while the first one counts";
  EXPECT_EQ(with(60, 23.9), State::violated);
  EXPECT_EQ(with(60, 0.2), State::proven);
}

TEST_F(DropsOfRows, CountIfTheyHappenWhenAnEarlierOneIsForgotten) {
  EXPECT_EQ(with(80, 1), State::violated);
  EXPECT_EQ(with(60, 24.1), State::violated);
  EXPECT_EQ(with(60, 23.9), State::violated);
  EXPECT_EQ(with(60, 0.2), State::proven);
}

TEST_F(DropsOfRows, AreForgottenSlowlyWhereTheTableShrinksSlowly) {
  for (int day = 0, rows = 92; day < 5; ++day, rows -= 7)
    EXPECT_EQ(with(rows, 24.1), State::proven) << day;
}

TEST_F(DropsOfRows, EndWhenTheRowsAreBack) {
  EXPECT_EQ(with(80, 1), State::violated);
  EXPECT_EQ(with(95, 1), State::proven);
  EXPECT_EQ(with(89, 22.5), State::violated) << "below the highest count once more";
  EXPECT_EQ(with(120, 1), State::proven);
  EXPECT_EQ(reference(), 120);
}

}  // namespace
}  // namespace pg_integrity::test::row_counts_test
