#include "exporter/postgres/session_pool.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <vector>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/collector.h"
#include "collectors/ports/clock.h"
#include "exporter/postgres/session_socket.h"

namespace pg_integrity {

namespace {

constexpr Seconds kPoll{0.25};  ///< how often a waiting lease looks for closed sessions

/// The whole server is out of reach, not one of its databases.
bool concerns_server(Reason reason) {
  return reason == Reason::connect || reason == Reason::timeout || reason == Reason::tls ||
         reason == Reason::auth;
}

double jitter() {
  thread_local std::mt19937 generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.5, 1.0)(generator);
}

}  // namespace

class SessionSlots {
 public:
  struct Idle {
    std::unique_ptr<LiveSession> session;
    Instant since;
  };

  struct Failure {
    SourceError error;
    Seconds pause;
    Instant retry_at;
  };

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Idle> idle;
  std::vector<LiveSession*> leased;
  std::vector<std::unique_ptr<AbandonedSession>> abandoned;
  std::size_t connecting = 0;
  std::map<std::string, Failure> failures;  ///< by database; "" is the whole server

  [[nodiscard]] std::size_t used() const {
    return idle.size() + leased.size() + abandoned.size() + connecting;
  }

  void sweep_abandoned() {
    std::erase_if(abandoned, [](const auto& session) { return session->gone(); });
  }

  std::unique_ptr<LiveSession> take_idle(const std::string& database) {
    for (auto it = idle.begin(); it != idle.end();) {
      std::unique_ptr<LiveSession> session;
      const bool wanted = it->session->database() == database;
      const bool usable = it->session->usable();
      if (!wanted && usable) {
        ++it;
        continue;
      }
      session = std::move(it->session);
      it = idle.erase(it);
      if (wanted && usable) return session;
    }
    return nullptr;
  }

  [[nodiscard]] const Failure* failure_of(const std::string& database) const {
    for (const std::string& key : {std::string(), database})
      if (const auto found = failures.find(key); found != failures.end()) return &found->second;
    return nullptr;
  }
};

namespace {

/// Holds one of the pool's slots while somebody connects; a worker that was given up keeps it until
/// it comes back.
class ConnectingSlot {
 public:
  explicit ConnectingSlot(std::shared_ptr<SessionSlots> slots) : slots_(std::move(slots)) {}
  ~ConnectingSlot() {
    const std::lock_guard lock(slots_->mutex);
    --slots_->connecting;
    slots_->changed.notify_all();
  }
  ConnectingSlot(const ConnectingSlot&) = delete;
  ConnectingSlot& operator=(const ConnectingSlot&) = delete;

 private:
  std::shared_ptr<SessionSlots> slots_;
};

}  // namespace

std::shared_ptr<SessionSlots> make_session_slots() {
  return std::make_shared<SessionSlots>();
}

SessionPool::Lease::~Lease() {
  if (session_) pool_->give_back(std::move(session_), !discarded_);
}

SessionPool::SessionPool(std::string server, std::shared_ptr<Connector> connector, Limits limits,
                         const Clock& clock, DisposableWorkers& workers,
                         std::shared_ptr<SessionSlots> slots)
    : server_(std::move(server)),
      connector_(std::move(connector)),
      limits_(limits),
      clock_(clock),
      workers_(workers),
      slots_(std::move(slots)) {
  const std::lock_guard lock(slots_->mutex);
  slots_->failures.clear();
}

SessionPool::~SessionPool() {
  stop();
}

SessionPool::Lease SessionPool::lease(const std::string& database, Instant deadline) {
  std::unique_lock lock(slots_->mutex);
  for (;;) {
    if (stopping_)
      throw SourceError(Reason::connect, "the exporter is stopping", SourceError::Scope::session);
    slots_->sweep_abandoned();
    if (auto session = slots_->take_idle(database)) {
      slots_->leased.push_back(session.get());
      return {*this, std::move(session)};
    }
    const Instant now = clock_.now();
    if (const SessionSlots::Failure* failure = slots_->failure_of(database);
        failure && now < failure->retry_at)
      throw SourceError(failure->error);
    if (slots_->used() < limits_.sessions) break;
    if (!slots_->idle.empty()) {
      slots_->idle.erase(slots_->idle.begin());
      continue;
    }
    if (now >= deadline)
      throw SourceError(Reason::limit,
                        "all sessions with " + server_ + " are in use or were given up",
                        SourceError::Scope::session);
    slots_->changed.wait_for(lock, std::min(kPoll, deadline - now));
  }
  ++slots_->connecting;
  lock.unlock();
  return {*this, connect(database, deadline)};
}

std::unique_ptr<LiveSession> SessionPool::connect(const std::string& database, Instant deadline) {
  try {
    auto slot = std::make_shared<ConnectingSlot>(slots_);
    const Instant latest = std::min(deadline, clock_.now() + limits_.connect_timeout);
    auto session = workers_.run<std::unique_ptr<LiveSession>>(
        "connecting to " + server_, latest,
        [slot, connector = connector_, database] { return connector->open(database); });
    const std::lock_guard lock(slots_->mutex);
    slots_->failures.erase(database);
    slots_->failures.erase(std::string());
    slots_->leased.push_back(session.get());
    return session;
  } catch (const SourceError& error) {
    const SourceError failure(error.reason(), error.what(), SourceError::Scope::session);
    note_failure(database, failure);
    throw failure;
  }
}

void SessionPool::note_failure(const std::string& database, const SourceError& error) {
  const std::lock_guard lock(slots_->mutex);
  const std::string key = concerns_server(error.reason()) ? std::string() : database;
  const auto before = slots_->failures.find(key);
  // A wrong password is not tried often: it may lock the role.
  Seconds pause = error.reason() == Reason::auth ? limits_.last_retry : limits_.first_retry;
  if (before != slots_->failures.end())
    pause = std::min(limits_.last_retry, before->second.pause * 2);
  slots_->failures.insert_or_assign(
      key, SessionSlots::Failure{error, pause, clock_.now() + pause * jitter()});
}

void SessionPool::give_back(std::unique_ptr<LiveSession> session, bool keep) {
  std::unique_ptr<LiveSession> broken;  // destroyed after the lock is released
  const std::lock_guard lock(slots_->mutex);
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
  const std::lock_guard lock(slots_->mutex);
  const SessionSlots::Failure* failure = slots_->failure_of(database);
  return failure == nullptr ? clock_.now() : failure->retry_at;
}

SessionPool::Count SessionPool::count() const {
  const std::lock_guard lock(slots_->mutex);
  slots_->sweep_abandoned();
  return {slots_->idle.size() + slots_->leased.size(), slots_->connecting,
          slots_->abandoned.size()};
}

void SessionPool::close_idle(Seconds unused_for) {
  std::vector<SessionSlots::Idle> closing;  // destroyed after the lock is released
  const std::lock_guard lock(slots_->mutex);
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

void SessionPool::stop() {
  std::vector<SessionSlots::Idle> closing;
  const std::lock_guard lock(slots_->mutex);
  if (stopping_) return;  // the slots may be another pool's by now
  stopping_ = true;
  closing.swap(slots_->idle);
  for (LiveSession* session : slots_->leased) session->cancel();
  slots_->changed.notify_all();
}

void SessionPool::cut_off() {
  const std::lock_guard lock(slots_->mutex);
  for (LiveSession* session : slots_->leased) session->cut_off();
}

}  // namespace pg_integrity
