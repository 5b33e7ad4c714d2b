#include "exporter/report/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/recovery/backup_metrics.h"
#include "exporter/config/options.h"
#include "exporter/evidence/verdict.h"
#include "exporter/io/clock.h"
#include "tests/support/sample_report.h"

namespace pg_integrity::test::report_test {
namespace {

TEST_F(ReportOf, SaysWhatIsWrongAndWhatTheEvidenceIs) {
  add();
  pass([](Batch& out) {
    out.set(kBad, 2, std::string("bad"));
    out.evidence(kBad, "row 7 refers to nothing", std::string("bad"));
    out.set(kBad, 0, std::string("good"));
    out.unproven(kBad, Reason::permission, "denied", std::string("unseen"));
  });
  clock.advance(Seconds(200));
  const Report made = report();
  EXPECT_EQ(made.overall, State::violated);
  const ReportObject bad = object(made, "sample/bad");
  EXPECT_EQ(bad.state, State::violated);
  EXPECT_EQ(bad.findings, std::vector<std::string>{"bad has 2 bad things."});
  EXPECT_EQ(bad.lines, std::vector<std::string>{"row 7 refers to nothing"});
  ASSERT_EQ(bad.values.size(), 1U);
  EXPECT_EQ(bad.values.front().text, "sample_bad 2");
  ASSERT_EQ(bad.broken.size(), 1U);
  EXPECT_EQ(bad.broken.front().seen.metric, "pg_integrity_sample_bad");
  EXPECT_EQ(bad.broken.front().seen.labels, (std::map<std::string, std::string>{{"thing", "bad"}}));
  EXPECT_EQ(bad.broken.front().seen.value, 2);
  EXPECT_EQ(bad.broken.front().relation, "=");
  EXPECT_EQ(bad.broken.front().limit, 0);
  EXPECT_NEAR(bad.evidence_time.value(), clock.unix_now() - 200, 1);
  EXPECT_EQ(object(made, "sample/unseen").reason, Reason::permission);
  EXPECT_EQ(object(made, "sample/unseen").findings, std::vector<std::string>{"denied"});
  EXPECT_FALSE(object(made, "sample/unseen").evidence_time);
}

TEST_F(ReportOf, SaysTheSameThingOnce) {
  add();
  pass([](Batch& out) {
    for (const char* const name : {"a", "b", "c"}) out.set(kBad, 2, std::string(name));
    out.set(kLevel, 12, std::string("d"));
    out.set(kLevelMax, 10, std::string("d"));
  });
  const Report made = report();
  const std::vector<ReportWrong>& wrong = made.servers.at(0).wrong;
  ASSERT_EQ(wrong.size(), 2U);
  EXPECT_EQ(wrong_text(wrong.at(0)), "a has 2 bad things. The same is wrong with 2 more objects.");
  EXPECT_EQ(wrong_text(wrong.at(1)), "d is at level 12, it must be at most 10.");
  EXPECT_EQ(headline(made), wrong_text(wrong.at(0)) + " And 1 further finding.");
  for (const std::string& text : {report_as_text(made), report_as_markdown(made)})
    EXPECT_LT(text.find("hat is wrong"), text.find("s the data intact?")) << text;
  const std::string page = report_as_html(made);
  EXPECT_NE(page.find("<a href=\"#" + wrong.at(0).anchor + "\">a has 2 bad things."),
            std::string::npos);
  EXPECT_NE(page.find("id=\"" + wrong.at(0).anchor + "\""), std::string::npos);
}

TEST_F(ReportOf, ItsHeadlineSaysWhyNothingIsProven) {
  add();
  EXPECT_EQ(headline(report()), "The first look is not complete yet.");
  pass([](Batch& out) { out.unproven(kBad, Reason::permission, "denied", std::string("a")); });
  EXPECT_EQ(headline(report()),
            "Nothing that could be checked is wrong. One cause keeps it from being proven.");
  pass([](Batch& out) { out.set(kBad, 0, std::string("a")); });
  EXPECT_EQ(headline(report()),
            "Nothing that is watched is wrong, and not every question is answered.");
}

TEST_F(ReportOf, TheWorstComesFirst) {
  add();
  pass([](Batch& out) {
    out.set(kBad, 0, std::string("a good"));
    out.set(kSize, 1, std::string("b observed"));
    out.unproven(kBad, Reason::lock, "locked", std::string("c unseen"));
    out.set(kBad, 1, std::string("d bad"));
  });
  std::string order;
  const Report made = report();
  for (const ReportObject& one : objects(made)) order += one.name.substr(7, 1);
  EXPECT_EQ(order, "dcab");
}

TEST_F(ReportOf, TextIsForPeople) {
  add();
  pass([](Batch& out) {
    out.set(kBad, 2, std::string("bad"));
    out.set(kBad, 0, std::string("good"));
  });
  clock.advance(Seconds(200.2));
  const std::string text = report_as_text(report());
  EXPECT_NE(text.find("server s, database d\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  Is the data intact? VIOLATED: 1 violated, 1 proven; oldest evidence "
                      "3m20s ago\n"),
            std::string::npos)
      << text;
  EXPECT_NE(
      text.find("  Could we get it back? UNPROVEN: nothing is configured that could prove it\n"),
      std::string::npos)
      << text;
  EXPECT_NE(
      text.find(
          "  [VIOLATED] Samples (sample): 1 violated, 1 proven; last complete pass 3m20s ago\n"
          "      VIOLATED sample/bad - evidence 3m20s ago\n"
          "          bad has 2 bad things.\n"),
      std::string::npos)
      << text;
  EXPECT_EQ(text.find("sample/good"), std::string::npos) << "what is good is counted only";
  EXPECT_TRUE(
      text.ends_with("\n\nbad has 2 bad things.\n1 violated, 1 proven; 1 question that nothing is "
                     "configured to answer\n"
                     "overall: VIOLATED\n"));
  const std::string taken = format_utc(clock.unix_now() - 200.2);
  EXPECT_NE(text.find("\ntaken from " + taken + " to " + taken + "\nby pg_integrity_exporter "),
            std::string::npos)
      << text;
}

TEST_F(ReportOf, BeforeTheFirstLookNothingIsProven) {
  add();
  const Report made = report();
  EXPECT_EQ(made.overall, State::unproven);
  EXPECT_NE(report_as_text(made).find("no complete pass yet"), std::string::npos);
  EXPECT_NE(report_as_html(made).find("first pass: not complete yet"), std::string::npos);
  EXPECT_NE(report_as_text(made).find("; 1 collector in the first pass\n"), std::string::npos);
}

TEST_F(ReportOf, HowFarAFirstPassHasComeIsShown) {
  add();
  evidence->pass_began(id);
  evidence->pass_at(id, 312, 1440);
  const Report under_way = report();
  const std::string page = report_as_html(under_way);
  EXPECT_NE(page.find("first pass: 312 of 1,440 objects looked at <progress "), std::string::npos);
  EXPECT_NE(page.find("First look: 0 of 1 collectors have completed a pass."), std::string::npos);
  EXPECT_NE(report_as_text(under_way).find("no complete pass yet, 312 of 1,440 objects looked at"),
            std::string::npos);
  EXPECT_NE(report_as_markdown(under_way).find("no complete pass yet, 312 of 1,440 objects"),
            std::string::npos);
  const auto pass_of = [](const Report& report) {
    return nlohmann::json::parse(
        report_as_json(report))["servers"][0]["databases"][0]["collectors"][0]["first_pass"];
  };
  EXPECT_EQ(pass_of(under_way), (nlohmann::json{{"looked_at", 312}, {"of", 1440}}));
  EXPECT_NE(page.find("<meta http-equiv=\"refresh\" content=\"10; url=/\">"), std::string::npos)
      << "until then there is something new soon";

  pass([](Batch& out) { out.set(kBad, 0, std::string("good")); });
  const Report over = report();
  EXPECT_EQ(report_as_html(over).find("first pass"), std::string::npos);
  EXPECT_EQ(pass_of(over), nullptr);
  EXPECT_EQ(report_as_html(over).find("refresh"), std::string::npos);
  evidence->pass_began(id);
  evidence->pass_at(id, 1, 2);
  EXPECT_EQ(report_as_html(report()).find("objects looked at"), std::string::npos)
      << "only the first pass is worth a word";
}

TEST_F(ReportOf, WhatIsUnprovenSaysSinceWhen) {
  add();
  const auto unseen = [](Batch& out) {
    out.unproven(kBad, Reason::permission, "denied", std::string("unseen"));
  };
  pass(unseen);
  clock.advance(Seconds(100));
  pass(unseen);
  EXPECT_NEAR(object(report(), "sample/unseen").since.value(), clock.unix_now() - 100, 1);
  EXPECT_NE(report_as_text(report()).find(
                "  UNPROVEN(permission) denied: sample/unseen is unproven (for 1m40s)\n"),
            std::string::npos)
      << report_as_text(report());
}

TEST_F(ReportOf, ACauseIsOneLineInEachForm) {
  add();
  pass([](Batch& out) {
    out.set(kBad, 0, std::string("good"));
    for (const char* name : {"a", "b", "c", "d", "e"})
      out.unproven(kBad, Reason::permission, "denied. HINT: grant it", std::string(name));
  });
  evidence->failed(id, SourceError(Reason::permission, "denied. HINT: grant it"));
  const Report made = report();
  ASSERT_EQ(made.servers.at(0).causes.size(), 1U);
  const std::string line =
      "denied: the collector sample checks nothing, sample/a, sample/b, sample/c and 2 more are "
      "unproven. HINT: grant it";
  EXPECT_EQ(cause_text(made.servers.at(0).causes[0]), line);
  EXPECT_EQ(count(report_as_text(made), "denied"), 1U) << report_as_text(made);
  EXPECT_EQ(count(report_as_markdown(made), "denied"), 1U) << report_as_markdown(made);
  EXPECT_EQ(count(report_as_html(made), "denied"), 1U) << report_as_html(made);
  EXPECT_EQ(count(report_as_nagios(made), "denied"), 1U) << report_as_nagios(made);
  const auto json = nlohmann::json::parse(report_as_json(made));
  const auto& causes = json["servers"][0]["causes"];
  ASSERT_EQ(causes.size(), 1U);
  EXPECT_EQ(causes[0]["keeps"].get<std::string>() + ". " + causes[0]["words"].get<std::string>(),
            line.substr(line.find(": ") + 2));
  EXPECT_EQ(causes[0]["stops"][0]["objects"].size(), 5U);
  const auto& collector = json["servers"][0]["databases"][0]["collectors"][0];
  EXPECT_EQ(collector["cause"], 0);
  for (const auto& one : collector["objects"])
    EXPECT_EQ(one["cause"], one["state"] == "unproven" ? nlohmann::json(0) : nlohmann::json());
}

TEST_F(ReportOf, TheLinkOfWhatIsUnprovenLeadsToItsCause) {
  add();
  pass([](Batch& out) { out.unproven(kBad, Reason::lock, "locked", std::string("a")); });
  const Report made = report();
  const std::string page = report_as_html(made);
  const std::string& anchor = made.servers.at(0).causes.at(0).anchor;
  EXPECT_EQ(count(page, "<li id=\"" + anchor + "\""), 1U) << page;
  EXPECT_EQ(count(page, " <a href=\"#" + anchor + "\">why</a>"), 1U) << page;
}

TEST_F(ReportOf, WhatCouldNotBeAskedYetIsNotCalledUnconfigured) {
  add();
  evidence->set_up("s", "d", false);
  evidence->failed(id, SourceError(Reason::connect, "no", SourceError::Scope::session));
  const ReportQuestion answer = report().servers.at(0).databases.at(1).questions.at(0);
  EXPECT_EQ(answer.reason, Reason::pending);
  EXPECT_EQ(answer_note(report(), answer),
            "nothing could be checked yet; 1 collector in the first"
            " pass; 1 collector failing");
}

TEST_F(ReportOf, AnAnswerRestsOnItsCollectorsAndNamesTheirTrouble) {
  add();
  pass([](Batch& out) { out.set(kBad, 0, std::string("good")); });
  clock.advance(Seconds(60));
  evidence->failed(id, SourceError(Reason::permission, "denied"));
  const ReportQuestion answer = report().servers.at(0).databases.at(1).questions.at(0);
  EXPECT_EQ(answer.state, State::unproven);
  EXPECT_EQ(answer_note(report(), answer), "1 proven; oldest evidence 1m ago; 1 collector failing");
}

TEST_F(ReportOf, ADatabaseOutOfReachIsSaidToBe) {
  add();
  EXPECT_EQ(report_as_text(report()).find("OUT OF REACH"), std::string::npos)
      << "nobody has tried yet";
  evidence->set_up("s", "d", false);
  EXPECT_NE(report_as_text(report()).find("database d - OUT OF REACH\n"), std::string::npos);
  EXPECT_NE(report_as_markdown(report()).find("| database d (out of reach) | answer |\n"),
            std::string::npos);
  EXPECT_NE(report_as_html(report()).find("out of reach"), std::string::npos);
}

TEST(ReportOfUnwatched, WhatIsNotWatchedIsListedWithItsHint) {
  SampleEvidence of(with_unwatched());
  of.add();
  const Report made = make_report(*of.evidence->snapshot(), of.clock);
  EXPECT_NE(report_as_text(made).find(
                "  [NOT WATCHED] Samples (sample). HINT: add [[server.samples]] with name = "
                "\"<x>\"\n"),
            std::string::npos);
  EXPECT_NE(report_as_markdown(made).find(
                "\nNot watched: Samples (`sample`). HINT: add \\[\\[server.samples\\]\\]"),
            std::string::npos);
  EXPECT_NE(
      report_as_html(made).find("HINT: add [[server.samples]] with name = &quot;&lt;x&gt;&quot;"),
      std::string::npos);
  const auto json = nlohmann::json::parse(report_as_json(made));
  EXPECT_EQ(json["servers"][0]["not_watched"][0]["collector"], "sample");
  EXPECT_EQ(json["servers"][0]["not_watched"][0]["hint"], with_unwatched().not_watched[0].hint);
}

TEST(ReportOfAccepted, KnownDamageIsShownWithItsReasonAndIsNotProof) {
  ServerOptions options;
  options.accept.push_back({"sample/known", "", 5, 4e9, "ticket 17", "jane"});
  SampleEvidence of(options);
  of.add();
  of.pass([](Batch& out) { out.set(kBad, 4, std::string("known")); });
  const std::string text = report_as_text(make_report(*of.evidence->snapshot(), of.clock));
  EXPECT_NE(text.find("ACCEPTED sample/known"), std::string::npos) << text;
  EXPECT_NE(text.find("accepted until 2096-10-02 by jane: ticket 17"), std::string::npos) << text;
}

TEST_F(ReportOf, AHugeReportIsAPageThatABrowserCopesWith) {
  add();
  pass([](Batch& out) {
    for (int i = 0; i < 12000; ++i) {
      const std::string name = std::to_string(i) + std::string(200, 'x');
      out.set(kBad, i % 2, name);
      for (int line = 0; line < 25; ++line) out.evidence(kBad, "a line of evidence", name);
    }
    out.evidence(kBad, std::string(100'000, 'y'), std::to_string(1) + std::string(200, 'x'));
  });
  const Report made = report();
  const std::string page = report_as_html(made);
  EXPECT_LT(page.size(), 1'000'000U);
  const std::size_t shown = count(page, "<li id=");
  EXPECT_GE(shown, 300U);
  const std::regex more("([0-9,]+) more: all of them are in <a href=\"/report.json\">");
  std::size_t hidden = 0;
  for (std::sregex_iterator at(page.begin(), page.end(), more), end; at != end; ++at) {
    std::string digits = (*at)[1];
    std::erase(digits, ',');
    hidden += std::stoul(digits);
  }
  EXPECT_EQ(shown + hidden, 12000U);
  EXPECT_NE(page.find("6,000 violated, 6,000 proven"), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(
                report_as_json(made))["servers"][0]["databases"][0]["collectors"][0]["objects"]
                .size(),
            12000U);
}

TEST_F(ReportOf, TheMarkdownHasTheChaptersOfTheOldReport) {
  add();
  pass([](Batch& out) { out.set(kBad, 0, std::string("good")); });
  const std::string text = report_as_markdown(report());
  std::size_t at = 0;
  for (const char* chapter :
       {"\n### 1. Database content\n", "\n### 2. Activity\n",
        "\n### 3. Multimedia and file storage\n", "\n### 4. Synchronization\n",
        "\n### 5. Backup systems\n", "\n### 6. Disaster recovery\n", "\n### 7. Data integrity\n",
        "\n### 8. Security and protection\n", "\n### 9. Performance\n",
        "\n### 10. Further checks\n"}) {
    const std::size_t found = text.find(chapter);
    ASSERT_NE(found, std::string::npos) << chapter;
    EXPECT_GT(found, at) << chapter;
    at = found;
  }
  EXPECT_EQ(count(text, "\n**Unproven**: there is no evidence, for nothing watches it.\n"), 9U)
      << "what nobody looks at is said of each chapter";
  EXPECT_GT(text.find("\n#### Samples, database d: proven\n"), at)
      << "what belongs to no chapter comes last";
  EXPECT_NE(text.find("| sample/good | proven | " + format_utc(clock.unix_now()) +
                      " | sample\\_bad 0 |\n"),
            std::string::npos)
      << text;
}

TEST_F(ReportOf, AgesAreNeverNegative) {
  add();
  const Report made = report();
  EXPECT_EQ(age_of(made, made.made_at + 100), "0s");
  EXPECT_EQ(age_of(made, made.made_at - 3661.5), "1h1m1s");
}

TEST(ReportOfNothing, AServerWithoutAnythingWatchedIsNotProven) {
  SampleEvidence of;
  EXPECT_EQ(make_report(*of.evidence->snapshot(), of.clock).overall, State::unproven);
}

}  // namespace
}  // namespace pg_integrity::test::report_test
