#include <gtest/gtest.h>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/registry.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/evidence/verdict.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::query_latency_test {
namespace {

std::string query(const std::string& name, const std::string& sql, const std::string& rest = {}) {
  return "[[server.collectors.query_latency.queries]]\nname = \"" + name + "\"\nsql = \"" + sql +
         "\"\n" + rest + "\n";
}

Findings time_queries(const Database& database, const std::string& more = {}) {
  return look(one_server(database.dsn(), more, "query_latency"));
}

TEST(QueryLatency, NeedsNoConfiguration) {
  const Database db;
  const Findings found = time_queries(db);
  for (const char* name : {"select_1", "indexed_read"}) {
    EXPECT_GT(found.value("pg_integrity_query_last_duration_seconds", {{"query", name}}), 0);
    EXPECT_EQ(found.value("pg_integrity_query_duration_seconds_count", {{"query", name}}), 1);
    EXPECT_EQ(found.state(std::string("query_latency/") + name), State::observed);
  }
  EXPECT_TRUE(found.page.all("pg_integrity_query_slow_ratio").empty());
}

TEST(QueryLatency, ABucketEndsAtTheObjective) {
  const Database db;
  const Findings found = time_queries(db, query("q", "SELECT 1", "objective = \"30s\""));
  EXPECT_EQ(
      found.value("pg_integrity_query_duration_seconds_bucket", {{"query", "q"}, {"le", "30"}}), 1);
  EXPECT_EQ(found.value("pg_integrity_query_objective_seconds", {{"query", "q"}}), 30);
  EXPECT_EQ(found.value("pg_integrity_query_slow_ratio", {{"query", "q"}}), 0);
  EXPECT_EQ(found.state("query_latency/q"), State::proven);
}

TEST(QueryLatency, OneSlowRunIsNoFindingManyAre) {
  const Database db;
  RunningScheduler scheduler(
      one_server(db.dsn(),
                 "[server.collectors.query_latency]\ninterval = \"1m\"\n" +
                     query("q", "SELECT pg_sleep(0.01)", "objective = \"1ms\""),
                 "query_latency"));
  const auto ratio = [&] {
    return scheduler.page().value("pg_integrity_query_slow_ratio", {{"query", "q"}}).value_or(-1);
  };
  ASSERT_TRUE(eventually([&] { return ratio() == 0.05; }));
  EXPECT_EQ(scheduler.findings().state("query_latency/q"), State::proven);
  for (int slow = 2; slow <= 3; ++slow) {
    scheduler.clock.advance(Seconds(60));
    ASSERT_TRUE(eventually([&] { return ratio() == slow / 20.0; }));
  }
  EXPECT_EQ(scheduler.findings().violated(), "query_latency/q");
}

TEST(QueryLatency, FailuresAreCountedByReason) {
  const Database db;
  const Findings found =
      time_queries(db, "[server.collectors.query_latency]\ndeadline = \"300ms\"\n" +
                           query("a_wrong", "SELECT nothing", "objective = \"100ms\"") +
                           query("broken", "SELECT 1/0") + query("good", "SELECT 1") +
                           query("slow", "SELECT pg_sleep(10)", "objective = \"100ms\""));
  const auto failures = [&](const std::string& name, const std::string& reason) {
    return found.value("pg_integrity_query_failures_total", {{"query", name}, {"reason", reason}});
  };
  EXPECT_EQ(failures("a_wrong", "missing"), 1);
  EXPECT_FALSE(found.value("pg_integrity_query_slow_ratio", {{"query", "a_wrong"}}))
      << "what cannot run is not fast";
  EXPECT_EQ(failures("broken", "decode"), 1);
  EXPECT_EQ(failures("good", "timeout"), 0) << "initialised";
  EXPECT_EQ(failures("slow", "timeout"), 1);
  EXPECT_EQ(found.reason("query_latency/slow"), Reason::timeout);
  EXPECT_EQ(found.value("pg_integrity_query_slow_ratio", {{"query", "slow"}}), 0.05)
      << "a timeout is slow";
  EXPECT_FALSE(found.value("pg_integrity_query_last_duration_seconds", {{"query", "slow"}}));
}

TEST(QueryLatency, TheUsersStatementCannotWriteOrBeTwo) {
  const Database db;
  db.run("CREATE TABLE t (i int)");
  const Findings found = time_queries(
      db,
      query("insert", "INSERT INTO public.t VALUES (1) RETURNING i") +
          query("with", "WITH x AS (INSERT INTO public.t VALUES (1) RETURNING i) SELECT * FROM x") +
          query("two", "SELECT 1; COMMIT; INSERT INTO public.t VALUES (1)"));
  EXPECT_EQ(found.reason("query_latency/insert"), Reason::config);
  EXPECT_EQ(found.reason("query_latency/with"), Reason::config);
  EXPECT_EQ(found.reason("query_latency/two"), Reason::config);
  EXPECT_EQ(db.ask("SELECT count(*) FROM t"), "0");
}

TEST(QueryLatency, AnEndlessAnswerIsCutOff) {
  const Database db;
  const Findings found = time_queries(db, query("many", "SELECT generate_series(1, 1000000000)"));
  EXPECT_TRUE(found.value("pg_integrity_query_last_duration_seconds", {{"query", "many"}}));
}

TEST(QueryLatency, WhatWasFoundSlowStaysSoAfterARestart) {
  const Database db;
  const std::string config =
      one_server(db.dsn(), query("q", "SELECT 1", "objective = \"30s\""), "query_latency");
  auto slow = std::make_shared<SavedEvidence>(*look(config).saved);
  for (auto& [id, collector] : slow->collectors)
    for (auto& [key, object] : collector.objects)
      for (Sample& sample : object.samples)
        if (sample.metric->name == "pg_integrity_query_slow_ratio") sample.value = 0.15;
  RunningScheduler scheduler(config, slow);
  const auto runs = [&] {
    return scheduler.page().value("pg_integrity_query_duration_seconds_count", {{"query", "q"}});
  };
  // Three slow runs, then quick ones. 17 of these fill the window, and the 18th takes the place of
  // a slow one.
  for (int quick = 1; quick <= 18; ++quick) {
    ASSERT_TRUE(eventually([&] { return runs() == quick + 1; })) << quick;
    const Findings found = scheduler.findings();
    EXPECT_EQ(found.value("pg_integrity_query_slow_ratio"), quick < 18 ? 0.15 : 0.1) << quick;
    EXPECT_EQ(found.violated(), quick < 18 ? "query_latency/q" : "") << quick;
    scheduler.clock.advance(Seconds(60));
  }
}

TEST(QueryLatency, RunsOfABatchThatWasNotAcceptedAreNotRemembered) {
  const Database db;
  db.run("CREATE TABLE deadly (yes bool); INSERT INTO deadly VALUES (false)");
  RunningScheduler scheduler(
      one_server(db.dsn(),
                 query("a", "SELECT pg_sleep(0.01)", "objective = \"1ms\"") +
                     query("b",
                           "SELECT CASE WHEN yes THEN pg_terminate_backend(pg_backend_pid()) END "
                           "FROM public.deadly"),
                 "query_latency"));
  const auto shows = [&](double success, double ratio) {
    return eventually([&] {
      const PageText page = scheduler.page();
      return page.value("pg_integrity_collector_success", {{"collector", "query_latency"}}) ==
                 success &&
             page.value("pg_integrity_query_slow_ratio", {{"query", "a"}}) == ratio;
    });
  };
  ASSERT_TRUE(shows(1, 0.05));
  db.run("UPDATE deadly SET yes = true");
  scheduler.clock.advance(Seconds(60));
  ASSERT_TRUE(shows(0, 0.05));
  db.run("UPDATE deadly SET yes = false");
  scheduler.clock.advance(Seconds(60));
  EXPECT_TRUE(shows(1, 0.1))
      << scheduler.page().value("pg_integrity_query_slow_ratio").value_or(-1);
}

}  // namespace
}  // namespace pg_integrity::test::query_latency_test
