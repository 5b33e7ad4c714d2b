#include "exporter/metrics/exposition.h"

#include <fmt/format.h>

#include <algorithm>

#include "collectors/base/batch.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/ports/clock.h"
#include "collectors/registry.h"
#include "exporter/evidence/causes.h"
#include "exporter/evidence/self_metrics.h"
#include "exporter/evidence/verdict.h"
#include "exporter/metrics/metric_families.h"
#include "exporter/metrics/process_stats.h"

namespace pg_integrity {

namespace {

constexpr Seconds kLongestLife{30};  ///< a body is rendered anew at least this often

Labels labels_of(const CollectorId& id) {
  Labels labels{{"server", id.server}};
  if (!id.database.empty()) labels.emplace_back("database", id.database);
  return labels;
}

Labels with(Labels labels, const MetricInfo& metric, const std::vector<std::string>& values) {
  const auto names = metric.labels();
  for (std::size_t i = 0; i < values.size(); ++i)
    labels.emplace_back(std::string(names[i]), values[i]);
  return labels;
}

void add_gauge(MetricFamilies& to, const MetricInfo& metric, const Labels& base,
               const std::vector<std::string>& values, double value) {
  to.gauge(metric.name, metric.help, with(base, metric, values), value);
}

/// The rank of an object when the series cap cuts some off. Violated and accepted objects come
/// first, then unproven ones, then configured ones. Within a rank the largest come first, then the
/// order is by name.
struct Ranked {
  const ObjectKey* key;
  const Object* object;
  State state;

  [[nodiscard]] int urgency() const {
    if (state == State::violated || state == State::accepted) return 0;
    if (state == State::unproven) return 1;
    return object->configured ? 2 : 3;
  }
  bool operator<(const Ranked& other) const {
    if (urgency() != other.urgency()) return urgency() < other.urgency();
    if (object->size != other.object->size) return object->size > other.object->size;
    return *key < *other.key;
  }
};

/// Renders the observations of one collector, and the number of series that the cap dropped.
class CollectorRenderer {
 public:
  CollectorRenderer(const CollectorEvidence& evidence, const Clock& clock, MetricFamilies& to)
      : evidence_(evidence),
        judge_(evidence, clock.now(), clock.unix_now()),
        now_(clock.now()),
        base_(labels_of(evidence.id)),
        to_(to) {}

  void render() {
    for (const Sample& sample : evidence_.declared)
      add_gauge(to_, *sample.metric, base_, sample.labels, sample.value);
    std::vector<Ranked> ranked;
    std::size_t series = 0;
    for (const auto& [key, object] : evidence_.objects) {
      ranked.push_back({&key, object.get(), judge_.judge(key, *object).state});
      series += object->samples.size();
    }
    if (series > evidence_.options->series_cap) std::sort(ranked.begin(), ranked.end());
    for (const Ranked& object : ranked) render_object(object);
    add_gauge(to_, self::kSeriesDropped, base_, {std::string(evidence_.spec->name)},
              static_cast<double>(dropped_));
  }

  [[nodiscard]] Instant expires() const { return expires_; }

 private:
  void render_object(const Ranked& ranked) {
    if (shown_ + ranked.object->samples.size() > evidence_.options->series_cap) {
      dropped_ += ranked.object->samples.size();
      return;
    }
    shown_ += ranked.object->samples.size();
    for (const Sample& sample : ranked.object->samples) {
      if (!judge_.is_visible(*ranked.object, sample, ranked.state)) continue;
      const Instant expiry = judge_.expiry(sample.observed_at);
      if (!sample.metric->past_event && expiry > now_) expires_ = std::min(expires_, expiry);
      if (sample.metric->type != MetricType::age)
        add_gauge(to_, *sample.metric, base_, sample.labels, sample.value);
    }
  }

  const CollectorEvidence& evidence_;
  Judge judge_;
  Instant now_;
  Labels base_;
  MetricFamilies& to_;
  std::size_t shown_ = 0;
  std::size_t dropped_ = 0;
  Instant expires_ = Instant::max();
};

void render_tallies(const Snapshot& snapshot, MetricFamilies& to) {
  for (const auto& [id, counters] : snapshot.counters) {
    const Labels base = labels_of(id);
    for (const Counter& counter : counters) {
      const Labels labels = with(base, *counter.metric, counter.labels);
      if (counter.metric->type == MetricType::histogram)
        to.histogram(counter.metric->name, counter.metric->help, labels, counter);
      else
        to.counter(counter.metric->name, counter.metric->help, labels, counter.value);
    }
  }
}

void render_full_checks(const CollectorEvidence& evidence, const Clock& clock, MetricFamilies& to) {
  if (evidence.spec->depends_on != DependsOn::tables) return;
  const Labels base = labels_of(evidence.id);
  const std::vector<std::string> name{std::string(evidence.spec->name)};
  for (const CollectorOptions& options : evidence.options->collectors)
    if (options.spec == evidence.spec)
      add_gauge(to, self::kFullCheckInterval, base, name, options.full_check_interval.count());
  if (evidence.health.last_full_check)
    add_gauge(to, self::kLastFullCheck, base, name,
              clock.to_unix(*evidence.health.last_full_check));
}

void render_health(const Snapshot& snapshot, const Clock& clock, MetricFamilies& to) {
  for (const auto& collector : snapshot.collectors) {
    const Labels base = labels_of(collector->id);
    const std::vector<std::string> name{std::string(collector->spec->name)};
    const CollectorHealth& health = collector->health;
    // Neither: no attempt has ended, or only one with another cluster.
    if (health.success || health.failure)
      add_gauge(to, self::kSuccess, base, name, health.success ? 1 : 0);
    if (health.last_success) {
      add_gauge(to, self::kLastSuccess, base, name, clock.to_unix(*health.last_success));
      add_gauge(to, self::kDuration, base, name, health.last_duration.count());
    }
    render_full_checks(*collector, clock, to);
  }
  for (const DatabaseHealth& database : snapshot.databases)
    add_gauge(to, self::kUp, {{"server", database.server}, {"database", database.database}}, {},
              database.up ? 1 : 0);
  for (const SessionCount& count : snapshot.sessions) {
    const Labels base{{"server", count.server}};
    add_gauge(to, self::kSessions, base, {"open"}, static_cast<double>(count.open));
    add_gauge(to, self::kSessions, base, {"connecting"}, static_cast<double>(count.connecting));
    add_gauge(to, self::kSessions, base, {"abandoned"}, static_cast<double>(count.abandoned));
  }
}

/// Renders the values of one collector that change with time: ages, and damage that is accepted
/// until a date.
void render_ages(const CollectorEvidence& evidence, const Clock& clock, MetricFamilies& to) {
  const Judge judge(evidence, clock.now(), clock.unix_now());
  const Labels base = labels_of(evidence.id);
  for (const auto& [key, object] : evidence.objects) {
    const bool accepted = judge.acceptance_holds(*object);
    if (accepted)
      add_gauge(to, self::kAcceptedUntil, base,
                {std::string(evidence.spec->name), object_name(*evidence.spec, key)},
                object->accepted->until);
    for (const Sample& sample : object->samples) {
      const MetricInfo& metric = *sample.metric;
      if (metric.type == MetricType::age)
        add_gauge(to, metric, base, sample.labels, judge.value_of(sample));
      if (accepted && !metric.expectation.none())
        to.gauge(fmt::format("{}_accepted", metric.name),
                 fmt::format("Accepted by the configuration for now: how far {} may be from what it"
                             " should be.",
                             metric.name),
                 with(base, metric, sample.labels), object->accepted->at_most);
    }
  }
}

void render_collector_verdict(const CollectorEvidence& evidence, const CollectorVerdict& verdict,
                              const Clock& clock, MetricFamilies& to) {
  const Labels base = labels_of(evidence.id);
  const std::string name(evidence.spec->name);
  for (const std::string_view state : kStateNames) {
    double objects = 0;
    for (const auto& [which, count] : verdict.objects)
      if (name_of(which) == state) objects = static_cast<double>(count);
    add_gauge(to, self::kObjects, base, {name, std::string(state)}, objects);
  }
  add_gauge(to, self::kObjects, base, {name, "excluded"}, static_cast<double>(evidence.excluded));
  if (evidence.spec->remembers_red)
    add_gauge(to, self::kGoneObjects, base, {name}, static_cast<double>(verdict.gone));
  const Seconds interval = kept_interval(evidence.health);
  const CollectorHealth& health = evidence.health;
  const Instant since = std::max(health.last_success.value_or(health.started), health.started);
  add_gauge(to, self::kInterval, base, {name}, interval.count());
  add_gauge(to, self::kDeadline, base, {name}, clock.to_unix(since + interval * 3));
}

/// Renders the number of causes, each once in every database that it concerns. A cause that stops
/// several collectors has no label `collector`.
void render_causes(const std::vector<Cause>& causes, MetricFamilies& to) {
  std::map<Labels, double> numbers;
  for (const Cause& cause : causes) {
    if (cause.state != State::unproven) continue;
    for (const std::string& database : cause.databases) {
      Labels labels = labels_of({cause.server, database, {}});
      if (cause.stops.size() == 1)
        labels.emplace_back("collector", cause.stops.begin()->first.collector);
      labels.emplace_back("reason", name_of(cause.reason));
      ++numbers[labels];
    }
  }
  const MetricInfo& metric = self::kUnprovenObjects;
  for (const auto& [labels, number] : numbers) to.gauge(metric.name, metric.help, labels, number);
}

void render_verdicts(const Snapshot& snapshot, const Clock& clock, MetricFamilies& to) {
  const Verdicts verdicts = judge_all(snapshot, clock.now(), clock.unix_now());
  for (const auto& evidence : snapshot.collectors) {
    render_ages(*evidence, clock, to);
    render_collector_verdict(*evidence, verdicts.collectors.at(evidence->id), clock, to);
  }
  render_causes(causes_of(snapshot, verdicts), to);
  for (const QuestionVerdict& answer : verdicts.questions) {
    const Labels base{{"server", answer.server}, {"database", answer.database}};
    for (const State state : {State::proven, State::violated, State::unproven})
      add_gauge(to, self::kVerdict, base,
                {std::string(name_of(answer.question)), std::string(name_of(state))},
                answer.state == state ? 1 : 0);
  }
}

void render_process(const ProcessFacts& facts, MetricFamilies& to) {
  add_gauge(to, self::kBuildInfo, {}, {facts.version, facts.revision}, 1);
  add_gauge(to, self::kReloadSuccessful, {}, {}, facts.reload_successful ? 1 : 0);
  add_gauge(to, self::kHttpConnections, {}, {}, static_cast<double>(facts.http_connections));
  if (facts.certificate_expires)
    add_gauge(to, self::kCertificateExpires, {}, {}, *facts.certificate_expires);
  for (const ProcessStat& stat : process_stats()) {
    if (stat.counts)
      to.counter(stat.name, stat.help, {}, stat.value);
    else
      to.gauge(stat.name, stat.help, {}, stat.value);
  }
}

}  // namespace

BodyText render_body(const Snapshot& snapshot, const Clock& clock) {
  MetricFamilies families;
  Instant expires = clock.now() + kLongestLife;
  for (const auto& evidence : snapshot.collectors) {
    CollectorRenderer renderer(*evidence, clock, families);
    renderer.render();
    expires = std::min(expires, renderer.expires());
  }
  render_tallies(snapshot, families);
  render_health(snapshot, clock, families);
  return {families.take_text(), expires};
}

std::string render_tail(const Snapshot& snapshot, const ProcessFacts& facts, const Clock& clock) {
  MetricFamilies families;
  render_verdicts(snapshot, clock, families);
  render_process(facts, families);
  return families.take_text();
}

}  // namespace pg_integrity
