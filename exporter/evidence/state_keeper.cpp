#include "exporter/evidence/state_keeper.h"

#include <utility>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/evidence/state_file.h"
#include "exporter/io/logging.h"

namespace pg_integrity {

namespace {

constexpr Seconds kPatience{2};

}  // namespace

StateKeeper::StateKeeper(std::string directory,
                         std::function<std::shared_ptr<const Evidence>()> evidence,
                         const WaitableClock& clock, DisposableWorkers& workers, News& news)
    : directory_(std::move(directory)),
      evidence_(std::move(evidence)),
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

bool StateKeeper::wait_for_news(Instant not_before) {
  const MutexLock lock(mutex_);
  while (!stopping_ && (!has_news_ || clock_.now() < not_before))
    changed_.wait_until(mutex_, clock_, has_news_ ? std::optional(not_before) : std::nullopt);
  has_news_ = false;
  return !stopping_;
}

void StateKeeper::work() {
  while (wait_for_news(clock_.now() + kBetweenSaves)) save();
  save();
}

void StateKeeper::save() {
  const auto evidence = evidence_();
  const std::uint64_t version = evidence->version();
  if (evidence == saved_.lock() && version == saved_version_) return;
  try {
    auto saved = std::make_shared<const SavedEvidence>(saved_evidence_of(*evidence));
    workers_.run<bool>("state_dir " + directory_, clock_.now() + kPatience,
                       [saved, directory = directory_, &clock = clock_] {
                         save_state(directory, *saved, clock);
                         return true;
                       });
    saved_ = evidence;
    saved_version_ = version;
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
