// A table and its copy, compared slice by slice. One thread at a time.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "collectors/collector.h"
#include "collectors/postgres/row_digest.h"
#include "collectors/postgres/schema.h"
#include "collectors/service/digest_comparison.h"
#include "collectors/service/replica_link.h"

namespace pg_integrity {

/// The two tables, and how they are compared.
struct Compared {
  std::string replica;  ///< its name
  CopyKind kind = CopyKind::plain;
  Table original;
  Table copy;                                ///< as the copy's own catalog describes it
  std::vector<DigestTable::Column> columns;  ///< whose content counts; none: rows alone
  Slice slice;                               ///< its column, if there is more than one
  double slice_rows = 0;
};

class TableComparison {
 public:
  explicit TableComparison(Compared what) : what_(std::move(what)) {}

  /// Compares one slice, in at most four checks within a few seconds.
  /// @param behind whether the copy is known not to keep up, so that it is not waited for. Set to
  /// true if it is found so.
  /// @return whether there are more slices.
  /// @throws SourceError; then the comparison is of no further use.
  bool step(Sources& from, bool& behind);

  // After the last slice:
  /// Some slice holds other rows, as surely as one series of checks can tell.
  [[nodiscard]] bool different() const { return different_ > 0; }
  /// Some slice is not the same, and the copy was behind.
  [[nodiscard]] bool behind() const { return behind_; }
  /// Some slice was written to at each check.
  [[nodiscard]] bool moving() const { return moving_; }
  /// Every slice that was written to has the same number of rows on both sides.
  [[nodiscard]] bool same_rows_where_moving() const { return same_rows_; }
  /// How many more rows the copy has in the slices that are different; negative if it has fewer.
  [[nodiscard]] double row_difference() const { return row_difference_; }
  /// A text that stands for the contents of both. It stays equal as long as nobody changes either.
  [[nodiscard]] const std::string& fingerprint() const { return fingerprint_; }
  /// "it has 99 rows, the database 100", for people.
  [[nodiscard]] std::string summary() const;

 private:
  [[nodiscard]] DigestComparison look(Sources& from, bool& behind);
  [[nodiscard]] Digest copy_of_slice(Sources& from) const;

  Compared what_;
  std::size_t slices_ = 0;
  std::size_t different_ = 0;
  bool behind_ = false;
  bool moving_ = false;
  bool same_rows_ = true;
  double rows_ = 0;
  double copy_rows_ = 0;
  double row_difference_ = 0;
  std::string fingerprint_;
};

}  // namespace pg_integrity
