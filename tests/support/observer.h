// The exporter's own way through the house, in the test's process: a configuration is read, every
// collector makes a pass against a real server, and the test asks what was found.
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

/// A configuration file's text as Options; the test fails if it is refused.
Options options_from(const std::string& toml);

/// A server table with that connection, named "test", followed by whatever else the configuration
/// says. Collectors other than `only` are disabled, unless it is empty.
std::string one_server(const std::string& dsn, const std::string& more = {},
                       const std::string& only = {});

/// What one pass of everything found.
struct Findings {
  Report report;
  std::shared_ptr<const Snapshot> snapshot;
  std::shared_ptr<const SavedEvidence> saved;
  PageText page{""};

  /// The object of that name on whichever database has it; the test fails if there is none.
  [[nodiscard]] const ReportObject& object(const std::string& name) const;
  [[nodiscard]] bool has_object(const std::string& name) const;
  [[nodiscard]] const ReportCollector& collector(const std::string& name) const;
  [[nodiscard]] State state(const std::string& object_name) const {
    return object(object_name).state;
  }
  /// Why the object is unproven; the test fails if it is not.
  [[nodiscard]] Reason reason(const std::string& object_name) const;
  [[nodiscard]] std::optional<double> value(const std::string& metric,
                                            const LabelSet& labels = {}) const {
    return page.value(metric, labels);
  }
  /// Names of all violated objects, joined by a space.
  [[nodiscard]] std::string violated() const;
};

/// Looks at everything once.
/// @param saved evidence of an earlier look.
Findings look(const std::string& toml, std::shared_ptr<const SavedEvidence> saved = nullptr);

/// An exporter that keeps sampling, on a clock that the test can push ahead.
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
