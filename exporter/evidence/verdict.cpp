#include "exporter/evidence/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/units.h"
#include "collectors/collector.h"
#include "collectors/registry.h"
#include "exporter/io/clock.h"

namespace pg_integrity {

namespace {

constexpr Seconds kShortestWindow{300};

std::vector<std::string> labels_for(const MetricInfo& objective, const Sample& of) {
  std::vector<std::string> labels;
  const auto own = of.metric->labels();
  for (const std::string_view wanted : objective.labels()) {
    const auto found = std::find(own.begin(), own.end(), wanted);
    labels.push_back(of.labels[static_cast<std::size_t>(found - own.begin())]);
  }
  return labels;
}

bool limits_something(const CollectorSpec& spec, const MetricInfo& metric) {
  return std::any_of(spec.metrics.begin(), spec.metrics.end(), [&](const MetricInfo* other) {
    const Expectation& expected = other->expectation;
    return (expected.upper != nullptr && expected.upper->name == metric.name) ||
           (expected.lower != nullptr && expected.lower->name == metric.name);
  });
}

int rank(State state) {
  if (state == State::violated) return 2;
  return state == State::unproven ? 1 : 0;
}

/// Whether the values only say how many things are gone. Nobody said that these had to be there, so
/// that is no violation.
bool nothing_but_gone(const Object& object, const std::vector<Broken>& broken) {
  return object.trouble && object.trouble->reason == Reason::gone &&
         std::all_of(broken.begin(), broken.end(),
                     [](const Broken& b) { return b.sample->metric->expectation.constant; });
}

}  // namespace

Judge::Judge(const CollectorEvidence& evidence, Instant now, UnixTime unix_now)
    : now_(now),
      unix_now_(unix_now),
      window_(std::max(kept_interval(evidence.health) * 3, kShortestWindow)) {
  for (const Sample& sample : evidence.declared) {
    objectives_.emplace(std::pair(sample.metric->name, sample.labels), sample.value);
    if (limits_something(*evidence.spec, *sample.metric))
      declared_[object_key(*evidence.spec, *sample.metric, sample.labels)] = true;
  }
}

double Judge::value_of(const Sample& sample) const {
  if (sample.metric->type != MetricType::age) return sample.value;
  return std::max(0.0, (now_ - sample.since).count());
}

std::optional<double> Judge::objective(const MetricInfo& objective, const Object& object,
                                       const Sample& of) const {
  const std::vector<std::string> labels = labels_for(objective, of);
  if (const auto found = objectives_.find(std::pair(objective.name, labels));
      found != objectives_.end())
    return found->second;
  for (const Sample& sample : object.samples)
    if (sample.metric->name == objective.name && sample.labels == labels) return sample.value;
  return std::nullopt;
}

int Judge::find_broken(const Object& object, const Sample& sample,
                       std::vector<Broken>& broken) const {
  const Expectation& expected = sample.metric->expectation;
  const double value = value_of(sample);
  int limits = 0;
  const auto check = [&](double limit, std::string_view relation, bool met) {
    ++limits;
    if (!met) broken.push_back({&sample, value, limit, relation});
  };
  if (expected.constant) check(expected.value, "=", value == expected.value);
  if (expected.upper != nullptr)
    if (const auto limit = objective(*expected.upper, object, sample))
      check(*limit, "<=", value <= *limit);
  if (expected.lower != nullptr)
    if (const auto limit = objective(*expected.lower, object, sample))
      check(*limit, ">=", value >= *limit);
  return limits;
}

bool Judge::has_declared_objective(const ObjectKey& key) const {
  return declared_.contains(key);
}

bool Judge::acceptance_holds(const Object& object) const {
  return object.accepted != nullptr && unix_now_ < object.accepted->until;
}

Judgement Judge::judge(const ObjectKey& key, const Object& object) const {
  Judgement judgement;
  int limits = 0;
  bool stale = false;
  for (const Sample& sample : object.samples) {
    const int applied = find_broken(object, sample, judgement.broken);
    limits += applied;
    stale = stale || (applied > 0 && !is_fresh(sample));
  }
  if (!judgement.broken.empty()) {
    judgement.state = State::violated;
    const bool covered =
        acceptance_holds(object) &&
        std::all_of(judgement.broken.begin(), judgement.broken.end(), [&](const Broken& b) {
          return std::abs(b.value - b.limit) <= object.accepted->at_most;
        });
    if (covered) {
      judgement.state = State::accepted;
    } else if (nothing_but_gone(object, judgement.broken)) {
      judgement.state = State::unproven;
      judgement.reason = Reason::gone;
    }
    return judgement;
  }
  const bool whole = object.whole_at && now_ <= expiry(*object.whole_at);
  const bool recent = limits > 0 && !stale && whole;
  judgement.state = State::unproven;
  // Somebody else's lock takes nothing from an object that is only observed.
  const bool matters = object.trouble && (!is_momentary(object.trouble->reason) || limits > 0 ||
                                          !object.whole_at || has_declared_objective(key));
  if (matters && (is_lasting(object.trouble->reason) || !recent)) {
    judgement.reason = object.trouble->reason;
    const bool was_judged = limits > 0 && object.whole_at;
    const bool is_promised = was_judged || object.configured || has_declared_objective(key);
    if (is_limit(judgement.reason) && (!is_promised || acceptance_holds(object)))
      judgement.state = State::limited;
  } else if (stale || (limits > 0 && !whole)) {
    judgement.reason = Reason::stale;
  } else if (recent) {
    judgement.state = State::proven;
  } else if (has_declared_objective(key)) {
    judgement.reason = Reason::missing;  // there is a limit but no value
  } else {
    judgement.state = State::observed;
  }
  return judgement;
}

bool Judge::is_visible(const Object& object, const Sample& sample, State state) const {
  if (object.gone_since) return false;
  if (sample.metric->past_event || state == State::violated || state == State::accepted)
    return true;
  const bool withdrawn = object.trouble && is_lasting(object.trouble->reason) &&
                         sample.observed_at < object.trouble->since;
  return is_fresh(sample) && !withdrawn;
}

std::string readable_value(const MetricInfo& metric, double value) {
  if (metric.name.ends_with("_timestamp_seconds")) return format_utc(value);
  const bool long_time = metric.name.ends_with("_seconds") && value >= 60;
  if (long_time) value = std::floor(value);
  std::array<char, 32> digits{};
  const bool whole = value == std::floor(value) && std::abs(value) < 1e15;
  std::snprintf(digits.data(), digits.size(), whole || std::abs(value) >= 1000 ? "%.0f" : "%.6g",
                value);
  std::string text = digits.data();
  if (long_time) text += fmt::format(" ({})", format_duration(Seconds(value)));
  return text;
}

State worse(State a, State b) {
  return rank(a) >= rank(b) ? a : b;
}

std::string_view name_of(Question question) {
  switch (question) {
    case Question::intact:
      return "intact";
    case Question::recoverable:
      return "recoverable";
    case Question::service:
      return "service";
  }
  return "";
}

CollectorVerdict judge_collector(
    const CollectorEvidence& evidence, Instant now, UnixTime unix_now,
    const std::function<void(const ObjectKey&, const Object&, const Judgement&)>& each) {
  const Judge judge(evidence, now, unix_now);
  CollectorVerdict verdict;
  verdict.state = State::proven;
  for (const auto& [key, object] : evidence.objects) {
    const Judgement judgement = judge.judge(key, *object);
    if (each) each(key, *object, judgement);
    ++verdict.objects[judgement.state];
    if (object->gone_since && judgement.state == State::violated) ++verdict.gone;
    if (judgement.state == State::unproven || judgement.state == State::limited)
      verdict.unchecked.push_back({&key, object.get(), judgement.state, judgement.reason});
    if (judgement.state == State::violated || judgement.state == State::unproven)
      verdict.state = worse(verdict.state, judgement.state);
  }
  verdict.applicable = verdict.objects.size() > verdict.objects.count(State::observed) +
                                                    verdict.objects.count(State::limited);
  if (evidence.spec->proves && !verdict.objects.contains(State::proven))
    verdict.state = worse(verdict.state, State::unproven);
  if (!evidence.health.success) verdict.state = worse(verdict.state, State::unproven);
  return verdict;
}

Verdicts judge_all(const Snapshot& snapshot, Instant now, UnixTime unix_now) {
  Verdicts verdicts;
  for (const auto& collector : snapshot.collectors)
    verdicts.collectors.emplace(collector->id, judge_collector(*collector, now, unix_now));
  verdicts.questions = answers_of(snapshot, verdicts.collectors);
  return verdicts;
}

std::vector<QuestionVerdict> answers_of(const Snapshot& snapshot,
                                        const std::map<CollectorId, CollectorVerdict>& collectors) {
  std::vector<QuestionVerdict> answers;
  for (const DatabaseHealth& database : snapshot.databases) {
    for (const Question question : {Question::intact, Question::recoverable, Question::service}) {
      QuestionVerdict answer{database.server, database.database, question, State::proven};
      bool proved = question != Question::recoverable;
      for (const auto& collector : snapshot.collectors) {
        const CollectorId& id = collector->id;
        if (collector->spec->question != question || id.server != database.server ||
            (!id.database.empty() && id.database != database.database))
          continue;
        const CollectorVerdict& verdict = collectors.at(id);
        answer.state = worse(answer.state, verdict.state);
        answer.configured = answer.configured || verdict.applicable;
        proved = proved || (collector->spec->proves && verdict.objects.contains(State::proven));
        if (const auto limits = verdict.objects.find(State::limited);
            limits != verdict.objects.end())
          answer.limits += limits->second;
      }
      // A question is not proven if nothing was judged. What is on record is not proved to be
      // recoverable.
      answer.unproved = !proved;
      if (!answer.configured || !proved) answer.state = worse(answer.state, State::unproven);
      if (answer.configured || answer.limits > 0 || question != Question::service)
        answers.push_back(std::move(answer));
    }
  }
  return answers;
}

}  // namespace pg_integrity
