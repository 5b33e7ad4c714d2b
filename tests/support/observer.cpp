#include "tests/support/observer.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "collectors/base/errors.h"
#include "collectors/collector.h"
#include "collectors/ports/clock.h"
#include "collectors/registry.h"
#include "exporter/config/config.h"
#include "exporter/config/options.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/evidence/verdict.h"
#include "exporter/io/clock.h"
#include "exporter/metrics/page.h"
#include "tests/support/temporary.h"
#include "tests/support/wait.h"

namespace pg_integrity::test {

namespace {

const ReportObject* find_object(const Report& report, const std::string& name) {
  for (const ReportServer& server : report.servers)
    for (const ReportDatabase& database : server.databases)
      for (const ReportCollector& collector : database.collectors)
        for (const ReportObject& object : collector.objects)
          if (object.name == name) return &object;
  return nullptr;
}

Findings findings_of(const Runtime& runtime, const Clock& clock) {
  Findings findings;
  findings.snapshot = runtime.evidence()->snapshot();
  findings.saved = std::make_shared<const SavedEvidence>(saved_evidence_of(*runtime.evidence()));
  findings.report = make_report(*findings.snapshot, clock);
  findings.page = PageText(page_text(findings.snapshot, clock));
  return findings;
}

}  // namespace

Options options_from(const std::string& toml) {
  const TemporaryDirectory directory;
  ReadOptions read = read_configuration(directory.write("test.toml", toml));
  if (auto* lines = std::get_if<std::vector<std::string>>(&read)) {
    std::string all;
    for (const std::string& line : *lines) all += line + "\n";
    throw std::runtime_error("the test's configuration is refused: " + all);
  }
  return std::get<Options>(std::move(read));
}

std::string one_server(const std::string& dsn, const std::string& more, const std::string& only) {
  std::string toml =
      "[[server]]\nname = \"test\"\ndsn = \"" + dsn + "\"\nmax_load = 1\n" + more + "\n";
  if (only.empty()) return toml;
  for (const CollectorSpec* spec : collectors())
    if (spec->name != only)
      toml = "[defaults.collectors." + std::string(spec->name) + "]\nenabled = false\n" + toml;
  return toml;
}

bool Findings::has_object(const std::string& name) const {
  return find_object(report, name) != nullptr;
}

const ReportObject& Findings::object(const std::string& name) const {
  const ReportObject* found = find_object(report, name);
  if (found == nullptr)
    throw std::runtime_error("no object " + name + " in\n" + report_as_text(report));
  return *found;
}

const ReportCollector& Findings::collector(const std::string& name) const {
  for (const ReportServer& server : report.servers)
    for (const ReportDatabase& database : server.databases)
      for (const ReportCollector& collector : database.collectors)
        if (collector.name == name) return collector;
  throw std::runtime_error("no collector " + name);
}

Reason Findings::reason(const std::string& object_name) const {
  const ReportObject& found = object(object_name);
  if (!found.reason) throw std::runtime_error(object_name + " is not unproven");
  return *found.reason;
}

std::string Findings::violated() const {
  std::string names;
  for (const ReportServer& server : report.servers)
    for (const ReportDatabase& database : server.databases)
      for (const ReportCollector& collector : database.collectors)
        for (const ReportObject& object : collector.objects)
          if (object.state == State::violated) names += (names.empty() ? "" : " ") + object.name;
  return names;
}

Findings look(const std::string& toml, std::shared_ptr<const SavedEvidence> saved) {
  const SystemClock clock;
  ProcessResources resources(clock);
  Runtime runtime(options_from(toml), resources, std::move(saved));
  runtime.scheduler().run_once();
  return findings_of(runtime, clock);
}

RunningScheduler::RunningScheduler(const std::string& toml,
                                   std::shared_ptr<const SavedEvidence> saved)
    : resources_(std::make_unique<ProcessResources>(clock)),
      runtime_(std::make_unique<Runtime>(options_from(toml), *resources_, std::move(saved))) {
  runtime_->scheduler().start();
}

RunningScheduler::~RunningScheduler() {
  stop();
  runtime_.reset();
  // A worker that was given up may still use the clock, because a test puts it forward while a
  // session is being opened. The program itself ends without waiting.
  eventually([&] { return resources_->workers.given_up() == 0; }, std::chrono::seconds(10));
}

void RunningScheduler::stop() {
  runtime_->scheduler().stop();
}

Findings RunningScheduler::findings() {
  return findings_of(*runtime_, clock);
}

std::string page_text(const std::shared_ptr<const Snapshot>& snapshot, const Clock& clock) {
  const auto body = std::make_shared<const PageBody>(snapshot, clock);
  const Page page(body, {"test", "test", true, 0}, clock, false);
  std::string text;
  while (text.size() < page.size()) text += page.piece(text.size(), page.size());
  return text;
}

}  // namespace pg_integrity::test
