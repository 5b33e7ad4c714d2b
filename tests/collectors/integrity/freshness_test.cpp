#include <gtest/gtest.h>

#include "collectors/base/errors.h"
#include "exporter/evidence/verdict.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::freshness_test {
namespace {

Findings look_at_entries(const Database& database, const std::string& more = {}) {
  return look(one_server(database.dsn(), more, "freshness"));
}

std::string watch(const std::string& table, const std::string& rest) {
  return "[[server.collectors.freshness.tables]]\ntable = \"" + table + "\"\n" + rest + "\n";
}

const std::string kZone = "[server.collectors.freshness]\nzone = \"Asia/Kolkata\"\n";

std::optional<double> fact(const Findings& found, const std::string& name,
                           const std::string& table) {
  return found.value("pg_integrity_table_" + name, {{"schema", "public"}, {"table", table}});
}

TEST(Freshness, DiscoversTheColumnThatSaysWhenARowWasWritten) {
  const Database db;
  db.run(R"(CREATE TABLE plain (updated_at timestamptz, created_at timestamptz);
    CREATE TABLE camel ("createdAt" timestamptz); CREATE TABLE indexed (inserted_at timestamptz PRIMARY KEY);
    CREATE TABLE named (created text, starts_at timestamptz); CREATE TABLE none (id int);
    INSERT INTO plain VALUES (now(), now() - interval '1 hour'), (now(), now() - interval '2 hours');
    INSERT INTO camel VALUES (now() - interval '3 years'); INSERT INTO indexed VALUES (now());)");
  const Findings found = look_at_entries(db);
  EXPECT_EQ(found.page.all("pg_integrity_table_last_entry_timestamp_seconds").size(), 3U);
  EXPECT_NEAR(fact(found, "last_entry_timestamp_seconds", "plain").value(),
              std::stod(db.ask("SELECT extract(epoch FROM max(created_at)) FROM plain")), 1);
  EXPECT_TRUE(found.value("pg_integrity_table_last_entry_timestamp_seconds",
                          {{"table", "camel"}, {"column", "createdAt"}}));
  EXPECT_EQ(found.page.all("pg_integrity_table_future_rows").size(), 3U);
  EXPECT_EQ(found.violated(), "");
  EXPECT_EQ(found.collector("freshness").state, State::proven) << "old is no fault of a table";
}

TEST(Freshness, StaleIsAViolationOnlyWhereAMaximumWasPromised) {
  const Database db;
  db.run(R"(CREATE TABLE quiet (at timestamptz); CREATE TABLE busy (at timestamptz);
    INSERT INTO quiet VALUES (now() - interval '3 hours'); INSERT INTO busy SELECT at FROM quiet;)");
  const std::string config =
      watch("quiet", "column = \"at\"") + watch("busy", "column = \"at\"\nmax_age = \"2h\"");
  Findings found = look_at_entries(db, config);
  EXPECT_EQ(found.violated(), "freshness/public.busy.at");
  EXPECT_NEAR(fact(found, "last_entry_age_seconds", "busy").value(), 10800, 60);
  EXPECT_EQ(fact(found, "last_entry_max_age_seconds", "busy"), 7200);
  EXPECT_NEAR(fact(found, "last_entry_age_seconds", "quiet").value(), 10800, 60);
  EXPECT_FALSE(fact(found, "last_entry_max_age_seconds", "quiet"));
  db.run("INSERT INTO busy VALUES (now())");
  found = look_at_entries(db, config);
  EXPECT_EQ(found.state("freshness/public.busy.at"), State::proven);
}

TEST(Freshness, EmptyAllNullFutureAndStaleAreToldApart) {
  const Database db;
  db.run(R"(CREATE TABLE empty (at timestamptz); CREATE TABLE nulls (at timestamptz);
    CREATE TABLE future (at timestamptz); CREATE TABLE mixed (at timestamptz);
    INSERT INTO nulls VALUES (NULL), ('infinity'); INSERT INTO future VALUES (now() + interval '1 day');
    INSERT INTO mixed VALUES (NULL), (now() + interval '1 day'), (now());)");
  std::string config;
  for (const char* table : {"empty", "nulls", "future", "mixed"})
    config += watch(table, "column = \"at\"\nmax_age = \"1h\"");
  const Findings found = look_at_entries(db, config);
  EXPECT_EQ(found.reason("freshness/public.empty.at"), Reason::missing);
  EXPECT_EQ(found.reason("freshness/public.nulls.at"), Reason::decode);
  EXPECT_EQ(found.violated(), "freshness/public.future.at freshness/public.mixed.at");
  EXPECT_EQ(fact(found, "undated_rows", "empty"), 0);
  EXPECT_EQ(fact(found, "undated_rows", "nulls"), 2);
  EXPECT_EQ(fact(found, "future_rows", "future"), 1);
  EXPECT_FALSE(fact(found, "last_entry_timestamp_seconds", "future")) << "it has not been yet";
  EXPECT_EQ(fact(found, "future_rows", "mixed"), 1);
  EXPECT_NEAR(fact(found, "last_entry_age_seconds", "mixed").value(), 0, 60);
  EXPECT_EQ(found.page.all("pg_integrity_table_last_entry_age_seconds").size(), 1U);
}

TEST(Freshness, AbsenceRaisesNothingWhereNothingWasPromised) {
  const Database db;
  db.run(
      R"(CREATE TABLE empty (created_at timestamptz); CREATE TABLE nulls (created_at timestamptz);
    INSERT INTO nulls VALUES (NULL); CREATE TABLE chosen (at timestamptz);)");
  const Findings found = look_at_entries(db, watch("chosen", "column = \"at\""));
  EXPECT_EQ(found.collector("freshness").state, State::proven);
  EXPECT_EQ(fact(found, "undated_rows", "nulls"), 1);
  EXPECT_FALSE(fact(found, "undated_rows", "empty"));
}

TEST(Freshness, RowsOfTodayAreCountedInTheConfiguredZoneAndZeroIsNormal) {
  const Database db;
  db.run(R"(CREATE TABLE t (created_at timestamptz); CREATE TABLE quiet (created_at timestamptz);
    INSERT INTO quiet VALUES (now() - interval '50 hours');
    INSERT INTO t SELECT date_trunc('day', now() AT TIME ZONE 'Asia/Kolkata') AT TIME ZONE 'Asia/Kolkata' + i
      FROM (VALUES (interval '-1 second'), (interval '0'), (interval '0'), (interval '-2 days')) v(i);)");
  EXPECT_TRUE(look_at_entries(db).page.all("pg_integrity_table_rows_created_today").empty())
      << "whose day is not guessed";
  Findings found = look_at_entries(db, kZone);
  EXPECT_EQ(fact(found, "rows_created_today", "t"), 2);
  EXPECT_EQ(fact(found, "rows_created_today", "quiet"), 0);
  EXPECT_EQ(found.collector("freshness").state, State::proven);
  const int shift = std::stoi(
      db.ask("SELECT count(*) FROM t WHERE created_at >= date_trunc('day', now() AT TIME ZONE "
             "'Pacific/Kiritimati') AT TIME ZONE 'Pacific/Kiritimati'"));
  found = look_at_entries(
      db, kZone + watch("t", "column = \"created_at\"\nzone = \"Pacific/Kiritimati\""));
  EXPECT_EQ(fact(found, "rows_created_today", "t"), shift) << "a table's own zone goes first";
}

TEST(Freshness, AColumnWithoutZoneIsReadInTheConfiguredOneOrNotAtAll) {
  const Database db;
  db.run(R"(CREATE TABLE t (created_at timestamp); CREATE TABLE d (created_on date);
    INSERT INTO t VALUES (now() AT TIME ZONE 'Asia/Kolkata' - interval '10 minutes');)");
  Findings found = look_at_entries(db);
  EXPECT_TRUE(found.page.all("pg_integrity_table_last_entry_timestamp_seconds").empty());
  EXPECT_EQ(found.collector("freshness").state, State::observed) << "it pages nobody";
  EXPECT_EQ(
      found.value("pg_integrity_objects", {{"collector", "freshness"}, {"state", "excluded"}}), 2)
      << "but says that it did not look";
  const std::string promised = watch("t", "column = \"created_at\"\nmax_age = \"1h\"");
  EXPECT_EQ(look_at_entries(db, promised).reason("freshness/public.t.created_at"), Reason::config);
  found = look_at_entries(db, kZone + promised);
  EXPECT_NEAR(fact(found, "last_entry_age_seconds", "t").value(), 600, 60);
  EXPECT_EQ(found.violated(), "");
  found =
      look_at_entries(db, watch("t", "column = \"created_at\"\nmax_age = \"1h\"\nzone = \"UTC\""));
  EXPECT_EQ(found.violated(), "freshness/public.t.created_at") << "five hours in the future";
}

TEST(Freshness, WhatDoesNotFitIsUnprovenAndHarmsNobodyElse) {
  const Database db;
  db.run("CREATE TABLE t (at timestamptz, n int); INSERT INTO t VALUES (now(), 1)");
  const Findings found = look_at_entries(
      db, watch("t", "column = \"at\"\nmax_age = \"1h\"") + watch("t", "column = \"n\"") +
              watch("t", "column = \"nothing\"") + watch("nowhere", "column = \"at\""));
  EXPECT_EQ(found.state("freshness/public.t.at"), State::proven);
  EXPECT_EQ(found.reason("freshness/public.t.n"), Reason::config);
  EXPECT_EQ(found.reason("freshness/public.t.nothing"), Reason::missing);
  EXPECT_EQ(found.reason("freshness/public.nowhere.at"), Reason::missing);
}

TEST(Freshness, OfLargeTablesOnlyTheLastEntryIsReadThroughAnIndex) {
  const Database db;
  db.run(R"(CREATE TABLE indexed (created_at timestamptz); CREATE INDEX ON indexed (created_at);
    CREATE TABLE bare (created_at timestamptz);
    INSERT INTO indexed SELECT now() - i * interval '1 hour' FROM generate_series(2, 5000) i;
    INSERT INTO bare SELECT * FROM indexed; ANALYZE;)");
  const std::string gate = "[server.collectors.freshness]\nexact_up_to = \"8kB\"\n";
  Findings found = look_at_entries(db, gate);
  EXPECT_TRUE(fact(found, "last_entry_timestamp_seconds", "indexed"));
  EXPECT_FALSE(fact(found, "future_rows", "indexed")) << "an index may lack them";
  EXPECT_FALSE(fact(found, "undated_rows", "indexed")) << "nobody counted them";
  EXPECT_FALSE(found.has_object("freshness/public.bare.created_at")) << "nothing was promised";
  const std::string promised = "column = \"created_at\"\nmax_age = \"1h\"";
  found = look_at_entries(db, gate + watch("bare", promised) + watch("indexed", promised));
  EXPECT_EQ(found.reason("freshness/public.bare.created_at"), Reason::too_large);
  EXPECT_EQ(found.violated(), "freshness/public.indexed.created_at");
}

TEST(Freshness, RowsOfTheFutureAreFoundInLargeTablesToo) {
  const Database db;
  db.run(R"(CREATE TABLE t (created_at timestamptz); CREATE INDEX ON t (created_at);
    INSERT INTO t SELECT now() - i * interval '1 hour' FROM generate_series(2, 5000) i;
    INSERT INTO t VALUES (now() + interval '2 hours'), (now() + interval '3 hours'); ANALYZE;)");
  const Findings found =
      look_at_entries(db, "[server.collectors.freshness]\nexact_up_to = \"8kB\"\n");
  EXPECT_EQ(fact(found, "future_rows", "t"), 1) << "a lower bound";
  EXPECT_EQ(found.violated(), "freshness/public.t.created_at");
  EXPECT_TRUE(fact(found, "last_entry_timestamp_seconds", "t"));
}

TEST(Freshness, WhyALargeTableHasNoLastEntryIsToldToo) {
  const Database db;
  db.run(R"(CREATE TABLE emptied (at timestamptz); CREATE INDEX ON emptied (at);
    CREATE TABLE nulls (at timestamptz); CREATE INDEX ON nulls (at);
    CREATE TABLE future (at timestamptz); CREATE INDEX ON future (at);
    ALTER TABLE emptied SET (autovacuum_enabled = false);
    INSERT INTO emptied SELECT now() FROM generate_series(1, 5000);
    INSERT INTO nulls SELECT NULL FROM generate_series(1, 5000);
    INSERT INTO future SELECT now() + interval '1 day' FROM generate_series(1, 5000);
    ANALYZE; DELETE FROM emptied)");
  std::string config = "[server.collectors.freshness]\nexact_up_to = \"8kB\"\n";
  for (const char* table : {"emptied", "nulls", "future"})
    config += watch(table, "column = \"at\"\nmax_age = \"1h\"");
  const Findings found = look_at_entries(db, config);
  EXPECT_EQ(found.reason("freshness/public.emptied.at"), Reason::missing);
  EXPECT_EQ(found.reason("freshness/public.nulls.at"), Reason::decode);
  EXPECT_EQ(found.violated(), "freshness/public.future.at");
}

TEST(Freshness, ATableIsReadOnceForAllWhoAsk) {
  const Database db;
  db.run("CREATE TABLE t (created_at timestamptz, deleted_at timestamptz)");
  db.run("INSERT INTO t VALUES (now(), now())");
  const Findings found = look(one_server(db.dsn(),
                                         "[[server.collectors.audit_logs.logs]]\nname = "
                                         "\"log\"\ntable = \"t\"\ntime = \"deleted_at\"\n"));
  EXPECT_EQ(found.value("pg_integrity_table_rows", {{"table", "t"}}), 1);
  EXPECT_TRUE(fact(found, "last_entry_timestamp_seconds", "t"));
  const std::string scans = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 't'";
  EXPECT_TRUE(eventually([&] { return db.ask(scans) == "1"; })) << db.ask(scans);
}

TEST(Freshness, WhatMayNotBeReadIsUnproven) {
  const Database db;
  db.run(R"(CREATE TABLE t (created_at timestamptz); DROP ROLE IF EXISTS blind_four;
    CREATE ROLE blind_four LOGIN)");
  const Findings found = look(one_server(db.dsn("blind_four"), {}, "freshness"));
  EXPECT_EQ(found.reason("freshness/public.t.created_at"), Reason::permission);
}

}  // namespace
}  // namespace pg_integrity::test::freshness_test
