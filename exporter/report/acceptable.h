// What somebody can accept now: objects that are violated or gone, limits of what was judged, and
// losses that a collector remembers. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "collectors/ports/clock.h"
#include "exporter/evidence/snapshot.h"

namespace pg_integrity {

struct Acceptable {
  CollectorId at;          ///< where it is; the database is empty if it is about the whole server
  std::string object;      ///< "orphans/public.child.child_fkey", "inventory/table public.orders"
  double distance = 0;     ///< how far its values are from what they should be
  bool is_change = false;  ///< something is gone, or can no longer be checked
};

/// All of it, in the order of the collectors.
std::vector<Acceptable> acceptable_now(const Snapshot& snapshot, const Clock& clock);

/// Those of that name, with or without the escapes of printable(). Empty arguments stand for any.
std::vector<Acceptable> named(const std::vector<Acceptable>& all, const std::string& object,
                              const std::string& server, const std::string& database);

}  // namespace pg_integrity
