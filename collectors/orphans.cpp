// Orphaned rows: children whose parent does not exist, for every foreign key that the catalog lists
// and every reference that the configuration declares. A key that is "valid" in the catalog proves
// nothing: triggers may have been off when its rows were written.
//
// The comparison is the key's own: its operators (conpfeqop), with the casts and collation that
// PostgreSQL's ri_triggers.c uses. MATCH SIMPLE: a NULL in any column refers to nothing. MATCH
// FULL: all or none may be NULL. One statement is one snapshot, so rows in flight are no orphans.
#include <algorithm>

#include "collectors/collector.h"
#include "collectors/reads.h"

namespace pg_integrity {

namespace {

constexpr auto kOrphanedRows =
    gauge("pg_integrity_orphaned_rows", "Rows whose foreign key refers to no existing row.",
          must_be(0), "schema", "table", "constraint");
constexpr auto kEnforced =
    gauge("pg_integrity_foreign_key_enforced",
          "1 if every trigger of the foreign key fires on both sides and it is not NOT ENFORCED.",
          must_be(1), "schema", "table", "constraint");
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

// The equality of the parent column's type that a foreign key would use, for a declared reference.
constexpr std::string_view kDeclaredComparison = R"(
SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname) AS comparison,
  CASE WHEN o.oprleft <> pa.atttypid AND lt.typtype <> 'p'
    THEN format('::%I.%I', ltn.nspname, lt.typname) ELSE '' END AS parent_cast,
  CASE WHEN o.oprright <> ca.atttypid AND rt.typtype <> 'p'
    THEN format('::%I.%I', rtn.nspname, rt.typname) ELSE '' END AS child_cast,
  CASE WHEN pa.attcollation <> ca.attcollation AND pa.attcollation <> 0
    THEN format(' COLLATE %I.%I', cln.nspname, cl.collname) ELSE '' END AS collation
FROM pg_attribute ca JOIN pg_type ct ON ct.oid = ca.atttypid, pg_attribute pa
  JOIN pg_type pt ON pt.oid = pa.atttypid
  LEFT JOIN pg_collation cl ON cl.oid = pa.attcollation
  LEFT JOIN pg_namespace cln ON cln.oid = cl.collnamespace,
  pg_opclass c JOIN pg_am m ON m.oid = c.opcmethod AND m.amname = 'btree'
  JOIN pg_amop a ON a.amopfamily = c.opcfamily AND a.amopstrategy = 3
  JOIN pg_operator o ON o.oid = a.amopopr JOIN pg_namespace n ON n.oid = o.oprnamespace
  JOIN pg_type lt ON lt.oid = o.oprleft JOIN pg_namespace ltn ON ltn.oid = lt.typnamespace
  JOIN pg_type rt ON rt.oid = o.oprright JOIN pg_namespace rtn ON rtn.oid = rt.typnamespace
WHERE ca.attrelid = $1::regclass AND ca.attname = $2 AND pa.attrelid = $3::regclass AND pa.attname = $4
  AND NOT ca.attisdropped AND NOT pa.attisdropped AND c.opcdefault AND a.amoplefttype = c.opcintype
  AND (SELECT count(*) FROM (VALUES
    (pa.atttypid, pt.typtype, pt.typbasetype, pt.typcategory, pt.typelem, a.amoplefttype),
    (ca.atttypid, ct.typtype, ct.typbasetype, ct.typcategory, ct.typelem, a.amoprighttype))
    AS side(type, kind, base, category, element, wanted)
    WHERE wanted IN (type, nullif(base, 0))
      OR EXISTS (SELECT FROM pg_cast k WHERE k.castsource = coalesce(nullif(base, 0), type)
        AND k.casttarget = wanted AND k.castmethod = 'b' AND k.castcontext = 'i')
      OR wanted = 'anyenum'::regtype AND kind = 'e'
      OR wanted = 'anyarray'::regtype AND category = 'A' AND element <> 0
      OR wanted = 'anyrange'::regtype AND kind = 'r') = 2
ORDER BY (a.amoplefttype = pa.atttypid)::int + (a.amoprighttype = ca.atttypid)::int DESC, o.oid LIMIT 1)";

std::string not_null(const ForeignKey& key, std::string_view joined_by) {
  std::string sql;
  for (const ReferenceColumn& column : key.columns)
    sql += (sql.empty() ? std::string() : std::string(joined_by)) + "c." +
           sql_identifier(column.child) + " IS NOT NULL";
  return "(" + sql + ")";
}

/// Counts the orphans of a key in one statement.
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

struct Reference {
  ForeignKey key;  ///< columns without their comparison: that depends on the database
};

/// Completes a declared reference with what the database says of its tables and columns.
ForeignKey resolve(Session& session, const Schema& schema, const Reference& reference) {
  ForeignKey key = reference.key;
  for (const QualifiedName* name : {&key.child, &key.parent})
    if (schema.table(*name) == nullptr)
      throw SourceError(
          Reason::missing,
          "table " + name->display() + " does not exist. HINT: correct the reference " + key.name);
  for (const QualifiedName* name : {&key.child, &key.parent})
    key.foreign_code = key.foreign_code || schema.table(*name)->foreign_code;
  key.child_partitioned = schema.table(key.child)->partitioned;
  key.parent_partitioned = schema.table(key.parent)->partitioned;
  for (ReferenceColumn& column : key.columns) {
    const std::array<std::string, 4> parameters{key.child.sql(), column.child, key.parent.sql(),
                                                column.parent};
    const Rows rows = session.query(kDeclaredComparison, parameters);
    if (rows.size() == 0)
      throw SourceError(Reason::config, "columns " + key.child.display() + "." + column.child +
                                            " and " + key.parent.display() + "." + column.parent +
                                            " do not both exist with types that can be compared");
    column.comparison = rows[0].text("comparison");
    column.parent_cast = rows[0].text("parent_cast");
    column.child_cast = rows[0].text("child_cast");
    column.collation = rows[0].text("collation");
  }
  return key;
}

class Orphans final : public Collector {
 public:
  explicit Orphans(const Settings& settings) {
    for (const Settings& record : settings.records("references")) {
      ForeignKey key;
      key.name = record.text("name");
      key.child = {record.text("schema"), record.text("table")};
      key.parent = {record.text("referenced_schema"), record.text("referenced_table")};
      key.match_full = record.flag("match_full");
      const auto& columns = record.texts("columns");
      for (std::size_t i = 0; i < columns.size(); ++i)
        key.columns.push_back({columns[i], record.texts("referenced_columns")[i], {}, {}, {}, {}});
      references_.push_back({std::move(key)});
    }
    std::sort(references_.begin(), references_.end(), [](const Reference& a, const Reference& b) {
      return std::tie(a.key.child, a.key.name) < std::tie(b.key.child, b.key.name);
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
    return walk.each(
        "references", references_, [&](const Reference& r) { return key_of(r.key); },
        [&](const Reference& reference) {
          if (from.wants(labels(reference.key)))
            look_at_reference(from.session(), *schema, reference, out);
        });
  }

 private:
  static std::array<std::string, 3> labels(const ForeignKey& key) {
    return {key.child.schema, key.child.name, key.name};
  }

  static void look_at_key(Session& session, const ForeignKey& key, Batch& out) {
    const auto& [schema, table, name] = labels(key);
    out.set(kEnforced, key.enforced ? 1 : 0, schema, table, name);
    out.set(kValidated, key.validated ? 1 : 0, schema, table, name);
    out.set(kIndexed, key.indexed ? 1 : 0, schema, table, name);
    count(session, key, out);
  }

  void look_at_reference(Session& session, const Schema& schema, const Reference& reference,
                         Batch& out) const {
    const auto& [child_schema, table, name] = labels(reference.key);
    out.weight(kOrphanedRows, true, 0, child_schema, table, name);
    out.attempt(kOrphanedRows, labels(reference.key),
                [&] { count(session, resolve(session, schema, reference), out); });
  }

  static void count(Session& session, const ForeignKey& key, Batch& out) {
    out.attempt(kOrphanedRows, labels(key), [&] {
      const auto& [schema, table, name] = labels(key);
      if (key.temporal)
        throw SourceError(Reason::unsafe, "keys over periods (PERIOD) are not evaluated");
      if (key.foreign_cast)
        throw SourceError(Reason::unsafe,
                          "comparing would call the function of a cast that belongs to no"
                          " superuser. HINT: give both sides the same type");
      if (key.foreign_code)
        throw SourceError(Reason::unsafe, "any look at " + key.child.display() + " or " +
                                              key.parent.display() + std::string(kForeignCodeRuns));
      const double orphans = session.query(orphans_sql(key)).only().number("orphans");
      out.set(kOrphanedRows, orphans, schema, table, name);
      out.set(kInfo, 1, schema, table, name, key.parent.schema, key.parent.name);
      out.evidence(kOrphanedRows, "refers to " + key.parent.display(), schema, table, name);
    });
  }

  std::vector<Reference> references_;
};

void check(const Settings& settings, Problems& problems) {
  for (const Settings& record : settings.records("references")) {
    const std::size_t own = record.texts("columns").size();
    const std::size_t other = record.texts("referenced_columns").size();
    if (own == 0 || own != other)
      problems.add(record.place("referenced_columns"),
                   "reference \"" + record.text("name") + "\" pairs " + std::to_string(own) +
                       " columns with " + std::to_string(other),
                   "list the same number of columns on both sides, at least one");
  }
}

std::unique_ptr<Collector> make(const Settings& settings, ScanPlan& /*plan*/) {
  return std::make_unique<Orphans>(settings);
}

}  // namespace

extern const ReadsOf kOrphansReads;
constexpr ReadsOf kOrphansReads = [](const Settings& settings, Session& /*session*/,
                                     const Schema& schema, Reads& reads) {
  for (const ForeignKey& key : schema.foreign_keys) {
    if (key.temporal || key.foreign_cast || key.foreign_code) continue;
    for (const ReferenceColumn& column : key.columns) {
      reads.tables[key.child].insert(column.child);
      reads.tables[key.parent].insert(column.parent);
    }
  }
  for (const Settings& record : settings.records("references")) {
    reads.add(schema, {record.text("schema"), record.text("table")}, record.texts("columns"));
    reads.add(schema, {record.text("referenced_schema"), record.text("referenced_table")},
              record.texts("referenced_columns"));
  }
};

extern const CollectorSpec kOrphansSpec;
constexpr CollectorSpec kOrphansSpec{
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
    .make = make};

}  // namespace pg_integrity
