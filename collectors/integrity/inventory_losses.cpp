#include "collectors/integrity/inventory_losses.h"

#include <algorithm>
#include <utility>

#include "collectors/base/glob.h"

namespace pg_integrity::inventory {

namespace {

constexpr std::string_view kGlobCharacters = "*?[\\";
constexpr UnixTime kOneEvent = 600;

std::string fate_of(const Loss& loss) {
  return (loss.switched_off ? " is switched off since " : " is gone since ") + utc_text(loss.since);
}

std::string rows_text(const KnownTable& table) {
  if (table.rows <= 0) return {};
  const std::string rows = std::to_string(static_cast<long long>(table.rows));
  return rows + (rows == "1" ? " row" : " rows");
}

/// "; it had 120 rows, and 3 keys, triggers and indexes went with it".
std::string belongings(const KnownTable& table) {
  std::string text;
  if (const std::string rows = rows_text(table); !rows.empty()) text = "; it had " + rows;
  if (!table.items.empty())
    text += "; with it went " + std::to_string(table.items.size()) +
            " of its constraints, triggers and indexes";
  return text;
}

std::string surroundings(const KnownTable& table) {
  const std::string rows = rows_text(table);
  return rows.empty() ? std::string() : "; its table had " + rows;
}

/// Calls `visit` with the name of each thing, and whether it works.
template <typename Visit>
void for_each_name(const Found& found, Visit visit) {
  for (const auto& [name, table] : found.tables) {
    visit(name_of(Kind::table, name), true);
    for (const FoundItem& item : table.items)
      visit(name_of(item.kind, name, item.name), item.works);
  }
  for (const auto& [name, sequence] : found.sequences) visit(name_of(Kind::sequence, name), true);
}

}  // namespace

std::map<std::string_view, std::vector<LostThing>> losses_of(
    const Memory& memory, const std::function<bool(const std::string&)>& is_pinned) {
  std::map<std::string_view, std::vector<LostThing>> losses;
  const auto add = [&](Kind kind, const Loss& loss, std::string name, const std::string& more) {
    if (is_pinned(name)) return;
    std::string text = name + fate_of(loss) + more;
    losses[type_of(kind)].push_back({loss.since, std::move(name), std::move(text)});
  };
  for (const auto& [name, table] : memory.tables) {
    if (table.life.loss) {
      add(Kind::table, *table.life.loss, name_of(Kind::table, name), belongings(table));
      continue;
    }
    for (const KnownItem& item : table.items)
      if (item.life.loss)
        add(item.kind, *item.life.loss, name_of(item.kind, name, item.name), surroundings(table));
  }
  for (const auto& [name, sequence] : memory.sequences)
    if (sequence.life.loss)
      add(Kind::sequence, *sequence.life.loss, name_of(Kind::sequence, name), {});
  for (auto& [type, things] : losses)
    std::stable_sort(things.begin(), things.end(),
                     [](const LostThing& a, const LostThing& b) { return a.since > b.since; });
  return losses;
}

void date_newest_losses(Memory& memory,
                        const std::map<std::string_view, std::vector<LostThing>>& losses) {
  UnixTime newest = 0;
  for (const auto& [type, things] : losses) newest = std::max(newest, things.front().since);
  if (newest == 0 || newest - memory.newest_loss > kOneEvent) memory.newest_loss = newest;
}

bool is_glob(const std::string& pin) {
  return pin.find_first_of(kGlobCharacters) != std::string::npos;
}

bool pins(const std::string& pin, const std::string& name) {
  // A comparison of the first characters spares most names the slow match.
  const std::size_t plain = std::min(pin.find_first_of(kGlobCharacters), pin.size());
  return name.compare(0, plain, pin, 0, plain) == 0 && matches_glob(pin, name);
}

std::map<std::string, PinnedThings> pinned_things(const std::vector<std::string>& all_pins,
                                                  const Found& found) {
  std::map<std::string, PinnedThings> things;
  if (all_pins.empty()) return things;
  for (const std::string& pin : all_pins) things[pin];
  for_each_name(found, [&](const std::string& name, bool works) {
    for (auto& [pin, matched] : things)
      if (pins(pin, name)) (works ? matched.there : matched.switched_off).insert(name);
  });
  return things;
}

}  // namespace pg_integrity::inventory
