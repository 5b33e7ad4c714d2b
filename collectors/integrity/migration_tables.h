// Tables in which migration tools note what they did. One thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "collectors/base/qualified_name.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

class Session;

/// The tables that are named as tools name them, in any schema, and those that the user names.
/// @param own names and globs over "schema.table".
std::vector<const Table*> migration_tables(const Schema& schema,
                                           const std::vector<std::string>& own);

/// A fingerprint of each table's rows, in the form "COUNT HASH". A table that cannot be read, or is
/// too large for one, has none.
std::map<QualifiedName, std::string> migration_fingerprints(
    Session& session, const std::vector<const Table*>& tables);

/// Whether a table of this fingerprint got a row or a new version of one since it had the other.
/// Fewer rows are no news, since a restore of an older backup brings these.
bool has_new_row(const std::string& before, const std::string& now);

}  // namespace pg_integrity
