// The report as people see it: the real exporter's page in a real Chromium.
#include <gtest/gtest.h>

#include "tests/support/browser.h"
#include "tests/support/demo.h"
#include "tests/support/exporter.h"
#include "tests/support/observer.h"
#include "tests/support/wire.h"

namespace pg_integrity::test::report_page_test {
namespace {

using nlohmann::json;

const std::vector<View> kViews{{360, 740, "light"},
                               {360, 740, "dark"},
                               {1280, 900, "light"},
                               {1280, 900, "dark"},
                               {800, 1100, "light", "print"}};

/// Texts whose contrast with their background is below 4.5 (WCAG 2.2, 1.4.3).
constexpr const char* kPale = R"js((() => {
  const parts = colour => colour.match(/[\d.]+/g).map(Number);
  const light = colour => {
    const [r, g, b] = parts(colour).map(c => c / 255)
      .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if (parts(colour).length === 3) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const pale = [];
  for (const element of document.body.querySelectorAll('*')) {
    if (![...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
    const [a, b] = [light(getComputedStyle(element).color), light(behind(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) pale.push(contrast.toFixed(2) + ' ' + element.outerHTML);
  }
  return pale;
})())js";

/// Whether the element that the address names is on the screen.
constexpr const char* kTargetIsSeen = R"js((() => {
  const target = document.querySelector(':target');
  if (!target || !target.checkVisibility()) return false;
  const box = target.getBoundingClientRect();
  return box.height > 0 && box.top > -1 && box.top < innerHeight;  // it scrolls by whole pixels
})())js";

constexpr const char* kFitsTheWidth =
    "document.documentElement.scrollWidth <= document.documentElement.clientWidth";

class ReportPage : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    demo = std::make_unique<Demo>();
    exporter = std::make_unique<ExporterProcess>(demo->configuration(), demo->environment());
    exporter->wait_until_ready();
    browser = std::make_unique<Browser>();
  }
  static void TearDownTestSuite() {
    browser.reset();
    exporter.reset();
    demo.reset();
  }

  static std::string url(const std::string& path = "/") {
    return "http://127.0.0.1:" + std::to_string(exporter->port()) + path;
  }
  static void open(const View& view = {}, const std::string& path = "/") {
    browser->set_view(view);
    browser->open(url(path));
  }
  /// Ids of elements, in the order of the page.
  static std::vector<std::string> ids(const std::string& selector) {
    return browser->evaluate("[...document.querySelectorAll('" + selector + "')].map(e => e.id)");
  }
  static std::string text(const std::string& selector) {
    return browser->evaluate("document.querySelector('" + selector + "').innerText");
  }

  static inline std::unique_ptr<Demo> demo;
  static inline std::unique_ptr<ExporterProcess> exporter;
  static inline std::unique_ptr<Browser> browser;
};

TEST_F(ReportPage, BeginsWithTheVerdictAndTheAnswersInWords) {
  open();
  EXPECT_TRUE(browser->evaluate("document.title")
                  .get<std::string>()
                  .starts_with("VIOLATED: server tovplay - 16 violated, 1 unproven, "));
  EXPECT_EQ(text("h1"), "✗ Violated");
  const std::vector<std::string> answers =
      browser->evaluate("[...document.querySelectorAll('.answers li')].map(e => e.innerText)");
  ASSERT_EQ(answers.size(), 3U);
  const char* openings[] = {"Is the data intact?\n✗ violated 13 violated, ",
                            "Could we get it back?\n✗ violated, 1 limit 2 violated, ",
                            "Does it answer as promised?\n✗ violated 1 violated, "};
  for (std::size_t i = 0; i < answers.size(); ++i) {
    EXPECT_TRUE(answers[i].starts_with(openings[i])) << answers[i];
    EXPECT_NE(answers[i].find("; oldest evidence "), std::string::npos) << answers[i];
  }
}

TEST_F(ReportPage, TheAnswersAreOnTheFirstScreenOfAPhone) {
  open({360, 740});
  EXPECT_EQ(browser->evaluate("[...document.querySelectorAll('.answers li')]"
                              ".every(e => e.getBoundingClientRect().bottom <= innerHeight)"),
            true);
}

TEST_F(ReportPage, TheWorstComesFirst) {
  open();
  const std::vector<std::string> states = browser->evaluate(
      "[...document.querySelectorAll('.collector[id]')]"
      ".map(e => e.querySelector('.state').innerText.split(' ')[1])");
  ASSERT_GE(states.size(), 10U);
  EXPECT_EQ(std::count(states.begin(), states.begin() + 5, "violated"), 5);
  EXPECT_EQ(std::count(states.begin() + 5, states.end(), "violated"), 0);
}

TEST_F(ReportPage, NeedsNothingFromElsewhereAndNothingIsRefused) {
  for (const View& view : kViews) {
    open(view);
    EXPECT_EQ(browser->evaluate(kFitsTheWidth), true) << view.width << view.media;
    EXPECT_EQ(browser->complaints(), std::vector<std::string>{});
    for (const std::string& request : browser->requests()) EXPECT_EQ(request, url());
  }
}

TEST_F(ReportPage, EveryTextStandsOutFromItsBackground) {
  for (const View& view : kViews) {
    open(view);
    EXPECT_EQ(browser->evaluate(kPale), json::array()) << view.scheme << view.media;
  }
}

TEST_F(ReportPage, IsDarkForWhoeverPrefersThat) {
  const char* background = "getComputedStyle(document.body).backgroundColor";
  open({360, 740, "light"});
  const json light = browser->evaluate(background);
  open({360, 740, "dark"});
  EXPECT_EQ(light, "rgb(255, 255, 255)");
  EXPECT_NE(browser->evaluate(background), light);
}

TEST_F(ReportPage, EveryObjectThatNeedsSomebodyIsSeenWhereItsLinkLeads) {
  open();
  const auto bad = ids(".objects > .violated, .causes > .unproven");
  ASSERT_EQ(bad.size(), 17U);
  for (const std::string& id : bad) {
    EXPECT_EQ(browser->evaluate("!document.getElementById('" + id + "').closest('details')"), true)
        << "whatever browser it is, it need not unfold it";
    for (const bool scripts : {true, false}) {
      open({360, 740, "light", "screen", scripts}, "/#" + id);
      EXPECT_EQ(browser->evaluate(kTargetIsSeen), true) << id;
    }
  }
}

TEST_F(ReportPage, WhatIsFoldedUnfoldsForItsLink) {
  open();
  const auto good = ids("details .objects > .proven, details .objects > .unproven");
  ASSERT_GE(good.size(), 20U);
  for (const std::string& id : {good.front(), good.back()}) {
    EXPECT_EQ(browser->evaluate("document.getElementById('" + id + "').checkVisibility()"), false);
    open({}, "/#" + id);
    EXPECT_EQ(browser->evaluate(kTargetIsSeen), true) << id;
    open();
  }
}

TEST_F(ReportPage, SaysTheSameWithoutScripts) {
  open();
  EXPECT_EQ(browser->evaluate("document.scripts.length"), 0);
  const auto bad = ids(".objects > .violated");
  open({1280, 900, "light", "screen", false});
  EXPECT_EQ(ids(".objects > .violated"), bad);
  EXPECT_EQ(text("h1"), "✗ Violated");
}

TEST_F(ReportPage, MarkupThatGetsInNeverthelessDoesNothing) {
  open();
  const json colour = browser->evaluate("getComputedStyle(document.body).color");
  browser->evaluate(
      "document.body.insertAdjacentHTML('beforeend', '<img src=\"/metrics\" onerror=\"document"
      ".title = 1\"><style>body { color: red }</style><p style=\"color: red\">x</p>')");
  EXPECT_EQ(browser->evaluate("getComputedStyle(document.body).color"), colour);
  EXPECT_EQ(
      browser->evaluate("getComputedStyle(document.querySelector('body > p:last-child')).color"),
      colour);
  EXPECT_NE(browser->evaluate("document.title"), "1");
  EXPECT_GE(browser->complaints().size(), 3U) << "the policy of the page forbids each";
}

TEST_F(ReportPage, SaysWithoutScriptsWhenItIsOld) {
  const char* is_seen =
      "document.querySelector('.stale').checkVisibility({visibilityProperty: true})";
  const auto at = [](int seconds) {
    browser->evaluate("document.querySelector('.stale').getAnimations()[0].currentTime = " +
                      std::to_string(seconds) + "000");
  };
  open({360, 740, "light", "screen", false});
  EXPECT_EQ(browser->evaluate(is_seen), false);
  at(299);
  EXPECT_EQ(browser->evaluate(is_seen), false);
  at(301);
  EXPECT_EQ(browser->evaluate(is_seen), true);
  EXPECT_EQ(browser->evaluate("document.querySelector('meta[http-equiv]')"), nullptr)
      << "nothing takes the reader's place away";
}

TEST_F(ReportPage, OnPaperNothingIsFoldedAndTheDatesAreThere) {
  open({800, 1100, "light", "print"});
  EXPECT_EQ(browser->evaluate("[...document.querySelectorAll('.objects > li')]"
                              ".every(e => e.checkVisibility({contentVisibilityAuto: true}) &&"
                              " e.getBoundingClientRect().height > 0)"),
            true);
  const std::string footer = text("footer");
  EXPECT_NE(footer.find("Made at "), std::string::npos) << footer;
  EXPECT_NE(footer.find(" from evidence of "), std::string::npos) << footer;
}

TEST_F(ReportPage, CanBeWalkedThroughByItsStructure) {
  open();
  EXPECT_EQ(browser->evaluate("document.documentElement.lang"), "en");
  for (const char* landmark : {"header", "main", "footer", "h1"})
    EXPECT_EQ(
        browser->evaluate("document.querySelectorAll('body " + std::string(landmark) + "').length"),
        1)
        << landmark;
  const std::vector<int> levels =
      browser->evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map(e => +e.tagName[1])");
  for (std::size_t i = 1; i < levels.size(); ++i) EXPECT_LE(levels[i], levels[i - 1] + 1);
  EXPECT_EQ(browser->evaluate("(ids => new Set(ids).size === ids.length)"
                              "([...document.querySelectorAll('[id]')].map(e => e.id))"),
            true);
}

TEST_F(ReportPage, WhatIsNotWatchedIsThereWithItsHint) {
  open();
  const std::string hints = text(".hints");
  EXPECT_NE(hints.find("(custom) HINT: "), std::string::npos) << hints;
}

/// Names chosen to do harm on a page, and the text that must be seen instead.
const std::vector<std::pair<std::string, std::string>> kHostile{
    {"<script>document.title='x'</script>", "<script>document.title='x'</script>"},
    {"\"><img src=x onerror=alert(1)>", "\"><img src=x onerror=alert(1)>"},
    {"</li></ul></main><h1>proven", "</li></ul></main><h1>proven"},
    {"right \u202eto left", "right \\u202eto left"},
    {"\u05e9\u05dc\u05d5\u05dd", "\u05e9\u05dc\u05d5\u05dd"},
    {"two\nlines", "two\\u000alines"},
    {"zero\u200bwidth", "zero\\u200bwidth"},
    {std::string(63, 'W'), std::string(63, 'W')},
    {"z\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308\u0309",
     "z\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308\u0309"},
    {"\U0001F418", "\U0001F418"}};

std::string quoted(const std::string& name) {
  std::string text = "\"";
  for (const char c : name) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + "\"";
}

TEST_F(ReportPage, HostileNamesAreTextAndStayInTheirPlace) {
  const Database database(Cluster::shared(), "<b>\u202edb</b>");
  std::string sql = "CREATE TABLE parent (id int PRIMARY KEY);";
  for (const auto& [name, seen] : kHostile)
    sql += "CREATE TABLE " + quoted(name) + " (id int CONSTRAINT key REFERENCES parent);";
  sql += "SET session_replication_role = replica;";
  for (const auto& [name, seen] : kHostile) sql += "INSERT INTO " + quoted(name) + " VALUES (1);";
  database.run(sql);
  const ExporterProcess watcher(one_server(database.dsn()));
  watcher.wait_until_ready();
  for (const View& view : kViews) {
    browser->set_view(view);
    browser->open("http://127.0.0.1:" + std::to_string(watcher.port()) + "/");
    EXPECT_EQ(browser->evaluate(kFitsTheWidth), true) << view.width << view.media;
    EXPECT_EQ(browser->complaints(), std::vector<std::string>{});
    EXPECT_EQ(browser->evaluate("document.querySelectorAll('script, img, b, bdi *').length"), 0);
    EXPECT_EQ(browser->evaluate("document.querySelectorAll('h1').length"), 1);
    const std::vector<std::string> names = browser->evaluate(
        "[...document.querySelectorAll('.objects > .violated bdi')].map(e => e.textContent)");
    for (const auto& [name, seen] : kHostile)
      EXPECT_EQ(std::count(names.begin(), names.end(), "orphans/public." + seen + ".key"), 1)
          << seen;
  }
}

TEST_F(ReportPage, ItsOtherFormsAreWhereItsLinksLead) {
  open();
  const std::vector<std::string> links = browser->evaluate(
      "[...document.querySelectorAll('header a')].map(a => a.getAttribute('href'))");
  EXPECT_EQ(links, (std::vector<std::string>{"/report.md", "/report.json", "/metrics"}));
  for (const std::string& link : links) EXPECT_EQ(fetch(exporter->port(), link).status, 200);
}

}  // namespace
}  // namespace pg_integrity::test::report_page_test
