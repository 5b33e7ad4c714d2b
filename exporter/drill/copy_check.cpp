#include "exporter/drill/copy_check.h"

#include <algorithm>

#include "collectors/base/batch.h"
#include "collectors/registry.h"
#include "exporter/config/conninfo.h"
#include "exporter/evidence/verdict.h"
#include "exporter/io/child_process.h"
#include "exporter/io/interruption.h"
#include "exporter/report/report.h"

namespace pg_integrity {

namespace {

bool seen_by_the_restore(const CollectorOptions& collector, const Schema& schema) {
  if (collector.spec->name == "duplicates") return collector.settings.records("keys").empty();
  return collector.settings.records("references").empty() &&
         std::all_of(schema.foreign_keys.begin(), schema.foreign_keys.end(),
                     [](const ForeignKey& key) { return key.validated; });
}

Options options_for(ServerOptions server, const ConnectionOptions& copy) {
  server.connection = copy;
  server.home_database = target_of(copy.dsn).database;
  server.databases = {server.home_database};
  server.replicas.clear();
  server.accept.clear();
  server.max_load = 1;
  Options options;
  options.servers.push_back(std::move(server));
  return options;
}

/// One pass of every collector. @throws Interrupted
void look(Runtime& runtime, Interruption& interruption) {
  {
    const Children::Guard guard(interruption, [&] { runtime.scheduler().cancel(); });
    runtime.scheduler().run_once();
  }
  interruption.check();
}

void take_findings(const ReportCollector& collector, CopyCheck& check) {
  for (const ReportObject& object : collector.objects)
    if (object.state == State::violated)
      check.findings.push_back(
          "the copy is not intact: " + object.name +
          (object.findings.empty() ? std::string() : ": " + object.findings.front()));
}

}  // namespace

CopyCheck check_copy(const ServerOptions& server, const ConnectionOptions& copy,
                     const Schema& schema, bool in_order, Interruption& interruption,
                     ProcessResources& resources) {
  CopyCheck check;
  if (in_order)
    for (const ForeignKey& key : schema.foreign_keys)
      if (key.validated) check.orphans.emplace_back(key.child, 0);
  Options options = options_for(server, copy);
  std::erase_if(options.servers.front().collectors, [&](const CollectorOptions& collector) {
    const std::string_view name = collector.spec->name;
    return (name != "orphans" && name != "duplicates") ||
           (in_order && seen_by_the_restore(collector, schema));
  });
  if (options.servers.front().collectors.empty()) return check;
  Runtime runtime(std::move(options), resources, nullptr);
  look(runtime, interruption);
  const auto snapshot = runtime.evidence()->snapshot();
  for (const ReportServer& seen : make_report(*snapshot, resources.clock).servers)
    for (const ReportDatabase& database : seen.databases)
      for (const ReportCollector& collector : database.collectors) take_findings(collector, check);
  for (const auto& collector : snapshot->collectors)
    for (const auto& [key, object] : collector->objects)
      for (const Sample& sample : object->samples)
        if (sample.metric->name == "pg_integrity_orphaned_rows")
          check.orphans.emplace_back(QualifiedName{sample.labels.at(0), sample.labels.at(1)},
                                     sample.value);
  return check;
}

}  // namespace pg_integrity
