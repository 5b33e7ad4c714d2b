#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "collectors/base/units.h"
#include "exporter/commands/backup_overview.h"
#include "exporter/io/clock.h"
#include "exporter/report/printable.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kShown = 20;  ///< backups of a kind; JSON has all

std::string upper_case(std::string_view text) {
  std::string out;
  for (const char c : text) out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

std::string state_text(const OverviewVerdict& verdict) {
  std::string text = upper_case(name_of(verdict.state));
  if (verdict.reason) text += fmt::format("({})", name_of(*verdict.reason));
  return text;
}

std::string duration_text(double seconds) {
  return format_duration(Seconds(std::floor(std::max(0.0, seconds))));
}

std::string size_text(double bytes) {
  constexpr std::string_view kUnits[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  std::size_t unit = 0;
  for (; bytes >= 1000 && unit + 1 < std::size(kUnits); ++unit) bytes /= 1000;
  return fmt::format("{:.{}f} {}", bytes, unit == 0 ? 0 : 1, kUnits[unit]);
}

std::string count_text(double number, std::string_view noun) {
  return fmt::format("{:.0f} {}{}", number, noun, number == 1 ? "" : "s");
}

void append_findings(std::string& out, const OverviewVerdict& verdict, std::string_view margin) {
  for (const std::string& finding : verdict.findings)
    out += fmt::format("{}! {}\n", margin, printable(finding));
}

void append_proof(std::string& out, const OverviewProof& proof, std::string_view title) {
  if (proof.verdict.state == State::observed && proof.lines.empty()) return;
  out += fmt::format("      {}: {}", title, state_text(proof.verdict));
  for (const std::string& line : proof.lines) out += "; " + printable(line);
  out += "\n";
  append_findings(out, proof.verdict, "        ");
}

void append_schedule(std::string& out, const OverviewKind& kind, UnixTime now) {
  if (kind.schedule.empty()) return;
  out += "      next run: ";
  if (!kind.next_run)
    out += "not known";
  else if (*kind.next_run >= now)
    out +=
        fmt::format("{}, in {}", format_utc(*kind.next_run), duration_text(*kind.next_run - now));
  else
    out +=
        fmt::format("{}, {} ago", format_utc(*kind.next_run), duration_text(now - *kind.next_run));
  out += fmt::format(" ({})", printable(kind.schedule));
  if (kind.missed_runs && *kind.missed_runs > 0)
    out += "; " + count_text(*kind.missed_runs, "missed run");
  out += "\n";
}

std::string backup_text(const ListedBackup& backup, UnixTime now) {
  std::string text =
      fmt::format("{:<20}  {:>9}  {}: ", backup.time ? format_utc(*backup.time) : "time not known",
                  backup.size ? size_text(*backup.size) : "", printable(backup.name));
  if (!backup.counts) return text + "does not count: " + printable(backup.why);
  text += "counts";
  if (backup.level)
    text += fmt::format(", level {} ({})", number_of(*backup.level), words_for(*backup.level));
  if (backup.checked_at) text += fmt::format(", {} ago", duration_text(now - *backup.checked_at));
  return text;
}

void append_backups(std::string& out, const OverviewKind& kind, UnixTime now) {
  std::string counts;
  for (const auto& [status, number] : kind.by_status)
    if (number > 0)
      counts += fmt::format("{}{:.0f} {}", counts.empty() ? "" : ", ", number, status);
  if (!kind.by_status.empty())
    out += fmt::format("      what there is: {}\n", counts.empty() ? "nothing" : counts);
  const std::size_t shown = std::min(kShown, kind.backups.size());
  for (std::size_t i = 0; i < shown; ++i)
    out += fmt::format("        {}\n", backup_text(kind.backups[i], now));
  if (shown < kind.backups.size())
    out += fmt::format("        {} older. HINT: --format json has all of them\n",
                       kind.backups.size() - shown);
}

void append_kind(std::string& out, const OverviewKind& kind, UnixTime now) {
  out += fmt::format("    {}: {}\n", printable(kind.name), state_text(kind.verdict));
  append_findings(out, kind.verdict, "      ");
  if (kind.newest) {
    out += fmt::format("      newest that counts: {}, {} ago", format_utc(*kind.newest),
                       duration_text(now - *kind.newest));
    if (kind.size) out += ", " + size_text(*kind.size);
    if (kind.level)
      out += fmt::format(", level {} ({})", number_of(*kind.level), words_for(*kind.level));
    out += "\n";
  }
  append_proof(out, kind.proof, "proof");
  append_proof(out, kind.drill, "drill");
  append_schedule(out, kind, now);
  append_backups(out, kind, now);
}

void append_recovery_point(std::string& out, const OverviewServer& server, UnixTime now) {
  out += "  recovery point: ";
  if (server.recovery_point_age)
    out += fmt::format("{}, {} ago", format_utc(now - server.recovery_point_age->count()),
                       duration_text(server.recovery_point_age->count()));
  else
    out += "not known";
  if (server.recovery_point_objective)
    out += fmt::format(", {} at most: {}", format_duration(*server.recovery_point_objective),
                       state_text(server.recovery_point_verdict));
  for (const std::string& line : server.recovery_point_lines) out += "; " + printable(line);
  out += "\n";
  append_findings(out, server.recovery_point_verdict, "    ");
}

void append_server(std::string& out, const OverviewServer& server, UnixTime now) {
  out += fmt::format("server {}\n  could we get it back? {}\n", printable(server.name),
                     state_text(server.answer));
  if (server.sources.empty())
    out +=
        "  no backups are configured. HINT: [[server.backups]], or pg_integrity_exporter "
        "config init\n";
  else
    append_recovery_point(out, server, now);
  for (const OverviewSource& source : server.sources) {
    out += fmt::format("\n  {}, {}\n", printable(source.name), printable(source.where));
    if (!source.trouble.empty())
      out += fmt::format("    ! as on record, since it could not be read: {}\n",
                         printable(source.trouble));
    append_findings(out, source.verdict, "    ");
    for (const OverviewKind& kind : source.kinds) append_kind(out, kind, now);
  }
  out += "\n";
}

}  // namespace

std::string backups_as_text(const BackupOverview& overview) {
  std::string out;
  for (const OverviewServer& server : overview.servers)
    append_server(out, server, overview.made_at);
  return out + fmt::format("overall: {}\n", upper_case(name_of(overview.overall)));
}

}  // namespace pg_integrity
