#include <fmt/format.h>

#include "collectors/base/units.h"
#include "collectors/registry.h"
#include "exporter/evidence/verdict.h"
#include "exporter/io/clock.h"
#include "exporter/report/markdown_escape.h"
#include "exporter/report/report.h"
#include "exporter/report/report_history.h"

namespace pg_integrity {

namespace {

std::string place(const std::string& database) {
  return database.empty() ? "the whole server" : "database " + markdown(database);
}

std::string state_of(const ReportObject& object) {
  std::string text(name_of(object.state));
  if (object.reason) text += fmt::format(" ({})", name_of(*object.reason));
  return text;
}

/// "cause 2": its row in the table of causes.
std::string cause_number(std::size_t index) {
  return fmt::format("cause {}", index + 1);
}

/// The reasons for an object's state: its cause, its findings and their evidence, or its values if
/// it is good.
std::string claim(const ReportObject& object) {
  const bool good = object.state == State::proven || object.state == State::observed;
  std::string text;
  const auto add = [&](const std::string& piece) {
    text += (text.empty() ? "" : "; ") + markdown(piece);
  };
  if (object.cause)
    add(cause_number(*object.cause));
  else
    for (const std::string& finding : object.findings) add(finding);
  if (good)
    for (const ReportValue& value : object.values) add(value.text);
  for (const std::string& line : object.lines) add(line);
  return text;
}

void append_table_of_collector(std::string& out, const ReportCollector& collector) {
  out += fmt::format("\n#### {}, {}: {}\n\n", collector.section, place(collector.database),
                     name_of(collector.state));
  out += fmt::format("{} (`{}`): {}; ", collector.summary, collector.name,
                     counts_text(collector.counts, collector.excluded));
  const std::string progress = pass_progress(collector);
  out += collector.last_success
             ? fmt::format("last complete pass {}, every {}", format_utc(*collector.last_success),
                           format_duration(collector.interval))
             : "no complete pass yet";
  out += (progress.empty() ? "" : ", " + progress) + ".\n";
  if (collector.cause)
    out += fmt::format("\nNewest attempt failed: {}\n", cause_number(*collector.cause));
  if (collector.objects.empty()) return;
  out += "\n| object | state | evidence taken | finding |\n|---|---|---|---|\n";
  for (const ReportObject& object : collector.objects)
    out += fmt::format("| {} | {} | {} | {} |\n", markdown(object.name), state_of(object),
                       object.evidence_time ? format_utc(*object.evidence_time) : "never",
                       claim(object));
}

void append_chapter(std::string& out, std::size_t number, const Chapter& chapter,
                    const ReportServer& server) {
  std::string text;
  for (const ReportDatabase& database : server.databases)
    for (const ReportCollector& collector : database.collectors)
      if (belongs_to(chapter, collector.section)) append_table_of_collector(text, collector);
  const bool watched = !text.empty();
  for (const ReportUnwatched& unwatched : server.not_watched)
    if (belongs_to(chapter, unwatched.section))
      text += fmt::format("\nNot watched: {} (`{}`). HINT: {}\n", unwatched.section,
                          unwatched.collector, markdown(unwatched.hint));
  out += fmt::format("\n### {}. {}\n", number, chapter.title);
  if (!watched && !chapter.sections.empty())
    out += "\n**Unproven**: there is no evidence, for nothing watches it.\n";
  out += text;
}

void append_wrong(std::string& out, const Report& report, const ReportServer& server) {
  if (server.wrong.empty()) return;
  out += "\nWhat is wrong:\n\n";
  for (const ReportWrong& wrong : server.wrong)
    out += fmt::format("- {} ({}){}\n", markdown(wrong_text(wrong)), place(wrong.database),
                       wrong.runbook.empty()
                           ? std::string()
                           : " runbook " + markdown(runbook_named(report, wrong.runbook)));
}

void append_changes(std::string& out, const Report& report, const ReportServer& server) {
  if (!report.history) return;
  out += "\nSince yesterday:\n\n";
  if (server.changes.empty())
    out += fmt::format("- {}\n", no_change_text(*report.history, report.made_at));
  for (const HistoryEntry& change : server.changes)
    out += fmt::format("- {} {} ({})\n", format_utc(change.time), markdown(change_text(change)),
                       place(change.database));
}

void append_causes(std::string& out, const ReportServer& server) {
  if (server.causes.empty()) return;
  out += "\n| | what could not be checked, and why | state | since |\n|---|---|---|---|\n";
  for (std::size_t i = 0; i < server.causes.size(); ++i) {
    const ReportCause& cause = server.causes[i];
    out += fmt::format("| {} | {} | {} ({}) | {} |\n", cause_number(i), markdown(cause_text(cause)),
                       name_of(cause.state), name_of(cause.reason),
                       cause.since ? format_utc(*cause.since) : "");
  }
}

void append_part_of_server(std::string& out, const Report& report, const ReportServer& server) {
  out += fmt::format("\n## Server {}\n\n", markdown(server.name));
  const std::string note = server_note(server);
  out += note.empty() ? "Nobody has seen it lately.\n" : markdown(note);
  if (!note.empty())
    out += fmt::format(", system identifier {}.\n", markdown(server.system_identifier));
  append_wrong(out, report, server);
  append_changes(out, report, server);
  for (const ReportDatabase& database : server.databases) {
    if (database.questions.empty()) continue;
    out += fmt::format("\n| database {}{} | answer |\n|---|---|\n", markdown(database.name),
                       database.out_of_reach ? " (out of reach)" : "");
    for (const ReportQuestion& question : database.questions)
      out += fmt::format("| {} | **{}**: {} |\n", question_text(question.question),
                         answer_text(question), answer_note(report, question));
  }
  append_causes(out, server);
  std::size_t number = 0;
  for (const Chapter& chapter : chapters()) append_chapter(out, ++number, chapter, server);
}

}  // namespace

std::string report_as_markdown(const Report& report) {
  std::string out =
      fmt::format("# Evidence of {}\n\nOverall: **{}** ({})\n\n{}\n\n", format_utc(report.made_at),
                  name_of(report.overall), overall_note(report), markdown(headline(report)));
  out += fmt::format("| | |\n|---|---|\n| report made | {} |\n", format_utc(report.made_at));
  if (report.oldest_evidence && report.newest_evidence)
    out += fmt::format("| evidence taken | from {} to {} |\n", format_utc(*report.oldest_evidence),
                       format_utc(*report.newest_evidence));
  out += fmt::format("| by | pg\\_integrity\\_exporter {} |\n", markdown(report.exporter));
  if (report.history && report.history->number > 0)
    out += fmt::format("| history | line {}, SHA-256 {} |\n", report.history->number,
                       report.history->hash);
  out +=
      "\nProven: observed as it should be, lately enough. Violated: observed otherwise, and not "
      "disproved since. Unproven: not seen, not lately, or not judged: no proof of anything.\n";
  for (const ReportServer& server : report.servers) append_part_of_server(out, report, server);
  return out;
}

}  // namespace pg_integrity
