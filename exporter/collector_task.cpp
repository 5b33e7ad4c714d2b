#include "exporter/collector_task.h"

#include <algorithm>
#include <exception>
#include <new>

#include "exporter/files.h"
#include "exporter/http_client.h"
#include "exporter/json.h"
#include "exporter/logging.h"
#include "exporter/programs.h"
#include "exporter/self_metrics.h"

namespace pg_integrity {

namespace {

constexpr Seconds kStepShare{0.1};  ///< a step that has taken this long ends at the next object
constexpr Seconds kRecheckInterval{60};  ///< what is violated or unsettled is looked at this soon
constexpr Seconds kRetry{60};            ///< after a failure that is not about the connection
constexpr std::size_t kLoggedChanges = 10;

}  // namespace

std::shared_ptr<SharedReads> DatabaseContext::reads(Era era) {
  const std::lock_guard lock(mutex_);
  if (!reads_ || era_ != era) {
    reads_ = std::make_shared<SharedReads>(exclude_, plan_);
    era_ = era;
  }
  return reads_;
}

/// The sources of one step. The session is leased when first asked for and given back with the
/// step.
class CollectorTask::StepSources final : public Sources {
 public:
  StepSources(CollectorTask& task, Pass& pass, Instant began)
      : task_(task),
        server_(*task.server_),
        pass_(pass),
        began_(began),
        deadline_(began + task.options_.deadline),
        files_(server_.workers, deadline_),
        http_(server_.workers, server_.clock, deadline_),
        processes_(server_.workers, deadline_) {}

  ~StepSources() override = default;

  Session& session() override {
    if (!lease_) {
      task_.uses_session_ = true;
      lease();
      busy_before_ = lease_->session().busy();
      lease_->session().set_deadline(deadline_);
    }
    return lease_->session();
  }

  Session& replica(const std::string& name) override {
    auto& session = replicas_[name];
    if (session && session->lost()) {
      busy_with_replicas_ += session->busy();
      session.reset();
    }
    if (!session) session = server_.replicas.open(task_.database_->name(), name, deadline_);
    return *session;
  }

  std::shared_ptr<const Schema> schema() override {
    if (!schema_) schema_ = pass_.reads->schema.get(session(), server_.clock.now());
    return schema_;
  }

  TableScans& scans() override { return pass_.reads->scans; }
  Files& files() override { return files_; }
  Http& http() override { return http_; }
  Processes& processes() override { return processes_; }
  [[nodiscard]] const Json& json() const override { return json_; }
  [[nodiscard]] const Clock& clock() const override { return server_.clock; }
  [[nodiscard]] bool step_is_full() const override {
    return server_.clock.now() - began_ > kStepShare;
  }
  [[nodiscard]] Seconds reusable_age() const override {
    return pass_.only ? Seconds(0) : task_.options_.interval / 2;
  }
  [[nodiscard]] bool wants(std::span<const std::string> identity) const override {
    return !pass_.only || pass_.only->contains(ObjectKey(identity.begin(), identity.end()));
  }
  std::string& position() override { return pass_.position; }
  void note_progress(std::size_t done, std::size_t known) override {
    pass_.done = done;
    pass_.known = known;
  }
  [[nodiscard]] std::optional<Sample> previous(const MetricInfo& metric,
                                               std::span<const std::string> labels) const override {
    return server_.evidence.newest(task_.id_, metric, labels);
  }

  [[nodiscard]] Seconds busy() const {
    return lease_ ? lease_->session().busy() - busy_before_ : Seconds(0);
  }
  /// Of all copies together.
  [[nodiscard]] Seconds busy_with_replicas() const {
    Seconds busy = busy_with_replicas_;
    for (const auto& [name, session] : replicas_)
      if (session) busy += session->busy();
    return busy;
  }
  [[nodiscard]] bool leased() const { return lease_.has_value(); }

 private:
  void lease() {
    for (;;) {
      connect();
      const std::string& name = task_.id_.server;
      const ServerInfo& info = lease_->session().server();
      const Answerer answerer = server_.evidence.identify(name, info);
      if (answerer == Answerer::another) {
        log(LogLevel::warning, "another cluster or timeline answers: its evidence starts anew",
            {{"server", name}, {"system_identifier", info.system_identifier}});
        if (server_.evidence_lost) server_.evidence_lost();
      }
      if (answerer != Answerer::outdated) return;
      lease_->discard();
      lease_.reset();
    }
  }

  void connect() {
    const std::string& database = task_.database_->name();
    try {
      lease_.emplace(server_.pool.lease(database, deadline_));
    } catch (const SourceError& error) {
      pass_.without_session = true;
      // That we have no session left says nothing of the server.
      if (!server_.stopping && error.reason() != Reason::limit &&
          server_.evidence.set_up(task_.id_.server, database, false))
        log(LogLevel::warning, "database is out of reach",
            {{"server", task_.id_.server},
             {"database", database},
             {"reason", std::string(name_of(error.reason()))},
             {"error", error.what()}});
      throw;
    }
    if (server_.evidence.set_up(task_.id_.server, database, true))
      log(LogLevel::info, "database is up", {{"server", task_.id_.server}, {"database", database}});
  }

  CollectorTask& task_;
  ServerContext& server_;
  Pass& pass_;
  Instant began_;
  Instant deadline_;
  WorkerFiles files_;
  WorkerHttp http_;
  WorkerProcesses processes_;
  SaxJson json_;
  std::optional<SessionPool::Lease> lease_;
  std::shared_ptr<const Schema> schema_;
  Seconds busy_before_{0};
  std::map<std::string, std::unique_ptr<ReplicaSession>> replicas_;
  Seconds busy_with_replicas_{0};
};

CollectorTask::CollectorTask(CollectorId id, const CollectorOptions& options,
                             std::unique_ptr<Collector> collector,
                             std::shared_ptr<ServerContext> server,
                             std::shared_ptr<DatabaseContext> database, Instant first_due)
    : id_(std::move(id)),
      options_(options),
      collector_(std::move(collector)),
      server_(std::move(server)),
      database_(std::move(database)),
      next_pass_(first_due) {
  Batch events(first_due);
  events.count(self::kRuns, 0, id_.collector, std::string("success"));
  events.count(self::kRuns, 0, id_.collector, std::string("failure"));
  events.count(self::kDatabaseSeconds, 0, id_.collector);
  server_->evidence.record(id_, events.events());
}

std::optional<Instant> CollectorTask::due() const {
  const std::lock_guard lock(mutex_);
  if (next_recheck_ && (!next_pass_ || *next_recheck_ < *next_pass_)) return next_recheck_;
  return next_pass_;
}

void CollectorTask::server_lost() {
  if (uses_session_ && !went_without_) evidence_lost();
}

void CollectorTask::evidence_lost() {
  if (server_->once) return;
  const std::lock_guard lock(mutex_);
  if (next_pass_ && !waits_for_server_) next_pass_ = std::min(*next_pass_, server_->clock.now());
}

CollectorTask::Pass CollectorTask::new_pass(Instant now, std::optional<std::set<ObjectKey>> only) {
  const Era era = server_->evidence.era(id_.server);
  return {{}, now, std::move(only), era, database_->reads(era)};
}

/// Sees to it that a pass is running; a recheck that is due goes before it.
/// @return false if there is nothing to look at.
bool CollectorTask::begin_pass() {
  const Instant now = server_->clock.now();
  const bool rechecking = pass_ && pass_->only;
  bool recheck_due = false;
  {
    const std::lock_guard lock(mutex_);
    recheck_due = next_recheck_ && *next_recheck_ <= now && !rechecking;
    if (recheck_due) next_recheck_.reset();
  }
  if (recheck_due) {
    auto objects = to_recheck();
    if (!objects.empty()) {
      waiting_ = std::move(pass_);
      pass_ = new_pass(now, std::move(objects));
      unsettled_.clear();
    }
  }
  if (!pass_) {
    {
      const std::lock_guard lock(mutex_);
      if (!next_pass_ || *next_pass_ > now) return false;
    }
    pass_ = new_pass(now, std::nullopt);
    unsettled_.clear();
    server_->evidence.pass_began(id_);
  }
  return true;
}

Seconds CollectorTask::step() {
  if (!begin_pass()) return Seconds(0);
  const Instant began = server_->clock.now();
  const std::string position = pass_->position;
  Batch batch(began);
  std::optional<SourceError> error;
  Progress progress = Progress::done;
  Seconds busy{0};
  Seconds load{0};
  {
    StepSources sources(*this, *pass_, began);
    try {
      progress = collector_->collect(sources, batch);
    } catch (const SourceError& failure) {
      error = failure;
    } catch (const std::bad_alloc&) {
      error = SourceError(Reason::limit, "out of memory");
    } catch (const std::exception& failure) {
      error = SourceError(Reason::decode, std::string("unexpected: ") + failure.what());
    }
    busy = sources.busy();
    // The share of max_load is each server's: the busiest one tells how long to rest.
    load = std::max(busy, sources.busy_with_replicas());
    if (server_->stopping) return load;
    if (error && error->session_lost() && sources.leased())
      server_->evidence.set_up(id_.server, database_->name(), false);
  }
  batch.count(self::kDatabaseSeconds, busy.count(), id_.collector);
  server_->evidence.record(id_, batch.events());
  const Instant now = server_->clock.now();
  if (error) {
    pass_->position = position;
    failed(*error, now);
  } else {
    accepted(batch, progress, now);
  }
  return load;
}

void CollectorTask::accepted(const Batch& batch, Progress progress, Instant now) {
  const bool recheck = pass_->only.has_value();
  const auto taken = server_->evidence.accept(id_, batch, recheck, pass_->era);
  if (!taken) return start_anew(now);
  const auto& changes = *taken;
  for (std::size_t i = 0; i < std::min(changes.size(), kLoggedChanges); ++i)
    log(changes[i].violated && !server_->once ? LogLevel::warning : LogLevel::info,
        changes[i].violated ? "violated" : "proven again",
        {{"server", id_.server},
         {"database", database_->name()},
         {"object", changes[i].object},
         {"detail", changes[i].detail}});
  if (changes.size() > kLoggedChanges)
    log(server_->once ? LogLevel::info : LogLevel::warning, "further objects changed their state",
        {{"server", id_.server},
         {"database", database_->name()},
         {"collector", id_.collector},
         {"objects", std::to_string(changes.size() - kLoggedChanges)}});
  const auto& marks = batch.unproven_marks();
  for (const UnprovenMark& mark : marks)
    if (mark.unsettled) unsettled_.insert(object_key(*options_.spec, *mark.metric, mark.labels));
  if (std::any_of(marks.begin(), marks.end(),
                  [](const auto& mark) { return mark.reason == Reason::missing; }))
    pass_->reads->schema.contradict();
  if (progress == Progress::more) {
    if (!recheck) server_->evidence.pass_at(id_, pass_->done, pass_->known);
    // Goes on after whatever else of its lane has fallen due meanwhile.
    const std::lock_guard lock(mutex_);
    (recheck ? next_recheck_ : next_pass_) = now;
    return;
  }
  if (recheck) {
    pass_ = std::move(waiting_);
    waiting_.reset();
  } else {
    const Era era = pass_->era;
    if (!server_->evidence.pass_complete(id_, era)) return start_anew(now);
    count_attempt("success", std::nullopt);
    {
      const std::lock_guard lock(mutex_);
      waits_for_server_ = false;
      went_without_ = pass_->without_session;
      const Seconds pause = went_without_ ? std::min(options_.interval, kRetry) : options_.interval;
      next_pass_ = std::max(pass_->began + pause, now);
      if (server_->once) next_pass_.reset();
    }
    pass_.reset();
    attempted_ = true;
    // The era may have ended since, after which nobody calls again.
    if (server_->evidence.era(id_.server) != era) return start_anew(now);
  }
  plan_recheck(now);
}

void CollectorTask::plan_recheck(Instant now) {
  if (server_->once || options_.interval <= kRecheckInterval) return;
  const bool any = !to_recheck().empty();
  const std::lock_guard lock(mutex_);
  next_recheck_ = any ? std::optional(now + kRecheckInterval) : std::nullopt;
}

std::set<ObjectKey> CollectorTask::to_recheck() const {
  std::set<ObjectKey> objects = unsettled_;
  for (ObjectKey& key : server_->evidence.to_recheck(id_)) objects.insert(std::move(key));
  return objects;
}

/// Another cluster answers: what this pass has seen is of the old one.
void CollectorTask::start_anew(Instant now) {
  pass_.reset();
  waiting_.reset();
  unsettled_.clear();
  const std::lock_guard lock(mutex_);
  next_recheck_.reset();
  next_pass_ = now;
}

void CollectorTask::failed(const SourceError& error, Instant now) {
  if (error.reason() == Reason::missing) pass_->reads->schema.contradict();
  pass_.reset();
  waiting_.reset();
  attempted_ = true;
  count_attempt("failure", error.reason());
  if (server_->evidence.failed(id_, error))
    // That the server is out of reach is said once, not by each of its collectors.
    log(error.session_lost() ? LogLevel::debug : LogLevel::warning, "collector failed",
        {{"server", id_.server},
         {"database", database_->name()},
         {"collector", id_.collector},
         {"reason", std::string(name_of(error.reason()))},
         {"error", error.what()}});
  {
    const std::lock_guard lock(mutex_);
    next_recheck_.reset();
    waits_for_server_ = error.session_lost();
    if (server_->once)
      next_pass_.reset();
    else if (error.session_lost())
      next_pass_ = std::max(server_->pool.retry_at(database_->name()), now + Seconds(0.5));
    else
      next_pass_ = now + std::min(options_.interval, kRetry);
  }
  if (error.session_lost() && error.reason() != Reason::limit && server_->server_lost)
    server_->server_lost();
}

void CollectorTask::count_attempt(std::string_view outcome, std::optional<Reason> reason) {
  Batch events(server_->clock.now());
  events.count(self::kRuns, 1, id_.collector, std::string(outcome));
  if (reason) events.count(self::kFailures, 1, id_.collector, std::string(name_of(*reason)));
  server_->evidence.record(id_, events.events());
}

}  // namespace pg_integrity
