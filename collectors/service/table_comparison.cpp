#include "collectors/service/table_comparison.h"

#include <cmath>
#include <functional>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"

namespace pg_integrity {

namespace {

/// The pause between checks. Rows that differ in the same way four times within two seconds are no
/// matter of a moment.
constexpr Seconds kPause{0.7};

constexpr int kTries = 3;

/// A standby cancels statements that stand in the way of replay, and any server may drop a
/// connection.
bool passes_soon(Reason reason) {
  return reason == Reason::conflict || reason == Reason::connect || reason == Reason::protocol;
}

}  // namespace

bool TableComparison::step(Sources& from, bool& behind) {
  Slice& slice = what_.slice;
  if (!slice.column.empty())
    slice.high = end_of_slice(from.session(), what_.original, slice, what_.slice_rows);
  const DigestComparison looks = look(from, behind);
  ++slices_;
  rows_ += looks.original().rows;
  copy_rows_ += looks.copy().rows;
  fingerprint_ = std::to_string(std::hash<std::string>{}(
      fingerprint_ + std::to_string(looks.original().rows) + looks.original().content + "/" +
      std::to_string(looks.copy().rows) + looks.copy().content));
  if (looks.different()) {
    ++different_;
    row_difference_ += looks.copy().rows - looks.original().rows;
  } else if (looks.behind()) {
    behind_ = true;
  } else if (!looks.same()) {
    moving_ = true;
    same_rows_ = same_rows_ && looks.same_rows();
  }
  slice.low = slice.high;
  return slice.high.has_value();
}

DigestComparison TableComparison::look(Sources& from, bool& behind) {
  const auto original = [&] {
    return digest(from.session(), what_.original, what_.columns, what_.slice);
  };
  DigestComparison looks;
  Digest before = original();
  for (;;) {
    behind = behind || !has_reached(from, from.replica(what_.replica), what_.kind, before.position);
    const Digest copy = copy_of_slice(from);
    const Digest after = copy.same_as(before) ? before : original();
    looks.add(before, copy, after, !behind);
    if (looks.done()) return looks;
    before = after;
    from.pause(kPause);
  }
}

Digest TableComparison::copy_of_slice(Sources& from) const {
  for (int tries = 1;; ++tries) {
    try {
      return digest(from.replica(what_.replica), what_.copy, what_.columns, what_.slice);
    } catch (const SourceError& error) {
      if (!passes_soon(error.reason()) || tries == kTries) throw;
      from.pause(kPause);
    }
  }
}

std::string TableComparison::summary() const {
  std::string text = "it has " + std::to_string(std::llround(copy_rows_)) + " rows, the database " +
                     std::to_string(std::llround(rows_));
  if (slices_ > 1)
    text += "; " + std::to_string(different_) + " of " + std::to_string(slices_) +
            " slices are different";
  return text;
}

}  // namespace pg_integrity
