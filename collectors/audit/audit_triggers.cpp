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
#include <algorithm>
#include <set>

#include "collectors/audit/audit_config.h"
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
constexpr auto kUnaudited = cumulative(
    gauge("pg_integrity_unaudited_deletes",
          "Rows that went without an entry in the audit log since the baseline; a lower bound.",
          must_be(0).says(
              "At least {value} rows of {schema}.{table} went without an entry in the audit log."),
          "schema", "table"));
constexpr auto kRows = past_event(
    gauge("pg_integrity_audited_rows",
          "Rows of the audited table at the look that unaudited_deletes was brought up to.",
          "schema", "table"));
constexpr auto kEntries = past_event(
    gauge("pg_integrity_audited_entries",
          "Entries about the table in the audit log, in the same snapshot as audited_rows.",
          "schema", "table"));
constexpr auto kGap = gauge(
    "pg_integrity_delete_audit_gap",
    "Deletes that the statistics count beyond the entries in the log; an upper bound that counts "
    "rolled-back deletes, too. Absent after the statistics were reset.",
    "schema", "table");

constexpr const MetricInfo* kMetrics[] = {&kEnabled, &kUnaudited, &kRows, &kEntries, &kGap};

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

/// A column as text. A column of text stays as it is, so that an index on it can be used.
std::string text_sql(const Table& table, const std::string& name) {
  const Column* column = table.column(name);
  if (column == nullptr)
    throw SourceError(Reason::missing, "table " + table.name.display() + " has no column " + name);
  const std::string value = sql_identifier(name);
  return column->type == ColumnType::text ? value : "pg_catalog.concat(" + value + ")";
}

/// Whether an index finds the log's entries about one table, without reading all of the log.
bool is_found_by_index(const Table& log_table, const AuditLog& log) {
  const Column* about = log_table.column(log.about);
  return about != nullptr && about->type == ColumnType::text && about->leads_index;
}

struct Count {
  double rows = 0;
  double entries = 0;
  double deletes = 0;  ///< by the statistics
};

Count count_together(Session& session, const Table& log_table, const Table& table,
                     const AuditLog& log) {
  std::vector<std::string> parameters{table.name.sql(), table.name.name, table.name.display()};
  std::string entries = "SELECT count(*) FROM " + log_table.from_clause() + " WHERE " +
                        text_sql(log_table, log.about) + " IN ($2, $3)";
  if (!log.event.empty()) {
    std::string meanings;
    for (const std::string& meaning : log.deletes) {
      parameters.push_back(meaning);
      meanings += (meanings.empty() ? "$" : ", $") + std::to_string(parameters.size());
    }
    entries += " AND " + text_sql(log_table, log.event) + " IN (" + meanings + ")";
  }
  const Row row =
      session
          .query("SELECT (SELECT count(*) FROM " + table.from_clause_alone() + ") AS rows, (" +
                     entries +
                     ") AS entries, (SELECT coalesce(sum(pg_stat_get_tuples_deleted(relid)), 0)"
                     " FROM (SELECT $1::regclass::oid AS relid UNION SELECT relid::oid"
                     " FROM pg_partition_tree($1::regclass)) p) AS deletes",
                 parameters)
          .only();
  return {row.number("rows"), row.number("entries"), row.number("deletes")};
}

class AuditTriggers final : public Collector {
 public:
  explicit AuditTriggers(const Settings& settings) : exact_up_to_(settings.number("exact_up_to")) {
    for (const Settings& record : settings.records("audited"))
      audited_.push_back(audited_from(record));
  }

  void declare(Batch& /*out*/) const override {}

  Progress collect(Sources& from, Batch& out) override {
    const auto schema = from.schema();
    if (from.position().empty()) look_at_triggers(from, *schema, out);
    return Walk(from).each(
        "tables", schema->tables,
        [](const Table& table) { return walk_key(table.name.schema, table.name.name); },
        [&](const Table& table) {
          const std::array<std::string, 2> labels{table.name.schema, table.name.name};
          const AuditLog* log = log_of(table.name);
          if (log == nullptr || !from.wants(labels)) return;
          out.weight(kUnaudited, true, 0, labels[0], labels[1]);
          out.attempt(kUnaudited, labels,
                      [&] { look_at_deletes(from, *schema, table, *log, out); });
        });
  }

 private:
  void look_at_triggers(Sources& from, const Schema& schema, Batch& out) const {
    std::set<std::pair<QualifiedName, std::string>> seen;
    for (const Audited& audited : audited_) {
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

  void look_at_deletes(Sources& from, const Schema& schema, const Table& table, const AuditLog& log,
                       Batch& out) const {
    require_local(table);
    require_countable(from.session(), table, "raise it for this collector");
    const Table& log_table = table_of(schema, log.table);
    require_local(log_table);
    if (!is_found_by_index(log_table, log))
      require_countable(from.session(), log_table,
                        "create an index that leads with " + log.about + ", or raise it");
    const auto& [schema_name, name] = table.name;
    const Count now = count_together(from.session(), log_table, table, log);
    report_deletes(from, {schema_name, name}, now, out);
    out.set(kRows, now.rows, schema_name, name);
    out.set(kEntries, now.entries, schema_name, name);
    if (now.deletes >= now.entries) out.set(kGap, now.deletes - now.entries, schema_name, name);
  }

  void require_countable(Session& session, const Table& table, const std::string& hint) const {
    if (heap_bytes(session, table) > exact_up_to_)
      throw SourceError(Reason::too_large,
                        "table " + table.name.display() + " is above exact_up_to. HINT: " + hint);
  }

  /// The sum so far is part of the evidence, so neither a later check nor a restart clears it.
  static void report_deletes(Sources& from, const std::array<std::string, 2>& labels,
                             const Count& now, Batch& out) {
    const auto rows = from.previous(kRows, labels);
    const auto entries = from.previous(kEntries, labels);
    const auto sum = from.previous(kUnaudited, labels);
    if (!rows || !entries) {
      out.evidence(kUnaudited, "the first look: what went before is not known", labels[0],
                   labels[1]);
      return;
    }
    const double lost = std::max(0.0, rows->value - now.rows);
    const double logged = now.entries - entries->value;
    const double unaudited = (sum ? sum->value : 0) + std::max(0.0, lost - logged);
    out.set(kUnaudited, unaudited, labels[0], labels[1]);
    if (unaudited > 0)
      out.evidence(kUnaudited, "HINT: to acknowledge them, accept the object or change `baseline`",
                   labels[0], labels[1]);
  }

  [[nodiscard]] const AuditLog* log_of(const QualifiedName& table) const {
    for (const Audited& audited : audited_)
      if (audited.log && matches_any_glob(audited.tables, table.display())) return &*audited.log;
    return nullptr;
  }

  double exact_up_to_;
  std::vector<Audited> audited_;
};

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<AuditTriggers>(given.own);
}

void add_reads(const Configuration& given, Session& /*session*/, const Schema& schema,
               Reads& reads) {
  for (const Settings& record : given.own.records("audited")) {
    const Audited audited = audited_from(record);
    for (const Table& table : schema.tables)
      if (audited.log && matches_any_glob(audited.tables, table.name.display())) {
        reads.add(schema, table.name);
        reads.add(schema, audited.log->table, {audited.log->about, audited.log->event});
      }
  }
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{
    .name = "audit_triggers",
    .summary = "whether audit triggers are there, run, and did so when rows went",
    .report_section = "Audit triggers",
    .question = Question::intact,
    .lane = Lane::scan,
    .scope = Scope::database,
    .depends_on = DependsOn::tables,
    .interval = "5m",
    .deadline = "60s",
    .metrics = kMetrics,
    .identity = kIdentity,
    .options = kAuditOptions,
    .wanted = has_records<kWatched>,
    .wanted_hint =
        "name the tables that must be audited: [[server.collectors.audit_triggers.audited]]",
    .check = [](const Configuration& given,
                Problems& problems) { check_audited(given.own, problems); },
    .reads = add_reads,
    .make = make};

}  // namespace pg_integrity::audit_triggers
