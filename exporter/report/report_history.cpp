#include "exporter/report/report_history.h"

#include <fmt/format.h>

#include <algorithm>

#include "exporter/evidence/spoken.h"
#include "exporter/io/clock.h"

namespace pg_integrity {

namespace {

constexpr UnixTime kYesterday = 86400;  // seconds

/// Whether people want to read of it. A day without a change is no news.
bool is_change(const HistoryEntry& entry) {
  return entry.kind == kObject || entry.kind == kAnswer || entry.kind == kDrill;
}

/// The question that an entry names, in words; else its subject.
std::string subject_text(const HistoryEntry& entry) {
  if (entry.kind != kAnswer) return entry.subject;
  for (const Question question : {Question::intact, Question::recoverable, Question::service})
    if (entry.subject == name_of(question)) return std::string(question_text(question));
  return entry.subject;
}

std::string with_reason(const HistoryEntry& entry) {
  if (entry.to.empty()) return "not watched any more";
  return entry.reason.empty() ? entry.to : fmt::format("{} ({})", entry.to, entry.reason);
}

std::string states_text(const HistoryEntry& entry) {
  if (entry.from.empty() && entry.to.empty()) return {};
  if (entry.from.empty()) return with_reason(entry);
  if (entry.from == entry.to) return "still " + with_reason(entry);
  return fmt::format("{}, then {}", entry.from, with_reason(entry));
}

}  // namespace

void add_history(const HistoryView& view, Report& report) {
  report.history = ReportHistory{view.number, view.hash,
                                 view.lines.empty() ? 0 : view.lines.front()->entry.time};
  for (auto line = view.lines.rbegin(); line != view.lines.rend(); ++line) {
    const HistoryEntry& entry = (*line)->entry;
    if (!is_change(entry) || entry.time < report.made_at - kYesterday) continue;
    const auto server =
        std::find_if(report.servers.begin(), report.servers.end(),
                     [&](const ReportServer& one) { return one.name == entry.server; });
    if (server != report.servers.end()) server->changes.push_back(entry);
  }
}

std::string change_text(const HistoryEntry& entry) {
  std::string text = subject_text(entry);
  for (const std::string& part : {states_text(entry), entry.text})
    if (!part.empty()) text += (text.empty() ? "" : ": ") + part;
  if (entry.others > 0)
    text += fmt::format("{} The same of {} more object{}.", text.ends_with('.') ? "" : ".",
                        grouped(entry.others), entry.others == 1 ? "" : "s");
  return text;
}

std::string history_text(const ReportHistory& history) {
  if (history.number == 0) return "History: no line yet";
  return fmt::format("History: line {}, SHA-256 {}", history.number, history.hash);
}

std::string no_change_text(const ReportHistory& history, UnixTime made_at) {
  if (history.begins > made_at - kYesterday)
    return fmt::format("No verdict has changed since the history began, at {}.",
                       format_utc(history.begins));
  return history.begins > 0 ? "No verdict has changed." : "The history is empty yet.";
}

}  // namespace pg_integrity
