#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "collectors/registry.h"
#include "exporter/evidence/verdict.h"
#include "exporter/io/clock.h"
#include "exporter/report/printable.h"
#include "exporter/report/report.h"
#include "exporter/report/report_history.h"

namespace pg_integrity {

namespace {

std::string upper(std::string_view text) {
  std::string out;
  for (const char c : text) out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

/// What is unproven or limited is told by its cause.
bool wants_words(const ReportObject& object) {
  return object.state == State::violated || object.state == State::accepted;
}

std::string collector_note(const Report& report, const ReportCollector& collector) {
  std::string note = counts_text(collector.counts, collector.excluded);
  if (collector.failure) note += "; failing";
  if (collector.last_success)
    return fmt::format("{}; last complete pass {} ago", note,
                       age_of(report, *collector.last_success));
  const std::string progress = pass_progress(collector);
  return fmt::format("{}; no complete pass yet{}{}", note, progress.empty() ? "" : ", ", progress);
}

void append_object(std::string& out, const Report& report, const ReportObject& object) {
  out += "      " + upper(name_of(object.state));
  out += fmt::format(" {} - ", printable(object.name));
  out += object.evidence_time
             ? fmt::format("evidence {} ago", age_of(report, *object.evidence_time))
             : "no evidence yet";
  out += "\n";
  for (const auto* texts : {&object.findings, &object.lines})
    for (const std::string& text : *texts) out += fmt::format("          {}\n", printable(text));
}

void append_lines_of_collector(std::string& out, const Report& report,
                               const ReportCollector& collector) {
  out += fmt::format("  [{}] {} ({}): {}\n", upper(name_of(collector.state)), collector.section,
                     collector.name, collector_note(report, collector));
  for (const ReportObject& object : collector.objects)
    if (wants_words(object)) append_object(out, report, object);
}

void append_lines_of_wrong(std::string& out, const Report& report, const ReportServer& server) {
  if (server.wrong.empty()) return;
  out += fmt::format("\nserver {}: what is wrong\n", printable(server.name));
  for (const ReportWrong& wrong : server.wrong) {
    out += "  " + (wrong.database.empty() ? "" : "database " + printable(wrong.database) + ": ");
    out += printable(wrong_text(wrong)) + "\n";
    if (!wrong.runbook.empty())
      out += fmt::format("    runbook {}\n", runbook_named(report, wrong.runbook));
  }
}

void append_lines_of_causes(std::string& out, const Report& report, const ReportServer& server) {
  if (server.causes.empty()) return;
  out += fmt::format("\nserver {}: what could not be checked, and why\n", printable(server.name));
  for (const ReportCause& cause : server.causes) {
    out += fmt::format("  {}({}) {}", upper(name_of(cause.state)), name_of(cause.reason),
                       printable(cause_text(cause)));
    out += cause.since ? fmt::format(" (for {})\n", age_of(report, *cause.since)) : "\n";
  }
}

void append_lines_of_changes(std::string& out, const Report& report, const ReportServer& server) {
  if (!report.history) return;
  out += fmt::format("\nserver {}: since yesterday\n", printable(server.name));
  if (server.changes.empty()) out += "  " + no_change_text(*report.history, report.made_at) + "\n";
  const std::size_t shown = std::min(server.changes.size(), kShownChanges);
  for (std::size_t i = 0; i < shown; ++i)
    out += fmt::format("  {} {}\n", format_utc(server.changes[i].time),
                       printable(change_text(server.changes[i])));
  if (shown < server.changes.size())
    out += fmt::format("  {} more: `pg_integrity_exporter report --since 1d` has all of them\n",
                       server.changes.size() - shown);
}

void append_database(std::string& out, const Report& report, const ReportServer& server,
                     const ReportDatabase& database) {
  out += "\nserver " + printable(server.name);
  if (!database.name.empty()) out += ", database " + printable(database.name);
  const std::string note = server_note(server);
  if (database.name.empty() && !note.empty()) out += " - " + printable(note);
  out += database.out_of_reach ? " - OUT OF REACH\n" : "\n";
  for (const ReportQuestion& question : database.questions)
    out += fmt::format("  {} {}: {}\n", question_text(question.question),
                       upper(answer_text(question)), answer_note(report, question));
  for (const ReportCollector& collector : database.collectors)
    append_lines_of_collector(out, report, collector);
}

}  // namespace

std::string report_as_text(const Report& report) {
  std::string out = fmt::format("Evidence of {}\n", format_utc(report.made_at));
  if (report.oldest_evidence && report.newest_evidence)
    out += fmt::format("taken from {} to {}\n", format_utc(*report.oldest_evidence),
                       format_utc(*report.newest_evidence));
  out += fmt::format("by pg_integrity_exporter {}\n", report.exporter);
  for (const ReportServer& server : report.servers) {
    append_lines_of_wrong(out, report, server);
    append_lines_of_causes(out, report, server);
    append_lines_of_changes(out, report, server);
    for (const ReportDatabase& database : server.databases)
      if (!database.collectors.empty() || !database.questions.empty())
        append_database(out, report, server, database);
    for (const ReportUnwatched& unwatched : server.not_watched)
      out += fmt::format("  [NOT WATCHED] {} ({}). HINT: {}\n", unwatched.section,
                         unwatched.collector, printable(unwatched.hint));
  }
  if (report.history) out += "\n" + history_text(*report.history) + "\n";
  out += fmt::format("\n{}\n{}\noverall: {}\n", printable(headline(report)), overall_note(report),
                     upper(name_of(report.overall)));
  return out;
}

}  // namespace pg_integrity
