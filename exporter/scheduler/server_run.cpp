#include "exporter/scheduler/server_run.h"

#include <algorithm>
#include <map>
#include <random>
#include <utility>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/glob.h"
#include "collectors/ports/clock.h"
#include "collectors/postgres/table_scan.h"
#include "collectors/registry.h"
#include "exporter/config/databases.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/io/logging.h"
#include "exporter/postgres/session_socket.h"
#include "exporter/scheduler/assignment.h"
#include "exporter/scheduler/task.h"

namespace pg_integrity {

namespace {

constexpr Seconds kFirstPassWithin{1.5};   ///< first passes are spread over this time
constexpr Seconds kDiscoveryInterval{60};  ///< of databases, where globs name them
constexpr Seconds kIdleTimeout{60};        ///< of sessions
/// The time between two counts of the sessions while one is connecting or was given up. Only the
/// state of its TCP connection shows that the server has closed it, and no event announces that.
constexpr Seconds kBetweenCounts{5};

double spread() {
  thread_local std::mt19937 generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

SessionPool::Limits limits(const ServerOptions& options) {
  SessionPool::Limits limits;
  limits.sessions = options.max_sessions;
  return limits;
}

}  // namespace

/// Finds the databases that the configuration's globs stand for, again and again.
class ServerRun::Discovery final : public Task {
 public:
  Discovery(ServerRun& server, Instant first_due) : server_(server), next_(first_due) {}

  [[nodiscard]] std::optional<Instant> due() const override { return next_; }

  Seconds step() override {
    const Instant began = server_.clock_.now();
    const std::optional<Seconds> busy = server_.discover_databases();
    // Discovery reports no failure. While the server is out of reach, the collectors of the home
    // database report it.
    const Instant retry = server_.pool_.retry_at(server_.options_->home_database);
    next_ = busy ? began + kDiscoveryInterval : std::max(retry, began + Seconds(1));
    return busy.value_or(Seconds(0));
  }

  void server_lost() override {}
  void evidence_lost() override {}

 private:
  ServerRun& server_;
  Instant next_;  ///< used by the lane's thread only
};

ServerRun::ServerRun(std::shared_ptr<const ServerOptions> options,
                     std::shared_ptr<Connector> connector, const WaitableClock& clock,
                     DisposableWorkers& workers, std::shared_ptr<SessionSlots> slots,
                     Evidence& evidence, std::shared_ptr<const SavedEvidence> saved)
    : options_(std::move(options)),
      clock_(clock),
      evidence_(evidence),
      saved_(std::move(saved)),
      pool_(options_->name, std::move(connector), limits(*options_), clock, workers,
            std::move(slots)),
      load_(options_->max_load),
      context_(std::make_shared<ServerContext>(options_, clock, workers, evidence, pool_)),
      quick_(true, load_, clock, [this] { return housekeeping(); }),
      scan_(false, load_, clock, [this] { return housekeeping(); }),
      reading_(false, unbounded_, clock, [] { return std::nullopt; }) {}

void ServerRun::add_replica(const ReplicaConnection& replica, std::shared_ptr<Connector> connector,
                            DisposableWorkers& workers, std::shared_ptr<SessionSlots> slots) {
  context_->replicas.add(replica, std::move(connector), clock_, workers, std::move(slots));
}

void ServerRun::prepare() {
  add_known_databases();
  prepared_ = true;
}

void ServerRun::start() {
  if (!prepared_) prepare();
  context_->database_lost = [this](const std::string& database, bool was_reached) {
    tell_tasks(&CollectorTask::server_lost, was_reached ? nullptr : &database);
  };
  context_->database_back = [this] { tell_tasks(&CollectorTask::server_back); };
  context_->evidence_lost = [this] { tell_tasks(&CollectorTask::evidence_lost); };
  start_lanes(false, true);
}

void ServerRun::run_once(bool reading) {
  context_->once = true;
  add_known_databases();
  discover_databases();
  start_lanes(true, reading);
  join();
}

void ServerRun::begin_stop() {
  context_->stopping.stop();
  pool_.stop();
  context_->replicas.stop();
  quick_.stop();
  scan_.stop();
  reading_.stop();
}

void ServerRun::wait_until_finished(Instant moment) const {
  if (!started_) return;
  quick_.wait_until_finished(moment);
  scan_.wait_until_finished(moment);
  if (reading_started_) reading_.wait_until_finished(moment);
}

void ServerRun::cut_off() {
  pool_.cut_off();
  context_->replicas.cut_off();
}

void ServerRun::join() {
  quick_.join();
  scan_.join();
  reading_.join();
}

bool ServerRun::ready() const {
  const MutexLock lock(mutex_);
  return (discovered_ || !needs_server(options_->databases)) &&
         std::all_of(tasks_.begin(), tasks_.end(),
                     [](const auto& task) { return task->attempted(); });
}

LaneThread& ServerRun::lane_of(Lane lane) {
  switch (lane) {
    case Lane::quick:
      return quick_;
    case Lane::scan:
      return scan_;
    case Lane::reading:
      return reading_;
  }
  return scan_;
}

void ServerRun::start_lanes(bool until_done, bool reading) {
  started_ = true;
  quick_.start(until_done);
  scan_.start(until_done);
  if (!reading) return;
  reading_started_ = true;
  reading_.start(until_done);
}

std::vector<std::string> ServerRun::watched() const {
  const MutexLock lock(mutex_);
  return databases_;
}

bool ServerRun::is_watched(const std::string& database) const {
  const auto names = watched();
  return std::find(names.begin(), names.end(), database) != names.end();
}

std::optional<Instant> ServerRun::housekeeping() {
  pool_.close_idle(kIdleTimeout);
  context_->replicas.close_idle(kIdleTimeout);
  const SessionPool::Count count = pool_.count();
  evidence_.set_sessions({options_->name, count.open, count.connecting, count.abandoned});
  const bool waiting_for_others = count.connecting + count.abandoned > 0;
  return earlier(
      waiting_for_others ? std::optional(clock_.now() + kBetweenCounts) : std::nullopt,
      earlier(pool_.idle_until(kIdleTimeout), context_->replicas.idle_until(kIdleTimeout)));
}

void ServerRun::add_known_databases() {
  std::vector<std::string> names{options_->home_database};
  for (const std::string& name : named_databases(options_->databases)) names.push_back(name);
  if (saved_)
    for (const auto& [id, collector] : saved_->collectors)
      if (id.server == options_->name && !id.database.empty()) names.push_back(id.database);
  add_database(options_->home_database, true);
  for (const std::string& name : names)
    if (!is_watched(name)) add_database(name, false);
  if (needs_server(options_->databases) && !context_->once)
    quick_.add(std::make_shared<Discovery>(*this, clock_.now()));
}

/// Leases a session with any database that can be reached, the DSN's first. Each of them can list
/// the databases.
SessionPool::Lease ServerRun::lease_any(Instant deadline) {
  try {
    return pool_.lease(options_->home_database, deadline);
  } catch (const SourceError&) {
    for (const std::string& name : watched()) {
      const Instant retry = pool_.retry_at(name);
      if (name == options_->home_database || retry > clock_.now()) continue;
      try {
        return pool_.lease(name, deadline);
      } catch (const SourceError&) {
        continue;
      }
    }
    throw;
  }
}

std::optional<Seconds> ServerRun::discover_databases() {
  if (!needs_server(options_->databases)) return Seconds(0);
  try {
    const Instant deadline = clock_.now() + Seconds(10);
    const SessionPool::Lease lease = lease_any(deadline);
    lease.session().set_deadline(deadline);
    const Seconds before = lease.session().busy();
    const std::vector<std::string> present = databases_of(lease.session());
    for (const std::string& name : present)
      if (!is_watched(name)) add_database(name, false);
    // A database that the configuration names stays, as unproven, even if it is gone. One that only
    // a glob matches is removed.
    const auto named = named_databases(options_->databases);
    for (const std::string& name : watched())
      if (std::find(present.begin(), present.end(), name) == present.end() &&
          std::find(named.begin(), named.end(), name) == named.end())
        remove_database(name);
    discovered_ = true;
    return lease.session().busy() - before;
  } catch (const SourceError&) {
    return std::nullopt;
  }
}

/// Builds the collectors of a database if the configuration names it. With the home database it
/// also builds those of the whole server.
void ServerRun::add_database(const std::string& database, bool home) {
  const bool named = watches(options_->databases, database);
  if (!named && !home) return;
  struct Made {
    const CollectorOptions* options;
    std::unique_ptr<Collector> collector;
  };
  std::vector<Made> made;
  ScanPlan plan;
  for (const Assignment& one : collectors_on(*options_, database))
    made.push_back({one.options, one.options->spec->make({one.settings, one.server}, plan)});
  if (named) {
    evidence_.add_database(options_->name, database,
                           saved_ ? saved_->was_up(options_->name, database) : std::nullopt);
    const MutexLock lock(mutex_);
    databases_.push_back(database);
  }
  const auto context =
      std::make_shared<DatabaseContext>(database, options_->exclude, std::move(plan));
  for (Made& one : made) add_task(*one.options, std::move(one.collector), context);
}

void ServerRun::add_task(const CollectorOptions& options, std::unique_ptr<Collector> collector,
                         const std::shared_ptr<DatabaseContext>& database) {
  const CollectorSpec& spec = *options.spec;
  const CollectorId id{options_->name,
                       spec.scope == Scope::server ? std::string() : database->name(),
                       std::string(spec.name)};
  const std::uint64_t fingerprint = fingerprint_of(*options_, options);
  const Instant now = clock_.now();
  Batch declared(now);
  collector->declare(declared);
  evidence_.add(id, spec, options_, options.interval, fingerprint, declared,
                collector->own_metrics());
  if (saved_) restore(evidence_, *saved_, id, spec, fingerprint);
  const Seconds delay = context_->once ? Seconds(0) : kFirstPassWithin * spread();
  auto task = std::make_shared<CollectorTask>(id, options, std::move(collector), context_, database,
                                              now + delay);
  {
    const MutexLock lock(mutex_);
    tasks_.push_back(task);
  }
  lane_of(spec.lane).add(std::move(task));
}

void ServerRun::remove_database(const std::string& database) {
  std::vector<std::shared_ptr<CollectorTask>> gone;
  {
    const MutexLock lock(mutex_);
    std::erase(databases_, database);
    for (const auto& task : tasks_)
      if (task->id().database == database) gone.push_back(task);
    std::erase_if(tasks_, [&](const auto& task) { return task->id().database == database; });
  }
  for (const auto& task : gone) {
    quick_.remove(*task);
    scan_.remove(*task);
    reading_.remove(*task);
  }
  evidence_.remove_database(options_->name, database);
  log(LogLevel::warning, "database is gone", {{"server", options_->name}, {"database", database}});
}

void ServerRun::tell_tasks(void (CollectorTask::*news)(), const std::string* only) {
  {
    const MutexLock lock(mutex_);
    for (const auto& task : tasks_)
      if (only == nullptr || task->database() == *only) ((*task).*news)();
  }
  quick_.wake();
  scan_.wake();
  reading_.wake();
}

}  // namespace pg_integrity
