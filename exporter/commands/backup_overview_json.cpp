#include <nlohmann/json.hpp>

#include "exporter/commands/backup_overview.h"
#include "exporter/io/clock.h"

namespace pg_integrity {

namespace {

using Document = nlohmann::ordered_json;

constexpr int kOverviewFormat = 1;  ///< grows when a field goes or changes its meaning

Document or_null(const std::optional<UnixTime>& time) {
  return time ? Document(format_utc(*time)) : Document(nullptr);
}

Document or_null(const std::string& text) {
  return text.empty() ? Document(nullptr) : Document(text);
}

Document number_or_null(const std::optional<double>& number) {
  return number ? Document(*number) : Document(nullptr);
}

Document seconds_or_null(const std::optional<Seconds>& span) {
  return span ? Document(span->count()) : Document(nullptr);
}

Document level_or_null(const std::optional<ProofLevel>& level) {
  return level ? Document(number_of(*level)) : Document(nullptr);
}

void add_verdict(Document& of, const OverviewVerdict& verdict) {
  of["state"] = std::string(name_of(verdict.state));
  of["reason"] =
      verdict.reason ? Document(std::string(name_of(*verdict.reason))) : Document(nullptr);
  of["findings"] = verdict.findings;
}

Document document_of(const OverviewProof& proof) {
  Document of;
  add_verdict(of, proof.verdict);
  of["checked_at"] = or_null(proof.checked_at);
  of["evidence"] = proof.lines;
  return of;
}

Document document_of(const ListedBackup& backup) {
  return {{"name", backup.name},
          {"time", or_null(backup.time)},
          {"bytes", number_or_null(backup.size)},
          {"status", std::string(kBackupStatusNames.at(static_cast<std::size_t>(backup.status)))},
          {"counts", backup.counts},
          {"why_not", or_null(backup.why)},
          {"proof_level", level_or_null(backup.level)},
          {"checked_at", or_null(backup.checked_at)}};
}

Document document_of(const OverviewKind& kind) {
  Document of{{"kind", kind.name}};
  add_verdict(of, kind.verdict);
  of["schedule"] = or_null(kind.schedule);
  of["next_run"] = or_null(kind.next_run);
  of["missed_runs"] = number_or_null(kind.missed_runs);
  of["newest"] = or_null(kind.newest);
  of["newest_bytes"] = number_or_null(kind.size);
  of["proof_level"] = level_or_null(kind.level);
  Document counts = Document::object();
  for (const std::string_view status : kBackupStatusNames) {
    const auto found = kind.by_status.find(std::string(status));
    counts[std::string(status)] =
        found == kind.by_status.end() ? Document(nullptr) : Document(found->second);
  }
  of["counts"] = std::move(counts);
  of["proof"] = document_of(kind.proof);
  of["drill"] = document_of(kind.drill);
  of["backups"] = Document::array();
  for (const ListedBackup& backup : kind.backups) of["backups"].push_back(document_of(backup));
  return of;
}

Document document_of(const OverviewSource& source) {
  Document of{{"source", source.name}, {"where", or_null(source.where)}};
  of["not_read"] = or_null(source.trouble);
  add_verdict(of, source.verdict);
  of["kinds"] = Document::array();
  for (const OverviewKind& kind : source.kinds) of["kinds"].push_back(document_of(kind));
  return of;
}

Document document_of(const OverviewServer& server, UnixTime now) {
  Document of{
      {"server", server.name},
      {"state", std::string(name_of(server.answer.state))},
      {"reason", server.answer.reason ? Document(std::string(name_of(*server.answer.reason)))
                                      : Document(nullptr)}};
  Document point;
  add_verdict(point, server.recovery_point_verdict);
  std::optional<UnixTime> moment;
  if (server.recovery_point_age) moment = now - server.recovery_point_age->count();
  point["time"] = or_null(moment);
  point["age_seconds"] = seconds_or_null(server.recovery_point_age);
  point["objective_seconds"] = seconds_or_null(server.recovery_point_objective);
  point["evidence"] = server.recovery_point_lines;
  of["recovery_point"] = std::move(point);
  of["sources"] = Document::array();
  for (const OverviewSource& source : server.sources) of["sources"].push_back(document_of(source));
  return of;
}

}  // namespace

std::string backups_as_json(const BackupOverview& overview) {
  Document document{{"format", kOverviewFormat},
                    {"made_at", format_utc(overview.made_at)},
                    {"exporter", overview.exporter},
                    {"overall", std::string(name_of(overview.overall))},
                    {"servers", Document::array()}};
  for (const OverviewServer& server : overview.servers)
    document["servers"].push_back(document_of(server, overview.made_at));
  // The document is ASCII, so that no name can turn text around in a terminal.
  return document.dump(2, ' ', true, Document::error_handler_t::replace) + "\n";
}

}  // namespace pg_integrity
