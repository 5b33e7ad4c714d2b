#include "exporter/metrics/page.h"

#include <gtest/gtest.h>

#include "collectors/base/batch.h"
#include "collectors/base/instant.h"
#include "collectors/recovery/backup_metrics.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/metrics/exposition.h"
#include "tests/support/gzip.h"
#include "tests/support/sample_evidence.h"

namespace pg_integrity::test::page_test {
namespace {

constexpr std::size_t kAll = std::string::npos;

std::string whole(const Page& page, std::size_t piece = kAll) {
  std::string text;
  while (text.size() < page.size()) {
    const std::string_view more = page.piece(text.size(), piece);
    if (more.empty()) throw std::runtime_error("the page ends before its size");
    text += more;
  }
  return text;
}

class PageOf : public ::testing::Test, public SampleEvidence {
 protected:
  std::shared_ptr<const PageBody> body(int things) {
    add();
    pass([&](Batch& out) {
      for (int i = 0; i < things; ++i) out.set(kBad, i, "thing " + std::to_string(i));
    });
    return std::make_shared<const PageBody>(evidence->snapshot(), clock);
  }
  [[nodiscard]] Page page(std::shared_ptr<const PageBody> of, bool gzip) const {
    return {std::move(of), facts, clock, gzip};
  }
  const ProcessFacts facts{"1.2.3", "abc", true, 4};
};

TEST_F(PageOf, PlainIsBodyAndTail) {
  const auto of = body(10);
  const std::string text = whole(page(of, false));
  ASSERT_TRUE(text.starts_with(of->plain()));
  EXPECT_EQ(text.find("pg_integrity_build_info", of->plain().size()),
            text.find("pg_integrity_build_info"));
  EXPECT_NE(text.find("pg_integrity_build_info"), std::string::npos);
}

TEST(Gzipped, IsOneMember) {
  for (const std::string& text : {std::string(), std::string("a"), std::string(300'000, 'a')})
    EXPECT_EQ(inflated(gzipped(text)), text);
}

TEST_F(PageOf, CompressedIsOneMemberThatInflatesToThePlainPage) {
  for (const int things : {0, 1, 5000}) {
    const auto of = body(things);
    const std::string text = inflated(whole(page(of, true)));
    ASSERT_TRUE(text.starts_with(of->plain())) << things;
    EXPECT_NE(text.find("pg_integrity_verdict{", of->plain().size()), std::string::npos);
  }
}

TEST_F(PageOf, AnEmptyBodyIsFineToo) {
  const auto of = std::make_shared<const PageBody>(std::make_shared<const Snapshot>(), clock);
  const std::string text = inflated(whole(page(of, true)));
  EXPECT_TRUE(text.starts_with(of->plain()));
  EXPECT_NE(text.find("pg_integrity_build_info"), std::string::npos);
}

TEST_F(PageOf, PiecesOfAnySizeMakeTheSamePage) {
  const auto of = body(20);
  for (const bool gzip : {false, true}) {
    const Page one = page(of, gzip);
    const std::string all = whole(one);
    EXPECT_EQ(all.size(), one.size());
    for (const std::size_t size : {std::size_t{1}, std::size_t{7}, std::size_t{4096}})
      EXPECT_EQ(whole(one, size), all) << size;
    EXPECT_EQ(one.piece(one.size(), 10), "");
    EXPECT_EQ(one.piece(one.size() + 10, 10), "");
  }
}

TEST_F(PageOf, OneBodyServesManyScrapesAndTheTailIsThatOfEach) {
  const auto of = body(3);
  const std::string first = whole(page(of, false));
  pass([](Batch& out) { out.set(kBad, 0, std::string("another thing")); });
  clock.advance(Seconds(10000));
  const std::string later = whole(page(of, false));
  EXPECT_EQ(first.substr(0, of->plain().size()), later.substr(0, of->plain().size()));
  EXPECT_NE(first, later);
  EXPECT_EQ(inflated(whole(page(of, true))).substr(0, of->plain().size()), of->plain());
}

}  // namespace
}  // namespace pg_integrity::test::page_test
