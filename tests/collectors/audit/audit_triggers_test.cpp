#include <gtest/gtest.h>

#include "collectors/base/errors.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/evidence/verdict.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::audit_triggers_test {
namespace {

/// A table t of ten rows whose deletes and updates are logged, and u, which nobody audits.
class AuditTriggers : public testing::Test {
 protected:
  AuditTriggers() {
    db.run(R"(CREATE TABLE log (about text, event text);
      CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO public.log VALUES (TG_TABLE_NAME, TG_OP); RETURN NULL; END $$;
      CREATE TABLE t (i int); CREATE TABLE u (i int);
      INSERT INTO t SELECT generate_series(1, 10); INSERT INTO u SELECT generate_series(1, 10);
      CREATE TRIGGER a AFTER DELETE OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION audit();)");
  }

  static std::string audited(const std::string& more = kLog) {
    return "[[server.collectors.audit_triggers.audited]]\ntables = [\"public.t*\"]\nfunction = "
           "\"public.audit\"\n" +
           more + "\n";
  }
  [[nodiscard]] Findings look_at(const std::string& more = audited(),
                                 std::shared_ptr<const SavedEvidence> record = nullptr) const {
    return look(one_server(db.dsn(), more, "audit_triggers"), std::move(record));
  }
  static std::optional<double> enabled(const Findings& found, const char* event = "delete",
                                       const char* table = "t") {
    return found.value("pg_integrity_audit_trigger_enabled",
                       {{"schema", "public"}, {"table", table}, {"event", event}});
  }
  static std::optional<double> unaudited(const Findings& found) {
    return found.value("pg_integrity_unaudited_deletes", {{"schema", "public"}, {"table", "t"}});
  }
  /// After `breaks` the trigger of deletes counts as not enabled, until `mends`.
  void expect_off(const std::string& breaks, const std::string& mends) const {
    db.run(breaks);
    const Findings found = look_at();
    EXPECT_EQ(enabled(found), 0) << breaks;
    EXPECT_EQ(found.violated(), "audit_triggers/public.t.delete") << breaks;
    db.run(mends);
    EXPECT_EQ(look_at(audited(), found.saved).violated(), "") << mends;
  }

  static inline const std::string kLog =
      "log = { table = \"log\", about = \"about\", event = \"event\", deletes = [\"DELETE\"] }";
  Database db;
};

TEST_F(AuditTriggers, OneThatRunsIsProvenAndNobodyElsesTableIsJudged) {
  const Findings found = look_at(audited("events = [\"delete\", \"update\"]"));
  EXPECT_EQ(enabled(found), 1);
  EXPECT_EQ(enabled(found, "update"), 1);
  EXPECT_EQ(found.state("audit_triggers/public.t.delete"), State::proven);
  EXPECT_EQ(found.page.all("pg_integrity_audit_trigger_enabled").size(), 2U);
  EXPECT_EQ(found.violated(), "");
}

TEST_F(AuditTriggers, OneThatDoesNotRunIsAViolation) {
  const std::string create =
      "CREATE TRIGGER a AFTER DELETE OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION audit()";
  expect_off("ALTER TABLE t DISABLE TRIGGER a", "ALTER TABLE t ENABLE TRIGGER a");
  expect_off("ALTER TABLE t ENABLE REPLICA TRIGGER a", "ALTER TABLE t ENABLE ALWAYS TRIGGER a");
  expect_off("DROP TRIGGER a ON t", create);
  expect_off(
      "DROP TRIGGER a ON t; CREATE TRIGGER a AFTER DELETE ON t FOR EACH ROW WHEN (OLD.i > 5)"
      " EXECUTE FUNCTION audit()",
      "DROP TRIGGER a ON t; " + create);
  expect_off(
      "DROP TRIGGER a ON t; CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS"
      " 'BEGIN RETURN NULL; END'; CREATE TRIGGER a AFTER DELETE ON t EXECUTE FUNCTION other()",
      "DROP TRIGGER a ON t; " + create);
}

TEST_F(AuditTriggers, ARoleThatIsSetToWriteAsAReplicaGoesPastIt) {
  db.run("DROP ROLE IF EXISTS past_it; CREATE ROLE past_it");
  const std::string in_database = "ALTER ROLE past_it IN DATABASE " + db.name();
  expect_off(in_database + " SET session_replication_role = 'replica'",
             in_database + " SET session_replication_role = 'origin'");
  expect_off("ALTER DATABASE " + db.name() + " SET session_replication_role = 'replica'",
             "ALTER TABLE t ENABLE ALWAYS TRIGGER a");
}

TEST_F(AuditTriggers, ARowTriggerDoesNotCoverTruncate) {
  const std::string config = audited("events = [\"delete\", \"truncate\"]");
  EXPECT_EQ(look_at(config).violated(), "audit_triggers/public.t.truncate");
  db.run("CREATE TRIGGER b AFTER TRUNCATE ON t EXECUTE FUNCTION audit()");
  EXPECT_EQ(look_at(config).violated(), "");
}

TEST_F(AuditTriggers, AnUpdateTriggerOfSomeColumnsIsNotEnough) {
  db.run(
      "DROP TRIGGER a ON t; CREATE TRIGGER a AFTER DELETE OR UPDATE OF i ON t FOR EACH ROW EXECUTE "
      "FUNCTION audit()");
  const Findings found = look_at(audited("events = [\"delete\", \"update\"]"));
  EXPECT_EQ(found.violated(), "audit_triggers/public.t.update");
}

TEST_F(AuditTriggers, AnotherBodyIsAViolationWhereItIsPinned) {
  const std::string hash = db.ask(
      "SELECT encode(sha256(convert_to(prosrc, 'UTF8')), 'hex') FROM pg_proc WHERE proname ="
      " 'audit'");
  const std::string pinned = audited("body_sha256 = \"" + hash + "\"");
  EXPECT_EQ(look_at(pinned).violated(), "");
  db.run(
      "CREATE OR REPLACE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS"
      " 'BEGIN RETURN NULL; END'");
  EXPECT_EQ(look_at(pinned).violated(), "audit_triggers/public.t.delete");
  EXPECT_EQ(look_at().violated(), "") << "not pinned";
}

TEST_F(AuditTriggers, EveryPartitionMustBeAudited) {
  db.run(
      "CREATE TABLE tp (i int) PARTITION BY RANGE (i);"
      "CREATE TABLE tp_1 PARTITION OF tp FOR VALUES FROM (0) TO (9);"
      "CREATE TABLE tp_2 PARTITION OF tp FOR VALUES FROM (9) TO (19);"
      "CREATE TRIGGER a AFTER DELETE ON tp FOR EACH ROW EXECUTE FUNCTION audit()");
  EXPECT_EQ(enabled(look_at(), "delete", "tp"), 1);
  db.run("ALTER TABLE tp_2 DISABLE TRIGGER a");
  EXPECT_EQ(look_at().violated(), "audit_triggers/public.tp.delete");
}

TEST_F(AuditTriggers, APartitionedTableWithoutAPartitionIsJudgedItself) {
  db.run(
      "CREATE TABLE tp (i int) PARTITION BY RANGE (i);"
      "CREATE TRIGGER a AFTER DELETE ON tp FOR EACH ROW EXECUTE FUNCTION audit()");
  const Findings found = look_at();
  EXPECT_EQ(enabled(found, "delete", "tp"), 1);
  EXPECT_EQ(found.violated(), "");
  db.run("CREATE TABLE tp_0 PARTITION OF tp DEFAULT PARTITION BY RANGE (i)");
  EXPECT_EQ(enabled(look_at(), "delete", "tp"), 1) << "nor has its only partition one";
  db.run("DROP TRIGGER a ON tp");
  EXPECT_EQ(look_at().violated(), "audit_triggers/public.tp.delete");
}

TEST_F(AuditTriggers, APatternWithoutATableIsUnproven) {
  db.run("DROP TABLE t");
  EXPECT_EQ(look_at().reason("audit_triggers/public.t*.delete"), Reason::missing);
}

TEST_F(AuditTriggers, TheFirstLookIsABaselineAndAuditedDeletesAreNoFinding) {
  db.run("DELETE FROM t WHERE i = 1");
  Findings found = look_at();
  EXPECT_FALSE(unaudited(found)) << "what went before cannot be judged";
  EXPECT_EQ(found.state("audit_triggers/public.t"), State::observed);
  db.run("DELETE FROM t WHERE i <= 3; UPDATE t SET i = i; INSERT INTO u VALUES (1); DELETE FROM u");
  found = look_at(audited(), found.saved);
  EXPECT_EQ(unaudited(found), 0);
  EXPECT_EQ(found.state("audit_triggers/public.t"), State::proven);
}

TEST_F(AuditTriggers, ABypassedDeleteIsFoundAndStaysFound) {
  Findings found = look_at();
  db.run(
      "DELETE FROM t WHERE i <= 2; BEGIN; SET LOCAL session_replication_role = replica;"
      "DELETE FROM t WHERE i <= 5; COMMIT");
  found = look_at(audited(), found.saved);
  EXPECT_EQ(unaudited(found), 3);
  EXPECT_EQ(found.violated(), "audit_triggers/public.t") << "the trigger itself is as it should be";
  // Neither another check, nor new rows, nor later audited deletes clear it.
  found = look_at(audited(), found.saved);
  EXPECT_EQ(unaudited(found), 3);
  db.run("INSERT INTO t SELECT generate_series(1, 5); DELETE FROM t WHERE i <= 2");
  found = look_at(audited(), found.saved);
  EXPECT_EQ(unaudited(found), 3);
  EXPECT_EQ(found.violated(), "audit_triggers/public.t");
  const std::string accept =
      "accept = [{ object = \"audit_triggers/public.t\", at_most = 3, until = 2099-01-01, reason ="
      " \"x\" }]\n";
  EXPECT_EQ(look_at(accept + audited(), found.saved).state("audit_triggers/public.t"),
            State::accepted);
  found = look_at("[server.collectors.audit_triggers]\nbaseline = 1\n" + audited(), found.saved);
  EXPECT_EQ(found.violated(), "") << "a new baseline";
}

TEST_F(AuditTriggers, ATruncateIsADeleteThatNobodyLogged) {
  Findings found = look_at();
  db.run("TRUNCATE t");
  found = look_at(audited(), found.saved);
  EXPECT_EQ(unaudited(found), 10);
}

TEST_F(AuditTriggers, ATableThatIsDroppedAndMadeAnewClearsNothing) {
  Findings found = look_at();
  db.run("SET session_replication_role = replica; DELETE FROM t WHERE i <= 3");
  found = look_at(audited(), found.saved);
  ASSERT_EQ(unaudited(found), 3);
  db.run("DROP TABLE t");
  found = look_at(audited(), found.saved);
  EXPECT_EQ(found.state("audit_triggers/public.t"), State::violated) << "dropping repairs nothing";
  db.run(
      "CREATE TABLE t (i int); INSERT INTO t SELECT generate_series(1, 10);"
      "CREATE TRIGGER a AFTER DELETE OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION audit()");
  found = look_at(audited(), found.saved);
  EXPECT_EQ(unaudited(found), 3);
  EXPECT_EQ(found.violated(), "audit_triggers/public.t");
}

TEST_F(AuditTriggers, EntriesThatVanishDoNotCoverWhatTheyCovered) {
  Findings found = look_at();
  db.run("DELETE FROM t WHERE i <= 4; DELETE FROM log");
  found = look_at(audited(), found.saved);
  EXPECT_EQ(unaudited(found), 4);
}

TEST_F(AuditTriggers, TheRunningExporterFindsItToo) {
  RunningScheduler sampling(
      one_server(db.dsn(), "[server.collectors.audit_triggers]\ninterval = \"1s\"\n" + audited(),
                 "audit_triggers"));
  ASSERT_TRUE(eventually([&] { return unaudited(sampling.findings()) == 0; }));
  db.run(
      "ALTER TABLE t DISABLE TRIGGER a; DELETE FROM t WHERE i = 1;"
      "ALTER TABLE t ENABLE TRIGGER a");
  EXPECT_TRUE(eventually([&] { return unaudited(sampling.findings()) == 1; }));
}

TEST_F(AuditTriggers, TheStatisticsGapIsToldNotJudged) {
  db.run("BEGIN; DELETE FROM t; ROLLBACK; DELETE FROM t WHERE i = 1");
  std::optional<double> gap;
  EXPECT_TRUE(eventually([&] {
    gap = look_at().value("pg_integrity_delete_audit_gap", {{"table", "t"}});
    return gap == 10;
  })) << gap.value_or(-1);
  EXPECT_EQ(look_at().violated(), "");
}

TEST_F(AuditTriggers, WhatCannotBeCountedIsUnproven) {
  EXPECT_EQ(look_at(audited("log = { table = \"nowhere\", about = \"about\" }"))
                .reason("audit_triggers/public.t"),
            Reason::missing);
  EXPECT_EQ(look_at(audited("log = { table = \"log\", about = \"nothing\" }"))
                .reason("audit_triggers/public.t"),
            Reason::missing);
  EXPECT_EQ(look_at("[server.collectors.audit_triggers]\nexact_up_to = \"1kB\"\n" + audited())
                .reason("audit_triggers/public.t"),
            Reason::too_large);
}

TEST_F(AuditTriggers, ALargeLogIsReadThroughAnIndexOrNotAtAll) {
  db.run("INSERT INTO log SELECT 'other', 'DELETE' FROM generate_series(1, 5000)");
  const std::string gate = "[server.collectors.audit_triggers]\nexact_up_to = \"16kB\"\n";
  EXPECT_EQ(look_at(gate + audited()).reason("audit_triggers/public.t"), Reason::too_large);
  db.run("CREATE INDEX ON log (event, about)");
  EXPECT_EQ(look_at(gate + audited()).reason("audit_triggers/public.t"), Reason::too_large);
  db.run("CREATE INDEX ON log (about)");
  Findings found = look_at(gate + audited());
  EXPECT_EQ(found.state("audit_triggers/public.t"), State::observed) << "the first look";
  db.run("DELETE FROM t WHERE i = 1");
  found = look_at(gate + audited(), found.saved);
  EXPECT_EQ(unaudited(found), 0);
}

TEST_F(AuditTriggers, AConfigurationThatCannotMeanAnythingIsRefused) {
  for (const char* wrong :
       {"events = [\"select\"]", "log = { table = \"log\", about = \"about\", event = \"event\" }",
        "log = { table = \"log\", about = \"about\", deletes = [\"D\"] }"})
    EXPECT_THROW(options_from(one_server("host=127.0.0.1 dbname=d", audited(wrong))),
                 std::runtime_error)
        << wrong;
}

}  // namespace
}  // namespace pg_integrity::test::audit_triggers_test
