// How the inventory's memory changes when a pass has read the names that are there now. Pure
// functions.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/base/qualified_name.h"
#include "collectors/integrity/inventory_memory.h"
#include "collectors/integrity/inventory_reader.h"

namespace pg_integrity::inventory {

struct Rules {
  UnixTime now = 0;
  Seconds learn_after{};  ///< a thing is learned once passes saw it for so long
  Seconds loss_memory{};  ///< a loss is over after so long
  /// Whether the configuration excludes a table or sequence of that name.
  std::function<bool(const QualifiedName&)> excluded;
  /// Whether the configuration accepts that the thing of that name is gone: "table public.orders".
  std::function<bool(const std::string&)> accepted;
};

/// Compares the names that are there with those that were. Notes what is new, what is lost and what
/// is back, and ends losses that are accepted or old.
///
/// - A thing that was there for `learn_after` is lost when it is gone or switched off.
/// - The keys, triggers, indexes and sequences of a table go with it and are no losses of their
/// own.
/// - A table is no loss if no pass ever saw a row in it, or if it once was a part of another one.
///   Nor is an index that is not unique.
/// @return the tables that this pass lost.
std::vector<QualifiedName> update(Memory& memory, const Found& found, const Rules& rules);

/// Ends the loss of a table, because a migration dropped it.
void attribute(Memory& memory, const QualifiedName& table, const QualifiedName& migrations,
               UnixTime now);

/// "table public.orders, it had 120 rows".
std::string description(const QualifiedName& name, const KnownTable& table);

}  // namespace pg_integrity::inventory
