// What a database has that a configuration should name. Everything comes from the catalog. No row
// of a user's table is read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collectors/base/qualified_name.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

/// A table with a column of times.
struct TableInTime {
  QualifiedName table;
  std::string column;
  bool lacks_zone = false;
};

/// Tables whose deletes one trigger function writes down.
struct TriggerAudit {
  std::string function;  ///< "schema.function"
  std::vector<std::string> tables;
  std::vector<std::string> events;  ///< that it sees on all of them: delete, update, truncate
};

struct FoundInDatabase {
  std::string database;
  std::string version;                 ///< of PostgreSQL
  std::vector<std::string> databases;  ///< further ones of the server
  std::size_t tables = 0;
  std::size_t foreign_keys = 0;
  std::size_t triggers = 0;
  std::string zone;  ///< the server's own
  std::vector<TableInTime> logs;
  std::vector<TableInTime> backup_logs;  ///< tables that may list backups
  std::vector<TriggerAudit> audited;
  std::vector<TableInTime> growing;  ///< with a creation column, the largest first
  std::vector<std::string> superusers;
  std::vector<std::string> writers;
  bool we_are_superuser = false;
  std::vector<std::string> standbys;  ///< application names
  std::string standby_host;           ///< of one of them; may be empty
  bool archives = false;              ///< archive_mode is on
  std::string archive_command;        ///< empty if our role may not see it
};

/// Whether a table of that name looks like a log: "audit_events", "BackupLog", "journal".
bool looks_like_a_log(std::string_view name);

/// @throws SourceError
FoundInDatabase find_in_database(Session& session, const Schema& schema,
                                 const std::string& database);

}  // namespace pg_integrity
