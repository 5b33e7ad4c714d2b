// Protections that keep a status table of themselves: whether they say that they are enabled, in
// which version, and when they last verified it. An installed protection proves nothing. A recent
// verification proves a little.
//
// If a protection has several rows, those with the newest verification count, and all of them must
// be enabled.
#include <algorithm>
#include <set>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/qualified_name.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/table_scan.h"

namespace pg_integrity::protection {

namespace {

constexpr auto kEnabled = gauge(
    "pg_integrity_protection_enabled",
    "1 if the protection's status table says that it is enabled.",
    must_be(1).says("The protection {protection} says that it is not enabled."), "protection");
constexpr auto kInfo =
    gauge("pg_integrity_protection_info",
          "Always 1; says which version the protection calls itself.", "protection", "version");
constexpr auto kLastVerification =
    past_event(gauge("pg_integrity_protection_last_verification_timestamp_seconds",
                     "When the protection last verified itself, Unix time.", "protection"));
constexpr auto kMaxAge = gauge("pg_integrity_protection_max_age_seconds",
                               "Configured upper limit of protection_age_seconds.", "protection");
constexpr auto kAge =
    age("pg_integrity_protection_age_seconds", "Seconds since the protection last verified itself.",
        at_most(kMaxAge).says("The protection {protection} last verified itself {value} ago, at "
                              "most {limit} is allowed."),
        "protection");

constexpr const MetricInfo* kMetrics[] = {&kEnabled, &kInfo, &kLastVerification, &kAge, &kMaxAge};

constexpr char kWatched[] = "protections";

constexpr std::string_view kIdentity[] = {"protection"};

constexpr std::size_t kMaxRows = 100;

constexpr Option kProtectionOptions[] = {
    {.name = "name", .help = "label `protection`; unique in the database", .required = true},
    {.name = "database", .help = "where it is; default: the database of the DSN"},
    {.name = "schema", .fallback = "public", .help = "schema of the status table"},
    {.name = "table", .help = "the status table", .required = true},
    {.name = "key", .help = "column that tells protections apart which share the table"},
    {.name = "key_value", .help = "the text of `key` that means this one"},
    {.name = "enabled", .help = "column: whether it is enabled"},
    {.name = "enabled_values",
     .type = OptionType::texts,
     .help = "texts of that column that mean enabled; not needed if it is boolean"},
    {.name = "version", .help = "column: its version"},
    {.name = "verified_at", .help = "column: when it last verified itself"},
    {.name = "zone",
     .type = OptionType::zone,
     .help = "IANA zone of that column, if it has none of its own"},
    {.name = "max_age",
     .type = OptionType::duration,
     .help = "an older verification is a violation",
     .min = 1}};

constexpr Option kOptions[] = {
    {.name = "protections",
     .type = OptionType::records,
     .help = "the protections that keep a status table",
     .members = kProtectionOptions},
    {.name = "exact_up_to",
     .type = OptionType::size,
     .fallback = "64MiB",
     .help = "a status table with a larger heap, which is read whole at each look, is"
             " unproven(too_large)"}};

struct Protection {
  std::string name;
  QualifiedName table;
  std::string key;
  std::string key_value;
  std::string enabled;
  std::vector<std::string> enabled_values;
  std::string version;
  std::string verified_at;
  std::string zone;
  std::optional<Seconds> max_age;
};

/// A column as text; NULL stays NULL. concat() calls no cast that a user defined.
std::string text_sql(const Table& table, const std::string& name) {
  if (name.empty()) return "NULL::text";
  const Column& column = table.existing_column(name);
  const std::string value = sql_identifier(column.name);
  if (column.type == ColumnType::boolean)
    return "CASE WHEN " + value + " THEN 'true' WHEN NOT " + value + " THEN 'false' END";
  return "CASE WHEN " + value + " IS NOT NULL THEN pg_catalog.left(pg_catalog.concat(" + value +
         "), 200) END";
}

std::string status_sql(const Table& table, const Protection& protection) {
  const std::string verified =
      protection.verified_at.empty()
          ? "NULL::timestamptz"
          : moment_sql(table.existing_column(protection.verified_at), protection.zone);
  const std::string mine =
      protection.key.empty() ? "" : " WHERE " + text_sql(table, protection.key) + " = $1";
  return "SELECT enabled, version, unusable,"
         " CASE WHEN NOT unusable THEN extract(epoch FROM t) END AS verified,"
         " CASE WHEN NOT unusable THEN extract(epoch FROM now() - t) END AS age"
         " FROM (SELECT enabled, version, t, rank() OVER (ORDER BY t DESC NULLS LAST) AS place,"
         " coalesce(t > now() + interval '1 minute' OR t = '-infinity', false) AS unusable"
         " FROM (SELECT " +
         text_sql(table, protection.enabled) + " AS enabled, " +
         text_sql(table, protection.version) + " AS version, " + verified + " AS t FROM " +
         table.from_clause() + mine + ") r) s WHERE place = 1 LIMIT " +
         std::to_string(kMaxRows + 1);
}

/// The texts of the column that mean enabled.
std::vector<std::string> meaning_enabled(const Table& table, const Protection& protection) {
  if (!protection.enabled_values.empty()) return protection.enabled_values;
  if (table.existing_column(protection.enabled).type != ColumnType::boolean)
    throw SourceError(
        Reason::config,
        "column " + protection.enabled +
            " is not boolean. HINT: list the texts that mean enabled: enabled_values");
  return {"true"};
}

class Protections final : public Collector {
 public:
  explicit Protections(const Settings& settings) : exact_up_to_(settings.number("exact_up_to")) {
    for (const Settings& record : settings.records("protections"))
      protections_.push_back({record.text("name"),
                              {record.text("schema"), record.text("table")},
                              record.text_or_empty("key"),
                              record.text_or_empty("key_value"),
                              record.text_or_empty("enabled"),
                              record.texts("enabled_values"),
                              record.text_or_empty("version"),
                              record.text_or_empty("verified_at"),
                              record.text_or_empty("zone"),
                              record.maybe_duration("max_age")});
  }

  void declare(Batch& out) const override {
    for (const Protection& protection : protections_)
      if (protection.max_age) out.set(kMaxAge, protection.max_age->count(), protection.name);
  }

  Progress collect(Sources& from, Batch& out) override {
    const auto schema = from.schema();
    for (const Protection& protection : protections_) {
      const std::array<std::string, 1> labels{protection.name};
      if (!from.wants(labels)) continue;
      out.weight(kEnabled, true, 0, protection.name);
      out.attempt(kEnabled, labels, [&] { look_at(from, *schema, protection, out); });
    }
    return Progress::done;
  }

 private:
  void look_at(Sources& from, const Schema& schema, const Protection& protection,
               Batch& out) const {
    const Table* table = schema.table(protection.table);
    if (table == nullptr)
      throw SourceError(Reason::missing, "table " + protection.table.display() +
                                             " does not exist. HINT: correct the protection " +
                                             protection.name);
    require_readable(from.session(), *table);
    std::vector<std::string> parameters;
    if (!protection.key.empty()) parameters.push_back(protection.key_value);
    const Rows rows =
        from.session().query(status_sql(*table, protection), parameters, Access::heap);
    if (rows.size() == 0)
      throw SourceError(Reason::missing,
                        "table " + table->name.display() + " has no row about the protection");
    if (rows.size() > kMaxRows)
      throw SourceError(Reason::too_large,
                        "more than " + std::to_string(kMaxRows) + " rows of table " +
                            table->name.display() +
                            " are about the protection. HINT: name the"
                            " columns that tell them apart: `key` or `verified_at`");
    out.evidence(kEnabled, "table " + protection.table.display(), protection.name);
    if (!protection.enabled.empty())
      report_enabled(rows, meaning_enabled(*table, protection), protection.name, out);
    if (!protection.version.empty()) report_versions(rows, protection.name, out);
    if (!protection.verified_at.empty()) report_verification(rows[0], protection, out);
  }

  void require_readable(Session& session, const Table& table) const {
    if (table.has_foreign_partition)
      throw SourceError(Reason::config, "a partition of the table is on another server");
    if (heap_bytes(session, table) > exact_up_to_)
      throw SourceError(Reason::too_large, "table " + table.name.display() +
                                               " is above exact_up_to. HINT: remove old rows, or"
                                               " raise it for this collector");
  }

  static void report_enabled(const Rows& rows, const std::vector<std::string>& meaning,
                             const std::string& name, Batch& out) {
    bool enabled = true;
    for (std::size_t i = 0; i < rows.size(); ++i)
      enabled = enabled &&
                std::find(meaning.begin(), meaning.end(), rows[i].text("enabled")) != meaning.end();
    out.set(kEnabled, enabled ? 1 : 0, name);
  }

  static void report_versions(const Rows& rows, const std::string& name, Batch& out) {
    std::set<std::string> versions;
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (const auto version = rows[i].maybe_text("version")) versions.insert(*version);
    for (const std::string& version : versions) out.set(kInfo, 1, name, version);
  }

  /// All rows have the same time, because they were chosen by it.
  static void report_verification(const Row& row, const Protection& protection, Batch& out) {
    if (row.flag("unusable")) {
      out.unproven(kAge, Reason::clock,
                   "the last verification lies in the future. HINT: check the clocks and `zone`",
                   protection.name);
    } else if (const auto verified = row.maybe_number("verified")) {
      out.set(kLastVerification, *verified, protection.name);
      out.set_age(kAge, Seconds(row.number("age")), protection.name);
    } else if (protection.max_age) {
      out.unproven(kAge, Reason::missing, "it was never verified", protection.name);
    }
  }

  double exact_up_to_;
  std::vector<Protection> protections_;
};

void check(const Configuration& given, Problems& problems) {
  for (const Settings& record : given.own.records("protections")) {
    const std::string name = "protection \"" + record.text("name") + "\"";
    if (!record.has("enabled") && !record.has("verified_at"))
      problems.add(record.place(), name + " says nothing that could be watched",
                   "name the column `enabled` or `verified_at`");
    if (record.has("max_age") && !record.has("verified_at"))
      problems.add(record.place("max_age"), name + " has a max_age and no `verified_at`",
                   "name the column that says when it was last verified");
    if (record.has("key") != record.has("key_value"))
      problems.add(record.place(record.has("key") ? "key" : "key_value"),
                   name + " needs both `key` and `key_value`, or neither");
  }
}

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<Protections>(given.own);
}

void add_reads(const Configuration& given, Session& /*session*/, const Schema& schema,
               Reads& reads) {
  for (const Settings& record : given.own.records("protections"))
    reads.add(schema, {record.text("schema"), record.text("table")},
              {record.text_or_empty("key"), record.text_or_empty("enabled"),
               record.text_or_empty("version"), record.text_or_empty("verified_at")});
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{
    .name = "protection",
    .summary = "what protections say of themselves in a status table: enabled, version, verified",
    .object_noun = "protection",
    .report_section = "Protection status",
    .question = Question::intact,
    .lane = Lane::quick,
    .scope = Scope::database,
    .depends_on = DependsOn::tables | DependsOn::time,
    .interval = "1m",
    .deadline = "10s",
    .metrics = kMetrics,
    .identity = kIdentity,
    .options = kOptions,
    .wanted = has_records<kWatched>,
    .wanted_hint =
        "name the tables in which protections report: [[server.collectors.protection.protections]]",
    .wanted_snippet = R"([[server.collectors.protection.protections]]
name = "lockdown"
table = "lockdown"
enabled = "enabled"
verified_at = "verified_at"
max_age = "1h")",
    .check = check,
    .reads = add_reads,
    .make = make};

}  // namespace pg_integrity::protection
