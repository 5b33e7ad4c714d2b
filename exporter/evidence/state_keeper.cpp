#include "exporter/evidence/state_keeper.h"

#include <utility>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/ports/clock.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/evidence/state_file.h"
#include "exporter/io/logging.h"

namespace pg_integrity {

namespace {

constexpr Seconds kPatience{2};

}  // namespace

StateKeeper::StateKeeper(std::string directory,
                         std::function<std::shared_ptr<const Evidence>()> evidence,
                         const Clock& clock, DisposableWorkers& workers,
                         std::chrono::milliseconds between_saves)
    : directory_(std::move(directory)),
      evidence_(std::move(evidence)),
      clock_(clock),
      workers_(workers),
      between_saves_(between_saves) {
  if (!directory_.empty()) thread_ = std::thread([this] { work(); });
}

StateKeeper::~StateKeeper() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void StateKeeper::work() {
  for (bool last = false; !last;) {
    {
      std::unique_lock lock(mutex_);
      last = changed_.wait_for(lock, between_saves_, [this] { return stopping_; });
    }
    save();
  }
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
    if (!std::exchange(failing_, true))
      log(LogLevel::warning, "evidence cannot be saved and will not survive a restart",
          {{"error", error.what()}});
  }
}

}  // namespace pg_integrity
