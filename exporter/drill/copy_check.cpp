#include "exporter/drill/copy_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "collectors/base/batch.h"
#include "collectors/base/qualified_name.h"
#include "collectors/base/settings.h"
#include "collectors/registry.h"
#include "exporter/config/conninfo.h"
#include "exporter/evidence/verdict.h"
#include "exporter/io/child_process.h"
#include "exporter/report/report.h"
#include "exporter/scheduler/assignment.h"

namespace pg_integrity {

namespace {

/// The collectors that check the copy, with their options for the database that it is a copy of.
std::vector<CollectorOptions> checks_on(const ServerOptions& server, const std::string& database) {
  std::vector<CollectorOptions> checks = server.on_copy;
  for (CollectorOptions& check : checks) {
    check.settings = settings_for(check, database, server.home_database);
    for (const Option& option : check.spec->options)
      check.settings.for_each_record(option.name,
                                     [](Settings& record) { record.drop("database"); });
  }
  return checks;
}

Options options_for(ServerOptions server, const std::string& database,
                    const ConnectionOptions& copy) {
  server.collectors = checks_on(server, database);
  server.connection = copy;
  server.home_database = target_of(copy.dsn).database;
  server.databases = {server.home_database};
  server.replica_connections.clear();
  server.exclude.clear();
  server.accept.clear();
  server.max_load = 1;
  Options options;
  options.servers.push_back(std::move(server));
  return options;
}

/// Runs one pass of every collector.
/// @throws Interrupted
void look(Runtime& runtime, Children& children) {
  {
    const Children::Guard guard(children, [&] { runtime.scheduler().cancel(); });
    runtime.scheduler().run_once();
  }
  children.check();
}

std::string described(const ReportObject& object) {
  return object.name + (object.findings.empty() ? std::string() : ": " + object.findings.front());
}

/// @param doubts whether what it could not check matters.
void take_findings(const ReportCollector& collector, bool doubts, CopyCheck& check) {
  if (collector.failure)
    check.unproven.push_back(
        fmt::format("the copy could not be checked by {}: {}", collector.name, *collector.failure));
  for (const ReportObject& object : collector.objects)
    if (object.state == State::violated)
      check.findings.push_back("the copy is not intact: " + described(object));
    else if (doubts && (object.state == State::unproven || object.state == State::limited))
      check.unproven.push_back("the copy could not be checked: " + described(object));
}

}  // namespace

CopyCheck check_copy(const ServerOptions& server, const std::string& database,
                     const ConnectionOptions& copy, const Schema& schema, bool in_order,
                     Children& children, ProcessResources& resources) {
  CopyCheck check;
  if (in_order)
    for (const ForeignKey& key : schema.foreign_keys)
      if (key.validated) check.orphans.emplace_back(key.child, 0);
  Options options = options_for(server, database, copy);
  ServerOptions& checked = options.servers.front();
  if (in_order)
    std::erase_if(checked.collectors, [&](const CollectorOptions& collector) {
      return !collector.spec->on_copy({collector.settings, checked}, schema);
    });
  if (checked.collectors.empty()) return check;
  Runtime runtime(std::move(options), resources, nullptr);
  look(runtime, children);
  const auto snapshot = runtime.evidence()->snapshot();
  for (const ReportServer& seen : make_report(*snapshot, resources.clock).servers)
    for (const ReportDatabase& one : seen.databases)
      for (const ReportCollector& collector : one.collectors)
        take_findings(collector, collector_named(collector.name)->doubts_copy, check);
  for (const auto& collector : snapshot->collectors)
    for (const auto& [key, object] : collector->objects)
      for (const Sample& sample : object->samples)
        if (sample.metric->name == "pg_integrity_orphaned_rows")
          check.orphans.emplace_back(QualifiedName{sample.labels.at(0), sample.labels.at(1)},
                                     sample.value);
  return check;
}

}  // namespace pg_integrity
