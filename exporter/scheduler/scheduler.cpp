#include "exporter/scheduler/scheduler.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <thread>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/glob.h"
#include "collectors/base/instant.h"
#include "collectors/base/thread_annotations.h"
#include "collectors/collector.h"
#include "collectors/ports/clock.h"
#include "collectors/postgres/table_scan.h"
#include "collectors/registry.h"
#include "exporter/config/databases.h"
#include "exporter/config/options.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/io/condition.h"
#include "exporter/io/logging.h"
#include "exporter/io/mutex.h"
#include "exporter/postgres/session_socket.h"
#include "exporter/scheduler/assignment.h"
#include "exporter/scheduler/collector_task.h"
#include "exporter/scheduler/lane.h"
#include "exporter/scheduler/server_context.h"
#include "exporter/scheduler/task.h"

namespace pg_integrity {

namespace {

constexpr Seconds kFirstPassWithin{1.5};   ///< first passes are spread over this time
constexpr Seconds kDiscoveryInterval{60};  ///< of databases, where globs name them
constexpr Seconds kIdleTimeout{60};        ///< of sessions
/// The time between two counts of the sessions while one is connecting or was given up. Only the
/// state of its TCP connection shows that the server has closed it, and no event announces that.
constexpr Seconds kBetweenCounts{5};
constexpr Seconds kCancelPatience{1.5};  ///< to react to cancelling, before sessions are cut off

double spread() {
  thread_local std::mt19937 generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

}  // namespace

/// One server: its lanes, sessions and tasks.
class Scheduler::Server {
 public:
  Server(std::shared_ptr<const ServerOptions> options, std::shared_ptr<Connector> connector,
         const WaitableClock& clock, DisposableWorkers& workers,
         std::shared_ptr<SessionSlots> slots, Evidence& evidence,
         std::shared_ptr<const SavedEvidence> saved)
      : options_(std::move(options)),
        clock_(clock),
        evidence_(evidence),
        saved_(std::move(saved)),
        pool_(options_->name, std::move(connector), limits(*options_), clock, workers,
              std::move(slots)),
        load_(options_->max_load),
        context_(std::make_shared<ServerContext>(options_, clock, workers, evidence, pool_)),
        quick_(true, load_, clock, [this] { return housekeeping(); }),
        scan_(false, load_, clock, [this] { return housekeeping(); }) {}

  /// Call it before every other function.
  void add_replica(const ReplicaConnection& replica, std::shared_ptr<Connector> connector,
                   DisposableWorkers& workers, std::shared_ptr<SessionSlots> slots) {
    context_->replicas.add(replica, std::move(connector), clock_, workers, std::move(slots));
  }

  void prepare() {
    add_known_databases();
    prepared_ = true;
  }

  void start() {
    if (!prepared_) prepare();
    context_->database_lost = [this](const std::string& database, bool was_reached) {
      tell_tasks(&CollectorTask::server_lost, was_reached ? nullptr : &database);
    };
    context_->database_back = [this] { tell_tasks(&CollectorTask::server_back); };
    context_->evidence_lost = [this] { tell_tasks(&CollectorTask::evidence_lost); };
    start_lanes(false);
  }

  void run_once() {
    context_->once = true;
    add_known_databases();
    discover_databases();
    start_lanes(true);
    join();
  }

  void begin_stop() {
    context_->stopping.stop();
    pool_.stop();
    context_->replicas.stop();
    quick_.stop();
    scan_.stop();
  }

  void wait_until_finished(Instant moment) const {
    if (!started_) return;
    quick_.wait_until_finished(moment);
    scan_.wait_until_finished(moment);
  }

  void cut_off() {
    pool_.cut_off();
    context_->replicas.cut_off();
  }

  void join() {
    quick_.join();
    scan_.join();
  }

  [[nodiscard]] bool ready() const {
    const MutexLock lock(mutex_);
    return (discovered_ || !needs_server(options_->databases)) &&
           std::all_of(tasks_.begin(), tasks_.end(),
                       [](const auto& task) { return task->attempted(); });
  }

 private:
  class Discovery;

  static SessionPool::Limits limits(const ServerOptions& options) {
    SessionPool::Limits limits;
    limits.sessions = options.max_sessions;
    return limits;
  }

  void start_lanes(bool until_done) {
    started_ = true;
    quick_.start(until_done);
    scan_.start(until_done);
  }

  void add_known_databases();
  /// @return how long the server was busy with it, or nothing if it could not list its databases.
  std::optional<Seconds> discover_databases();
  SessionPool::Lease lease_any(Instant deadline);
  void add_database(const std::string& database, bool home);
  void add_task(const CollectorOptions& options, std::unique_ptr<Collector> collector,
                const std::shared_ptr<DatabaseContext>& database);
  void remove_database(const std::string& database);
  /// @param only tells the tasks of that database; nullptr: all of the server.
  void tell_tasks(void (CollectorTask::*news)(), const std::string* only = nullptr);

  [[nodiscard]] std::vector<std::string> watched() const {
    const MutexLock lock(mutex_);
    return databases_;
  }

  [[nodiscard]] bool is_watched(const std::string& database) const {
    const auto names = watched();
    return std::find(names.begin(), names.end(), database) != names.end();
  }

  /// @return when it is due again, even if the lanes make no step until then.
  std::optional<Instant> housekeeping() {
    pool_.close_idle(kIdleTimeout);
    context_->replicas.close_idle(kIdleTimeout);
    const SessionPool::Count count = pool_.count();
    evidence_.set_sessions({options_->name, count.open, count.connecting, count.abandoned});
    const bool waiting_for_others = count.connecting + count.abandoned > 0;
    return earlier(
        waiting_for_others ? std::optional(clock_.now() + kBetweenCounts) : std::nullopt,
        earlier(pool_.idle_until(kIdleTimeout), context_->replicas.idle_until(kIdleTimeout)));
  }

  const std::shared_ptr<const ServerOptions> options_;
  const WaitableClock& clock_;
  Evidence& evidence_;
  const std::shared_ptr<const SavedEvidence> saved_;
  SessionPool pool_;
  LoadShare load_;
  const std::shared_ptr<ServerContext> context_;
  bool prepared_ = false;
  std::atomic<bool> started_ = false;

  mutable Mutex mutex_;
  std::vector<std::shared_ptr<CollectorTask>> tasks_ GUARDED_BY(mutex_);
  std::vector<std::string> databases_ GUARDED_BY(mutex_);
  std::atomic<bool> discovered_ = false;
  LaneThread quick_;  ///< destroyed first, because the lanes use all of the above
  LaneThread scan_;
};

/// Finds the databases that the configuration's globs stand for, again and again.
class Scheduler::Server::Discovery final : public Task {
 public:
  Discovery(Server& server, Instant first_due) : server_(server), next_(first_due) {}

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
  Server& server_;
  Instant next_;  ///< used by the lane's thread only
};

void Scheduler::Server::add_known_databases() {
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
SessionPool::Lease Scheduler::Server::lease_any(Instant deadline) {
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

std::optional<Seconds> Scheduler::Server::discover_databases() {
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
void Scheduler::Server::add_database(const std::string& database, bool home) {
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

void Scheduler::Server::add_task(const CollectorOptions& options,
                                 std::unique_ptr<Collector> collector,
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
  (spec.lane == Lane::quick ? quick_ : scan_).add(std::move(task));
}

void Scheduler::Server::remove_database(const std::string& database) {
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
  }
  evidence_.remove_database(options_->name, database);
  log(LogLevel::warning, "database is gone", {{"server", options_->name}, {"database", database}});
}

void Scheduler::Server::tell_tasks(void (CollectorTask::*news)(), const std::string* only) {
  {
    const MutexLock lock(mutex_);
    for (const auto& task : tasks_)
      if (only == nullptr || task->database() == *only) ((*task).*news)();
  }
  quick_.wake();
  scan_.wake();
}

Scheduler::Scheduler(const std::vector<std::shared_ptr<const ServerOptions>>& servers,
                     const MakeConnector& make_connector, const WaitableClock& clock,
                     const DisposableWorkers& workers, ServerSlots& slots, Evidence& evidence,
                     const std::shared_ptr<const SavedEvidence>& saved)
    : clock_(clock), workers_(workers.sibling()) {
  const auto slots_of = [&](const std::string& name) {
    auto& own = slots[name];
    if (!own) own = make_session_slots();
    return own;
  };
  for (const auto& options : servers) {
    auto server = std::make_unique<Server>(options, make_connector(options->connection), clock,
                                           *workers_, slots_of(options->name), evidence, saved);
    for (const ReplicaConnection& replica : options->replica_connections)
      server->add_replica(replica, make_connector(replica.connection), *workers_,
                          slots_of(options->name + '\0' + replica.database + '\0' + replica.name));
    servers_.push_back(std::move(server));
  }
}

Scheduler::~Scheduler() {
  stop();
}

void Scheduler::prepare() {
  for (const auto& server : servers_) server->prepare();
}

void Scheduler::start() {
  for (const auto& server : servers_) server->start();
}

void Scheduler::run_once() {
  std::vector<std::thread> threads;
  for (const auto& server : servers_) threads.emplace_back([&server] { server->run_once(); });
  for (std::thread& thread : threads) thread.join();
}

void Scheduler::cancel() {
  for (const auto& server : servers_) server->begin_stop();
  workers_->stop_waiting();
  const Instant patience = clock_.now() + kCancelPatience;
  for (const auto& server : servers_) server->wait_until_finished(patience);
  for (const auto& server : servers_) server->cut_off();
}

void Scheduler::stop() {
  cancel();
  for (const auto& server : servers_) server->join();
}

bool Scheduler::ready() const {
  return std::all_of(servers_.begin(), servers_.end(),
                     [](const auto& server) { return server->ready(); });
}

}  // namespace pg_integrity
