#include <gtest/gtest.h>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/metric_rules.h"
#include "collectors/base/metric_set.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/evidence/verdict.h"
#include "exporter/io/clock.h"
#include "tests/support/by_way_of_disk.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"
#include "tests/support/temporary.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::custom_test {
namespace {

std::string query(const std::string& sql, const std::string& rest,
                  const std::string& name = "orders") {
  return "[[server.collectors.custom.queries]]\nname = \"" + name + "\"\nsql = '''" + sql +
         "'''\n" + rest + "\n";
}

std::string metric(const std::string& name, const std::string& limit = {}) {
  return name + " = { value = \"n\", help = \"Some.\"" + (limit.empty() ? "" : ", " + limit) + " }";
}

std::string metrics(const std::string& all) {
  return "metrics = { " + all + " }\n";
}

const std::string kByStatus = "labels = [\"status\"]\n";
constexpr const char* kCount = "SELECT status, count(*) AS n FROM public.orders GROUP BY status";
constexpr const char* kOrders =
    "CREATE TABLE orders (id serial, status text);"
    "INSERT INTO orders (status) VALUES ('open'), ('open'), ('open'), ('lost');";

Findings look_at(const Database& database, const std::string& more,
                 std::shared_ptr<const SavedEvidence> record = nullptr,
                 const std::string& user = "postgres") {
  return look(one_server(database.dsn(user), more, "custom"), std::move(record));
}

std::optional<double> value(const Findings& found, const std::string& name,
                            const LabelSet& labels = {}) {
  return found.value("pg_integrity_custom_" + name, labels);
}

TEST(Custom, AQueryBecomesSeriesWithItsLabels) {
  const Database db;
  db.run(kOrders);
  const Findings found = look_at(
      db, query("SELECT status, count(*) AS n, max(id) AS top FROM public.orders GROUP BY status",
                kByStatus + metrics(metric("orders") +
                                    ", newest_order = { value = \"top\", help = \"Its id.\" }")));
  EXPECT_EQ(value(found, "orders", {{"status", "open"}, {"query", "orders"}}), 3);
  EXPECT_EQ(value(found, "orders", {{"status", "lost"}}), 1);
  EXPECT_EQ(value(found, "newest_order", {{"status", "lost"}}), 4);
  EXPECT_EQ(value(found, "query_rows", {{"query", "orders"}}), 2);
  EXPECT_EQ(found.state("custom/orders"), State::observed) << "nothing was promised";
}

TEST(Custom, WhatIsAsItShouldBeIsProven) {
  const Database db;
  db.run(kOrders);
  const Findings found = look_at(
      db,
      query("SELECT count(*) AS n FROM public.orders WHERE status = 'broken'",
            metrics(metric("broken_orders", "must_be = 0")), "a") +
          query(kCount, kByStatus + metrics(metric("orders", "at_least = 1, at_most = 3")), "b"));
  EXPECT_EQ(found.violated(), "");
  EXPECT_EQ(found.state("custom/a"), State::proven);
  EXPECT_EQ(found.state("custom/b"), State::proven);
  EXPECT_EQ(value(found, "orders_max", {{"query", "b"}}), 3);
  EXPECT_EQ(value(found, "orders_min", {{"query", "b"}}), 1);
  EXPECT_FALSE(value(found, "broken_orders_max"));
}

TEST(Custom, AnUnexpectedValueIsAViolationOfItsQueryAloneAndTheSeriesIsNamed) {
  const Database db;
  db.run(kOrders);
  const auto violated = [&](const std::string& limit) {
    return look_at(db, query(kCount, kByStatus + metrics(metric("orders", limit))) +
                           query("SELECT 1 AS n", metrics(metric("one", "must_be = 1")), "one"))
        .violated();
  };
  EXPECT_EQ(violated("at_most = 2"), "custom/orders");
  EXPECT_EQ(violated("at_least = 2"), "custom/orders");
  EXPECT_EQ(violated("must_be = 3"), "custom/orders");
  EXPECT_EQ(violated("at_least = -1.5"), "");
  const Findings found =
      look_at(db, query(kCount, kByStatus + metrics(metric("orders", "at_most = 2"))));
  EXPECT_EQ(found.object("custom/orders").findings,
            std::vector<std::string>{"The metric pg_integrity_custom_orders (query orders, status "
                                     "open) is 3, it must be at most 2."});
}

TEST(Custom, RowsThemselvesMayBeJudged) {
  const Database db;
  db.run(kOrders);
  const std::string lost = "SELECT id FROM public.orders WHERE status = 'lost'";
  EXPECT_EQ(look_at(db, query(lost, "max_rows = 0")).violated(), "custom/orders");
  EXPECT_EQ(look_at(db, query(lost, "min_rows = 2")).violated(), "custom/orders");
  EXPECT_EQ(look_at(db, query(lost, "min_rows = 1\nmax_rows = 1")).state("custom/orders"),
            State::proven);
  db.run("DELETE FROM orders WHERE status = 'lost'");
  EXPECT_EQ(look_at(db, query(lost, "max_rows = 0")).state("custom/orders"), State::proven);
}

TEST(Custom, NoRowProvesNothingUnlessItIsSaidTo) {
  const Database db;
  db.run("CREATE TABLE orders (status text)");
  const std::string judged = kByStatus + metrics(metric("orders", "at_most = 2"));
  EXPECT_EQ(look_at(db, query(kCount, judged)).reason("custom/orders"), Reason::missing);
  EXPECT_EQ(look_at(db, query(kCount, judged + "min_rows = 0")).state("custom/orders"),
            State::proven);
  const Findings found = look_at(db, query(kCount, kByStatus + metrics(metric("orders"))));
  EXPECT_EQ(found.state("custom/orders"), State::observed);
  EXPECT_EQ(value(found, "query_rows"), 0);
  EXPECT_FALSE(value(found, "orders"));
}

TEST(Custom, NullIsAnErrorUnlessItIsSaidToBeAbsent) {
  const Database db;
  const std::string sql = "VALUES ('a', NULL), ('b', 1)";
  const std::string named = "SELECT status, n FROM (" + sql + ") v (status, n)";
  const Findings error =
      look_at(db, query(named, kByStatus + metrics(metric("orders", "at_most = 2"))));
  EXPECT_EQ(error.reason("custom/orders"), Reason::decode);
  EXPECT_FALSE(value(error, "orders", {{"status", "a"}}));
  EXPECT_FALSE(value(error, "orders", {{"status", "b"}}));
  const std::string absent =
      kByStatus + metrics(metric("orders", "at_most = 2, null_is = \"absent\""));
  const Findings found = look_at(db, query(named, absent));
  EXPECT_EQ(found.state("custom/orders"), State::proven);
  EXPECT_EQ(found.page.all("pg_integrity_custom_orders").size(), 1U);
  EXPECT_EQ(look_at(db, query("SELECT 'a' AS status, NULL::int AS n", absent + "min_rows = 0"))
                .reason("custom/orders"),
            Reason::missing)
      << "a limit, and nothing to hold against it";
}

TEST(Custom, WhatIsNoNumberIsUnproven) {
  const Database db;
  for (const char* sql : {"SELECT 'text' AS n", "SELECT 'NaN'::float8 AS n", "SELECT true AS n",
                          "SELECT 1 AS another", "SELECT 'Infinity'::float8 AS n"}) {
    const Findings found = look_at(db, query(sql, metrics(metric("orders", "at_most = 2"))));
    EXPECT_EQ(found.reason("custom/orders"), Reason::decode) << sql;
    EXPECT_FALSE(value(found, "orders")) << sql;
  }
}

TEST(Custom, RowsWithTheSameLabelsAreAConflict) {
  const Database db;
  const std::string judged = kByStatus + metrics(metric("orders", "at_most = 2"));
  for (const char* rows : {"('a', 1), ('a', 1)", "('', 1), (NULL, 1)"}) {
    const Findings found = look_at(
        db,
        query(std::string("SELECT status, n FROM (VALUES ") + rows + ") v (status, n)", judged));
    EXPECT_EQ(found.reason("custom/orders"), Reason::conflict) << rows;
    EXPECT_FALSE(value(found, "orders"));
  }
  EXPECT_EQ(look_at(db, query("SELECT 1 AS n FROM generate_series(1, 2)",
                              metrics(metric("orders", "at_most = 2"))))
                .reason("custom/orders"),
            Reason::conflict)
      << "without labels there is one row";
}

TEST(Custom, LabelValuesMayBeHostile) {
  const Database db;
  const std::string judged = kByStatus + metrics(metric("orders", "at_most = 2"));
  const Findings found =
      look_at(db, query(R"(SELECT E'a"\\\n} 1\n# HELP x' AS status, 1 AS n)", judged));
  EXPECT_EQ(value(found, "orders", {{"status", "a\"\\\n} 1\n# HELP x"}}), 1);
  EXPECT_EQ(look_at(db, query("SELECT repeat('x', 201) AS status, 1 AS n", judged))
                .reason("custom/orders"),
            Reason::decode);
}

TEST(Custom, TooManyRowsAreUnprovenUnlessTheyAreTooManyAnyway) {
  const Database db;
  const auto rows = [](int number) {
    return "SELECT i AS status, 1 AS n FROM generate_series(1, " + std::to_string(number) + ") i";
  };
  const std::string judged = kByStatus + metrics(metric("orders", "at_most = 2"));
  const Findings most = look_at(db, query(rows(1000), judged));
  EXPECT_EQ(most.state("custom/orders"), State::proven);
  EXPECT_EQ(most.page.all("pg_integrity_custom_orders").size(), 1000U);
  const Findings more = look_at(db, query(rows(1001), judged));
  EXPECT_EQ(more.reason("custom/orders"), Reason::too_large);
  EXPECT_TRUE(more.page.all("pg_integrity_custom_orders").empty());
  EXPECT_EQ(look_at(db, query(rows(5000), "max_rows = 1000")).violated(), "custom/orders");
}

TEST(Custom, ALimitThatNoQueryCanMeetIsRefused) {
  const auto options = [](const std::string& limit) {
    return options_from(one_server("dbname=a", query("SELECT 1", limit), "custom"));
  };
  for (const char* name : {"min_rows", "max_rows"}) {
    EXPECT_NO_THROW(options(std::string(name) + " = 1000"));
    EXPECT_THROW(options(std::string(name) + " = 1001"), std::runtime_error) << name;
  }
}

TEST(Custom, NothingIsWrittenAndOneStatementIsAllThereIs) {
  const Database db;
  db.run(
      "CREATE TABLE t (id int); CREATE FUNCTION add() RETURNS int LANGUAGE sql AS"
      " 'INSERT INTO public.t VALUES (1) RETURNING 1'");
  const std::string judged = metrics(metric("one", "must_be = 1"));
  for (const char* sql :
       {"WITH w AS (INSERT INTO public.t VALUES (1) RETURNING 1 AS n) SELECT n FROM w",
        "SELECT public.add() AS n", "SELECT id AS n FROM public.t FOR UPDATE",
        "SELECT 1 AS n INTO public.made"}) {
    const Findings found = look_at(db, query(sql, judged));
    EXPECT_EQ(found.object("custom/orders").state, State::unproven) << sql;
    EXPECT_FALSE(value(found, "one")) << sql;
  }
  EXPECT_EQ(db.ask("SELECT count(*) FROM t"), "0");
  EXPECT_EQ(db.ask("SELECT count(*) FROM pg_class WHERE relname = 'made'"), "0");
}

TEST(Custom, OneBadQueryDoesNotHideTheOthers) {
  const Database db;
  const std::string one = metrics(metric("one", "must_be = 1"));
  const Findings found =
      look_at(db, query("SELECT n FROM public.nothing", metrics(metric("a", "must_be = 1")), "a") +
                      query("SELECT 1 / 0 AS n", metrics(metric("b", "must_be = 1")), "b") +
                      query("SELECT 2 AS n", metrics(metric("c", "must_be = 1")), "c") +
                      query("SELECT 1 AS n", metrics(metric("d", "must_be = 1")), "d"));
  EXPECT_EQ(found.reason("custom/a"), Reason::missing);
  EXPECT_EQ(found.reason("custom/b"), Reason::decode);
  EXPECT_EQ(found.violated(), "custom/c");
  EXPECT_EQ(found.state("custom/d"), State::proven);
}

TEST(Custom, WhoMayNotReadProvesNothing) {
  const Database db;
  db.run(std::string(kOrders) +
         "DROP ROLE IF EXISTS custom_reader; CREATE ROLE custom_reader LOGIN");
  const std::string judged = query("SELECT count(*) AS n FROM public.orders WHERE false",
                                   metrics(metric("orders", "must_be = 0")));
  const Findings found = look_at(db, judged, nullptr, "custom_reader");
  EXPECT_EQ(found.reason("custom/orders"), Reason::permission);
  EXPECT_FALSE(value(found, "orders"));
  db.run("GRANT SELECT ON orders TO custom_reader; ALTER TABLE orders ENABLE ROW LEVEL SECURITY");
  EXPECT_EQ(look_at(db, judged, nullptr, "custom_reader").reason("custom/orders"),
            Reason::permission);
  db.run("ALTER TABLE orders DISABLE ROW LEVEL SECURITY");
  EXPECT_EQ(look_at(db, judged, nullptr, "custom_reader").state("custom/orders"), State::proven);
  db.run("DROP OWNED BY custom_reader; DROP ROLE custom_reader");
}

TEST(Custom, AQueryThatTakesTooLongIsUnproven) {
  const Database db;
  const Findings found = look_at(
      db, "[server.collectors.custom]\ndeadline = \"2s\"\n" +
              query("SELECT 1 AS n FROM pg_sleep(60)", metrics(metric("a", "must_be = 1")), "a") +
              query("SELECT 1 AS n", metrics(metric("b", "must_be = 1")), "b"));
  EXPECT_EQ(found.reason("custom/a"), Reason::timeout);
  EXPECT_EQ(found.state("custom/b"), State::proven) << "it has a deadline of its own";
}

TEST(Custom, ALabelSetThatVanishesIsGoneAndAViolationEndsWithIt) {
  const Database db;
  db.run(kOrders);
  RunningScheduler scheduler(one_server(
      db.dsn(), query(kCount, kByStatus + metrics(metric("orders", "at_most = 2"))), "custom"));
  const auto open = [&] { return value(scheduler.findings(), "orders", {{"status", "open"}}); };
  ASSERT_TRUE(eventually([&] { return open() == 3; }));
  EXPECT_EQ(scheduler.findings().violated(), "custom/orders");
  db.run("DELETE FROM orders WHERE status = 'open'");
  scheduler.clock.advance(Seconds(61));
  EXPECT_TRUE(eventually([&] { return !open().has_value(); }));
  EXPECT_EQ(scheduler.findings().state("custom/orders"), State::proven);
}

/// A configuration that finds a violation, and the saved evidence of it.
struct Recorded {
  explicit Recorded(Cluster& cluster) : db(cluster) {
    db.run(kOrders);
    saved = look_at(db, configuration()).saved;
  }
  static std::string configuration(const std::string& limit = "at_most = 2") {
    return query(kCount, kByStatus + metrics(metric("orders", limit)));
  }

  Database db;
  std::shared_ptr<const SavedEvidence> saved;
};

TEST(Custom, AViolationSurvivesAReloadOfTheConfiguration) {
  Cluster own;
  const Recorded recorded(own);
  own.stop("immediate");
  const Findings found = look_at(recorded.db, Recorded::configuration(), recorded.saved);
  EXPECT_EQ(found.violated(), "custom/orders");
  EXPECT_EQ(value(found, "orders", {{"status", "open"}}), 3);
  const Findings changed =
      look_at(recorded.db, Recorded::configuration("at_most = 3"), recorded.saved);
  EXPECT_EQ(changed.violated(), "") << "another configuration has other evidence";
  EXPECT_FALSE(value(changed, "orders"));
}

TEST(Custom, AViolationSurvivesARestart) {
  Cluster own;
  const Recorded recorded(own);
  const SystemClock clock;
  const auto loaded = by_way_of_disk(*recorded.saved, clock, clock);
  own.stop("immediate");
  const Findings found = look_at(recorded.db, Recorded::configuration(), loaded);
  EXPECT_EQ(found.violated(), "custom/orders");
  EXPECT_EQ(value(found, "orders", {{"status", "open"}}), 3);
  EXPECT_EQ(found.object("custom/orders").findings.at(0),
            "The metric pg_integrity_custom_orders (query orders, status open) is 3, it must be at "
            "most 2.");
}

TEST(Custom, KnownDamageMayBeAccepted) {
  const Database db;
  db.run(kOrders);
  const Findings found =
      look_at(db,
              "[[server.accept]]\nobject = \"custom/orders\"\nat_most = 1\nuntil = 2999-01-01\n"
              "reason = \"known\"\n" +
                  query(kCount, kByStatus + metrics(metric("orders", "at_most = 2"))));
  EXPECT_EQ(found.state("custom/orders"), State::accepted);
  EXPECT_EQ(value(found, "orders_accepted", {{"status", "open"}}), 1);
}

TEST(Custom, DatabasesMayDeclareTheSameMetric) {
  const Database one;
  const Database two;
  const std::string both =
      "databases = [\"" + one.name() + "\", \"" + two.name() + "\"]\n" +
      query("SELECT 1 AS n", "database = \"" + one.name() + "\"\n" + metrics(metric("alike"))) +
      query("SELECT 2 AS n", "database = \"" + two.name() + "\"\n" + metrics(metric("alike")));
  const Findings found = look_at(one, both);
  EXPECT_EQ(value(found, "alike", {{"database", one.name()}}), 1);
  EXPECT_EQ(value(found, "alike", {{"database", two.name()}}), 2);
}

TEST(MetricSet, ItsMetricsStayWhereTheyAreAndObeyTheRules) {
  MetricSet set;
  const MetricInfo& limit = set.add("pg_integrity_custom_x_max", "Most.", {"query"}, {});
  const MetricInfo& metric =
      set.add("pg_integrity_custom_x", "Some.", {"query", "a"}, at_most(limit).expectation);
  for (int i = 0; i < 100; ++i) set.add("pg_integrity_y" + std::to_string(i), "", {}, {});
  EXPECT_EQ(set.find("pg_integrity_custom_x"), &metric);
  EXPECT_EQ(set.find("pg_integrity_custom"), nullptr);
  EXPECT_EQ(metric.help, "Some.");
  EXPECT_EQ(metric.labels()[1], "a");
  EXPECT_EQ(fault_of(metric), MetricFault::none);
  const auto fault = [&](const std::string& name, const std::string& help,
                         const std::vector<std::string>& labels, const Expectation& expectation) {
    return fault_of(set.add(name, help, labels, expectation));
  };
  EXPECT_EQ(fault("other_x", "Some.", {}, {}), MetricFault::prefix);
  EXPECT_EQ(fault("pg_integrity_X", "Some.", {}, {}), MetricFault::name);
  EXPECT_EQ(fault("pg_integrity_x", "", {}, {}), MetricFault::help);
  EXPECT_EQ(fault("pg_integrity_x_total", "Some.", {}, {}), MetricFault::total);
  EXPECT_EQ(fault("pg_integrity_x_ms", "Some.", {}, {}), MetricFault::unit);
  EXPECT_EQ(fault("pg_integrity_x", "Some.", {"server"}, {}), MetricFault::label);
  EXPECT_EQ(fault("pg_integrity_x", "Some.", {"a", "a"}, {}), MetricFault::label_twice);
  EXPECT_EQ(fault("pg_integrity_x", "Some.", {}, at_most(limit).expectation),
            MetricFault::objective_label);
}

TEST(MetricSet, SaysInAPlainSentenceWhatItsMetricsShouldBe) {
  MetricSet set;
  const MetricInfo& limit = set.add("pg_integrity_custom_x_max", "Most.", {"query"}, {});
  const auto says = [&](const Expectation& expectation) {
    const MetricInfo& metric =
        set.add("pg_integrity_custom_x", "Some.", {"query", "a"}, expectation);
    EXPECT_EQ(fault_of(metric), MetricFault::none);
    return std::string(metric.expectation.says);
  };
  const std::string begin = "The metric pg_integrity_custom_x (query {query}, a {a}) is {value}, ";
  EXPECT_EQ(says(at_most(limit).expectation), begin + "it must be at most {limit}.");
  EXPECT_EQ(says(at_least(limit).expectation), begin + "it must be at least {limit}.");
  EXPECT_EQ(says(within(limit, limit).expectation), begin + "it must be {limit}.");
  EXPECT_EQ(says(must_be(7).expectation), begin + "it must be {limit}.");
  EXPECT_EQ(says(must_be(7).says("Own {value}.")), "Own {value}.");
  EXPECT_EQ(says({}), "") << "what is not judged has none";
}

}  // namespace
}  // namespace pg_integrity::test::custom_test
