// The column of a table that tells when a row was written, found by its name. Pure functions.
#pragma once

#include "collectors/postgres/schema.h"

namespace pg_integrity {

/// The table's creation-time column: created_at and the like, however capitalised, of a date or
/// time type. If several match, the most usual name wins. nullptr if there is none.
const Column* entry_column(const Table& table);

/// Whether the column's values are wall-clock readings, which denote a moment only together with a
/// zone.
constexpr bool lacks_zone(const Column& column) {
  return column.type == ColumnType::timestamp || column.type == ColumnType::date;
}

}  // namespace pg_integrity
