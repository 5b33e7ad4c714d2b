#include "exporter/evidence/news.h"

#include <gtest/gtest.h>

#include "collectors/base/batch.h"
#include "exporter/evidence/evidence.h"
#include "tests/support/sample_evidence.h"

namespace pg_integrity::test::news_test {
namespace {

TEST(NewsOf, WhoListensHearsOfItAndNobodyElse) {
  News news;
  int a = 0;
  int b = 0;
  news.tell();
  const News::Listener first(news, [&] { ++a; });
  {
    const News::Listener second(news, [&] { ++b; });
    news.tell();
  }
  news.tell();
  EXPECT_EQ(a, 2);
  EXPECT_EQ(b, 1);
}

/// Without this a listener would miss the change.
TEST(NewsOf, EveryChangeOfTheVersionIsTold) {
  SampleEvidence of;
  int told = 0;
  const News::Listener listener(of.news, [&] { ++told; });
  std::uint64_t version = of.evidence->version();
  const auto expect_news = [&](const char* what) {
    EXPECT_NE(of.evidence->version(), version) << what;
    EXPECT_GT(told, 0) << what;
    version = of.evidence->version();
    told = 0;
  };
  of.add();
  expect_news("a collector");
  of.pass([](Batch& out) { out.set(kBad, 1, std::string("a")); });
  expect_news("a pass");
  of.fail(Reason::connect);
  expect_news("a failure");
  of.evidence->set_up("s", "d", true);
  expect_news("a database is up");
  of.evidence->set_up("s", "d", true);
  EXPECT_EQ(of.evidence->version(), version);
  EXPECT_EQ(told, 0) << "that is none";
  of.evidence->set_sessions({"s", 1, 0, 0});
  expect_news("sessions");
  of.answers("1111", 1);
  of.answers("2222", 1);
  expect_news("another cluster answers");
  of.evidence->remove_database("s", "d");
  expect_news("a database is gone");
}

}  // namespace
}  // namespace pg_integrity::test::news_test
