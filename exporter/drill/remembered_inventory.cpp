#include "exporter/drill/remembered_inventory.h"

#include <fmt/format.h>

#include <algorithm>

#include "collectors/integrity/inventory_names.h"
#include "collectors/integrity/inventory_reader.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/schema_cache.h"
#include "exporter/evidence/evidence_section.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/evidence/state_file.h"
#include "exporter/io/clock.h"

namespace pg_integrity {

namespace {

using inventory::FoundTable;
using inventory::Kind;
using inventory::KnownItem;
using inventory::KnownTable;
using inventory::Life;

constexpr double kClocks = 60;  // seconds by which two machines' clocks may differ
constexpr double kPass = 3600;  // seconds between two passes of the inventory, at most

/// Holds one copy against the memory.
class Held {
 public:
  Held(const inventory::Memory& memory, const Schema& left_out, UnixTime until)
      : memory_(memory), left_out_(left_out), until_(until) {}

  InventoryComparison against(const inventory::Found& copy) {
    if (memory_.since > until_ - kClocks) {
      comparison_.doubts.push_back(
          fmt::format("the exporter remembers the source since {}, which is "
                      "after the backup. HINT: drill a "
                      "backup that was taken later",
                      inventory::utc_text(memory_.since)));
      return std::move(comparison_);
    }
    comparison_.reaches = true;
    comparison_.is_current = memory_.seen >= until_ + kClocks;
    comparison_.parts = memory_.parts;
    for (const auto& [name, table] : memory_.tables) hold(name, table, copy);
    for (const auto& [name, sequence] : memory_.sequences) {
      const bool left_out = is_left_out(name) || (sequence.owner && is_left_out(*sequence.owner));
      if (!left_out && is_due(sequence.life) && !copy.sequences.contains(name))
        miss(sequence.life, inventory::name_of(Kind::sequence, name), {});
    }
    return std::move(comparison_);
  }

 private:
  [[nodiscard]] bool is_left_out(const QualifiedName& name) const {
    return left_out_.excludes(name);
  }

  /// Whether it was there when the backup began.
  [[nodiscard]] bool is_due(const Life& life) const {
    if (life.first > until_ - kClocks) return false;
    return !life.loss || life.loss->switched_off || life.loss->since > until_ + kPass;
  }

  void hold(const QualifiedName& name, const KnownTable& table, const inventory::Found& copy) {
    comparison_.judged.insert(name);
    if (is_left_out(name) || copy.parts.contains(name) || !is_due(table.life)) return;
    const auto found = copy.tables.find(name);
    if (found == copy.tables.end())
      return miss(table.life, inventory::name_of(Kind::table, name),
                  table.rows > 0 ? fmt::format(", it had {:.0f} rows", table.rows) : "");
    for (const KnownItem& item : table.items)
      if (is_due(item.life) && !has(found->second, item))
        miss(item.life, inventory::name_of(item.kind, name, item.name), {});
  }

  static bool has(const FoundTable& table, const KnownItem& item) {
    return std::any_of(table.items.begin(), table.items.end(), [&](const auto& one) {
      return one.kind == item.kind && one.name == item.name;
    });
  }

  void miss(const Life& life, const std::string& name, const std::string& more) {
    const std::string text =
        fmt::format("{} is not in the backup{}; the exporter saw it in the source from {}", name,
                    more, inventory::utc_text(life.first));
    if (memory_.seen + kPass < until_)
      comparison_.doubts.push_back(
          fmt::format("{} to {}, which is before the backup. HINT: let the exporter run", text,
                      inventory::utc_text(memory_.seen)));
    else
      comparison_.absent.push_back(text +
                                   " on. HINT: `leaves_out` of the source, if that is meant");
  }

  const inventory::Memory& memory_;
  const Schema& left_out_;
  const UnixTime until_;
  InventoryComparison comparison_;
};

}  // namespace

std::optional<inventory::Memory> remembered_inventory(const std::string& state_dir,
                                                      const std::string& server,
                                                      const std::string& database,
                                                      const Clock& clock) {
  if (state_dir.empty()) return std::nullopt;
  const auto saved = evidence_on_record(state_on_record(state_dir, clock), clock);
  const auto found = saved->collectors.find({server, database, "inventory"});
  if (found == saved->collectors.end() || !found->second.remembered) return std::nullopt;
  auto memory = inventory::memory_from(*found->second.remembered);
  return memory && memory->seen > 0 ? std::move(memory) : std::nullopt;
}

InventoryComparison compare_with_inventory(Session& copy, const inventory::Memory& memory,
                                           const std::vector<std::string>& left_out,
                                           const Clock& clock, UnixTime until) {
  const auto schema = load_schema(copy, {}, clock.now());
  Schema excluding;
  excluding.exclude = left_out;
  return Held(memory, excluding, until).against(inventory::read_inventory(copy, *schema));
}

}  // namespace pg_integrity
