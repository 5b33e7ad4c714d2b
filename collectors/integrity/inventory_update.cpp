#include "collectors/integrity/inventory_update.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace pg_integrity::inventory {

namespace {

constexpr std::size_t kPastEntries = 100;

/// Another alert says that a foreign key is not enforced, or that a unique index is not valid.
bool counts(const FoundItem& item) {
  return item.works || item.kind == Kind::foreign_key || item.kind == Kind::unique_index ||
         item.kind == Kind::index;
}

class Update {
 public:
  Update(Memory& memory, const Found& found, const Rules& rules)
      : memory_(memory), found_(found), rules_(rules) {}

  std::vector<QualifiedName> run() {
    miss_tables();
    for (const auto& [name, table] : found_.tables) see(name, table);
    miss_sequences();
    for (const auto& [name, sequence] : found_.sequences) {
      const auto known = memory_.sequences.try_emplace(name, KnownSequence{{rules_.now, {}}, {}});
      known.first->second.life.loss.reset();
      known.first->second.owner = sequence.owner;
    }
    memory_.parts = found_.parts;
    memory_.seen = rules_.now;
    end_losses();
    return std::move(lost_tables_);
  }

 private:
  [[nodiscard]] bool is_learned(const Life& life) const {
    return Seconds(memory_.seen - life.first) >= rules_.learn_after;
  }

  void lose(Life& life, bool switched_off) { life.loss = Loss{rules_.now, switched_off}; }

  void pass_away(Kind kind, const std::string& text) {
    memory_.past.push_back({rules_.now, std::string(type_of(kind)), text});
  }

  void miss_tables() {
    for (auto it = memory_.tables.begin(); it != memory_.tables.end();)
      it = found_.tables.contains(it->first) || is_missed(it->first, it->second)
               ? std::next(it)
               : memory_.tables.erase(it);
  }

  /// Notes that a table is not there.
  /// @return false if that is no loss, and the table is to be forgotten.
  bool is_missed(const QualifiedName& name, KnownTable& table) {
    if (found_.parts.contains(name) || rules_.excluded(name)) return false;
    if (table.life.loss) return true;
    if (!is_learned(table.life)) return false;
    if (table.rows <= 0 || table.was_part) {
      pass_away(Kind::table, description(name, table) +
                                 (table.was_part ? "; it was once a part of another one" : ""));
      return false;
    }
    lose(table.life, false);
    lost_tables_.push_back(name);
    return true;
  }

  void see(const QualifiedName& name, const FoundTable& now) {
    const auto [at, is_new] = memory_.tables.try_emplace(name);
    KnownTable& known = at->second;
    if (is_new) {
      known.life.first = rules_.now;
      known.was_part = memory_.parts.contains(name);
    }
    known.life.loss.reset();
    known.rows = std::max(known.rows, std::ceil(now.rows));
    see_items(name, now.items, known);
  }

  void see_items(const QualifiedName& table, const std::vector<FoundItem>& now, KnownTable& known) {
    std::vector<KnownItem> kept;
    auto old = known.items.begin();
    const auto key = [](const auto& item) { return std::tie(item.kind, item.name); };
    for (const FoundItem& item : now) {
      for (; old != known.items.end() && key(*old) < key(item); ++old) miss(table, *old, kept);
      if (old != known.items.end() && key(*old) == key(item))
        see_again(*old++, counts(item), kept);
      else if (counts(item))
        kept.push_back({item.kind, item.name, {rules_.now, {}}});
    }
    for (; old != known.items.end(); ++old) miss(table, *old, kept);
    known.items = std::move(kept);
  }

  void see_again(KnownItem& item, bool works, std::vector<KnownItem>& kept) {
    if (works)
      item.life.loss.reset();
    else if (item.life.loss)
      item.life.loss->switched_off = true;
    else if (is_learned(item.life))
      lose(item.life, true);
    else
      return;
    kept.push_back(std::move(item));
  }

  void miss(const QualifiedName& table, KnownItem& item, std::vector<KnownItem>& kept) {
    if (item.life.loss) {
      item.life.loss->switched_off = false;
    } else if (!is_learned(item.life)) {
      return;
    } else if (item.kind == Kind::index) {
      pass_away(item.kind, name_of(item.kind, table, item.name));
      return;
    } else {
      lose(item.life, false);
    }
    kept.push_back(std::move(item));
  }

  void miss_sequences() {
    for (auto it = memory_.sequences.begin(); it != memory_.sequences.end();) {
      auto& [name, sequence] = *it;
      const bool there = found_.sequences.contains(name);
      const bool went_along = sequence.owner && !found_.tables.contains(*sequence.owner);
      if (!there && (rules_.excluded(name) || went_along ||
                     (!sequence.life.loss && !is_learned(sequence.life)))) {
        it = memory_.sequences.erase(it);
        continue;
      }
      if (!there && !sequence.life.loss) lose(sequence.life, false);
      ++it;
    }
  }

  /// Whether the loss is over, although the thing is not back.
  bool is_over(const Life& life, Kind kind, const std::string& name) {
    if (!life.loss) return false;
    if (rules_.accepted(name)) {
      pass_away(kind, name + "; that is accepted");
      return true;
    }
    if (Seconds(rules_.now - life.loss->since) < rules_.loss_memory) return false;
    pass_away(kind, name + "; that was told for loss_memory");
    return true;
  }

  void end_losses() {
    std::erase_if(memory_.tables, [&](const auto& entry) {
      return is_over(entry.second.life, Kind::table, name_of(Kind::table, entry.first));
    });
    for (auto& entry : memory_.tables)
      std::erase_if(entry.second.items, [&](const KnownItem& item) {
        return is_over(item.life, item.kind, name_of(item.kind, entry.first, item.name));
      });
    std::erase_if(memory_.sequences, [&](const auto& entry) {
      return is_over(entry.second.life, Kind::sequence, name_of(Kind::sequence, entry.first));
    });
    std::erase_if(memory_.past, [&](const Past& past) {
      return Seconds(rules_.now - past.at) >= rules_.loss_memory;
    });
    if (memory_.past.size() > kPastEntries)
      memory_.past.erase(memory_.past.begin(),
                         memory_.past.end() - static_cast<std::ptrdiff_t>(kPastEntries));
  }

  Memory& memory_;
  const Found& found_;
  const Rules& rules_;
  std::vector<QualifiedName> lost_tables_;
};

}  // namespace

std::vector<QualifiedName> update(Memory& memory, const Found& found, const Rules& rules) {
  return Update(memory, found, rules).run();
}

void attribute(Memory& memory, const QualifiedName& table, const QualifiedName& migrations,
               UnixTime now) {
  const auto known = memory.tables.find(table);
  if (known == memory.tables.end()) return;
  memory.past.push_back(
      {now, std::string(type_of(Kind::table)),
       description(table, known->second) + "; it went with a new row of " + migrations.display()});
  memory.tables.erase(known);
}

std::string description(const QualifiedName& name, const KnownTable& table) {
  const std::string text = name_of(Kind::table, name);
  if (table.rows <= 0) return text + ", in which no row was ever seen";
  const std::string rows = std::to_string(std::llround(table.rows));
  return text + ", it had " + rows + (rows == "1" ? " row" : " rows");
}

}  // namespace pg_integrity::inventory
