#include "exporter/report.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/support/sample_evidence.h"

namespace pg_integrity::test {
namespace {

/// Of the only collector of the only database.
const std::vector<ReportObject>& objects(const Report& report) {
  return report.servers.at(0).databases.at(1).collectors.at(0).objects;
}

/// Names that a database may hold, chosen by somebody who means harm.
const std::vector<std::string> kHostile{"<script>alert(1)</script>",
                                        "\"><img src=x onerror=alert(1)>",
                                        "a|b",
                                        "a`b`c",
                                        "a\nb\r\n# c",
                                        "[x](http://127.0.0.1/)",
                                        "**bold**",
                                        "&lt;script&gt;",
                                        "\x1b[2J\x07",
                                        "\u009b2J",
                                        "a\\|b",
                                        "\xff\xfe",
                                        "' onmouseover='x",
                                        "{{ 1 }}",
                                        "javascript:x"};

class ReportOf : public ::testing::Test, public SampleEvidence {
 protected:
  using SampleEvidence::SampleEvidence;
  [[nodiscard]] Report report() const { return make_report(*evidence->snapshot(), clock); }
  Report hostile_report() {
    add();
    pass([](Batch& out) {
      for (const std::string& name : kHostile) {
        out.set(kBad, 1, name);
        out.evidence(kBad, "line of " + name, name);
      }
    });
    evidence->failed(id, SourceError(Reason::server, "no <b>such</b> | thing\nas `that`"));
    return report();
  }
  static const ReportObject& object(const Report& of, const std::string& name) {
    for (const ReportObject& one : objects(of))
      if (one.name == name) return one;
    throw std::runtime_error("no object " + name);
  }
};

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

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
  EXPECT_EQ(bad.findings, std::vector<std::string>{"pg_integrity_sample_bad is 2, should be = 0"});
  EXPECT_EQ(bad.lines, std::vector<std::string>{"row 7 refers to nothing"});
  EXPECT_EQ(bad.values, std::vector<std::string>{"sample_bad 2"});
  EXPECT_NEAR(bad.evidence_time.value(), clock.unix_now() - 200, 1);
  EXPECT_EQ(object(made, "sample/unseen").reason, Reason::permission);
  EXPECT_EQ(object(made, "sample/unseen").findings, std::vector<std::string>{"denied"});
  EXPECT_FALSE(object(made, "sample/unseen").evidence_time);
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
  EXPECT_NE(text.find("  Is the data intact? VIOLATED\n"), std::string::npos) << text;
  EXPECT_NE(
      text.find("  Could we get it back? UNPROVEN (nothing is configured that could prove it)\n"),
      std::string::npos)
      << text;
  EXPECT_NE(
      text.find(
          "  [VIOLATED] Samples (sample): 1 violated, 1 proven; last complete pass 3m20s ago\n"
          "      VIOLATED sample/bad - evidence 3m20s ago\n"
          "          pg_integrity_sample_bad is 2, should be = 0\n"),
      std::string::npos)
      << text;
  EXPECT_EQ(text.find("sample/good"), std::string::npos) << "what is good is counted only";
  EXPECT_TRUE(text.ends_with("\noverall: VIOLATED\n"));
}

TEST_F(ReportOf, BeforeTheFirstLookNothingIsProven) {
  add();
  const Report made = report();
  EXPECT_EQ(made.overall, State::unproven);
  EXPECT_NE(report_as_text(made).find("no complete pass yet"), std::string::npos);
  EXPECT_NE(report_as_html(made).find("first pass under way"), std::string::npos);
}

TEST_F(ReportOf, ADatabaseOutOfReachIsSaidToBe) {
  add();
  EXPECT_EQ(report_as_text(report()).find("OUT OF REACH"), std::string::npos)
      << "nobody has tried yet";
  evidence->set_up("s", "d", false);
  EXPECT_NE(report_as_text(report()).find("database d - OUT OF REACH\n"), std::string::npos);
  EXPECT_NE(report_as_markdown(report()).find("database d (out of reach)\n"), std::string::npos);
  EXPECT_NE(report_as_html(report()).find("out of reach"), std::string::npos);
}

ServerOptions with_unwatched() {
  ServerOptions options;
  options.not_watched.push_back({&kSampleSpec, "add [[server.samples]] with name = \"<x>\""});
  return options;
}

TEST(ReportOfUnwatched, WhatIsNotWatchedIsListedWithItsHint) {
  SampleEvidence of(with_unwatched());
  of.add();
  const Report made = make_report(*of.evidence->snapshot(), of.clock);
  EXPECT_NE(report_as_text(made).find(
                "  [NOT WATCHED] sample. HINT: add [[server.samples]] with name = \"<x>\"\n"),
            std::string::npos);
  EXPECT_NE(report_as_markdown(made).find(
                "### Not watched\n\n- `sample`: add \\[\\[server.samples\\]\\]"),
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
  options.accept.push_back({"sample/known", "", 5, 4e9, "ticket 17"});
  SampleEvidence of(options);
  of.add();
  of.pass([](Batch& out) { out.set(kBad, 4, std::string("known")); });
  const std::string text = report_as_text(make_report(*of.evidence->snapshot(), of.clock));
  EXPECT_NE(text.find("ACCEPTED sample/known"), std::string::npos) << text;
  EXPECT_NE(text.find("accepted for now: ticket 17"), std::string::npos) << text;
}

TEST_F(ReportOf, AnchorsAreUniqueAndNeedNoEscaping) {
  const Report made = hostile_report();
  std::set<std::string> anchors;
  for (const ReportObject& one : objects(made)) {
    EXPECT_TRUE(anchors.insert(one.anchor).second) << one.anchor;
    EXPECT_TRUE(std::all_of(one.anchor.begin(), one.anchor.end(), [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
    })) << one.anchor;
  }
  EXPECT_EQ(anchors.size(), kHostile.size());
}

constexpr auto kRows = gauge("pg_integrity_pair_rows", "Rows.", must_be(0), "schema", "table");
constexpr const MetricInfo* kPairMetrics[] = {&kRows};
constexpr std::string_view kPairIdentity[] = {"schema", "table"};

TEST(ReportAnchors, NamesWithSeparatorsInThemStayApart) {
  constexpr CollectorSpec kPairs{.name = "pairs",
                                 .summary = "made for tests",
                                 .report_section = "Pairs",
                                 .question = Question::intact,
                                 .scope = Scope::database,
                                 .interval = "1m",
                                 .deadline = "10s",
                                 .metrics = kPairMetrics,
                                 .identity = kPairIdentity};
  SteppedClock clock;
  ServerOptions options;
  options.name = "s";
  const auto server = std::make_shared<const ServerOptions>(options);
  Evidence evidence(clock, {server});
  const CollectorId id{"s", "d", "pairs"};
  evidence.add_database("s", "d");
  evidence.add(id, kPairs, server, Seconds(600), 1, Batch(clock.now()));
  Batch batch(clock.now());
  for (const auto& [schema, table] :
       {std::pair("a.b", "c"), std::pair("a", "b.c"), std::pair("a/b", "c"), std::pair("a", "b/c"),
        std::pair("a.2Eb", "c")})
    batch.set(kRows, 1, std::string(schema), std::string(table));
  evidence.pass_began(id);
  evidence.accept(id, batch, false, evidence.era("s"));
  const Report made = make_report(*evidence.snapshot(), clock);
  std::set<std::string> anchors;
  for (const ReportObject& one : objects(made)) anchors.insert(one.anchor);
  EXPECT_EQ(anchors.size(), 5U);
}

TEST_F(ReportOf, NoNameForgesALineOfTheText) {
  const std::string text = report_as_text(hostile_report());
  for (const char c : text) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
  EXPECT_EQ(text.find("\u009b"), std::string::npos) << "an escape sequence in one character";
  EXPECT_EQ(count(text, "\n      VIOLATED sample/"), kHostile.size());
  EXPECT_NE(text.find("sample/a?b??# c - evidence"), std::string::npos) << text;
  EXPECT_NE(text.find("failed: server: no <b>such</b> | thing?as `that`\n"), std::string::npos)
      << text;
}

/// Characters of Markdown that no backslash takes the meaning from.
std::string markup_in(const std::string& cell) {
  std::string found;
  for (std::size_t i = 0; i < cell.size(); ++i) {
    if (cell[i] == '\\')
      ++i;
    else if (std::string_view("`*[]<>|&").find(cell[i]) != std::string_view::npos)
      found += cell[i];
  }
  return found;
}

TEST_F(ReportOf, NoNameBreaksATableOfTheMarkdown) {
  const std::string text = report_as_markdown(hostile_report());
  std::istringstream lines(text);
  std::string line;
  std::size_t rows = 0;
  while (std::getline(lines, line)) {
    if (!line.starts_with("| sample/")) continue;
    ++rows;
    EXPECT_EQ(markup_in(line), "|||||") << line;
  }
  EXPECT_EQ(rows, kHostile.size());
  EXPECT_NE(
      text.find("Newest attempt failed: server: no \\<b\\>such\\</b\\> \\| thing?as \\`that\\`\n"),
      std::string::npos)
      << text;
}

TEST_F(ReportOf, NoNameIsMarkupInTheHtml) {
  const std::string page = report_as_html(hostile_report());
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_EQ(page.find("<b>"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;alert(1)&lt;/script&gt;"), std::string::npos);
  EXPECT_NE(page.find("&amp;lt;script&amp;gt;"), std::string::npos) << "shown as it is named";
  EXPECT_NE(page.find("&#39; onmouseover=&#39;x"), std::string::npos);
  for (const char* pair : {"li", "section", "details", "div", "span", "a", "ul"})
    EXPECT_EQ(
        count(page, std::string("<") + pair + ">") + count(page, std::string("<") + pair + " "),
        count(page, std::string("</") + pair + ">"))
        << pair;
}

TEST_F(ReportOf, TheHtmlNeedsNothingFromElsewhere) {
  const std::string page = report_as_html(hostile_report());
  for (const char* fetched : {"src=", "<link", "@import", "url("})
    EXPECT_EQ(count(page, fetched), count(page, std::string("&gt;&lt;img ") + fetched)) << fetched;
}

TEST_F(ReportOf, EveryObjectOfTheHtmlCanBeLinkedTo) {
  const Report made = hostile_report();
  const std::string page = report_as_html(made);
  for (const ReportObject& one : objects(made))
    EXPECT_EQ(count(page, "<li id=\"" + one.anchor + "\">"), 1U) << one.name;
}

TEST_F(ReportOf, TheJsonSaysTheSame) {
  const Report made = hostile_report();
  const auto json = nlohmann::json::parse(report_as_json(made));
  EXPECT_EQ(json["overall"], "violated");
  const auto& database = json["servers"][0]["databases"][0];
  EXPECT_EQ(database["database"], "d");
  EXPECT_EQ(database["questions"]["intact"]["state"], "violated");
  EXPECT_EQ(database["questions"]["recoverable"]["configured"], false);
  const auto& collector = database["collectors"][0];
  EXPECT_EQ(collector["failure"], "server: no <b>such</b> | thing\nas `that`");
  std::set<std::string> names;
  for (const auto& one : collector["objects"]) names.insert(one["object"]);
  for (const std::string& name : kHostile)
    if (name != "\xff\xfe") {
      EXPECT_TRUE(names.contains("sample/" + name)) << name;
    }
}

TEST_F(ReportOf, AgesAreNeverNegative) {
  add();
  const Report made = report();
  EXPECT_EQ(how_long_ago(made, made.made_at + 100), "0s ago");
  EXPECT_EQ(how_long_ago(made, made.made_at - 3661.5), "1h1m1s ago");
}

TEST(ReportOfNothing, AServerWithoutAnythingWatchedIsNotProven) {
  SampleEvidence of;
  EXPECT_EQ(make_report(*of.evidence->snapshot(), of.clock).overall, State::unproven);
}

}  // namespace
}  // namespace pg_integrity::test
