#include "exporter/postgres/session_pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/collector.h"
#include "collectors/ports/clock.h"
#include "exporter/io/logging.h"
#include "exporter/postgres/session_socket.h"

namespace pg_integrity {

namespace {

/// A lease that waits for the slot of a given-up session checks this often. TCP's state alone tells
/// that the server has closed the session, and it wakes nobody.
constexpr Seconds kPoll{0.25};

/// So many databases may fail before the pauses grow with their number, at most tenfold. However
/// many fail, the server gets few attempts.
constexpr double kFewDatabases = 4;
constexpr double kLongestPause = 10;  ///< in last_retry

/// The failure does not pass until somebody changes something. A wrong password that is tried often
/// may also lock the role.
bool is_refusal(Reason reason) {
  return reason != Reason::connect && reason != Reason::timeout && reason != Reason::limit;
}

double jitter() {
  thread_local std::mt19937 generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.5, 1.0)(generator);
}

/// Holds one of the pool's slots while a session is being opened. A worker that was given up keeps
/// its slot until it comes back.
class ConnectingSlot {
 public:
  explicit ConnectingSlot(std::shared_ptr<SessionSlots> slots) : slots_(std::move(slots)) {}
  ~ConnectingSlot() {
    const MutexLock lock(slots_->mutex);
    --slots_->connecting;
    slots_->changed.notify_all();
  }
  ConnectingSlot(const ConnectingSlot&) = delete;
  ConnectingSlot& operator=(const ConnectingSlot&) = delete;

 private:
  std::shared_ptr<SessionSlots> slots_;
};

/// Asks whether older sessions of our role and name are on the server, unless it is known that
/// there are none.
void look_for_older(SessionSlots& slots, LiveSession& session) {
  std::string first_began;
  {
    const MutexLock lock(slots.mutex);
    if (slots.alone.value_or(false)) return;
    if (slots.first_began.empty()) slots.first_began = session.began();
    first_began = slots.first_began;
  }
  std::size_t older = 0;
  try {
    older = session.older_sessions(first_began);
  } catch (const SourceError&) {
    return;  // it stays unknown; whatever keeps the session from answering is told elsewhere
  }
  bool first_time = false;
  {
    const MutexLock lock(slots.mutex);
    slots.alone = older == 0;
    first_time = older > 0 && !std::exchange(slots.older_told, true);
    slots.changed.notify_all();
  }
  if (first_time)
    log(LogLevel::info,
        "older sessions of our role and application_name are on the server, so this process opens"
        " one session until they have ended",
        {{"sessions", std::to_string(older)}});
}

}  // namespace

std::shared_ptr<SessionSlots> make_session_slots() {
  return std::make_shared<SessionSlots>();
}

SessionPool::Lease::~Lease() {
  if (session_) pool_->give_back(std::move(session_), !discarded_);
}

SessionPool::SessionPool(std::string server, std::shared_ptr<Connector> connector, Limits limits,
                         const WaitableClock& clock, DisposableWorkers& workers,
                         std::shared_ptr<SessionSlots> slots)
    : server_(std::move(server)),
      connector_(std::move(connector)),
      limits_(limits),
      clock_(clock),
      workers_(workers),
      slots_(std::move(slots)) {
  const MutexLock lock(slots_->mutex);
  slots_->failures.clear();
}

SessionPool::~SessionPool() {
  stop();
}

SessionPool::Lease SessionPool::lease(const std::string& database, Instant deadline) {
  if (auto session = idle_or_slot(database, deadline)) {
    Lease lease(*this, std::move(session));
    lease.session().set_deadline(deadline);
    look_for_older(*slots_, lease.session());
    return lease;
  }
  return {*this, connect(database, deadline)};
}

std::unique_ptr<LiveSession> SessionPool::idle_or_slot(const std::string& database,
                                                       Instant deadline) {
  const MutexLock lock(slots_->mutex);
  for (;;) {
    if (stopping_)
      throw SourceError(Reason::connect, "the exporter is stopping", SourceError::Scope::session);
    slots_->sweep_abandoned();
    if (auto session = slots_->take_idle(database)) {
      slots_->leased.push_back(session.get());
      return session;
    }
    const Instant now = clock_.now();
    const auto failure = slots_->failures.find(database);
    if (failure != slots_->failures.end() && now < failure->second.retry_at)
      throw SourceError(failure->second.error);
    if (slots_->used() < slots_->allowed(limits_.sessions)) break;
    if (!slots_->idle.empty()) {
      slots_->idle.erase(slots_->idle.begin());
      continue;
    }
    if (now >= deadline)
      throw SourceError(Reason::limit,
                        fmt::format("all sessions with {} are in use or were given up", server_),
                        SourceError::Scope::session);
    slots_->changed.wait_until(
        slots_->mutex, clock_,
        slots_->abandoned.empty() ? deadline : std::min(deadline, now + kPoll));
  }
  ++slots_->connecting;
  return nullptr;
}

std::unique_ptr<LiveSession> SessionPool::connect(const std::string& database, Instant deadline) {
  try {
    auto slot = std::make_shared<ConnectingSlot>(slots_);
    const Instant latest = std::min(deadline, clock_.now() + limits_.connect_timeout);
    auto session = workers_.run<std::unique_ptr<LiveSession>>(
        fmt::format("connecting to {}, database {}", server_, database), latest,
        [slot, slots = slots_, connector = connector_, database] {
          auto opened = connector->open(database);
          look_for_older(*slots, *opened);
          return opened;
        });
    const MutexLock lock(slots_->mutex);
    slots_->note_success(database, clock_.now());
    slots_->leased.push_back(session.get());
    return session;
  } catch (const SourceError& error) {
    const SourceError failure(error.reason(), error.what(), SourceError::Scope::session);
    note_failure(database, failure);
    throw failure;
  }
}

void SessionPool::note_failure(const std::string& database, const SourceError& error) {
  const MutexLock lock(slots_->mutex);
  const auto before = slots_->failures.find(database);
  Seconds pause = is_refusal(error.reason()) ? limits_.last_retry : limits_.first_retry;
  if (before != slots_->failures.end()) pause = before->second.pause * 2;
  const auto failing = static_cast<double>(slots_->failures.size());
  pause =
      std::min(pause, limits_.last_retry * std::clamp(failing / kFewDatabases, 1.0, kLongestPause));
  slots_->failures.insert_or_assign(
      database, SessionSlots::Failure{error, pause, clock_.now() + pause * jitter()});
}

void SessionPool::give_back(std::unique_ptr<LiveSession> session, bool keep) {
  std::unique_ptr<LiveSession> broken;  // destroyed after the lock is released
  const MutexLock lock(slots_->mutex);
  std::erase(slots_->leased, session.get());
  const Instant now = clock_.now();
  keep = keep && now - session->server().read_at < limits_.lifetime;
  if (keep && session->usable() && !stopping_) {
    slots_->idle.push_back({std::move(session), now});
  } else {
    if (auto abandoned = session->abandon()) slots_->abandoned.push_back(std::move(abandoned));
    broken = std::move(session);
  }
  slots_->changed.notify_all();
}

Instant SessionPool::retry_at(const std::string& database) const {
  const MutexLock lock(slots_->mutex);
  const auto failure = slots_->failures.find(database);
  return failure == slots_->failures.end() ? clock_.now() : failure->second.retry_at;
}

SessionPool::Count SessionPool::count() const {
  const MutexLock lock(slots_->mutex);
  slots_->sweep_abandoned();
  return {slots_->idle.size() + slots_->leased.size(), slots_->connecting,
          slots_->abandoned.size()};
}

void SessionPool::close_idle(Seconds unused_for) {
  std::vector<SessionSlots::Idle> closing;  // destroyed after the lock is released
  const MutexLock lock(slots_->mutex);
  const Instant now = clock_.now();
  for (auto it = slots_->idle.begin(); it != slots_->idle.end();) {
    if (now - it->since >= unused_for) {
      closing.push_back(std::move(*it));
      it = slots_->idle.erase(it);
    } else {
      ++it;
    }
  }
}

std::optional<Instant> SessionPool::idle_until(Seconds unused_for) const {
  const MutexLock lock(slots_->mutex);
  std::optional<Instant> first;
  for (const auto& idle : slots_->idle) first = earlier(first, idle.since + unused_for);
  return first;
}

void SessionPool::stop() {
  std::vector<SessionSlots::Idle> closing;
  const MutexLock lock(slots_->mutex);
  if (stopping_) return;  // another pool may own the slots by now
  stopping_ = true;
  closing.swap(slots_->idle);
  for (LiveSession* session : slots_->leased) session->cancel();
  slots_->changed.notify_all();
}

void SessionPool::cut_off() {
  const MutexLock lock(slots_->mutex);
  for (LiveSession* session : slots_->leased) session->cut_off();
}

}  // namespace pg_integrity
