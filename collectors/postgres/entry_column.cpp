#include "collectors/postgres/entry_column.h"

namespace pg_integrity {

namespace {

// The usual names, in lower case and without underscores, most usual first. Names for the time of a
// change (updated_at) or of a planned event (starts_at) are left out on purpose.
constexpr std::string_view kUsualNames[] = {
    "createdat",    "created",     "createdon",  "createtime", "createdtime", "creationtime",
    "creationdate", "datecreated", "insertedat", "insertedon", "loggedat",    "recordedat"};

std::string bare(const std::string& name) {
  std::string out;
  for (const char c : name)
    if (c != '_') out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

}  // namespace

const Column* entry_column(const Table& table) {
  for (const std::string_view usual : kUsualNames)
    for (const Column& column : table.columns)
      if ((column.type == ColumnType::timestamptz || lacks_zone(column)) &&
          bare(column.name) == usual)
        return &column;
  return nullptr;
}

}  // namespace pg_integrity
