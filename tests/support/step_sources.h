// Sources for a single collector, with one object per step. Its queries therefore do not depend on
// the speed of the machine.
#pragma once

#include <algorithm>
#include <stdexcept>

#include "collectors/base/batch.h"
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
#include "collectors/registry.h"
#include "exporter/config/options.h"
#include "tests/support/clock.h"
#include "tests/support/observer.h"

namespace pg_integrity::test {

/// Sources that offer only a database. Every step is full after its first object.
class StepSources final : public Sources {
 public:
  /// Reads the schema, once.
  explicit StepSources(Session& session)
      : session_(session), schema_(load_schema(session, {}, clock_.now())) {}

  Session& session() override { return session_; }
  Session& replica(const std::string& /*name*/) override {
    if (copy == nullptr) throw std::logic_error("there are no replicas here");
    return *copy;
  }
  std::shared_ptr<const Schema> schema() override { return schema_; }
  TableScans& scans() override { return scans_; }
  Files& files() override { throw std::logic_error("there are no files here"); }
  Buckets& buckets() override { throw std::logic_error("there are no buckets here"); }
  Http& http() override { throw std::logic_error("there is no network here"); }
  Processes& processes() override { throw std::logic_error("there are no programs here"); }
  Decoder& decoder() override { throw std::logic_error("there are no backups here"); }
  [[nodiscard]] const Json& json() const override { throw std::logic_error("no JSON here"); }
  [[nodiscard]] const Clock& clock() const override { return clock_; }
  void pause(Seconds time) override { clock_.advance(time); }
  [[nodiscard]] bool step_is_full() const override { return true; }
  [[nodiscard]] Seconds reusable_age() const override { return Seconds(0); }
  using Sources::wants;
  [[nodiscard]] bool wants(std::span<const std::string> identity) const override {
    return !only || std::equal(identity.begin(), identity.end(), only->begin(), only->end());
  }
  std::string& position() override { return position_; }
  using Sources::previous;
  [[nodiscard]] std::optional<Sample> previous(
      const MetricInfo& /*metric*/, std::span<const std::string> /*labels*/) const override {
    return std::nullopt;
  }

  Session* copy = nullptr;                       ///< returned for any name
  std::optional<std::vector<std::string>> only;  ///< the object of a recheck

 private:
  Session& session_;
  SteppedClock clock_;
  std::shared_ptr<const Schema> schema_;
  TableScans scans_{ScanPlan{}};
  std::string position_;
};

/// The collector that is left enabled by a configuration of one_server().
inline std::unique_ptr<Collector> collector_from(const std::string& toml) {
  const Options options = options_from(toml);
  ScanPlan plan;
  const CollectorOptions& only = options.servers.at(0).collectors.at(0);
  return only.spec->make({only.settings, options.servers.at(0)}, plan);
}

/// Runs one pass.
/// @return the number of its steps.
inline int pass(Collector& collector, Sources& from) {
  from.position().clear();
  for (int steps = 1;; ++steps) {
    Batch out(from.clock().now());
    if (collector.collect(from, out) == Progress::done) return steps;
  }
}

}  // namespace pg_integrity::test
