#include "exporter/commands/shown.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "collectors/base/thread_annotations.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/io/mutex.h"

namespace pg_integrity {

namespace {

/// What a report shows: the evidence of a body, and a version of the history. The same pointer as
/// long as both are the same.
class Edition {
 public:
  Edition(const Publisher& publisher, const History& history)
      : publisher_(publisher), history_(history) {}

  std::shared_ptr<const void> now() {
    const std::pair current(publisher_.body(), history_.version());
    const MutexLock lock(mutex_);
    if (!shown_ || *shown_ != current) shown_ = std::make_shared<const Shown>(current);
    return shown_;
  }

 private:
  using Shown = std::pair<std::shared_ptr<const PageBody>, std::uint64_t>;

  const Publisher& publisher_;
  const History& history_;
  Mutex mutex_;
  std::shared_ptr<const Shown> shown_ GUARDED_BY(mutex_);
};

}  // namespace

ReportPlaces report_places(const Options& options) {
  ReportPlaces places{options.runbooks, options.file, {}};
  if (options.listen.empty() || options.listen.front().port == 0) return places;
  const auto& [host, port] = options.listen.front();
  const bool any = host.empty() || host == "0.0.0.0" || host == "::";
  const bool six = host.find(':') != std::string::npos;
  places.instance = any ? "127.0.0.1" : six ? "[" + host + "]" : host;
  places.instance += fmt::format(":{}", port);
  return places;
}

HttpHandlers handlers_of(const Publisher& publisher, const History& history,
                         const ReportPlaces& places, const Clock& clock,
                         std::function<ProcessFacts()> facts, std::function<bool()> attempted) {
  HttpHandlers handlers;
  handlers.metrics = [&publisher, &clock, facts = std::move(facts)](bool gzip) {
    return Page(publisher.body(), facts(), clock, gzip);
  };
  const auto report = [&publisher, &history, places, &clock] {
    const HistoryView view = history.view();
    return make_report(*publisher.body()->snapshot(), clock, {&view, places});
  };
  handlers.report_html = [report] { return report_as_html(report()); };
  handlers.report_policy = report_policy();
  handlers.report_markdown = [report] { return report_as_markdown(report()); };
  handlers.report_json = [report] { return report_as_json(report()); };
  handlers.edition = [edition = std::make_shared<Edition>(publisher, history)] {
    return edition->now();
  };
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
