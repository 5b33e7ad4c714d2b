// Rows of users' tables are read only after the names of the statement were judged. Every attempt
// here is one of a role that may create objects and waits for the exporter's session.
#include "exporter/postgres/guarded_read.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "collectors/base/errors.h"
#include "collectors/ports/session.h"
#include "tests/support/cluster.h"
#include "tests/support/failure.h"
#include "tests/support/opened_session.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::guarded_read_test {
namespace {

class GuardedRead : public ::testing::Test {
 protected:
  GuardedRead() {
    db_.run(
        "DROP ROLE IF EXISTS planter; CREATE ROLE planter;"
        " GRANT CREATE ON SCHEMA public TO planter; GRANT CREATE ON DATABASE " +
        db_.name() +
        " TO planter; CREATE TABLE public.called (by_whom text);"
        " GRANT ALL ON public.called TO planter");
    plant(
        "CREATE FUNCTION evil(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN"
        " IF current_user <> 'planter' THEN RAISE EXCEPTION 'called'; END IF; RETURN $1; END $$;"
        "CREATE FUNCTION evil(int, int) RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN"
        " IF current_user <> 'planter' THEN RAISE EXCEPTION 'called'; END IF; RETURN 1; END $$;"
        "CREATE SCHEMA shop; CREATE TABLE shop.t (id int); INSERT INTO shop.t VALUES (1), (2)");
  }
  ~GuardedRead() override { db_.run("DROP OWNED BY planter CASCADE; DROP ROLE planter"); }

  void plant(const std::string& sql) const { db_.run("SET ROLE planter; " + sql); }

  Rows read(const std::string& sql, Access access = Access::heap) {
    return session_->query(sql, access);
  }
  Reason refusal(const std::string& sql, Access access = Access::heap) {
    const SourceError error = failure([&] { read(sql, access); });
    text_ = error.what();
    return error.reason();
  }

  const Database db_;
  OpenedSession session_{db_};
  std::string text_;  ///< of the newest refusal
};

constexpr const char* kCount = R"(SELECT count(*) AS rows FROM ONLY "shop"."t")";

TEST_F(GuardedRead, ATableIsReadAndParametersArePassed) {
  for (const Access access : {Access::heap, Access::index}) {
    EXPECT_EQ(read(kCount, access).only().number("rows"), 2);
    const std::string parameters[] = {"2", "a 'quoted' one; SELECT 1"};
    const Rows rows = session_->query(
        R"(SELECT count(*) AS rows, $2::text AS text FROM ONLY "shop"."t" WHERE id = $1::int)",
        parameters, access);
    EXPECT_EQ(rows.only().number("rows"), 1);
    EXPECT_EQ(rows.only().text("text"), parameters[1]);
  }
}

TEST_F(GuardedRead, ASecondStatementIsRefused) {
  EXPECT_NE(refusal(std::string(kCount) + "; SELECT 1"), Reason::internal);
  EXPECT_EQ(read(kCount).only().number("rows"), 2) << "the session goes on";
}

TEST_F(GuardedRead, AViewInTheTablesPlaceIsRefused) {
  plant("ALTER TABLE shop.t RENAME TO old; CREATE VIEW shop.t AS SELECT evil(1) AS id");
  EXPECT_EQ(refusal(R"(SELECT count(*) AS rows FROM "shop"."t")"), Reason::conflict) << text_;
  plant(
      "ALTER SCHEMA shop RENAME TO away; CREATE SCHEMA shop;"
      " CREATE VIEW shop.t AS SELECT evil(id) AS id FROM away.old");
  EXPECT_EQ(refusal(R"(SELECT count(*) AS rows FROM "shop"."t")"), Reason::conflict) << text_;
}

TEST_F(GuardedRead, ATableWithForeignCodeInTheTablesPlaceIsRefused) {
  const std::pair<const char*, const char*> plants[] = {
      {"index", "CREATE INDEX i ON shop.t ((id + evil(1)))"},
      {"predicate", "CREATE INDEX i ON shop.t (id) WHERE id > evil(1)"},
      {"range",
       "CREATE TYPE r AS RANGE (SUBTYPE = int, SUBTYPE_DIFF = evil);"
       " ALTER TABLE shop.t ADD col r DEFAULT '[1,5)'; ANALYZE shop.t;"
       " CREATE INDEX i ON shop.t (id) WHERE col && '[1,100)'::r"},
      {"domain",
       "CREATE DOMAIN d AS int CHECK (evil(value) > 0);"
       " CREATE INDEX i ON shop.t ((id::d))"},
      {"operator",
       "CREATE OPERATOR @@@ (LEFTARG = int, RIGHTARG = int, FUNCTION = evil);"
       " CREATE INDEX i ON shop.t ((id + (1 @@@ 1)))"}};
  for (const auto& [name, sql] : plants) {
    plant(sql);
    EXPECT_EQ(refusal(kCount), Reason::unsafe) << name << text_;
    plant("DROP INDEX shop.i");
    EXPECT_EQ(read(kCount).only().number("rows"), 2) << name;
  }
}

/// Reads as a role that has policies to obey.
class Filtered : public GuardedRead {
 protected:
  Filtered() {
    db_.run(
        "DROP ROLE IF EXISTS filtered; CREATE ROLE filtered LOGIN;"
        " GRANT USAGE ON SCHEMA shop TO filtered; GRANT SELECT ON shop.t TO filtered;"
        " ALTER TABLE shop.t ENABLE ROW LEVEL SECURITY");
  }
  ~Filtered() override { db_.run("DROP OWNED BY filtered; DROP ROLE filtered"); }

  /// The rows that the role counts, or the reason why it counts none.
  std::string counted() {
    OpenedSession session(db_, "filtered");
    try {
      return session->query(kCount, Access::heap).only().text("rows");
    } catch (const SourceError& error) {
      return std::string(name_of(error.reason()));
    }
  }
};

TEST_F(Filtered, RowsThatAPolicyHidesAreALimit) {
  EXPECT_EQ(counted(), "policy");
  db_.run("CREATE POLICY half ON shop.t USING (id = 1)");
  EXPECT_EQ(counted(), "policy");
  db_.run("CREATE POLICY writes ON shop.t FOR INSERT TO filtered WITH CHECK (true)");
  EXPECT_EQ(counted(), "policy");
  db_.run("CREATE POLICY others ON shop.t FOR SELECT TO planter USING (true)");
  EXPECT_EQ(counted(), "policy");
}

TEST_F(Filtered, AllRowsAreReadThroughAPolicyThatShowsThem) {
  db_.run(
      "CREATE POLICY half ON shop.t USING (id = 1);"
      "CREATE POLICY pg_integrity ON shop.t FOR SELECT TO filtered USING (true)");
  EXPECT_EQ(counted(), "2");
  db_.run("CREATE POLICY restrictive ON shop.t AS RESTRICTIVE USING (id = 2)");
  EXPECT_EQ(counted(), "policy");
  db_.run("DROP POLICY restrictive ON shop.t; DROP POLICY half ON shop.t");
  plant("CREATE POLICY calls ON shop.t USING (id = evil(1))");
  EXPECT_EQ(counted(), "unsafe");
}

TEST_F(Filtered, PoliciesOfAPartitionDoNotCountForItsParent) {
  db_.run(
      "CREATE TABLE shop.whole (id int) PARTITION BY RANGE (id);"
      "CREATE TABLE shop.part PARTITION OF shop.whole FOR VALUES FROM (0) TO (9);"
      "INSERT INTO shop.whole VALUES (1); ALTER TABLE shop.part ENABLE ROW LEVEL SECURITY;"
      "GRANT SELECT ON shop.whole TO filtered");
  OpenedSession session(db_, "filtered");
  EXPECT_EQ(session->query(R"(SELECT count(*) AS rows FROM "shop"."whole")", Access::heap)
                .only()
                .number("rows"),
            1);
}

TEST_F(GuardedRead, AStatementLeavesNothingBehindWhateverBecomesOfIt) {
  const auto prepared = [&] {
    return session_
        ->query(
            "SELECT count(*) AS left FROM pg_prepared_statements WHERE name NOT LIKE"
            " 'pg\\_integrity\\_kept\\_%'")
        .only()
        .number("left");
  };
  read(kCount);
  EXPECT_EQ(prepared(), 0);
  EXPECT_EQ(refusal(R"(SELECT 1 / (count(*) - 2) FROM ONLY "shop"."t")"), Reason::decode) << text_;
  EXPECT_EQ(prepared(), 0);
  EXPECT_EQ(refusal(R"(SELECT count(*) FROM ONLY "shop"."nothing")"), Reason::missing) << text_;
  EXPECT_EQ(prepared(), 0);
  plant("CREATE INDEX i ON shop.t ((id + evil(1)))");
  EXPECT_EQ(refusal(kCount), Reason::unsafe) << text_;
  EXPECT_EQ(prepared(), 0);
}

TEST_F(GuardedRead, GuardsAreKeptFromOneReadToTheNext) {
  const char* prepared =
      "SELECT string_agg(name || prepare_time, ' ' ORDER BY name) AS kept FROM"
      " pg_prepared_statements";
  read(kCount);
  const std::string first = session_->query(prepared).only().text("kept");
  EXPECT_NE(first.find("pg_integrity_kept_guard"), std::string::npos) << first;
  read(kCount);
  EXPECT_EQ(session_->query(prepared).only().text("kept"), first);
}

TEST_F(GuardedRead, LostGuardsAreReplaced) {
  EXPECT_EQ(read(kCount).only().number("rows"), 2);
  session_->query("DEALLOCATE ALL");
  EXPECT_EQ(read(kCount).only().number("rows"), 2);
  EXPECT_EQ(read(kCount).only().number("rows"), 2);
  plant("CREATE INDEX i ON shop.t ((id + evil(1)))");
  EXPECT_EQ(refusal(kCount), Reason::unsafe) << text_;
}

TEST_F(GuardedRead, AGuardReadsNoCatalogFromEndToEnd) {
  db_.run("ALTER DATABASE " + db_.name() + " SET enable_indexscan = off");
  const auto scans = [&] {
    return db_.ask("SELECT pg_stat_get_numscans('pg_catalog.pg_attribute'::regclass)");
  };
  const std::string before = scans();
  {
    OpenedSession later(db_);
    later->query(kCount, Access::heap);
    later->query(kCount, Access::index);
  }
  // A session tells the server's statistics at its end.
  EXPECT_TRUE(eventually([&] {
    return db_.ask("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()") ==
           "2";  // that of the test, and the one that asks
  }));
  EXPECT_EQ(scans(), before);
}

TEST_F(GuardedRead, TheHeapIsReadWhereAnIndexLacksRows) {
  db_.run(
      "CREATE TABLE kid (id int, pad text); INSERT INTO kid SELECT i, repeat('y', 300)"
      " FROM generate_series(1, 20000) i; CREATE INDEX kid_id ON kid (id)");
  db_.run("VACUUM ANALYZE kid");
  db_.run(
      "UPDATE pg_index SET indisready = false, indisvalid = false"
      " WHERE indexrelid = 'kid_id'::regclass; INSERT INTO kid VALUES (60000);"
      "UPDATE pg_index SET indisready = true, indisvalid = true"
      " WHERE indexrelid = 'kid_id'::regclass");
  const char* sql = R"(SELECT count(*) AS rows, max(id) AS highest FROM ONLY "public"."kid")";
  EXPECT_EQ(read(sql, Access::catalog).only().number("rows"), 20000) << "the planner takes it";
  EXPECT_EQ(read(sql).only().number("rows"), 20001);
  EXPECT_EQ(read(sql).only().number("highest"), 60000);
  db_.run("ALTER DATABASE " + db_.name() + " SET enable_seqscan = off");
  OpenedSession later(db_);
  EXPECT_EQ(later->query(sql, Access::heap).only().number("rows"), 20001)
      << "the planner may not choose between two things that are switched off";
}

}  // namespace
}  // namespace pg_integrity::test::guarded_read_test
