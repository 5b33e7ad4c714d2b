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
#include "collectors/integrity/reference_sql.h"
#include "collectors/integrity/remembered_key.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/table_scan.h"
#include "collectors/walk.h"

namespace pg_integrity::orphans {

namespace {

constexpr auto kOrphanedRows =
    gauge("pg_integrity_orphaned_rows", "Rows whose foreign key refers to no existing row.",
          must_be(0).says(
              "{value} {row|rows} of {schema}.{table} {refers|refer} to no row of the referenced "
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
    gauge("pg_integrity_foreign_key_info",
          "Always 1; says what a foreign key refers to, and how its columns are compared.",
          "schema", "table", "constraint", "referenced_schema", "referenced_table", "columns");

constexpr const MetricInfo* kMetrics[] = {&kOrphanedRows, &kEnforced, &kValidated, &kIndexed,
                                          &kInfo};

constexpr std::string_view kIdentity[] = {"schema", "table", "constraint"};

constexpr Option kOptions[] = {{.name = "references",
                                .type = OptionType::records,
                                .help = "references that no foreign key declares",
                                .members = kReferenceOptions}};

class Orphans final : public Collector {
 public:
  explicit Orphans(const Settings& settings) {
    for (const Settings& record : settings.records("references"))
      references_.push_back(declared_reference(record));
    std::sort(references_.begin(), references_.end(),
              [](const DeclaredReference& a, const DeclaredReference& b) {
                return std::tie(a.key.child, a.key.name) < std::tie(b.key.child, b.key.name);
              });
  }

  void declare(Batch& /*out*/) const override {}

  Progress collect(Sources& from, Batch& out) override {
    const auto schema = from.schema();
    if (from.position().empty()) out.excluded(schema->excluded_foreign_keys);
    const std::vector<DeclaredReference> remembered = remembered_keys(from, *schema);
    Walk walk(from);
    const auto key_of = [](const ForeignKey& key) {
      return walk_key(key.child.schema, key.child.name, key.name);
    };
    const auto declared_key_of = [&](const DeclaredReference& one) { return key_of(one.key); };
    if (walk.each("discovered", schema->foreign_keys, key_of, [&](const ForeignKey& key) {
          if (from.wants(labels(key))) look_at_key(from, *schema, key, remembered, out);
        }) == Progress::more)
      return Progress::more;
    if (walk.each("references", references_, declared_key_of, [&](const auto& reference) {
          if (from.wants(labels(reference.key))) look_at_reference(from, *schema, reference, out);
        }) == Progress::more)
      return Progress::more;
    return walk.each("remembered", remembered, declared_key_of, [&](const auto& one) {
      if (from.wants(labels(one.key)) && !is_listed(*schema, one.key) &&
          !look_at_remembered(from, *schema, one, out))
        out.set(kOrphanedRows, 0, labels(one.key));
    });
  }

 private:
  static std::array<std::string, 3> labels(const ForeignKey& key) {
    return {key.child.schema, key.child.name, key.name};
  }

  /// Keys with orphans, as they were then, sorted.
  static std::vector<DeclaredReference> remembered_keys(const Sources& from, const Schema& schema) {
    std::vector<DeclaredReference> remembered;
    for (const Sample& info : from.violated(kInfo))
      if (auto key = remembered_key(info); key && is_checkable(*key, schema))
        remembered.push_back(std::move(*key));
    return remembered;
  }

  /// Whether a key or reference of that name is checked anyway.
  [[nodiscard]] bool is_listed(const Schema& schema, const ForeignKey& key) const {
    const auto has_name = [&](const ForeignKey& other) {
      return other.child == key.child && other.name == key.name;
    };
    return std::any_of(schema.foreign_keys.begin(), schema.foreign_keys.end(), has_name) ||
           std::any_of(references_.begin(), references_.end(),
                       [&](const DeclaredReference& other) { return has_name(other.key); });
  }

  static void look_at_key(Sources& from, const Schema& schema, const ForeignKey& key,
                          const std::vector<DeclaredReference>& remembered, Batch& out) {
    const auto of = labels(key);
    out.set(kEnforced, key.enforced ? 1 : 0, of);
    out.set(kValidated, key.validated ? 1 : 0, of);
    out.set(kIndexed, key.indexed ? 1 : 0, of);
    const auto replaced =
        std::find_if(remembered.begin(), remembered.end(), [&](const DeclaredReference& before) {
          return labels(before.key) == of && !is_same(before.key, key);
        });
    if (replaced == remembered.end() || !look_at_remembered(from, schema, *replaced, out))
      count(from.session(), key, out);
  }

  /// Rows that broke a key which was dropped or replaced are judged until none is wrong.
  /// @return false if none is.
  static bool look_at_remembered(Sources& from, const Schema& schema,
                                 const DeclaredReference& remembered, Batch& out) {
    const auto of = labels(remembered.key);
    bool wrong = true;
    out.attempt(kOrphanedRows, of, [&] {
      const ForeignKey key = resolve(from.session(), schema, remembered);
      require_safe(key);
      const Rows rows = from.session().query(orphans_sql(key), Access::heap);
      const double orphans = rows.only().number("orphans");
      wrong = orphans > 0;
      if (wrong) show(key, orphans, out);
      if (wrong)
        out.evidence(kOrphanedRows,
                     "the key is no longer there as it was, and its orphans are. HINT: repair the"
                     " rows, or list the object under `accept`",
                     of);
    });
    return wrong;
  }

  static void show(const ForeignKey& key, double orphans, Batch& out) {
    const auto of = labels(key);
    out.set(kOrphanedRows, orphans, of);
    out.set(kInfo, 1, of[0], of[1], of[2], key.parent.schema, key.parent.name, columns_text(key));
    out.evidence(kOrphanedRows, "refers to " + key.parent.display(), of);
  }

  static void look_at_reference(Sources& from, const Schema& schema,
                                const DeclaredReference& reference, Batch& out) {
    const auto of = labels(reference.key);
    out.weight(kOrphanedRows, true, 0, of);
    out.attempt(kOrphanedRows, of, [&] {
      const ForeignKey key = resolve(from.session(), schema, reference);
      require_safe(key);
      if (!key.condition.empty() && !from.previous(kOrphanedRows, of))
        require_match(from.session(), key);
      count(from.session(), key, out);
      if (key.condition.empty()) return;
      out.evidence(kOrphanedRows, "where " + conditions_text(reference.conditions), of);
      out.changes_by_itself();  // a condition may name today
    });
  }

  /// A condition with a misspelt constant would prove nothing. Once it has met a row, it may meet
  /// none for a while.
  static void require_match(Session& session, const ForeignKey& key) {
    const std::string from = " FROM " + child_sql(key) + " c";
    const Row row = session
                        .query("SELECT EXISTS (SELECT" + from + " WHERE " + key.condition +
                                   ") AS met, EXISTS (SELECT" + from + ") AS filled",
                               Access::heap)
                        .only();
    if (row.flag("filled") && !row.flag("met"))
      throw SourceError(
          Reason::missing,
          "no row of " + key.child.display() +
              " has met the condition yet. HINT: compare its constants with the rows");
  }

  static void count(Session& session, const ForeignKey& key, Batch& out) {
    const auto of = labels(key);
    out.attempt(kOrphanedRows, of, [&] {
      require_safe(key);
      const double orphans = session.query(orphans_sql(key), Access::heap).only().number("orphans");
      show(key, orphans, out);
      explain_heirs(key, out);
    });
  }

  /// A user who reads the tables with their heirs counts other orphans than the key has.
  static void explain_heirs(const ForeignKey& key, Batch& out) {
    const auto of = labels(key);
    if (key.child_heirs_left_out)
      out.evidence(kOrphanedRows,
                   "PostgreSQL does not bind the tables that inherit from " + key.child.display() +
                       ". HINT: declare a reference, which includes them",
                   of);
    if (key.parent_heirs_left_out)
      out.evidence(kOrphanedRows,
                   "to PostgreSQL, rows of tables that inherit from " + key.parent.display() +
                       " do not exist for this key. HINT: declare a reference, which includes them",
                   of);
  }

  std::vector<DeclaredReference> references_;
};

void check(const Configuration& given, Problems& problems) {
  for (const Settings& record : given.own.records("references")) check_reference(record, problems);
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
    reads.add(schema, {record.text("schema"), record.text("table")}, referring_columns(record));
    reads.add(schema, {record.text("referenced_schema"), record.text("referenced_table")},
              record.texts("referenced_columns"));
  }
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{
    .name = "orphans",
    .summary = "rows whose foreign key or declared reference points nowhere",
    .object_noun = "foreign key",
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
    .remembers_red = true,
    .make = make};

}  // namespace pg_integrity::orphans
