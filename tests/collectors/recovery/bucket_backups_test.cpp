// Backups in a bucket, by the exporter's normal path. The storage verifies each signature.
#include <gtest/gtest.h>

#include <string>

#include "collectors/base/errors.h"
#include "exporter/evidence/verdict.h"
#include "exporter/report/report.h"
#include "tests/support/cluster.h"
#include "tests/support/object_store.h"
#include "tests/support/observer.h"
#include "tests/support/plain_dump.h"

namespace pg_integrity::test::bucket_backups_test {
namespace {

constexpr double kHour = 3600;
const LabelSet kOf{{"source", "cloud"}, {"kind", "dump"}};
const LabelSet kSource{{"source", "cloud"}};

class BucketBackupsOf : public ::testing::Test {
 protected:
  Findings look_again(const std::string& more = {}, const std::string& s3 = {}) {
    Findings found =
        look(one_server(db_.dsn(), store_.source(more, s3), "backups"), std::move(saved_));
    saved_ = found.saved;
    return found;
  }
  [[nodiscard]] static std::string lines_of(const Findings& found) {
    std::string all;
    for (const std::string& line : found.object("backups/cloud.dump").lines) all += line + "\n";
    for (const std::string& line : found.object("backups/cloud.dump").findings) all += line + "\n";
    return all;
  }
  [[nodiscard]] static double status(const Findings& found, const std::string& name) {
    LabelSet labels = kOf;
    labels["status"] = name;
    return found.value("pg_integrity_backups", labels).value_or(-1);
  }

  const Database db_;
  ObjectStore store_;
  std::shared_ptr<const SavedEvidence> saved_;
};

TEST_F(BucketBackupsOf, AreJudgedAsThoseOfADirectory) {
  store_.put("dumps/1.sql", plain_dump(8000), 30);
  store_.put("dumps/2.sql", plain_dump(9000), 5);
  store_.put("dumps/2.sql.sha256", "a note", 5);
  store_.put("dumps/3.sql", plain_dump(9000).substr(0, 7000), 3);
  store_.put("dumps/4.sql", plain_dump(9000), 0.01);
  store_.put("dumps/readme.txt", std::string(3000, 'x'), 2);
  const Findings found = look_again("retention = \"7d\"\n");
  EXPECT_EQ(found.state("backups/cloud.dump"), State::proven) << lines_of(found);
  EXPECT_NEAR(found.value("pg_integrity_backup_age_seconds", kOf).value(), 5 * kHour, 60);
  EXPECT_EQ(found.value("pg_integrity_backup_last_size_bytes", kOf), 9000);
  EXPECT_EQ(found.value("pg_integrity_backup_proof_level", kOf), 1);
  EXPECT_EQ(status(found, "success"), 2);
  EXPECT_EQ(status(found, "failed"), 1) << "it lacks its end";
  EXPECT_EQ(status(found, "running"), 1) << "it is too young";
  EXPECT_EQ(status(found, "other"), 1);
  EXPECT_EQ(found.reason("backups/cloud"), Reason::pending) << "the retention grows";
  EXPECT_EQ(found.value("pg_integrity_backup_bucket_requests_total", kSource), store_.requests);
  EXPECT_GT(found.value("pg_integrity_backup_bucket_received_bytes_total", kSource), 5000);
  EXPECT_EQ(found.value("pg_integrity_backup_bucket_max_requests", kSource), 20000);
  EXPECT_EQ(found.value("pg_integrity_backup_bucket_max_bytes", kSource), 1e9);
  EXPECT_EQ(store_.refused, 0);
}

TEST_F(BucketBackupsOf, TheSourceItselfIsNoQuestionWithoutARetention) {
  store_.put("dumps/1.sql", plain_dump(), 5);
  const Findings good = look_again();
  EXPECT_EQ(good.state("backups/cloud"), State::observed);
  EXPECT_EQ(good.collector("backups").state, State::proven);
  store_.stop();
  EXPECT_EQ(look(one_server(db_.dsn(), store_.source(), "backups")).state("backups/cloud"),
            State::observed);
}

TEST_F(BucketBackupsOf, AnOldOneIsViolated) {
  store_.put("dumps/1.sql", plain_dump(), 40);
  EXPECT_EQ(look_again().violated(), "backups/cloud.dump");
}

TEST_F(BucketBackupsOf, EveryTroubleIsOneFindingAndForgetsNothing) {
  store_.put("dumps/1.sql", plain_dump(), 5);
  ASSERT_EQ(look_again().state("backups/cloud.dump"), State::proven);
  const auto expect = [&](Reason reason, const std::string& words) {
    const int whole_answers = store_.break_after;
    // An exporter that has known nothing before says it at once.
    const Findings first =
        look(one_server(db_.dsn(), store_.source("", ", timeout = \"500ms\""), "backups"));
    EXPECT_EQ(first.reason("backups/cloud.dump"), reason) << lines_of(first);
    EXPECT_NE(lines_of(first).find(words), std::string::npos) << lines_of(first);
    EXPECT_EQ(lines_of(first).find(store_.secret), std::string::npos);
    store_.break_after = whole_answers;
    const Findings found = look_again("", ", timeout = \"500ms\"");
    EXPECT_NEAR(found.value("pg_integrity_backup_age_seconds", kOf).value_or(0), 5 * kHour, 60)
        << "the newest known one is remembered";
  };
  look_again("", ", timeout = \"500ms\"");  // evidence of another configuration is not taken over
  const std::string right = store_.secret;
  store_.secret = "another";
  expect(Reason::auth, "403 SignatureDoesNotMatch: The storage says");
  store_.secret = right;
  store_.delay_ms = 1000;
  expect(Reason::timeout, "no complete answer in time");
  store_.delay_ms = 0;
  store_.status = 503;
  store_.refusal = "SlowDown";
  expect(Reason::http, "503 SlowDown");
  store_.status = 404;
  store_.refusal = "NoSuchBucket";
  expect(Reason::missing, "404 NoSuchBucket");
  store_.status = 403;
  store_.refusal = "AccessDenied";
  expect(Reason::permission, "HINT: allow s3:ListBucket");
  store_.status = 0;
  store_.break_after = 1;  // after the listing
  expect(Reason::protocol, "s3://backups/dumps");
  store_.break_after = -1;
  store_.stop();
  expect(Reason::connect, "s3://backups/dumps");
  store_.start();
  const Findings good = look_again("", ", timeout = \"500ms\"");
  EXPECT_EQ(good.state("backups/cloud.dump"), State::proven) << lines_of(good);
}

TEST_F(BucketBackupsOf, TheBudgetIsAFinding) {
  for (int i = 1; i < 20; ++i) store_.put("dumps/" + std::to_string(i) + ".sql", plain_dump(), i);
  const Findings found = look_again("", ", requests_per_day = 4");
  EXPECT_EQ(store_.requests, 4);
  EXPECT_NEAR(found.value("pg_integrity_backup_age_seconds", kOf).value(), kHour, 60)
      << "the newest is read first";
  const Findings none = look_again("", ", requests_per_day = 1");
  EXPECT_EQ(none.reason("backups/cloud.dump"), Reason::limit) << lines_of(none);
}

TEST_F(BucketBackupsOf, ManyAreReadLittleByLittle) {
  for (int i = 1; i <= 3000; ++i)
    store_.put("dumps/" + std::to_string(i) + ".sql", plain_dump(), i);
  const Findings found = look_again("", ", requests_per_day = 60");
  EXPECT_EQ(found.state("backups/cloud.dump"), State::proven) << lines_of(found);
  EXPECT_EQ(store_.requests, 30) << "half of the budget is kept";
  EXPECT_NE(lines_of(found).find(" objects are listed and not examined yet"), std::string::npos)
      << lines_of(found);
}

TEST_F(BucketBackupsOf, ACopyCountsAsALocation) {
  const TemporaryDirectory place;
  place.write("1.sql", plain_dump());
  store_.put("dumps/1.sql", plain_dump(), 2);
  const std::string local =
      "location = \"cloud\"\ncopy_of = \"local\"\n[[server.backups]]\nname = \"local\"\n"
      "directory = \"" +
      place.path() + "\"\nevery = \"24h\"\nsettle = \"0s\"\nlocations_min = 2\n";
  const LabelSet of_local{{"source", "local"}, {"kind", "dump"}};
  EXPECT_EQ(look_again(local).value("pg_integrity_backup_locations", of_local), 2);
  store_.remove("dumps/1.sql");
  const Findings found = look_again(local);
  EXPECT_EQ(found.value("pg_integrity_backup_locations", of_local), 1);
  EXPECT_NE(found.violated().find("backups/local.dump"), std::string::npos);
}

}  // namespace
}  // namespace pg_integrity::test::bucket_backups_test
