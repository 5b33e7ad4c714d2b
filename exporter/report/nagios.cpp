// The report as one line for Nagios, Icinga and others that run plugins.
#include <fmt/format.h>

#include <algorithm>

#include "collectors/base/errors.h"
#include "exporter/evidence/spoken.h"
#include "exporter/evidence/verdict.h"
#include "exporter/report/printable.h"
#include "exporter/report/report.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kMostFindings = 3;
constexpr std::size_t kLongestName = 200;  // NRPE takes 1,024 bytes in all

/// A bar begins the performance data, and printable() leaves it as it is.
std::string without_bars(std::string text) {
  std::replace(text.begin(), text.end(), '|', '/');
  return text;
}

std::size_t number_of(const Report& report, State state) {
  const auto found = report.counts.find(state);
  return found == report.counts.end() ? 0 : found->second;
}

std::string sentence_about(const ReportObject& object) {
  std::string text = fmt::format("{} {}", object.name, name_of(object.state));
  if (!object.findings.empty()) text += ": " + object.findings.front();
  return text;
}

/// Of each cause that databases are out of reach, and of the violated objects or the other causes.
std::vector<std::string> sentences(const Report& report, State state) {
  std::vector<std::string> texts;
  for (const ReportServer& server : report.servers) {
    for (const ReportCause& cause : server.causes)
      if (cause.unreachable || cause.state == state)
        texts.push_back(fmt::format("{}: {}", server.name, cause_text(cause)));
    for (const ReportDatabase& database : server.databases) {
      const std::string where =
          server.name + (database.name.empty() ? "" : "/" + database.name) + " ";
      for (const ReportCollector& collector : database.collectors)
        for (const ReportObject& object : collector.objects)
          if (object.state == State::violated) texts.push_back(where + sentence_about(object));
    }
  }
  return texts;
}

std::string details(const Report& report, State state) {
  const std::vector<std::string> texts = sentences(report, state);
  std::string line;
  for (std::size_t i = 0; i < std::min(texts.size(), kMostFindings); ++i)
    line += "; " + clipped(printable(texts[i]), kLongestName);
  if (texts.size() > kMostFindings)
    line += fmt::format("; and {} more", grouped(texts.size() - kMostFindings));
  return line;
}

/// 'label'=value[unit];warning;critical;least
std::string performance(const Report& report) {
  std::string text =
      fmt::format("violated={};;0;0 unproven={};0;;0 accepted={};;;0 limited={};;;0 proven={};;;0",
                  number_of(report, State::violated), number_of(report, State::unproven),
                  number_of(report, State::accepted), number_of(report, State::limited),
                  number_of(report, State::proven));
  if (report.oldest_evidence)
    text += fmt::format(
        " oldest_evidence={}s;;;0",
        static_cast<long long>(std::max(0.0, report.made_at - *report.oldest_evidence)));
  return text;
}

}  // namespace

NagiosStatus nagios_status(const Report& report) {
  if (report.overall == State::violated) return NagiosStatus::critical;
  for (const ReportServer& server : report.servers)
    for (const ReportDatabase& database : server.databases)
      if (database.out_of_reach) return NagiosStatus::unknown;
  return report.overall == State::proven ? NagiosStatus::ok : NagiosStatus::warning;
}

std::string nagios_line(NagiosStatus status, const std::string& text) {
  constexpr std::string_view kNames[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
  return fmt::format("PG_INTEGRITY {} - {}", kNames[static_cast<std::size_t>(status)],
                     without_bars(printable(text)));
}

std::string report_as_nagios(const Report& report) {
  const State shown = report.overall == State::violated ? State::violated : State::unproven;
  const std::string text = overall_note(report) + details(report, shown);
  return fmt::format("{} | {}\n", nagios_line(nagios_status(report), text), performance(report));
}

}  // namespace pg_integrity
