#include "exporter/report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace pg_integrity {

namespace {

constexpr std::array<State, 5> kWorstFirst{State::violated, State::unproven, State::accepted,
                                           State::proven, State::observed};

std::size_t urgency(State state) {
  return static_cast<std::size_t>(std::find(kWorstFirst.begin(), kWorstFirst.end(), state) -
                                  kWorstFirst.begin());
}

/// A name in a fragment: every byte but letters, digits, '-' and '_' as ".xx".
std::string in_fragment(const std::string& name) {
  std::string out;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_';
    std::array<char, 4> escaped{};
    std::snprintf(escaped.data(), escaped.size(), ".%02x", static_cast<unsigned>(byte));
    if (plain)
      out += c;
    else
      out += escaped.data();
  }
  return out;
}

/// A fragment that identifies the object: its name with server and database. The separators '/' and
/// '.' are ".2F" and ".2E", in upper case, and so never part of a name.
std::string anchor_for(const CollectorId& id, const ObjectKey& key) {
  std::string anchor =
      in_fragment(id.server) + ".2F" + in_fragment(id.database) + ".2F" + in_fragment(id.collector);
  std::string_view separator = ".2F";
  for (const std::string& name : key) {
    anchor += std::string(separator) + in_fragment(name);
    separator = ".2E";
  }
  return anchor;
}

/// "backups{status=success} 3": without the prefix, and without the labels that name the object
/// anyway.
std::string series_text(const CollectorSpec& spec, const Sample& sample, double value) {
  constexpr std::string_view kPrefix = "pg_integrity_";
  return std::string(sample.metric->name.substr(kPrefix.size())) + further_labels(spec, sample) +
         " " + readable_value(*sample.metric, value);
}

std::vector<std::string> findings_of(const CollectorEvidence& evidence, const Judgement& judgement,
                                     const Object& object) {
  const CollectorHealth& health = evidence.health;
  std::vector<std::string> findings;
  for (const Broken& broken : judgement.broken) findings.push_back(explain(*evidence.spec, broken));
  if (judgement.state == State::accepted)
    findings.push_back("accepted for now: " + object.accepted->reason);
  if (object.trouble && (judgement.state == State::unproven || judgement.state == State::violated))
    findings.push_back(object.trouble->detail);
  else if (judgement.state == State::unproven && judgement.reason == Reason::stale)
    findings.push_back(health.failure ? health.failure->detail : "the evidence is too old");
  return findings;
}

ReportObject object_entry(const CollectorEvidence& evidence, const Judge& judge,
                          const ObjectKey& key, const Object& object, const Clock& clock) {
  const Judgement judgement = judge.judge(key, object);
  ReportObject entry;
  entry.name = object_name(*evidence.spec, key);
  entry.anchor = anchor_for(evidence.id, key);
  entry.state = judgement.state;
  if (judgement.state == State::unproven) entry.reason = judgement.reason;
  entry.findings = findings_of(evidence, judgement, object);
  entry.lines = object.lines;
  std::optional<Instant> oldest;
  for (const Sample& sample : object.samples) {
    if (!judge.is_visible(object, sample, judgement.state)) continue;
    if (!oldest || sample.observed_at < *oldest) oldest = sample.observed_at;
    entry.values.push_back(series_text(*evidence.spec, sample, judge.value_of(sample)));
  }
  if (oldest) entry.evidence_time = clock.to_unix(*oldest);
  return entry;
}

ReportCollector collector_entry(const CollectorEvidence& evidence, const CollectorVerdict& verdict,
                                const Clock& clock) {
  const Judge judge(evidence, clock.now(), clock.unix_now());
  const CollectorHealth& health = evidence.health;
  ReportCollector entry;
  entry.name = evidence.spec->name;
  entry.section = evidence.spec->report_section;
  entry.summary = evidence.spec->summary;
  // Where nothing is judged, nothing is proven either.
  const bool judged = verdict.applicable || verdict.state != State::proven;
  entry.state = judged ? verdict.state : State::observed;
  entry.applicable = verdict.applicable;
  entry.interval = kept_interval(health);
  entry.excluded = evidence.excluded;
  entry.first_pass = !health.last_success.has_value();
  if (health.last_success) entry.last_success = clock.to_unix(*health.last_success);
  if (health.failure)
    entry.failure = std::string(name_of(health.failure->reason)) + ": " + health.failure->detail;
  for (const auto& [key, object] : evidence.objects)
    entry.objects.push_back(object_entry(evidence, judge, key, *object, clock));
  std::stable_sort(entry.objects.begin(), entry.objects.end(),
                   [](const ReportObject& a, const ReportObject& b) {
                     return urgency(a.state) < urgency(b.state);
                   });
  return entry;
}

ReportDatabase database_entry(const std::string& server, const std::string& name,
                              const Snapshot& snapshot, const Verdicts& verdicts,
                              const Clock& clock) {
  ReportDatabase entry;
  entry.name = name;
  for (const auto& evidence : snapshot.collectors)
    if (evidence->id.server == server && evidence->id.database == name)
      entry.collectors.push_back(
          collector_entry(*evidence, verdicts.collectors.at(evidence->id), clock));
  std::stable_sort(entry.collectors.begin(), entry.collectors.end(),
                   [](const ReportCollector& a, const ReportCollector& b) {
                     return urgency(a.state) < urgency(b.state);
                   });
  for (const QuestionVerdict& answer : verdicts.questions)
    if (answer.server == server && answer.database == name)
      entry.questions.push_back({answer.question, answer.state, answer.configured});
  return entry;
}

}  // namespace

Report make_report(const Snapshot& snapshot, const Clock& clock) {
  const Verdicts verdicts = judge_all(snapshot, clock.now(), clock.unix_now());
  Report report;
  report.made_at = clock.unix_now();
  report.overall = State::proven;
  for (const auto& options : snapshot.servers) {
    ReportServer server;
    server.name = options->name;
    server.databases.push_back(database_entry(server.name, "", snapshot, verdicts, clock));
    for (const DatabaseHealth& database : snapshot.databases) {
      if (database.server != server.name) continue;
      server.databases.push_back(
          database_entry(server.name, database.database, snapshot, verdicts, clock));
      server.databases.back().out_of_reach = database.tried && !database.up;
    }
    for (const NotWatched& unwatched : options->not_watched)
      server.not_watched.push_back({std::string(unwatched.spec->name), unwatched.hint});
    if (server.databases.size() == 1) report.overall = worse(report.overall, State::unproven);
    report.servers.push_back(std::move(server));
  }
  for (const auto& [id, verdict] : verdicts.collectors)
    report.overall = worse(report.overall, verdict.state);
  for (const QuestionVerdict& answer : verdicts.questions)
    report.overall = worse(report.overall, answer.state);
  return report;
}

std::string_view question_text(Question question) {
  switch (question) {
    case Question::intact:
      return "Is the data intact?";
    case Question::recoverable:
      return "Could we get it back?";
    case Question::service:
      return "Does it answer as promised?";
  }
  return "";
}

std::string how_long_ago(const Report& report, UnixTime when) {
  return format_duration(Seconds(std::max(0.0, std::floor(report.made_at - when)))) + " ago";
}

std::string object_counts(const ReportCollector& collector) {
  std::string text;
  for (const State state : kWorstFirst) {
    const auto count = std::count_if(collector.objects.begin(), collector.objects.end(),
                                     [&](const ReportObject& o) { return o.state == state; });
    if (count > 0)
      text +=
          (text.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(name_of(state));
  }
  if (collector.excluded > 0)
    text += (text.empty() ? "" : ", ") + std::to_string(collector.excluded) + " excluded";
  return text.empty() ? "nothing to look at" : text;
}

}  // namespace pg_integrity
