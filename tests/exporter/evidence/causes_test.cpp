// A cause is one finding, whatever number of collectors it stops.
#include "exporter/evidence/causes.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/collector.h"
#include "exporter/config/options.h"
#include "exporter/evidence/evidence.h"
#include "exporter/evidence/verdict.h"
#include "exporter/report/report.h"
#include "tests/support/clock.h"

namespace pg_integrity::test::causes_test {
namespace {

constexpr auto kRows =
    gauge("pg_integrity_cause_rows", "Rows.", must_be(0).says("{schema}.{table} has {value} rows."),
          "schema", "table");
constexpr auto kKey =
    gauge("pg_integrity_cause_key", "Rows.",
          must_be(0).says("{schema}.{table} has {value} rows in {key}."), "schema", "table", "key");
constexpr auto kCopy = gauge("pg_integrity_cause_copy", "Rows.",
                             must_be(0).says("{replica} has {value} rows of {schema}.{table}."),
                             "replica", "schema", "table");
constexpr const MetricInfo* kMetrics[] = {&kRows, &kKey, &kCopy};
constexpr std::string_view kIdentity[] = {"replica", "schema", "table", "key"};

constexpr CollectorSpec spec_of(std::string_view name, std::string_view noun) {
  return {.name = name,
          .summary = "made for tests",
          .object_noun = noun,
          .report_section = "Samples",
          .question = Question::intact,
          .scope = Scope::database,
          .interval = "1m",
          .deadline = "10s",
          .metrics = kMetrics,
          .identity = kIdentity,
          .reads = no_reads};
}
constexpr CollectorSpec kCounts = spec_of("counts", "row count");
constexpr CollectorSpec kKeys = spec_of("keys", "unique key");
constexpr CollectorSpec kCopies = spec_of("copies", "compared table");
constexpr CollectorSpec kSessions = spec_of("sessions", "session");

const SourceError kLocked(Reason::lock, "canceling statement due to lock timeout (SQLSTATE 55P03)");
const SourceError kDenied(Reason::permission, "permission denied");

SourceError down(const std::string& words) {
  return {Reason::connect, words, SourceError::Scope::session};
}

/// A server "s" with the databases "d" (its home) and "e".
class CausesOf : public ::testing::Test {
 protected:
  CausesOf() {
    ServerOptions options;
    options.name = "s";
    options.home_database = "d";
    server_ = std::make_shared<const ServerOptions>(std::move(options));
    evidence_ = std::make_unique<Evidence>(clock_, std::vector{server_});
    evidence_->add_database("s", "d");
    evidence_->add_database("s", "e");
    for (const CollectorSpec* spec : {&kCounts, &kKeys, &kCopies}) add("d", *spec);
    add("e", kCounts);
    add("", kSessions);
  }

  void add(const std::string& database, const CollectorSpec& spec) {
    evidence_->add(id(database, spec), spec, server_, Seconds(600), 1, Batch(clock_.now()));
  }
  static CollectorId id(const std::string& database, const CollectorSpec& spec) {
    return {"s", database, std::string(spec.name)};
  }

  template <typename Look>
  void pass(const std::string& database, const CollectorSpec& spec, Look look) {
    clock_.advance(Seconds(1));
    evidence_->pass_began(id(database, spec));
    Batch batch(clock_.now());
    look(batch);
    evidence_->accept(id(database, spec), batch, false, 0);
    evidence_->pass_complete(id(database, spec), 0);
  }
  void fail(const std::string& database, const CollectorSpec& spec, const SourceError& error) {
    clock_.advance(Seconds(1));
    evidence_->failed(id(database, spec), error);
  }

  /// One failed check of a table's rows.
  void count_fails(const std::string& database, const std::string& table,
                   const SourceError& error) {
    pass(database, kCounts, [&](Batch& out) {
      out.attempt(kRows, {std::string("public"), table}, [&] { throw SourceError(error); });
    });
  }
  void key_fails(const std::string& table, const std::string& key, const SourceError& error) {
    pass("d", kKeys, [&](Batch& out) {
      out.attempt(kKey, {std::string("public"), table, key}, [&] { throw SourceError(error); });
    });
  }

  [[nodiscard]] std::vector<Cause> causes() {
    snapshot_ = evidence_->snapshot();
    return causes_of(*snapshot_, judge_all(*snapshot_, clock_.now(), clock_.unix_now()));
  }
  /// The causes as the report has them, one a line.
  [[nodiscard]] std::string told() {
    std::string lines;
    const Report made = make_report(*evidence_->snapshot(), clock_);
    for (const ReportCause& cause : made.servers[0].causes)
      lines += std::string(name_of(cause.state)) + ": " + cause_text(cause) + "\n";
    return lines;
  }

  SteppedClock clock_;
  std::shared_ptr<const ServerOptions> server_;
  std::unique_ptr<Evidence> evidence_;
  std::shared_ptr<const Snapshot> snapshot_;
};

TEST_F(CausesOf, WhereAllIsWellThereAreNone) {
  for (const CollectorSpec* spec : {&kCounts, &kKeys, &kCopies})
    pass("d", *spec, [](Batch& out) { out.set(kRows, 0, "public", "t"); });
  EXPECT_EQ(told(), "");
}

TEST_F(CausesOf, ALockedTableIsOneWhateverItStops) {
  // The server tells the row count's table by its labels, and that of the key by its own answer.
  count_fails("d", "t", kLocked);
  key_fails("child", "child_key", kLocked.because_of({{"public", "t"}}));
  const auto found = causes();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, CauseKind::relation);
  EXPECT_EQ(found[0].objects(), 2U);
  EXPECT_EQ(found[0].stops.size(), 2U);
  EXPECT_EQ(told(),
            "unproven: public.t of database d is locked: 1 row count and 1 unique key are unproven."
            " canceling statement due to lock timeout (SQLSTATE 55P03)\n");
}

TEST_F(CausesOf, TwoTablesTwoReasonsAndTwoDatabasesStayApart) {
  count_fails("d", "t", kLocked);
  count_fails("e", "t", kLocked);
  key_fails("u", "u_key", kLocked);
  EXPECT_EQ(causes().size(), 3U);
  key_fails("t", "t_key", SourceError(Reason::timeout, "too slow"));
  EXPECT_EQ(causes().size(), 3U) << "t is locked and too slow for d, and u is free again";
}

TEST_F(CausesOf, ARoleWithoutRightsIsOneWhateverTheNumberOfTables) {
  pass("d", kCounts, [&](Batch& out) {
    for (const char* table : {"a", "b", "c", "d", "e"})
      out.attempt(kRows, {std::string("public"), std::string(table)}, [&] {
        throw kDenied.because_of({{"public", table}, false, "reader"});
      });
  });
  key_fails("a", "a_key", kDenied.because_of({{"public", "a"}, false, "reader"}));
  fail("", kSessions, kDenied.because_of({{"public", "a_seq"}, true, "reader"}));
  EXPECT_EQ(
      told(),
      "unproven: the role reader may not read 5 tables and 1 sequence of database d (public.a,"
      " public.a_seq, public.b and 3 more): 1 collector checks nothing, 5 row counts and 1"
      " unique key are unproven. HINT: `pg_integrity_exporter grants` prints the rights that"
      " it needs\n");
}

TEST_F(CausesOf, ADatabaseOutOfReachIsOneInTheWordsOfTheServer) {
  pass("d", kCounts, [](Batch& out) { out.set(kRows, 0, "public", "t"); });
  evidence_->set_up("s", "d", false);
  EXPECT_EQ(told(),
            "unproven: database d is out of reach. the newest attempt to talk to it failed\n")
      << "no collector has failed yet";
  fail("d", kCounts, down("the server closed the connection"));
  fail("d", kKeys, down("connection refused"));
  fail("", kSessions, down("the server closed the connection"));
  EXPECT_EQ(told(),
            "unproven: database d is out of reach: 3 collectors check nothing. connection"
            " refused\n")
      << "the newest words count for the whole outage";
  clock_.advance(Seconds(3600));
  EXPECT_EQ(told(),
            "unproven: database d is out of reach: 3 collectors check nothing, 1 row count"
            " is unproven. connection refused\n")
      << "what grew old meanwhile has the same cause";
}

TEST_F(CausesOf, WhatWasInTheWayBeforeAnOutageIsNotToldDuringIt) {
  count_fails("d", "t", kLocked);
  count_fails("e", "t", kLocked);
  evidence_->set_up("s", "d", false);
  fail("d", kCounts, down("connection refused"));
  EXPECT_EQ(told(),
            "unproven: database d is out of reach: 1 collector checks nothing, 1 row count is"
            " unproven. connection refused\n"
            "unproven: public.t of database e is locked: 1 row count is unproven. canceling"
            " statement due to lock timeout (SQLSTATE 55P03)\n");
}

TEST_F(CausesOf, AServerThatIsDownIsOneForAllItsDatabases) {
  for (const char* database : {"d", "e"}) {
    evidence_->set_up("s", database, false);
    fail(database, kCounts, down("connection refused"));
  }
  const auto found = causes();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].databases, (std::set<std::string>{"d", "e"}));
  fail("e", kCounts, down("permission denied for database \"e\""));
  EXPECT_EQ(causes().size(), 2U) << "one that refuses has its own words";
}

TEST_F(CausesOf, AFailingCollectorIsTheCauseOfWhatGrowsOld) {
  pass("d", kCounts, [](Batch& out) { out.set(kRows, 0, "public", "t"); });
  for (const CollectorSpec* spec : {&kCounts, &kKeys})
    fail("d", *spec, SourceError(Reason::server, "it says no. HINT: ask again"));
  clock_.advance(Seconds(3600));
  EXPECT_EQ(told(),
            "unproven: it says no (database d): the collectors counts and keys check"
            " nothing, counts/public.t is unproven. HINT: ask again\n");
}

TEST_F(CausesOf, WhatIsPendingOrOldOfItselfBelongsToItsCollector) {
  const auto pending = [](Batch& out) { out.unsettled(kRows, "not looked at yet", "public", "t"); };
  pass("d", kCounts, pending);
  pass("d", kKeys, pending);
  EXPECT_EQ(causes().size(), 2U);
}

TEST_F(CausesOf, TablesOfACopyAreOthers) {
  count_fails("d", "t", kLocked);
  pass("d", kCopies, [&](Batch& out) {
    out.attempt(kCopy, {std::string("standby"), std::string("public"), std::string("t")},
                [&] { throw SourceError(kLocked); });
  });
  EXPECT_EQ(causes().size(), 2U);
  pass("d", kCopies, [&](Batch& out) {
    out.attempt(kCopy, {std::string("standby"), std::string("public"), std::string("t")}, [&] {
      throw kLocked.because_of({{"public", "t"}});
    });
  });
  EXPECT_EQ(causes().size(), 1U) << "the database's own table was locked";
}

TEST_F(CausesOf, LimitsAreGroupedBehindWhatIsUnproven) {
  const SourceError foreign(Reason::unsafe, "any look at public.t runs foreign code. HINT: look");
  pass("d", kCounts, [&](Batch& out) {
    out.attempt(kRows, {std::string("public"), std::string("t")},
                [&] { throw SourceError(foreign); });
    out.attempt(kRows, {std::string("public"), std::string("u")},
                [&] { throw SourceError(kLocked); });
  });
  key_fails("t", "t_key", foreign);
  const auto found = causes();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].state, State::unproven);
  EXPECT_EQ(found[1].state, State::limited);
  EXPECT_EQ(found[1].objects(), 2U);
}

TEST_F(CausesOf, AViolationIsNone) {
  pass("d", kCounts, [](Batch& out) { out.set(kRows, 3, "public", "t"); });
  count_fails("d", "t", kLocked);
  EXPECT_TRUE(causes().empty()) << "it stays violated, and says itself that it is locked";
}

TEST_F(CausesOf, ItBeganWithItsOldestTrouble) {
  count_fails("d", "t", kLocked);
  const Instant first = clock_.now();
  key_fails("t", "t_key", kLocked);
  EXPECT_NEAR((causes().at(0).since.value() - first).count(), 0, 0.5);
}

}  // namespace
}  // namespace pg_integrity::test::causes_test
