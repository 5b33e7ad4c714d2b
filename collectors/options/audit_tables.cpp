#include "collectors/options/audit_tables.h"

namespace pg_integrity {

namespace {

/// Adds the table that a record names, if it does.
void add_table(const Settings& record, std::vector<std::string>& tables) {
  if (!record.has("table")) return;
  tables.push_back((record.has("schema") ? record.text("schema") : "public") + "." +
                   record.text("table"));
}

}  // namespace

std::vector<std::string> audit_tables_from(const Settings& server) {
  std::vector<std::string> tables;
  const Settings* collectors = server.record("collectors");
  if (collectors == nullptr) return tables;
  if (const Settings* logs = collectors->record("audit_logs"))
    for (const Settings& log : logs->records("logs")) add_table(log, tables);
  const Settings* triggers = collectors->record("audit_triggers");
  if (triggers == nullptr) return tables;
  for (const Settings& audited : triggers->records("audited")) {
    for (const std::string& glob : audited.texts("tables")) tables.push_back(glob);
    if (const Settings* log = audited.record("log")) add_table(*log, tables);
  }
  return tables;
}

}  // namespace pg_integrity
