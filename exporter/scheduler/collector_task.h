// One collector on one server or database, as a task. It makes the collector's passes, rechecks
// violated objects, retries after failures, and hands the batches to the evidence. It leaves out a
// pass if nothing was committed since the one before, which is a proof as well. Steps run on the
// lane's thread. The functions that say so are safe on any thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/thread_annotations.h"
#include "collectors/collector.h"
#include "collectors/ports/clock.h"
#include "collectors/postgres/schema_cache.h"
#include "collectors/postgres/table_scan.h"
#include "exporter/config/config_schema.h"
#include "exporter/config/options.h"
#include "exporter/evidence/evidence.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/io/mutex.h"
#include "exporter/postgres/replica_sessions.h"
#include "exporter/postgres/session_pool.h"
#include "exporter/scheduler/server_context.h"
#include "exporter/scheduler/step_sources.h"
#include "exporter/scheduler/task.h"

namespace pg_integrity {

class CollectorTask final : public Task {
 public:
  CollectorTask(CollectorId id, const CollectorOptions& options,
                std::unique_ptr<Collector> collector, std::shared_ptr<ServerContext> server,
                std::shared_ptr<DatabaseContext> database, Instant first_due);

  [[nodiscard]] const CollectorId& id() const { return id_; }
  /// The database through which it asks. That of a collector of the whole server is the DSN's.
  [[nodiscard]] const std::string& database() const { return database_->name(); }
  /// True once a first attempt was made, good or bad. Safe on any thread.
  [[nodiscard]] bool attempted() const { return attempted_; }

  [[nodiscard]] std::optional<Instant> due() const override;
  Seconds step() override;
  void server_lost() override;
  /// Tells the task that a database of the server is reached again. If it waits for a session, it
  /// tries as soon as the session pool does. Safe on any thread.
  void server_back();
  void evidence_lost() override;

 private:
  [[nodiscard]] Pass new_pass(Instant now, std::optional<std::set<ObjectKey>> only);
  [[nodiscard]] bool begin_pass();
  [[nodiscard]] bool can_leave_out(StepSources& sources);
  void note_inputs(const Batch& batch);
  void accepted(const Batch& batch, Progress progress, Instant now);
  void complete(bool left_out, Instant now);
  void failed(const SourceError& error, Instant now);
  void start_anew(Instant now);
  void count_attempt(std::string_view outcome, std::optional<Reason> reason);
  void plan_recheck(Instant now);
  [[nodiscard]] std::set<ObjectKey> to_recheck() const;

  const CollectorId id_;
  const CollectorOptions options_;
  const std::unique_ptr<Collector> collector_;
  const std::shared_ptr<ServerContext> server_;
  const std::shared_ptr<DatabaseContext> database_;

  std::optional<Pass> pass_;       ///< the running pass or recheck
  std::optional<Pass> waiting_;    ///< a pass that a recheck has put aside
  std::set<ObjectKey> unsettled_;  ///< rechecked although they are not violated
  std::optional<Pass> basis_;      ///< the newest complete pass that was made, if it is settled
  std::atomic<bool> uses_session_ = false;
  std::atomic<bool> went_without_ = false;  ///< the newest pass was complete without a session
  std::atomic<bool> attempted_ = false;

  mutable Mutex mutex_;
  std::optional<Instant> next_pass_ GUARDED_BY(mutex_);
  std::optional<Instant> next_recheck_ GUARDED_BY(mutex_);
  /// The newest attempt got no session, or lost it.
  bool waits_for_server_ GUARDED_BY(mutex_) = false;
};

}  // namespace pg_integrity
