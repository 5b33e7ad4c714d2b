#include "collectors/integrity/inventory_report.h"

#include <algorithm>
#include <set>

#include "collectors/base/errors.h"
#include "collectors/base/metric.h"
#include "collectors/integrity/inventory_losses.h"
#include "collectors/integrity/inventory_metrics.h"
#include "collectors/integrity/inventory_names.h"

namespace pg_integrity::inventory {

namespace {

constexpr std::size_t kNamed = 20;  ///< things that one object names

/// Says the first lines, and how many there are beyond.
template <typename Metric>
void tell(const Metric& metric, const std::string& type, const std::vector<std::string>& lines,
          Batch& out) {
  for (std::size_t i = 0; i < std::min(lines.size(), kNamed); ++i)
    out.evidence(metric, lines[i], type);
  if (lines.size() > kNamed)
    out.evidence(metric, "and " + std::to_string(lines.size() - kNamed) + " more", type);
}

std::vector<std::string> missing(const std::set<std::string>& known, const PinnedThings& matched) {
  std::vector<std::string> lines;
  for (const std::string& name : known)
    if (!matched.there.contains(name))
      lines.push_back(name +
                      (matched.switched_off.contains(name) ? " is switched off" : " is missing"));
  return lines;
}

void report_lost(const std::vector<LostThing>& things, const std::string& type, Batch& out) {
  const std::string& name = things.front().name;
  const std::string what =
      things.size() == 1 ? name + " was there for long and is gone or switched off"
                         : name + " and others were there for long and are gone or switched off";
  out.unproven(kLost, Reason::gone,
               what + ". HINT: bring it back, or list \"inventory/" + name + "\" under `accept`",
               type);
  std::vector<std::string> lines;
  for (const LostThing& thing : things) lines.push_back(thing.text);
  tell(kLost, type, lines, out);
}

void report_past(const std::vector<Past>& all, const std::string& type, Batch& out) {
  std::vector<std::string> lines;
  for (auto it = all.rbegin(); it != all.rend(); ++it)
    if (it->type == type)
      lines.push_back("no loss any more, as of " + utc_text(it->at) + ": " + it->text);
  tell(kLost, type, lines, out);
}

}  // namespace

void report_numbers(const Schema& schema, Batch& out) {
  const auto set = [&](const char* type, std::size_t count) {
    out.set(kInventory, static_cast<double>(count), type);
  };
  set("tables", schema.whole_tables() + schema.unlogged.size());
  set("foreign_keys", schema.whole_foreign_keys() + schema.unlogged_foreign_keys);
  set("triggers", schema.triggers);
  set("sequences", schema.sequences);
}

void report_pins(const std::vector<std::string>& all_pins, const Found& found,
                 const std::function<bool(const std::string&)>& accepted, Memory& memory,
                 Batch& out) {
  const auto things = pinned_things(all_pins, found);
  std::erase_if(memory.pins, [&](const auto& pin) { return !things.contains(pin.first); });
  for (const auto& [pin, matched] : things) {
    std::set<std::string> known{pin};
    if (is_glob(pin)) {
      known = matched.there;
      for (const std::string& name : memory.pins[pin])
        if (!accepted(name)) known.insert(name);
      memory.pins[pin] = known;
      out.set(kInventoryMin, std::max(1.0, static_cast<double>(known.size())), pin);
    }
    out.set(kInventory, static_cast<double>(matched.there.size()), pin);
    out.weight(kInventory, true, 0, pin);
    tell(kInventory, pin, missing(known, matched), out);
  }
}

void report_losses(const std::vector<std::string>& all_pins, Memory& memory, Batch& out) {
  const auto losses = losses_of(memory, [&](const std::string& name) {
    return std::any_of(all_pins.begin(), all_pins.end(),
                       [&](const std::string& pin) { return pins(pin, name); });
  });
  date_newest_losses(memory, losses);
  for (const std::string_view of : kTypes) {
    const std::string type(of);
    const auto lost = losses.find(of);
    out.set(kLost, lost == losses.end() ? 0 : static_cast<double>(lost->second.size()), type);
    if (lost != losses.end()) report_lost(lost->second, type, out);
    report_past(memory.past, type, out);
  }
  if (memory.newest_loss > 0) out.set(kNewestLoss, memory.newest_loss);
}

}  // namespace pg_integrity::inventory
