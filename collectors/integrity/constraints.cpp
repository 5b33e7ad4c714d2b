// Rows that break a constraint other than a unique or foreign key. An exclusion constraint, or a
// key WITHOUT OVERLAPS, may hold conflicting rows if its index is damaged or was once switched off.
// A CHECK or NOT NULL constraint that is NOT VALID or NOT ENFORCED says nothing about the rows that
// are there. The collector counts the rows of all of them without any index. Such a flag itself is
// only observed.
#include <algorithm>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/integrity/catalog_list.h"
#include "collectors/integrity/checked_rows.h"
#include "collectors/integrity/exclusion_keys.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/table_scan.h"
#include "collectors/walk.h"

namespace pg_integrity::constraints {

namespace {

constexpr auto kConflicting = gauge(
    "pg_integrity_conflicting_rows",
    "Rows that conflict with a row sorted before them, although an exclusion constraint or a key "
    "WITHOUT OVERLAPS forbids it.",
    must_be(0).says(
        "{value} {row|rows} of {schema}.{table} {conflicts|conflict} with other rows, which the "
        "constraint {constraint} forbids."),
    "schema", "table", "constraint");
constexpr auto kBroken =
    gauge("pg_integrity_constraint_broken_rows",
          "Rows that break a CHECK or NOT NULL constraint of their table or of a column's domain.",
          must_be(0).says(
              "{value} {row|rows} of {schema}.{table} {breaks|break} the constraint {constraint}."),
          "schema", "table", "constraint");
constexpr auto kValidated =
    gauge("pg_integrity_constraint_validated",
          "1 if the catalog says that existing rows obey the CHECK or NOT NULL constraint "
          "(convalidated).",
          "schema", "table", "constraint");
constexpr auto kEnforced =
    gauge("pg_integrity_constraint_enforced",
          "1 unless the constraint is NOT ENFORCED, so that new rows may break it, too.", "schema",
          "table", "constraint");
constexpr auto kCompared =
    gauge("pg_integrity_constraint_compared",
          "1 if the rows of the exclusion constraint are compared; 0 if no order of the values "
          "tells which of them conflict, so that its rows are not watched.",
          "schema", "table", "constraint");

constexpr const MetricInfo* kMetrics[] = {&kConflicting, &kBroken, &kValidated, &kEnforced,
                                          &kCompared};

constexpr std::string_view kIdentity[] = {"schema", "table", "constraint"};

constexpr Option kOptions[] = {
    {.name = "exact_up_to",
     .type = OptionType::size,
     .fallback = "1GiB",
     .help = "constraints of tables with a larger heap are unproven(too_large)"},
    {.name = "validated",
     .type = OptionType::flag,
     .fallback = "false",
     .help = "true: also CHECK and NOT NULL constraints that the catalog takes for obeyed; a"
             " function that was changed since may have made rows break one"}};

using Labels = std::array<std::string, 3>;

Labels labels_of(const ExclusionKey& key) {
  return {key.index.table.schema, key.index.table.name, key.constraint};
}

Labels labels_of(const RowConstraint& constraint) {
  return {constraint.table.schema, constraint.table.name, constraint.name};
}

/// PostgreSQL checks the rows of all tables when it validates such a constraint.
bool is_of_valid_domain(const RowConstraint& constraint) {
  return constraint.validated && constraint.kind == RowConstraint::Kind::domain;
}

class Constraints final : public Collector {
 public:
  explicit Constraints(const Settings& settings)
      : exact_up_to_(settings.number("exact_up_to")), validated_(settings.flag("validated")) {}

  void declare(Batch& /*out*/) const override {}

  Progress collect(Sources& from, Batch& out) override {
    const auto schema = from.schema();
    const auto& checks =
        checks_.get(from, schema, [&] { return checks_to_look_at(from, *schema); });
    const auto& keys =
        keys_.get(from, schema, [&] { return exclusion_keys(from.session(), *schema); });
    Walk walk(from);
    const auto key_of = [](const auto& constraint) {
      const Labels labels = labels_of(constraint);
      return walk_key(labels[0], labels[1], labels[2]);
    };
    if (walk.each("checks", checks, key_of, [&](const RowConstraint& constraint) {
          if (from.wants(labels_of(constraint))) look_at(from.session(), constraint, out);
        }) == Progress::more)
      return Progress::more;
    return walk.each("exclusions", keys, key_of, [&](const ExclusionKey& key) {
      if (from.wants(labels_of(key))) look_at(from.session(), key, out);
    });
  }

 private:
  /// A constraint whose rows were repaired may have been validated since. It is checked once more.
  [[nodiscard]] std::vector<RowConstraint> checks_to_look_at(Sources& from,
                                                             const Schema& schema) const {
    const std::vector<Sample> broken = from.violated(kBroken);
    auto checks = row_constraints(from.session(), schema, validated_ || !broken.empty());
    std::erase_if(checks, [&](const RowConstraint& check) {
      const bool wanted = validated_ && !is_of_valid_domain(check);
      const Labels labels = labels_of(check);
      return check.validated && !wanted &&
             std::none_of(broken.begin(), broken.end(), [&](const Sample& sample) {
               return std::equal(labels.begin(), labels.end(), sample.labels.begin(),
                                 sample.labels.end());
             });
    });
    return checks;
  }

  void look_at(Session& session, const RowConstraint& constraint, Batch& out) const {
    const Labels labels = labels_of(constraint);
    out.set(kValidated, constraint.validated ? 1 : 0, labels);
    out.set(kEnforced, constraint.enforced ? 1 : 0, labels);
    out.attempt(kBroken, labels, [&] {
      require_readable(session, constraint.heap);
      const std::string sql = broken_sql(session, constraint);
      out.set(kBroken, session.query(sql, Access::heap).only().number("broken"), labels);
      if (!constraint.enforced)
        out.evidence(kBroken, "the constraint is NOT ENFORCED", labels);
      else if (!constraint.validated)
        out.evidence(kBroken, "the constraint is NOT VALID", labels);
    });
  }

  void look_at(Session& session, const ExclusionKey& key, Batch& out) const {
    const Labels labels = labels_of(key);
    out.weight(kConflicting, false, key.index.estimated_rows, labels);
    out.attempt(kConflicting, labels, [&] {
      const auto sql = conflicts_sql(session, key);
      out.set(kCompared, sql ? 1 : 0, labels);
      if (!sql) {
        out.excluded(1);
        out.evidence(kCompared,
                     "not watched: no order of the values tells which rows conflict. HINT: a query"
                     " of `custom` may count them",
                     labels);
        return;
      }
      require_readable(session, key.index.heap());
      out.set(kConflicting, session.query(*sql, Access::heap).only().number("conflicting"), labels);
    });
  }

  void require_readable(Session& session, const Table& table) const {
    if (table.has_foreign_partition)
      throw SourceError(Reason::config, "a partition of the table is on another server");
    if (heap_bytes(session, table) > exact_up_to_)
      throw SourceError(
          Reason::too_large,
          "not counted: the table is above exact_up_to. HINT: raise it for this server");
  }

  double exact_up_to_;
  bool validated_;
  CatalogList<std::vector<RowConstraint>> checks_;
  CatalogList<std::vector<ExclusionKey>> keys_;
};

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<Constraints>(given.own);
}

/// Whether the statement can be composed. A privilege may still be missing.
template <typename Compose>
bool is_safe(Compose compose) {
  try {
    compose();
  } catch (const SourceError& error) {
    if (error.session_lost()) throw;
    return error.reason() != Reason::unsafe;
  }
  return true;
}

void add_reads(const Configuration& given, Session& session, const Schema& schema, Reads& reads) {
  for (const RowConstraint& constraint :
       row_constraints(session, schema, given.own.flag("validated")))
    if (!is_of_valid_domain(constraint) && is_safe([&] { broken_sql(session, constraint); }))
      reads.tables[constraint.table].insert(constraint.columns.begin(), constraint.columns.end());
  for (const ExclusionKey& key : exclusion_keys(session, schema))
    if (is_safe([&] { conflicts_sql(session, key); }))
      reads.tables[key.index.table].merge(columns_of(session, key.index));
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{
    .name = "constraints",
    .summary = "rows that break an exclusion, CHECK or NOT NULL constraint",
    .object_noun = "constraint",
    .report_section = "Constraints",
    .question = Question::intact,
    .lane = Lane::scan,
    .scope = Scope::database,
    .depends_on = DependsOn::tables | DependsOn::time,  // a CHECK may name today
    .interval = "1h",
    .deadline = "120s",
    .metrics = kMetrics,
    .identity = kIdentity,
    .options = kOptions,
    .reads = add_reads,
    .remembers_red = true,
    .make = make};

}  // namespace pg_integrity::constraints
