// The history in the report, and in words. Pure functions.
#pragma once

#include <cstddef>
#include <string>

#include "collectors/base/instant.h"
#include "exporter/history/history.h"
#include "exporter/history/history_line.h"
#include "exporter/report/report.h"

namespace pg_integrity {

/// Changes of a server that text and page show. JSON and Markdown have all.
inline constexpr std::size_t kShownChanges = 30;

/// Adds the changes of the day before the report, and what to file.
void add_history(const HistoryView& view, Report& report);

/// "orphans/public.a.fk: proven, then violated: 3 rows of … The same of 2 more objects."
std::string change_text(const HistoryEntry& entry);
/// "History: line 412, SHA-256 9f86d081…"
std::string history_text(const ReportHistory& history);
/// "Nothing changed." If the history is younger than a day, it says when it begins.
std::string no_change_text(const ReportHistory& history, UnixTime made_at);

}  // namespace pg_integrity
