// What the integrity collectors find in a restored copy. Blocks; one thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "collectors/base/qualified_name.h"
#include "collectors/postgres/schema.h"
#include "exporter/config/options.h"
#include "exporter/io/child_process.h"
#include "exporter/io/interruption.h"
#include "exporter/scheduler/runtime.h"

namespace pg_integrity {

struct CopyCheck {
  std::vector<std::string> findings;  ///< what is wrong, for people; without row values
  std::vector<std::string> unproven;  ///< what could not be checked, and why
  /// Rows whose parent is missing, by their table, once for each of its keys.
  std::vector<std::pair<QualifiedName, double>> orphans;
};

/// Has every collector whose spec says `on_copy` check the copy, whatever of it is watched in
/// production: nothing is excluded, nothing is too large. The restore itself counts as the check
/// where the server that restored has looked at every row.
/// @param server whose copy it is.
/// @param database the watched database that it is a copy of.
/// @param schema of the copy.
/// @param in_order pg_restore made keys and unique indexes when all rows were there, so that the
/// server has looked at every one of them. Of keys that are NOT VALID, and of references and keys
/// that only the configuration knows, that is not so; nor of what psql restores, which says itself
/// what comes when.
/// @throws Interrupted
CopyCheck check_copy(const ServerOptions& server, const std::string& database,
                     const ConnectionOptions& copy, const Schema& schema, bool in_order,
                     Interruption& interruption, ProcessResources& resources);

}  // namespace pg_integrity
