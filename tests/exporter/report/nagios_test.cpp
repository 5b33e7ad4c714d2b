#include <gtest/gtest.h>

#include <algorithm>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "exporter/report/report.h"
#include "tests/support/sample_report.h"

namespace pg_integrity::test::nagios_test {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_F(ReportOf, NagiosGetsOneLineWithPerformanceData) {
  add();
  pass([](Batch& out) {
    out.set(kBad, 2, std::string("bad"));
    out.set(kBad, 0, std::string("good"));
    out.unproven(kBad, Reason::permission, "denied", std::string("unseen"));
  });
  clock.advance(Seconds(200.2));
  const std::string line = report_as_nagios(report());
  EXPECT_TRUE(line.starts_with("PG_INTEGRITY CRITICAL - 1 violated, 1 unproven, 1 proven")) << line;
  EXPECT_TRUE(has(line, "; s/d sample/bad violated: bad has 2 bad things.")) << line;
  EXPECT_FALSE(has(line, "unseen")) << "the worst state alone is named";
  EXPECT_TRUE(
      line.ends_with(" | violated=1;;0;0 unproven=1;0;;0 accepted=0;;;0 limited=0;;;0 proven=1;;;0 "
                     "oldest_evidence=200s;;;0\n"))
      << line;
}

TEST_F(ReportOf, NagiosHasTheCodesOfItsPlugins) {
  Report made;
  made.overall = State::proven;
  EXPECT_EQ(nagios_status(made), NagiosStatus::ok);
  EXPECT_TRUE(report_as_nagios(made).starts_with("PG_INTEGRITY OK - "));
  made.overall = State::unproven;
  EXPECT_EQ(nagios_status(made), NagiosStatus::warning);
  ReportDatabase away;
  away.name = "d";
  away.out_of_reach = true;
  ReportServer shop;
  shop.name = "s";
  shop.databases.push_back(away);
  ReportCause cause;
  cause.unreachable = true;
  cause.state = State::unproven;
  cause.title = "database d is out of reach";
  cause.words = "connection refused";
  shop.causes.push_back(cause);
  made.servers.push_back(shop);
  EXPECT_EQ(nagios_status(made), NagiosStatus::unknown);
  EXPECT_TRUE(has(report_as_nagios(made), "s: database d is out of reach. connection refused"));
  made.overall = State::violated;
  EXPECT_EQ(nagios_status(made), NagiosStatus::critical) << "this is known all the same";
}

TEST_F(ReportOf, NoNameEndsTheLineOrBeginsPerformanceData) {
  const std::string line = report_as_nagios(hostile_report());
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
  EXPECT_EQ(std::count(line.begin(), line.end(), '|'), 1) << line;
  EXPECT_LT(line.size(), 1024U) << "NRPE takes no more";
  EXPECT_TRUE(has(line, "; and 16 more | ")) << line;
}

TEST(OnlyBad, KeepsWhatIsViolatedOrUnproven) {
  SampleEvidence of(with_unwatched());
  of.add();
  of.pass([](Batch& out) {
    out.set(kBad, 2, std::string("bad"));
    out.set(kBad, 0, std::string("good"));
    out.unproven(kBad, Reason::permission, "denied", std::string("unseen"));
  });
  const Report whole = make_report(*of.evidence->snapshot(), of.clock);
  const Report bad = only_bad(whole);
  std::string names;
  for (const ReportObject& one : bad.servers.at(0).databases.back().collectors.at(0).objects)
    names += one.name + " ";
  EXPECT_EQ(names, "sample/bad sample/unseen ");
  EXPECT_TRUE(bad.servers.at(0).not_watched.empty());
  EXPECT_EQ(bad.counts, whole.counts) << "totals are those of everything";
  EXPECT_EQ(bad.overall, State::violated);
}

TEST_F(ReportOf, OnlyWhatIsBadIsNothingWhereAllIsWell) {
  add();
  pass([](Batch& out) { out.set(kBad, 0, std::string("good")); });
  const Report bad = only_bad(report());
  for (const ReportServer& one : bad.servers)
    for (const ReportDatabase& database : one.databases) EXPECT_TRUE(database.collectors.empty());
}

}  // namespace
}  // namespace pg_integrity::test::nagios_test
