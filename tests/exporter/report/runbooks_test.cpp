#include "exporter/report/runbooks.h"

#include <gtest/gtest.h>

#include "collectors/registry.h"
#include "exporter/report/next_step.h"
#include "tests/support/content.h"
#include "tests/support/paths.h"
#include "tests/support/sample_report.h"

namespace pg_integrity::test::runbooks_test {
namespace {

TEST(Runbooks, EveryExpectationHasOneOnEitherSide) {
  std::size_t seen = 0;
  for (const CollectorSpec* spec : collectors())
    for (const MetricInfo* metric : spec->metrics) {
      const Expectation& expected = metric->expectation;
      const auto expect = [&](std::string_view relation) {
        ++seen;
        EXPECT_NE(runbook_for(metric->name, relation), nullptr) << metric->name << " " << relation;
      };
      if (expected.constant) expect("=");
      if (expected.upper != nullptr) expect("<=");
      if (expected.lower != nullptr) expect(">=");
    }
  EXPECT_GE(seen, 60U);
  EXPECT_NE(runbook_for("pg_integrity_custom_unpaid", "="), nullptr);
  EXPECT_EQ(runbook_for("pg_integrity_sample_bad", "="), nullptr);
}

TEST(Runbooks, TheSideOfALimitChooses) {
  const auto* const too_many = runbook_for("pg_integrity_audit_log_recent_rows", "<=");
  const auto* const too_few = runbook_for("pg_integrity_audit_log_recent_rows", ">=");
  ASSERT_NE(too_many, nullptr);
  ASSERT_NE(too_few, nullptr);
  EXPECT_EQ(too_many->name, "PgIntegrityAuditLogTooManyRows");
  EXPECT_EQ(too_few->name, "PgIntegrityAuditLogTooFewRows");
}

TEST(Runbooks, EachIsAPageThatBeginsWithThatCommand) {
  for (const Runbook& one : all_runbooks()) {
    const std::string page =
        content_of(source_path("alerts/runbooks/" + std::string(one.name) + ".md"));
    const std::size_t first = page.find("```sh");
    ASSERT_NE(first, std::string::npos) << one.name;
    const std::size_t begin = page.find('\n', first) + 1;
    const std::string_view command = one.commands.front();
    EXPECT_EQ(page.compare(begin, command.size(), command), 0) << one.name;
  }
}

class Findings : public ReportOf {
 protected:
  /// A report whose only finding has a runbook.
  Report with_runbook(const std::string& address) {
    add();
    pass([](Batch& out) { out.set(kBad, 2, std::string("a")); });
    Report made = make_report(*evidence->snapshot(), clock, {nullptr, {address, {}, {}}});
    made.servers.at(0).wrong.at(0).runbook = "PgIntegrityForeignKeyViolations";
    made.servers.at(0).wrong.at(0).command = "export SCHEMA='<b>'\npsql <<SQL\nSELECT 1;\nSQL";
    return made;
  }
};

TEST_F(Findings, HaveALinkIfSomebodySaysWhereRunbooksAre) {
  const std::string page = report_as_html(with_runbook("https://git.example/runbooks/"));
  EXPECT_NE(
      page.find("<a href=\"https://git.example/runbooks/PgIntegrityForeignKeyViolations.md\">"),
      std::string::npos);
  EXPECT_NE(page.find("<pre>export SCHEMA=&#39;&lt;b&gt;&#39;\npsql &lt;&lt;SQL\nSELECT 1;\nSQL"
                      "</pre>"),
            std::string::npos);
}

TEST_F(Findings, NameTheirRunbookOtherwise) {
  const Report made = with_runbook("");
  for (const std::string& text :
       {report_as_html(made), report_as_text(made), report_as_markdown(made), next_step(made)}) {
    EXPECT_NE(text.find("PgIntegrityForeignKeyViolations"), std::string::npos) << text;
    EXPECT_EQ(text.find("PgIntegrityForeignKeyViolations.md"), std::string::npos) << text;
  }
}

TEST_F(Findings, TheOutputOfACheckEndsWithACommandAndOneLine) {
  const std::string text = last_words(with_runbook(""));
  EXPECT_TRUE(
      text.starts_with("First command, for \"a has 2 bad things.\"\n"
                       "export SCHEMA='<b>'\npsql <<SQL\nSELECT 1;\nSQL\nNext: begin with "))
      << text;
  EXPECT_EQ(last_words(report()), next_step(report()) + "\n");
}

TEST_F(Findings, TheNextStepFollowsTheWorst) {
  add();
  EXPECT_EQ(next_step(report()),
            "Next: nothing answers \"Could we get it back?\" yet: configure "
            "what is not watched, or let `pg_integrity_exporter config init` "
            "look for it");
  pass([](Batch& out) { out.unproven(kBad, Reason::permission, "denied", std::string("a")); });
  EXPECT_TRUE(next_step(report()).starts_with("Next: lift the first cause, "))
      << next_step(report());
  pass([](Batch& out) { out.set(kBad, 2, std::string("a")); });
  EXPECT_EQ(next_step(report()), "Next: mend what is wrong first: a has 2 bad things.");
}

TEST_F(Findings, TheBannerNamesProductServerAndFinding) {
  const std::string page = report_as_html(with_runbook(""));
  const std::string banner = page.substr(page.find("<header>"), page.find("</header>"));
  EXPECT_NE(banner.find("pg_integrity_exporter &middot; server <bdi>s</bdi>"), std::string::npos)
      << banner;
  EXPECT_NE(banner.find("<strong>a has 2 bad things.</strong>"), std::string::npos) << banner;
  for (const char* state :
       {">proven</strong> observed", ">violated</strong>", ">unproven</strong>"})
    EXPECT_NE(banner.find(state), std::string::npos) << "the legend\n" << banner;
}

}  // namespace
}  // namespace pg_integrity::test::runbooks_test
