// Wording that all renderings of the report share.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "collectors/base/instant.h"
#include "collectors/base/units.h"
#include "collectors/collector.h"
#include "exporter/evidence/spoken.h"
#include "exporter/evidence/verdict.h"
#include "exporter/report/printable.h"
#include "exporter/report/report.h"

namespace pg_integrity {

namespace {

constexpr std::array<State, 6> kWorstFirst{State::violated, State::unproven, State::accepted,
                                           State::limited,  State::proven,   State::observed};

constexpr std::string_view kContent[] = {"Database content"};
constexpr std::string_view kActivity[] = {"Freshness"};
constexpr std::string_view kMedia[] = {"Media", "Files"};
constexpr std::string_view kSynchronization[] = {"Synchronization"};
constexpr std::string_view kBackups[] = {"Backups", "Write-ahead log"};
constexpr std::string_view kRecovery[] = {"Disaster recovery"};
constexpr std::string_view kIntegrity[] = {"Foreign key integrity", "Uniqueness", "Storage"};
constexpr std::string_view kSecurity[] = {"Protection status", "Audit and protection",
                                          "Audit triggers",    "Privileges",
                                          "Superusers",        "Connections"};
constexpr std::string_view kPerformance[] = {"Performance"};

constexpr Chapter kChapters[] = {{"Database content", kContent},
                                 {"Activity", kActivity},
                                 {"Multimedia and file storage", kMedia},
                                 {"Synchronization", kSynchronization},
                                 {"Backup systems", kBackups},
                                 {"Disaster recovery", kRecovery},
                                 {"Data integrity", kIntegrity},
                                 {"Security and protection", kSecurity},
                                 {"Performance", kPerformance},
                                 {"Further checks", {}}};

bool has(const Chapter& chapter, std::string_view section) {
  return std::find(chapter.sections.begin(), chapter.sections.end(), section) !=
         chapter.sections.end();
}

std::string of_collectors(std::size_t number) {
  return grouped(number) + (number == 1 ? " collector" : " collectors");
}

}  // namespace

std::span<const Chapter> chapters() {
  return kChapters;
}

bool belongs_to(const Chapter& chapter, std::string_view section) {
  if (!chapter.sections.empty()) return has(chapter, section);
  return std::none_of(std::begin(kChapters), std::end(kChapters),
                      [&](const Chapter& other) { return has(other, section); });
}

std::span<const State> worst_first() {
  return kWorstFirst;
}

std::size_t urgency(State state) {
  const auto states = worst_first();
  return static_cast<std::size_t>(std::find(states.begin(), states.end(), state) - states.begin());
}

std::string_view question_text(Question question) {
  switch (question) {
    case Question::intact:
      return "Is the data intact?";
    case Question::recoverable:
      return "Could we get it back?";
    case Question::service:
      return "Does it answer as promised?";
  }
  return "";
}

std::string age_of(const Report& report, UnixTime when) {
  return format_duration(Seconds(std::max(0.0, std::floor(report.made_at - when))));
}

std::string counts_text(const StateCounts& counts, std::size_t excluded) {
  std::string text;
  const auto add = [&](std::size_t count, std::string_view name) {
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", grouped(count), name);
  };
  for (const State state : kWorstFirst)
    if (const auto found = counts.find(state); found != counts.end())
      add(found->second, name_of(state));
  add(excluded, "excluded");
  return text.empty() ? "nothing to look at" : text;
}

std::string counted(std::size_t number, std::string_view noun) {
  return fmt::format("{} {}{}", grouped(number), noun, number == 1 ? "" : "s");
}

std::string wrong_text(const ReportWrong& wrong) {
  if (wrong.others == 0) return wrong.text;
  const std::string noun = wrong.object_noun.empty() ? "object" : wrong.object_noun;
  return fmt::format("{} The same is wrong with {} more {}{}.", wrong.text, grouped(wrong.others),
                     noun, wrong.others == 1 ? "" : "s");
}

std::string runbook_address(const Report& report, const std::string& runbook) {
  if (report.runbooks.empty() || runbook.empty()) return {};
  return fmt::format("{}{}{}.md", report.runbooks, report.runbooks.ends_with('/') ? "" : "/",
                     runbook);
}

std::string runbook_named(const Report& report, const std::string& runbook) {
  const std::string address = runbook_address(report, runbook);
  return address.empty() ? runbook : address;
}

std::string headline(const Report& report) {
  std::vector<std::string> wrong;
  std::size_t causes = 0;
  for (const ReportServer& server : report.servers) {
    const std::string where = report.servers.size() > 1 ? server.name + ": " : "";
    for (const ReportWrong& one : server.wrong) wrong.push_back(where + wrong_text(one));
    causes += static_cast<std::size_t>(
        std::count_if(server.causes.begin(), server.causes.end(),
                      [](const ReportCause& cause) { return cause.state == State::unproven; }));
  }
  if (wrong.size() == 1) return wrong.front();
  if (!wrong.empty())
    return fmt::format("{} And {}.", wrong.front(), counted(wrong.size() - 1, "further finding"));
  if (report.overall == State::proven) return "Everything that is watched is as it should be.";
  if (causes > 0)
    return fmt::format("Nothing that could be checked is wrong. {} it from being proven.",
                       causes == 1 ? "One cause keeps" : grouped(causes) + " causes keep");
  if (report.first_passes > 0) return "The first look is not complete yet.";
  return "Nothing that is watched is wrong, and not every question is answered.";
}

std::string answer_text(const ReportQuestion& question) {
  std::string text(name_of(question.state));
  if (question.reason == Reason::limited) return text + " (limited)";
  if (question.reason == Reason::not_proved) text += " (not_proved)";
  if (const auto limits = question.counts.find(State::limited); limits != question.counts.end())
    text += ", " + grouped(limits->second) + (limits->second == 1 ? " limit" : " limits");
  return text;
}

std::string answer_note(const Report& report, const ReportQuestion& question) {
  std::string note = counts_text(question.counts);
  if (question.reason == Reason::not_configured) note = "nothing is configured that could prove it";
  if (question.reason == Reason::pending) note = "nothing could be checked yet";
  if (question.reason == Reason::not_proved)
    note += "; nothing was read to its end or restored lately";
  if (question.oldest_evidence)
    note += fmt::format("; oldest evidence {} ago", age_of(report, *question.oldest_evidence));
  if (question.first_passes > 0)
    note += fmt::format("; {} in the first pass", of_collectors(question.first_passes));
  if (question.failing > 0) note += fmt::format("; {} failing", of_collectors(question.failing));
  return note;
}

std::string pass_progress(const ReportCollector& collector) {
  if (collector.pass_known == 0) return {};
  return fmt::format("{} of {} objects looked at", grouped(collector.pass_done),
                     grouped(collector.pass_known));
}

std::string overall_note(const Report& report) {
  std::string note = counts_text(report.counts);
  std::size_t unanswered = 0;
  for (const ReportServer& server : report.servers)
    for (const ReportDatabase& database : server.databases)
      unanswered += static_cast<std::size_t>(std::count_if(
          database.questions.begin(), database.questions.end(), [](const ReportQuestion& question) {
            return question.reason == Reason::not_configured;
          }));
  if (unanswered > 0)
    note += fmt::format("; {} {} that nothing is configured to answer", grouped(unanswered),
                        unanswered == 1 ? "question" : "questions");
  return note;
}

std::string cause_text(const ReportCause& cause) {
  std::string text = cause.title;
  if (!cause.keeps.empty()) text += ": " + cause.keeps;
  return cause.words.empty() ? text : text + ". " + cause.words;
}

std::string server_note(const ReportServer& server) {
  if (server.version.empty()) return {};
  return fmt::format("PostgreSQL {}, {}", server.version, server.role);
}

}  // namespace pg_integrity
