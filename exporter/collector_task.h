// One collector on one server or database, as a task: its passes, rechecks of what is violated,
// retries after failures, and what becomes of its batches.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "collectors/shared_schema.h"
#include "exporter/evidence.h"
#include "exporter/replicas.h"
#include "exporter/session_pool.h"
#include "exporter/task.h"
#include "exporter/workers.h"

namespace pg_integrity {

/// What the collectors of one database have read for each other.
struct SharedReads {
  SharedReads(const std::vector<std::string>& exclude, const ScanPlan& plan)
      : schema(exclude), scans(plan) {}

  SharedSchema schema;
  TableScans scans;
};

/// A database, to its collectors. Safe on any thread.
class DatabaseContext {
 public:
  DatabaseContext(std::string name, std::vector<std::string> exclude, ScanPlan plan)
      : name_(std::move(name)), exclude_(std::move(exclude)), plan_(std::move(plan)) {}

  [[nodiscard]] const std::string& name() const { return name_; }
  /// What was read in that era; nothing of another one's.
  std::shared_ptr<SharedReads> reads(Era era);

 private:
  const std::string name_;
  const std::vector<std::string> exclude_;
  const ScanPlan plan_;
  std::mutex mutex_;
  Era era_ = 0;
  std::shared_ptr<SharedReads> reads_;
};

/// What the tasks of one server share.
struct ServerContext {
  ServerContext(std::shared_ptr<const ServerOptions> server_options, const Clock& the_clock,
                DisposableWorkers& the_workers, Evidence& the_evidence, SessionPool& the_pool)
      : options(std::move(server_options)),
        clock(the_clock),
        workers(the_workers),
        evidence(the_evidence),
        pool(the_pool) {}

  const std::shared_ptr<const ServerOptions> options;
  const Clock& clock;
  DisposableWorkers& workers;
  Evidence& evidence;
  SessionPool& pool;
  Replicas replicas;
  bool once = false;                    ///< each pass is made once, without retry
  std::function<void()> server_lost;    ///< tells the other tasks
  std::function<void()> evidence_lost;  ///< tells the other tasks
  std::atomic<bool> stopping = false;   ///< what a step still brings is not taken
};

class CollectorTask final : public Task {
 public:
  CollectorTask(CollectorId id, const CollectorOptions& options,
                std::unique_ptr<Collector> collector, std::shared_ptr<ServerContext> server,
                std::shared_ptr<DatabaseContext> database, Instant first_due);

  [[nodiscard]] const CollectorId& id() const { return id_; }
  /// A first attempt was made, good or bad. Safe on any thread.
  [[nodiscard]] bool attempted() const { return attempted_; }

  [[nodiscard]] std::optional<Instant> due() const override;
  Seconds step() override;
  void server_lost() override;
  void evidence_lost() override;

 private:
  class StepSources;

  /// A pass in progress, over everything or over some objects only.
  struct Pass {
    std::string position;
    Instant began{};
    std::optional<std::set<ObjectKey>> only;
    Era era = 0;
    std::shared_ptr<SharedReads> reads;
    bool without_session = false;  ///< it asked for one that was not to be had
    std::size_t done = 0;          ///< of the items known to it
    std::size_t known = 0;
  };

  [[nodiscard]] Pass new_pass(Instant now, std::optional<std::set<ObjectKey>> only);
  [[nodiscard]] bool begin_pass();
  void accepted(const Batch& batch, Progress progress, Instant now);
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
  std::set<ObjectKey> unsettled_;  ///< to be looked at again although they are not violated
  std::atomic<bool> uses_session_ = false;
  std::atomic<bool> went_without_ = false;  ///< the newest pass was complete without a session
  std::atomic<bool> attempted_ = false;

  mutable std::mutex mutex_;  ///< guards what follows
  std::optional<Instant> next_pass_;
  std::optional<Instant> next_recheck_;
  bool waits_for_server_ = false;  ///< the newest attempt failed for want of a session
};

}  // namespace pg_integrity
