// The exporter's normal path, inside the test's process. It reads a configuration, and every
// collector makes a pass against a real server. The test then examines the findings.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "collectors/base/errors.h"
#include "collectors/ports/clock.h"
#include "exporter/config/options.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/evidence/verdict.h"
#include "exporter/report/report.h"
#include "exporter/scheduler/runtime.h"
#include "tests/support/clock.h"
#include "tests/support/page_text.h"

namespace pg_integrity::test {

/// Parses the text of a configuration file. The test fails if it is refused.
Options options_from(const std::string& toml);

/// A server table named "test" with that connection, followed by `more` of the configuration. It
/// disables all collectors except `only`. An empty `only` disables none.
std::string one_server(const std::string& dsn, const std::string& more = {},
                       const std::string& only = {});

/// The findings of one pass of all collectors.
struct Findings {
  Report report;
  std::shared_ptr<const Snapshot> snapshot;
  std::shared_ptr<const SavedEvidence> saved;
  PageText page{""};

  /// The object of that name, on any database. The test fails if there is none.
  [[nodiscard]] const ReportObject& object(const std::string& name) const;
  [[nodiscard]] bool has_object(const std::string& name) const;
  [[nodiscard]] const ReportCollector& collector(const std::string& name) const;
  [[nodiscard]] State state(const std::string& object_name) const {
    return object(object_name).state;
  }
  /// The reason why the object is unproven. The test fails if the object is not unproven.
  [[nodiscard]] Reason reason(const std::string& object_name) const;
  [[nodiscard]] std::optional<double> value(const std::string& metric,
                                            const LabelSet& labels = {}) const {
    return page.value(metric, labels);
  }
  /// The names of all violated objects, joined by a space.
  [[nodiscard]] std::string violated() const;
};

/// Runs one pass of every enabled collector.
/// @param saved evidence of an earlier run.
Findings look(const std::string& toml, std::shared_ptr<const SavedEvidence> saved = nullptr);

/// An exporter that keeps running, on a clock that the test can advance.
class RunningScheduler {
 public:
  explicit RunningScheduler(const std::string& toml,
                            std::shared_ptr<const SavedEvidence> saved = nullptr);
  ~RunningScheduler();
  RunningScheduler(const RunningScheduler&) = delete;
  RunningScheduler& operator=(const RunningScheduler&) = delete;

  SteppedClock clock;
  [[nodiscard]] Findings findings();
  [[nodiscard]] PageText page() { return findings().page; }
  Runtime& runtime() { return *runtime_; }
  void stop();

 private:
  std::unique_ptr<ProcessResources> resources_;
  std::unique_ptr<Runtime> runtime_;
};

/// The whole page for a snapshot.
std::string page_text(const std::shared_ptr<const Snapshot>& snapshot, const Clock& clock);

}  // namespace pg_integrity::test
