// B-tree indexes. PostgreSQL's own amcheck checks page by page whether their entries are in order,
// one index a step. Without the extension, or without the right to call it, the collector judges
// nothing.
#include <optional>

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

namespace pg_integrity::amcheck {

namespace {

constexpr auto kUsable = gauge("pg_integrity_amcheck_usable",
                               "1 if the extension amcheck is there and our role may call "
                               "bt_index_check; 0: no index is checked.");
constexpr auto kCorrupt =
    gauge("pg_integrity_index_corrupt",
          "1 if bt_index_check finds the B-tree index, or what it reads of its table, corrupt.",
          must_be(0).says("The index {index} of {schema}.{table} is corrupt."), "schema", "table",
          "index");

constexpr const MetricInfo* kMetrics[] = {&kCorrupt, &kUsable};

constexpr std::string_view kIdentity[] = {"schema", "table", "index"};

constexpr Option kOptions[] = {
    {.name = "heapallindexed",
     .type = OptionType::flag,
     .fallback = "false",
     .help = "true: also whether the index has an entry for every row; reads the whole table"},
    {.name = "check_up_to",
     .type = OptionType::size,
     .fallback = "4GiB",
     .help = "larger indexes are not checked; with heapallindexed, nor are those of tables with a"
             " larger heap"}};

// The extension's own function, which is a C function of a superuser. Others may have its name.
constexpr std::string_view kFunction = R"(
SELECT n.nspname AS schema, has_function_privilege(f.oid, 'EXECUTE')
  AND has_schema_privilege(n.oid, 'USAGE') AS allowed
FROM pg_extension e
  JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
    AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
  JOIN pg_proc f ON f.oid = d.objid JOIN pg_language l ON l.oid = f.prolang AND l.lanname = 'c'
  JOIN pg_roles r ON r.oid = f.proowner AND r.rolsuper
  JOIN pg_namespace n ON n.oid = f.pronamespace
WHERE e.extname = 'amcheck' AND f.proname = 'bt_index_check' AND f.pronargs = 2
  AND f.proargtypes[0] = 'regclass'::regtype AND f.proargtypes[1] = 'boolean'::regtype)";

// The storage collector reports indexes that are not valid. A standby has no unlogged indexes.
constexpr std::string_view kIndexes = R"(
SELECT n.nspname AS schema, c.relname AS table_name, ic.relname AS name,
  coalesce(rn.nspname, n.nspname) AS root_schema, coalesce(r.relname, c.relname) AS root_name
FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid AND ic.relkind = 'i'
  JOIN pg_am m ON m.oid = ic.relam AND m.amname = 'btree'
  JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_class r ON c.relispartition AND r.oid = pg_partition_root(c.oid)
  LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace
WHERE i.indisvalid AND i.indisready AND i.indislive
  AND (c.relpersistence = 'p' OR c.relpersistence = 'u' AND NOT pg_is_in_recovery())
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C", ic.relname COLLATE "C")";

struct BTree {
  QualifiedName table;
  std::string name;

  [[nodiscard]] QualifiedName index() const { return {table.schema, name}; }
  [[nodiscard]] std::array<std::string, 3> labels() const {
    return {table.schema, table.name, name};
  }
};

struct Work {
  std::string function;  ///< in SQL; empty: there is none that we may call
  std::string hint;      ///< why not
  std::vector<BTree> indexes;
};

Work find_work(Session& session, const Schema& schema) {
  Work work;
  const Rows functions = session.query(kFunction);
  if (functions.size() == 0)
    work.hint = "the extension amcheck is not installed: CREATE EXTENSION amcheck";
  else if (!functions[0].flag("allowed"))
    work.hint = "our role may not call it: GRANT EXECUTE ON FUNCTION " +
                functions[0].text("schema") + ".bt_index_check(regclass, boolean)";
  else
    work.function = sql_identifier(functions[0].text("schema")) + ".bt_index_check";
  const Rows rows = session.query(kIndexes);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row row = rows[i];
    if (schema.table({row.text("root_schema"), row.text("root_name")}) != nullptr)
      work.indexes.push_back({{row.text("schema"), row.text("table_name")}, row.text("name")});
  }
  return work;
}

class Amcheck final : public Collector {
 public:
  explicit Amcheck(const Settings& settings)
      : heapallindexed_(settings.flag("heapallindexed")),
        check_up_to_(settings.number("check_up_to")) {}

  void declare(Batch& /*out*/) const override {}

  Progress collect(Sources& from, Batch& out) override {
    const auto schema = from.schema();
    const Work& work = work_.get(from, schema, [&] { return find_work(from.session(), *schema); });
    if (from.position().empty()) {
      out.set(kUsable, work.function.empty() ? 0 : 1);
      if (work.function.empty()) out.evidence(kUsable, "not watched. HINT: " + work.hint);
    }
    if (work.function.empty()) {
      keep_what_was_found(from, work, out);
      return Progress::done;
    }
    Walk walk(from, Walk::Pace::singly);
    return walk.each(
        "indexes", work.indexes,
        [](const BTree& index) {
          return walk_key(index.table.schema, index.table.name, index.name);
        },
        [&](const BTree& index) {
          if (!from.wants(index.labels())) return;
          out.attempt(kCorrupt, index.labels(),
                      [&] { look_at(from.session(), work.function, index, out); });
        });
  }

 private:
  /// An index that was found corrupt stays so while it can no longer be checked.
  static void keep_what_was_found(Sources& from, const Work& work, Batch& out) {
    for (const BTree& index : work.indexes) {
      const auto known = from.previous(kCorrupt, index.labels());
      if (known && known->value != 0)
        out.unproven(kCorrupt, Reason::missing, work.hint, index.table.schema, index.table.name,
                     index.name);
    }
  }

  void look_at(Session& session, const std::string& function, const BTree& index,
               Batch& out) const {
    require_trusted(session, index.index());
    const std::array<std::string, 3> parameters{
        index.index().sql(), heapallindexed_ ? "true" : "false", index.table.sql()};
    const std::span<const std::string> of_check(parameters.data(), 2);
    const double bytes =
        session
            .query(
                "SELECT greatest(pg_relation_size($1::regclass), CASE WHEN $2::bool THEN"
                " pg_relation_size($3::regclass) END) AS bytes",
                parameters)
            .only()
            .number("bytes");
    if (bytes > check_up_to_)
      throw SourceError(Reason::too_large,
                        "not checked: it is above check_up_to. HINT: raise it for this server");
    double corrupt = 0;
    try {
      session.query("SELECT " + function + "($1::regclass, $2::bool)", of_check);
    } catch (const SourceError& error) {
      if (!error.damage()) throw;
      corrupt = 1;
      out.evidence(kCorrupt, std::string(error.what()) + ". HINT: REINDEX INDEX, and find out why",
                   index.table.schema, index.table.name, index.name);
    }
    out.set(kCorrupt, corrupt, index.table.schema, index.table.name, index.name);
  }

  bool heapallindexed_;
  double check_up_to_;
  CatalogList<Work> work_;
};

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<Amcheck>(given.own);
}

void add_reads(const Configuration& /*given*/, Session& session, const Schema& /*schema*/,
               Reads& reads) {
  const Rows functions = session.query(kFunction);
  if (functions.size() != 0)
    reads.functions[{functions[0].text("schema"), "bt_index_check"}] = "regclass, boolean";
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{
    .name = "amcheck",
    .summary = "B-tree indexes that amcheck finds corrupt, where it is installed",
    .report_section = "Indexes",
    .question = Question::intact,
    .lane = Lane::scan,
    .scope = Scope::database,
    .depends_on = DependsOn::tables | DependsOn::outside,
    .interval = "24h",
    .deadline = "120s",
    .metrics = kMetrics,
    .identity = kIdentity,
    .options = kOptions,
    .reads = add_reads,
    .make = make};

}  // namespace pg_integrity::amcheck
