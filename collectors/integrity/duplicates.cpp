// Duplicate rows: those beyond the first with the same value of a key. The key is a primary key, a
// unique constraint, a unique index, or one that the configuration declares. An index that is
// damaged, or was once switched off, promises what its table does not hold. So the collector counts
// without any index.
#include <algorithm>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/qualified_name.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/integrity/catalog_list.h"
#include "collectors/integrity/unique_keys.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/table_scan.h"
#include "collectors/walk.h"

namespace pg_integrity::duplicates {

namespace {

constexpr auto kDuplicateRows = gauge(
    "pg_integrity_duplicate_rows", "Surplus rows: those beyond the first of each value of the key.",
    must_be(0).says("{value} surplus {row|rows} of {schema}.{table} {repeats|repeat} a value of "
                    "the unique key {key}."),
    "schema", "table", "key");

constexpr const MetricInfo* kMetrics[] = {&kDuplicateRows};

constexpr std::string_view kIdentity[] = {"schema", "table", "key"};

constexpr Option kKeyOptions[] = {
    {.name = "name", .help = "label `key`; unique in the table", .required = true},
    {.name = "database", .help = "where it applies; default: the database of the DSN"},
    {.name = "schema", .fallback = "public", .help = "schema of the table"},
    {.name = "table", .help = "the table", .required = true},
    {.name = "columns",
     .type = OptionType::texts,
     .help = "what must be unique together: columns, those of text also as lower(column),"
             " btrim(column) or lower(btrim(column)); a NULL in any of them equals nothing",
     .required = true}};

constexpr Option kOptions[] = {
    {.name = "exact_up_to",
     .type = OptionType::size,
     .fallback = "1GiB",
     .help = "keys of tables with a larger heap are unproven(too_large)"},
    {.name = "keys",
     .type = OptionType::records,
     .help = "keys that no unique index declares",
     .members = kKeyOptions}};

struct DeclaredKey {
  QualifiedName table;
  std::string name;
  std::vector<std::string> columns;
};

class Duplicates final : public Collector {
 public:
  explicit Duplicates(const Settings& settings) : exact_up_to_(settings.number("exact_up_to")) {
    for (const Settings& record : settings.records("keys"))
      declared_.push_back({{record.text("schema"), record.text("table")},
                           record.text("name"),
                           record.texts("columns")});
    std::sort(declared_.begin(), declared_.end(), [](const DeclaredKey& a, const DeclaredKey& b) {
      return std::tie(a.table, a.name) < std::tie(b.table, b.name);
    });
  }

  void declare(Batch& /*out*/) const override {}

  Progress collect(Sources& from, Batch& out) override {
    const auto schema = from.schema();
    const auto& indexes = indexes_.get(from, schema, [&] {
      statements_.forget();
      return unique_indexes(from.session(), *schema);
    });
    Walk walk(from);
    const auto key_of = [](const auto& key) {
      return walk_key(key.table.schema, key.table.name, key.name);
    };
    if (walk.each("declared", declared_, key_of, [&](const DeclaredKey& key) {
          if (!from.wants(labels(key))) return;
          out.weight(kDuplicateRows, true, 0, key.table.schema, key.table.name, key.name);
          out.attempt(kDuplicateRows, labels(key),
                      [&] { look_at_declared(from.session(), *schema, key, out); });
        }) == Progress::more)
      return Progress::more;
    return walk.each("indexes", indexes, key_of, [&](const UniqueIndex& index) {
      if (!from.wants(labels(index))) return;
      out.weight(kDuplicateRows, false, index.estimated_rows, index.table.schema, index.table.name,
                 index.name);
      out.attempt(kDuplicateRows, labels(index),
                  [&] { look_at_index(from.session(), index, out); });
    });
  }

 private:
  template <typename Key>
  static std::array<std::string, 3> labels(const Key& key) {
    return {key.table.schema, key.table.name, key.name};
  }

  void look_at_index(Session& session, const UniqueIndex& index, Batch& out) {
    require_size(session, index.heap());
    double surplus = surplus_of(session, statements_.of(session, index));
    // Another index may have got the name since the list was read.
    if (surplus > 0) surplus = surplus_of(session, surplus_sql(session, index));
    out.set(kDuplicateRows, surplus, labels(index));
  }

  void look_at_declared(Session& session, const Schema& schema, const DeclaredKey& key,
                        Batch& out) const {
    const Table* table = schema.table(key.table);
    if (table == nullptr)
      throw SourceError(Reason::missing, "table " + key.table.display() +
                                             " does not exist. HINT: correct the key " + key.name);
    if (table->has_foreign_partition)
      throw SourceError(Reason::config, "a partition of the table is on another server");
    require_size(session, *table);
    out.set(kDuplicateRows, surplus_of(session, surplus_sql(session, *table, key.columns)),
            labels(key));
  }

  void require_size(Session& session, const Table& table) const {
    if (heap_bytes(session, table) > exact_up_to_)
      throw SourceError(
          Reason::too_large,
          "not counted: the table is above exact_up_to. HINT: raise it for this server");
  }

  static double surplus_of(Session& session, const std::string& sql) {
    return session.query(sql, Access::heap).only().number("surplus");
  }

  double exact_up_to_;
  std::vector<DeclaredKey> declared_;
  CatalogList<std::vector<UniqueIndex>> indexes_;
  SurplusStatements statements_;  ///< of these indexes
};

void check(const Configuration& given, Problems& problems) {
  for (const Settings& record : given.own.records("keys"))
    if (record.texts("columns").empty())
      problems.add(record.place("columns"), "key \"" + record.text("name") + "\" has no columns",
                   "list at least one");
}

/// Whether counting would run trusted code only. A privilege may still be missing.
bool is_safe(Session& session, const UniqueIndex& index) {
  try {
    surplus_sql(session, index);
  } catch (const SourceError& error) {
    if (error.session_lost()) throw;
    return error.reason() != Reason::unsafe;
  }
  return true;
}

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<Duplicates>(given.own);
}

bool more_on_copy(const Configuration& given, const Schema& /*copy*/) {
  return !given.own.records("keys").empty();
}

void add_reads(const Configuration& given, Session& session, const Schema& schema, Reads& reads) {
  for (const Settings& record : given.own.records("keys")) {
    const Table* table = schema.table({record.text("schema"), record.text("table")});
    if (table != nullptr)
      reads.add(schema, table->name, columns_of(*table, record.texts("columns")));
  }
  for (const UniqueIndex& index : unique_indexes(session, schema))
    if (is_safe(session, index)) reads.tables[index.table].merge(columns_of(session, index));
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{.name = "duplicates",
                              .summary = "rows that a key promises to be unique and are not",
                              .object_noun = "unique key",
                              .report_section = "Uniqueness",
                              .question = Question::intact,
                              .lane = Lane::scan,
                              .scope = Scope::database,
                              .depends_on = DependsOn::tables,
                              .interval = "1h",
                              .deadline = "120s",
                              .metrics = kMetrics,
                              .identity = kIdentity,
                              .options = kOptions,
                              .check = check,
                              .reads = add_reads,
                              .on_copy = more_on_copy,
                              .remembers_red = true,
                              .make = make};

}  // namespace pg_integrity::duplicates
