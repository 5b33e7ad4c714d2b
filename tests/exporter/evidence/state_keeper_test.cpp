#include "exporter/evidence/state_keeper.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <iterator>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "exporter/evidence/evidence.h"
#include "exporter/evidence/evidence_section.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/evidence/state_file.h"
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

  /// Evidence of a server of that identity. Its version is always the same.
  std::shared_ptr<Evidence> known_as(const std::string& system_identifier) {
    auto one = std::make_shared<Evidence>(clock, std::vector{server}, &news);
    one->restore_identity("s", system_identifier, 1);
    return one;
  }
  void use(std::shared_ptr<const Evidence> next) {
    const std::lock_guard lock(mutex_);
    current_ = std::move(next);
    news.tell();
  }
  std::unique_ptr<StateKeeper> keeper(const std::string& directory) {
    return std::make_unique<StateKeeper>(
        directory,
        [this]() -> SavedState {
          const std::lock_guard lock(mutex_);
          return {clock.unix_now(), {section_of(saved_evidence_of(*current_), clock)}, of_others_};
        },
        clock, workers_, news);
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
  std::map<std::string, std::string> of_others_;
};

TEST_F(Keeper, SavesAtTheEnd) {
  keeper(directory_.path()).reset();
  EXPECT_TRUE(saved("1111"));
}

TEST_F(Keeper, SavesWhileItRunsAndAlsoWhatAReloadBrought) {
  const auto of = keeper(directory_.path());
  clock.await_waiting(1);
  EXPECT_FALSE(std::filesystem::exists(file())) << "news may wait";
  clock.advance(StateKeeper::kBetweenSaves);
  ASSERT_TRUE(eventually([&] { return saved("1111"); }));
  const auto next = known_as("2222");
  ASSERT_EQ(next->version(), current_->version()) << "a fresh one counts from the start again";
  use(next);
  EXPECT_TRUE(eventually([&] {
    clock.advance(StateKeeper::kBetweenSaves);
    return saved("2222");
  }));
}

TEST_F(Keeper, SectionsOfOthersAreWrittenBack) {
  of_others_["proofs"] = R"({"content":"of tomorrow","version":7})";
  keeper(directory_.path()).reset();
  EXPECT_EQ(load_state(directory_.path()).of_others, of_others_);
}

TEST_F(Keeper, WithoutNewsNothingIsWritten) {
  auto of = keeper(directory_.path());
  clock.await_waiting(1);
  clock.advance(StateKeeper::kBetweenSaves);
  ASSERT_TRUE(eventually([&] { return saved("1111"); }));
  std::filesystem::remove(file());
  clock.advance(10 * StateKeeper::kBetweenSaves);
  of.reset();
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(Keeper, WhatCouldNotBeSavedIsTriedAgainThoughNothingIsNew) {
  const std::string later = directory_.path() + "/later";
  const auto of = keeper(later);
  clock.await_waiting(1);
  clock.advance(StateKeeper::kBetweenSaves);
  clock.await_waiting(1);
  std::filesystem::create_directory(later);
  EXPECT_TRUE(eventually([&] {
    clock.advance(StateKeeper::kBetweenSaves);
    return std::filesystem::exists(later + "/evidence.json");
  }));
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
  EXPECT_THROW(workers_.run<int>("state_dir " + directory_.path(), clock.now(), work), SourceError);
  keeper(directory_.path()).reset();
  EXPECT_FALSE(std::filesystem::exists(file()));
  hanging->set_value();
  ASSERT_TRUE(eventually([&] { return workers_.given_up() == 0; }));
  keeper(directory_.path()).reset();
  EXPECT_TRUE(saved("1111"));
}

}  // namespace
}  // namespace pg_integrity::test::state_keeper_test
