// The rows of an audited table, and the entries about it in the log, counted in one snapshot. Two
// such counts tell how many rows went without an entry.
#pragma once

#include <string>

#include "collectors/audit/audit_config.h"
#include "collectors/audit/audited_names.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

/// What one entry of the log is about.
struct EntryMeaning {
  bool statement = false;  ///< any number of rows; else one row, or as many as `rows` says
  std::string doubt;       ///< why that is not certain, and a hint; empty: it is
};

/// What the configuration says an entry is about, held against the triggers. A function that is
/// called once a statement cannot write an entry for each row, unless it gets the deleted rows.
EntryMeaning meaning_of_entries(const AuditLog& log, const TriggerLevel& level);

struct TrailCount {
  double rows = 0;        ///< of the table
  double entries = 0;     ///< deletes in the log, or the sum of the column `rows`
  double statements = 0;  ///< entries that are about any number of rows
  double identity = 0;    ///< of the table, see AuditedTable
  double ambiguous = 0;   ///< entries among these that may be about another table
  double deletes = 0;     ///< by PostgreSQL's statistics
};

/// @throws SourceError{missing} if the log lacks a column, {config} if `rows` is no number.
TrailCount count_trail(Session& session, const Table& log_table, const Table& table,
                       const AuditLog& log, const AuditedTables& audited, bool by_statement);

/// The least number of rows that went without an entry between two counts. An entry that vanished
/// counts as one that was never written. A new entry about a statement may be about all rows that
/// went.
double bypassed(const TrailCount& before, const TrailCount& now, bool by_statement);

}  // namespace pg_integrity
