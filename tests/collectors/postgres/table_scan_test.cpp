#include "collectors/postgres/table_scan.h"
#include "collectors/postgres/schema_cache.h"

#include <gtest/gtest.h>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/postgres/schema.h"
#include "tests/support/opened_session.h"

namespace pg_integrity::test::table_scan_test {
namespace {

constexpr Seconds kHour{3600};
constexpr Seconds kAnyAge{1e9};

ScanWish wish(const std::string& column, const std::string& zone = {}, Seconds window = kHour,
              const std::string& table = "t") {
  return {{"public", table}, column, zone, window};
}

class Scans : public ::testing::Test {
 protected:
  Table table(const std::string& name = "t") {
    const auto schema = load_schema(*session_, {}, clock_.now());
    const Table* found = schema->table({"public", name});
    if (found == nullptr) throw std::runtime_error("no table " + name);
    session_->statements.clear();
    return *found;
  }

  static ScanPlan plan(const std::vector<ScanWish>& wishes) {
    ScanPlan made;
    for (const ScanWish& each : wishes) made.add(each);
    return made;
  }

  /// The answer of a scan to a single wish.
  TimeFacts facts(const ScanWish& wished) {
    TableScans scans(plan({wished}));
    return scans.scan(*session_, table(wished.table.name), clock_, kAnyAge).times(wished);
  }

  static Reason reason(const std::function<void()>& ask) {
    try {
      ask();
    } catch (const SourceError& error) {
      return error.reason();
    }
    throw std::runtime_error("it did not fail");
  }

  const Database db_;
  OpenedSession session_{db_};
  SteppedClock clock_;
};

TEST_F(Scans, CountWhatNobodyWishesMoreOf) {
  db_.run("CREATE TABLE t AS SELECT generate_series(1, 12) i");
  TableScans scans(plan({}));
  EXPECT_EQ(scans.scan(*session_, table(), clock_, kAnyAge).rows, 12);
}

TEST_F(Scans, OneStatementAnswersEveryWish) {
  db_.run(R"(CREATE TABLE t (a timestamptz, b timestamp, c date);
    INSERT INTO t SELECT now() - i * interval '10 minutes',
      (now() - i * interval '1 hour') AT TIME ZONE 'UTC',
      (now() AT TIME ZONE 'UTC')::date - i FROM generate_series(1, 20) i)");
  const std::vector<ScanWish> wishes{wish("a"), wish("a", "", kHour * 2),
                                     wish("b", "UTC", kHour * 5),
                                     wish("c", "UTC", kHour * 24 * 10)};
  TableScans scans(plan(wishes));
  const Table wished = table();
  const TableScan scan = scans.scan(*session_, wished, clock_, kAnyAge);
  EXPECT_EQ(session_->statements.size(), 1U);
  EXPECT_EQ(scan.rows, 20);
  EXPECT_EQ(scan.times(wishes[0]).recent_rows, 5) << "the sixth is an hour old";
  EXPECT_EQ(scan.times(wishes[1]).recent_rows, 11);
  EXPECT_EQ(scan.times(wishes[2]).recent_rows, 4);
  EXPECT_EQ(scan.times(wishes[3]).recent_rows, 9);
  EXPECT_NEAR(scan.times(wishes[0]).newest_age.count(), 600, 60);
  EXPECT_NEAR(scan.times(wishes[0]).newest.value(), clock_.unix_now() - 600, 60);
  EXPECT_NEAR(scan.times(wishes[2]).newest_age.count(), 3600, 60);
}

TEST_F(Scans, AreSharedWhileTheyAreYoungEnough) {
  db_.run("CREATE TABLE t (a timestamptz)");
  TableScans scans(plan({wish("a")}));
  const Table wished = table();
  const TableScan first = scans.scan(*session_, wished, clock_, Seconds(60));
  db_.run("INSERT INTO t VALUES (now())");
  clock_.advance(Seconds(30));
  const TableScan shared = scans.scan(*session_, wished, clock_, Seconds(60));
  EXPECT_EQ(shared.rows, 0);
  EXPECT_EQ(shared.observed_at, first.observed_at)
      << "evidence does not get younger by being shared";
  EXPECT_EQ(session_->statements.size(), 1U);
  clock_.advance(Seconds(31));
  const TableScan fresh = scans.scan(*session_, wished, clock_, Seconds(60));
  EXPECT_EQ(fresh.rows, 1);
  EXPECT_GT(fresh.observed_at, first.observed_at);
  EXPECT_EQ(scans.scan(*session_, wished, clock_, Seconds(60)).rows, 1);
  EXPECT_EQ(session_->statements.size(), 2U);
}

TEST_F(Scans, OfTablesThatNobodyWishesAboutAreNotKept) {
  db_.run("CREATE TABLE t (a timestamptz); CREATE TABLE u (a timestamptz)");
  TableScans scans(plan({wish("a")}));
  const Table unwished = table("u");
  scans.scan(*session_, unwished, clock_, kAnyAge);
  db_.run("INSERT INTO u VALUES (now())");
  EXPECT_EQ(scans.scan(*session_, unwished, clock_, kAnyAge).rows, 1);
}

TEST_F(Scans, AnEmptyTableHasNoNewestRow) {
  db_.run("CREATE TABLE t (a timestamptz); INSERT INTO t VALUES (NULL)");
  const TimeFacts found = facts(wish("a"));
  EXPECT_EQ(found.recent_rows, 0);
  EXPECT_EQ(found.undated_rows, 1);
  EXPECT_FALSE(found.newest);
}

TEST_F(Scans, TheFutureAndInfinityAreNeitherRecentNorNewest) {
  db_.run(R"(CREATE TABLE t (a timestamptz); INSERT INTO t VALUES (now() - interval '2 hours'),
    (now() - interval '30 minutes'), (now() + interval '2 hours'), ('infinity'), ('-infinity'),
      (NULL))");
  const TimeFacts found = facts(wish("a"));
  EXPECT_EQ(found.recent_rows, 1);
  EXPECT_EQ(found.undated_rows, 3);
  EXPECT_EQ(found.future_rows, 1);
  EXPECT_NEAR(found.newest_age.count(), 1800, 60);
}

TEST_F(Scans, AClockThatIsAMinuteAheadIsForgiven) {
  db_.run("CREATE TABLE t (a timestamptz); INSERT INTO t VALUES (now() + interval '50 seconds')");
  EXPECT_EQ(facts(wish("a")).recent_rows, 1);
  EXPECT_EQ(facts(wish("a")).future_rows, 0);
}

TEST_F(Scans, ColumnsWithoutZoneAreReadInTheirs) {
  db_.run(R"(CREATE TABLE t (a timestamp, b date);
    INSERT INTO t VALUES ((now() - interval '10 minutes') AT TIME ZONE 'Asia/Kolkata',
      (now() AT TIME ZONE 'Asia/Kolkata')::date))");
  EXPECT_NEAR(facts(wish("a", "Asia/Kolkata")).newest_age.count(), 600, 60);
  EXPECT_FALSE(facts(wish("a", "UTC")).newest) << "read in the wrong zone it lies in the future";
  EXPECT_EQ(reason([&] { facts(wish("a")); }), Reason::config);
  EXPECT_EQ(facts(wish("b", "Asia/Kolkata", kHour * 48)).recent_rows, 1);
}

TEST_F(Scans, AZoneOfItsOwnIsTheColumns) {
  db_.run("CREATE TABLE t (a timestamptz); INSERT INTO t VALUES (now() - interval '10 minutes')");
  EXPECT_NEAR(facts(wish("a", "Asia/Kolkata")).newest_age.count(), 600, 60);
}

TEST_F(Scans, AWishThatDoesNotFitHarmsNoOther) {
  db_.run("CREATE TABLE t (a timestamptz, b text, c timestamp); INSERT INTO t VALUES (now())");
  const std::vector<ScanWish> wishes{wish("nothing"), wish("b", "UTC"), wish("c"), wish("a")};
  TableScans scans(plan(wishes));
  const TableScan scan = scans.scan(*session_, table(), clock_, kAnyAge);
  EXPECT_EQ(scan.rows, 1);
  EXPECT_EQ(reason([&] { (void)scan.times(wishes[0]); }), Reason::missing);
  EXPECT_EQ(reason([&] { (void)scan.times(wishes[1]); }), Reason::config);
  EXPECT_EQ(reason([&] { (void)scan.times(wishes[2]); }), Reason::config);
  EXPECT_EQ(scan.times(wishes[3]).recent_rows, 1);
}

TEST_F(Scans, ATimeThatCannotBeComputedLeavesTheRowsCounted) {
  db_.run("CREATE TABLE t (a date); INSERT INTO t VALUES ('5874897-12-31'), ('2026-01-01')");
  TableScans scans(plan({wish("a", "UTC")}));
  const TableScan scan = scans.scan(*session_, table(), clock_, kAnyAge);
  EXPECT_EQ(scan.rows, 2);
  EXPECT_EQ(reason([&] { (void)scan.times(wish("a", "UTC")); }), Reason::decode);
}

TEST_F(Scans, TellTheCalendarApartFromTheWindow) {
  db_.run(R"(CREATE TABLE t (a timestamptz, b timestamp);
    INSERT INTO t (a) SELECT date_trunc('day', now() AT TIME ZONE 'Asia/Tokyo')
        AT TIME ZONE 'Asia/Tokyo' + i
      FROM (VALUES (interval '-1 second'), (interval '0'), (interval '2 days')) v(i);
    INSERT INTO t (a) VALUES (NULL), ('infinity'), ('-infinity'), (now() + interval '30 seconds');
    UPDATE t SET b = a AT TIME ZONE 'Asia/Tokyo';)");
  for (const char* column : {"a", "b"}) {
    ScanWish wished = wish(column, "Asia/Tokyo");
    wished.calendar = true;
    const TimeFacts found = facts(wished);
    EXPECT_EQ(found.future_rows, 1) << "a clock that is half a minute ahead is forgiven";
    EXPECT_EQ(found.undated_rows, 3);
    EXPECT_GE(found.rows_today.value(), 1);
    EXPECT_LE(found.rows_today.value(), 2) << "half a minute ahead may be tomorrow";
  }
  ScanWish without_zone = wish("a");
  without_zone.calendar = true;
  EXPECT_FALSE(facts(without_zone).rows_today) << "whose midnight is not guessed";
}

TEST_F(Scans, ARuleWishesOfTablesThatAreDiscovered) {
  db_.run(
      "CREATE TABLE t (a timestamptz); CREATE TABLE u (a timestamptz); INSERT INTO t VALUES "
      "(now() - interval '10 minutes')");
  ScanPlan plan;
  plan.add([](const Table& table) {
    return table.name.name == "t" ? std::optional(wish("a")) : std::nullopt;
  });
  EXPECT_TRUE(plan.wishes(table("u")).empty());
  TableScans scans(std::move(plan));
  EXPECT_NEAR(scans.scan(*session_, table(), clock_, kAnyAge).times(wish("a")).newest_age.count(),
              600, 60);
}

TEST_F(Scans, AreNotSharedWithAWishThatCameLater) {
  db_.run("CREATE TABLE t (a timestamptz)");
  ScanPlan plan;
  plan.add([](const Table& table) {
    return table.column("b") == nullptr ? std::optional(wish("a")) : std::optional(wish("b"));
  });
  TableScans scans(std::move(plan));
  scans.scan(*session_, table(), clock_, kAnyAge);
  db_.run("ALTER TABLE t ADD COLUMN b timestamptz; INSERT INTO t VALUES (NULL, now())");
  EXPECT_TRUE(scans.scan(*session_, table(), clock_, kAnyAge).times(wish("b")).newest);
}

TEST_F(Scans, AZoneIsATextAndNeverSyntax) {
  db_.run("CREATE TABLE t (a timestamp); INSERT INTO t VALUES (now())");
  for (const char* zone : {"'; SELECT 1; --", "\\'", "UTC') FROM t; --"}) {
    EXPECT_EQ(reason([&] { facts(wish("a", zone)); }), Reason::decode) << zone;
    EXPECT_NE(session_->statements.front().find("E'"), std::string::npos);
  }
}

TEST_F(Scans, AskingForWhatNobodyPlannedIsAFaultOfTheProgram) {
  db_.run("CREATE TABLE t (a timestamptz)");
  TableScans scans(plan({wish("a")}));
  const TableScan scan = scans.scan(*session_, table(), clock_, kAnyAge);
  EXPECT_THROW((void)scan.times(wish("a", "", kHour * 2)), std::logic_error);
}

TEST_F(Scans, PartitionsCountWithTheirRootAndHeirsDoNot) {
  db_.run(R"(CREATE TABLE t (a timestamptz) PARTITION BY RANGE (a);
    CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM ('1900-01-01') TO ('2900-01-01');
    INSERT INTO t VALUES (now()), (now() - interval '2 hours');
    CREATE TABLE u (a timestamptz); CREATE TABLE heir () INHERITS (u);
    INSERT INTO u VALUES (now()); INSERT INTO heir VALUES (now()))");
  EXPECT_EQ(facts(wish("a")).recent_rows, 1);
  EXPECT_EQ(facts(wish("a", "", kHour, "u")).recent_rows, 2);
}

TEST_F(Scans, HostileNamesAreQuoted) {
  const std::string name = "A\"b\\c\n'd ;--";
  db_.run("CREATE TABLE " + sql_identifier(name) + " (" + sql_identifier(name) +
          " timestamptz); INSERT INTO " + sql_identifier(name) + " VALUES (now())");
  EXPECT_EQ(facts(wish(name, "", kHour, name)).recent_rows, 1);
}

TEST_F(Scans, ATableThatMayNotBeReadIsAnErrorNeverZero) {
  db_.run(R"(CREATE TABLE t (a timestamptz); INSERT INTO t VALUES (now());
    DROP ROLE IF EXISTS scan_blind; CREATE ROLE scan_blind LOGIN)");
  const Table wished = table();
  TableScans scans(plan({wish("a")}));
  OpenedSession blind(db_, "scan_blind");
  EXPECT_EQ(reason([&] { scans.scan(*blind, wished, clock_, kAnyAge); }), Reason::permission);
  EXPECT_EQ(reason([&] { scans.recent(*blind, wished, clock_, wish("a")); }), Reason::permission);
  db_.run("GRANT SELECT ON t TO scan_blind");
  EXPECT_EQ(scans.scan(*blind, wished, clock_, kAnyAge).rows, 1) << "a failure is not kept";
}

TEST_F(Scans, AGrantOnOtherColumnsCountsTheRowsAndRefusesTheTimes) {
  db_.run(R"(CREATE TABLE t (i int, a timestamptz); INSERT INTO t VALUES (1, now());
    DROP ROLE IF EXISTS scan_half; CREATE ROLE scan_half LOGIN;
      GRANT SELECT (i) ON t TO scan_half)");
  const Table wished = table();
  TableScans scans(plan({wish("a")}));
  OpenedSession half(db_, "scan_half");
  const TableScan scan = scans.scan(*half, wished, clock_, kAnyAge);
  EXPECT_EQ(scan.rows, 1);
  EXPECT_EQ(reason([&] { (void)scan.times(wish("a")); }), Reason::permission);
}

TEST_F(Scans, RowLevelSecurityIsAnErrorNeverAFilteredCount) {
  db_.run(R"(CREATE TABLE t (a timestamptz); INSERT INTO t VALUES (now());
    DROP ROLE IF EXISTS scan_filtered; CREATE ROLE scan_filtered LOGIN;
      GRANT SELECT ON t TO scan_filtered;
    ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY nothing ON t USING (false))");
  const Table wished = table();
  TableScans scans(plan({wish("a")}));
  OpenedSession filtered(db_, "scan_filtered");
  EXPECT_EQ(reason([&] { scans.scan(*filtered, wished, clock_, kAnyAge); }), Reason::policy);
  EXPECT_EQ(reason([&] { scans.recent(*filtered, wished, clock_, wish("a")); }), Reason::policy);
  db_.run("ALTER ROLE scan_filtered BYPASSRLS");
  EXPECT_EQ(scans.scan(*filtered, wished, clock_, kAnyAge).rows, 1);
}

TEST_F(Scans, ATableThatHasGoneIsMissing) {
  db_.run("CREATE TABLE t (a timestamptz)");
  const Table wished = table();
  db_.run("DROP TABLE t");
  TableScans scans(plan({wish("a")}));
  EXPECT_EQ(reason([&] { scans.scan(*session_, wished, clock_, kAnyAge); }), Reason::missing);
  EXPECT_EQ(reason([&] { heap_bytes(*session_, wished); }), Reason::missing);
}

TEST_F(Scans, ALockedTableIsNotWaitedFor) {
  db_.run("CREATE TABLE t (a timestamptz)");
  const Table wished = table();
  Client locker(db_.dsn());
  locker.run("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
  TableScans scans(plan({wish("a")}));
  EXPECT_EQ(reason([&] { scans.scan(*session_, wished, clock_, kAnyAge); }), Reason::lock);
}

using RecentScans = Scans;

TEST_F(RecentScans, SayTheSameAsAWholeScanDoes) {
  db_.run(R"(CREATE TABLE t (a timestamptz, b timestamp, c date);
    INSERT INTO t SELECT now() - i * interval '7 minutes',
      (now() - i * interval '7 minutes') AT TIME ZONE 'Asia/Kolkata',
      (now() AT TIME ZONE 'Asia/Kolkata')::date - i FROM generate_series(1, 50) i;
    INSERT INTO t VALUES (now() + interval '2 days', (now() + interval '2 days'),
      now() + interval '3 days'),
      ('infinity', 'infinity', 'infinity'), ('-infinity', '-infinity', '-infinity'), (NULL, NULL,
      NULL))");
  const Table wished = table();
  for (const ScanWish& each : {wish("a"), wish("b", "Asia/Kolkata", kHour * 2),
                               wish("c", "Asia/Kolkata", kHour * 24 * 5)}) {
    TableScans scans(plan({each}));
    const TimeFacts whole = scans.scan(*session_, wished, clock_, kAnyAge).times(each);
    const TableScan scan = scans.recent(*session_, wished, clock_, each);
    EXPECT_EQ(scan.times(each).recent_rows, whole.recent_rows) << each.time_column;
    EXPECT_GT(whole.recent_rows, 0) << each.time_column;
    EXPECT_EQ(scan.rows, whole.recent_rows) << "no more was read";
    EXPECT_EQ(whole.undated_rows, 3) << each.time_column;
    EXPECT_EQ(scan.times(each).undated_rows, 3) << "one of each sort";
    EXPECT_EQ(whole.future_rows, 1) << each.time_column;
    EXPECT_EQ(scan.times(each).future_rows, 1) << each.time_column;
    EXPECT_EQ(scan.times(each).newest, whole.newest) << each.time_column;
    EXPECT_NEAR(scan.times(each).newest_age.count(), whole.newest_age.count(), 60);
  }
}

TEST_F(RecentScans, KnowTheNewestEntryBeforeTheWindow) {
  db_.run("CREATE TABLE t (a timestamptz); INSERT INTO t VALUES (now() - interval '3 days')");
  TableScans scans(plan({}));
  const TimeFacts found = scans.recent(*session_, table(), clock_, wish("a")).times(wish("a"));
  EXPECT_EQ(found.recent_rows, 0);
  EXPECT_NEAR(found.newest_age.count(), 3 * 86400, 60);
}

TEST_F(RecentScans, WithoutAnEntryThereIsNoNewest) {
  db_.run(
      "CREATE TABLE t (a timestamptz); INSERT INTO t VALUES (NULL), ('infinity'), ('-infinity')");
  TableScans scans(plan({}));
  const TimeFacts found = scans.recent(*session_, table(), clock_, wish("a")).times(wish("a"));
  EXPECT_EQ(found.recent_rows, 0);
  EXPECT_FALSE(found.newest);
}

TEST_F(RecentScans, AreNeverShared) {
  db_.run("CREATE TABLE t (a timestamptz)");
  TableScans scans(plan({wish("a")}));
  const Table wished = table();
  scans.recent(*session_, wished, clock_, wish("a"));
  db_.run("INSERT INTO t VALUES (now()), (now() - interval '2 hours')");
  EXPECT_EQ(scans.recent(*session_, wished, clock_, wish("a")).rows, 1);
  EXPECT_EQ(scans.scan(*session_, wished, clock_, kAnyAge).rows, 2);
}

TEST_F(RecentScans, ReadThroughTheIndex) {
  db_.run(R"(CREATE TABLE t (a timestamp); CREATE INDEX ON t (a); INSERT INTO t
    SELECT now() AT TIME ZONE 'UTC' - i * interval '1 minute' FROM generate_series(1, 20000) i;
      ANALYZE t;
    CREATE FUNCTION plan_of(sql text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE line text;
      whole text := '';
      BEGIN FOR line IN EXECUTE 'EXPLAIN ' || sql LOOP whole := whole || line; END LOOP;
      RETURN whole; END $$)");
  TableScans scans(plan({}));
  scans.recent(*session_, table(), clock_, wish("a", "UTC"));
  const std::string plan_text =
      db_.ask("SELECT plan_of($sql$" + session_->statements.back() + "$sql$)");
  EXPECT_NE(plan_text.find("Index"), std::string::npos) << plan_text;
  EXPECT_EQ(plan_text.find("Seq Scan"), std::string::npos) << plan_text;
}

TEST_F(RecentScans, AWishThatDoesNotFitIsRefused) {
  db_.run("CREATE TABLE t (a timestamp, b text)");
  const Table wished = table();
  TableScans scans(plan({}));
  EXPECT_EQ(reason([&] { scans.recent(*session_, wished, clock_, wish("nothing")); }),
            Reason::missing);
  EXPECT_EQ(reason([&] { scans.recent(*session_, wished, clock_, wish("a")); }), Reason::config);
  EXPECT_EQ(reason([&] { scans.recent(*session_, wished, clock_, wish("b")); }), Reason::config);
}

using HeapBytes = Scans;

TEST_F(HeapBytes, AreTheCatalogsWhereItHasThem) {
  db_.run("CREATE TABLE t AS SELECT generate_series(1, 1000) i; ANALYZE t");
  const Table known = table();
  db_.run("INSERT INTO t SELECT generate_series(1, 50000)");
  EXPECT_EQ(heap_bytes(*session_, known), known.estimated_bytes);
  EXPECT_TRUE(session_->statements.empty());
}

TEST_F(HeapBytes, AreMeasuredWhereTheCatalogHasNone) {
  db_.run(
      "CREATE TABLE t AS SELECT generate_series(1, 1000) i; CREATE TABLE empty (i int);"
      "CREATE TABLE \"Odd \"\"one\\\" AS SELECT 1 i;"
      "CREATE TABLE p (i int) PARTITION BY RANGE (i); CREATE TABLE bare (i int) PARTITION BY RANGE "
      "(i);"
      "CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (10);"
      "CREATE TABLE p_2 PARTITION OF p FOR VALUES FROM (10) TO (20); INSERT INTO p VALUES (1), "
      "(11)");
  EXPECT_EQ(heap_bytes(*session_, table()), std::stod(db_.ask("SELECT pg_relation_size('t')")));
  EXPECT_EQ(heap_bytes(*session_, table("empty")), 0);
  EXPECT_EQ(heap_bytes(*session_, table("Odd \"one\\")), 8192);
  EXPECT_EQ(heap_bytes(*session_, table("p")), 2 * 8192) << "all its leaves together";
  EXPECT_EQ(heap_bytes(*session_, table("bare")), 0);
}

}  // namespace
}  // namespace pg_integrity::test::table_scan_test
