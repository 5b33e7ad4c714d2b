#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/postgres/row_digest.h"
#include "collectors/postgres/schema.h"
#include "collectors/registry.h"
#include "collectors/service/comparison_plan.h"
#include "collectors/service/digest_comparison.h"
#include "collectors/service/replica_link.h"
#include "collectors/service/table_comparison.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/evidence/verdict.h"
#include "exporter/io/clock.h"
#include "exporter/report/report.h"
#include "tests/support/cluster.h"
#include "tests/support/failure.h"
#include "tests/support/observer.h"
#include "tests/support/opened_session.h"
#include "tests/support/step_sources.h"
#include "tests/support/temporary.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::replica_sync_test {
namespace {

constexpr const char* kTypes = R"(
  CREATE TYPE mood AS ENUM ('sad', 'ok');
  CREATE TYPE pair AS (a int, b text);
  CREATE DOMAIN small AS int CHECK (value < 1000);)";

constexpr const char* kOddColumns =
    "id int PRIMARY KEY, f8 float8, f4 float4, n numeric, i interval, b bytea, m money,"
    " ts timestamptz, d date, j jsonb, a text[], r int4range, e mood, p pair, s small, t text,"
    " c regclass, x xml";

constexpr const char* kOtherOrder =
    "x xml, t text, s small, p pair, e mood, r int4range, a text[], j jsonb, d date,"
    " ts timestamptz, m money, b bytea, i interval, n numeric, f4 float4, f8 float8, c regclass,"
    " id int PRIMARY KEY, extra text DEFAULT 'of the copy'";

constexpr const char* kOddRows = R"(
  INSERT INTO odd (id, f8, f4, n, i, b, m, ts, d, j, a, r, e, p, s, t, c, x) VALUES
  (1, 0.1 + 0.2, 1e-30, 'NaN', '1 year 2 days 03:04:05.6', '\x00ff', 1.5, '2026-01-31 12:00+05',
    'infinity', '{"b": 1, "a": [null]}', '{NULL,"NULL",""}', '[1,5)', 'ok', (1, 'x,y'), 7, '',
    'pg_class', '<a/>'),
  (2, NULL, 'Infinity', 1.10, NULL, '', NULL, '-infinity', NULL, 'null', '{}', 'empty', 'sad',
    NULL, NULL, NULL, NULL, NULL);)";

constexpr const char* kTables = R"(
  CREATE TABLE users (id int PRIMARY KEY, name text);
  CREATE TABLE games (id int PRIMARY KEY, name text);
  CREATE TABLE empty (id int PRIMARY KEY);
  CREATE TABLE keyless (word text);)";

constexpr const char* kRows = R"(
  INSERT INTO users SELECT i, 'user ' || i FROM generate_series(1, 100) i;
  INSERT INTO games SELECT i, 'game ' || i FROM generate_series(1, 10) i;
  INSERT INTO keyless VALUES ('twice'), ('twice'), (NULL), ('');)";

std::string replica(const std::string& name, const std::string& dsn, const std::string& more = {}) {
  return "[[server.replicas]]\nname = \"" + name + "\"\ndsn = \"" + dsn + "\"\n" + more + "\n";
}

std::string config(const Database& database, const std::string& replicas,
                   const std::string& user = "postgres") {
  return one_server(database.dsn(user), replicas, "replica_sync");
}

Findings compare(const Database& database, const std::string& replicas) {
  return look(config(database, replicas));
}

std::optional<double> rows_off(const Findings& found, const std::string& table) {
  return found.value("pg_integrity_replica_row_difference", {{"table", table}});
}

std::optional<double> matches(const Findings& found, const std::string& table) {
  return found.value("pg_integrity_replica_content_matches", {{"table", table}});
}

std::string table_of(const std::string& replica, const std::string& table) {
  return "replica_sync/" + replica + ".public." + table;
}

/// Its first pass is complete.
bool passed(RunningScheduler& scheduler) {
  return eventually(
      [&] { return scheduler.page().value("pg_integrity_collector_success").value_or(0) == 1; });
}

/// The condition holds after one of the next passes.
template <typename Condition>
bool in_some_pass(RunningScheduler& scheduler, Condition condition) {
  for (int i = 0; i < 6; ++i) {
    scheduler.clock.advance(Seconds(15 * 60 + 1));
    if (eventually(condition, std::chrono::seconds(6))) return true;
  }
  return false;
}

TEST(DigestComparison, OnlyWhatHoldsStillOnBothSidesFourTimesIsDifferent) {
  const Digest ten{10, "a", {}};
  const Digest nine{9, "b", {}};
  const Digest eleven{11, "c", {}};
  DigestComparison looks;
  for (int i = 0; i < 3; ++i) {
    looks.add(ten, nine, ten, true);
    EXPECT_FALSE(looks.done());
  }
  looks.add(ten, nine, ten, true);
  EXPECT_TRUE(looks.done() && looks.different() && !looks.same_rows());

  DigestComparison late;
  late.add(ten, nine, ten, false);
  EXPECT_TRUE(late.done() && late.behind() && !late.different()) << "nobody waits for it longer";

  DigestComparison written;
  for (int i = 0; i < 4; ++i) written.add(nine, ten, eleven, true);
  EXPECT_TRUE(written.done() && !written.same() && !written.different() && written.same_rows());

  DigestComparison caught_up;
  caught_up.add(ten, nine, ten, true);
  caught_up.add(ten, eleven, eleven, true);
  EXPECT_TRUE(caught_up.done() && caught_up.same());
}

/// Two databases of one cluster. The copy tells no position.
class RestoredCopy : public testing::Test {
 protected:
  RestoredCopy() {
    for (const Database* side : {&db, &copy}) {
      side->run(kTables);
      side->run(kRows);
    }
  }
  [[nodiscard]] std::string restored(const std::string& more = {}) const {
    return replica("restored", copy.dsn(), more);
  }

  /// The findings of two passes, the second of which may rest on the first.
  [[nodiscard]] Findings settle(const std::string& more = {}) const {
    RunningScheduler scheduler(config(db, restored(more)));
    EXPECT_TRUE(passed(scheduler));
    EXPECT_EQ(scheduler.findings().violated(), "") << "one look is not enough";
    scheduler.clock.advance(Seconds(61));
    EXPECT_TRUE(eventually([&] { return !scheduler.findings().violated().empty(); }));
    scheduler.stop();
    return scheduler.findings();
  }

  Database db;
  Database copy;
};

TEST_F(RestoredCopy, TheSameRowsAreProven) {
  const Findings found = compare(db, restored());
  for (const char* table : {"users", "games", "empty", "keyless"}) {
    EXPECT_EQ(rows_off(found, table), 0) << table;
    EXPECT_EQ(matches(found, table), 1) << table;
  }
  EXPECT_EQ(found.value("pg_integrity_replica_up"), 1);
  EXPECT_FALSE(found.value("pg_integrity_replica_lag_seconds")) << "it has none";
  EXPECT_EQ(found.collector("replica_sync").state, State::proven);
}

TEST_F(RestoredCopy, AMissingRowIsFoundInItsTableAlone) {
  copy.run("DELETE FROM users WHERE id = 50");
  const Findings found = settle();
  EXPECT_EQ(found.violated(), table_of("restored", "users"));
  EXPECT_EQ(rows_off(found, "users"), -1);
  EXPECT_EQ(matches(found, "users"), 0);
  EXPECT_EQ(matches(found, "games"), 1);
  EXPECT_EQ(found.object(table_of("restored", "users")).lines,
            std::vector<std::string>{"it has 99 rows, the database 100"});
}

TEST_F(RestoredCopy, AnExtraRowIsFoundInItsTableAlone) {
  copy.run("INSERT INTO keyless VALUES ('twice')");
  const Findings found = settle();
  EXPECT_EQ(found.violated(), table_of("restored", "keyless"));
  EXPECT_EQ(rows_off(found, "keyless"), 1);
}

TEST_F(RestoredCopy, AChangedValueIsFoundThoughTheRowsAreAsMany) {
  copy.run("UPDATE games SET name = 'game 6' WHERE id = 5");
  const Findings found = settle();
  EXPECT_EQ(found.violated(), table_of("restored", "games"));
  EXPECT_EQ(rows_off(found, "games"), 0);
  EXPECT_EQ(matches(found, "games"), 0);
  const Findings rows_only = compare(db, restored("compare = [\"rows\"]"));
  EXPECT_EQ(rows_only.collector("replica_sync").state, State::proven);
  EXPECT_FALSE(matches(rows_only, "games"));
}

TEST_F(RestoredCopy, WhatIsOnRecordIsConfirmedByTheNextProcess) {
  copy.run("DELETE FROM users WHERE id = 50; UPDATE games SET name = 'x' WHERE id = 1");
  const Findings first = compare(db, restored());
  EXPECT_EQ(first.violated(), "");
  EXPECT_EQ(first.value("pg_integrity_replica_unconfirmed_row_difference", {{"table", "users"}}),
            -1);
  const Findings second = look(config(db, restored()), first.saved);
  EXPECT_EQ(second.violated(), table_of("restored", "games") + " " + table_of("restored", "users"));
  const Findings third = look(config(db, restored()), second.saved);
  EXPECT_EQ(third.violated(), second.violated());
  copy.run(
      "INSERT INTO users VALUES (50, 'user 50'); UPDATE games SET name = 'game 1' WHERE id = 1");
  EXPECT_EQ(look(config(db, restored()), second.saved).collector("replica_sync").state,
            State::proven);
}

TEST_F(RestoredCopy, ADifferenceMayStandForAsLongAsTheCopyMayBeBehind) {
  copy.run("DELETE FROM users WHERE id = 50");
  RunningScheduler scheduler(config(db, restored("max_lag = \"1h\"")));
  ASSERT_TRUE(passed(scheduler));
  const auto before = scheduler.runtime().evidence()->version();
  scheduler.clock.advance(Seconds(61));
  ASSERT_TRUE(eventually([&] { return scheduler.runtime().evidence()->version() > before + 1; }));
  EXPECT_EQ(scheduler.findings().violated(), "");
  EXPECT_TRUE(in_some_pass(
      scheduler, [&] { return scheduler.findings().violated() == table_of("restored", "users"); }));
}

TEST_F(RestoredCopy, AConflictWithReplayIsTriedAgain) {
  OpenedSession original(db);
  OpenedSession filled(copy);
  StepSources from(*original);
  from.copy = &*filled;
  const Table& users = *from.schema()->table({"public", "users"});
  const Compared what{
      "restored", CopyKind::plain, users, users, digest_table(*filled, users.name).columns, {}, 0};
  int conflicts = 2;
  filled->before_each = [&] {
    if (conflicts-- > 0) throw SourceError(Reason::conflict, "canceling statement");
  };
  bool behind = false;
  TableComparison patient(what);
  EXPECT_FALSE(patient.step(from, behind));
  EXPECT_FALSE(patient.different() || patient.behind() || patient.moving() || behind);
  conflicts = 100;
  EXPECT_EQ(failure([&] { TableComparison(what).step(from, behind); }).reason(), Reason::conflict);
}

TEST_F(RestoredCopy, ATwiceChangedOriginalIsNotConfirmed) {
  copy.run("DELETE FROM users WHERE id = 50");
  RunningScheduler scheduler(config(db, restored()));
  ASSERT_TRUE(passed(scheduler));
  EXPECT_EQ(scheduler.findings().reason(table_of("restored", "users")), Reason::pending);
  db.run("UPDATE users SET name = 'new' WHERE id = 1");
  const auto runs = [&] { return scheduler.runtime().evidence()->version(); };
  const auto before = runs();
  scheduler.clock.advance(Seconds(61));
  ASSERT_TRUE(eventually([&] { return runs() > before + 1; }));
  EXPECT_EQ(scheduler.findings().violated(), "") << "the copy may be filled now and then";
}

TEST_F(RestoredCopy, LargeTablesAreComparedInSlices) {
  copy.run("UPDATE users SET name = 'another' WHERE id = 42");
  const std::string sliced = "[server.collectors.replica_sync]\nwhole_up_to = 1\nslice_rows = 10\n";
  const Findings found = settle(sliced);
  EXPECT_EQ(found.violated(), table_of("restored", "users"));
  EXPECT_EQ(
      found.object(table_of("restored", "users")).lines,
      std::vector<std::string>{"it has 100 rows, the database 100; 1 of 11 slices are different"});
  EXPECT_EQ(matches(found, "keyless"), 1) << "below exact_up_to it is read whole";
}

TEST_F(RestoredCopy, WhatCannotBeSlicedIsTooLarge) {
  const Findings found =
      compare(db, restored("[server.collectors.replica_sync]\nwhole_up_to = 1\nexact_up_to = 1\n"));
  EXPECT_EQ(found.reason(table_of("restored", "keyless")), Reason::too_large);
  EXPECT_EQ(matches(found, "users"), 1);
}

TEST_F(RestoredCopy, TheDatabaseItselfIsNoCopy) {
  const Findings found = compare(db, replica("self", db.dsn()));
  EXPECT_EQ(found.reason("replica_sync/self"), Reason::config);
  EXPECT_EQ(found.reason(table_of("self", "users")), Reason::config);
  EXPECT_TRUE(found.page.all("pg_integrity_replica_content_matches").empty());
}

TEST_F(RestoredCopy, WhatIsNotThereOrMayNotBeReadIsUnproven) {
  copy.run("DROP TABLE games; ALTER TABLE keyless RENAME word TO other");
  db.run(
      "DROP ROLE IF EXISTS reads_some; CREATE ROLE reads_some LOGIN;"
      "GRANT SELECT ON users, empty, keyless TO reads_some");
  copy.run("GRANT SELECT ON users TO reads_some; ALTER TABLE users ENABLE ROW LEVEL SECURITY");
  const Findings found = look(config(db, replica("restored", copy.dsn("reads_some"))));
  EXPECT_EQ(found.reason(table_of("restored", "games")), Reason::missing);
  EXPECT_EQ(found.reason(table_of("restored", "keyless")), Reason::config);
  EXPECT_EQ(found.reason(table_of("restored", "empty")), Reason::permission);
  EXPECT_EQ(found.reason(table_of("restored", "users")), Reason::policy);
  EXPECT_EQ(found.violated(), "");
}

TEST_F(RestoredCopy, OnlyTheTablesThatAreNamedAreCompared) {
  copy.run("DELETE FROM users");
  const Findings found = compare(db, restored("tables = [\"public.g*\"]"));
  EXPECT_EQ(found.collector("replica_sync").state, State::proven);
  EXPECT_FALSE(found.has_object(table_of("restored", "users")));
  EXPECT_EQ(compare(db, restored("tables = [\"public.nothing\"]")).reason("replica_sync/restored"),
            Reason::missing);
}

TEST_F(RestoredCopy, ACopyThatIsNotThereIsDown) {
  const Findings found =
      compare(db, replica("gone", "host=127.0.0.1 port=1 dbname=x password=geheim"));
  EXPECT_EQ(found.violated(), "replica_sync/gone");
  EXPECT_EQ(found.value("pg_integrity_replica_up"), 0);
  EXPECT_EQ(found.reason(table_of("gone", "users")), Reason::connect);
  EXPECT_EQ(report_as_text(found.report).find("geheim"), std::string::npos);
  EXPECT_EQ(page_text(found.snapshot, SystemClock()).find("geheim"), std::string::npos);
}

TEST_F(RestoredCopy, TheConnectionStringIsReadAtEachConnect) {
  const TemporaryDirectory directory;
  const std::string file = directory.write("dsn", "host=127.0.0.1 port=1");
  RunningScheduler scheduler(
      config(db, "[[server.replicas]]\nname = \"a\"\ndsn_file = \"" + file + "\"\n"));
  ASSERT_TRUE(eventually([&] { return scheduler.findings().violated() == "replica_sync/a"; }));
  directory.write("dsn", copy.dsn());
  scheduler.clock.advance(Seconds(15 * 60 + 1));
  EXPECT_TRUE(eventually(
      [&] { return scheduler.findings().collector("replica_sync").state == State::proven; }));
}

TEST_F(RestoredCopy, NobodysCodeIsRun) {
  for (const Database* side : {&db, &copy})
    side->run(R"(
      DO $$ BEGIN CREATE ROLE type_owner; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
      GRANT CREATE ON SCHEMA public TO type_owner;
      SET ROLE type_owner; CREATE TYPE mood AS ENUM ('sad', 'ok');
      CREATE FUNCTION evil(mood) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'called'; END $$;
      CREATE CAST (mood AS text) WITH FUNCTION evil(mood); RESET ROLE;
      CREATE TABLE moods (m mood); INSERT INTO moods VALUES ('ok');
      CREATE TYPE odd; CREATE FUNCTION odd_in(cstring) RETURNS odd LANGUAGE internal AS 'textin';
      CREATE FUNCTION odd_out(odd) RETURNS cstring LANGUAGE internal AS 'textout';
      CREATE TYPE odd (INPUT = odd_in, OUTPUT = odd_out, LIKE = text);
      CREATE TYPE wrapped AS (o odd[]);
      CREATE TABLE odds (w wrapped); INSERT INTO odds VALUES (ROW(ARRAY['x'::odd]));)");
  Findings found = compare(db, restored());
  EXPECT_EQ(matches(found, "moods"), 1) << "a cast is not what writes a row's text";
  EXPECT_EQ(matches(found, "odds"), 1);
  copy.run("ALTER FUNCTION odd_out(odd) OWNER TO type_owner");
  found = compare(db, restored());
  EXPECT_EQ(found.reason(table_of("restored", "odds")), Reason::unsafe);
  EXPECT_EQ(found.violated(), "");
  for (const Database* side : {&db, &copy}) side->run("DROP OWNED BY type_owner CASCADE");
  db.run("DROP ROLE type_owner");
}

/// A primary with a standby and a subscriber.
class ReplicaSync : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    primary_ = std::make_unique<Cluster>(
        std::map<std::string, std::string>{{"wal_level", "logical"}, {"autovacuum", "on"}});
    Client(primary_->dsn("postgres")).run("CREATE DATABASE app");
    standby_ = std::make_unique<Cluster>(Cluster::StandbyOf{*primary_});
    subscriber_ = std::make_unique<Cluster>();
  }
  static void TearDownTestSuite() {
    subscriber_.reset();
    standby_.reset();
    primary_.reset();
  }

  ReplicaSync() {
    db.run(kTypes);
    db.run(kTables);
    db.run("CREATE TABLE odd (" + std::string(kOddColumns) + "); CREATE UNLOGGED TABLE u (i int)");
    db.run(kRows);
    db.run(kOddRows);
    in_step();
  }

  /// Waits until the standby has everything that the primary has written.
  void in_step() const {
    const std::string position = db.ask("SELECT pg_current_wal_lsn()");
    ASSERT_TRUE(eventually([&] {
      return Client(standby_->dsn("postgres"))
                 .ask("SELECT pg_last_wal_replay_lsn() >= '" + position + "'") == "t";
    }));
  }

  [[nodiscard]] std::string standby(const std::string& more = {}) const {
    return replica("standby", standby_->dsn(db.name()), more);
  }

  static std::unique_ptr<Cluster> primary_;
  static std::unique_ptr<Cluster> standby_;
  static std::unique_ptr<Cluster> subscriber_;
  Database db{*primary_};
};

std::unique_ptr<Cluster> ReplicaSync::primary_;
std::unique_ptr<Cluster> ReplicaSync::standby_;
std::unique_ptr<Cluster> ReplicaSync::subscriber_;

TEST_F(ReplicaSync, AStandbyInStepIsProven) {
  const Findings found = compare(db, standby("max_lag = \"10s\""));
  for (const char* table : {"users", "games", "empty", "keyless", "odd"}) {
    EXPECT_EQ(rows_off(found, table), 0) << table;
    EXPECT_EQ(matches(found, table), 1) << table;
  }
  EXPECT_EQ(found.value("pg_integrity_replica_lag_seconds"), 0) << "nobody writes: it is in step";
  EXPECT_FALSE(found.has_object(table_of("standby", "u"))) << "a standby has no unlogged rows";
  EXPECT_EQ(found.collector("replica_sync").state, State::proven);
}

TEST_F(ReplicaSync, AStandbyThatIsPausedIsBehindNotDifferent) {
  Client on_standby(standby_->dsn("postgres"));
  on_standby.run("SELECT pg_wal_replay_pause()");
  db.run("DELETE FROM users WHERE id = 7");
  RunningScheduler scheduler(config(db, standby("max_lag = \"1s\"")));
  ASSERT_TRUE(passed(scheduler));
  EXPECT_EQ(scheduler.findings().reason(table_of("standby", "users")), Reason::pending);
  EXPECT_EQ(scheduler.findings().state(table_of("standby", "games")), State::proven);
  EXPECT_TRUE(in_some_pass(scheduler, [&] {
    return scheduler.findings().violated() == "replica_sync/standby";
  })) << "only its lag grows";
  EXPECT_GT(scheduler.page().value("pg_integrity_replica_lag_seconds"), 1);
  EXPECT_EQ(scheduler.page().value("pg_integrity_replica_up"), 1);
  on_standby.run("SELECT pg_wal_replay_resume()");
  EXPECT_TRUE(in_some_pass(scheduler, [&] {
    return scheduler.findings().collector("replica_sync").state == State::proven;
  }));
}

TEST_F(ReplicaSync, AStandbysOwnDamageIsFoundInItsTableAlone) {
  db.run("CHECKPOINT");
  in_step();
  Client(standby_->dsn("postgres")).run("CHECKPOINT");
  const std::string file =
      standby_->data_directory() + "/" + db.ask("SELECT pg_relation_filepath('games')");
  standby_->stop();
  {
    std::fstream pages(file, std::ios::in | std::ios::out | std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(pages), {}};
    const std::size_t at = bytes.find("game 5");
    ASSERT_NE(at, std::string::npos);
    pages.clear();
    pages.seekp(static_cast<std::streamoff>(at));
    pages << "gone 5";
  }
  standby_->start();
  const Findings found = compare(db, standby());
  EXPECT_EQ(found.violated(), table_of("standby", "games"));
  EXPECT_EQ(rows_off(found, "games"), 0);
  EXPECT_EQ(matches(found, "games"), 0);
}

TEST_F(ReplicaSync, AStandbyThatStopsIsDownAndItsTablesAreNotDifferent) {
  RunningScheduler scheduler(config(db, standby()));
  ASSERT_TRUE(passed(scheduler));
  EXPECT_EQ(scheduler.findings().collector("replica_sync").state, State::proven);
  standby_->stop();
  scheduler.clock.advance(Seconds(15 * 60 + 1));
  EXPECT_TRUE(
      eventually([&] { return scheduler.findings().violated() == "replica_sync/standby"; }));
  EXPECT_EQ(scheduler.page().value("pg_integrity_up"), 1) << "the database is not its copy";
  standby_->start();
  EXPECT_TRUE(in_some_pass(scheduler, [&] {
    return scheduler.findings().collector("replica_sync").state == State::proven;
  }));
}

/// A subscriber to the same tables, in another order and under other settings.
class SubscriberOf : public ReplicaSync {
 public:
  ~SubscriberOf() override { copy.run("DROP SUBSCRIPTION s_" + db.name()); }

 protected:
  SubscriberOf() {
    copy.run(kTypes);
    copy.run(kTables);
    copy.run("CREATE TABLE odd (" + std::string(kOtherOrder) + ")");
    for (const char* setting :
         {"TimeZone = 'Asia/Kolkata'", "DateStyle = 'SQL, DMY'", "IntervalStyle = 'iso_8601'",
          "bytea_output = 'escape'", "extra_float_digits = 0", "quote_all_identifiers = on"})
      copy.run("ALTER DATABASE " + copy.name() + " SET " + setting);
    db.run("CREATE PUBLICATION p FOR TABLE users, games, empty, keyless, odd");
    db.run("ALTER TABLE keyless REPLICA IDENTITY FULL");
    copy.run("CREATE SUBSCRIPTION s_" + db.name() + " CONNECTION '" + db.dsn() + "' PUBLICATION p");
    EXPECT_TRUE(eventually([&] {
      return copy.ask("SELECT count(*) FROM pg_subscription_rel WHERE srsubstate = 'r'") == "5";
    }));
  }

  [[nodiscard]] std::string subscriber(const std::string& more = {}) const {
    return replica("logical", copy.dsn(), more);
  }

  Database copy{*subscriber_, "copy_of_" + db.name()};
};

TEST_F(SubscriberOf, TheSameRowsInAnotherOrderAreProven) {
  db.run("CREATE TABLE unpublished (i int PRIMARY KEY)");
  const Findings found = compare(db, subscriber("max_lag = \"60s\""));
  for (const char* table : {"users", "games", "empty", "keyless", "odd"}) {
    EXPECT_EQ(rows_off(found, table), 0) << table;
    EXPECT_EQ(matches(found, table), 1) << table;
  }
  EXPECT_FALSE(found.has_object(table_of("logical", "unpublished")));
  EXPECT_EQ(found.value("pg_integrity_replica_lag_seconds"), 0);
  EXPECT_EQ(found.collector("replica_sync").state, State::proven);
}

TEST_F(SubscriberOf, WhatSomebodyChangedInTheCopyIsFound) {
  copy.run(
      "DELETE FROM users WHERE id = 3; INSERT INTO keyless VALUES ('more');"
      "UPDATE odd SET f8 = f8 + 1e-16 WHERE id = 1; UPDATE odd SET t = '' WHERE id = 2");
  const Findings found = compare(db, subscriber());
  EXPECT_EQ(found.violated(), table_of("logical", "keyless") + " " + table_of("logical", "odd") +
                                  " " + table_of("logical", "users"));
  EXPECT_EQ(rows_off(found, "users"), -1);
  EXPECT_EQ(rows_off(found, "keyless"), 1);
  EXPECT_EQ(rows_off(found, "odd"), 0);
  EXPECT_EQ(matches(found, "odd"), 0) << "NULL is not the empty text";
  EXPECT_EQ(matches(found, "games"), 1);
}

TEST_F(SubscriberOf, WhatWasSoundMustBeFoundDifferentTwice) {
  RunningScheduler scheduler(config(db, subscriber()));
  const std::string users = table_of("logical", "users");
  ASSERT_TRUE(passed(scheduler));
  EXPECT_EQ(scheduler.findings().state(users), State::proven);
  copy.run("DELETE FROM users WHERE id = 3");
  scheduler.clock.advance(Seconds(15 * 60 + 1));
  EXPECT_TRUE(eventually([&] {
    const auto found = scheduler.findings();
    const auto& object =
        *found.snapshot->collectors.at(0)->objects.at({"logical", "public", "users"});
    return object.trouble && object.trouble->reason == Reason::pending;
  }));
  EXPECT_EQ(scheduler.findings().violated(), "");
  scheduler.clock.advance(Seconds(61));
  EXPECT_TRUE(eventually([&] { return scheduler.findings().violated() == users; }));
  copy.run("INSERT INTO users VALUES (3, 'user 3')");
  scheduler.clock.advance(Seconds(61));
  EXPECT_TRUE(eventually([&] { return scheduler.findings().state(users) == State::proven; }));
}

TEST_F(SubscriberOf, AStoppedSubscriptionIsBehindNotDifferent) {
  copy.run("ALTER SUBSCRIPTION s_" + db.name() + " DISABLE");
  ASSERT_TRUE(eventually([&] {
    return copy.ask("SELECT count(*) FROM pg_stat_subscription WHERE pid IS NOT NULL") == "0";
  }));
  db.run("INSERT INTO users VALUES (1000, 'new')");
  const Findings found = compare(db, subscriber("max_lag = \"60s\""));
  EXPECT_EQ(found.reason("replica_sync/logical"), Reason::missing) << "it tells no lag";
  EXPECT_EQ(found.reason(table_of("logical", "users")), Reason::pending);
  EXPECT_EQ(matches(found, "games"), 1);
  EXPECT_EQ(found.violated(), "");
}

TEST_F(SubscriberOf, ABusyWriterRaisesNothing) {
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    Client client(db.dsn());
    for (int id = 1000; !stop; ++id) {
      const std::string key = std::to_string(id);
      client.run("INSERT INTO users VALUES (" + key + ", 'new')");
      client.run("UPDATE games SET name = random()::text WHERE id = 1 + " + key + " % 10");
      if (id % 3 != 0) client.run("DELETE FROM users WHERE id = " + key);
    }
  });
  std::shared_ptr<const SavedEvidence> saved;
  for (int i = 0; i < 3; ++i) {
    const Findings found = look(config(db, subscriber() + standby()), saved);
    EXPECT_EQ(found.violated(), "");
    for (const char* name : {"logical", "standby"}) {
      EXPECT_EQ(found.state(std::string("replica_sync/") + name), State::proven);
      EXPECT_EQ(found.state(table_of(name, "odd")), State::proven) << "nobody writes to it";
    }
    saved = found.saved;
  }
  stop = true;
  writer.join();
  ASSERT_TRUE(eventually([&] {
    const Findings found = look(config(db, subscriber() + standby()), saved);
    return found.collector("replica_sync").state == State::proven;
  }));
}

}  // namespace
}  // namespace pg_integrity::test::replica_sync_test
