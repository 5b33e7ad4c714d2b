// Orphaned rows: children whose parent does not exist. The collector checks every foreign key that
// the catalog lists and every reference that the configuration declares. A key that is "valid" in
// the catalog proves nothing, because triggers may have been off when its rows were written.
//
// The comparison is the key's own. It uses the key's operators (conpfeqop), with the casts and the
// collation that PostgreSQL's ri_triggers.c uses. Under MATCH SIMPLE a row with a NULL in any
// column refers to nothing. Under MATCH FULL all columns may be NULL, or none. One statement is one
// snapshot, so rows in flight are no orphans.
#include <algorithm>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/qualified_name.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/integrity/declared_reference.h"
#include "collectors/integrity/period_reference.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/table_scan.h"
#include "collectors/walk.h"

namespace pg_integrity::orphans {

namespace {

constexpr auto kOrphanedRows =
    gauge("pg_integrity_orphaned_rows", "Rows whose foreign key refers to no existing row.",
          must_be(0).says("{value} rows of {schema}.{table} refer to no row of the referenced "
                          "table (foreign key {constraint})."),
          "schema", "table", "constraint");
constexpr auto kEnforced =
    gauge("pg_integrity_foreign_key_enforced",
          "1 if every trigger of the foreign key fires on both sides and it is not NOT ENFORCED.",
          must_be(1).says("The foreign key {constraint} of {schema}.{table} is not enforced, so "
                          "that wrong rows can be written."),
          "schema", "table", "constraint");
constexpr auto kValidated = gauge(
    "pg_integrity_foreign_key_validated",
    "1 if the catalog says that existing rows were checked (convalidated); orphans may exist all "
    "the same.",
    "schema", "table", "constraint");
constexpr auto kIndexed = gauge(
    "pg_integrity_foreign_key_indexed",
    "1 if a valid index leads with the referring columns; without one, deletes of parents scan "
    "the whole child.",
    "schema", "table", "constraint");
constexpr auto kInfo =
    gauge("pg_integrity_foreign_key_info", "Always 1; says which table a foreign key refers to.",
          "schema", "table", "constraint", "referenced_schema", "referenced_table");

constexpr const MetricInfo* kMetrics[] = {&kOrphanedRows, &kEnforced, &kValidated, &kIndexed,
                                          &kInfo};

constexpr std::string_view kIdentity[] = {"schema", "table", "constraint"};

constexpr Option kReferenceOptions[] = {
    {.name = "name", .help = "label `constraint`; unique in the table", .required = true},
    {.name = "database", .help = "where it applies; default: the database of the DSN"},
    {.name = "schema", .fallback = "public", .help = "schema of the referring table"},
    {.name = "table", .help = "the referring table", .required = true},
    {.name = "columns", .type = OptionType::texts, .help = "its columns", .required = true},
    {.name = "referenced_schema", .fallback = "public", .help = "schema of the referenced table"},
    {.name = "referenced_table", .help = "the referenced table", .required = true},
    {.name = "referenced_columns",
     .type = OptionType::texts,
     .help = "its columns, in the same order",
     .required = true},
    {.name = "match_full",
     .type = OptionType::flag,
     .fallback = "false",
     .help = "true: rows with some but not all columns NULL are orphans too (MATCH FULL)"}};

constexpr Option kOptions[] = {{.name = "references",
                                .type = OptionType::records,
                                .help = "references that no foreign key declares",
                                .members = kReferenceOptions}};

std::string not_null(const ForeignKey& key, std::string_view joined_by) {
  std::string sql;
  for (const ReferenceColumn& column : key.columns)
    sql += (sql.empty() ? std::string() : std::string(joined_by)) + "c." +
           sql_identifier(column.child) + " IS NOT NULL";
  return "(" + sql + ")";
}

/// The one statement that counts the orphans of a key.
std::string orphans_sql(const ForeignKey& key) {
  std::string match;
  for (const ReferenceColumn& column : key.columns) {
    if (!match.empty()) match += " AND ";
    match += "p." + sql_identifier(column.parent) + column.parent_cast + " " + column.comparison +
             " c." + sql_identifier(column.child) + column.child_cast + column.collation;
  }
  return "SELECT count(*) AS orphans FROM " + std::string(key.child_partitioned ? "" : "ONLY ") +
         key.child.sql() + " c WHERE " + not_null(key, key.match_full ? " OR " : " AND ") +
         " AND NOT EXISTS (SELECT FROM " + std::string(key.parent_partitioned ? "" : "ONLY ") +
         key.parent.sql() + " p WHERE " + match + ")";
}

class Orphans final : public Collector {
 public:
  explicit Orphans(const Settings& settings) {
    for (const Settings& record : settings.records("references"))
      references_.push_back(declared_reference(record));
    std::sort(references_.begin(), references_.end(), [](const ForeignKey& a, const ForeignKey& b) {
      return std::tie(a.child, a.name) < std::tie(b.child, b.name);
    });
  }

  void declare(Batch& /*out*/) const override {}

  Progress collect(Sources& from, Batch& out) override {
    const auto schema = from.schema();
    if (from.position().empty()) out.excluded(schema->excluded_foreign_keys);
    Walk walk(from);
    const auto key_of = [](const ForeignKey& key) {
      return walk_key(key.child.schema, key.child.name, key.name);
    };
    if (walk.each("discovered", schema->foreign_keys, key_of, [&](const ForeignKey& key) {
          if (from.wants(labels(key))) look_at_key(from.session(), key, out);
        }) == Progress::more)
      return Progress::more;
    return walk.each("references", references_, key_of, [&](const ForeignKey& reference) {
      if (from.wants(labels(reference))) look_at_reference(from.session(), *schema, reference, out);
    });
  }

 private:
  static std::array<std::string, 3> labels(const ForeignKey& key) {
    return {key.child.schema, key.child.name, key.name};
  }

  static void look_at_key(Session& session, const ForeignKey& key, Batch& out) {
    const auto of = labels(key);
    out.set(kEnforced, key.enforced ? 1 : 0, of);
    out.set(kValidated, key.validated ? 1 : 0, of);
    out.set(kIndexed, key.indexed ? 1 : 0, of);
    count(session, key, out);
  }

  void look_at_reference(Session& session, const Schema& schema, const ForeignKey& reference,
                         Batch& out) const {
    const auto of = labels(reference);
    out.weight(kOrphanedRows, true, 0, of);
    out.attempt(kOrphanedRows, of,
                [&] { count(session, resolve(session, schema, reference), out); });
  }

  static void count(Session& session, const ForeignKey& key, Batch& out) {
    const auto of = labels(key);
    out.attempt(kOrphanedRows, of, [&] {
      if (key.foreign_cast)
        throw SourceError(Reason::unsafe,
                          "comparing would call the function of a cast that belongs to no"
                          " superuser. HINT: give both sides the same type");
      if (key.foreign_code)
        throw SourceError(Reason::unsafe, "any look at " + key.child.display() + " or " +
                                              key.parent.display() + std::string(kForeignCodeRuns));
      const double orphans = session.query(key.temporal ? uncovered_sql(key) : orphans_sql(key))
                                 .only()
                                 .number("orphans");
      out.set(kOrphanedRows, orphans, of);
      out.set(kInfo, 1, of[0], of[1], of[2], key.parent.schema, key.parent.name);
      out.evidence(kOrphanedRows, "refers to " + key.parent.display(), of);
    });
  }

  std::vector<ForeignKey> references_;
};

void check(const Configuration& given, Problems& problems) {
  for (const Settings& record : given.own.records("references")) {
    const std::size_t own = record.texts("columns").size();
    const std::size_t other = record.texts("referenced_columns").size();
    if (own == 0 || own != other)
      problems.add(record.place("referenced_columns"),
                   "reference \"" + record.text("name") + "\" pairs " + std::to_string(own) +
                       " columns with " + std::to_string(other),
                   "list the same number of columns on both sides, at least one");
  }
}

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<Orphans>(given.own);
}

bool more_on_copy(const Configuration& given, const Schema& copy) {
  return !given.own.records("references").empty() ||
         std::any_of(copy.foreign_keys.begin(), copy.foreign_keys.end(),
                     [](const ForeignKey& key) { return !key.validated; });
}

void add_reads(const Configuration& given, Session& /*session*/, const Schema& schema,
               Reads& reads) {
  for (const ForeignKey& key : schema.foreign_keys) {
    if (key.foreign_cast || key.foreign_code) continue;
    for (const ReferenceColumn& column : key.columns) {
      reads.tables[key.child].insert(column.child);
      reads.tables[key.parent].insert(column.parent);
    }
  }
  for (const Settings& record : given.own.records("references")) {
    reads.add(schema, {record.text("schema"), record.text("table")}, record.texts("columns"));
    reads.add(schema, {record.text("referenced_schema"), record.text("referenced_table")},
              record.texts("referenced_columns"));
  }
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{
    .name = "orphans",
    .summary = "rows whose foreign key or declared reference points nowhere",
    .report_section = "Foreign key integrity",
    .question = Question::intact,
    .lane = Lane::scan,
    .scope = Scope::database,
    .depends_on = DependsOn::tables,
    .interval = "15m",
    .deadline = "60s",
    .metrics = kMetrics,
    .identity = kIdentity,
    .options = kOptions,
    .check = check,
    .reads = add_reads,
    .on_copy = more_on_copy,
    .make = make};

}  // namespace pg_integrity::orphans
