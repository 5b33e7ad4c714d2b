// Tables, keys, triggers, sequences and indexes, by name. It tells of those that are gone or
// switched off. Pinned ones are then violated, and learned ones unproven until somebody has had
// time to act.
#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/glob.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/integrity/inventory_losses.h"
#include "collectors/integrity/inventory_memory.h"
#include "collectors/integrity/inventory_metrics.h"
#include "collectors/integrity/inventory_names.h"
#include "collectors/integrity/inventory_reader.h"
#include "collectors/integrity/inventory_report.h"
#include "collectors/integrity/inventory_update.h"
#include "collectors/integrity/migration_tables.h"
#include "collectors/options/expect.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity::inventory {

namespace {

constexpr const MetricInfo* kMetrics[] = {&kInventory, &kInventoryMin, &kLost, &kNewestLoss,
                                          &kMemorySince};

constexpr std::string_view kIdentity[] = {"type"};
constexpr std::string_view kServerOptions[] = {"expect"};

constexpr Option kOptions[] = {
    {.name = "learn_after",
     .type = OptionType::duration,
     .fallback = "24h",
     .help = "what was there for so long is missed when it goes; staging tables live shorter"},
    {.name = "loss_memory",
     .type = OptionType::duration,
     .fallback = "7d",
     .help = "how long a loss is told, if nobody accepts it and it does not come back",
     .min = 60},
    {.name = "migrations",
     .type = OptionType::texts,
     .help = "further tables in which a migration tool notes what it did, as names or globs over"
             " \"schema.table\""}};

class Inventory final : public Collector {
 public:
  explicit Inventory(const Configuration& given)
      : learn_after_(given.own.duration("learn_after")),
        loss_memory_(given.own.duration("loss_memory")),
        migrations_(given.own.texts("migrations")),
        expect_(given.server.expect),
        accept_(given.server.accept),
        audit_(given.server.audit_tables) {}

  void declare(Batch& out) const override {
    for (const auto& [type, least] : expect_.numbers) out.set(kInventoryMin, least, type);
    for (const std::string& pin : expect_.objects)
      if (!is_glob(pin)) out.set(kInventoryMin, 1, pin);
  }

  Progress collect(Sources& from, Batch& out) override {
    const auto schema = from.schema();
    const UnixTime now = std::floor(from.clock().unix_now());
    Memory memory = memory_of(from, now);
    const auto tables = migration_tables(*schema, migrations_);
    auto fingerprints = migration_fingerprints(from.session(), tables);
    const Found found = read_inventory(from.session(), *schema);
    take_counted_rows(from, memory);
    const auto accepted = [&](const std::string& name) { return is_accepted(name, now); };
    const auto lost =
        update(memory, found,
               {now, learn_after_, loss_memory_,
                [&](const QualifiedName& name) { return schema->excludes(name); }, accepted});
    if (!lost.empty()) {
      // A migration may have ended since its table was read.
      fingerprints = migration_fingerprints(from.session(), tables);
      attribute_losses(from, lost, fingerprints, now, memory);
    }
    // A table that a migration has locked keeps the fingerprint that it had.
    for (const Table* table : tables)
      if (const auto known = memory.migrations.find(table->name); known != memory.migrations.end())
        fingerprints.insert(*known);
    memory.migrations = std::move(fingerprints);
    memory.cluster = from.session().server().system_identifier;
    out.excluded(schema->excluded_tables);
    report_numbers(*schema, out);
    report_pins(expect_.objects, found, accepted, memory, out);
    report_losses(expect_.objects, memory, out);
    out.set(kMemorySince, memory.since);
    out.remember(text_of(memory));
    return Progress::done;
  }

 private:
  static Memory memory_of(const Sources& from, UnixTime now) {
    const auto text = from.remembered();
    auto memory = text ? memory_from(*text) : std::nullopt;
    if (!memory) {
      memory.emplace();
      memory->since = memory->seen = now;
    }
    return std::move(*memory);
  }

  /// The statistics do not know the rows of a small table in a copy of a database.
  static void take_counted_rows(const Sources& from, Memory& memory) {
    for (const char* metric : {"pg_integrity_table_rows", "pg_integrity_table_rows_estimate"})
      for (const Sample& sample : from.observed(metric)) {
        const auto known = memory.tables.find({sample.labels.at(0), sample.labels.at(1)});
        if (known != memory.tables.end())
          known->second.rows = std::max(known->second.rows, std::ceil(sample.value));
      }
  }

  [[nodiscard]] bool is_accepted(const std::string& name, UnixTime now) const {
    return std::any_of(accept_.begin(), accept_.end(), [&](const AcceptedDamage& accepted) {
      return accepted.object == "inventory/" + name && now < accepted.until;
    });
  }

  [[nodiscard]] bool is_pinned(const std::string& name) const {
    return std::any_of(expect_.objects.begin(), expect_.objects.end(),
                       [&](const std::string& pin) { return pins(pin, name); });
  }

  /// A migration that left a new row since the pass before may drop whole tables. It explains no
  /// loss of a table that the audit rests on, that is red or that is pinned.
  void attribute_losses(Sources& from, const std::vector<QualifiedName>& lost,
                        const std::map<QualifiedName, std::string>& fingerprints, UnixTime now,
                        Memory& memory) const {
    const QualifiedName* migrated = nullptr;
    for (const auto& [name, fingerprint] : fingerprints) {
      const auto before = memory.migrations.find(name);
      if (before != memory.migrations.end() && has_new_row(before->second, fingerprint))
        migrated = &name;
    }
    if (migrated == nullptr || memory.cluster != from.session().server().system_identifier) return;
    for (const QualifiedName& table : lost)
      if (!matches_any_glob(audit_, table.display()) && !from.is_red(table) &&
          !is_pinned(name_of(Kind::table, table)))
        attribute(memory, table, *migrated, now);
  }

  Seconds learn_after_;
  Seconds loss_memory_;
  std::vector<std::string> migrations_;
  Expect expect_;
  std::vector<AcceptedDamage> accept_;
  std::vector<std::string> audit_;
};

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<Inventory>(given);
}

void add_reads(const Configuration& given, Session& /*session*/, const Schema& schema,
               Reads& reads) {
  for (const Table* table : migration_tables(schema, given.own.texts("migrations"))) {
    std::vector<std::string> columns;
    for (const Column& column : table->columns) columns.push_back(column.name);
    reads.add(schema, table->name, columns);
  }
}

std::vector<std::string> losses(const std::string& text) {
  std::vector<std::string> names;
  const auto memory = memory_from(text);
  if (!memory) return names;
  for (const auto& [type, things] : losses_of(*memory, [](const std::string&) { return false; }))
    for (const LostThing& thing : things) names.push_back(thing.name);
  return names;
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{
    .name = "inventory",
    .summary = "tables, keys, triggers, sequences and indexes that are gone or switched off",
    .object_noun = "inventory check",
    .report_section = "Inventory",
    .question = Question::intact,
    .lane = Lane::scan,
    .scope = Scope::database,
    .depends_on = DependsOn::tables | DependsOn::time,
    .interval = "5m",
    .deadline = "60s",
    .metrics = kMetrics,
    .identity = kIdentity,
    .options = kOptions,
    .server_options = kServerOptions,
    .reads = add_reads,
    .losses = losses,
    .make = make};

}  // namespace pg_integrity::inventory
