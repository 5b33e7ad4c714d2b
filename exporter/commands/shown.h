// What the HTTP server shows while `serve` runs: the page of the publisher, and the report of the
// same evidence. Safe on any thread.
#pragma once

#include <functional>
#include <string>

#include "collectors/ports/clock.h"
#include "exporter/config/options.h"
#include "exporter/history/history.h"
#include "exporter/http/handlers.h"
#include "exporter/metrics/exposition.h"
#include "exporter/metrics/publisher.h"
#include "exporter/report/report.h"

namespace pg_integrity {

/// What a report tells its reader of this configuration. The instance is empty if the port is any.
ReportPlaces report_places(const Options& options);

/// @param history is part of the report, and `places` are told in it.
/// @param facts of the process, at each scrape.
/// @param attempted whether every collector has made one attempt. Once the page shows those, too,
/// the exporter is ready, and stays so: collectors that a reload adds take nobody off the scrape.
/// The publisher, the history and the clock must outlive the handlers.
HttpHandlers handlers_of(const Publisher& publisher, const History& history,
                         const ReportPlaces& places, const Clock& clock,
                         std::function<ProcessFacts()> facts, std::function<bool()> attempted);

}  // namespace pg_integrity
