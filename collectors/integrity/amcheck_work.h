// Everything that amcheck can check in a database: its functions that we may call, B-tree and GIN
// indexes, and heaps in slices. Indexes and heaps of TOAST tables, of materialized views and of
// system catalogs are among them. Pure functions over a session.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "collectors/base/qualified_name.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

/// An index that amcheck can check.
struct CheckedIndex {
  QualifiedName table;  ///< a TOAST table's index belongs to the table that has it
  std::string name;     ///< "(TOAST)" for that one
  QualifiedName index;  ///< where it is
  QualifiedName heap;   ///< what it indexes
  std::string method;   ///< btree or gin
  bool system = false;  ///< of a TOAST table or a system catalog: it runs nobody's code

  [[nodiscard]] std::array<std::string, 3> labels() const {
    return {table.schema, table.name, name};
  }
};

/// A part of the heap of a table, or of its TOAST table. The slices of a table follow each other.
struct HeapSlice {
  QualifiedName table;
  QualifiedName heap;
  int ordinal = 0;  ///< among the slices of the table
  double first_block = 0;
  bool open_ended = false;  ///< up to the end of the heap
  bool ends = false;        ///< the last slice of the table

  [[nodiscard]] std::array<std::string, 2> labels() const { return {table.schema, table.name}; }
};

inline constexpr double kBlocksOfSlice = 2048;

struct AmcheckWork {
  /// bt_index_check, gin_index_check, verify_heapam: in SQL, those that we may call.
  std::map<std::string, std::string> functions;
  std::map<std::string, std::string> hints;  ///< why we may not call one of them
  std::vector<CheckedIndex> indexes;         ///< sorted by labels
  std::vector<HeapSlice> slices;             ///< sorted by table and ordinal
  std::vector<QualifiedName> large_tables;   ///< whose heaps are not checked

  [[nodiscard]] bool may_call(const std::string& function) const {
    return functions.contains(function);
  }
};

/// @param heaps whether heaps are wanted.
/// @param check_up_to tables with a larger heap have no slices.
AmcheckWork amcheck_work(Session& session, const Schema& schema, bool heaps, double check_up_to);

/// Adds the functions that are there to those that a role must be granted.
void add_amcheck_functions(Session& session, std::map<QualifiedName, std::string>& functions);

}  // namespace pg_integrity
