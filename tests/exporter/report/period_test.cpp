#include "exporter/report/period.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "exporter/history/history.h"
#include "exporter/io/clock.h"
#include "exporter/report/report_history.h"
#include "tests/support/sample_report.h"

namespace pg_integrity::test::period_test {
namespace {

constexpr UnixTime kHour = 3600;

ServerOptions accepting() {
  ServerOptions options;
  options.accept.push_back(
      {"sample/b", "", 5, SystemClock().unix_now() + 30 * 86400, "mended with release 12", "jane"});
  return options;
}

class PeriodReport : public ReportOf {
 protected:
  PeriodReport() : ReportOf(accepting()) {}

  /// Adds a line, that many hours ago.
  void tell(double hours_ago, std::string_view kind, const std::string& subject,
            const std::string& from, const std::string& to, const std::string& text = {}) {
    HistoryEntry entry;
    entry.time = clock.unix_now() - hours_ago * kHour;
    entry.kind = kind;
    entry.server = "s";
    entry.database = "d";
    entry.subject = subject;
    entry.from = from;
    entry.to = to;
    entry.evidence_time = entry.time - 60;
    entry.text = text;
    history.append(entry);
  }
  Report made() {
    view = history.view();
    return make_report(*evidence->snapshot(), clock, {&view, {}});
  }
  std::string period(double hours) {
    const Report report = made();
    return period_as_markdown(report, view, clock.unix_now() - hours * kHour);
  }

  History history{false};
  HistoryView view;
};

TEST_F(PeriodReport, SaysHowLongEachAnswerHeld) {
  add();
  tell(200, kAnswer, "intact", "", "proven");
  tell(60, kAnswer, "intact", "proven", "violated");
  tell(50, kAnswer, "intact", "violated", "proven");
  const std::string text = period(100);
  EXPECT_NE(text.find("proven 90.0 % (3 d 18 h), violated 10.0 % (10 h) | 2 |"), std::string::npos)
      << text;
  EXPECT_NE(text.find(" | " + format_utc(clock.unix_now() - 50 * kHour) + " | "), std::string::npos)
      << "since when\n"
      << text;
  EXPECT_EQ(text.find("The history begins later"), std::string::npos);
}

TEST_F(PeriodReport, SaysIfTheHistoryIsYoungerThanThePeriod) {
  add();
  tell(10, kAnswer, "intact", "", "proven");
  const std::string text = period(100);
  EXPECT_NE(text.find("The history begins later, at " + format_utc(clock.unix_now() - 10 * kHour)),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("proven 100.0 % (10 h)"), std::string::npos) << text;
}

TEST_F(PeriodReport, AnswersAnAuditor) {
  add();
  pass([](Batch& out) {
    out.set(kBad, 0, std::string("a"));
    out.set(kBad, 3, std::string("b"));
  });
  tell(300, kObject, "sample/old", "proven", "violated", "long ago");
  tell(90, kStarted, "", "", "", "pg_integrity_exporter 1 started.");
  tell(80, kDay, "", "", "proven");
  tell(70, kObject, "sample/b", "violated", "accepted", "accepted until 2027-01-01 by jane: why");
  tell(60, kDrill, "restore_drill/dumps.nightly", "", "", "A restore drill succeeded.");
  tell(56, kDay, "", "", "proven");
  const std::string text = period(100);
  for (const char* part :
       {"looked at it on 2 days of the period",
        "| Samples (`sample`) | d | proven | 1 accepted, 1 proven | ",  // what proves it
        "- in force: sample/b: b has 3 bad things.; accepted until ",
        "by jane: mended with release 12",
        "sample/b: violated, then accepted: accepted until 2027-01-01 by jane: why",
        "restore\\_drill/dumps.nightly: A restore drill succeeded.",
        "pg\\_integrity\\_exporter 1 started."})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  EXPECT_EQ(text.find("long ago"), std::string::npos) << "before the period";
  EXPECT_NE(text.find("line 6, SHA-256 " + view.hash), std::string::npos);
}

TEST_F(PeriodReport, ChangesSinceYesterdayAndTheHashAreInEveryForm) {
  add();
  tell(30, kObject, "sample/a", "proven", "violated", "the day before");
  tell(5, kObject, "sample/a", "violated", "proven", "sample_bad 0");
  tell(4, kDay, "", "", "proven", "no news");
  tell(3, kAnswer, "intact", "violated", "proven", "2 proven");
  const Report report = made();
  ASSERT_EQ(report.servers.at(0).changes.size(), 2U);
  EXPECT_EQ(report.servers.at(0).changes.at(0).subject, "intact") << "the newest first";
  const std::string hash = view.hash;
  ASSERT_EQ(hash.size(), 64U);
  for (const std::string& text : {report_as_text(report), report_as_html(report)}) {
    EXPECT_NE(text.find("sample/a: violated, then proven: sample_bad 0"), std::string::npos);
    EXPECT_NE(text.find("Is the data intact?: violated, then proven"), std::string::npos) << text;
    EXPECT_EQ(text.find("the day before"), std::string::npos);
    EXPECT_NE(text.find("line 4, SHA-256 " + hash), std::string::npos);
  }
  const std::string markdown = report_as_markdown(report);
  EXPECT_NE(markdown.find("sample/a: violated, then proven: sample\\_bad 0"), std::string::npos);
  EXPECT_NE(markdown.find("| history | line 4, SHA-256 " + hash + " |"), std::string::npos);
  const auto json = nlohmann::json::parse(report_as_json(report));
  EXPECT_EQ(json["history"]["number"], 4);
  EXPECT_EQ(json["history"]["sha256"], hash);
  EXPECT_EQ(json["servers"][0]["changes"][1]["from"], "violated");
  EXPECT_EQ(json["servers"][0]["changes"][1]["to"], "proven");
}

TEST_F(PeriodReport, SaysThatNothingChanged) {
  add();
  tell(30, kObject, "sample/a", "proven", "violated");
  EXPECT_NE(report_as_text(made()).find("since yesterday\n  No verdict has changed.\n"),
            std::string::npos);
}

TEST_F(PeriodReport, ALongDayIsCutOnThePageAndWholeInTheJson) {
  add();
  for (int i = 0; i < 100; ++i)
    tell(1, kObject, "sample/" + std::to_string(i), "proven", "violated");
  const Report report = made();
  EXPECT_NE(report_as_html(report).find("70 more"), std::string::npos);
  EXPECT_NE(report_as_text(report).find("70 more"), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(report_as_json(report))["servers"][0]["changes"].size(), 100U);
}

}  // namespace
}  // namespace pg_integrity::test::period_test
