#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric_info.h"
#include "collectors/collector.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/files.h"
#include "collectors/ports/http.h"
#include "collectors/ports/json.h"
#include "collectors/ports/processes.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/schema_cache.h"
#include "collectors/postgres/table_scan.h"
#include "collectors/registry.h"
#include "collectors/service/api_config.h"
#include "exporter/config/options.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/evidence/self_metrics.h"
#include "exporter/evidence/verdict.h"
#include "exporter/io/clock.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/io/files.h"
#include "exporter/io/http_client.h"
#include "exporter/io/json_reader.h"
#include "exporter/report/report.h"
#include "tests/support/api_server.h"
#include "tests/support/by_way_of_disk.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"
#include "tests/support/opened_session.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::api_sync_test {
namespace {

std::string endpoint(const std::string& name, const std::string& url,
                     const std::string& more = {}) {
  return "[[server.collectors.api_sync.endpoints]]\nname = \"" + name + "\"\nurl = \"" + url +
         "\"\n" + more + "\n";
}

std::string of_users(const std::string& more = {}) {
  return "tables = [\"users\"]\n" + more;
}

Findings ask(const Database& database, const std::string& endpoints,
             const std::string& user = "postgres") {
  return look(one_server(database.dsn(user), endpoints, "api_sync"));
}

std::optional<double> of(const Findings& found, const std::string& metric,
                         const std::string& name) {
  return found.value("pg_integrity_api_" + metric, {{"endpoint", name}});
}

double failures(const Findings& found, const std::string& name, const std::string& reason) {
  return found.value("pg_integrity_api_failures_total", {{"endpoint", name}, {"reason", reason}})
      .value_or(0);
}

/// Ten users and three games.
class ApiSyncOf : public testing::Test {
 protected:
  ApiSyncOf() {
    db.run(
        "CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users SELECT generate_series(1, 10);"
        "CREATE TABLE games (id int); INSERT INTO games SELECT generate_series(1, 3)");
  }
  [[nodiscard]] std::string users() const { return db.ask("SELECT count(*) FROM users"); }

  /// Answers with the text of the path.
  static ApiAnswer echo(const ApiAsked& asked) { return {200, asked.path.substr(1)}; }

  Database db;
};

TEST_F(ApiSyncOf, CountsThatAgreeAreProven) {
  const ApiServer api([&](const ApiAsked& asked) {
    if (asked.path == "/rows") return ApiAnswer{200, "[0,1,2,3,4,5,6,7,8,9]"};
    return ApiAnswer{200, R"({"rows": {"users": 10, "all": 13}})"};
  });
  const Findings found =
      ask(db, endpoint("all", api.url("/totals"),
                       "tables = [\"public.users\", \"games\"]\ncount = \"/rows/all\"") +
                  endpoint("list", api.url("/rows"), of_users()) +
                  endpoint("number", api.url("/totals"), of_users("count = \"/rows/users\"")));
  for (const char* name : {"all", "list", "number"}) {
    EXPECT_EQ(found.state(std::string("api_sync/") + name), State::proven);
    EXPECT_EQ(of(found, "up", name), 1);
    EXPECT_EQ(of(found, "row_difference", name), 0);
    EXPECT_GT(of(found, "request_duration_seconds", name), 0);
  }
  EXPECT_EQ(of(found, "rows", "all"), 13);
  EXPECT_EQ(found.value("pg_integrity_api_row_difference",
                        {{"endpoint", "list"}, {"schema", "public"}, {"table", "users"}}),
            0);
  EXPECT_EQ(found.object("api_sync/all").lines,
            std::vector<std::string>{"it counts 13, 2 tables together have 13"});
  EXPECT_EQ(api.asked(), 3) << "nobody is asked twice without need";
}

TEST_F(ApiSyncOf, OneRowTooManyOrTooFewIsFoundOnItsEndpointAlone) {
  const ApiServer api(echo);
  const Findings found = ask(db, endpoint("less", api.url("/9"), of_users()) +
                                     endpoint("more", api.url("/11"), of_users()) +
                                     endpoint("right", api.url("/10"), of_users()));
  EXPECT_EQ(found.violated(), "api_sync/less api_sync/more");
  EXPECT_EQ(of(found, "row_difference", "less"), -1);
  EXPECT_EQ(of(found, "row_difference", "more"), 1);
  EXPECT_EQ(of(found, "rows", "more"), 11);
  EXPECT_EQ(found.state("api_sync/right"), State::proven);
  for (const char* name : {"less", "more"}) EXPECT_EQ(of(found, "up", name), 1);
}

TEST_F(ApiSyncOf, WhatIsInFlightIsNoDifference) {
  std::atomic<int> number = 100;
  const ApiServer api([&](const ApiAsked& asked) {
    const std::string id = std::to_string(number++);
    db.run("INSERT INTO users VALUES (" + id + ")");
    const std::string counted = users();
    // The row is gone again, so neither of the database's counts has seen it.
    if (asked.path == "/transient" && number < 103) db.run("DELETE FROM users WHERE id = " + id);
    return ApiAnswer{200, counted};
  });
  const Findings passing = ask(db, endpoint("a", api.url("/transient"), of_users()));
  EXPECT_EQ(of(passing, "row_difference", "a"), 0);
  EXPECT_GT(api.asked(), 1) << "a second look was needed";
  const Findings added = ask(db, endpoint("a", api.url("/added"), of_users()));
  EXPECT_EQ(of(added, "row_difference", "a"), 0);
}

TEST_F(ApiSyncOf, ABusyWriterRaisesNoDifference) {
  const ApiServer api([&](const ApiAsked&) { return ApiAnswer{200, users()}; });
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    Client client(db.dsn());
    for (int id = 100; !stop; ++id) {
      client.run("INSERT INTO users VALUES (" + std::to_string(id) + ")");
      if (id % 3 != 0) client.run("DELETE FROM users WHERE id = " + std::to_string(id));
    }
  });
  for (int i = 0; i < 10; ++i) {
    const Findings found = ask(db, endpoint("busy", api.url(), of_users()));
    EXPECT_EQ(found.violated(), "");
    EXPECT_EQ(of(found, "up", "busy"), 1);
  }
  stop = true;
  writer.join();
}

TEST_F(ApiSyncOf, CountsAboveAndThenBelowAreNeitherEqualNorWrong) {
  std::atomic<int> turn = 0;
  const ApiServer api([&](const ApiAsked&) {
    return ApiAnswer{200, ++turn % 2 == 1 ? "12" : "8"};
  });
  const Findings found = ask(db, endpoint("wild", api.url(), of_users()));
  EXPECT_EQ(found.reason("api_sync/wild"), Reason::conflict);
  EXPECT_FALSE(of(found, "row_difference", "wild"));
}

TEST_F(ApiSyncOf, ADifferenceCountsOnceTwoPassesFindIt) {
  std::atomic<int> count = 10;
  const ApiServer api([&](const ApiAsked&) { return ApiAnswer{200, std::to_string(count)}; });
  RunningScheduler scheduler(
      one_server(db.dsn(), endpoint("a", api.url(), of_users()), "api_sync"));
  const auto shows = [&](const char* metric, std::optional<double> value) {
    return eventually([&] { return of(scheduler.findings(), metric, "a") == value; });
  };
  const auto pass = [&](int counted) {
    count = counted;
    scheduler.clock.advance(Seconds(60));
    return shows("rows", counted);
  };
  ASSERT_TRUE(shows("row_difference", 0));
  ASSERT_TRUE(pass(13)) << "a cache that is late";
  EXPECT_EQ(of(scheduler.findings(), "unconfirmed_row_difference", "a"), 3);
  EXPECT_EQ(of(scheduler.findings(), "row_difference", "a"), 0);
  ASSERT_TRUE(pass(7)) << "on the other side";
  EXPECT_EQ(scheduler.findings().violated(), "");
  ASSERT_TRUE(pass(10));
  EXPECT_FALSE(of(scheduler.findings(), "unconfirmed_row_difference", "a"));
  ASSERT_TRUE(pass(8)) << "one that agreed lies between";
  EXPECT_EQ(scheduler.findings().violated(), "");
  ASSERT_TRUE(pass(9)) << "the number may change, not the side";
  EXPECT_EQ(scheduler.findings().violated(), "api_sync/a");
  EXPECT_EQ(of(scheduler.findings(), "row_difference", "a"), -1);
  EXPECT_FALSE(of(scheduler.findings(), "unconfirmed_row_difference", "a"));
}

TEST_F(ApiSyncOf, AnUnconfirmedDifferenceSurvivesARestart) {
  std::atomic<int> number = 20;
  const ApiServer api([&](const ApiAsked&) { return ApiAnswer{200, std::to_string(number++)}; });
  const std::string config = one_server(db.dsn(), endpoint("a", api.url(), of_users()), "api_sync");
  const Findings first = look(config);
  EXPECT_EQ(first.reason("api_sync/a"), Reason::pending) << "another number each time";
  EXPECT_EQ(of(first, "unconfirmed_row_difference", "a"), 13);
  EXPECT_FALSE(of(first, "row_difference", "a"));
  const SystemClock clock;
  const auto loaded = by_way_of_disk(*first.saved, clock, clock);
  EXPECT_EQ(look(config, loaded).violated(), "api_sync/a");
}

TEST_F(ApiSyncOf, APageIsAskedForItsAnswerAlone) {
  const ApiServer api([](const ApiAsked& asked) {
    return ApiAnswer{asked.path == "/broken" ? 500 : 204, "<html>"};
  });
  const Findings found = ask(db, endpoint("broken", api.url("/broken")) +
                                     endpoint("counted", api.url("/page"), "count = \"\"") +
                                     endpoint("page", api.url("/page"), "objective = \"30s\""));
  EXPECT_EQ(found.violated(), "api_sync/broken");
  EXPECT_EQ(of(found, "up", "broken"), 0);
  EXPECT_EQ(failures(found, "broken", "http"), 2) << "tried twice";
  EXPECT_EQ(found.object("api_sync/broken").findings.back(),
            "endpoint broken answers with status 500");
  EXPECT_EQ(found.state("api_sync/page"), State::proven);
  EXPECT_EQ(of(found, "request_duration_max_seconds", "page"), 30);
  EXPECT_EQ(of(found, "slow_ratio", "page"), 0);
  EXPECT_FALSE(of(found, "rows", "page"));
  EXPECT_EQ(found.reason("api_sync/counted"), Reason::decode);
}

TEST_F(ApiSyncOf, OneFailureIsTriedAgain) {
  std::atomic<int> asked = 0;
  const ApiServer api([&](const ApiAsked&) { return ApiAnswer{++asked == 1 ? 503 : 200, "10"}; });
  const Findings found = ask(db, endpoint("a", api.url(), of_users()));
  EXPECT_EQ(found.state("api_sync/a"), State::proven);
  EXPECT_EQ(failures(found, "a", "http"), 1);
}

TEST_F(ApiSyncOf, WhoRefusesUsIsAskedOnce) {
  for (const int status : {401, 403}) {
    const ApiServer api([status](const ApiAsked&) { return ApiAnswer{status}; });
    const Findings found = ask(db, endpoint("a", api.url(), of_users()));
    EXPECT_EQ(of(found, "up", "a"), 0);
    EXPECT_EQ(api.asked(), 1) << status;
  }
}

TEST_F(ApiSyncOf, WhoWantsToBeLeftAloneIsLeftAlone) {
  for (const int status : {429, 503}) {
    std::atomic<bool> busy = true;
    const ApiServer api([&](const ApiAsked&) {
      return busy ? ApiAnswer{status, "", "", "600"} : ApiAnswer{200, "10"};
    });
    RunningScheduler scheduler(one_server(
        db.dsn(),
        "[server.collectors.api_sync]\ninterval = \"1s\"\n" + endpoint("a", api.url(), of_users()),
        "api_sync"));
    const auto attempts = [&] {
      return scheduler.page()
          .value("pg_integrity_collector_runs_total",
                 {{"collector", "api_sync"}, {"outcome", "success"}})
          .value_or(0);
    };
    const auto passes = [&](double more) {
      const double before = attempts();
      return eventually([&] {
        scheduler.clock.advance(Seconds(0.2));
        return attempts() >= before + more;
      });
    };
    ASSERT_TRUE(passes(5));
    EXPECT_EQ(api.asked(), 1) << status;
    EXPECT_EQ(of(scheduler.findings(), "up", "a"), 0);
    EXPECT_EQ(failures(scheduler.findings(), "a", "http"), 1);
    busy = false;
    scheduler.clock.advance(Seconds(600));
    EXPECT_TRUE(eventually([&] {
      scheduler.clock.advance(Seconds(0.2));
      return of(scheduler.findings(), "up", "a") == 1;
    }));
  }
}

TEST_F(ApiSyncOf, AnAnswerWithoutACountIsUnprovenThoughItIsUp) {
  const ApiServer api([](const ApiAsked& asked) {
    return ApiAnswer{200, asked.path == "/html" ? "<script>planted</script>"
                                                : R"({"planted": 10, "text": "10"})"};
  });
  const Findings found =
      ask(db, endpoint("html", api.url("/html"), of_users()) +
                  endpoint("missing", api.url("/json"), of_users("count = \"/total\"")) +
                  endpoint("right", api.url("/json"), of_users("count = \"/planted\"")) +
                  endpoint("text", api.url("/json"), of_users("count = \"/text\"")));
  for (const char* name : {"html", "missing", "text"}) {
    EXPECT_EQ(found.reason(std::string("api_sync/") + name), Reason::decode);
    EXPECT_EQ(of(found, "up", name), 1);
    EXPECT_FALSE(of(found, "row_difference", name));
  }
  EXPECT_EQ(found.state("api_sync/right"), State::proven);
  EXPECT_EQ(found.violated(), "");
  for (const std::string& text :
       {report_as_html(found.report), report_as_json(found.report), report_as_text(found.report)})
    EXPECT_EQ(text.find("planted"), std::string::npos) << "nothing of a body is shown";
}

TEST_F(ApiSyncOf, AnEndlessAnswerIsUnproven) {
  const RawServer endless([](const RawServer::Send& send) {
    send("HTTP/1.1 200 OK\r\n\r\n[1");
    while (send(",1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1")) {
    }
  });
  const Findings found =
      ask(db, endpoint("endless", endless.url(), of_users("max_body = \"10kB\"")));
  EXPECT_EQ(found.reason("api_sync/endless"), Reason::too_large);
  EXPECT_EQ(of(found, "up", "endless"), 1);
}

TEST_F(ApiSyncOf, ATricklingAnswerIsDownAndSlow) {
  const RawServer trickling([](const RawServer::Send& send) {
    send("HTTP/1.1 200 OK\r\n\r\n");
    while (send("1")) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  });
  const ApiServer api(echo);
  const Findings found =
      ask(db, endpoint("right", api.url("/10"), of_users()) +
                  endpoint("trickling", trickling.url(),
                           of_users("timeout = \"200ms\"\nobjective = \"100ms\"")));
  EXPECT_EQ(found.violated(), "api_sync/trickling");
  EXPECT_EQ(of(found, "up", "trickling"), 0);
  EXPECT_EQ(failures(found, "trickling", "timeout"), 2);
  EXPECT_EQ(of(found, "slow_ratio", "trickling"), 0.1) << "two of twenty";
  EXPECT_EQ(found.state("api_sync/right"), State::proven);
}

TEST_F(ApiSyncOf, OneSlowRequestIsNoFindingManyAre) {
  const ApiServer api([](const ApiAsked& asked) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return echo(asked);
  });
  RunningScheduler scheduler(one_server(
      db.dsn(), endpoint("slow", api.url("/10"), of_users("objective = \"5ms\"")), "api_sync"));
  const auto ratio = [&] { return of(scheduler.findings(), "slow_ratio", "slow").value_or(-1); };
  ASSERT_TRUE(eventually([&] { return ratio() == 0.05; }));
  EXPECT_EQ(scheduler.findings().state("api_sync/slow"), State::proven);
  for (int slow = 2; slow <= 3; ++slow) {
    scheduler.clock.advance(Seconds(60));
    ASSERT_TRUE(eventually([&] { return ratio() == slow / 20.0; }));
  }
  EXPECT_EQ(scheduler.findings().violated(), "api_sync/slow");
}

TEST_F(ApiSyncOf, ADifferenceStaysWhileNobodyAnswers) {
  std::atomic<int> status = 200;
  std::atomic<int> count = 13;
  const ApiServer api([&](const ApiAsked&) { return ApiAnswer{status, std::to_string(count)}; });
  RunningScheduler scheduler(
      one_server(db.dsn(), endpoint("a", api.url(), of_users()), "api_sync"));
  const auto shows = [&](const char* metric, double value) {
    return eventually([&] { return of(scheduler.findings(), metric, "a") == value; });
  };
  ASSERT_TRUE(shows("row_difference", 3));
  status = 500;
  scheduler.clock.advance(Seconds(60));
  ASSERT_TRUE(shows("up", 0));
  EXPECT_EQ(of(scheduler.findings(), "row_difference", "a"), 3) << "nobody has disproved it";
  status = 200;
  count = 10;
  scheduler.clock.advance(Seconds(60));
  ASSERT_TRUE(shows("row_difference", 0));
  EXPECT_EQ(scheduler.findings().state("api_sync/a"), State::proven);
}

TEST_F(ApiSyncOf, TheSecretIsReadAtEachRequestAndShownNowhere) {
  const TemporaryDirectory directory;
  const std::string file = directory.write("token", "old-s3cret\n");
  std::atomic<bool> changed = false;
  const ApiServer api([&](const ApiAsked& asked) {
    const auto sent = asked.headers.find("authorization");
    const std::string wanted = changed ? "Bearer new-s3cret" : "Bearer old-s3cret";
    return ApiAnswer{sent != asked.headers.end() && sent->second == wanted ? 200 : 401, "10"};
  });
  RunningScheduler scheduler(
      one_server(db.dsn(),
                 endpoint("none", api.url()) +
                     endpoint("with", api.url(), of_users("bearer_file = \"" + file + "\"")),
                 "api_sync"));
  const auto up = [&](double value) {
    return eventually([&] { return of(scheduler.findings(), "up", "with") == value; });
  };
  ASSERT_TRUE(up(1));
  EXPECT_EQ(of(scheduler.findings(), "up", "none"), 0) << "unauthorised";
  EXPECT_EQ(failures(scheduler.findings(), "none", "auth"), 1) << "not tried twice";
  changed = true;
  scheduler.clock.advance(Seconds(60));
  ASSERT_TRUE(up(0));
  const Findings refused = scheduler.findings();
  EXPECT_EQ(report_as_json(refused.report).find("s3cret"), std::string::npos);
  directory.write("token", "new-s3cret");
  scheduler.clock.advance(Seconds(60));
  EXPECT_TRUE(up(1));
}

TEST_F(ApiSyncOf, OurOwnTroubleIsNotTheEndpoints) {
  const Certificate certificate;
  const ApiServer encrypted(echo, &certificate);
  const ApiServer api(echo);
  const Findings found =
      ask(db, endpoint("no_ca", encrypted.url("/10"), "ca_file = \"/no/such/file\"") +
                  endpoint("no_secret", api.url("/10"), "bearer_file = \"/no/such/file\"") +
                  endpoint("no_table", api.url("/10"), "tables = [\"nothing\"]"));
  EXPECT_EQ(found.violated(), "");
  EXPECT_EQ(found.reason("api_sync/no_ca"), Reason::config);
  EXPECT_EQ(found.reason("api_sync/no_secret"), Reason::io);
  EXPECT_FALSE(of(found, "up", "no_ca"));
  EXPECT_FALSE(of(found, "up", "no_secret"));
  EXPECT_EQ(found.reason("api_sync/no_table"), Reason::missing);
  EXPECT_EQ(of(found, "up", "no_table"), 1) << "whether it answers needs no table";
  EXPECT_EQ(api.asked(), 1) << "that one alone";
}

TEST_F(ApiSyncOf, ATableThatIsNotThereDoesNotHideThatNobodyAnswers) {
  const ApiServer api([](const ApiAsked&) { return ApiAnswer{500}; });
  const Findings found = ask(db, endpoint("a", api.url(), "tables = [\"nothing\"]"));
  EXPECT_EQ(found.violated(), "api_sync/a");
  EXPECT_EQ(of(found, "up", "a"), 0);
}

TEST_F(ApiSyncOf, ACertificateOfNobodysIsAViolation) {
  const Certificate certificate;
  const ApiServer api(echo, &certificate);
  const Findings found =
      ask(db, endpoint("self_signed", api.url("/10"), of_users()) +
                  endpoint("trusted", api.url("/10"),
                           of_users("ca_file = \"" + certificate.certificate + "\"")));
  EXPECT_EQ(found.violated(), "api_sync/self_signed");
  EXPECT_EQ(failures(found, "self_signed", "tls"), 2);
  EXPECT_EQ(found.state("api_sync/trusted"), State::proven);
}

TEST_F(ApiSyncOf, ARedirectToAnotherOriginIsDown) {
  const ApiServer other(echo);
  const ApiServer api([&](const ApiAsked& asked) {
    if (asked.path == "/away") return ApiAnswer{302, "", other.url("/10")};
    if (asked.path == "/moved") return ApiAnswer{302, "", "/10"};
    return echo(asked);
  });
  const Findings found = ask(db, endpoint("away", api.url("/away"), of_users()) +
                                     endpoint("moved", api.url("/moved"), of_users()));
  EXPECT_EQ(found.violated(), "api_sync/away");
  EXPECT_EQ(other.asked(), 0);
  EXPECT_EQ(found.state("api_sync/moved"), State::proven);
}

/// One step on a real database whose counts take as long as the test says.
class SlowlyCounting final : public Sources {
 public:
  explicit SlowlyCounting(const Database& database) : session_(database) {
    session_->before_each = [this] {
      if (session_->statements.back().find("count(*)") != std::string::npos)
        clock_.advance(count_takes);
    };
  }

  Session& session() override { return *session_; }
  Session& replica(const std::string& /*name*/) override {
    throw std::logic_error("there are no replicas here");
  }
  std::shared_ptr<const Schema> schema() override { return schema_.get(*session_, clock_.now()); }
  TableScans& scans() override { throw std::logic_error("it shares no scans"); }
  Files& files() override { return files_; }
  Buckets& buckets() override { throw std::logic_error("it reads no buckets"); }
  Http& http() override { return http_; }
  Processes& processes() override { throw std::logic_error("it runs no programs"); }
  Decoder& decoder() override { throw std::logic_error("it reads no backups"); }
  [[nodiscard]] const Json& json() const override { return json_; }
  [[nodiscard]] const Clock& clock() const override { return clock_; }
  void pause(Seconds time) override { clock_.advance(time); }
  [[nodiscard]] bool step_is_full() const override { return false; }
  [[nodiscard]] Seconds reusable_age() const override { return Seconds(0); }
  [[nodiscard]] bool wants(std::span<const std::string>) const override { return true; }
  std::string& position() override { return position_; }
  [[nodiscard]] std::optional<Sample> previous(const MetricInfo& metric,
                                               std::span<const std::string>) const override {
    if (metric.name != "pg_integrity_api_slow_ratio") return std::nullopt;
    return Sample{&metric, {}, slow_ratio, {}, {}};
  }

  static constexpr Seconds kDeadline{30};
  Seconds count_takes{0};
  double slow_ratio = 0;

 private:
  SteppedClock clock_;
  OpenedSession session_;
  SchemaCache schema_{std::vector<std::string>{}};
  DisposableWorkers workers_{clock_};
  WorkerFiles files_{workers_, clock_.now() + kDeadline};
  WorkerHttp http_{workers_, clock_, clock_.now() + kDeadline};
  SaxJson json_;
  std::string position_;
};

TEST_F(ApiSyncOf, ASlowCountIsNotTheEndpointsFault) {
  const ApiServer api([](const ApiAsked& asked) {
    if (asked.path == "/late") std::this_thread::sleep_for(std::chrono::seconds(3));
    return ApiAnswer{200, "10"};
  });
  const auto step = [&](const std::string& path, Seconds count_takes) {
    const Options options = options_from(one_server(
        db.dsn(), endpoint("a", api.url(path), of_users("objective = \"20s\"")), "api_sync"));
    const CollectorOptions& collector = options.servers.front().collectors.front();
    ScanPlan plan;
    SlowlyCounting from(db);
    from.count_takes = count_takes;
    from.slow_ratio = 0.05;
    Batch out(from.clock().now());
    collector.spec->make({collector.settings, options.servers.front()}, plan)->collect(from, out);
    return out;
  };
  const auto value = [](const Batch& out, std::string_view metric) -> std::optional<double> {
    for (const Sample& sample : out.samples())
      if (sample.metric->name == metric) return sample.value;
    return std::nullopt;
  };
  const auto expect_nothing_is_known = [&](const Batch& out) {
    ASSERT_EQ(out.unproven_marks().size(), 1U);
    EXPECT_EQ(out.unproven_marks().front().reason, Reason::limit);
    EXPECT_FALSE(value(out, "pg_integrity_api_up"));
    EXPECT_EQ(value(out, "pg_integrity_api_slow_ratio"), 0.05);
  };
  expect_nothing_is_known(step("/", SlowlyCounting::kDeadline));
  EXPECT_EQ(api.asked(), 0) << "without time nobody is asked";
  EXPECT_EQ(value(step("/late", Seconds(1)), "pg_integrity_api_up"), 1) << "it is healthy";
  expect_nothing_is_known(step("/late", SlowlyCounting::kDeadline - Seconds(2)));
}

TEST_F(ApiSyncOf, WhatCannotBeCountedIsUnproven) {
  db.run("CREATE ROLE api_nobody LOGIN");
  const ApiServer api(echo);
  const std::string one = endpoint("a", api.url("/10"), of_users());
  const Findings refused = ask(db, one, "api_nobody");
  EXPECT_EQ(refused.reason("api_sync/a"), Reason::permission);
  EXPECT_EQ(of(refused, "up", "a"), 1);
  db.run("DROP ROLE api_nobody");
  EXPECT_EQ(ask(db, "[server.collectors.api_sync]\nexact_up_to = 100\n" + one).reason("api_sync/a"),
            Reason::too_large);
}

TEST(ApiSync, PagesAreAskedWhileTheDatabaseIsDown) {
  const ApiServer api([](const ApiAsked&) { return ApiAnswer{200, "0"}; });
  const Findings found =
      look(one_server("host=127.0.0.1 dbname=nothing port=" + std::to_string(free_port()),
                      endpoint("a_count", api.url(), "tables = [\"t\"]") +
                          endpoint("page", api.url(), "objective = \"30s\""),
                      "api_sync"));
  EXPECT_EQ(of(found, "up", "page"), 1);
  EXPECT_FALSE(of(found, "up", "a_count"));
  EXPECT_EQ(found.reason("api_sync/a_count"), Reason::connect);
  EXPECT_EQ(found.violated(), "");
}

TEST(ApiSync, AnOutageOfTheDatabaseAsksNoPageMoreOften) {
  Cluster own;
  const Database db(own);
  db.run("CREATE TABLE t (id int)");
  const ApiServer api([](const ApiAsked&) { return ApiAnswer{200, "0"}; });
  RunningScheduler scheduler(one_server(
      db.dsn(), endpoint("a_count", api.url(), "tables = [\"t\"]") + endpoint("page", api.url()),
      "api_sync"));
  const auto is = [&](const char* object, State state) {
    return eventually([&] {
      const Findings found = scheduler.findings();
      return found.has_object(object) && found.state(object) == state;
    });
  };
  ASSERT_TRUE(is("api_sync/a_count", State::proven));
  own.stop("immediate");
  for (int pass = 1; pass <= 6; ++pass) {
    const int asked = api.asked();
    scheduler.clock.advance(Seconds(60));
    ASSERT_TRUE(eventually([&] { return api.asked() > asked; }));
  }
  ASSERT_TRUE(is("api_sync/a_count", State::unproven));
  const Reason why = scheduler.findings().reason("api_sync/a_count");
  EXPECT_TRUE(why == Reason::connect || why == Reason::timeout)
      << name_of(why) << ": the minute that passed may have met an attempt to connect";
  EXPECT_EQ(scheduler.findings().state("api_sync/page"), State::proven);
  EXPECT_EQ(api.asked(), 8) << "the count once, the page once a minute";
  own.start();
  scheduler.clock.advance(Seconds(60));
  EXPECT_TRUE(is("api_sync/a_count", State::proven));
}

}  // namespace
}  // namespace pg_integrity::test::api_sync_test
