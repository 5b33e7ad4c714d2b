#include "exporter/evidence/state_keeper.h"

#include <utility>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "exporter/evidence/state_file.h"
#include "exporter/io/logging.h"

namespace pg_integrity {

namespace {

constexpr Seconds kPatience{2};

}  // namespace

StateKeeper::StateKeeper(std::string directory, std::function<SavedState()> state,
                         const WaitableClock& clock, DisposableWorkers& workers, News& news,
                         std::function<void()> saved)
    : directory_(std::move(directory)),
      state_(std::move(state)),
      saved_(std::move(saved)),
      clock_(clock),
      workers_(workers),
      listener_(news, [this] {
        const MutexLock lock(mutex_);
        if (!std::exchange(has_news_, true)) changed_.notify_all();
      }) {
  if (!directory_.empty()) thread_ = std::thread([this] { work(); });
}

StateKeeper::~StateKeeper() {
  if (!thread_.joinable()) return;
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void StateKeeper::work() {
  for (bool last = false; !last;) {
    bool news = false;
    {
      const Instant not_before = clock_.now() + kBetweenSaves;
      const MutexLock lock(mutex_);
      while (!stopping_ && (!has_news_ || clock_.now() < not_before))
        changed_.wait_until(mutex_, clock_, has_news_ ? std::optional(not_before) : std::nullopt);
      news = std::exchange(has_news_, false);
      last = stopping_;
    }
    if (news) save();
  }
}

void StateKeeper::save() {
  try {
    auto state = std::make_shared<const SavedState>(state_());
    workers_.run<bool>("state_dir " + directory_, clock_.now() + kPatience,
                       [state, directory = directory_] {
                         save_state(directory, *state);
                         return true;
                       });
    if (saved_) saved_();
    if (std::exchange(failing_, false))
      log(LogLevel::info, "evidence is saved again", {{"state_dir", directory_}});
  } catch (const SourceError& error) {
    {
      const MutexLock lock(mutex_);
      has_news_ = true;
    }
    if (!std::exchange(failing_, true))
      log(LogLevel::warning, "evidence cannot be saved and will not survive a restart",
          {{"error", error.what()}});
  }
}

}  // namespace pg_integrity
