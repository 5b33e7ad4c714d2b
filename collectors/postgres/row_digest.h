// A digest of rows, computed by the server that has them: it depends on their content, not on their
// order nor on that of the columns, so that a logical copy's is the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collectors/base/qualified_name.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

/// Rows, and a sum over them that depends on their content and not on their order.
struct Digest {
  double rows = 0;
  std::string content;   ///< empty: rows are counted only
  std::string position;  ///< of the write-ahead log when they were read; not compared

  [[nodiscard]] bool same_as(const Digest& other) const {
    return rows == other.rows && content == other.content;
  }
};

/// What the content of a row is hashed by.
enum class RowHash : std::uint8_t {
  md5,     ///< the same on every version and machine
  hash64,  ///< hashtextextended(), at half the cost; the same wherever hash_sample() is
};

/// What hash64 makes of known texts. Servers that agree on it hash alike.
std::string hash_sample(Session& session);

/// A table, as far as it must be known for its rows to be digested.
struct DigestTable {
  struct Column {
    std::string name;
    std::string type;  ///< of pg_catalog; empty: somebody's own
  };
  std::vector<Column> columns;  ///< sorted by name
  bool unlogged = false;
  bool trusted = false;  ///< all that its columns' output calls belongs to superusers

  [[nodiscard]] const Column* column(const std::string& name) const;
};

/// One look at the catalog.
/// @throws SourceError{missing} if there is no such table.
DigestTable digest_table(Session& session, const QualifiedName& name);

/// The range of rows that one statement reads: keys above `low`, up to `high`.
struct Slice {
  std::string column;  ///< empty: all rows
  std::string type;
  std::optional<std::string> low;
  std::optional<std::string> high;
};

/// Digests the rows of a slice in one statement.
/// @param table of that session's own Schema. @throws SourceError{unsafe} if it has foreign code.
/// @param columns whose content counts; none: rows are counted only. They must be trusted.
Digest digest(Session& session, const Table& table, const std::vector<DigestTable::Column>& columns,
              const Slice& slice, RowHash hash = RowHash::md5);

/// A column whose order is the same on every server, whatever its collations, and which leads an
/// index: rows can be read in ranges of it. nullptr: there is none.
const DigestTable::Column* slicing_column(const Table& table, const DigestTable& known);

/// The key of the last row of the next slice; nothing: all that is left is one slice.
std::optional<std::string> end_of_slice(Session& session, const Table& table, const Slice& slice,
                                        double rows);

}  // namespace pg_integrity
