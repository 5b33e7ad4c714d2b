// The report as one line for Nagios, Icinga and others that run plugins.
#include <algorithm>

#include "collectors/base/errors.h"
#include "exporter/evidence/verdict.h"
#include "exporter/report/printable.h"
#include "exporter/report/report.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kMostNamed = 3;
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
  std::string text = object.name + " " + std::string(name_of(object.state));
  if (object.reason) text += " (" + std::string(name_of(*object.reason)) + ")";
  if (!object.findings.empty()) text += ": " + object.findings.front();
  return text;
}

/// Of each database that is out of reach, and of the objects of that state.
std::vector<std::string> sentences(const Report& report, State state) {
  std::vector<std::string> texts;
  for (const ReportServer& server : report.servers)
    for (const ReportDatabase& database : server.databases) {
      const std::string where =
          server.name + (database.name.empty() ? "" : "/" + database.name) + " ";
      if (database.out_of_reach) texts.push_back(where + "is out of reach");
      for (const ReportCollector& collector : database.collectors)
        for (const ReportObject& object : collector.objects)
          if (object.state == state) texts.push_back(where + sentence_about(object));
    }
  return texts;
}

std::string details(const Report& report, State state) {
  const std::vector<std::string> texts = sentences(report, state);
  std::string line;
  for (std::size_t i = 0; i < std::min(texts.size(), kMostNamed); ++i)
    line += "; " + clipped(printable(texts[i]), kLongestName);
  if (texts.size() > kMostNamed) line += "; and " + grouped(texts.size() - kMostNamed) + " more";
  return line;
}

/// 'label'=value[unit];warning;critical;least
std::string performance(const Report& report) {
  const auto count = [&](State state) { return std::to_string(number_of(report, state)); };
  std::string text =
      "violated=" + count(State::violated) + ";;0;0 unproven=" + count(State::unproven) +
      ";0;;0 accepted=" + count(State::accepted) + ";;;0 limited=" + count(State::limited) +
      ";;;0 proven=" + count(State::proven) + ";;;0";
  if (report.oldest_evidence)
    text += " oldest_evidence=" +
            std::to_string(
                static_cast<long long>(std::max(0.0, report.made_at - *report.oldest_evidence))) +
            "s;;;0";
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
  return "PG_INTEGRITY " + std::string(kNames[static_cast<std::size_t>(status)]) + " - " +
         without_bars(printable(text));
}

std::string report_as_nagios(const Report& report) {
  const State shown = report.overall == State::violated ? State::violated : State::unproven;
  return nagios_line(nagios_status(report), overall_note(report) + details(report, shown)) + " | " +
         performance(report) + "\n";
}

}  // namespace pg_integrity
