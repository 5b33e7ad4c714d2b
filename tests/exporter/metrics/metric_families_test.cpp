#include "exporter/metrics/metric_families.h"

#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <limits>
#include <string>

#include "exporter/evidence/snapshot.h"
#include "tests/support/page_text.h"

namespace pg_integrity::test::metric_families_test {
namespace {

TEST(ValidUtf8, KeepsBytesApartThatAreNoUtf8) {
  EXPECT_EQ(valid_utf8("plain é 🐘"), "plain é 🐘");
  EXPECT_EQ(valid_utf8("\xff"), "\\xff");
  EXPECT_EQ(valid_utf8("a\xc3"), "a\\xc3") << "cut off";
  EXPECT_EQ(valid_utf8("\xc0\xaf"), "\\xc0\\xaf") << "overlong";
  EXPECT_EQ(valid_utf8("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "surrogate";
  EXPECT_EQ(valid_utf8("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond Unicode";
  EXPECT_EQ(valid_utf8("\xf0\x9f\x90\x98"), "🐘");
}

TEST(FamiliesOf, WriteWhatPrometheusCanRead) {
  MetricFamilies families;
  families.gauge("a", "two\nlines and a \\ backslash", {{"l", "x\"y\\z\n"}}, 1);
  const std::string text = families.take_text();
  EXPECT_NE(text.find("# HELP a two\\nlines and a \\\\ backslash\n"), std::string::npos) << text;
  EXPECT_NE(text.find("# TYPE a gauge\n"), std::string::npos) << text;
  EXPECT_EQ(PageText(text).value("a", {{"l", "x\"y\\z\n"}}), 1);
}

TEST(FamiliesOf, ASeriesAppearsOnceWithItsFirstValue) {
  MetricFamilies families;
  families.gauge("a", "", {{"l", "x"}}, 1);
  families.gauge("a", "", {{"l", "x"}}, 2);
  families.gauge("a", "", {{"l", "y"}}, 3);
  families.gauge("b", "", {{"l", "x"}}, 4);
  const PageText page(families.take_text());
  EXPECT_EQ(page.series().size(), 3U);
  EXPECT_EQ(page.value("a", {{"l", "x"}}), 1);
  EXPECT_EQ(page.value("b", {{"l", "x"}}), 4);
}

TEST(FamiliesOf, ManySeriesAreOneFamilyInTheirOrder) {
  MetricFamilies families;
  constexpr int kMany = 1024;
  for (int i = 0; i < kMany; ++i)
    families.gauge("many", "Many.", {{"l", std::to_string(i)}, {"m", "# "}}, i);
  families.gauge("many", "Many.", {{"l", "0"}, {"m", "# "}}, -1);
  families.gauge("next", "Next.", {}, 1);
  const std::string text = families.take_text();
  std::string expected = "# HELP many Many.\n# TYPE many gauge\n";
  for (int i = 0; i < kMany; ++i) {
    const std::string n = std::to_string(i);
    expected.append("many{l=\"").append(n).append("\",m=\"# \"} ").append(n).append("\n");
  }
  EXPECT_EQ(text.substr(0, expected.size()), expected);
  EXPECT_EQ(text.substr(expected.size()), "# HELP next Next.\n# TYPE next gauge\nnext 1\n");
}

TEST(FamiliesOf, LabelsThatReadAlikeTogetherStayApart) {
  MetricFamilies families;
  families.gauge("a", "", {{"l", "x"}, {"m", "yz"}}, 1);
  families.gauge("a", "", {{"l", "xy"}, {"m", "z"}}, 2);
  families.gauge("a", "", {{"l", "x,m=\"yz\""}, {"m", ""}}, 3);
  EXPECT_EQ(PageText(families.take_text()).all("a").size(), 3U);
}

TEST(FamiliesOf, EveryValueCanBeReadBack) {
  MetricFamilies families;
  families.gauge("largest", "", {}, DBL_MAX);
  families.gauge("smallest", "", {}, -DBL_MAX);
  families.gauge("tiny", "", {}, 5e-324);
  families.gauge("third", "", {}, 1.0 / 3);
  families.gauge("moment", "", {}, 1764720000.25);
  families.gauge("infinite", "", {}, std::numeric_limits<double>::infinity());
  families.gauge("none", "", {}, std::nan(""));
  const PageText page(families.take_text());
  EXPECT_TRUE(std::isfinite(page.value("largest").value()));
  EXPECT_TRUE(std::isfinite(page.value("smallest").value()));
  EXPECT_GT(page.value("tiny"), 0);
  EXPECT_NEAR(page.value("third").value(), 1.0 / 3, 1e-15);
  EXPECT_EQ(page.value("moment"), 1764720000.25);
  EXPECT_TRUE(std::isinf(page.value("infinite").value()));
  EXPECT_TRUE(std::isnan(page.value("none").value()));
}

TEST(FamiliesOf, AreSortedWhateverTheOrderTheyCameIn) {
  MetricFamilies families;
  for (const char* name : {"c", "a", "b"}) families.gauge(name, "", {}, 1);
  std::string names;
  const PageText page(families.take_text());
  for (const Series& series : page.series()) names += series.name;
  EXPECT_EQ(names, "abc");
}

TEST(FamiliesOf, NothingIsLeftAfterwards) {
  MetricFamilies families;
  families.gauge("a", "", {}, 1);
  EXPECT_NE(families.take_text(), "");
  EXPECT_EQ(families.take_text(), "");
}

TEST(FamiliesOf, AHistogramAddsItsBucketsUp) {
  Counter counter;
  counter.upper_bounds = {0.1, 1};
  counter.per_bucket = {2, 0, 3};
  counter.sum = 31.5;
  MetricFamilies families;
  families.histogram("h", "times", {{"q", "x"}}, counter);
  families.histogram("h", "times", {{"q", "x"}}, counter);
  const std::string text = families.take_text();
  EXPECT_NE(text.find("# TYPE h histogram\n"), std::string::npos) << text;
  const PageText page(text);
  EXPECT_EQ(page.value("h_bucket", {{"q", "x"}, {"le", "0.1"}}), 2);
  EXPECT_EQ(page.value("h_bucket", {{"q", "x"}, {"le", "1"}}), 2);
  EXPECT_EQ(page.value("h_bucket", {{"q", "x"}, {"le", "+Inf"}}), 5);
  EXPECT_EQ(page.value("h_count", {{"q", "x"}}), 5);
  EXPECT_EQ(page.value("h_sum", {{"q", "x"}}), 31.5);
}

TEST(FamiliesOf, ACounterIsOne) {
  MetricFamilies families;
  families.counter("c_total", "events", {}, 3);
  const std::string text = families.take_text();
  EXPECT_NE(text.find("# TYPE c_total counter\n"), std::string::npos) << text;
  EXPECT_EQ(PageText(text).value("c_total"), 3);
}

}  // namespace
}  // namespace pg_integrity::test::metric_families_test
