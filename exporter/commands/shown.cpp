#include "exporter/commands/shown.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "exporter/evidence/snapshot.h"
#include "exporter/report/report.h"

namespace pg_integrity {

HttpHandlers handlers_of(const Publisher& publisher, const Clock& clock,
                         std::function<ProcessFacts()> facts, std::function<bool()> attempted) {
  HttpHandlers handlers;
  handlers.metrics = [&publisher, &clock, facts = std::move(facts)](bool gzip) {
    return Page(publisher.body(), facts(), clock, gzip);
  };
  const auto report = [&publisher, &clock] {
    return make_report(*publisher.body()->snapshot(), clock);
  };
  handlers.report_html = [report] { return report_as_html(report()); };
  handlers.report_policy = report_policy();
  handlers.report_markdown = [report] { return report_as_markdown(report()); };
  handlers.report_json = [report] { return report_as_json(report()); };
  handlers.edition = [&publisher]() -> std::shared_ptr<const void> { return publisher.body(); };
  handlers.ready = [&publisher, attempted = std::move(attempted),
                    ready = std::make_shared<std::atomic<bool>>(false)] {
    const auto body = publisher.body();
    const auto& collectors = body->snapshot()->collectors;
    if (attempted() && std::all_of(collectors.begin(), collectors.end(), [](const auto& collector) {
          return collector->health.attempted;
        }))
      *ready = true;
    return ready->load();
  };
  return handlers;
}

}  // namespace pg_integrity
