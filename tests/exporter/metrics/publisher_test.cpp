#include "exporter/metrics/publisher.h"

#include <gtest/gtest.h>

#include "collectors/base/batch.h"
#include "collectors/base/instant.h"
#include "collectors/registry.h"
#include "exporter/evidence/evidence.h"
#include "tests/support/page_text.h"
#include "tests/support/sample_evidence.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::publisher_test {
namespace {

class PublisherOf : public ::testing::Test, public SampleEvidence {
 protected:
  PublisherOf() {
    add();
    current_ = std::shared_ptr<const Evidence>(std::shared_ptr<void>(), evidence.get());
  }
  std::unique_ptr<Publisher> publisher() {
    return std::make_unique<Publisher>(
        [this] {
          const std::lock_guard lock(mutex_);
          return current_;
        },
        clock, news);
  }
  void replace(std::shared_ptr<const Evidence> by) {
    const std::lock_guard lock(mutex_);
    current_ = std::move(by);
    news.tell();
  }
  static std::optional<double> bad(const Publisher& of, const std::string& thing) {
    return PageText(of.body()->plain()).value("pg_integrity_sample_bad", {{"thing", thing}});
  }

  std::mutex mutex_;
  std::shared_ptr<const Evidence> current_;
};

TEST_F(PublisherOf, HasABodyFromTheStart) {
  pass([](Batch& out) { out.set(kBad, 1, std::string("a")); });
  const auto of = publisher();
  EXPECT_EQ(bad(*of, "a"), 1);
}

TEST_F(PublisherOf, ShowsWhatIsNew) {
  const auto of = publisher();
  pass([](Batch& out) { out.set(kBad, 1, std::string("a")); });
  EXPECT_TRUE(eventually([&] { return bad(*of, "a") == 1; }));
  pass([](Batch& out) { out.set(kBad, 2, std::string("a")); });
  clock.advance(Seconds(1));
  EXPECT_TRUE(eventually([&] { return bad(*of, "a") == 2; }));
}

TEST_F(PublisherOf, RendersNothingWhileNothingIsNew) {
  pass([](Batch& out) { out.set(kBad, 1, std::string("a")); });
  const auto of = publisher();
  clock.await_waiting(1);
  const auto body = of->body();
  clock.advance(Seconds(25));
  clock.await_waiting(1);
  EXPECT_EQ(of->body(), body);
}

TEST_F(PublisherOf, RendersWhatDependsOnTheTimeEveryHalfMinute) {
  pass([](Batch& out) { out.set(kBad, 1, std::string("a")); });
  const auto of = publisher();
  clock.await_waiting(1);
  const auto body = of->body();
  clock.advance(Seconds(30));
  clock.await_waiting(1);
  EXPECT_NE(of->body(), body);
}

TEST_F(PublisherOf, WithdrawsWhatHasBecomeTooOldThoughNothingIsNew) {
  pass([](Batch& out) { out.set(kBad, 0, std::string("a")); });
  const auto of = publisher();
  ASSERT_EQ(bad(*of, "a"), 0);
  clock.advance(Seconds(1801));
  EXPECT_TRUE(eventually([&] { return !bad(*of, "a"); }));
}

TEST_F(PublisherOf, FollowsToOtherEvidenceEvenOfTheSameVersion) {
  const auto of = publisher();
  SampleEvidence other;
  other.add();
  ASSERT_EQ(other.evidence->version(), evidence->version());
  Evidence* const next = other.evidence.get();
  EXPECT_TRUE(eventually([&] { return of->body()->snapshot()->collectors.size() == 1; }));
  const auto before = of->body();
  replace(std::shared_ptr<const Evidence>(std::shared_ptr<void>(), next));
  EXPECT_TRUE(eventually([&] {
    return of->body()->snapshot()->servers.front() == next->snapshot()->servers.front();
  }));
  replace(std::shared_ptr<const Evidence>(std::shared_ptr<void>(), evidence.get()));
}

TEST_F(PublisherOf, ABodyInUseOutlivesIt) {
  pass([](Batch& out) { out.set(kBad, 1, std::string("a")); });
  auto of = publisher();
  const auto body = of->body();
  of.reset();
  EXPECT_EQ(PageText(body->plain()).value("pg_integrity_sample_bad"), 1);
}

}  // namespace
}  // namespace pg_integrity::test::publisher_test
