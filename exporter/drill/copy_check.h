// Runs the integrity collectors on a restored copy. Blocks; one thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "collectors/base/qualified_name.h"
#include "collectors/postgres/schema.h"
#include "exporter/config/options.h"
#include "exporter/io/child_process.h"
#include "exporter/scheduler/runtime.h"

namespace pg_integrity {

struct CopyCheck {
  std::vector<std::string> findings;  ///< what is wrong, for people; without row values
  std::vector<std::string> unproven;  ///< what could not be checked, and why
  /// Rows whose parent is missing, by their table, once for each of its keys.
  std::vector<std::pair<QualifiedName, double>> orphans;
};

/// Runs every collector whose spec has `on_copy` on the copy, whether or not production watches it.
/// It excludes and accepts nothing, and no table is too large for it. A collector is left out where
/// the restore itself was the check, see `in_order`.
/// @param server the server whose copy it is.
/// @param database the watched database that it is a copy of.
/// @param schema of the copy.
/// @param in_order whether pg_restore made the copy. It creates keys and unique indexes after all
/// rows, so the server has checked every row for them. This is not so for keys that are NOT VALID,
/// and for references and keys that only the configuration knows. For a plain dump it is false,
/// because the dump itself sets the order.
/// @throws Interrupted
CopyCheck check_copy(const ServerOptions& server, const std::string& database,
                     const ConnectionOptions& copy, const Schema& schema, bool in_order,
                     Children& children, ProcessResources& resources);

}  // namespace pg_integrity
