#include "exporter/evidence/state_keeper.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <iterator>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "exporter/evidence/evidence.h"
#include "exporter/io/disposable_workers.h"
#include "tests/support/content.h"
#include "tests/support/sample_evidence.h"
#include "tests/support/temporary.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::state_keeper_test {
namespace {

class Keeper : public ::testing::Test, public SampleEvidence {
 protected:
  Keeper() { use(known_as("1111")); }

  /// Evidence of a server of that identity; all of the same version.
  std::shared_ptr<Evidence> known_as(const std::string& system_identifier) {
    auto one = std::make_shared<Evidence>(clock, std::vector{server});
    one->restore_identity("s", system_identifier, 1);
    return one;
  }
  void use(std::shared_ptr<const Evidence> next) {
    const std::lock_guard lock(mutex_);
    current_ = std::move(next);
  }
  std::unique_ptr<StateKeeper> keeper(
      const std::string& directory,
      std::chrono::milliseconds between_saves = StateKeeper::kBetweenSaves) {
    return std::make_unique<StateKeeper>(
        directory,
        [this] {
          const std::lock_guard lock(mutex_);
          return current_;
        },
        clock, workers_, between_saves);
  }
  [[nodiscard]] std::string file() const { return directory_.path() + "/evidence.json"; }
  [[nodiscard]] bool saved(const std::string& system_identifier) const {
    const std::string text = content_of(file());
    return text.find(system_identifier) != std::string::npos;
  }

  TemporaryDirectory directory_;
  DisposableWorkers workers_{clock};
  std::mutex mutex_;
  std::shared_ptr<const Evidence> current_;
};

TEST_F(Keeper, SavesAtTheEnd) {
  keeper(directory_.path()).reset();
  EXPECT_TRUE(saved("1111"));
}

TEST_F(Keeper, SavesWhileItRunsAndAlsoWhatAReloadBrought) {
  const auto of = keeper(directory_.path(), std::chrono::milliseconds(20));
  ASSERT_TRUE(eventually([&] { return saved("1111"); }));
  const auto next = known_as("2222");
  ASSERT_EQ(next->version(), current_->version()) << "a fresh one counts from the start again";
  use(next);
  EXPECT_TRUE(eventually([&] { return saved("2222"); }));
}

TEST_F(Keeper, WithoutADirectoryNothingIsKept) {
  keeper("").reset();
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

TEST_F(Keeper, AMissingDirectoryCostsTheFileOnly) {
  keeper(directory_.path() + "/nowhere").reset();
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

TEST_F(Keeper, AFileSystemThatHangsIsNotWaitedFor) {
  const auto hanging = std::make_shared<std::promise<void>>();
  const std::function<int()> work = [waits = hanging->get_future().share()] {
    waits.wait();
    return 0;
  };
  EXPECT_THROW(
      workers_.run<int>("state_dir " + directory_.path(), clock.now() + Seconds(0.1), work),
      SourceError);
  keeper(directory_.path()).reset();
  EXPECT_FALSE(std::filesystem::exists(file()));
  hanging->set_value();
  ASSERT_TRUE(eventually([&] { return workers_.given_up() == 0; }));
  keeper(directory_.path()).reset();
  EXPECT_TRUE(saved("1111"));
}

}  // namespace
}  // namespace pg_integrity::test::state_keeper_test
