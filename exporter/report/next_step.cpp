#include "exporter/report/next_step.h"

#include <fmt/format.h>

#include <algorithm>

#include "exporter/report/printable.h"

namespace pg_integrity {

namespace {

/// The first hint of a text, without what is before it.
std::string hint_of(const std::string& text) {
  constexpr std::string_view kHint = "HINT: ";
  const std::size_t at = text.find(kHint);
  return at == std::string::npos ? std::string() : text.substr(at + kHint.size());
}

std::string for_findings(const Report& report) {
  for (const ReportServer& server : report.servers)
    for (const ReportWrong& wrong : server.wrong)
      return wrong.runbook.empty() ? "mend what is wrong first: " + wrong.text
                                   : fmt::format("begin with \"{}\" Its runbook is {}", wrong.text,
                                                 runbook_named(report, wrong.runbook));
  return {};
}

std::string for_causes(const Report& report) {
  for (const ReportServer& server : report.servers)
    for (const ReportCause& cause : server.causes) {
      if (cause.state != State::unproven) continue;
      const std::string hint = hint_of(cause.words);
      return fmt::format("lift the first cause, {}{}", cause.title,
                         hint.empty() ? std::string() : ": " + hint);
    }
  return {};
}

std::string for_questions(const Report& report) {
  for (const ReportServer& server : report.servers)
    for (const ReportDatabase& database : server.databases)
      for (const ReportQuestion& question : database.questions)
        if (question.reason == Reason::not_configured)
          return fmt::format(
              "nothing answers \"{}\" yet: configure what is not watched, or let "
              "`pg_integrity_exporter config init` look for it",
              question_text(question.question));
  return {};
}

/// The first command of the first finding that has one, and the finding.
std::string first_command_in_words(const Report& report) {
  for (const ReportServer& server : report.servers)
    for (const ReportWrong& wrong : server.wrong) {
      if (wrong.command.empty()) continue;
      std::string out = fmt::format("First command, for \"{}\"\n", printable(wrong.text));
      for (std::string_view rest = wrong.command; !rest.empty();) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        out += printable(rest.substr(0, end)) + "\n";
        rest.remove_prefix(std::min(end + 1, rest.size()));
      }
      return out;
    }
  return {};
}

}  // namespace

std::string last_words(const Report& report) {
  return first_command_in_words(report) + printable(next_step(report)) + "\n";
}

std::string next_step(const Report& report) {
  for (const auto& text : {for_findings(report), for_causes(report), for_questions(report)})
    if (!text.empty()) return "Next: " + text;
  if (report.overall != State::proven) return "Next: wait for the first pass, then check again";
  return "Next: let it watch: pg_integrity_exporter serve, and have Prometheus scrape it";
}

}  // namespace pg_integrity
