#include <cctype>

#include "collectors/registry.h"
#include "exporter/evidence/verdict.h"
#include "exporter/io/clock.h"
#include "exporter/report/printable.h"
#include "exporter/report/report.h"

namespace pg_integrity {

namespace {

std::string upper(std::string_view text) {
  std::string out;
  for (const char c : text) out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

bool wants_words(const ReportObject& object) {
  return object.state == State::violated || object.state == State::unproven ||
         object.state == State::accepted || object.state == State::limited;
}

std::string collector_note(const Report& report, const ReportCollector& collector) {
  std::string note = counts_text(collector.counts, collector.excluded);
  if (collector.last_success)
    return note + "; last complete pass " + age_of(report, *collector.last_success) + " ago";
  const std::string progress = pass_progress(collector);
  return note + "; no complete pass yet" + (progress.empty() ? "" : ", " + progress);
}

void append_object(std::string& out, const Report& report, const ReportObject& object) {
  out += "      " + upper(name_of(object.state));
  if (object.reason) out += "(" + std::string(name_of(*object.reason)) + ")";
  out += " " + printable(object.name) + " - ";
  out += object.evidence_time ? "evidence " + age_of(report, *object.evidence_time) + " ago"
                              : std::string("no evidence yet");
  if (object.since)
    out += ", " + std::string(name_of(object.state)) + " for " + age_of(report, *object.since);
  out += "\n";
  for (const auto* texts : {&object.findings, &object.lines})
    for (const std::string& text : *texts) out += "          " + printable(text) + "\n";
}

void append_collector(std::string& out, const Report& report, const ReportCollector& collector) {
  out += "  [" + upper(name_of(collector.state)) + "] " + collector.section + " (" +
         collector.name + "): " + collector_note(report, collector) + "\n";
  if (collector.failure) out += "      failed: " + printable(*collector.failure) + "\n";
  for (const ReportObject& object : collector.objects)
    if (wants_words(object)) append_object(out, report, object);
}

void append_database(std::string& out, const Report& report, const ReportServer& server,
                     const ReportDatabase& database) {
  out += "\nserver " + printable(server.name);
  if (!database.name.empty()) out += ", database " + printable(database.name);
  const std::string note = server_note(server);
  if (database.name.empty() && !note.empty()) out += " - " + printable(note);
  out += database.out_of_reach ? " - OUT OF REACH\n" : "\n";
  for (const ReportQuestion& question : database.questions)
    out += "  " + std::string(question_text(question.question)) + " " +
           upper(answer_text(question)) + ": " + answer_note(report, question) + "\n";
  for (const ReportCollector& collector : database.collectors)
    append_collector(out, report, collector);
}

}  // namespace

std::string report_as_text(const Report& report) {
  std::string out = "Evidence of " + format_utc(report.made_at) + "\n";
  if (report.oldest_evidence && report.newest_evidence)
    out += "taken from " + format_utc(*report.oldest_evidence) + " to " +
           format_utc(*report.newest_evidence) + "\n";
  out += "by pg_integrity_exporter " + report.exporter + "\n";
  for (const ReportServer& server : report.servers) {
    for (const ReportDatabase& database : server.databases)
      if (!database.collectors.empty() || !database.questions.empty())
        append_database(out, report, server, database);
    for (const ReportUnwatched& unwatched : server.not_watched)
      out += "  [NOT WATCHED] " + unwatched.section + " (" + unwatched.collector +
             "). HINT: " + printable(unwatched.hint) + "\n";
  }
  return out + "\n" + overall_note(report) + "\noverall: " + upper(name_of(report.overall)) + "\n";
}

}  // namespace pg_integrity
