#include "exporter/history/watched_states.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "collectors/base/errors.h"
#include "exporter/evidence/sentence.h"
#include "exporter/evidence/spoken.h"

namespace pg_integrity {

namespace {

constexpr std::string_view kDrillTime = "pg_integrity_restore_drill_last_success_timestamp_seconds";
constexpr std::string_view kDrillDuration = "pg_integrity_restore_drill_duration_seconds";
constexpr std::size_t kMostValues = 3;  ///< values that a line names
constexpr double kSecondsOfDay = 86400;

bool is_red_name(std::string_view state) {
  return state == name_of(State::violated) || state == name_of(State::accepted);
}

bool needs_a_line(State state) {
  return state == State::violated || state == State::accepted || state == State::unproven;
}

std::string text_of_broken(const CollectorId& id, const Judgement& judgement) {
  std::string text;
  for (std::size_t i = 0; i < std::min(judgement.broken.size(), kMostValues); ++i)
    text += (text.empty() ? "" : " ") + sentence_of(id, judgement.broken[i]);
  return text;
}

/// The values that are as they should be: "orphaned_rows 0".
std::string text_of_good(const CollectorEvidence& evidence, const Judge& judge,
                         const Object& object) {
  std::string text;
  std::size_t named = 0;
  for (const Sample& sample : object.samples) {
    const Expectation& expected = sample.metric->expectation;
    if (!expected.constant && expected.upper == nullptr && expected.lower == nullptr) continue;
    if (++named > kMostValues) return text + ", …";
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", series_name(*evidence.spec, sample),
                        readable_value(*sample.metric, judge.value_of(sample)));
  }
  return text;
}

std::string text_of_trouble(const CollectorEvidence& evidence, const Object& object) {
  if (object.trouble) return object.trouble->detail;
  if (evidence.health.failure) return evidence.health.failure->detail;
  return "the evidence is too old";
}

std::string text_for(const CollectorEvidence& evidence, const Judge& judge, const Object& object,
                     const Judgement& judgement) {
  switch (judgement.state) {
    case State::violated:
      return text_of_broken(evidence.id, judgement) +
             (object.gone_since ? " It has vanished, which repairs nothing." : "");
    case State::accepted:
      return sentence_of(*object.accepted) + "; " + text_of_broken(evidence.id, judgement);
    case State::unproven:
    case State::limited:
      return text_of_trouble(evidence, object);
    default:
      return text_of_good(evidence, judge, object);
  }
}

std::optional<Instant> evidence_instant(const Object& object, const Judgement& judgement) {
  std::optional<Instant> oldest;
  for (const Broken& broken : judgement.broken)
    oldest = earlier(broken.sample->observed_at, oldest.value_or(broken.sample->observed_at));
  if (oldest) return oldest;
  if (object.whole_at) return object.whole_at;
  for (const Sample& sample : object.samples)
    oldest = std::max(oldest.value_or(sample.observed_at), sample.observed_at);
  return oldest;
}

/// No attempt has told anything yet.
bool is_in_first_pass(const CollectorEvidence& evidence) {
  return !evidence.health.last_success && !evidence.health.failure;
}

std::string counts_in_words(const std::map<State, std::size_t>& counts) {
  std::string text;
  for (const State state : {State::violated, State::unproven, State::accepted, State::limited,
                            State::proven, State::observed})
    if (const auto found = counts.find(state); found != counts.end() && found->second > 0)
      text +=
          fmt::format("{}{} {}", text.empty() ? "" : ", ", grouped(found->second), name_of(state));
  return text.empty() ? "nothing is judged" : text;
}

/// What answers one question about one database, or everything of one server.
struct Basis {
  std::map<State, std::size_t> counts;
  std::optional<Instant> oldest_pass;
  bool first_pass = false;

  void add(const CollectorEvidence& evidence, const CollectorVerdict& verdict) {
    for (const auto& [state, count] : verdict.objects) counts[state] += count;
    first_pass = first_pass || is_in_first_pass(evidence);
    oldest_pass = earlier(evidence.health.last_success, oldest_pass.value_or(Instant::max()));
  }
};

}  // namespace

/// One look at one snapshot.
class WatchedStates::Look {
 public:
  Look(WatchedStates& states, const Snapshot& snapshot, const Clock& clock, bool full)
      : states_(states),
        snapshot_(snapshot),
        clock_(clock),
        full_(full),
        now_(clock.now()),
        unix_now_(clock.unix_now()) {}

  std::vector<HistoryEntry> take() {
    for (const auto& evidence : snapshot_.collectors) look_at(evidence);
    if (full_) look_for_missing();
    if (full_ || answers_may_differ_) look_at_answers();
    if (full_) tell_the_day();
    return std::move(entries_);
  }

 private:
  void look_at(const std::shared_ptr<const CollectorEvidence>& evidence) {
    const auto tried = states_.collectors_.try_emplace(evidence->id);
    const bool is_known = !tried.second;
    Collector& collector = tried.first->second;
    collector.missing_since.reset();
    if (!full_ && collector.seen == evidence) return;
    const Judge judge(*evidence, now_, unix_now_);
    own_lines_ = 0;
    CollectorVerdict verdict = judge_collector(
        *evidence, now_, unix_now_,
        [&](const ObjectKey& key, const Object& object, const Judgement& judgement) {
          compare(*evidence, judge, collector, is_known, key, object, judgement);
        });
    verdict.unchecked.clear();  // it points into the snapshot
    CollectorVerdict& newest = states_.verdicts_[evidence->id];
    answers_may_differ_ = answers_may_differ_ || newest.state != verdict.state ||
                          newest.applicable != verdict.applicable;
    newest = std::move(verdict);
    if (full_) look_for_vanished(*evidence, collector);
    if (evidence->spec->name == "restore_drill") look_at_drills(*evidence, collector);
    collector.objects = evidence->objects.size();
    collector.seen = evidence;
  }

  void compare(const CollectorEvidence& evidence, const Judge& judge, Collector& collector,
               bool is_known, const ObjectKey& key, const Object& object,
               const Judgement& judgement) {
    if (judgement.state == State::unproven && judgement.reason == Reason::pending) return;
    const bool bad = needs_a_line(judgement.state);
    if (!bad && collector.bad.empty()) return;
    const auto before = collector.bad.find(key);
    const bool was_bad = before != collector.bad.end();
    if (!bad && !was_bad) return;
    const std::string to(name_of(judgement.state));
    const std::string from =
        was_bad ? before->second.state : good_state(collector, is_known, key, object);
    const std::string told =
        judgement.state == State::accepted ? sentence_of(*object.accepted) : std::string();
    if (was_bad && from == to && told == before->second.told) return;
    const bool red = is_red_name(from) || is_red_name(to);
    if (!red && !full_) return;
    HistoryEntry entry = entry_for(kObject, evidence.id, object_name(*evidence.spec, key));
    entry.from = from;
    entry.to = to;
    if (judgement.state == State::unproven || judgement.state == State::limited)
      entry.reason = name_of(judgement.reason);
    if (const auto when = evidence_instant(object, judgement))
      entry.evidence_time = clock_.to_unix(*when);
    entry.text = text_for(evidence, judge, object, judgement);
    tell(std::move(entry), red && own_lines_++ < kOwnLines);
    if (bad)
      collector.bad.insert_or_assign(key, Known{to, told});
    else
      collector.bad.erase(before);
  }

  /// The state of an object that was not bad before. Empty: it was not there, or not checked yet.
  [[nodiscard]] std::string good_state(const Collector& collector, bool is_known,
                                       const ObjectKey& key, const Object& object) const {
    if (collector.seen == nullptr) {  // a process before this one may have known it
      const bool restored = object.looked_at == Instant{} && !object.samples.empty();
      return is_known && restored ? std::string(name_of(State::proven)) : std::string();
    }
    const auto before = collector.seen->objects.find(key);
    if (before == collector.seen->objects.end() || before->second->samples.empty()) return {};
    const State state = Judge(*collector.seen, now_, unix_now_).judge(key, *before->second).state;
    return std::string(
        name_of(state == State::observed || state == State::limited ? state : State::proven));
  }

  void look_for_vanished(const CollectorEvidence& evidence, Collector& collector) {
    if (!evidence.health.last_full_check) return;
    for (auto it = collector.bad.begin(); it != collector.bad.end();) {
      if (evidence.objects.contains(it->first)) {
        ++it;
        continue;
      }
      HistoryEntry entry = entry_for(kObject, evidence.id, object_name(*evidence.spec, it->first));
      entry.from = it->second.state;
      entry.text = "It is not there any more, or nothing watches it any more.";
      tell(std::move(entry), is_red_name(it->second.state));
      it = collector.bad.erase(it);
    }
  }

  void look_at_drills(const CollectorEvidence& evidence, Collector& collector) {
    for (const auto& [key, object] : evidence.objects) {
      std::optional<UnixTime> success;
      std::string took;
      for (const Sample& sample : object->samples) {
        if (sample.metric->name == kDrillTime) success = sample.value;
        if (sample.metric->name == kDrillDuration)
          took = ", ready to be used after " + spoken_duration(Seconds(sample.value));
      }
      if (!success) continue;
      UnixTime& newest = collector.drills[key];
      if (*success <= newest) continue;
      newest = *success;
      HistoryEntry entry = entry_for(kDrill, evidence.id, object_name(*evidence.spec, key));
      entry.evidence_time = *success;
      entry.text = "A restore drill succeeded" + took + ".";
      tell(std::move(entry), true);
    }
  }

  static std::string_view worst_of(const Collector& collector) {
    for (const State state : {State::violated, State::unproven, State::accepted})
      if (std::any_of(collector.bad.begin(), collector.bad.end(),
                      [&](const auto& one) { return one.second.state == name_of(state); }))
        return name_of(state);
    return name_of(State::proven);
  }

  void look_for_missing() {
    std::set<CollectorId> there;
    std::set<std::string> answering;  // servers of which something was checked by this process
    for (const auto& evidence : snapshot_.collectors) {
      there.insert(evidence->id);
      if (evidence->health.last_full_check) answering.insert(evidence->id.server);
    }
    for (auto it = states_.collectors_.begin(); it != states_.collectors_.end();) {
      auto& [id, collector] = *it;
      const bool is_there = there.contains(id);
      if (!is_there && !collector.missing_since) collector.missing_since = now_;
      const bool configured =
          std::any_of(snapshot_.servers.begin(), snapshot_.servers.end(),
                      [&](const auto& server) { return server->name == it->first.server; });
      if (is_there || now_ - *collector.missing_since < kMissing ||
          (configured && !answering.contains(id.server))) {
        ++it;
        continue;
      }
      HistoryEntry entry = entry_for(kObject, id, id.collector);
      entry.from = worst_of(collector);
      entry.others = collector.objects == 0 ? 0 : collector.objects - 1;
      entry.text = "Nothing watches it any more: the collector does not run.";
      tell(std::move(entry), true);
      states_.verdicts_.erase(id);
      it = states_.collectors_.erase(it);
    }
  }

  [[nodiscard]] Basis basis_of(const std::string& server, const std::string& database,
                               std::optional<Question> question) const {
    Basis basis;
    for (const auto& evidence : snapshot_.collectors) {
      const CollectorId& id = evidence->id;
      if (id.server == server && (!question || evidence->spec->question == *question) &&
          (!question || id.database.empty() || id.database == database))
        basis.add(*evidence, states_.verdicts_.at(id));
    }
    return basis;
  }

  void look_at_answers() {
    for (const QuestionVerdict& answer : answers_of(snapshot_, states_.verdicts_)) {
      const AnswerId id{answer.server, answer.database, answer.question};
      const auto known = states_.answers_.find(id);
      const std::string from = known == states_.answers_.end() ? std::string() : known->second;
      const std::string to(name_of(answer.state));
      if (from == to || (!full_ && !is_red_name(from) && !is_red_name(to))) continue;
      const Basis basis = basis_of(answer.server, answer.database, answer.question);
      if (answer.state == State::unproven && basis.first_pass) continue;
      HistoryEntry entry = entry_for(kAnswer, {answer.server, answer.database, {}},
                                     std::string(name_of(answer.question)));
      entry.from = from;
      entry.to = to;
      if (!answer.configured) entry.reason = name_of(Reason::not_configured);
      if (basis.oldest_pass) entry.evidence_time = clock_.to_unix(*basis.oldest_pass);
      entry.text = counts_in_words(basis.counts);
      tell(std::move(entry), true);
      states_.answers_.insert_or_assign(id, to);
    }
  }

  /// Once a day and server, so that a history without changes still shows that somebody looked.
  void tell_the_day() {
    const auto today = static_cast<std::int64_t>(std::floor(unix_now_ / kSecondsOfDay));
    for (const auto& server : snapshot_.servers) {
      const auto told = states_.days_.find(server->name);
      if (told != states_.days_.end() && told->second == today) continue;
      const Basis basis = basis_of(server->name, {}, std::nullopt);
      if (basis.first_pass && now_ - states_.first_look_.value_or(now_) < kMissing) continue;
      std::size_t proven = 0;
      std::size_t all = 0;
      State worst = State::proven;
      for (const auto& [id, state] : states_.answers_) {
        if (std::get<0>(id) != server->name) continue;
        ++all;
        if (state == name_of(State::proven)) ++proven;
        for (const State one : {State::violated, State::unproven})
          if (state == name_of(one)) worst = worse(worst, one);
      }
      if (all == 0) continue;
      HistoryEntry entry = entry_for(kDay, {server->name, {}, {}}, {});
      entry.to = name_of(worst);
      if (basis.oldest_pass) entry.evidence_time = clock_.to_unix(*basis.oldest_pass);
      entry.text = fmt::format("{} of {} answers proven; objects: {}.", proven, all,
                               counts_in_words(basis.counts));
      tell(std::move(entry), true);
      states_.days_.insert_or_assign(server->name, today);
    }
  }

  [[nodiscard]] HistoryEntry entry_for(std::string_view kind, const CollectorId& id,
                                       std::string subject) const {
    HistoryEntry entry;
    entry.time = unix_now_;
    entry.kind = kind;
    entry.server = id.server;
    entry.database = id.database;
    entry.subject = std::move(subject);
    return entry;
  }

  /// @param alone it has a line of its own. Others join the line of the same change.
  void tell(HistoryEntry entry, bool alone) {
    if (!alone) {
      const auto [group, is_first] = groups_.try_emplace(
          std::tuple(entry.server, entry.database, entry.from, entry.to, entry.reason),
          entries_.size());
      if (!is_first) {
        ++entries_[group->second].others;
        return;
      }
    }
    entries_.push_back(std::move(entry));
  }

  WatchedStates& states_;
  const Snapshot& snapshot_;
  const Clock& clock_;
  const bool full_;
  const Instant now_;
  const UnixTime unix_now_;
  std::size_t own_lines_ = 0;  ///< of the collector
  bool answers_may_differ_ = false;
  std::vector<HistoryEntry> entries_;
  std::map<std::tuple<std::string, std::string, std::string, std::string, std::string>, std::size_t>
      groups_;
};

std::vector<HistoryEntry> WatchedStates::look(const Snapshot& snapshot, const Clock& clock) {
  const Instant now = clock.now();
  if (!first_look_) first_look_ = now;
  const bool full = !full_look_ || now - *full_look_ >= kBetweenFullLooks;
  if (full) full_look_ = now;
  return Look(*this, snapshot, clock, full).take();
}

namespace {

JsonValue as_json(const ObjectKey& key) {
  JsonValue::Elements parts;
  for (const std::string& part : key) parts.push_back({part});
  return {std::move(parts)};
}

ObjectKey key_from(const JsonValue& value) {
  LabelValues::Texts key;
  for (const JsonValue& part : value.elements()) key.push_back(part.text());
  return key;
}

Question question_named(const std::string& name) {
  for (const Question question : {Question::intact, Question::recoverable, Question::service})
    if (name_of(question) == name) return question;
  throw SourceError(Reason::decode, "there is no question " + name);
}

}  // namespace

JsonValue WatchedStates::saved() const {
  JsonValue::Elements collectors;
  for (const auto& [id, collector] : collectors_) {
    JsonValue::Elements bad;
    for (const auto& [key, known] : collector.bad)
      bad.push_back({JsonValue::Members{
          {"key", as_json(key)}, {"state", {known.state}}, {"told", {known.told}}}});
    JsonValue::Elements drills;
    for (const auto& [key, time] : collector.drills)
      drills.push_back({JsonValue::Members{{"key", as_json(key)}, {"time", {time}}}});
    collectors.push_back({JsonValue::Members{{"server", {id.server}},
                                             {"database", {id.database}},
                                             {"collector", {id.collector}},
                                             {"objects", {static_cast<double>(collector.objects)}},
                                             {"bad", {std::move(bad)}},
                                             {"drills", {std::move(drills)}}}});
  }
  JsonValue::Elements answers;
  for (const auto& [id, state] : answers_)
    answers.push_back({JsonValue::Members{{"server", {std::get<0>(id)}},
                                          {"database", {std::get<1>(id)}},
                                          {"question", {std::string(name_of(std::get<2>(id)))}},
                                          {"state", {state}}}});
  JsonValue::Elements days;
  for (const auto& [server, day] : days_)
    days.push_back({JsonValue::Members{{"server", {server}}, {"day", {static_cast<double>(day)}}}});
  return {JsonValue::Members{{"collectors", {std::move(collectors)}},
                             {"answers", {std::move(answers)}},
                             {"days", {std::move(days)}}}};
}

void WatchedStates::restore(const JsonValue& saved) {
  WatchedStates read;
  for (const JsonValue& one : saved.at("collectors").elements()) {
    Collector collector;
    collector.objects = static_cast<std::size_t>(one.at("objects").number());
    for (const JsonValue& bad : one.at("bad").elements())
      collector.bad.emplace(key_from(bad.at("key")),
                            Known{bad.at("state").text(), bad.text_or_empty("told")});
    for (const JsonValue& drill : one.at("drills").elements())
      collector.drills.emplace(key_from(drill.at("key")), drill.at("time").number());
    read.collectors_.emplace(CollectorId{one.at("server").text(), one.text_or_empty("database"),
                                         one.at("collector").text()},
                             std::move(collector));
  }
  for (const JsonValue& one : saved.at("answers").elements())
    read.answers_.emplace(AnswerId{one.at("server").text(), one.at("database").text(),
                                   question_named(one.at("question").text())},
                          one.at("state").text());
  for (const JsonValue& one : saved.at("days").elements())
    read.days_.emplace(one.at("server").text(), static_cast<std::int64_t>(one.at("day").number()));
  *this = std::move(read);
}

}  // namespace pg_integrity
