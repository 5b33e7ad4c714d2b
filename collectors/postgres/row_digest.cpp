#include "collectors/postgres/row_digest.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "collectors/base/qualified_name.h"

namespace pg_integrity {

namespace {

// Each type is followed down to the types that it consists of. An extension's function is trusted
// if a superuser owns the extension, because any other owner may add functions to it.
constexpr std::string_view kColumns1 = R"(
WITH RECURSIVE type(oid) AS (
  SELECT atttypid FROM pg_attribute
  WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped
  UNION SELECT part.oid FROM type JOIN pg_type t ON t.oid = type.oid
    LEFT JOIN pg_range r ON r.rngtypid = t.oid
    LEFT JOIN pg_range m ON m.)";
constexpr std::string_view kColumns2 = R"( = t.oid
    LEFT JOIN pg_attribute a ON a.attrelid = t.typrelid AND t.typrelid <> 0 AND a.attnum > 0
      AND NOT a.attisdropped
    CROSS JOIN LATERAL (VALUES (t.typbasetype), (t.typelem), (r.rngsubtype), (m.rngtypid),
      (a.atttypid)) AS part(oid)
  WHERE part.oid <> 0),
superuser(oid) AS (SELECT oid FROM pg_roles WHERE rolsuper),
trust(trusted) AS (SELECT NOT EXISTS (
  SELECT FROM type JOIN pg_type t ON t.oid = type.oid JOIN pg_proc f ON f.oid = t.typoutput
  WHERE f.proowner NOT IN (SELECT oid FROM superuser) AND NOT EXISTS (
    SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
    WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e'
      AND d.refclassid = 'pg_extension'::regclass AND e.extowner IN (SELECT oid FROM superuser))))
SELECT trusted, c.relpersistence = 'u' AS unlogged, a.attname AS name,
  CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN t.typname ELSE '' END AS type
FROM trust CROSS JOIN pg_class c LEFT JOIN (pg_attribute a JOIN pg_type t ON t.oid = a.atttypid)
  ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.oid = $1::regclass)";

// The server evaluates this after it read the rows. Their content was therefore written at this
// position or before it.
constexpr std::string_view kPosition =
    "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END";

constexpr std::array<std::string_view, 8> kOrderedTypes{"int2", "int4", "int8",      "numeric",
                                                        "uuid", "date", "timestamp", "timestamptz"};

/// The text of a row calls the output functions of its columns. It calls no cast, because any user
/// may define one. md5() is the same on every version and machine. The cheaper hashtextextended()
/// may differ.
std::string content_sql(const std::vector<DigestTable::Column>& columns, RowHash hash) {
  std::string row;
  for (const auto& column : columns) row += (row.empty() ? "" : ", ") + sql_identifier(column.name);
  const std::string text = "(ROW(" + row + "))::text";
  return hash == RowHash::md5
             ? "sum(('x' || substr(md5(" + text + "), 1, 16))::bit(64)::int8)::text"
             : "sum(hashtextextended(" + text + " COLLATE \"C\", 0))::text";
}

std::string range_sql(const Slice& slice, std::vector<std::string>& parameters) {
  std::string sql;
  const auto limit = [&](const char* relation, const std::optional<std::string>& value) {
    if (!value) return;
    parameters.push_back(*value);
    sql += (sql.empty() ? " WHERE " : " AND ") + sql_identifier(slice.column) + relation + "$" +
           std::to_string(parameters.size()) + "::" + slice.type;
  };
  limit(" > ", slice.low);
  limit(" <= ", slice.high);
  return sql;
}

}  // namespace

const DigestTable::Column* DigestTable::column(const std::string& name) const {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const Column& column) { return column.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

DigestTable digest_table(Session& session, const QualifiedName& name) {
  std::string sql(kColumns1);
  sql += session.server().version_num >= 140000 ? "rngmultitypid" : "rngtypid";
  sql += kColumns2;
  const std::array<std::string, 1> parameters{name.sql()};
  const Rows rows = session.query(sql, parameters);
  DigestTable table;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    table.trusted = rows[i].flag("trusted");
    table.unlogged = rows[i].flag("unlogged");
    if (const auto column = rows[i].maybe_text("name"))
      table.columns.push_back({*column, rows[i].text("type")});
  }
  std::sort(table.columns.begin(), table.columns.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return table;
}

std::string hash_sample(Session& session) {
  return session
      .query(
          "SELECT sum(hashtextextended(left(repeat('Sample ', 9), length) COLLATE \"C\", 0))::text"
          " AS sample FROM generate_series(0, 60) AS length")
      .only()
      .text("sample");
}

Digest digest(Session& session, const Table& table, const std::vector<DigestTable::Column>& columns,
              const Slice& slice, RowHash hash) {
  std::vector<std::string> parameters;
  const std::string content =
      columns.empty() ? "''" : "coalesce(" + content_sql(columns, hash) + ", '0')";
  const std::string sql = "SELECT count(*) AS rows, " + content + " AS content, (" +
                          std::string(kPosition) + ")::text AS position FROM " +
                          table.from_clause() + range_sql(slice, parameters);
  const Access access = slice.low || slice.high ? Access::index : Access::heap;
  const Row row = session.query(sql, parameters, access).only();
  return {row.number("rows"), row.text("content"), row.maybe_text("position").value_or("0/0")};
}

const DigestTable::Column* slicing_column(const Table& table, const DigestTable& known) {
  for (const UniqueKey& key : table.keys) {
    const Column* first = table.column(key.columns.front());
    const DigestTable::Column* column = known.column(key.columns.front());
    if (first != nullptr && first->not_null && first->leads_index && column != nullptr &&
        std::find(kOrderedTypes.begin(), kOrderedTypes.end(), column->type) != kOrderedTypes.end())
      return column;
  }
  return nullptr;
}

std::optional<std::string> end_of_slice(Session& session, const Table& table, const Slice& slice,
                                        double rows) {
  std::vector<std::string> parameters;
  const std::string column = sql_identifier(slice.column);
  const Slice rest{slice.column, slice.type, slice.low, std::nullopt};
  const std::string sql = "SELECT " + column + "::text AS key FROM " + table.from_clause() +
                          range_sql(rest, parameters) + " ORDER BY " + column + " OFFSET " +
                          std::to_string(std::llround(rows) - 1) + " LIMIT 1";
  const Rows found = session.query(sql, parameters, Access::index);
  if (found.size() == 0) return std::nullopt;
  return found[0].text("key");
}

}  // namespace pg_integrity
