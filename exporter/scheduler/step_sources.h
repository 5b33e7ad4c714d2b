// The sources of one step of a collector, and the pass that the step belongs to. One thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric_info.h"
#include "collectors/collector.h"
#include "collectors/ports/buckets.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/decoder.h"
#include "collectors/ports/files.h"
#include "collectors/ports/http.h"
#include "collectors/ports/json.h"
#include "collectors/ports/processes.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/schema_cache.h"
#include "collectors/postgres/table_scan.h"
#include "exporter/buckets/bucket_store.h"
#include "exporter/config/config_schema.h"
#include "exporter/config/options.h"
#include "exporter/evidence/evidence.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/io/files.h"
#include "exporter/io/http_client.h"
#include "exporter/io/json_reader.h"
#include "exporter/io/programs.h"
#include "exporter/postgres/replica_sessions.h"
#include "exporter/postgres/session_pool.h"
#include "exporter/scheduler/server_context.h"
#include "exporter/scheduler/task.h"

namespace pg_integrity {

/// A pass in progress, over all objects or over some of them.
struct Pass {
  std::string position;
  Instant began{};
  std::optional<std::set<ObjectKey>> only;
  Era era = 0;
  std::shared_ptr<SharedReads> reads;
  bool without_session = false;  ///< it asked for a session and got none
  bool is_new = true;            ///< it has made no step yet
  /// The oldest moment at which something was read that it rests on.
  Instant oldest_input = Instant::max();
  /// Another pass could see something else although nothing is committed: a table was locked, or
  /// the time plays a part.
  bool is_unsettled = false;
  std::size_t done = 0;  ///< of the items known to it
  std::size_t known = 0;
};

/// The collector that makes the step, and its surroundings. All of them must outlive the step.
struct StepOf {
  const CollectorId& id;
  const CollectorOptions& options;
  ServerContext& server;
  DatabaseContext& database;
};

/// The sources of one step. A session is leased when the collector first asks for it, and returned
/// when the step ends.
class StepSources final : public Sources {
 public:
  /// @param pass is moved on by the collector: its position, its progress, whether it got a
  /// session.
  StepSources(const StepOf& of, Pass& pass, Instant began);

  Session& session() override;
  Session& replica(const std::string& name) override;
  std::shared_ptr<const Schema> schema() override;
  TableScans& scans() override { return pass_.reads->scans; }
  Files& files() override { return files_; }
  Buckets& buckets() override { return buckets_; }
  Http& http() override { return http_; }
  Processes& processes() override { return processes_; }
  Decoder& decoder() override { return of_.server.decoder; }
  [[nodiscard]] const Json& json() const override { return json_; }
  [[nodiscard]] const Clock& clock() const override { return of_.server.clock; }
  void pause(Seconds time) override;
  [[nodiscard]] bool step_is_full() const override;
  [[nodiscard]] Seconds reusable_age() const override;
  [[nodiscard]] bool wants(std::span<const std::string> identity) const override;
  std::string& position() override { return pass_.position; }
  void note_progress(std::size_t done, std::size_t known) override;
  [[nodiscard]] std::shared_ptr<const std::string> remembered() const override;
  [[nodiscard]] std::shared_ptr<const std::string> remembered_by(
      std::string_view collector) const override;
  [[nodiscard]] std::vector<Sample> observed(std::string_view metric) const override;
  [[nodiscard]] bool is_red(const QualifiedName& table) const override;
  [[nodiscard]] std::vector<Sample> violated(const MetricInfo& metric) const override;
  [[nodiscard]] std::optional<Sample> previous(const MetricInfo& metric,
                                               std::span<const std::string> labels) const override;

  /// How long this step kept the server busy.
  [[nodiscard]] Seconds busy() const;
  /// How long this step kept all copies busy, added up.
  [[nodiscard]] Seconds busy_with_replicas() const;
  [[nodiscard]] bool asked_for_session() const { return asked_for_session_; }
  [[nodiscard]] bool leased() const { return lease_.has_value(); }

 private:
  void lease();
  void connect();
  void tell_out_of_reach(const SourceError& error);

  const StepOf of_;
  Pass& pass_;
  Instant began_;
  Instant deadline_;
  WorkerFiles files_;
  WorkerBuckets buckets_;
  WorkerHttp http_;
  WorkerPrograms processes_;
  SaxJson json_;
  bool asked_for_session_ = false;
  std::optional<SessionPool::Lease> lease_;
  std::shared_ptr<const Schema> schema_;
  Seconds busy_before_{0};
  std::map<std::string, std::unique_ptr<ReplicaSession>> replicas_;
  Seconds busy_with_replicas_{0};
};

}  // namespace pg_integrity
