// The verdict: evidence and a moment in, proven, violated or unproven out. Pure functions.
//
// violated: the last successful observation broke an expectation; it stays so until a later one
// disproves it. proven: every active expectation was met, recently enough. unproven(reason): the
// rest.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric_info.h"
#include "collectors/collector.h"
#include "collectors/registry.h"
#include "exporter/evidence/snapshot.h"

namespace pg_integrity {

enum class State : std::uint8_t {
  proven,
  violated,
  unproven,
  accepted,  ///< violated, but the configuration accepts that for now
  observed,  ///< without an active expectation: not judged
};

inline constexpr std::array<std::string_view, 5> kStateNames{"proven", "violated", "unproven",
                                                             "accepted", "observed"};
constexpr std::string_view name_of(State state) {
  return kStateNames[static_cast<std::size_t>(state)];
}

/// An expectation that is not met.
struct Broken {
  const Sample* sample = nullptr;
  double value = 0;
  double limit = 0;
  std::string_view relation;  ///< what it should be: "=", "<=" or ">="
};

struct Judgement {
  State state = State::observed;
  Reason reason = Reason::pending;  ///< of unproven
  std::vector<Broken> broken;
};

/// Judges objects of one collector at one moment; looks its objectives up once.
class Judge {
 public:
  Judge(const CollectorEvidence& evidence, Instant now, UnixTime unix_now);

  [[nodiscard]] Judgement judge(const ObjectKey& key, const Object& object) const;

  /// The value may be shown: a past event, recent evidence, or what a violation rests on.
  [[nodiscard]] bool is_visible(const Object& object, const Sample& sample, State state) const;

  /// Until when the evidence of that moment counts as recent.
  [[nodiscard]] Instant expiry(Instant observed_at) const { return observed_at + window_; }

  /// A sample's value now: ages have grown.
  [[nodiscard]] double value_of(const Sample& sample) const;

  /// The objective's value for a series, if it has one.
  [[nodiscard]] std::optional<double> objective(const MetricInfo& objective, const Object& object,
                                                const Sample& of) const;
  /// `accept` covers this object at this moment.
  [[nodiscard]] bool acceptance_holds(const Object& object) const;

 private:
  [[nodiscard]] bool is_fresh(const Sample& sample) const {
    return now_ <= expiry(sample.observed_at);
  }
  /// @return the number of limits that apply to the sample.
  int find_broken(const Object& object, const Sample& sample, std::vector<Broken>& broken) const;
  [[nodiscard]] bool has_declared_objective(const ObjectKey& key) const;

  Instant now_;
  UnixTime unix_now_;
  Seconds window_;
  std::map<std::pair<std::string_view, std::vector<std::string>>, double> objectives_;
  std::map<ObjectKey, bool> declared_;
};

struct CollectorVerdict {
  State state = State::unproven;         ///< proven, violated or unproven
  bool applicable = true;                ///< it looked and found something to judge
  std::map<State, std::size_t> objects;  ///< accepted and observed ones included
  std::map<Reason, std::size_t> unproven;
};

CollectorVerdict judge_collector(const CollectorEvidence& evidence, Instant now, UnixTime unix_now);

/// A question, asked of one database.
struct QuestionVerdict {
  std::string server;
  std::string database;
  Question question{};
  State state = State::unproven;
  bool configured = false;  ///< there is something to judge it by
};

struct Verdicts {
  std::map<CollectorId, CollectorVerdict> collectors;
  /// intact and recoverable for every database; service where something is judged.
  std::vector<QuestionVerdict> questions;
};

Verdicts judge_all(const Snapshot& snapshot, Instant now, UnixTime unix_now);

/// "pg_integrity_backup_age_seconds is 649941 (7d12h32m21s), should be <= 23400 (6h30m)"
std::string explain(const CollectorSpec& spec, const Broken& broken);

/// A value of that metric for people: "649941 (7d12h32m21s)", "3", "2025-12-03T00:00:00Z".
std::string readable_value(const MetricInfo& metric, double value);

/// violated before unproven before proven.
State worse(State a, State b);

std::string_view name_of(Question question);

}  // namespace pg_integrity
