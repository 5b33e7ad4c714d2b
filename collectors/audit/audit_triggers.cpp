// Audit triggers: whether the triggers that should log changes really run, and whether they did. A
// trigger in the catalog proves nothing. It may be off while rows are deleted
// (session_replication_role, DISABLE TRIGGER, TRUNCATE) and on again at our next check.
//
// So the rows of an audited table and its entries in the log are counted in one snapshot. If a
// check finds fewer rows than the one before, at least that many were deleted. Deletes without new
// entries were not audited, and an entry that vanished counts as one that was never written. For
// example, 10 rows became 7 and the log gained 1 entry, so 2 deletes were not audited.
//
// Inserts hide deletes, so this is a lower bound. The sum of lower bounds is one, too. It only
// grows, until a new baseline.
#include <memory>
#include <optional>
#include <set>

#include "collectors/audit/audit_config.h"
#include "collectors/audit/audit_trail.h"
#include "collectors/audit/audited_names.h"
#include "collectors/audit/trigger_states.h"
#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/glob.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/qualified_name.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/table_scan.h"
#include "collectors/walk.h"

namespace pg_integrity::audit_triggers {

namespace {

constexpr auto kEnabled =
    gauge("pg_integrity_audit_trigger_enabled",
          "1 if the audit function is called for every such event on the table, and its body is "
          "the expected one.",
          must_be(1).says("Not every {event} of {schema}.{table} is audited as expected."),
          "schema", "table", "event");
constexpr auto kUnaudited = cumulative(gauge(
    "pg_integrity_unaudited_deletes",
    "Rows that went without an entry in the audit log since the baseline; a lower bound.",
    must_be(0).says(
        "At least {value} {row|rows} of {schema}.{table} went without an entry in the audit log."),
    "schema", "table"));
constexpr auto kRows = past_event(
    gauge("pg_integrity_audited_rows",
          "Rows of the audited table at the look that unaudited_deletes was brought up to.",
          "schema", "table"));
constexpr auto kEntries =
    past_event(gauge("pg_integrity_audited_entries",
                     "Deletes in the audit log that are about the table, in the same snapshot as "
                     "audited_rows: entries, or the sum of the log's column `rows`.",
                     "schema", "table"));
constexpr auto kStatements = past_event(
    gauge("pg_integrity_audited_statements",
          "Entries about the table, in the same snapshot, that are about any number of rows: a "
          "TRUNCATE, or a statement.",
          "schema", "table"));
constexpr auto kTableIdentity = past_event(
    gauge("pg_integrity_audited_table_identity",
          "The sum of the OIDs of the table and its partitions. It changes when the table is "
          "created anew, or a partition comes or goes.",
          "schema", "table"));
constexpr auto kGap = gauge(
    "pg_integrity_delete_audit_gap",
    "Deletes that the statistics count beyond the entries in the log; an upper bound that counts "
    "rolled-back deletes, too. Absent after the statistics were reset, and where an entry may be "
    "about several rows or tables.",
    "schema", "table");

constexpr const MetricInfo* kMetrics[] = {&kEnabled,    &kUnaudited,     &kRows, &kEntries,
                                          &kStatements, &kTableIdentity, &kGap};

constexpr char kWatched[] = "audited";

constexpr std::string_view kIdentity[] = {"schema", "table", "event"};
const Table& table_of(const Schema& schema, const QualifiedName& name) {
  const Table* table = schema.table(name);
  if (table == nullptr)
    throw SourceError(Reason::missing, "table " + name.display() + " does not exist");
  return *table;
}

void require_local(const Table& table) {
  if (table.has_foreign_partition)
    throw SourceError(Reason::config,
                      "a partition of table " + table.name.display() + " is on another server");
}

/// Whether an index finds the log's entries about one table, without reading all of the log.
bool is_found_by_index(const Table& log_table, const AuditLog& log) {
  const Column* about = log_table.column(log.about);
  return about != nullptr && about->type == ColumnType::text && about->leads_index;
}

struct Watched {
  Audited audited;
  std::optional<AuditedTables> named;  ///< read once a pass, when it is first needed
};

class AuditTriggers final : public Collector {
 public:
  explicit AuditTriggers(const Settings& settings) : exact_up_to_(settings.number("exact_up_to")) {
    for (const Settings& record : settings.records("audited"))
      watched_.push_back({audited_from(record), std::nullopt});
  }

  void declare(Batch& /*out*/) const override {}

  Progress collect(Sources& from, Batch& out) override {
    const auto schema = from.schema();
    if (from.position().empty() || schema_.lock() != schema) {
      for (Watched& watched : watched_) watched.named.reset();
      schema_ = schema;
    }
    if (from.position().empty()) look_at_triggers(from, *schema, out);
    return Walk(from).each(
        "tables", schema->tables,
        [](const Table& table) { return walk_key(table.name.schema, table.name.name); },
        [&](const Table& table) {
          const std::array<std::string, 2> labels{table.name.schema, table.name.name};
          Watched* watched = watched_of(table.name);
          if (watched == nullptr || !from.wants(labels)) return;
          out.weight(kUnaudited, true, 0, labels[0], labels[1]);
          out.attempt(kUnaudited, labels,
                      [&] { look_at_deletes(from, *schema, table, *watched, out); });
        });
  }

 private:
  void look_at_triggers(Sources& from, const Schema& schema, Batch& out) const {
    std::set<std::pair<QualifiedName, std::string>> seen;
    for (const auto& [audited, named] : watched_) {
      const TriggerStates states = trigger_states(from.session(), audited.function);
      const std::string body = body_sha256(from.session(), audited.function.name);
      for (const std::string& pattern : audited.tables) {
        bool matched = false;
        for (const Table& table : schema.tables) {
          if (!matches_glob(pattern, table.name.display())) continue;
          matched = true;
          for (const std::string& event : audited.events)
            if (seen.emplace(table.name, event).second)
              report_trigger(from, audited, table.name, event, states, body, out);
        }
        if (!matched) report_missing(from, qualified_name(pattern), audited.events, out);
      }
    }
  }

  static void report_trigger(Sources& from, const Audited& audited, const QualifiedName& table,
                             const std::string& event, const TriggerStates& states,
                             const std::string& body, Batch& out) {
    const auto& [schema, name] = table;
    if (!from.wants(std::array<std::string, 3>{schema, name, event})) return;
    const auto found = states.find({table, event});
    const TriggerState state = found == states.end() ? TriggerState::absent : found->second;
    out.weight(kEnabled, true, 0, schema, name, event);
    out.set(kEnabled, state == TriggerState::fires ? 1 : 0, schema, name, event);
    out.evidence(kEnabled,
                 "the trigger that calls " + audited.function.name.display() + " " +
                     std::string(kTriggerStateTexts[static_cast<std::size_t>(state)]),
                 schema, name, event);
    if (!body.empty())
      out.evidence(kEnabled, "body_sha256 = \"" + body + "\"", schema, name, event);
  }

  static void report_missing(Sources& from, const QualifiedName& table,
                             const std::vector<std::string>& events, Batch& out) {
    for (const std::string& event : events)
      if (from.wants(std::array<std::string, 3>{table.schema, table.name, event}))
        out.unproven(kEnabled, Reason::missing,
                     "no table matches " + table.display() + ". HINT: correct `tables`",
                     table.schema, table.name, event);
  }

  void look_at_deletes(Sources& from, const Schema& schema, const Table& table, Watched& watched,
                       Batch& out) const {
    const AuditLog& log = *watched.audited.log;
    require_local(table);
    require_countable(from.session(), table, "raise it for this collector");
    const Table& log_table = table_of(schema, log.table);
    require_local(log_table);
    if (!is_found_by_index(log_table, log))
      require_countable(from.session(), log_table,
                        "create an index that leads with " + log.about + ", or raise it");
    if (!watched.named)
      watched.named = audited_tables(from.session(), watched.audited.function.name,
                                     tables_of(schema, log.table));
    EntryMeaning meaning = meaning_of_entries(log, watched.named->level(table.name));
    const TrailCount now =
        count_trail(from.session(), log_table, table, log, *watched.named, meaning.statement);
    if (now.ambiguous > 0)
      meaning.doubt =
          "entries of the log may be about several tables of that name. HINT: name the column with"
          " the table's schema: `about_schema`";
    report_deletes(from, *watched.named, table, now, meaning, out);
    report_counts(table.name, log, now, meaning, out);
  }

  static void report_counts(const QualifiedName& table, const AuditLog& log, const TrailCount& now,
                            const EntryMeaning& meaning, Batch& out) {
    const auto& [schema, name] = table;
    out.set(kRows, now.rows, schema, name);
    out.set(kEntries, now.entries, schema, name);
    out.set(kTableIdentity, now.identity, schema, name);
    if (meaning.statement || !log.truncates.empty())
      out.set(kStatements, now.statements, schema, name);
    if (!meaning.statement && meaning.doubt.empty() && now.deletes >= now.entries)
      out.set(kGap, now.deletes - now.entries, schema, name);
  }

  /// All tables whose entries are in that log.
  [[nodiscard]] std::vector<QualifiedName> tables_of(const Schema& schema,
                                                     const QualifiedName& log) const {
    std::vector<QualifiedName> names;
    for (const Table& table : schema.tables)
      for (const Watched& watched : watched_)
        if (watched.audited.log && watched.audited.log->table == log &&
            matches_any_glob(watched.audited.tables, table.name.display())) {
          names.push_back(table.name);
          break;
        }
    return names;
  }

  void require_countable(Session& session, const Table& table, const std::string& hint) const {
    if (heap_bytes(session, table) > exact_up_to_)
      throw SourceError(Reason::too_large,
                        "table " + table.name.display() + " is above exact_up_to. HINT: " + hint);
  }

  /// The sum so far is part of the evidence, so neither a later check nor a restart clears it. A
  /// doubt leaves the lower bound as it is, but no 0 is proven by it.
  static void report_deletes(Sources& from, const AuditedTables& named, const Table& table,
                             const TrailCount& now, const EntryMeaning& meaning, Batch& out) {
    const std::array<std::string, 2> labels{table.name.schema, table.name.name};
    const auto sum = from.previous(kUnaudited, labels);
    const std::optional<TrailCount> before = count_before(from, labels, now, meaning);
    double unaudited = sum ? sum->value : 0;
    if (!before)
      out.evidence(kUnaudited, "the first look: what went before is not known", labels);
    else if (named.tables.at(table.name).partitioned && before->identity != now.identity)
      out.evidence(kUnaudited, "partitions came or went: rows are counted anew from here", labels);
    else
      unaudited += bypassed(*before, now, meaning.statement);
    if (meaning.statement && meaning.doubt.empty())
      out.evidence(kUnaudited,
                   "an entry is about a statement: rows that went while one was written count as"
                   " audited",
                   labels);
    if (unaudited > 0)
      out.evidence(kUnaudited, "HINT: to acknowledge them, accept the object or change `baseline`",
                   labels);
    if (unaudited == 0 && !meaning.doubt.empty())
      out.unproven(kUnaudited, Reason::config, meaning.doubt, labels);
    else if (before || sum)
      out.set(kUnaudited, unaudited, labels);
  }

  /// The counts of the last check. Empty if there was none, or if it counted other entries.
  static std::optional<TrailCount> count_before(Sources& from,
                                                const std::array<std::string, 2>& labels,
                                                const TrailCount& now,
                                                const EntryMeaning& meaning) {
    const auto rows = from.previous(kRows, labels);
    const auto entries = from.previous(kEntries, labels);
    const auto statements = from.previous(kStatements, labels);
    const auto identity = from.previous(kTableIdentity, labels);
    if (!rows || !entries || (meaning.statement && !statements)) return std::nullopt;
    TrailCount before;
    before.rows = rows->value;
    before.entries = entries->value;
    before.statements = statements ? statements->value : now.statements;
    before.identity = identity ? identity->value : now.identity;
    return before;
  }

  Watched* watched_of(const QualifiedName& table) {
    for (Watched& watched : watched_)
      if (watched.audited.log && matches_any_glob(watched.audited.tables, table.display()))
        return &watched;
    return nullptr;
  }

  double exact_up_to_;
  std::vector<Watched> watched_;
  std::weak_ptr<const Schema> schema_;  ///< beside which `named` was read
};

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<AuditTriggers>(given.own);
}

std::vector<std::string> columns_of(const AuditLog& log) {
  return {log.about, log.about_schema, log.event, log.rows};
}

void add_reads(const Configuration& given, Session& /*session*/, const Schema& schema,
               Reads& reads) {
  for (const Settings& record : given.own.records("audited")) {
    const Audited audited = audited_from(record);
    for (const Table& table : schema.tables)
      if (audited.log && matches_any_glob(audited.tables, table.name.display())) {
        reads.add(schema, table.name);
        reads.add(schema, audited.log->table, columns_of(*audited.log));
      }
  }
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{
    .name = "audit_triggers",
    .summary = "whether audit triggers are there, run, and did so when rows went",
    .object_noun = "audited table",
    .report_section = "Audit triggers",
    .question = Question::intact,
    .lane = Lane::scan,
    .scope = Scope::database,
    .depends_on = DependsOn::tables | DependsOn::statistics,
    .interval = "5m",
    .deadline = "60s",
    .metrics = kMetrics,
    .identity = kIdentity,
    .options = kAuditOptions,
    .wanted = has_records<kWatched>,
    .wanted_hint =
        "name the tables that must be audited: [[server.collectors.audit_triggers.audited]]",
    .wanted_snippet = R"([[server.collectors.audit_triggers.audited]]
tables = ["public.*"]
function = "public.log_delete"
events = ["delete", "truncate"])",
    .check = [](const Configuration& given,
                Problems& problems) { check_audited(given.own, problems); },
    .reads = add_reads,
    .remembers_red = true,
    .make = make};

}  // namespace pg_integrity::audit_triggers
