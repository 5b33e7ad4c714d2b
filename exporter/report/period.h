// The report of a period, such as the last week: what was proven when and by what, what changed,
// and who accepted what. A pure function.
#pragma once

#include <string>

#include "collectors/base/instant.h"
#include "exporter/history/history.h"
#include "exporter/report/report.h"

namespace pg_integrity {

/// @param report of now.
/// @param since the beginning of the period.
/// @return Markdown.
std::string period_as_markdown(const Report& report, const HistoryView& history, UnixTime since);

}  // namespace pg_integrity
