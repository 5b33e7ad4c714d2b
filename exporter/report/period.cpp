#include "exporter/report/period.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <vector>

#include "collectors/base/units.h"
#include "exporter/evidence/spoken.h"
#include "exporter/io/clock.h"
#include "exporter/report/markdown_escape.h"
#include "exporter/report/report_history.h"

namespace pg_integrity {

namespace {

constexpr double kHair = 1e-3;  ///< of a thousandth, so that 899.9999 is 900

/// The entries of the period, and those before it.
struct Period {
  const Report& report;
  UnixTime since;  ///< not before the history begins
  UnixTime until;
  std::vector<const HistoryEntry*> before;
  std::vector<const HistoryEntry*> within;
};

Period period_of(const Report& report, const HistoryView& history, UnixTime since) {
  const UnixTime begins =
      history.lines.empty() ? report.made_at : history.lines.front()->entry.time;
  Period period{report, std::max(since, begins), report.made_at, {}, {}};
  for (const KeptLine& line : history.lines)
    (line->entry.time < period.since ? period.before : period.within).push_back(&line->entry);
  return period;
}

bool answers(const HistoryEntry& entry, const ReportServer& server, const std::string& database,
             Question question) {
  return entry.kind == kAnswer && entry.server == server.name && entry.database == database &&
         entry.subject == name_of(question);
}

/// How long an answer had each state, and since when it has the present one.
struct Course {
  std::map<std::string, double> seconds;  ///< an empty name: not known
  std::optional<UnixTime> since;
  std::size_t changes = 0;
};

Course course_of(const Period& period, const ReportServer& server, const std::string& database,
                 const ReportQuestion& question) {
  Course course;
  std::optional<std::string> state;
  for (const HistoryEntry* entry : period.before)
    if (answers(*entry, server, database, question.question)) {
      state = entry->to;
      course.since = entry->time;
    }
  UnixTime at = period.since;
  for (const HistoryEntry* entry : period.within) {
    if (!answers(*entry, server, database, question.question)) continue;
    course.seconds[state.value_or(entry->from)] += entry->time - at;
    at = entry->time;
    state = entry->to;
    course.since = entry->time;
    ++course.changes;
  }
  course.seconds[state.value_or(std::string())] += period.until - at;
  return course;
}

std::string shares_text(const Course& course) {
  double all = 0;
  for (const auto& [state, seconds] : course.seconds) all += seconds;
  std::string text;
  for (const auto& [state, seconds] : course.seconds)
    if (all > 0 && seconds > 0)
      text += fmt::format("{}{} {:.1f} % ({})", text.empty() ? "" : ", ",
                          state.empty() ? "not known" : state,
                          std::floor(seconds / all * 1000 + kHair) / 10,
                          spoken_duration(Seconds(std::round(seconds))));
  return text;
}

void append_answers_of_period(std::string& out, const Period& period, const ReportServer& server) {
  out +=
      "\n| database | question | now | since | in the period | changes "
      "|\n|---|---|---|---|---|---|\n";
  for (const ReportDatabase& database : server.databases)
    for (const ReportQuestion& question : database.questions) {
      const Course course = course_of(period, server, database.name, question);
      out += fmt::format("| {} | {} | **{}** | {} | {} | {} |\n", markdown(database.name),
                         question_text(question.question), answer_text(question),
                         course.since ? format_utc(*course.since) : "not known",
                         shares_text(course), course.changes);
    }
}

void append_proofs(std::string& out, const ReportServer& server) {
  out +=
      "\n### What proves it\n\n| collector | of | state | objects | newest complete pass | every "
      "|\n"
      "|---|---|---|---|---|---|\n";
  for (const ReportDatabase& database : server.databases)
    for (const ReportCollector& collector : database.collectors)
      out +=
          fmt::format("| {} (`{}`) | {} | {} | {} | {} | {} |\n", collector.section, collector.name,
                      database.name.empty() ? "the whole server" : markdown(database.name),
                      name_of(collector.state), counts_text(collector.counts, collector.excluded),
                      collector.last_success ? format_utc(*collector.last_success) : "none",
                      format_duration(collector.interval));
}

void append_accepted(std::string& out, const Period& period, const ReportServer& server) {
  std::string text;
  for (const ReportDatabase& database : server.databases)
    for (const ReportCollector& collector : database.collectors)
      for (const ReportObject& object : collector.objects) {
        if (object.state != State::accepted) continue;
        std::string findings;
        for (const std::string& finding : object.findings)
          findings += (findings.empty() ? "" : "; ") + finding;
        text += fmt::format("- in force: {}: {}\n", markdown(object.name), markdown(findings));
      }
  for (const HistoryEntry* entry : period.within)
    if (entry->server == server.name &&
        (entry->to == name_of(State::accepted) || entry->from == name_of(State::accepted)))
      text += fmt::format("- {}: {}\n", format_utc(entry->time), markdown(change_text(*entry)));
  out += "\n### Accepted\n\n" + (text.empty() ? "Nobody accepted anything.\n" : text);
}

void append_drills(std::string& out, const Period& period, const ReportServer& server) {
  std::string text;
  for (const HistoryEntry* entry : period.within)
    if (entry->kind == kDrill && entry->server == server.name)
      text +=
          fmt::format("- {}: {}\n", entry->evidence_time ? format_utc(*entry->evidence_time) : "",
                      markdown(change_text(*entry)));
  out += "\n### Restore drills that succeeded\n\n" + (text.empty() ? "None.\n" : text);
}

void append_days(std::string& out, const Period& period, const ReportServer& server) {
  const auto days = static_cast<std::size_t>(
      std::count_if(period.within.begin(), period.within.end(), [&](const HistoryEntry* entry) {
        return entry->kind == kDay && entry->server == server.name;
      }));
  out += fmt::format("\nThe exporter looked at it on {} of the period.\n", counted(days, "day"));
}

void append_changes_of_period(std::string& out, const Period& period, const ReportServer& server) {
  std::string text;
  for (const HistoryEntry* entry : period.within) {
    if (entry->kind == kDay || (entry->server != server.name && entry->kind != kStarted)) continue;
    text += fmt::format("| {} | {} | {} | {} |\n", format_utc(entry->time),
                        entry->database.empty() ? "" : markdown(entry->database),
                        markdown(change_text(*entry)),
                        entry->evidence_time ? format_utc(*entry->evidence_time) : "");
  }
  out += "\n### Changes\n\n";
  out += text.empty() ? "No verdict has changed.\n"
                      : "| time | database | change | evidence taken |\n|---|---|---|---|\n" + text;
}

}  // namespace

std::string period_as_markdown(const Report& report, const HistoryView& history, UnixTime since) {
  const Period period = period_of(report, history, since);
  std::string out = fmt::format("# Evidence from {} to {}\n\n{}\n", format_utc(since),
                                format_utc(period.until), markdown(headline(report)));
  if (period.since > since)
    out += fmt::format("\nThe history begins later, at {}. Nothing is known of before.\n",
                       format_utc(period.since));
  for (const ReportServer& server : report.servers) {
    out += fmt::format("\n## Server {}\n", markdown(server.name));
    append_days(out, period, server);
    append_answers_of_period(out, period, server);
    append_proofs(out, server);
    append_accepted(out, period, server);
    append_drills(out, period, server);
    append_changes_of_period(out, period, server);
  }
  out += fmt::format("\n---\n\n{}\n\nBy pg\\_integrity\\_exporter {}, from evidence on record.\n",
                     report.history ? history_text(*report.history) : "No history is kept.",
                     markdown(report.exporter));
  return out;
}

}  // namespace pg_integrity
