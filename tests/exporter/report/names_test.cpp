// Names of watched databases can do nothing to a report.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "collectors/base/batch.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/collector.h"
#include "exporter/config/options.h"
#include "exporter/evidence/evidence.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/report/html_style.h"
#include "exporter/report/report.h"
#include "tests/support/process.h"
#include "tests/support/sample_report.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test::names_test {
namespace {

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

constexpr auto kRows =
    gauge("pg_integrity_pair_rows", "Rows.", must_be(0).says("{schema}.{table} has {value} rows."),
          "schema", "table");

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
                                 .identity = kPairIdentity,
                                 .reads = no_reads};
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
  EXPECT_EQ(text.find("\u202e"), std::string::npos);
  EXPECT_NE(text.find("sample/a\\u000ab\\u000d\\u000a# c - evidence"), std::string::npos) << text;
  EXPECT_NE(text.find("  UNPROVEN(server) no <b>such</b> | thing\\u000aas `that`: the collector "),
            std::string::npos)
      << text;
}

/// Characters of Markdown that keep their meaning because no backslash escapes them.
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
    EXPECT_EQ(line.find("http://"), std::string::npos) << "some renderers make links of these";
    EXPECT_EQ(line.find("WWW."), std::string::npos) << "some renderers make links of these";
    EXPECT_EQ(line.find("\u202e"), std::string::npos);
  }
  EXPECT_EQ(rows, kHostile.size());
  EXPECT_NE(text.find("\nNewest attempt failed: cause 1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\n| cause 1 | no \\<b\\>such\\</b\\> \\| "
                      "thing\\\\u000aas \\`that\\`: the collector sample checks nothing | "),
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
  EXPECT_EQ(page.find("\u202e"), std::string::npos);
  for (const char* pair :
       {"li", "section", "details", "div", "span", "a", "ul", "bdi", "p", "main"})
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
    EXPECT_EQ(count(page, " id=\"" + one.anchor + "\""), 1U) << one.name;
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

TEST_F(ReportOf, TheJsonIsAscii) {
  for (const char c : report_as_json(hostile_report()))
    EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f));
}

TEST_F(ReportOf, ThePolicyNamesTheStyleThatThePageHas) {
  const std::string page = report_as_html(hostile_report());
  EXPECT_EQ(count(page, "<style>" + std::string(kReportStyle) + "</style>"), 1U);
  EXPECT_EQ(count(page, "style="), 0U);
  const TemporaryDirectory directory;
  const std::string file = directory.write("style", std::string(kReportStyle));
  const Finished hash =
      run({"sh", "-c", "openssl dgst -sha256 -binary < " + file + " | openssl base64"});
  ASSERT_EQ(hash.status, 0) << hash.err;
  const std::string expected = "'sha256-" + hash.out.substr(0, hash.out.find('\n')) + "'";
  EXPECT_NE(std::string(kReportPolicy).find("style-src " + expected + ";"), std::string::npos)
      << "the style is now " << expected;
}

}  // namespace
}  // namespace pg_integrity::test::names_test
