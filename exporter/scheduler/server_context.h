// State that the tasks of one server share, and state that those of one of its databases share. A
// ServerContext is complete before the lanes start.
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
#include "exporter/buckets/bucket_store.h"
#include "exporter/config/config_schema.h"
#include "exporter/config/options.h"
#include "exporter/evidence/evidence.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/io/child_decoder.h"
#include "exporter/io/condition.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/io/mutex.h"
#include "exporter/io/stop_signal.h"
#include "exporter/postgres/commit_watch.h"
#include "exporter/postgres/replica_sessions.h"
#include "exporter/postgres/session_pool.h"
#include "exporter/scheduler/task.h"

namespace pg_integrity {

/// Reads that the collectors of one database share.
struct SharedReads {
  SharedReads(const std::vector<std::string>& exclude, const ScanPlan& plan)
      : schema(exclude), scans(plan) {}

  SchemaCache schema;
  TableScans scans;
};

/// A database, as its collectors share it. Safe on any thread.
class DatabaseContext {
 public:
  DatabaseContext(std::string name, std::vector<std::string> exclude, ScanPlan plan)
      : name_(std::move(name)), exclude_(std::move(exclude)), plan_(std::move(plan)) {}

  [[nodiscard]] const std::string& name() const { return name_; }
  /// @return whether it was reached before.
  bool set_reached(bool reached) { return reached_.exchange(reached); }
  /// @return whether the log had told that it is out of reach. It tells so once an outage.
  bool set_told_lost(bool told) { return told_lost_.exchange(told); }
  /// The shared reads of that era, without any of another era.
  std::shared_ptr<SharedReads> reads(Era era);

 private:
  const std::string name_;
  const std::vector<std::string> exclude_;
  const ScanPlan plan_;
  std::atomic<bool> reached_ = false;
  std::atomic<bool> told_lost_ = false;
  Mutex mutex_;
  Era era_ GUARDED_BY(mutex_) = 0;
  std::shared_ptr<SharedReads> reads_ GUARDED_BY(mutex_);
};

/// Shared by the tasks of one server.
struct ServerContext {
  ServerContext(std::shared_ptr<const ServerOptions> server_options, const WaitableClock& the_clock,
                DisposableWorkers& the_workers, Evidence& the_evidence, SessionPool& the_pool)
      : options(std::move(server_options)),
        clock(the_clock),
        workers(the_workers),
        evidence(the_evidence),
        pool(the_pool),
        decoder(the_workers, the_clock, kOwnProgram) {}

  /// A package may replace the program's file while it runs.
  static constexpr const char* kOwnProgram = "/proc/self/exe";

  const std::shared_ptr<const ServerOptions> options;
  const WaitableClock& clock;
  DisposableWorkers& workers;
  Evidence& evidence;
  SessionPool& pool;
  BucketStore buckets;
  ChildDecoder decoder;  ///< used by the collectors of the reading lane
  CommitWatch commits;
  Replicas replicas;
  bool once = false;  ///< each pass is made once, without retry
  /// Tells the other tasks of that database, and those of the other databases if it was reached
  /// until now: it may be the server that is out of reach. A database that never answers tells
  /// nobody else.
  std::function<void(const std::string& database, bool was_reached)> database_lost;
  /// Tells the tasks that wait for a session, after a database was reached again: it may be the
  /// server that is back.
  std::function<void()> database_back;
  std::function<void()> evidence_lost;  ///< tells the other tasks
  StopSignal stopping;                  ///< results of a step are no longer taken
};

}  // namespace pg_integrity
