#include "exporter/metrics/exposition.h"

#include <gtest/gtest.h>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/recovery/backup_metrics.h"
#include "exporter/config/options.h"
#include "exporter/metrics/page.h"
#include "tests/support/gzip.h"
#include "tests/support/page_text.h"
#include "tests/support/sample_evidence.h"

namespace pg_integrity::test::exposition_test {
namespace {

class Exposition : public ::testing::Test, public SampleEvidence {
 protected:
  std::string text(bool gzip = false) {
    const auto body = std::make_shared<const PageBody>(evidence->snapshot(), clock);
    const Page page(body, {"1.2.3", "abc", true, 4}, clock, gzip);
    std::string all;
    while (all.size() < page.size()) all += page.piece(all.size(), 777);
    return all;
  }
  PageText page() { return PageText(text()); }
  static LabelSet thing(const std::string& name) { return {{"thing", name}}; }
};

TEST_F(Exposition, CarriesServerAndDatabaseOnEverySeriesOfACollector) {
  add();
  pass([](Batch& out) { out.set(kBad, 2, std::string("a")); });
  EXPECT_EQ(
      page().value("pg_integrity_sample_bad", {{"server", "s"}, {"database", "d"}, {"thing", "a"}}),
      2);
}

TEST_F(Exposition, HealthIsThereFromTheStart) {
  add([](Batch& out) { out.set(kLevelMax, 10, std::string("configured")); });
  const PageText start = page();
  EXPECT_EQ(start.value("pg_integrity_up"), 0);
  EXPECT_FALSE(start.value("pg_integrity_collector_success", {{"collector", "sample"}}))
      << "a first pass may take hours";
  EXPECT_EQ(start.value("pg_integrity_collector_interval_seconds"), 600);
  EXPECT_NEAR(start.value("pg_integrity_collector_deadline_timestamp_seconds").value(),
              clock.unix_now() + 1800, 5);
  EXPECT_EQ(start.value("pg_integrity_sample_level_max", thing("configured")), 10);
  EXPECT_FALSE(start.value("pg_integrity_sample_level", thing("configured")))
      << "unknown is absent, never 0";
  EXPECT_FALSE(start.value("pg_integrity_collector_last_success_timestamp_seconds"));
  EXPECT_EQ(start.value("pg_integrity_unproven_objects", {{"reason", "pending"}}), 1);
  EXPECT_EQ(start.all("pg_integrity_verdict").size(), 6U) << "two questions, three states";
}

TEST_F(Exposition, AFailoverBeginsAnewWithoutAFailureAndWithoutADeadlineInThePast) {
  add();
  answers("1", 1);
  fail(Reason::server);
  EXPECT_EQ(page().value("pg_integrity_collector_success"), 0);
  clock.advance(Seconds(86400));
  answers("1", 2);
  EXPECT_FALSE(page().value("pg_integrity_collector_success"));
  EXPECT_NEAR(page().value("pg_integrity_collector_deadline_timestamp_seconds").value(),
              clock.unix_now() + 1800, 5);
  pass([](Batch& out) { out.set(kBad, 0, std::string("good")); });
  EXPECT_EQ(page().value("pg_integrity_collector_success"), 1);
}

TEST_F(Exposition, CurrentValuesGoAfterThreeIntervalsPastEventsAndViolationsStay) {
  add([](Batch& out) { out.set(kMaxAge, 1e6, std::string("good")); });
  pass([](Batch& out) {
    out.set(kBad, 0, std::string("good"));
    out.set(kPast, 12345, std::string("good"));
    out.set_age(kAge, Seconds(100), std::string("good"));
    out.set(kBad, 5, std::string("bad"));
  });
  fail(Reason::connect);
  clock.advance(Seconds(1790));
  EXPECT_EQ(page().value("pg_integrity_sample_bad", thing("good")), 0);
  clock.advance(Seconds(20));
  const PageText late = page();
  EXPECT_FALSE(late.value("pg_integrity_sample_bad", thing("good")));
  EXPECT_EQ(late.value("pg_integrity_sample_last_timestamp_seconds", thing("good")), 12345);
  EXPECT_NEAR(late.value("pg_integrity_sample_age_seconds", thing("good")).value(), 1910, 5);
  EXPECT_EQ(late.value("pg_integrity_sample_bad", thing("bad")), 5);
  EXPECT_EQ(late.value("pg_integrity_objects", {{"state", "violated"}}), 1);
  EXPECT_EQ(late.value("pg_integrity_objects", {{"state", "unproven"}}), 1);
  EXPECT_EQ(late.value("pg_integrity_collector_success"), 0);
}

TEST_F(Exposition, TheBodyKnowsWhenItExpires) {
  add();
  pass([](Batch& out) { out.set(kBad, 0, std::string("good")); });
  clock.advance(Seconds(1790));
  const PageBody body(evidence->snapshot(), clock);
  EXPECT_NEAR((body.expires() - clock.now()).count(), 10, 1);
}

TEST_F(Exposition, ALastingTroubleWithdrawsTheValueAtOnce) {
  add();
  pass([](Batch& out) { out.set(kBad, 0, std::string("a")); });
  pass([](Batch& out) { out.unproven(kBad, Reason::permission, "denied", std::string("a")); });
  EXPECT_FALSE(page().value("pg_integrity_sample_bad", thing("a")));
  EXPECT_EQ(page().value("pg_integrity_unproven_objects", {{"reason", "permission"}}), 1);
}

TEST_F(Exposition, ACauseCountsOnceWhateverItStops) {
  add();
  const auto locked = [](Batch& out) {
    for (const char* name : {"a", "b", "c"})
      out.unproven(kBad, Reason::lock, "locked", std::string(name));
    out.unproven(kBad, Reason::lock, "locked elsewhere", std::string("d"));
  };
  pass(locked);
  EXPECT_EQ(page().value("pg_integrity_unproven_objects",
                         {{"database", "d"}, {"collector", "sample"}, {"reason", "lock"}}),
            2);
  id.collector = "other";
  add([](Batch&) {}, kRememberingSpec);
  pass(locked);
  const auto all = page().all("pg_integrity_unproven_objects");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].value, 2);
  EXPECT_FALSE(all[0].labels.contains("collector")) << "both collectors are stopped by both causes";
  EXPECT_EQ(page().value("pg_integrity_objects", {{"state", "unproven"}}), 4);
}

TEST_F(Exposition, AgesAreComputedAtTheScrape) {
  add();
  pass([](Batch& out) { out.set_age(kAge, Seconds(100), std::string("a")); });
  const auto body = std::make_shared<const PageBody>(evidence->snapshot(), clock);
  clock.advance(Seconds(7));
  const Page page(body, {}, clock, false);
  std::string all;
  while (all.size() < page.size()) all += page.piece(all.size(), page.size());
  EXPECT_NEAR(PageText(all).value("pg_integrity_sample_age_seconds").value(), 107, 1);
}

TEST_F(Exposition, AnAgeIsNeverNegative) {
  add();
  pass([](Batch& out) { out.set_age(kAge, Seconds(-500), std::string("future")); });
  EXPECT_EQ(page().value("pg_integrity_sample_age_seconds"), 0);
}

TEST_F(Exposition, AcceptedDamageHasATwinUntilItsDay) {
  ServerOptions options;
  options.accept.push_back({"sample/thing", "", 5, clock.unix_now() + 60, "known", ""});
  SampleEvidence accepting(options);
  accepting.add();
  accepting.pass([](Batch& out) { out.set(kBad, 4, std::string("thing")); });
  const auto twin = [&] {
    return PageText(render_tail(*accepting.evidence->snapshot(), {}, accepting.clock))
        .value("pg_integrity_sample_bad_accepted", {{"thing", "thing"}});
  };
  EXPECT_EQ(twin(), 5);
  accepting.clock.advance(Seconds(61));
  EXPECT_FALSE(twin());
}

TEST_F(Exposition, TheCapKeepsTheWorstTheConfiguredAndTheLargest) {
  ServerOptions options;
  options.series_cap = 10;
  SampleEvidence capped(options);
  capped.add();
  capped.pass([](Batch& out) {
    for (int i = 0; i < 20; ++i) {
      const std::string name = "table" + std::to_string(100 + i);
      out.set(kBad, i == 3 ? 1 : 0, name);
      out.weight(kBad, i == 5, i, name);
    }
    out.unproven(kBad, Reason::permission, "denied", std::string("unseen"));
  });
  const auto body = std::make_shared<const PageBody>(capped.evidence->snapshot(), capped.clock);
  const PageText shown(body->plain());
  EXPECT_EQ(shown.all("pg_integrity_sample_bad").size(), 10U);
  EXPECT_EQ(shown.value("pg_integrity_sample_bad", thing("table103")), 1) << "violated";
  EXPECT_TRUE(shown.value("pg_integrity_sample_bad", thing("table105"))) << "configured";
  EXPECT_TRUE(shown.value("pg_integrity_sample_bad", thing("table119"))) << "largest";
  EXPECT_FALSE(shown.value("pg_integrity_sample_bad", thing("table100")));
  EXPECT_EQ(shown.value("pg_integrity_series_dropped"), 10);
  EXPECT_EQ(PageText(render_tail(*capped.evidence->snapshot(), {}, capped.clock))
                .value("pg_integrity_objects", {{"state", "proven"}}),
            19)
      << "what is dropped still counts";
}

TEST_F(Exposition, TheCompressedPageIsOneGzipMember) {
  add();
  pass([](Batch& out) {
    for (int i = 0; i < 2000; ++i) out.set(kBad, i, "thing" + std::to_string(i));
  });
  const std::string plain = inflated(text(true));
  EXPECT_EQ(PageText(plain).all("pg_integrity_sample_bad").size(), 2000U);
  EXPECT_EQ(PageText(plain).value("pg_integrity_build_info", {{"version", "1.2.3"}}), 1);
  EXPECT_EQ(PageText(plain).value("pg_integrity_http_connections"), 4);
  EXPECT_FALSE(PageText(plain).value("pg_integrity_tls_certificate_expiry_timestamp_seconds"));
}

}  // namespace
}  // namespace pg_integrity::test::exposition_test
