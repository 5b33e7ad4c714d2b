#include "exporter/clock.h"
#include "exporter/plain_text.h"
#include "exporter/report.h"

namespace pg_integrity {

namespace {

std::string upper(std::string_view text) {
  std::string out;
  for (const char c : text) out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

/// Inside a Markdown table or list: nothing of it is markup.
std::string markdown(const std::string& text) {
  std::string out;
  for (const char c : plain(text)) {
    if (std::string_view("\\`*_{}[]<>()#+!|~&").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string evidence_note(const Report& report, const ReportObject& object) {
  if (!object.evidence_time) return "no evidence yet";
  return "evidence " + how_long_ago(report, *object.evidence_time);
}

bool wants_words(const ReportObject& object) {
  return object.state == State::violated || object.state == State::unproven ||
         object.state == State::accepted;
}

std::string collector_note(const Report& report, const ReportCollector& collector) {
  std::string note = object_counts(collector);
  if (collector.last_success)
    note += "; last complete pass " + how_long_ago(report, *collector.last_success);
  else
    note += "; no complete pass yet";
  return note;
}

std::string question_note(const ReportQuestion& question) {
  return question.configured ? "" : " (nothing is configured that could prove it)";
}

void append_text(std::string& out, const Report& report, const ReportCollector& collector) {
  out += "  [" + upper(name_of(collector.state)) + "] " + collector.section + " (" +
         collector.name + "): " + collector_note(report, collector) + "\n";
  if (collector.failure) out += "      failed: " + plain(*collector.failure) + "\n";
  for (const ReportObject& object : collector.objects) {
    if (!wants_words(object)) continue;
    out += "      " + upper(name_of(object.state));
    if (object.reason) out += "(" + std::string(name_of(*object.reason)) + ")";
    out += " " + plain(object.name) + " - " + evidence_note(report, object) + "\n";
    for (const std::string& finding : object.findings) out += "          " + plain(finding) + "\n";
    for (const std::string& line : object.lines) out += "          " + plain(line) + "\n";
  }
}

void append_markdown(std::string& out, const Report& report, const ReportCollector& collector) {
  out += "\n### " + collector.section + ": " + std::string(name_of(collector.state)) + "\n\n";
  out += collector.summary + " (`" + collector.name + "`): " + collector_note(report, collector) +
         ".\n";
  if (collector.failure) out += "\nNewest attempt failed: " + markdown(*collector.failure) + "\n";
  if (collector.objects.empty()) return;
  out += "\n| object | state | evidence taken | finding |\n|---|---|---|---|\n";
  for (const ReportObject& object : collector.objects) {
    std::string finding;
    const auto& texts = wants_words(object) ? object.findings : object.values;
    for (const std::string& text : texts) finding += (finding.empty() ? "" : "; ") + text;
    out += "| " + markdown(object.name) + " | " + std::string(name_of(object.state));
    if (object.reason) out += " (" + std::string(name_of(*object.reason)) + ")";
    out += " | " + (object.evidence_time ? format_utc(*object.evidence_time) : "never") + " | " +
           markdown(finding) + " |\n";
  }
}

}  // namespace

std::string report_as_text(const Report& report) {
  std::string out = "Evidence of " + format_utc(report.made_at) + "\n";
  for (const ReportServer& server : report.servers) {
    for (const ReportDatabase& database : server.databases) {
      if (database.collectors.empty() && database.questions.empty()) continue;
      out += "\nserver " + plain(server.name);
      if (!database.name.empty()) out += ", database " + plain(database.name);
      out += database.out_of_reach ? " - OUT OF REACH\n" : "\n";
      for (const ReportQuestion& question : database.questions)
        out += "  " + std::string(question_text(question.question)) + " " +
               upper(name_of(question.state)) + question_note(question) + "\n";
      for (const ReportCollector& collector : database.collectors)
        append_text(out, report, collector);
    }
    for (const auto& unwatched : server.not_watched)
      out += "  [NOT WATCHED] " + unwatched.collector + ". HINT: " + unwatched.hint + "\n";
  }
  return out + "\noverall: " + upper(name_of(report.overall)) + "\n";
}

std::string report_as_markdown(const Report& report) {
  std::string out = "# Evidence of " + format_utc(report.made_at) + "\n\nOverall: **" +
                    std::string(name_of(report.overall)) + "**\n";
  for (const ReportServer& server : report.servers) {
    for (const ReportDatabase& database : server.databases) {
      if (database.collectors.empty() && database.questions.empty()) continue;
      out += "\n## Server " + markdown(server.name);
      if (!database.name.empty()) out += ", database " + markdown(database.name);
      out += database.out_of_reach ? " (out of reach)\n" : "\n";
      if (!database.questions.empty()) out += "\n| question | answer |\n|---|---|\n";
      for (const ReportQuestion& question : database.questions)
        out += "| " + std::string(question_text(question.question)) + " | **" +
               std::string(name_of(question.state)) + "**" + question_note(question) + " |\n";
      for (const ReportCollector& collector : database.collectors)
        append_markdown(out, report, collector);
    }
    if (!server.not_watched.empty()) out += "\n### Not watched\n\n";
    for (const auto& unwatched : server.not_watched)
      out += "- `" + unwatched.collector + "`: " + markdown(unwatched.hint) + "\n";
  }
  return out;
}

}  // namespace pg_integrity
