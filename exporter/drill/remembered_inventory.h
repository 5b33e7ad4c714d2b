// What the running exporter remembers of a database by name, held against a
// restored copy. It is the source as of the backup's start, and needs no way to
// production. One thread.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/base/qualified_name.h"
#include "collectors/integrity/inventory_memory.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/session.h"
#include "exporter/drill/copy_comparison.h"

namespace pg_integrity {

/// What the exporter has on record in `state_dir`. Blocks.
/// @return nothing if it has no memory of that database that can be used.
std::optional<inventory::Memory> remembered_inventory(const std::string& state_dir,
                                                      const std::string& server,
                                                      const std::string& database,
                                                      const Clock& clock);

/// All texts are for people.
struct InventoryComparison {
  std::vector<std::string> absent;  ///< what must be in the copy, and is not
  std::vector<std::string> doubts;  ///< what may have to be in the copy, and is not
  /// The tables of which the memory tells whether they are older than the
  /// backup.
  std::set<QualifiedName> judged;
  std::set<QualifiedName> parts;  ///< of other tables, of which the memory tells no time
  bool reaches = false;           ///< the memory begins before the backup
  bool is_current = false;        ///< it also goes on after the backup began

  /// What to make of a table of the source that the copy lacks. If the memory goes on after the
  /// backup began and has no such table, the table is younger.
  [[nodiscard]] Lacking lacking(const QualifiedName& table) const {
    if (!reaches || parts.contains(table)) return Lacking::fault;
    return is_current || judged.contains(table) ? Lacking::nothing : Lacking::doubt;
  }
};

/// Which of the tables, sequences, keys, constraints, triggers and indexes the
/// copy lacks.
///
/// | in the memory                            | if the copy lacks it         |
/// |------------------------------------------|------------------------------|
/// | first seen after the backup began        | it is younger: nothing       |
/// | gone before, or within an hour after     | nothing                      |
/// | first seen before, and still there later | absent                       |
/// | the memory ends an hour before           | a doubt                      |
///
/// Parts of tables, and what belongs to extensions, are not compared.
/// @param until when the backup began, or the moment that was recovered to.
/// @param left_out globs over "schema.table" that the backup need not hold.
/// @throws SourceError
InventoryComparison compare_with_inventory(Session& copy, const inventory::Memory& memory,
                                           const std::vector<std::string>& left_out,
                                           const Clock& clock, UnixTime until);

}  // namespace pg_integrity
