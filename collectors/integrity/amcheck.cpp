// B-tree and GIN indexes, and heaps. PostgreSQL's own amcheck checks page by page whether the
// entries of an index are in order, one index a step, and whether the rows of a heap are readable,
// one slice a step. Without the extension, or without the right to call it, the collector judges
// nothing.
#include <algorithm>
#include <map>
#include <utility>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/qualified_name.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/integrity/amcheck_work.h"
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
          "1 if amcheck finds the index, or what it reads of its table, corrupt. The index (TOAST) "
          "is that of the table's TOAST table.",
          must_be(0).says("The index {index} of {schema}.{table} is corrupt."), "schema", "table",
          "index");

constexpr auto kHeapCorrupt =
    gauge("pg_integrity_heap_corrupt",
          "1 if verify_heapam finds rows of the table or of its TOAST table that are damaged.",
          must_be(0).says("Rows of {schema}.{table} are damaged."), "schema", "table");

constexpr const MetricInfo* kMetrics[] = {&kCorrupt, &kHeapCorrupt, &kUsable};

constexpr std::string_view kIdentity[] = {"schema", "table", "index"};

constexpr Option kOptions[] = {
    {.name = "heapallindexed",
     .type = OptionType::flag,
     .fallback = "false",
     .help = "true: also whether the index has an entry for every row; reads the whole table"},
    {.name = "heaps",
     .type = OptionType::flag,
     .fallback = "true",
     .help = "true: also the rows of tables and of their TOAST tables, from PostgreSQL 14 on; reads"
             " every table once a pass"},
    {.name = "check_up_to",
     .type = OptionType::size,
     .fallback = "4GiB",
     .help =
         "larger indexes and heaps are not checked; with heapallindexed, nor are indexes of tables"
         " with a larger heap"}};

std::string padded(int number) {
  std::string digits = std::to_string(number);
  return digits.insert(0, 10 - std::min<std::size_t>(10, digits.size()), '0');
}

class Amcheck final : public Collector {
 public:
  explicit Amcheck(const Settings& settings)
      : heapallindexed_(settings.flag("heapallindexed")),
        heaps_(settings.flag("heaps")),
        check_up_to_(settings.number("check_up_to")) {}

  void declare(Batch& /*out*/) const override {}

  Progress collect(Sources& from, Batch& out) override {
    const auto schema = from.schema();
    const AmcheckWork& work = work_.get(
        from, schema, [&] { return amcheck_work(from.session(), *schema, heaps_, check_up_to_); });
    const bool usable = work.may_call("bt_index_check");
    if (from.position().empty()) {
      known_.clear();
      out.set(kUsable, usable ? 1 : 0);
      tell_what_is_not_watched(work, out);
      if (!usable) keep_corrupt_indexes(from, work, out);
      if (!work.may_call("verify_heapam")) keep_corrupt_heaps(from, *schema, work, out);
    }
    return walk(from, work, out);
  }

 private:
  /// What is known of a table after some of its slices.
  struct Heap {
    double problems = 0;
    std::string first;
    bool complete = true;  ///< every slice so far could be checked
  };

  Progress walk(Sources& from, const AmcheckWork& work, Batch& out) {
    Walk walk(from, Walk::Pace::singly);
    const auto slice_key = [](const HeapSlice& slice) {
      return walk_key(slice.table.schema, slice.table.name, padded(slice.ordinal));
    };
    if (walk.each("heaps", work.slices, slice_key, [&](const HeapSlice& slice) {
          if (from.wants(slice.labels()))
            look_at(from, work.functions.at("verify_heapam"), slice, out);
        }) == Progress::more)
      return Progress::more;
    if (!work.may_call("bt_index_check")) return Progress::done;
    const auto index_key = [](const CheckedIndex& index) {
      return walk_key(index.table.schema, index.table.name, index.name);
    };
    return walk.each("indexes", work.indexes, index_key, [&](const CheckedIndex& index) {
      if (!from.wants(index.labels())) return;
      out.attempt(kCorrupt, index.labels(), [&] { look_at(from.session(), work, index, out); });
    });
  }

  void tell_what_is_not_watched(const AmcheckWork& work, Batch& out) const {
    if (!work.may_call("bt_index_check")) {
      out.evidence(kUsable, "not watched. HINT: " + work.hints.at("bt_index_check"));
      return;
    }
    if (heaps_ && !work.may_call("verify_heapam"))
      out.evidence(kUsable, "heaps are not watched. HINT: " + work.hints.at("verify_heapam"));
    if (!work.may_call("gin_index_check"))
      out.evidence(kUsable,
                   "GIN indexes are not watched. HINT: " + work.hints.at("gin_index_check"));
    if (work.large_tables.empty()) return;
    out.excluded(work.large_tables.size());
    out.evidence(kUsable, "the heaps of " + std::to_string(work.large_tables.size()) +
                              " tables are above check_up_to and not watched, among them " +
                              work.large_tables.front().display());
  }

  /// An index that was found corrupt stays so while it can no longer be checked.
  static void keep_corrupt_indexes(Sources& from, const AmcheckWork& work, Batch& out) {
    for (const CheckedIndex& index : work.indexes) {
      const auto known = from.previous(kCorrupt, index.labels());
      if (known && known->value != 0)
        out.unproven(kCorrupt, Reason::missing, work.hints.at("bt_index_check"), index.table.schema,
                     index.table.name, index.name);
    }
  }

  static void keep_corrupt_heaps(Sources& from, const Schema& schema, const AmcheckWork& work,
                                 Batch& out) {
    for (const Table& table : schema.tables) {
      const std::array<std::string, 2> labels{table.name.schema, table.name.name};
      const auto known = from.previous(kHeapCorrupt, labels);
      if (known && known->value != 0)
        out.unproven(kHeapCorrupt, Reason::missing, work.hints.at("verify_heapam"), labels);
    }
  }

  void look_at(Session& session, const AmcheckWork& work, const CheckedIndex& index,
               Batch& out) const {
    // By its OID, because another index may take its name after it was judged.
    const std::string oid = index.system ? index.index.sql() : trusted_index(session, index.index);
    const bool gin = index.method == "gin";
    const std::array<std::string, 3> parameters{oid, heapallindexed_ && !gin ? "true" : "false",
                                                index.heap.sql()};
    const Row sizes =
        session
            .query(
                "SELECT pg_relation_size($1::regclass) AS bytes, CASE WHEN $2::bool THEN"
                " pg_relation_size($3::regclass) ELSE 0 END AS heap_bytes",
                parameters)
            .only();
    const auto bytes = sizes.maybe_number("bytes");
    if (!bytes) throw SourceError(Reason::missing, "the index does not exist any more");
    if (std::max(*bytes, sizes.maybe_number("heap_bytes").value_or(0)) > check_up_to_)
      throw SourceError(Reason::too_large,
                        "not checked: it is above check_up_to. HINT: raise it for this server");
    double corrupt = 0;
    try {
      const std::span<const std::string> all(parameters);
      if (gin)
        session.query("SELECT " + work.functions.at("gin_index_check") + "($1::regclass)",
                      all.first(1));
      else
        session.query("SELECT " + work.functions.at("bt_index_check") + "($1::regclass, $2::bool)",
                      all.first(2));
    } catch (const SourceError& error) {
      if (!error.damage()) throw;
      corrupt = 1;
      out.evidence(kCorrupt, std::string(error.what()) + ". HINT: REINDEX INDEX, and find out why",
                   index.labels());
    }
    out.set(kCorrupt, corrupt, index.labels());
  }

  /// Checks one slice. The last one of a table says what all of them found. A step whose batch was
  /// not accepted is made again, and then starts from the same knowledge.
  void look_at(Sources& from, const std::string& function, const HeapSlice& slice, Batch& out) {
    Heap heap;
    if (slice.ordinal > 0) {
      const auto before = known_.find({slice.labels(), slice.ordinal - 1});
      if (before == known_.end())
        heap.complete = false;
      else
        heap = before->second;
    }
    const bool complete = heap.complete;
    heap.complete = false;
    out.attempt(kHeapCorrupt, slice.labels(), [&] {
      verify(from.session(), function, slice, heap);
      heap.complete = complete;
    });
    known_.erase(known_.begin(), known_.lower_bound({slice.labels(), slice.ordinal - 1}));
    known_[{slice.labels(), slice.ordinal}] = heap;
    if (slice.ends) conclude(heap, slice, out);
  }

  static void conclude(const Heap& heap, const HeapSlice& slice, Batch& out) {
    if (heap.problems > 0) {
      out.set(kHeapCorrupt, 1, slice.labels());
      out.evidence(kHeapCorrupt,
                   std::to_string(static_cast<long long>(heap.problems)) +
                       " problems, the first: " + heap.first +
                       ". HINT: copy the files before anything is written, then restore",
                   slice.labels());
    } else if (heap.complete) {
      out.set(kHeapCorrupt, 0, slice.labels());
    }
  }

  static void verify(Session& session, const std::string& function, const HeapSlice& slice,
                     Heap& heap) {
    const std::array<std::string, 3> parameters{
        slice.heap.sql(), std::to_string(static_cast<long long>(slice.first_block)),
        slice.open_ended
            ? ""
            : std::to_string(static_cast<long long>(slice.first_block + kBlocksOfSlice))};
    try {
      const Row row = session.query(sql_of_slice(function), parameters).only();
      const double problems = row.number("problems");
      if (heap.problems == 0 && problems > 0) heap.first = row.text("first");
      heap.problems += problems;
    } catch (const SourceError& error) {
      if (!error.damage()) throw;
      if (heap.problems++ == 0) heap.first = error.what();
    }
  }

  /// A heap that became shorter has no such block any more.
  static std::string sql_of_slice(const std::string& function) {
    return "WITH slice AS (SELECT $2::bigint AS begins, coalesce(nullif($3, '')::bigint, blocks)"
           " AS ends, blocks FROM (SELECT pg_relation_size($1::regclass)"
           " / current_setting('block_size')::bigint AS blocks) b)"
           " SELECT count(v.msg) AS problems, coalesce((array_agg('block ' || v.blkno || ': ' ||"
           " v.msg) FILTER (WHERE v.msg IS NOT NULL))[1], '') AS first FROM slice CROSS JOIN "
           "LATERAL " +
           function +
           "($1::regclass, false, true, 'none', begins, least(ends, blocks) - 1) v"
           " WHERE begins < blocks";
  }

  bool heapallindexed_;
  bool heaps_;
  double check_up_to_;
  CatalogList<AmcheckWork> work_;
  /// What was known after a slice, by table and ordinal. Only the last two are kept.
  std::map<std::pair<std::array<std::string, 2>, int>, Heap> known_;
};

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<Amcheck>(given.own);
}

void add_reads(const Configuration& /*given*/, Session& session, const Schema& /*schema*/,
               Reads& reads) {
  add_amcheck_functions(session, reads.functions);
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{
    .name = "amcheck",
    .summary = "indexes and heaps that amcheck finds corrupt, where it is installed",
    .object_noun = "amcheck run",
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
