// The result of one collector step. When the step throws, observations (set, set_age, unproven) are
// discarded; events (count, observe) are kept. Built by one thread, then handed over whole.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/label_values.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"

namespace pg_integrity {

/// One value of one series. A sample of an age keeps `since` instead of `value`.
struct Sample {
  const MetricInfo* metric = nullptr;
  LabelValues labels;
  double value = 0;
  Instant since{};        ///< ages only: the moment they count from
  Instant observed_at{};  ///< when the evidence was taken
};

/// An object that was checked but could not be proved. Metric and labels identify it.
struct UnprovenMark {
  const MetricInfo* metric = nullptr;
  std::vector<std::string> labels;
  Reason reason{};
  std::string detail;                  ///< one line for the report; no row values, no secrets
  Instant observed_at{};               ///< when it was checked
  bool unsettled = false;              ///< the next check may settle it, and should come soon
  std::optional<Obstacle> obstacle{};  ///< the relation that was in the way
};

/// One line of the report about an object.
struct EvidenceLine {
  const MetricInfo* metric = nullptr;
  std::vector<std::string> labels;
  std::string text;
};

/// How important an object is when the series cap takes effect. The larger the weight, the longer
/// the object stays.
struct ObjectWeight {
  const MetricInfo* metric = nullptr;
  std::vector<std::string> labels;
  bool configured = false;  ///< named in the configuration: kept before all discovered ones
  double size = 0;          ///< rows, or anything that orders by importance
};

/// Something that happened. A count of 0, or a histogram without observations, initialises its
/// series.
struct Event {
  enum class Kind : std::uint8_t { count, buckets, observation };
  Kind kind{};
  const MetricInfo* metric = nullptr;
  std::vector<std::string> labels;
  double value = 0;                  ///< count: the increment; observation: the value
  std::vector<double> upper_bounds;  ///< buckets: ascending, without +Inf
};

/// The result of one step, filled by a collector. Labels are given as texts, one per label of the
/// metric and in its order, or as one std::array<std::string, N>:
///
///     out.set(kRows, 22, "public", "users");
///     out.set(kRows, 22, std::array<std::string, 2>{"public", "users"});
class Batch {
 public:
  /// @param now the observation time of everything added, until observed_at() sets another.
  explicit Batch(Instant now) : observed_at_(now), now_(now) {}

  /// Sets the observation time of everything added from here on. Used for a shared scan, or for a
  /// pass that continues.
  void observed_at(Instant when) { observed_at_ = when; }
  /// Sets the observation time back to `now`.
  void observed_now() { observed_at_ = now_; }

  /// Sets a gauge. Call it only with an observed value: an unknown value is left out, never set to
  /// 0.
  template <std::size_t N, typename... Label>
  void set(const Metric<MetricType::gauge, N>& metric, double value, const Label&... label) {
    samples_.push_back({&metric, labels_of<N>(label...), value, {}, observed_at_});
  }

  /// Sets a gauge that the configuration declares.
  /// @param labels one value for each of its labels.
  void set(const MetricInfo& metric, double value, std::vector<std::string> labels) {
    samples_.push_back({&metric, std::move(labels), value, {}, observed_at_});
  }

  /// Sets an age, as measured at observed_at() by the clock of its source (the database, the
  /// kernel).
  template <std::size_t N, typename... Label>
  void set_age(const Metric<MetricType::age, N>& metric, Seconds age, const Label&... label) {
    samples_.push_back({&metric, labels_of<N>(label...), 0, observed_at_ - age, observed_at_});
  }

  /// Adds to a counter. count(metric, 0, …) creates its series from the start.
  template <std::size_t N, typename... Label>
  void count(const Metric<MetricType::counter, N>& metric, double increment,
             const Label&... label) {
    events_.push_back({Event::Kind::count, &metric, labels_of<N>(label...), increment, {}});
  }

  /// Declares a histogram's buckets (ascending upper bounds, without +Inf) and creates its series.
  template <std::size_t N, typename... Label>
  void buckets(const Metric<MetricType::histogram, N>& metric, std::vector<double> upper_bounds,
               const Label&... label) {
    events_.push_back(
        {Event::Kind::buckets, &metric, labels_of<N>(label...), 0, std::move(upper_bounds)});
  }

  /// Adds one observation to a histogram whose buckets were declared.
  template <std::size_t N, typename... Label>
  void observe(const Metric<MetricType::histogram, N>& metric, double value,
               const Label&... label) {
    events_.push_back({Event::Kind::observation, &metric, labels_of<N>(label...), value, {}});
  }

  /// Reports one bad object among many: it was checked and is not proved.
  template <MetricType Type, std::size_t N, typename... Label>
  void unproven(const Metric<Type, N>& metric, Reason reason, std::string detail,
                const Label&... label) {
    unproven_.push_back({&metric, labels_of<N>(label...), reason, std::move(detail), now_});
  }

  /// Reports an object that one check cannot settle. The next check may settle it, and need not
  /// wait for the next pass.
  template <MetricType Type, std::size_t N, typename... Label>
  void unsettled(const Metric<Type, N>& metric, std::string detail, const Label&... label) {
    unproven(metric, Reason::pending, std::move(detail), label...);
    unproven_.back().unsettled = true;
  }

  /// Adds a line to the report, about the object with that metric and labels.
  template <MetricType Type, std::size_t N, typename... Label>
  void evidence(const Metric<Type, N>& metric, std::string text, const Label&... label) {
    evidence_.push_back({&metric, labels_of<N>(label...), std::move(text)});
  }

  /// Sets how important the object with that metric and labels is when the series cap takes effect.
  template <MetricType Type, std::size_t N, typename... Label>
  void weight(const Metric<Type, N>& metric, bool configured, double size, const Label&... label) {
    weights_.push_back({&metric, labels_of<N>(label...), configured, size});
  }

  /// Replaces the collector's memory: a text whose form is the collector's own. It is kept with the
  /// collector's evidence, over restarts and changes of the configuration, and also if another
  /// cluster answers. Sources::remembered() returns it.
  void remember(std::string text) { memory_ = std::move(text); }

  /// Counts objects that the configuration excludes from checking.
  void excluded(std::size_t objects) { excluded_ += objects; }

  /// Says that the observations of this step may become wrong although nobody writes to a table,
  /// for example because rows of the future become rows of the past. The collector then looks
  /// again, even if nothing was committed meanwhile.
  void changes_by_itself() { changes_by_itself_ = true; }

  /// Runs `look`, which adds the observations of one object. If it throws because of that object,
  /// its observations are dropped and the object becomes unproven. A lost session is thrown on.
  template <MetricType Type, std::size_t N, typename Look>
  void attempt(const Metric<Type, N>& metric, const std::array<std::string, N>& labels,
               Look&& look) {
    const std::size_t samples = samples_.size();
    const std::size_t lines = evidence_.size();
    try {
      look();
    } catch (const SourceError& error) {
      if (error.session_lost()) throw;
      samples_.resize(samples);
      evidence_.resize(lines);
      unproven_.push_back({&metric, labels_of<N>(labels), error.reason(), error.what(), now_, false,
                           error.obstacle()});
    }
    observed_now();
  }

  [[nodiscard]] const std::vector<Sample>& samples() const { return samples_; }
  [[nodiscard]] const std::vector<UnprovenMark>& unproven_marks() const { return unproven_; }
  [[nodiscard]] const std::vector<EvidenceLine>& evidence_lines() const { return evidence_; }
  [[nodiscard]] const std::vector<ObjectWeight>& weights() const { return weights_; }
  [[nodiscard]] const std::vector<Event>& events() const { return events_; }
  [[nodiscard]] std::size_t excluded() const { return excluded_; }
  [[nodiscard]] bool may_change_by_itself() const { return changes_by_itself_; }
  [[nodiscard]] const std::optional<std::string>& memory() const { return memory_; }

 private:
  template <std::size_t N, typename... Label>
  static std::vector<std::string> labels_of(const Label&... label) {
    if constexpr (sizeof...(Label) == 1 &&
                  (std::is_same_v<Label, std::array<std::string, N>> && ...)) {
      return std::vector<std::string>((label.begin(), ...), (label.end(), ...));
    } else {
      static_assert(sizeof...(Label) == N, "one value for each label of the metric");
      return {std::string(label)...};
    }
  }

  Instant observed_at_;
  Instant now_;
  std::vector<Sample> samples_;
  std::vector<UnprovenMark> unproven_;
  std::vector<EvidenceLine> evidence_;
  std::vector<ObjectWeight> weights_;
  std::vector<Event> events_;
  std::size_t excluded_ = 0;
  bool changes_by_itself_ = false;
  std::optional<std::string> memory_;
};

}  // namespace pg_integrity
