// An object is violated if its last successful observation broke an expectation. It stays violated
// until a later observation disproves that. It is unproven if learned things of it are gone. It is
// proven if it met every active expectation recently enough. An object without an active
// expectation is not judged. An object is limited if it was never judged because of a limit of how
// we check. The rest is unproven, with a reason.
#pragma once

#include <array>
#include <functional>
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
  accepted,  ///< violated, but accepted by the configuration for now
  observed,  ///< not judged, because no expectation is active
  limited,   ///< cannot be checked, never was, and nobody asked for it; or that is accepted
};

inline constexpr std::array<std::string_view, 6> kStateNames{"proven",   "violated", "unproven",
                                                             "accepted", "observed", "limited"};
constexpr std::string_view name_of(State state) {
  return kStateNames[static_cast<std::size_t>(state)];
}

/// An expectation that is not met.
struct Broken {
  const Sample* sample = nullptr;
  double value = 0;
  double limit = 0;
  std::string_view relation;  ///< of a good value to the limit: "=", "<=" or ">="
};

struct Judgement {
  State state = State::observed;
  Reason reason = Reason::pending;  ///< if unproven or limited
  std::vector<Broken> broken;
};

/// Judges objects of one collector at one moment. Its constructor looks the objectives up, once for
/// all objects.
class Judge {
 public:
  Judge(const CollectorEvidence& evidence, Instant now, UnixTime unix_now);

  [[nodiscard]] Judgement judge(const ObjectKey& key, const Object& object) const;

  /// @return true if the value may be shown: it is a past event, recent evidence, or the basis of a
  /// violation of an object that is still there.
  [[nodiscard]] bool is_visible(const Object& object, const Sample& sample, State state) const;

  /// The moment until which evidence of `observed_at` counts as recent.
  [[nodiscard]] Instant expiry(Instant observed_at) const { return observed_at + window_; }

  /// A sample's value now. An age has grown since it was observed.
  [[nodiscard]] double value_of(const Sample& sample) const;

  /// The objective's value for a series.
  /// @return nothing if the series has none.
  [[nodiscard]] std::optional<double> objective(const MetricInfo& objective, const Object& object,
                                                const Sample& of) const;
  /// @return true if `accept` names this object and has not ended yet.
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

/// An object that is unproven or limited.
struct Unchecked {
  const ObjectKey* key = nullptr;
  const Object* object = nullptr;
  State state{};
  Reason reason{};
};

/// The snapshot must outlive it.
struct CollectorVerdict {
  State state = State::unproven;         ///< proven, violated or unproven
  bool applicable = true;                ///< at least one object is judged
  std::map<State, std::size_t> objects;  ///< their number, with those that are not judged
  std::vector<Unchecked> unchecked;
  std::size_t gone = 0;  ///< violated objects that have vanished
};

/// @param each is called with every object and its judgement.
CollectorVerdict judge_collector(
    const CollectorEvidence& evidence, Instant now, UnixTime unix_now,
    const std::function<void(const ObjectKey& key, const Object& object,
                             const Judgement& judgement)>& each = {});

/// A question, asked of one database.
struct QuestionVerdict {
  std::string server;
  std::string database;
  Question question{};
  State state = State::unproven;
  bool configured = false;  ///< at least one collector has something to judge
  std::size_t limits = 0;   ///< objects that cannot be checked
  bool unproved = false;    ///< no collector that could prove it has a proven object
};

/// The snapshot must outlive them.
struct Verdicts {
  std::map<CollectorId, CollectorVerdict> collectors;
  /// `intact` and `recoverable` for every database, `service` only where something is judged.
  std::vector<QuestionVerdict> questions;
};

Verdicts judge_all(const Snapshot& snapshot, Instant now, UnixTime unix_now);

/// The answers that follow from the verdicts of all collectors of the snapshot.
std::vector<QuestionVerdict> answers_of(const Snapshot& snapshot,
                                        const std::map<CollectorId, CollectorVerdict>& collectors);

/// A value of that metric for people: "649941 (7d12h32m21s)", "3", "2025-12-03T00:00:00Z".
std::string readable_value(const MetricInfo& metric, double value);

/// The worse of two states. violated is worse than unproven, and unproven is worse than the others.
State worse(State a, State b);

std::string_view name_of(Question question);

}  // namespace pg_integrity
