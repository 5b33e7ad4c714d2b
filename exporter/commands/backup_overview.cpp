#include "exporter/commands/backup_overview.h"

#include <algorithm>
#include <set>
#include <utility>

#include "collectors/base/errors.h"
#include "collectors/collector.h"
#include "collectors/recovery/backup_schedule.h"

namespace pg_integrity {

namespace {

constexpr std::string_view kBackups = "backups";
constexpr std::string_view kProofs = "proofs";
constexpr std::string_view kDrills = "restore_drill";

/// An object of a collector, with its name in parts.
struct Named {
  std::string collector;
  ObjectKey key;
  const ReportObject* object = nullptr;
};

using NamedObjects = std::vector<Named>;

const ReportServer* server_in(const Report& report, const std::string& name) {
  for (const ReportServer& server : report.servers)
    if (server.name == name) return &server;
  return nullptr;
}

/// The objects of one server.
NamedObjects named_objects(const Snapshot& snapshot, const ReportServer& server) {
  std::map<std::string, const ReportObject*> by_name;
  for (const ReportDatabase& database : server.databases)
    for (const ReportCollector& collector : database.collectors)
      for (const ReportObject& object : collector.objects) by_name[object.name] = &object;
  NamedObjects named;
  for (const auto& collector : snapshot.collectors) {
    if (collector->id.server != server.name) continue;
    for (const auto& [key, object] : collector->objects)
      if (const auto found = by_name.find(object_name(*collector->spec, key));
          found != by_name.end())
        named.push_back({collector->id.collector, key, found->second});
  }
  return named;
}

void add(OverviewVerdict& verdict, const ReportObject& object) {
  if (urgency(object.state) < urgency(verdict.state)) {
    verdict.state = object.state;
    verdict.reason = object.reason;
  }
  verdict.findings.insert(verdict.findings.end(), object.findings.begin(), object.findings.end());
}

std::optional<double> value_of(const ReportObject& object, const std::string& metric) {
  for (const ReportValue& value : object.values)
    if (value.metric == metric) return value.value;
  return std::nullopt;
}

void take_kind(const ReportObject& object, OverviewKind& kind) {
  add(kind.verdict, object);
  kind.newest = value_of(object, "pg_integrity_backup_last_success_timestamp_seconds");
  kind.size = value_of(object, "pg_integrity_backup_last_size_bytes");
  kind.missed_runs = value_of(object, "pg_integrity_backup_missed_runs");
  if (const auto level = value_of(object, "pg_integrity_backup_proof_level"))
    kind.level = proof_level(static_cast<int>(*level));
  for (const ReportValue& value : object.values)
    if (const auto status = value.labels.find("status");
        value.metric == "pg_integrity_backups" && status != value.labels.end())
      kind.by_status[status->second] = value.value;
}

void take_proof(const ReportObject& object, const std::string& age, UnixTime now,
                OverviewProof& proof) {
  add(proof.verdict, object);
  if (const auto seconds = value_of(object, age)) proof.checked_at = now - *seconds;
  proof.lines = object.lines;
}

/// What is known of a kind: on record, and just now.
OverviewKind kind_from(const NamedObjects& objects, const std::string& source,
                       const std::string& name, UnixTime now) {
  OverviewKind kind;
  kind.name = name;
  const ObjectKey key{source, name};
  for (const Named& one : objects) {
    if (one.key != key) continue;
    if (one.collector == kBackups) take_kind(*one.object, kind);
    if (one.collector == kProofs)
      take_proof(*one.object, "pg_integrity_backup_proof_age_seconds", now, kind.proof);
    if (one.collector == kDrills)
      take_proof(*one.object, "pg_integrity_restore_drill_age_seconds", now, kind.drill);
  }
  return kind;
}

std::string where_is(const BackupSource& source) {
  if (source.directory) return "directory " + source.directory->path;
  if (source.bucket) return "bucket " + source.bucket->archives.path;
  if (source.table) return "table " + source.table->table.display();
  if (!source.catalogue) return {};
  const BackupCatalogue& catalogue = *source.catalogue;
  if (catalogue.command.empty()) return "catalogue in the file " + catalogue.file;
  return "catalogue of " + catalogue.command.front();
}

/// The names of further objects of a source, such as "full in repository 2".
std::set<std::string> further_kinds(const NamedObjects& objects, const BackupSource& source) {
  std::set<std::string> names;
  for (const Named& one : objects)
    if (one.key.size() == 2 && one.key.front() == source.name) names.insert(one.key.back());
  for (const BackupKind& kind : source.kinds) names.erase(kind.name);
  return names;
}

OverviewSource source_from(const NamedObjects& objects, const BackupSource& source, ReadSource read,
                           const Clock& clock) {
  OverviewSource out{source.name, where_is(source), read.trouble, {}, {}};
  for (const Named& one : objects)
    if (one.key == ObjectKey{source.name}) add(out.verdict, *one.object);
  sort_newest_first(read.list);
  for (const BackupKind& declared : source.kinds) {
    OverviewKind kind = kind_from(objects, source.name, declared.name, clock.unix_now());
    kind.backups = std::move(read.list[declared.name]);
    kind.schedule = declared.schedule.text();
    if (declared.schedule.promised())
      kind.next_run = next_run(declared.schedule, kind.newest, clock);
    out.kinds.push_back(std::move(kind));
  }
  for (const std::string& name : further_kinds(objects, source))
    out.kinds.push_back(kind_from(objects, source.name, name, clock.unix_now()));
  return out;
}

/// The worst answer to the question, of all databases.
OverviewVerdict answer_of(const ReportServer& server) {
  OverviewVerdict worst;
  for (const ReportDatabase& database : server.databases)
    for (const ReportQuestion& question : database.questions)
      if (question.question == Question::recoverable &&
          urgency(question.state) < urgency(worst.state))
        worst = {question.state, question.reason, {}};
  if (worst.state == State::observed) worst.state = State::unproven;
  return worst;
}

/// Takes the newest backup that counts for the recovery point where that is not known.
void guess_recovery_point(OverviewServer& server, UnixTime now) {
  std::optional<UnixTime> newest;
  for (const OverviewSource& source : server.sources)
    for (const OverviewKind& kind : source.kinds)
      if (kind.newest && (!newest || *kind.newest > *newest)) newest = kind.newest;
  if (!newest || server.recovery_point_age) return;
  server.recovery_point_age = Seconds(now - *newest);
  server.recovery_point_lines.emplace_back(
      "newest backup that counts, as far as the sources could be read");
}

}  // namespace

BackupOverview make_backup_overview(const std::vector<ServerOptions>& servers,
                                    const Snapshot& snapshot, const Report& report,
                                    ReadSources read, const Clock& clock) {
  BackupOverview overview{report.made_at, report.exporter, State::proven, {}};
  for (const ServerOptions& options : servers) {
    OverviewServer server;
    server.name = options.name;
    server.recovery_point_objective = options.recovery_point_objective;
    const ReportServer* reported = server_in(report, options.name);
    const NamedObjects objects =
        reported != nullptr ? named_objects(snapshot, *reported) : NamedObjects{};
    if (reported != nullptr) server.answer = answer_of(*reported);
    for (const Named& one : objects)
      if (one.collector == kBackups && one.key.empty()) {
        add(server.recovery_point_verdict, *one.object);
        server.recovery_point_lines = one.object->lines;
        if (const auto age = value_of(*one.object, "pg_integrity_recovery_point_age_seconds"))
          server.recovery_point_age = Seconds(*age);
      }
    for (const BackupSource& source : options.backups)
      server.sources.push_back(
          source_from(objects, source, std::move(read[{options.name, source.name}]), clock));
    guess_recovery_point(server, clock.unix_now());
    overview.overall = worse(overview.overall, server.answer.state);
    overview.servers.push_back(std::move(server));
  }
  return overview;
}

std::string_view words_for(ProofLevel level) {
  switch (level) {
    case ProofLevel::on_record:
      return "on record";
    case ProofLevel::plausible:
      return "plausible";
    case ProofLevel::contents:
      return "read";
    case ProofLevel::decoded:
      return "decoded";
    case ProofLevel::restored:
      return "restored";
    case ProofLevel::compared:
      return "restored and compared";
  }
  return {};
}

}  // namespace pg_integrity
