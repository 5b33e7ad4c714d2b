#include "exporter/report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/collector.h"
#include "collectors/ports/clock.h"
#include "collectors/registry.h"
#include "exporter/config/options.h"
#include "exporter/evidence/causes.h"
#include "exporter/evidence/sentence.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/io/clock.h"
#include "exporter/report/first_command.h"
#include "exporter/report/report_causes.h"
#include "exporter/report/report_history.h"
#include "exporter/report/runbooks.h"
#include "exporter/version.h"

namespace pg_integrity {

namespace {

template <typename Entries>
void sort_worst_first(Entries& entries) {
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return urgency(a.state) < urgency(b.state);
  });
}

bool is_judged(State state) {
  return state != State::unproven && state != State::observed && state != State::limited;
}

/// Whether it could not be checked.
bool has_reason(State state) {
  return state == State::unproven || state == State::limited;
}

/// A name in a fragment. Letters, digits, '-' and '_' stay, and every other byte becomes ".xx".
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

/// The fragment that identifies an object by its name, with server and database. The separators '/'
/// and '.' are ".2F" and ".2E", in upper case, so that they are never part of a name.
std::string anchor_for(const CollectorId& id, const ObjectKey& key) {
  std::string anchor = fmt::format("{}.2F{}.2F{}", in_fragment(id.server), in_fragment(id.database),
                                   in_fragment(id.collector));
  std::string_view separator = ".2F";
  for (const std::string& name : key) {
    anchor.append(separator).append(in_fragment(name));
    separator = ".2E";
  }
  return anchor;
}

ReportValue value_entry(const CollectorSpec& spec, const Sample& sample, double value) {
  ReportValue entry;
  entry.series = series_name(spec, sample);
  entry.metric = sample.metric->name;
  const auto names = sample.metric->labels();
  for (std::size_t i = 0; i < sample.labels.size(); ++i)
    if (!sample.labels[i].empty()) entry.labels.emplace(names[i], sample.labels[i]);
  entry.value = value;
  entry.text = fmt::format("{} {}", entry.series, readable_value(*sample.metric, value));
  return entry;
}

std::vector<std::string> findings_of(const CollectorEvidence& evidence, const Judgement& judgement,
                                     const Object& object) {
  const CollectorHealth& health = evidence.health;
  std::vector<std::string> findings;
  for (const Broken& broken : judgement.broken)
    findings.push_back(sentence_of(evidence.id, broken));
  if (object.gone_since)
    findings.push_back(
        "it has vanished, which repairs nothing. HINT: if that is in order, list it"
        " under `accept`");
  if (judgement.state == State::accepted) findings.push_back(sentence_of(*object.accepted));
  if (object.trouble && (has_reason(judgement.state) || judgement.state == State::violated))
    findings.push_back(object.trouble->detail);
  else if (judgement.state == State::unproven && judgement.reason == Reason::stale)
    findings.push_back(health.failure ? health.failure->detail : "the evidence is too old");
  return findings;
}

ReportObject object_entry(const CollectorEvidence& evidence, const Judge& judge,
                          const ObjectKey& key, const Object& object, const ServerCauses& causes,
                          const Clock& clock) {
  const Judgement judgement = judge.judge(key, object);
  ReportObject entry;
  entry.name = object_name(*evidence.spec, key);
  entry.anchor = anchor_for(evidence.id, key);
  entry.state = judgement.state;
  if (has_reason(judgement.state)) entry.reason = judgement.reason;
  if (has_reason(judgement.state)) entry.cause = causes.of(evidence.id, key);
  if (has_reason(judgement.state) && object.trouble)
    entry.since = clock.to_unix(object.trouble->since);
  entry.findings = findings_of(evidence, judgement, object);
  for (const Broken& broken : judgement.broken)
    entry.broken.push_back({value_entry(*evidence.spec, *broken.sample, broken.value),
                            std::string(broken.relation), broken.limit});
  entry.lines = object.lines;
  std::optional<Instant> oldest;
  for (const Sample& sample : object.samples) {
    if (!judge.is_visible(object, sample, judgement.state)) continue;
    if (!oldest || sample.observed_at < *oldest) oldest = sample.observed_at;
    entry.values.push_back(value_entry(*evidence.spec, sample, judge.value_of(sample)));
  }
  if (oldest) entry.evidence_time = clock.to_unix(*oldest);
  return entry;
}

ReportCollector collector_entry(const CollectorEvidence& evidence, const CollectorVerdict& verdict,
                                const ServerCauses& causes, const Clock& clock) {
  const Judge judge(evidence, clock.now(), clock.unix_now());
  const CollectorHealth& health = evidence.health;
  ReportCollector entry;
  entry.name = evidence.spec->name;
  entry.object_noun = evidence.spec->object_noun;
  entry.database = evidence.id.database;
  entry.anchor = ".collector.2F" + anchor_for(evidence.id, {});  // no object's anchor begins so
  entry.question = evidence.spec->question;
  entry.section = evidence.spec->report_section;
  entry.summary = evidence.spec->summary;
  // If nothing is judged, nothing is proven either.
  const bool judged = verdict.applicable || verdict.state != State::proven;
  const State unjudged =
      verdict.objects.contains(State::limited) ? State::limited : State::observed;
  entry.state = judged ? verdict.state : unjudged;
  entry.applicable = verdict.applicable;
  entry.interval = kept_interval(health);
  entry.excluded = evidence.excluded;
  entry.first_pass = !health.last_success.has_value();
  if (entry.first_pass && health.pass_since) {
    entry.pass_done = health.pass_done;
    entry.pass_known = health.pass_known;
  }
  if (health.last_success) entry.last_success = clock.to_unix(*health.last_success);
  if (health.failure)
    entry.failure = fmt::format("{}: {}", name_of(health.failure->reason), health.failure->detail);
  entry.cause = causes.of_failure(evidence.id);
  for (const auto& [key, object] : evidence.objects)
    entry.objects.push_back(object_entry(evidence, judge, key, *object, causes, clock));
  for (const ReportObject& object : entry.objects) ++entry.counts[object.state];
  sort_worst_first(entry.objects);
  return entry;
}

ReportDatabase database_entry(const std::string& server, const std::string& name,
                              const Snapshot& snapshot, const Verdicts& verdicts,
                              const ServerCauses& causes, const Clock& clock) {
  ReportDatabase entry;
  entry.name = name;
  for (const auto& evidence : snapshot.collectors)
    if (evidence->id.server == server && evidence->id.database == name)
      entry.collectors.push_back(
          collector_entry(*evidence, verdicts.collectors.at(evidence->id), causes, clock));
  sort_worst_first(entry.collectors);
  for (const ReportCollector& collector : entry.collectors)
    entry.state = worse(entry.state, collector.state);
  return entry;
}

void note_evidence(std::optional<UnixTime>& oldest, const ReportCollector& collector) {
  for (const ReportObject& object : collector.objects)
    if (object.evidence_time && is_judged(object.state))
      oldest = std::min(oldest.value_or(*object.evidence_time), *object.evidence_time);
}

/// The answer for a database rests on the collectors of its own and on those of the whole server.
ReportQuestion question_entry(const QuestionVerdict& answer, const ReportDatabase& whole_server,
                              const ReportDatabase& database) {
  ReportQuestion entry;
  entry.question = answer.question;
  entry.state = answer.state;
  entry.configured = answer.configured;
  const ReportCollector* worst = nullptr;
  for (const ReportDatabase* place : {&database, &whole_server})
    for (const ReportCollector& collector : place->collectors) {
      if (collector.question != answer.question) continue;
      if (worst == nullptr || urgency(collector.state) < urgency(worst->state)) worst = &collector;
      for (const auto& [state, count] : collector.counts) entry.counts[state] += count;
      note_evidence(entry.oldest_evidence, collector);
      if (collector.first_pass) ++entry.first_passes;
      if (collector.failure) ++entry.failing;
    }
  if (worst != nullptr) entry.anchor = worst->anchor;
  if (!answer.configured) {
    const bool tries = entry.first_passes > 0 || entry.failing > 0;
    entry.reason = tries ? Reason::pending : Reason::not_configured;
    if (answer.limits > 0) entry.reason = Reason::limited;
  } else if (answer.unproved && answer.state == State::unproven) {
    entry.reason = Reason::not_proved;
  }
  return entry;
}

/// What is wrong with the objects of a collector. The first finding tells what is the same.
void add_wrong(const ServerOptions& options, const ReportPlaces& places,
               const ReportCollector& collector, std::vector<ReportWrong>& wrong) {
  std::map<std::string, std::size_t> known;  // index by metric
  for (const ReportObject& object : collector.objects) {
    if (object.state != State::violated || object.broken.empty()) continue;
    const auto [at, is_new] = known.emplace(object.broken.front().seen.metric, wrong.size());
    if (!is_new) {
      ++wrong[at->second].others;
      continue;
    }
    wrong.push_back({collector.database,
                     object.findings.front(),
                     object.anchor,
                     collector.object_noun,
                     0,
                     {},
                     {}});
    const ReportBroken& broken = object.broken.front();
    const Runbook* runbook = runbook_for(broken.seen.metric, broken.relation);
    if (runbook == nullptr) continue;
    wrong.back().runbook = runbook->name;
    wrong.back().command =
        first_command(*runbook, options, places, {collector.database, broken.seen.labels});
  }
}

/// Adds the server's own version, role and identifier, as long as they are recent.
void describe_server(ReportServer& server, const Snapshot& snapshot, const Clock& clock) {
  constexpr std::string_view kInfo = "pg_integrity_server_info";
  for (const auto& evidence : snapshot.collectors) {
    if (evidence->id.server != server.name ||
        metric_named(*evidence->spec, nullptr, kInfo) == nullptr)
      continue;
    const Judge judge(*evidence, clock.now(), clock.unix_now());
    for (const auto& [key, object] : evidence->objects)
      for (const Sample& sample : object->samples) {
        if (sample.metric->name != kInfo || !judge.is_visible(*object, sample, State::observed))
          continue;
        const auto names = sample.metric->labels();
        for (std::size_t i = 0; i < names.size(); ++i) {
          if (names[i] == "version") server.version = sample.labels[i];
          if (names[i] == "role") server.role = sample.labels[i];
          if (names[i] == "system_identifier") server.system_identifier = sample.labels[i];
        }
      }
  }
}

ReportServer server_entry(const ServerOptions& options, const Snapshot& snapshot,
                          const Verdicts& verdicts, const std::vector<Cause>& all,
                          const ReportPlaces& places, const Clock& clock) {
  ReportServer server;
  server.name = options.name;
  server.anchor = in_fragment(server.name);
  const auto databases =
      std::count_if(snapshot.databases.begin(), snapshot.databases.end(),
                    [&](const DatabaseHealth& one) { return one.server == options.name; });
  const ServerCauses causes(all, options.name, databases > 1);
  server.causes = causes.entries(server.anchor, clock);
  describe_server(server, snapshot, clock);
  server.databases.push_back(database_entry(server.name, "", snapshot, verdicts, causes, clock));
  for (const DatabaseHealth& health : snapshot.databases) {
    if (health.server != server.name) continue;
    ReportDatabase database =
        database_entry(server.name, health.database, snapshot, verdicts, causes, clock);
    database.out_of_reach = health.tried && !health.up;
    for (const QuestionVerdict& answer : verdicts.questions)
      if (answer.server == server.name && answer.database == database.name)
        database.questions.push_back(question_entry(answer, server.databases.front(), database));
    for (const ReportQuestion& question : database.questions)
      database.state = worse(database.state, question.state);
    server.databases.push_back(std::move(database));
  }
  if (server.databases.size() == 1) server.state = State::unproven;
  for (const ReportDatabase& database : server.databases)
    for (const ReportCollector& collector : database.collectors)
      add_wrong(options, places, collector, server.wrong);
  for (const ReportDatabase& database : server.databases)
    server.state = worse(server.state, database.state);
  for (const NotWatched& unwatched : options.not_watched)
    server.not_watched.push_back({std::string(unwatched.spec->name),
                                  std::string(unwatched.spec->report_section), unwatched.hint,
                                  unwatched.hint == unwatched.spec->wanted_hint
                                      ? std::string(unwatched.spec->wanted_snippet)
                                      : std::string()});
  return server;
}

void add_up(Report& report, const ReportCollector& collector) {
  ++report.collectors;
  if (collector.first_pass) ++report.first_passes;
  for (const auto& [state, count] : collector.counts) report.counts[state] += count;
  for (const ReportObject& object : collector.objects) {
    if (!object.evidence_time) continue;
    const UnixTime time = *object.evidence_time;
    report.oldest_evidence = std::min(report.oldest_evidence.value_or(time), time);
    report.newest_evidence = std::max(report.newest_evidence.value_or(time), time);
  }
}

}  // namespace

Report make_report(const Snapshot& snapshot, const Clock& clock, const ReportContext& context) {
  const Verdicts verdicts = judge_all(snapshot, clock.now(), clock.unix_now());
  const std::vector<Cause> causes = causes_of(snapshot, verdicts);
  Report report;
  report.made_at = clock.unix_now();
  report.exporter = fmt::format("{} ({})", kVersion, kRevision);
  report.runbooks = context.places.runbooks;
  report.overall = State::proven;
  for (const auto& options : snapshot.servers) {
    report.servers.push_back(
        server_entry(*options, snapshot, verdicts, causes, context.places, clock));
    report.overall = worse(report.overall, report.servers.back().state);
    for (const ReportDatabase& database : report.servers.back().databases)
      for (const ReportCollector& collector : database.collectors) add_up(report, collector);
  }
  if (context.history != nullptr) add_history(*context.history, report);
  return report;
}

}  // namespace pg_integrity
