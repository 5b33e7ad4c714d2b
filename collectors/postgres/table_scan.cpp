#include "collectors/postgres/table_scan.h"

#include <algorithm>

#include "collectors/base/metric_rules.h"
#include "collectors/base/qualified_name.h"

namespace pg_integrity {

namespace {

std::string seconds_sql(Seconds seconds) {
  return "pg_catalog.make_interval(secs => " + std::to_string(seconds.count()) + ")";
}

/// A value of the column's type as timestamptz.
std::string to_moment(const std::string& value, const Column& column, const std::string& zone) {
  if (column.type == ColumnType::timestamptz) return value;
  if (column.type != ColumnType::timestamp && column.type != ColumnType::date)
    throw SourceError(Reason::config, "column " + column.name + " holds no date or time");
  if (zone.empty())
    throw SourceError(Reason::config,
                      "column " + column.name +
                          " has no time zone. HINT: say in which zone its values are"
                          " written: zone = \"UTC\"");
  return "(" + value + "::pg_catalog.timestamp AT TIME ZONE " + sql_literal(zone) + ")";
}

/// A timestamptz as a value of the column's type, so that the column's own index can be used.
std::string from_moment(const std::string& moment, const Column& column, const std::string& zone) {
  if (column.type == ColumnType::timestamptz) return moment;
  return "(" + moment + " AT TIME ZONE " + sql_literal(zone) + ")";
}

std::string count_where(const std::string& condition, const std::string& name) {
  return ", count(*) FILTER (WHERE " + condition + ") AS " + name;
}

/// The columns of the inner select: the newest entry and the numbers of recent, undated and future
/// rows, and of today's. A time from the future (more than a minute later than now) is neither
/// newest nor recent.
std::string inner_columns(const std::string& moment, const ScanWish& wish, const std::string& n) {
  const std::string finite = "pg_catalog.isfinite(" + moment + ")";
  const std::string future = moment + " > now() + interval '1 minute'";
  const std::string usable = finite + " AND NOT " + future;
  std::string sql = ", max(" + moment + ") FILTER (WHERE " + usable + ") AS newest_" + n;
  sql += count_where(usable + " AND " + moment + " > now() - " + seconds_sql(wish.window),
                     "recent_" + n);
  sql += count_where(finite + " IS NOT TRUE", "undated_" + n);
  sql += count_where(finite + " AND " + future, "future_" + n);
  if (!wish.calendar) return sql;
  if (wish.zone.empty()) return sql + ", NULL AS today_" + n;
  const std::string zone = " AT TIME ZONE " + sql_literal(wish.zone);
  return sql + count_where(usable + " AND " + moment + " >= pg_catalog.date_trunc('day', now()" +
                               zone + ")" + zone,
                           "today_" + n);
}

std::string outer_columns(const ScanWish& wish, const std::string& n) {
  return ", extract(epoch FROM newest_" + n + ") AS newest_" + n +
         ", extract(epoch FROM now() - newest_" + n + ") AS age_" + n + ", recent_" + n +
         ", undated_" + n + ", future_" + n + (wish.calendar ? ", today_" + n : "");
}

struct Composed {
  std::string sql;
  std::vector<const ScanWish*> answered;  ///< in the order of the statement's column numbers
};

/// Composes the statement. A wish that cannot be asked is refused in `scan`.
Composed compose(const Table& table, const std::vector<ScanWish>& wishes, TableScan& scan) {
  Composed composed;
  std::string inner = "SELECT count(*) AS rows";
  std::string outer = "SELECT rows";
  for (const ScanWish& wish : wishes) {
    try {
      const std::string n = std::to_string(composed.answered.size());
      inner +=
          inner_columns(moment_sql(table.existing_column(wish.time_column), wish.zone), wish, n);
      outer += outer_columns(wish, n);
      composed.answered.push_back(&wish);
    } catch (const SourceError& error) {
      scan.refuse(wish, error);
    }
  }
  composed.sql = outer + " FROM (" + inner + " FROM " + table.from_clause() + ") s";
  return composed;
}

void run(Session& session, const Composed& composed, Access access, TableScan& scan) {
  const Rows answer = session.query(composed.sql, access);
  const Row row = answer.only();
  scan.rows = row.number("rows");
  for (std::size_t i = 0; i < composed.answered.size(); ++i) {
    const std::string n = std::to_string(i);
    TimeFacts facts;
    facts.recent_rows = row.number("recent_" + n);
    facts.undated_rows = row.number("undated_" + n);
    facts.newest = row.maybe_number("newest_" + n);
    facts.newest_age = Seconds(row.maybe_number("age_" + n).value_or(0));
    facts.future_rows = row.number("future_" + n);
    if (composed.answered[i]->calendar) facts.rows_today = row.maybe_number("today_" + n);
    scan.answer(*composed.answered[i], facts);
  }
}

}  // namespace

std::vector<ScanWish> ScanPlan::wishes(const Table& table) const {
  std::vector<ScanWish> wishes;
  if (const auto found = wishes_.find(table.name); found != wishes_.end()) wishes = found->second;
  for (const Rule& rule : rules_)
    if (auto wish = rule(table)) wishes.push_back(*std::move(wish));
  return wishes;
}

void ScanPlan::add_reads(const Schema& schema, Reads& reads) const {
  for (const Table& table : schema.tables)
    for (const ScanWish& wish : wishes(table)) reads.add(schema, table.name, {wish.time_column});
}

const TimeFacts& TableScan::times(const ScanWish& wish) const {
  if (const auto refused = refused_.find(wish); refused != refused_.end()) throw refused->second;
  const auto found = facts_.find(wish);
  if (found == facts_.end())
    throw std::logic_error("a table scan was asked for what nobody had planned");
  return found->second;
}

bool TableScan::covers(const std::vector<ScanWish>& wishes) const {
  return std::all_of(wishes.begin(), wishes.end(), [&](const ScanWish& wish) {
    return facts_.contains(wish) || refused_.contains(wish);
  });
}

TableScan TableScans::scan(Session& session, const Table& table, const Clock& clock,
                           Seconds max_age) {
  const std::vector<ScanWish> wishes = plan_.wishes(table);
  if (!wishes.empty()) {
    const std::lock_guard lock(mutex_);
    const auto found = results_.find(table.name);
    // An older scan has no answer for a column that was discovered after it.
    if (found != results_.end() && clock.now() - found->second.observed_at <= max_age &&
        found->second.covers(wishes))
      return found->second;
  }
  TableScan scan;
  scan.observed_at = clock.now();
  const Composed composed = compose(table, wishes, scan);
  try {
    run(session, composed, Access::heap, scan);
  } catch (const SourceError& error) {
    // The rows can still be counted if only the times cannot be read. Causes are a grant on some
    // columns only, or a time that cannot be computed (a date beyond all timestamps, a zone that
    // the server does not know).
    const bool about_times =
        error.reason() == Reason::permission || error.reason() == Reason::decode;
    if (!about_times || composed.answered.empty()) throw;
    for (const ScanWish* wish : composed.answered) scan.refuse(*wish, error);
    run(session, compose(table, {}, scan), Access::heap, scan);
  }
  if (!wishes.empty()) {
    const std::lock_guard lock(mutex_);
    results_.insert_or_assign(table.name, scan);
  }
  return scan;
}

TableScan TableScans::recent(Session& session, const Table& table, const Clock& clock,
                             const ScanWish& wish) {
  TableScan scan;
  scan.observed_at = clock.now();
  const Column& column = table.existing_column(wish.time_column);
  const std::string newest = to_moment("newest", column, wish.zone);
  const std::string name = sql_identifier(column.name);
  const std::string from = table.from_clause();
  const std::string low =
      name + " > " + from_moment("(now() - " + seconds_sql(wish.window) + ")", column, wish.zone);
  const std::string latest = from_moment("(now() + interval '1 minute')", column, wish.zone);
  const std::string high = name + " > '-infinity' AND " + name + " <= " + latest;
  const std::string any = "EXISTS (SELECT FROM " + from + " WHERE " + name;
  const std::string undated = any + " IS NULL)::int + " + any + " = '-infinity')::int + " + any +
                              " = 'infinity')::int AS undated_0";
  const std::string future =
      any + " > " + latest + " AND " + name + " < 'infinity')::int AS future_0";
  const std::string sql =
      "SELECT rows, rows AS recent_0, undated_0, future_0, extract(epoch FROM " + newest +
      ") AS newest_0, extract(epoch FROM now() - " + newest +
      ") AS age_0 FROM (SELECT (SELECT count(*) FROM " + from + " WHERE " + low + " AND " + high +
      ") AS rows, (SELECT max(" + name + ") FROM " + from + " WHERE " + high + ") AS newest, " +
      undated + ", " + future + ") s";
  run(session, {sql, {&wish}}, Access::index, scan);
  return scan;
}

std::string moment_sql(const Column& column, const std::string& zone) {
  return to_moment(sql_identifier(column.name), column, zone);
}

std::string newest_moment_sql(const Table& table, const Column& column, const std::string& zone) {
  const std::string name = sql_identifier(column.name);
  return "(SELECT " + to_moment("newest", column, zone) + " FROM (SELECT max(" + name +
         ") AS newest FROM " + table.from_clause() + " WHERE " + name + " > '-infinity' AND " +
         name + " <= " + from_moment("(now() + interval '1 minute')", column, zone) + ") n)";
}

double heap_bytes(Session& session, const Table& table) {
  if (table.estimated_bytes) return *table.estimated_bytes;
  const std::string relation = sql_literal(table.name.sql()) + "::pg_catalog.regclass";
  const Rows answer = session.query(
      table.partitioned
          ? "SELECT coalesce(sum(pg_relation_size(relid)), 0) AS bytes FROM pg_partition_tree(" +
                relation + ") WHERE isleaf"
      : table.heirs.empty()
          ? "SELECT pg_relation_size(" + relation + ") AS bytes"
          : "WITH RECURSIVE family(oid) AS (SELECT " + relation +
                "::pg_catalog.oid UNION SELECT i.inhrelid FROM family JOIN pg_inherits i"
                " ON i.inhparent = family.oid)"
                " SELECT coalesce(sum(pg_relation_size(oid)), 0) AS bytes FROM family");
  return answer.only().maybe_number("bytes").value_or(0);
}

}  // namespace pg_integrity
