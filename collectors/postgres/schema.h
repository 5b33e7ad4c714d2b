// The objects of a database, discovered from its catalog: tables, columns, keys, foreign keys,
// triggers, sequences. A Schema is immutable, and all collectors of its database share it.
//
// Only the catalog is read. No user table is touched, and no lock is taken that waits behind the
// DDL of others. The following objects are left out: system schemas, temporary tables, views,
// foreign tables, partitions (they belong to their root), and objects that an extension owns.
// Objects that the configuration excludes are only counted.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/base/qualified_name.h"

namespace pg_integrity {

/// The types that collectors distinguish. A domain counts as its base type.
enum class ColumnType : std::uint8_t { timestamptz, timestamp, date, text, boolean, number, other };

struct Column {
  std::string name;
  ColumnType type = ColumnType::other;
  bool not_null = false;
  bool leads_index = false;        ///< first column of a valid btree index over the whole table
  bool leads_index_alone = false;  ///< the same of a table with heirs, without them
};

/// A primary key or unique constraint.
struct UniqueKey {
  std::string name;
  bool primary = false;
  std::vector<std::string> columns;
};

/// Says why a table is not checked if the planner may call a function that no superuser owns. In an
/// error it follows the table's name.
inline constexpr std::string_view kForeignCodeRuns =
    " may call a function that belongs to no superuser: an index, extended statistics or partition"
    " key has it. HINT: if it can be trusted, give the function to a superuser";

struct Table {
  QualifiedName name;
  bool partitioned = false;
  bool has_foreign_partition = false;  ///< a foreign table: reading it would reach another server
  /// Tables that inherit from it (INHERITS), at any depth, sorted. TimescaleDB's chunks are such
  /// tables of their hypertable. Partitions are not among them, nor are temporary tables.
  std::vector<QualifiedName> heirs;
  /// It inherits from a table above, and all its columns do. Its rows are then shown as rows of
  /// that table, and not once more under its own name, unless the configuration names it.
  bool part_of_parent = false;
  std::optional<double> estimated_rows;   ///< the planner's; empty if never analyzed
  std::optional<double> estimated_bytes;  ///< of the heap at the last VACUUM or ANALYZE; both with
                                          ///< the heirs
  std::vector<Column> columns;
  std::vector<UniqueKey> keys;
  /// Whether the planner, for any statement about the table, may call functions that belong to no
  /// superuser.
  bool foreign_code = false;
  bool foreign_code_of_heir = false;  ///< the same of one of its heirs

  [[nodiscard]] const Column* column(std::string_view column_name) const;
  /// The column of that name.
  /// @throws SourceError{missing} if there is none.
  [[nodiscard]] const Column& existing_column(std::string_view column_name) const;
  /// The table for a FROM clause, with the rows of its heirs, as its users read it. A table without
  /// heirs is written with ONLY.
  /// @throws SourceError{unsafe} if it or an heir has foreign code.
  [[nodiscard]] std::string from_clause() const;
  /// The same without the rows of its heirs, as keys and triggers of a table see it.
  /// @throws SourceError{unsafe} if it has foreign code.
  [[nodiscard]] std::string from_clause_alone() const;
  /// The table without heirs. Dumps and logical replication take each heir as a table of its own.
  [[nodiscard]] Table alone() const;
};

/// One pair of columns of a reference, and how PostgreSQL itself compares them.
struct ReferenceColumn {
  std::string child;
  std::string parent;
  std::string comparison;   ///< "OPERATOR(schema.=)", the parent's value on its left
  std::string parent_cast;  ///< "::schema.type" where the operator takes another type, else empty
  std::string child_cast;
  std::string
      collation;  ///< " COLLATE schema.name" where the columns' collations differ, else empty
};

struct ForeignKey {
  std::string name;
  QualifiedName child;
  QualifiedName parent;
  bool child_partitioned = false;
  bool parent_partitioned = false;
  // PostgreSQL lets a foreign key bind its own table alone, and refer to rows of its parent alone.
  bool child_with_heirs = false;   ///< each heir of the child has the same key, or it is declared
  bool parent_with_heirs = false;  ///< rows of the parent's heirs are referred to as well
  bool child_heirs_left_out = false;   ///< the child has heirs, and they are not bound
  bool parent_heirs_left_out = false;  ///< the parent has heirs, and their rows are no parents
  bool match_full = false;
  bool validated = true;      ///< here and below: with the same keys of heirs, if they are covered
  bool enforced = true;       ///< it is ENFORCED, and all its triggers on both sides fire
  bool indexed = false;       ///< a valid index of the child leads with its columns
  bool temporal = false;      ///< compares periods (PERIOD, PostgreSQL 18)
  bool foreign_cast = false;  ///< comparing calls a cast that belongs to no superuser
  bool foreign_code = false;  ///< that of one of its tables is true
  bool foreign_code_of_parent = false;  ///< and that of the child is not
  std::vector<ReferenceColumn> columns;
  /// Only rows of the child that meet it refer, in SQL about the alias `c`. Empty: all rows do.
  /// Only declared references have one.
  std::string condition;
};

struct Schema {
  Instant loaded_at{};
  std::vector<Table> tables;             ///< sorted by name
  std::vector<ForeignKey> foreign_keys;  ///< sorted by child, then name; once per logical key
  std::size_t triggers =
      0;  ///< user triggers on the unlogged tables, and on those above that are no parts
  std::size_t sequences = 0;
  std::size_t excluded_tables = 0;
  std::size_t excluded_foreign_keys = 0;
  /// Tables without their rows here, sorted: on a standby, unlogged ones and those with an unlogged
  /// partition. They and their foreign keys are in none of the lists above.
  std::vector<QualifiedName> unlogged;
  std::size_t unlogged_foreign_keys = 0;
  std::vector<std::string> exclude;  ///< globs of `schema.table`, as configured

  /// Whether the configuration excludes a table or materialized view of that name.
  [[nodiscard]] bool excludes(const QualifiedName& name) const;
  [[nodiscard]] bool is_unlogged(const QualifiedName& name) const;

  /// @return nullptr if there is no such table, it is excluded, or it is unlogged here.
  [[nodiscard]] const Table* table(const QualifiedName& name) const;
  [[nodiscard]] Table* table(const QualifiedName& name);

  // Parts of tables come and go with the data, such as chunks that a retention drops.

  /// The number of tables that are no parts of others.
  [[nodiscard]] std::size_t whole_tables() const;
  /// The number of foreign keys of these tables, and of partitions.
  [[nodiscard]] std::size_t whole_foreign_keys() const;
};

}  // namespace pg_integrity
