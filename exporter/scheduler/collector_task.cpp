#include "exporter/scheduler/collector_task.h"

#include <algorithm>
#include <exception>
#include <new>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric_info.h"
#include "collectors/collector.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/files.h"
#include "collectors/ports/http.h"
#include "collectors/ports/json.h"
#include "collectors/ports/processes.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/table_scan.h"
#include "exporter/config/options.h"
#include "exporter/evidence/self_metrics.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/io/files.h"
#include "exporter/io/http_client.h"
#include "exporter/io/json_reader.h"
#include "exporter/io/logging.h"
#include "exporter/io/programs.h"
#include "exporter/scheduler/server_context.h"
#include "exporter/scheduler/step_sources.h"

namespace pg_integrity {

namespace {

constexpr Seconds kRecheckInterval{60};  ///< until violated and unsettled objects are rechecked
/// The wait after a pass without a session, and after a failure that did not lose the session.
constexpr Seconds kRetry{60};
constexpr std::size_t kLoggedChanges = 10;

}  // namespace

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
  if (options_.spec->depends_on == DependsOn::tables)
    events.count(self::kRuns, 0, id_.collector, std::string("unchanged"));
  events.count(self::kDatabaseSeconds, 0, id_.collector);
  server_->evidence.record(id_, events.events());
}

std::optional<Instant> CollectorTask::due() const {
  const MutexLock lock(mutex_);
  if (next_recheck_ && (!next_pass_ || *next_recheck_ < *next_pass_)) return next_recheck_;
  return next_pass_;
}

void CollectorTask::server_lost() {
  if (uses_session_ && !went_without_) evidence_lost();
}

void CollectorTask::server_back() {
  const Instant retry = std::max(server_->pool.retry_at(database_->name()), server_->clock.now());
  const MutexLock lock(mutex_);
  if (next_pass_ && waits_for_server_) next_pass_ = std::min(*next_pass_, retry);
}

void CollectorTask::evidence_lost() {
  if (server_->once) return;
  const MutexLock lock(mutex_);
  if (next_pass_ && !waits_for_server_) next_pass_ = std::min(*next_pass_, server_->clock.now());
}

Pass CollectorTask::new_pass(Instant now, std::optional<std::set<ObjectKey>> only) {
  const Era era = server_->evidence.era(id_.server);
  Pass pass;
  pass.began = now;
  pass.only = std::move(only);
  pass.era = era;
  pass.reads = database_->reads(era);
  return pass;
}

/// Makes sure that a pass is running. A recheck that is due runs before it.
/// @return false if there is nothing to check.
bool CollectorTask::begin_pass() {
  const Instant now = server_->clock.now();
  const bool rechecking = pass_ && pass_->only;
  bool recheck_due = false;
  {
    const MutexLock lock(mutex_);
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
    Seconds waited{};
    {
      const MutexLock lock(mutex_);
      if (!next_pass_ || *next_pass_ > now) return false;
      waited = now - *next_pass_;
    }
    pass_ = new_pass(now, std::nullopt);
    unsettled_.clear();
    server_->evidence.pass_began(id_, waited);
  }
  return true;
}

/// Asks, before the first step of a pass, whether nothing was committed since the newest complete
/// pass read what it rests on. What is asked here is older than all that the new pass reads.
bool CollectorTask::can_leave_out(StepSources& sources) {
  if (!pass_->is_new || options_.spec->depends_on != DependsOn::tables || server_->once)
    return false;
  const auto since = server_->commits.quiet_since(sources.session(), server_->clock);
  return since && basis_ && basis_->era == pass_->era && *since < basis_->oldest_input &&
         server_->clock.now() - basis_->began < options_.full_check_interval;
}

/// Notes how old the observations are that the pass rests on.
void CollectorTask::note_inputs(const Batch& batch) {
  for (const Sample& sample : batch.samples())
    pass_->oldest_input = std::min(pass_->oldest_input, sample.observed_at);
  const auto& marks = batch.unproven_marks();
  if (batch.may_change_by_itself() ||
      std::any_of(marks.begin(), marks.end(),
                  [](const UnprovenMark& mark) { return !is_lasting(mark.reason); }))
    pass_->is_unsettled = true;
}

Seconds CollectorTask::step() {
  if (!begin_pass()) return Seconds(0);
  const Instant began = server_->clock.now();
  const std::string position = pass_->position;
  std::optional<Batch> batch;
  std::optional<SourceError> error;
  Progress progress = Progress::done;
  bool left_out = false;
  Seconds busy{0};
  Seconds load{0};
  {
    StepSources sources({id_, options_, *server_, *database_}, *pass_, began);
    try {
      left_out = can_leave_out(sources);
      pass_->is_new = false;
      batch.emplace(server_->clock.now());
      if (!left_out) progress = collector_->collect(sources, *batch);
    } catch (const SourceError& failure) {
      error = failure;
    } catch (const std::bad_alloc&) {
      error = SourceError(Reason::limit, "out of memory");
    } catch (const std::exception& failure) {
      error = SourceError(Reason::internal, std::string("unexpected: ") + failure.what());
    }
    if (sources.asked_for_session()) uses_session_ = true;
    busy = sources.busy();
    // max_load applies to each server on its own, so the busiest one determines the rest.
    load = std::max(busy, sources.busy_with_replicas());
    if (server_->stopping.stopped()) return load;
    if (error && error->session_lost() && sources.leased())
      server_->evidence.set_up(id_.server, database_->name(), false);
  }
  if (!batch) batch.emplace(began);
  batch->count(self::kDatabaseSeconds, busy.count(), id_.collector);
  server_->evidence.record(id_, batch->events());
  const Instant now = server_->clock.now();
  if (error) {
    pass_->position = position;
    failed(*error, now);
  } else if (left_out) {
    complete(true, now);
  } else {
    accepted(*batch, progress, now);
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
  note_inputs(batch);
  const auto& marks = batch.unproven_marks();
  for (const UnprovenMark& mark : marks)
    if (mark.unsettled) unsettled_.insert(object_key(*options_.spec, *mark.metric, mark.labels));
  if (std::any_of(marks.begin(), marks.end(),
                  [](const auto& mark) { return mark.reason == Reason::missing; }))
    pass_->reads->schema.contradict();
  if (progress == Progress::more) {
    if (!recheck) server_->evidence.pass_at(id_, pass_->done, pass_->known);
    // Other tasks of the lane that have become due meanwhile go first.
    const MutexLock lock(mutex_);
    (recheck ? next_recheck_ : next_pass_) = now;
    return;
  }
  complete(false, now);
}

/// Ends a pass or recheck.
/// @param left_out it was not made, because nothing was committed.
void CollectorTask::complete(bool left_out, Instant now) {
  const Era era = pass_->era;
  if (left_out && !server_->evidence.unchanged(id_, pass_->only, era)) return start_anew(now);
  if (pass_->only) {
    pass_ = std::move(waiting_);
    waiting_.reset();
  } else {
    if (!left_out && !server_->evidence.pass_complete(id_, era)) return start_anew(now);
    count_attempt(left_out ? "unchanged" : "success", std::nullopt);
    if (!left_out) basis_ = pass_->is_unsettled ? std::nullopt : pass_;
    {
      const MutexLock lock(mutex_);
      waits_for_server_ = false;
      went_without_ = pass_->without_session;
      const Seconds pause = went_without_ ? std::min(options_.interval, kRetry) : options_.interval;
      next_pass_ = std::max(pass_->began + pause, now);
      if (server_->once) next_pass_.reset();
    }
    pass_.reset();
    attempted_ = true;
    // The era may have ended meanwhile. If its evidence_lost() came before next_pass_ was set, no
    // second call follows.
    if (server_->evidence.era(id_.server) != era) return start_anew(now);
  }
  plan_recheck(now);
}

void CollectorTask::plan_recheck(Instant now) {
  if (server_->once || options_.interval <= kRecheckInterval) return;
  const bool any = !to_recheck().empty();
  const MutexLock lock(mutex_);
  next_recheck_ = any ? std::optional(now + kRecheckInterval) : std::nullopt;
}

std::set<ObjectKey> CollectorTask::to_recheck() const {
  std::set<ObjectKey> objects = unsettled_;
  for (ObjectKey& key : server_->evidence.to_recheck(id_)) objects.insert(std::move(key));
  return objects;
}

/// Begins a new pass, because another cluster answers and the old pass is about the former one.
void CollectorTask::start_anew(Instant now) {
  pass_.reset();
  waiting_.reset();
  basis_.reset();
  unsettled_.clear();
  const MutexLock lock(mutex_);
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
    // One warning says that the server is out of reach. Its collectors do not repeat it.
    log(error.session_lost() ? LogLevel::debug : LogLevel::warning, "collector failed",
        {{"server", id_.server},
         {"database", database_->name()},
         {"collector", id_.collector},
         {"reason", std::string(name_of(error.reason()))},
         {"error", error.what()}});
  {
    const MutexLock lock(mutex_);
    next_recheck_.reset();
    waits_for_server_ = error.session_lost();
    if (server_->once)
      next_pass_.reset();
    else if (error.session_lost())
      next_pass_ = std::max(server_->pool.retry_at(database_->name()), now + Seconds(0.5));
    else
      next_pass_ = now + std::min(options_.interval, kRetry);
  }
  if (error.session_lost() && error.reason() != Reason::limit) {
    const bool was_reached = database_->set_reached(false);
    if (server_->database_lost) server_->database_lost(database_->name(), was_reached);
  }
}

void CollectorTask::count_attempt(std::string_view outcome, std::optional<Reason> reason) {
  Batch events(server_->clock.now());
  events.count(self::kRuns, 1, id_.collector, std::string(outcome));
  if (reason) events.count(self::kFailures, 1, id_.collector, std::string(name_of(*reason)));
  server_->evidence.record(id_, events.events());
}

}  // namespace pg_integrity
