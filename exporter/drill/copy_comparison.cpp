#include "exporter/drill/copy_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/entry_column.h"
#include "collectors/postgres/row_digest.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/schema_cache.h"
#include "collectors/postgres/table_scan.h"
#include "exporter/config/settings_check.h"

namespace pg_integrity {

namespace {

constexpr const char* kUnsafe = "reading it may run code that belongs to no superuser";

/// Objects as pg_restore --list names them: kind, schema and name. An object that belongs to a
/// table has the table's name before its own.
constexpr std::string_view kObjects = R"(
SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
    WHEN 'i' THEN 'INDEX' WHEN 'I' THEN 'INDEX' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END
  || ' ' || n.nspname::text || ' ' || c.relname::text AS object
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
UNION ALL SELECT CASE k.contype WHEN 'f' THEN 'FK CONSTRAINT' WHEN 'c' THEN 'CHECK CONSTRAINT'
    ELSE 'CONSTRAINT' END
  || ' ' || n.nspname::text || ' ' || c.relname::text || ' ' || k.conname::text
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
UNION ALL SELECT 'TRIGGER ' || n.nspname::text || ' ' || c.relname::text || ' ' || t.tgname::text
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal)";

constexpr std::array<std::string_view, 10> kKinds{
    "TABLE ",         "VIEW ",       "MATERIALIZED VIEW ", "SEQUENCE ",         "INDEX ",
    "FOREIGN TABLE ", "CONSTRAINT ", "FK CONSTRAINT ",     "CHECK CONSTRAINT ", "TRIGGER "};

/// Entries that begin with such a word and are none of those objects.
constexpr std::array<std::string_view, 6> kOthers{"TABLE DATA ",        "SEQUENCE SET ",
                                                  "SEQUENCE OWNED BY ", "TABLE ATTACH ",
                                                  "INDEX ATTACH ",      "MATERIALIZED VIEW DATA "};

template <typename Names>
bool begins_with_any(std::string_view text, const Names& names) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view name) { return text.starts_with(name); });
}

/// The object of one line, followed by its owner. Empty if it is of no kind that is compared.
std::string object_of(const std::string& line) {
  if (line.empty() || line.front() == ';') return {};
  std::size_t at = line.find("; ");  // dump id; catalog oid, object oid
  for (int words = 0; words < 2 && at != std::string::npos; ++words)
    at = line.find(' ', at + (words == 0 ? 2 : 1));
  if (at == std::string::npos) return {};
  const std::string object = line.substr(at + 1);
  return begins_with_any(object, kKinds) && !begins_with_any(object, kOthers) ? object
                                                                              : std::string();
}

std::string counted(double rows) {
  return std::to_string(std::llround(rows));
}

DrilledTable compared(const DumpRecord::TableContent& copy,
                      const DumpRecord::TableContent* record) {
  DrilledTable table{copy.schema, copy.table, {}, {}, {}, {}};
  if (copy.unproven.empty()) table.rows = copy.rows;
  if (record == nullptr)
    table.unproven = "it is not in the record of its backup";
  else if (!record->unproven.empty() || !copy.unproven.empty())
    table.unproven = record->unproven.empty() ? copy.unproven : record->unproven;
  else if (copy.rows == record->rows && copy.content != record->content)
    table.unexplained_rows = 1;  // at least
  else
    table.unexplained_rows = std::abs(copy.rows - record->rows);
  return table;
}

double rows_up_to(Session& session, const Table& table, const Column& column, UnixTime until) {
  const std::string sql = fmt::format("SELECT count(*) AS n FROM {} WHERE {} <= to_timestamp({:f})",
                                      table.from_clause_alone(), moment_sql(column, "UTC"), until);
  return session.query(sql).only().number("n");
}

double large_objects(Session& session) {
  return session.query("SELECT count(*) AS n FROM pg_catalog.pg_largeobject_metadata")
      .only()
      .number("n");
}

}  // namespace

DumpRecord digest_tables(LiveSession& session, const Clock& clock,
                         const std::function<void(std::size_t, std::size_t)>& done) {
  session.set_deadline(clock.now() + kComparison);
  DumpRecord record;
  record.taken_at = clock.unix_now();
  record.encoding =
      session.query("SELECT current_setting('server_encoding') AS e").only().text("e");
  record.hash = hash_sample(session);
  record.large_objects = large_objects(session);
  const auto schema = load_schema(session, {}, clock.now());
  for (const Table& table : schema->tables) {
    DumpRecord::TableContent content{table.name.schema, table.name.name, 0, {}, {}};
    const DigestTable known = digest_table(session, table.name);
    if (table.foreign_code || table.has_foreign_partition || !known.trusted) {
      content.unproven = table.has_foreign_partition ? "a partition is on another server" : kUnsafe;
    } else {
      try {
        const Digest digested = digest(session, table.alone(), known.columns, {}, RowHash::hash64);
        content.rows = digested.rows;
        content.content = digested.content;
      } catch (const SourceError& error) {
        if (error.reason() != Reason::unsafe) throw;
        content.unproven = kUnsafe;  // somebody has changed it since the schema was read
      }
    }
    record.tables.push_back(std::move(content));
    done(record.tables.size(), schema->tables.size());
  }
  return record;
}

std::vector<std::string> missing_objects(Session& copy, const std::string& contents) {
  const Rows rows = copy.query(kObjects);
  std::set<std::string, std::less<>> present;
  for (std::size_t i = 0; i < rows.size(); ++i) present.insert(rows[i].text("object"));
  std::vector<std::string> missing;
  for (std::size_t begin = 0; begin < contents.size();) {
    const std::size_t end = std::min(contents.find('\n', begin), contents.size());
    const std::string object = object_of(contents.substr(begin, end - begin));
    begin = end + 1;
    if (object.empty()) continue;
    // Names and owners may hold spaces, so every cut is tried.
    bool found = false;
    for (std::size_t cut = object.size(); !found && cut != std::string::npos && cut > 0;
         cut = object.rfind(' ', cut - 1))
      found = present.contains(std::string_view(object).substr(0, cut));
    if (!found) missing.push_back(object.substr(0, object.rfind(' ')));
  }
  return missing;
}

Comparison compare_with_record(const DumpRecord& copy, const DumpRecord& record) {
  Comparison comparison;
  for (const auto& table : copy.tables) {
    const auto* recorded = record.find(table.schema, table.table);
    comparison.tables.push_back(compared(table, recorded));
    if (comparison.tables.back().unexplained_rows.value_or(0) == 0) continue;
    const bool same_number = table.rows == recorded->rows;
    comparison.differences.push_back(
        same_number ? fmt::format("table {}.{} holds other rows than its backup's record",
                                  table.schema, table.table)
                    : fmt::format("table {}.{} has {} rows, its backup's record {}", table.schema,
                                  table.table, counted(table.rows), counted(recorded->rows)));
  }
  for (const auto& table : record.tables) {
    if (copy.find(table.schema, table.table) != nullptr || !table.unproven.empty()) continue;
    comparison.tables.push_back({table.schema, table.table, {}, std::max(1.0, table.rows), {}, {}});
    comparison.absent.push_back(fmt::format(
        "table {}.{} is in the backup's record and was not restored", table.schema, table.table));
  }
  if (record.large_objects && *copy.large_objects < *record.large_objects)
    comparison.absent.push_back(fmt::format("{} of the {} large objects in the backup's record",
                                            counted(*record.large_objects - *copy.large_objects),
                                            counted(*record.large_objects)));
  return comparison;
}

namespace {

void find_absent_tables(const Schema& copy, Session& source,
                        const std::vector<std::string>& left_out, const LackingOf& lacking,
                        const Clock& clock, UnixTime until, Comparison& comparison) {
  const auto must = load_schema(source, left_out, clock.now());
  for (const Table& table : must->tables) {
    if (copy.table(table.name) != nullptr || table.has_foreign_partition) continue;
    const Lacking here = lacking(table.name);
    if (here == Lacking::nothing) continue;
    const Column* column = entry_column(table);
    double rows = 0;
    try {
      if (column != nullptr) rows = rows_up_to(source, table, *column, until);
    } catch (const SourceError&) {
      rows = 0;  // a table that cannot be read tells nothing of its age either
    }
    if (rows > 0 && here == Lacking::fault) {
      comparison.tables.push_back({table.name.schema, table.name.name, {}, rows, {}, {}});
      comparison.absent.push_back(
          fmt::format("table {} of the source is not in the backup, with {} rows that were created"
                      " before it. HINT: `leaves_out` of the source, if that is meant",
                      table.name.display(), counted(rows)));
    } else {
      comparison.doubts.push_back(
          fmt::format("table {} of the source is not in the backup, and nothing tells whether it is"
                      " older. HINT: drill --record, or `leaves_out` of the source",
                      table.name.display()));
    }
  }
}

}  // namespace

Comparison compare_by_creation(Session& copy, Session* source,
                               const std::vector<std::string>& left_out,
                               const LackingOf& if_lacking, const Clock& clock, UnixTime until) {
  Comparison comparison;
  const auto schema = load_schema(copy, {}, clock.now());
  const auto original = source == nullptr ? nullptr : load_schema(*source, {}, clock.now());
  for (const Table& table : schema->tables) {
    DrilledTable drilled{table.name.schema, table.name.name, {}, {}, {}, {}};
    const Table* there = original == nullptr ? nullptr : original->table(table.name);
    const Column* column = entry_column(table);
    try {
      drilled.rows =
          copy.query("SELECT count(*) AS n FROM " + table.from_clause_alone()).only().number("n");
      if (column == nullptr || there == nullptr || there->column(column->name) == nullptr) {
        drilled.unproven = column == nullptr
                               ? "it has no record and no column that says when a row was created"
                               : "it has no record, and the source does not tell";
      } else {
        const double lacking =
            rows_up_to(*source, *there, *column, until) - rows_up_to(copy, table, *column, until);
        drilled.unexplained_rows = std::max(0.0, lacking);
        if (lacking > 0)
          comparison.differences.push_back(
              fmt::format("table {} lacks {} rows that were created before the backup",
                          table.name.display(), counted(lacking)));
      }
    } catch (const SourceError& error) {
      drilled.unproven = error.what();
    }
    comparison.tables.push_back(std::move(drilled));
  }
  if (source == nullptr) return comparison;
  find_absent_tables(*schema, *source, left_out, if_lacking, clock, until, comparison);
  if (const double there = large_objects(*source); there > 0 && large_objects(copy) == 0)
    comparison.doubts.push_back(
        fmt::format("the source has {} large objects, and the backup none", counted(there)));
  return comparison;
}

}  // namespace pg_integrity
