// Moments of a recovery: how they are written, and which one a drill chooses.
#include "exporter/drill/recovery.h"

#include <gtest/gtest.h>

#include "collectors/base/errors.h"
#include "tests/support/failure.h"

namespace pg_integrity::test::recovery_test {
namespace {

class Listed final : public Repository {
 public:
  explicit Listed(std::vector<RepositoryBackup> backups, UnixTime newest = 1000)
      : backups_(std::move(backups)), newest_(newest) {}
  std::vector<RepositoryBackup> backups() override { return backups_; }
  UnixTime newest_archived(const RepositoryBackup& /*backup*/) override { return newest_; }
  Fetched fetch(const RepositoryBackup& /*backup*/, std::optional<UnixTime> /*target*/,
                const WorkDirectory& /*work*/) override {
    return {};
  }

 private:
  std::vector<RepositoryBackup> backups_;
  UnixTime newest_;
};

const std::vector<RepositoryBackup> kTwo{{"old", 100, 110, ""}, {"new", 500, 520, ""}};

TEST(Moment, IsReadAndWrittenToTheMillisecond) {
  EXPECT_EQ(parse_moment("1970-01-02T00:00:01.5Z"), 86401.5);
  EXPECT_EQ(parse_moment("1970-01-02 00:00:01"), 86401);
  EXPECT_EQ(parse_moment("1970-01-02 00:00:01+00"), 86401);
  EXPECT_EQ(format_moment(86401.5), "1970-01-02T00:00:01.500Z");
  EXPECT_EQ(format_moment(86400.9996), "1970-01-02T00:00:01.000Z");
  for (const double moment : {0.0, 1795963078.164, 1e9 + 0.001})
    EXPECT_NEAR(parse_moment(format_moment(moment)).value(), moment, 0.0005);
  for (const char* none : {"", "now", "1970-01-02", "1970-01-02T25:00:00", "1970-13-02T00:00:00",
                           "1970-01-02T00:00:00+01", "1970-01-02T00:00:00 or so"})
    EXPECT_FALSE(parse_moment(none)) << none;
}

TEST(RecoveryPlan, TakesTheNewestBackupThatTheMomentAllows) {
  Listed repository(kTwo);
  EXPECT_EQ(plan_recovery(repository, {}).backup.label, "new");
  EXPECT_FALSE(plan_recovery(repository, {}).target);
  EXPECT_EQ(plan_recovery(repository, {600, {}}).backup.label, "new");
  EXPECT_EQ(plan_recovery(repository, {520, {}}).backup.label, "new");
  EXPECT_EQ(plan_recovery(repository, {519, {}}).backup.label, "old") << "it had not ended";
  EXPECT_EQ(plan_recovery(repository, {519, {}}).target, 519);
  EXPECT_EQ(failure([&] { plan_recovery(repository, {109, {}}); }).reason(), Reason::missing);
  Listed empty({});
  EXPECT_EQ(failure([&] { plan_recovery(empty, {}); }).reason(), Reason::missing);
}

TEST(RecoveryPlan, ASeedChoosesTheSameMomentAgain) {
  Listed repository(kTwo);
  double smallest = 1000;
  double largest = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const RecoveryPlan plan = plan_recovery(repository, {{}, seed});
    EXPECT_EQ(plan.backup.label, "new");
    EXPECT_EQ(plan.target, plan_recovery(repository, {{}, seed}).target);
    smallest = std::min(smallest, *plan.target);
    largest = std::max(largest, *plan.target);
  }
  EXPECT_GE(smallest, 520);
  EXPECT_LT(smallest, 540);
  EXPECT_GT(largest, 980);
  EXPECT_LE(largest, 1000);
  Listed quiet(kTwo, 520);
  EXPECT_EQ(failure([&] { plan_recovery(quiet, {{}, 1}); }).reason(), Reason::missing);
}

}  // namespace
}  // namespace pg_integrity::test::recovery_test
