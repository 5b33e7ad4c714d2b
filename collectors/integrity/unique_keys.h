// The keys that must be unique in a database: its unique indexes, and keys over columns that the
// configuration declares. Also the statement that counts the surplus rows of a key. It compares as
// the index does, and runs no code of the database's users. Pure functions over a session.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/qualified_name.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

/// A primary key, a unique constraint or a unique index.
struct UniqueIndex {
  QualifiedName table;
  std::string name;
  bool partitioned = false;   ///< of the root of a partitioned table, over all its partitions
  double estimated_rows = 0;  ///< the planner's; 0 if never analyzed
  std::optional<double> estimated_bytes;  ///< of the table's heap, as in the Schema
  bool foreign_code = false;              ///< of the table or, of a partition, its root
  /// Indexes of one list with the same number compare columns of the same types in the same way. 0:
  /// it has expressions or a predicate, or is no btree.
  std::uint32_t shape = 0;
  std::string columns;  ///< of the key, quoted, with commas between them; empty: shape is 0

  [[nodiscard]] QualifiedName index() const { return {table.schema, name}; }
  /// The table that is read, or the one partition.
  [[nodiscard]] Table heap() const {
    Table read;
    read.name = table;
    read.partitioned = partitioned;
    read.estimated_bytes = estimated_bytes;
    read.foreign_code = foreign_code;
    return read;
  }
};

/// Every unique index that the catalog takes for valid, sorted by table and name. A key WITHOUT
/// OVERLAPS is none, because two of its rows may be equal. The index of a partition is left out if
/// it belongs to an index of the root. So are indexes of tables that the schema excludes.
std::vector<UniqueIndex> unique_indexes(Session& session, const Schema& schema);

/// @return the index's OID, as text. Its definition never changes.
/// @throws SourceError: unsafe if evaluating or comparing the index's values would run code that
/// belongs to neither a superuser nor an extension of one, missing if there is no such index.
std::string trusted_index(Session& session, const QualifiedName& index);

/// The same for an index, in one statement with what the caller wants to know of it.
/// @param select columns and a FROM clause for the tables `trust` and `pg_index i`; $1 is the name
/// of the index.
Rows trusted_index_rows(Session& session, const QualifiedName& index, std::string_view select);

/// SQL that finds the code that a statement would run. Each part selects OIDs.
struct RunCode {
  std::string_view types;      ///< types whose values are compared
  std::string_view functions;  ///< " UNION SELECT …": functions that are called
  std::string_view further;    ///< " AND …": conditions beside them
};

/// The rows of `select`, as trusted_index_rows() but about any code.
/// @throws SourceError: unsafe as trusted_index(), missing if there are no rows.
Rows trusted_rows(Session& session, const RunCode& code, std::string_view select,
                  std::span<const std::string> parameters);

/// The statement whose only column, `surplus`, counts the rows beyond the first of each value.
/// Composing it takes one query of the catalog.
/// @throws SourceError{unsafe} if it would run code that belongs to neither a superuser nor an
/// extension of one, or if the index is no btree.
std::string surplus_sql(Session& session, const UniqueIndex& index);

/// Composes such statements for the indexes of one list. It asks the catalog once for each shape,
/// and not for each index. So a statement is as old as the list. One thread at a time.
class SurplusStatements {
 public:
  /// @throws SourceError{unsafe} as surplus_sql().
  std::string of(Session& session, const UniqueIndex& index);
  /// The numbers of a new list have other meanings.
  void forget() { known_.clear(); }

 private:
  struct Comparison {
    bool trusted = false;
    bool nulls_distinct = true;
    std::vector<std::string> less;      ///< of each column, the operator that sorts it
    std::vector<std::string> modifier;  ///< of each column, its cast and its collation
  };
  std::map<std::uint32_t, Comparison> known_;
};

/// The columns of its table that this statement reads. If the index has expressions or a predicate,
/// columns that it only INCLUDEs are among them.
std::set<std::string> columns_of(Session& session, const UniqueIndex& index);

/// The same for a declared key. Each of `columns` is a column of the table. A column of text may
/// also be given as lower(column), btrim(column) or lower(btrim(column)).
/// @throws SourceError: unsafe as above, missing for a column that does not exist, config for a
/// function of a column that holds no text.
std::string surplus_sql(Session& session, const Table& table,
                        const std::vector<std::string>& columns);

/// The columns of the table that a declared key reads. A column that does not exist is left out.
std::vector<std::string> columns_of(const Table& table, const std::vector<std::string>& columns);

}  // namespace pg_integrity
