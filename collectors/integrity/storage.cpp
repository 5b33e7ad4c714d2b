// The storage below the data. The collector watches page checksums, invalid indexes, collations
// whose rules changed under the indexes that they sort, and sequences that a restore left behind
// their columns.
#include <algorithm>
#include <map>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/qualified_name.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/integrity/catalog_list.h"
#include "collectors/integrity/invalid_indexes.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/sequences.h"
#include "collectors/postgres/table_scan.h"
#include "collectors/walk.h"

namespace pg_integrity::storage {

namespace {

constexpr auto kChecksumsEnabled =
    gauge("pg_integrity_checksums_enabled",
          "1 if the server's pages have checksums; without them damage goes unnoticed.");
constexpr auto kAcknowledged =
    gauge("pg_integrity_checksum_failures_acknowledged",
          "Configured number of checksum_failures that are known.", "pages");
constexpr auto kChecksumFailures =
    gauge("pg_integrity_checksum_failures",
          "Pages that failed their checksum since statistics were reset: the database's own, or "
          "those of tables that all databases share.",
          at_most(kAcknowledged)
              .says("{value} {page|pages} ({pages}) failed their checksum, {limit} of them are "
                    "acknowledged."),
          "pages");
constexpr auto kLastFailure = past_event(
    gauge("pg_integrity_checksum_last_failure_timestamp_seconds",
          "When a page last failed its checksum, Unix time; absent if none did.", "pages"));
constexpr auto kInvalidIndexes = gauge(
    "pg_integrity_invalid_indexes",
    "Indexes that are not valid and are not being built: they answer nothing, some not even "
    "for uniqueness. Indexes of materialized views, of system catalogs and of TOAST tables count "
    "too; the schema is that of the table.",
    must_be(0).says("{value} {index|indexes} of the schema {schema} {is|are} invalid and {is|are} "
                    "not being built."),
    "schema");
constexpr auto kUnloggedTables = gauge(
    "pg_integrity_unlogged_tables",
    "Unlogged tables: a crash of the server empties them, and no copy by WAL contains their rows.");
constexpr auto kSequenceBehind = gauge(
    "pg_integrity_sequence_behind_values",
    "Next values of the column's sequence that the column has reached or passed already.",
    must_be(0).says(
        "The sequence of {schema}.{table}.{column} is {value} {value|values} behind its column."),
    "schema", "table", "column");
constexpr auto kSubscribedBehind = gauge("pg_integrity_subscribed_sequence_behind_values",
                                         "The same number for a table that a subscription fills. A "
                                         "subscription carries no sequences, so "
                                         "it is not judged; set them before the copy takes over.",
                                         "schema", "table", "column");
constexpr auto kCollationMismatch = gauge(
    "pg_integrity_collation_mismatch",
    "1 if the collation's rules are of another version than those that indexes were built by.",
    must_be(0).says("The rules of the collation {schema}.{collation} have changed since its "
                    "indexes were built."),
    "schema", "collation");

constexpr const MetricInfo* kMetrics[] = {
    &kChecksumsEnabled, &kChecksumFailures, &kAcknowledged,
    &kLastFailure,      &kInvalidIndexes,   &kUnloggedTables,
    &kSequenceBehind,   &kSubscribedBehind, &kCollationMismatch};

constexpr std::string_view kIdentity[] = {"pages", "schema", "table", "column", "collation"};

constexpr Option kSequenceOptions[] = {
    {.name = "database", .help = "where it is; default: the database of the DSN"},
    {.name = "schema", .fallback = "public", .help = "schema of the table"},
    {.name = "table", .help = "the table", .required = true},
    {.name = "column", .help = "its column", .required = true},
    {.name = "sequence",
     .help = "the sequence that feeds the column, as \"schema.sequence\"; without it the column is "
             "fed by no sequence alone, and is not watched"}};

constexpr Option kOptions[] = {
    {.name = "acknowledged_checksum_failures",
     .type = OptionType::number,
     .fallback = "0",
     .help =
         "so many checksum failures are known and dealt with; more, of either kind of pages, are a"
         " violation"},
    {.name = "exact_up_to",
     .type = OptionType::size,
     .fallback = "1GiB",
     .help = "columns without an index in tables with a larger heap are not held against their"
             " sequence"},
    {.name = "sequences",
     .type = OptionType::records,
     .help = "columns whose sequence the catalog does not tell, for example if a program draws it",
     .members = kSequenceOptions}};

std::vector<DeclaredSequence> declared_sequences(const Settings& settings) {
  std::vector<DeclaredSequence> declared;
  for (const Settings& record : settings.records("sequences")) {
    const std::string sequence = record.text_or_empty("sequence");
    declared.push_back({{record.text("schema"), record.text("table")},
                        record.text("column"),
                        sequence.empty() ? QualifiedName{} : qualified_name(sequence)});
  }
  return declared;
}

// The counters are NULL if there are no checksums. Database 0 stands for the shared tables.
constexpr std::string_view kDatabaseFacts = R"(
SELECT CASE s.datid WHEN 0 THEN 'shared_pages' ELSE 'database_pages' END AS pages,
  s.checksum_failures AS failures, extract(epoch FROM s.checksum_last_failure) AS last_failure,
  current_setting('data_checksums') = 'on' AS enabled,
  (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence = 'u' AND n.nspname <> 'pg_catalog') AS unlogged
FROM pg_stat_database s WHERE s.datid = 0 OR s.datname = current_database())";

// Only collations that sort an index. The database's own has had a version since PostgreSQL 15.
constexpr std::string_view kCollations = R"(
SELECT n.nspname AS schema, l.collname AS name,
  l.collversion IS DISTINCT FROM pg_collation_actual_version(l.oid) AS mismatch
FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace
WHERE l.collversion IS NOT NULL
  AND l.collencoding IN (-1, (SELECT encoding FROM pg_database WHERE datname = current_database()))
  AND l.oid IN (SELECT u.oid FROM pg_index i, unnest(i.indcollation::oid[]) AS u(oid)))";
constexpr std::string_view kDefaultCollation = R"(
UNION ALL SELECT 'pg_catalog', 'default',
  datcollversion IS DISTINCT FROM pg_database_collation_actual_version(oid)
FROM pg_database WHERE datname = current_database() AND datcollversion IS NOT NULL
  AND EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    WHERE 'pg_catalog.default'::regcollation = ANY (i.indcollation::oid[])
      AND c.relpersistence <> 't'
      AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace)))";

constexpr std::string_view kDeclareSequence =
    "name the column and its sequence in [[server.collectors.storage.sequences]], or the column"
    " alone if no single sequence feeds it";

class Storage final : public Collector {
 public:
  explicit Storage(const Settings& settings)
      : acknowledged_(settings.number("acknowledged_checksum_failures")),
        exact_up_to_(settings.number("exact_up_to")),
        declared_(declared_sequences(settings)) {}

  void declare(Batch& /*out*/) const override {}

  Progress collect(Sources& from, Batch& out) override {
    const auto schema = from.schema();
    if (from.position().empty()) {
      look_at_pages(from, out);
      tell_unlogged(*schema, out);
      count_invalid_indexes(from, *schema, out);
      look_at_collations(from, out);
    }
    const auto& columns = fed_columns_.get(
        from, schema, [&] { return fed_columns(from.session(), *schema, declared_); });
    Walk walk(from);
    return walk.each(
        "sequences", columns,
        [](const FedColumn& fed) { return walk_key(fed.table.schema, fed.table.name, fed.column); },
        [&](const FedColumn& fed) {
          const std::array<std::string, 3> labels{fed.table.schema, fed.table.name, fed.column};
          if (from.wants(labels))
            out.attempt(kSequenceBehind, labels,
                        [&] { look_at_sequence(from.session(), *schema, fed, out); });
        });
  }

 private:
  void look_at_pages(Sources& from, Batch& out) const {
    const Rows rows = from.session().query(kDatabaseFacts);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Row facts = rows[i];
      const std::array<std::string, 1> pages{facts.text("pages")};
      const auto failures = facts.maybe_number("failures");
      if (i == 0) {
        out.set(kChecksumsEnabled, facts.flag("enabled") ? 1 : 0);
        out.set(kUnloggedTables, facts.number("unlogged"));
      }
      if (!failures || !from.wants(pages)) continue;
      out.set(kChecksumFailures, *failures, pages[0]);
      out.set(kAcknowledged, acknowledged_, pages[0]);
      if (const auto last = facts.maybe_number("last_failure"))
        out.set(kLastFailure, *last, pages[0]);
    }
  }

  /// No collector reads unlogged tables on a standby. They are named once, here.
  static void tell_unlogged(const Schema& schema, Batch& out) {
    constexpr std::size_t kMost = 20;
    std::string names;
    for (std::size_t i = 0; i < schema.unlogged.size() && i < kMost; ++i)
      names += (i == 0 ? "" : ", ") + schema.unlogged[i].display();
    if (schema.unlogged.size() > kMost)
      names += " and " + std::to_string(schema.unlogged.size() - kMost) + " more";
    if (names.empty()) return;
    out.excluded(schema.unlogged.size());
    out.evidence(kUnloggedTables,
                 "not watched here, as a standby has no rows of unlogged tables: " + names);
  }

  static void count_invalid_indexes(Sources& from, const Schema& schema, Batch& out) {
    std::map<std::string, double> invalid;
    for (const std::string& name : indexed_schemas(from.session(), schema)) invalid[name] = 0;
    for (const InvalidIndex& index : invalid_indexes(from.session(), schema)) {
      if (!index.waits) ++invalid[index.schema];
      out.evidence(kInvalidIndexes, index.told(), index.schema);
    }
    for (const auto& [name, count] : invalid)
      if (from.wants(std::array<std::string, 1>{name})) out.set(kInvalidIndexes, count, name);
  }

  static void look_at_collations(Sources& from, Batch& out) {
    std::string sql(kCollations);
    if (from.session().server().version_num >= 150000) sql += kDefaultCollation;
    const Rows rows = from.session().query(sql);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::array<std::string, 2> labels{rows[i].text("schema"), rows[i].text("name")};
      if (!from.wants(labels)) continue;
      const bool mismatch = rows[i].flag("mismatch");
      out.set(kCollationMismatch, mismatch ? 1 : 0, labels[0], labels[1]);
      if (mismatch)
        out.evidence(kCollationMismatch,
                     "HINT: rebuild the indexes that use it, then ALTER COLLATION or DATABASE …"
                     " REFRESH VERSION",
                     labels[0], labels[1]);
    }
  }

  void look_at_sequence(Session& session, const Schema& schema, const FedColumn& fed,
                        Batch& out) const {
    const std::array<std::string, 3> labels{fed.table.schema, fed.table.name, fed.column};
    const Table& whole = table_of(schema, fed);
    const Table table = fed.with_heirs ? whole : whole.alone();
    const bool large = heap_bytes(session, table) > exact_up_to_;
    const Access access = large ? Access::index : Access::heap;
    if (large && !table.column(fed.column)->leads_index)
      throw SourceError(Reason::too_large,
                        "the table is above exact_up_to and no index leads with " + fed.column +
                            ". HINT: create one, or raise exact_up_to");
    require_sequence(fed);
    std::vector<double> behind;
    for (const Sequence& sequence : fed.sequences) {
      behind.push_back(values_behind(session, table, fed.column, sequence, access));
      out.evidence(kSequenceBehind, "sequence " + sequence.name.display() + ", tied " + fed.tie,
                   labels);
    }
    const auto [least, most] = std::minmax_element(behind.begin(), behind.end());
    const double certainly = fed.certain ? *least : 0;
    if (fed.subscribed)
      out.set(kSubscribedBehind, *least, labels);
    else if (certainly > 0 || *most == 0)
      out.set(kSequenceBehind, certainly, labels);
    else
      out.unproven(kSequenceBehind, Reason::config,
                   "it is not certain which sequence feeds the column, and one that may is behind"
                   " it. HINT: " +
                       std::string(kDeclareSequence),
                   labels);
  }

  static const Table& table_of(const Schema& schema, const FedColumn& fed) {
    const Table* table = schema.table(fed.table);
    const Column* column = table == nullptr ? nullptr : table->column(fed.column);
    if (column == nullptr)
      throw SourceError(Reason::missing, "there is no column " + fed.table.display() + "." +
                                             fed.column + ". HINT: correct `sequences`");
    if (column->type != ColumnType::number || table->has_foreign_partition)
      throw SourceError(
          Reason::config,
          "the column is no number, or a partition of its table is on another server");
    return *table;
  }

  static void require_sequence(const FedColumn& fed) {
    if (!fed.sequences.empty()) return;
    if (fed.configured)
      throw SourceError(Reason::missing,
                        "there is no such sequence. HINT: correct `sequences` of this collector");
    throw SourceError(Reason::config, "the column is fed " + fed.tie +
                                          ", and nothing tells of which sequence. HINT: " +
                                          std::string(kDeclareSequence));
  }

  double acknowledged_;
  double exact_up_to_;
  std::vector<DeclaredSequence> declared_;
  CatalogList<std::vector<FedColumn>> fed_columns_;
};

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<Storage>(given.own);
}

/// A restore may leave out what brings sequences up to their columns.
bool always_on_copy(const Configuration& /*given*/, const Schema& /*copy*/) {
  return true;
}

void add_reads(const Configuration& given, Session& session, const Schema& schema, Reads& reads) {
  for (const FedColumn& fed : fed_columns(session, schema, declared_sequences(given.own))) {
    const Table* table = schema.table(fed.table);
    if (table == nullptr || table->foreign_code || fed.sequences.empty()) continue;
    reads.add(schema, fed.table, {fed.column});
    for (const Sequence& sequence : fed.sequences) reads.sequences.insert(sequence.name);
  }
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{
    .name = "storage",
    .summary =
        "page checksums, invalid indexes, collation versions, sequences behind their columns",
    .object_noun = "storage check",
    .report_section = "Storage",
    .question = Question::intact,
    .lane = Lane::scan,
    .scope = Scope::database,
    .depends_on = DependsOn::tables | DependsOn::statistics | DependsOn::outside,
    .interval = "15m",
    .deadline = "60s",
    .metrics = kMetrics,
    .identity = kIdentity,
    .options = kOptions,
    .reads = add_reads,
    .on_copy = always_on_copy,
    .doubts_copy = false,
    .make = make};

}  // namespace pg_integrity::storage
