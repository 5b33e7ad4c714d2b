// A digest of rows, computed by the server that holds them. It depends on the content of the rows,
// but not on their order or on the order of columns. The digest of a logical copy is therefore the
// same. Plain values, and functions over a session.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collectors/base/qualified_name.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

/// The number of rows, and a sum over their content that does not depend on their order.
struct Digest {
  double rows = 0;
  std::string content;   ///< empty: rows were only counted
  std::string position;  ///< WAL position when the rows were read; not compared

  [[nodiscard]] bool same_as(const Digest& other) const {
    return rows == other.rows && content == other.content;
  }
};

/// The hash function for the content of a row.
enum class RowHash : std::uint8_t {
  md5,     ///< the same on every version and machine
  hash64,  ///< hashtextextended(), at half the cost; the same on servers with equal hash_sample()
};

/// The hash64 values of known texts. Two servers with equal samples hash alike.
std::string hash_sample(Session& session);

/// The facts about a table that are needed to digest its rows.
struct DigestTable {
  struct Column {
    std::string name;
    std::string type;  ///< a type of pg_catalog; empty: a type of a user
  };
  std::vector<Column> columns;  ///< sorted by name
  bool unlogged = false;
  bool trusted = false;  ///< superusers own its columns' output functions and all they call

  [[nodiscard]] const Column* column(const std::string& name) const;
};

/// Reads these facts from the catalog.
/// @throws SourceError{missing} if there is no such table.
DigestTable digest_table(Session& session, const QualifiedName& name);

/// The range of rows that one statement reads: keys above `low`, up to and including `high`.
struct Slice {
  std::string column;  ///< empty: all rows
  std::string type;
  std::optional<std::string> low;
  std::optional<std::string> high;
};

/// Digests the rows of a slice in one statement.
/// @param table a table of that session's own Schema.
/// @param columns the columns whose content is digested. They must be trusted. If there are none,
/// rows are only counted.
/// @throws SourceError{unsafe} if the planner may call a function that no superuser owns.
Digest digest(Session& session, const Table& table, const std::vector<DigestTable::Column>& columns,
              const Slice& slice, RowHash hash = RowHash::md5);

/// A column by which rows can be read in ranges. It leads an index, and its order is the same on
/// every server, whatever the collations. nullptr if there is none.
const DigestTable::Column* slicing_column(const Table& table, const DigestTable& known);

/// The key of the last row of the next slice.
/// @param rows the number of rows in a slice.
/// @return empty if all remaining rows fit into one slice.
std::optional<std::string> end_of_slice(Session& session, const Table& table, const Slice& slice,
                                        double rows);

}  // namespace pg_integrity
