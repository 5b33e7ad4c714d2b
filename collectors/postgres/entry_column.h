// The column of a table that says when a row was written, told by its name. Pure functions.
#pragma once

#include "collectors/postgres/schema.h"

namespace pg_integrity {

/// The column with the most usual of the names that such columns have (created_at and the like,
/// however capitalised), if it is of a date or time type; nullptr if there is none.
const Column* entry_column(const Table& table);

/// Its values are wall-clock readings: what moment they mean depends on a zone.
constexpr bool lacks_zone(const Column& column) {
  return column.type == ColumnType::timestamp || column.type == ColumnType::date;
}

}  // namespace pg_integrity
