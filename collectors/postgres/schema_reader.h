// The parts of reading a Schema from the system catalogs. Each function fills in its own part of
// the Schema. read_tables() comes first. One thread.
#pragma once

#include <string>
#include <vector>

#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"

// The SQL condition for relations of users. It leaves out system, temporary and TOAST relations and
// those of extensions. Statements use the alias c for pg_class and n for its namespace.
#define PGI_USER_CLASS                                                              \
  " n.nspname <> 'pg_catalog' AND n.nspname <> 'information_schema'"                \
  " AND n.nspname !~ '^pg_(toast|temp_|toast_temp_)' AND c.relpersistence <> 't'"   \
  " AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass" \
  " AND e.objid = c.oid AND e.deptype = 'e')"

namespace pg_integrity {

/// Tables and partition roots with the planner's estimates, sorted by name.
void read_tables(Session& session, const std::vector<std::string>& exclude, Schema& into);
void read_columns(Session& session, Schema& into);
/// Which table inherits from which, after read_columns(). A column leads an index of a table with
/// heirs only if it leads one of each heir, too.
void read_inheritance(Session& session, Schema& into);
/// Primary keys and unique constraints.
void read_unique_keys(Session& session, Schema& into);
/// Logical foreign keys, sorted by child and name.
void read_foreign_keys(Session& session, const std::vector<std::string>& exclude, Schema& into);
/// Marks the tables and keys that no statement may touch, because the planner may call
/// a function that no superuser owns.
void find_foreign_code(Session& session, Schema& into);
/// Leaves one key for a table and those heirs that are parts of it, if all its heirs have the same
/// key. TimescaleDB copies the keys of a hypertable to each chunk. After find_foreign_code().
void roll_up_foreign_keys(Schema& into);
void count_triggers_and_sequences(Session& session, const std::vector<std::string>& exclude,
                                  Schema& into);

}  // namespace pg_integrity
