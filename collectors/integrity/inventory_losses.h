// Losses that are told to people, and objects that the configuration pins. Pure functions.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/integrity/inventory_memory.h"
#include "collectors/integrity/inventory_reader.h"

namespace pg_integrity::inventory {

struct LostThing {
  UnixTime since = 0;
  std::string name;  ///< "table public.orders"
  std::string text;  ///< what happened to it, and what it had
};

/// The losses by type, the newest first. Pinned things are left out, as are the keys, triggers,
/// indexes and sequences of a table that is lost itself.
std::map<std::string_view, std::vector<LostThing>> losses_of(
    const Memory& memory, const std::function<bool(const std::string&)>& is_pinned);

/// Dates the newest losses. Losses within ten minutes of the first one belong to it.
void date_newest_losses(Memory& memory,
                        const std::map<std::string_view, std::vector<LostThing>>& losses);

/// Whether the pin is a glob. Any other pin is the name of one thing.
bool is_glob(const std::string& pin);

/// Whether the pin is that name, or a glob that matches it.
bool pins(const std::string& pin, const std::string& name);

struct PinnedThings {
  std::set<std::string> there;         ///< those that are there and work
  std::set<std::string> switched_off;  ///< those that are there and do not work
};

/// What each of the pins matches now.
std::map<std::string, PinnedThings> pinned_things(const std::vector<std::string>& all_pins,
                                                  const Found& found);

}  // namespace pg_integrity::inventory
