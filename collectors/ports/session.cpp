#include "collectors/ports/session.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "collectors/base/errors.h"
#include "collectors/base/metric_rules.h"

namespace pg_integrity {

namespace {

[[noreturn]] void refuse(std::string_view column, const std::string& what) {
  throw SourceError(Reason::decode, "column " + std::string(column) + " " + what);
}

}  // namespace

const std::optional<std::string>& Answer::cell(std::size_t row, std::string_view column) const {
  const auto found = std::find(columns.begin(), columns.end(), column);
  if (found == columns.end()) refuse(column, "is missing from the answer");
  return cells[row * columns.size() + static_cast<std::size_t>(found - columns.begin())];
}

Row Rows::only() const {
  if (size() != 1)
    throw SourceError(Reason::decode, "one row expected, " + std::to_string(size()) + " received");
  return (*this)[0];
}

const std::optional<std::string>& Row::maybe_text(std::string_view column) const {
  return answer_->cell(index_, column);
}

const std::string& Row::text(std::string_view column) const {
  const auto& cell = maybe_text(column);
  if (!cell) refuse(column, "is NULL");
  return *cell;
}

bool Row::flag(std::string_view column) const {
  const std::string& value = text(column);
  if (value != "t" && value != "f") refuse(column, "is not a boolean");
  return value == "t";
}

std::optional<double> Row::maybe_number(std::string_view column) const {
  const auto& cell = maybe_text(column);
  if (!cell) return std::nullopt;
  double value = 0;
  const char* end = cell->data() + cell->size();
  const auto [stop, error] = std::from_chars(cell->data(), end, value);
  if (error != std::errc{} || stop != end || !std::isfinite(value))
    refuse(column, "is not a finite number");
  return value;
}

double Row::number(std::string_view column) const {
  const auto value = maybe_number(column);
  if (!value) refuse(column, "is NULL");
  return *value;
}

}  // namespace pg_integrity
