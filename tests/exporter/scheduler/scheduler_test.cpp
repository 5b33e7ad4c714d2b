#include "exporter/scheduler/scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <future>
#include <thread>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/registry.h"
#include "exporter/evidence/verdict.h"
#include "exporter/io/clock.h"
#include "exporter/report/report.h"
#include "exporter/scheduler/runtime.h"
#include "tests/support/captured_log.h"
#include "tests/support/cluster.h"
#include "tests/support/looks_on.h"
#include "tests/support/observer.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::scheduler_test {
namespace {

constexpr const char* kTwoKeys = R"(
  CREATE TABLE parent (id int PRIMARY KEY);
  CREATE TABLE child (id int CONSTRAINT key REFERENCES parent);
  CREATE TABLE other (id int CONSTRAINT key REFERENCES parent);)";

void add_orphan(const Database& db, const std::string& table) {
  db.run("SET session_replication_role = replica; INSERT INTO " + table + " VALUES (7)");
}

/// A probe that no deadline of its own ends soon.
std::string slow_query(const std::string& deadline) {
  return "[server.collectors.query_latency]\ndeadline = \"" + deadline +
         "\"\nqueries = [{ name = \"slow\", sql = \"SELECT pg_sleep(600)\" }]\n";
}

int running_probes(const Database& db) {
  return std::stoi(
      db.ask("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
             " AND application_name = 'pg_integrity_exporter' AND state = 'active'"
             " AND wait_event = 'PgSleep'"));
}

/// Whether the newest attempt of every collector ended like that. It has no value before one ended.
bool all_are(double success, const Findings& found) {
  const auto collectors = found.page.all("pg_integrity_collector_deadline_timestamp_seconds");
  const auto ended = found.page.all("pg_integrity_collector_success");
  return ended.size() == collectors.size() &&
         std::all_of(ended.begin(), ended.end(),
                     [&](const Series& series) { return series.value == success; });
}

bool all_succeed(const Findings& found) {
  return all_are(1, found);
}

bool all_fail(const Findings& found) {
  return all_are(0, found);
}

TEST(SamplerOf, WhatIsRepairedClearsWithinAMinute) {
  const Database db;
  db.run(kTwoKeys);
  add_orphan(db, "child");
  // One collector, and its pass has ended: time that passes during a pass reaches its deadline.
  RunningScheduler sampling(one_server(db.dsn(), {}, "orphans"));
  const std::string broken = "orphans/public.child.key";
  ASSERT_TRUE(has_looked(sampling, "orphans"));
  EXPECT_EQ(sampling.findings().violated(), broken);
  db.run("DELETE FROM child");
  add_orphan(db, "other");
  sampling.clock.advance(Seconds(61));
  EXPECT_TRUE(eventually([&] { return sampling.findings().state(broken) == State::proven; }));
  EXPECT_EQ(sampling.findings().state("orphans/public.other.key"), State::proven)
      << "its next look is due with the next pass";
  sampling.clock.advance(Seconds(3600));
  EXPECT_TRUE(
      eventually([&] { return sampling.findings().violated() == "orphans/public.other.key"; }));
}

/// Each step checks one source of backups.
TEST(SamplerOf, EveryViolatedObjectOfSeveralClearsWithinAMinute) {
  const Database db;
  db.run("CREATE TABLE history (at timestamptz, what text)");
  std::string sources = "[server.collectors.backups]\ninterval = \"15m\"\n";
  for (const char* name : {"a", "b", "c"})
    sources += std::string("[[server.backups]]\nname = \"") + name +
               "\"\ntable = { table = \"history\", time = \"at\", kind = \"what\" }\n"
               "kinds = { auto = { values = [\"auto\"], every = \"6h\" } }\n";
  db.run("INSERT INTO history VALUES (now() - interval '20 hours', 'auto')");
  RunningScheduler sampling(one_server(db.dsn(), sources, "backups"));
  ASSERT_TRUE(eventually([&] {
    return sampling.findings().violated() == "backups/a.auto backups/b.auto backups/c.auto";
  }));
  db.run("INSERT INTO history VALUES (now(), 'auto')");
  sampling.clock.advance(Seconds(61));
  EXPECT_TRUE(
      eventually([&] { return sampling.findings().violated().empty(); }, std::chrono::seconds(10)));
}

TEST(SamplerOf, AServerThatIsLostAndFoundIsNoticedByAll) {
  Cluster own;
  const Database db(own);
  db.run(kTwoKeys);
  add_orphan(db, "child");
  RunningScheduler sampling(one_server(db.dsn()));
  ASSERT_TRUE(eventually([&] { return all_succeed(sampling.findings()); }));
  EXPECT_EQ(sampling.findings().value("pg_integrity_up"), 1);
  own.stop("immediate");
  sampling.clock.advance(Seconds(31));
  ASSERT_TRUE(eventually([&] { return all_fail(sampling.findings()); }))
      << "also those whose next pass is far";
  const Findings lost = sampling.findings();
  EXPECT_EQ(lost.value("pg_integrity_up"), 0);
  EXPECT_EQ(lost.violated(), "orphans/public.child.key") << "a violation outlives an outage";
  own.start();
  EXPECT_TRUE(eventually([&] {
    sampling.clock.advance(Seconds(1));
    return all_succeed(sampling.findings());
  }));
  EXPECT_EQ(sampling.findings().value("pg_integrity_up"), 1);
  EXPECT_EQ(sampling.findings().violated(), "orphans/public.child.key");
}

TEST(SamplerOf, APromotionIsNoticedThoughTheSessionsOutliveIt) {
  Cluster own;
  const Database db(own);
  db.run(kTwoKeys);
  add_orphan(db, "child");
  own.stop();
  std::ofstream(own.data_directory() + "/standby.signal").close();
  own.start();
  RunningScheduler sampling(one_server(db.dsn()));
  ASSERT_TRUE(eventually([&] { return all_succeed(sampling.findings()); }));
  const auto timeline = [&] {
    return sampling.runtime().evidence()->identity("test").value().timeline;
  };
  EXPECT_EQ(timeline(), 1U);
  ASSERT_EQ(db.ask("SELECT pg_promote()"), "t");
  db.run("CHECKPOINT");
  EXPECT_TRUE(eventually([&] {
    sampling.clock.advance(Seconds(31));
    return timeline() == 2;
  }));
  // Steps that met a deadline on the way are tried again.
  const auto settled = [&] {
    sampling.clock.advance(Seconds(61));
    return eventually([&] { return all_succeed(sampling.findings()); }, std::chrono::seconds(5));
  };
  EXPECT_TRUE(settled() || settled() || settled());
  EXPECT_EQ(sampling.findings().violated(), "orphans/public.child.key");
  EXPECT_EQ(sampling.runtime().evidence()->era("test"), 1U)
      << "sessions from before it do not take it back";
}

TEST(SamplerOf, AServerThatIsDownAtTheStartIsFoundLater) {
  Cluster own;
  const Database db(own);
  own.stop();
  RunningScheduler sampling(one_server(db.dsn()));
  EXPECT_TRUE(eventually([&] { return sampling.runtime().scheduler().ready(); }))
      << "an attempt is an attempt, good or bad";
  EXPECT_EQ(sampling.findings().value("pg_integrity_up"), 0);
  EXPECT_TRUE(all_fail(sampling.findings()));
  own.start();
  EXPECT_TRUE(eventually([&] {
    sampling.clock.advance(Seconds(1));
    return all_succeed(sampling.findings());
  }));
}

TEST(SamplerOf, ASlowCollectorDoesNotHoldUpTheOtherLane) {
  const Database db;
  db.run(kTwoKeys);
  add_orphan(db, "child");
  RunningScheduler sampling(one_server(db.dsn(), slow_query("1h")));
  ASSERT_TRUE(eventually([&] { return running_probes(db) == 1; }));
  EXPECT_TRUE(
      eventually([&] { return sampling.findings().violated() == "orphans/public.child.key"; }));
  EXPECT_FALSE(sampling.findings().collector("query_latency").last_success);
  EXPECT_FALSE(sampling.runtime().scheduler().ready());
}

TEST(SamplerOf, ACollectorsDeadlineEndsItsQuery) {
  const Database db;
  RunningScheduler sampling(one_server(db.dsn(), slow_query("1s"), "query_latency"));
  ASSERT_TRUE(eventually([&] { return sampling.findings().has_object("query_latency/slow"); }));
  EXPECT_EQ(sampling.findings().reason("query_latency/slow"), Reason::timeout);
  EXPECT_EQ(sampling.page().value("pg_integrity_query_failures_total", {{"reason", "timeout"}}), 1);
  EXPECT_TRUE(eventually([&] { return running_probes(db) == 0; }));
}

TEST(SamplerOf, StopCancelsWhatRunsAndTakesNothingOfIt) {
  const Database db;
  RunningScheduler sampling(one_server(db.dsn(), slow_query("1h"), "query_latency"));
  ASSERT_TRUE(eventually([&] { return running_probes(db) == 1; }));
  auto stopped = std::async(std::launch::async, [&] { sampling.stop(); });
  ASSERT_EQ(stopped.wait_for(std::chrono::seconds(30)), std::future_status::ready);
  EXPECT_TRUE(eventually([&] { return running_probes(db) == 0; }));
  EXPECT_FALSE(sampling.findings().has_object("query_latency/slow"))
      << "that we cancelled it says nothing about the query";
}

TEST(SamplerOf, StopDoesNotWaitForAFrozenBackend) {
  const Database db;
  RunningScheduler sampling(one_server(db.dsn(), slow_query("1h"), "query_latency"));
  ASSERT_TRUE(eventually([&] { return running_probes(db) == 1; }));
  const pid_t backend =
      std::stoi(db.ask("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND "
                       "wait_event = 'PgSleep'"));
  ::kill(backend, SIGSTOP);
  auto stopped = std::async(std::launch::async, [&] { sampling.stop(); });
  const auto status = stopped.wait_for(std::chrono::seconds(30));
  ::kill(backend, SIGCONT);
  EXPECT_EQ(status, std::future_status::ready);
}

TEST(SamplerOf, NeverMoreThanTwoSessionsWhateverTheDatabases) {
  const Database a;
  const Database b;
  const Database c;
  const std::string names = "\"" + a.name() + "\", \"" + b.name() + "\", \"" + c.name() + "\"";
  RunningScheduler sampling(one_server(a.dsn(), "databases = [" + names + "]"));
  std::size_t most = 0;
  ASSERT_TRUE(eventually([&] {
    most = std::max(most, static_cast<std::size_t>(std::stoul(
                              a.ask("SELECT count(*) FROM pg_stat_activity"
                                    " WHERE application_name = 'pg_integrity_exporter'"))));
    return sampling.runtime().scheduler().ready();
  }));
  EXPECT_GE(most, 1U);
  EXPECT_LE(most, 2U);
  EXPECT_EQ(sampling.page().all("pg_integrity_up").size(), 3U);
}

TEST(SamplerOf, DatabasesThatAGlobMeansComeAndGo) {
  Cluster own;
  const Database home(own, "home");
  const Database first(own, "app_1");
  RunningScheduler sampling(one_server(home.dsn(), "databases = [\"app_*\"]"));
  const auto watched = [&] {
    std::string names;
    const PageText page = sampling.page();
    for (const Series& series : page.all("pg_integrity_up"))
      names += series.labels.at("database") + " ";
    return names;
  };
  ASSERT_TRUE(eventually([&] { return watched() == "app_1 "; }));
  {
    const Database second(own, "app_2");
    sampling.clock.advance(Seconds(61));
    EXPECT_TRUE(eventually([&] { return watched() == "app_1 app_2 "; }));
    EXPECT_TRUE(eventually([&] {
      return sampling.page().value("pg_integrity_up", {{"database", "app_2"}}) == 1;
    }));
  }
  sampling.clock.advance(Seconds(61));
  EXPECT_TRUE(eventually([&] { return watched() == "app_1 "; }));
  EXPECT_TRUE(
      sampling.page().all("pg_integrity_collector_success", {{"database", "app_2"}}).empty());
}

/// A server on which one of three databases refuses our role.
class OneRefuses : public ::testing::Test {
 protected:
  OneRefuses() {
    shop_.run("CREATE ROLE watcher LOGIN; GRANT pg_monitor TO watcher");
    shop_.run("REVOKE CONNECT ON DATABASE ci_revoked FROM PUBLIC");
    for (const Database* database : {&shop_, &zoo_})
      database->run("CREATE TABLE a (id int PRIMARY KEY)");
  }
  static double runs_of(const PageText& page, const std::string& database,
                        const std::string& outcome) {
    double sum = 0;
    for (const Series& series : page.all("pg_integrity_collector_runs_total",
                                         {{"database", database}, {"outcome", outcome}}))
      sum += series.value;
    return sum;
  }
  static bool others_are_up(const PageText& page) {
    return page.value("pg_integrity_up", {{"database", "shop"}}) == 1 &&
           page.value("pg_integrity_up", {{"database", "zoo"}}) == 1 &&
           page.value("pg_integrity_up", {{"database", "ci_revoked"}}) == 0;
  }

  Cluster own_;
  Database shop_{own_, "shop"};
  Database revoked_{own_, "ci_revoked"};
  Database zoo_{own_, "zoo"};
};

TEST_F(OneRefuses, AnOutageThatBeginsWithALostSessionIsTold) {
  const CapturedLog log;
  Client admin(own_.dsn("postgres"));
  RunningScheduler sampling(
      one_server(own_.dsn("shop", "watcher"),
                 "[[server.collectors.query_latency.queries]]\nname = \"slow\"\n"
                 "sql = \"SELECT pg_sleep(60)\"\n",
                 "query_latency"));
  const std::string of_watcher = " FROM pg_stat_activity WHERE usename = 'watcher'";
  ASSERT_TRUE(eventually([&] {
    return admin.ask("SELECT count(*)" + of_watcher + " AND wait_event = 'PgSleep'") == "1";
  }));
  admin.run("ALTER ROLE watcher NOLOGIN");
  admin.run("SELECT pg_terminate_backend(pid)" + of_watcher);
  EXPECT_TRUE(eventually([&] {
    sampling.clock.advance(Seconds(1));
    return log.written().find("out of reach") != std::string::npos;
  }));
  EXPECT_NE(log.written().find("reason=\"auth\""), std::string::npos) << log.written();
}

TEST_F(OneRefuses, TheOthersStayUp) {
  const CapturedLog log;
  RunningScheduler sampling(
      one_server(own_.dsn("shop", "watcher"), "databases = [\"*\", \"!postgres\"]\n"));
  ASSERT_TRUE(eventually(
      [&] { return sampling.runtime().scheduler().ready() && others_are_up(sampling.page()); }));
  const double runs = runs_of(sampling.page(), "shop", "success");
  for (int i = 0; i < 20; ++i) {
    sampling.clock.advance(Seconds(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_TRUE(others_are_up(sampling.page())) << i;
  }
  const PageText page = sampling.page();
  for (const char* database : {"shop", "zoo"}) EXPECT_EQ(runs_of(page, database, "failure"), 0);
  EXPECT_LE(runs_of(page, "shop", "success"), runs + 10)
      << "a database that refuses does not make others run again";
  std::size_t lines = 0;
  const std::string written = log.written();
  for (std::size_t at = written.find("out of reach"); at != std::string::npos;
       at = written.find("out of reach", at + 1))
    ++lines;
  EXPECT_EQ(lines, 1U) << written;
  EXPECT_NE(written.find("reason=\"permission\""), std::string::npos) << written;
}

TEST_F(OneRefuses, OnePassShowsTheOthersUp) {
  const Findings found = look(
      one_server(own_.dsn("shop", "watcher"), "databases = [\"zoo\", \"ci_revoked\", \"shop\"]\n"));
  EXPECT_TRUE(others_are_up(found.page));
}

TEST_F(OneRefuses, TheOthersAreFoundEvenIfItIsTheConnectionStringsOwn) {
  RunningScheduler sampling(one_server(own_.dsn("ci_revoked", "watcher"),
                                       "databases = [\"*\", \"shop\", \"!postgres\"]\n"));
  EXPECT_TRUE(eventually([&] { return others_are_up(sampling.page()); }));
}

TEST(SamplerOf, IsReadyWhenEveryCollectorHasTriedOnce) {
  const Database db;
  RunningScheduler sampling(one_server(db.dsn()));
  EXPECT_TRUE(eventually([&] { return sampling.runtime().scheduler().ready(); }));
  const auto snapshot = sampling.findings().snapshot;
  for (const auto& collector : snapshot->collectors)
    EXPECT_TRUE(collector->health.attempted) << collector->id.collector;
}

TEST(SamplerOf, OnlyTheRecordIsShownIfAskedTo) {
  Cluster own;
  const Database db(own);
  db.run(kTwoKeys);
  add_orphan(db, "child");
  const auto record = look(one_server(db.dsn())).saved;
  const SystemClock clock;
  ProcessResources resources(clock);
  Runtime runtime(options_from(one_server(db.dsn())), resources, record);
  own.stop();
  runtime.scheduler().prepare();
  const Report report = make_report(*runtime.evidence()->snapshot(), clock);
  EXPECT_EQ(report.overall, State::violated);
  EXPECT_FALSE(report.servers.at(0).databases.at(1).out_of_reach) << "nobody has tried";
}

}  // namespace
}  // namespace pg_integrity::test::scheduler_test
