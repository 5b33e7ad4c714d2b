// What the inventory reports. Pure functions.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "collectors/base/batch.h"
#include "collectors/integrity/inventory_memory.h"
#include "collectors/integrity/inventory_reader.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity::inventory {

/// The number of tables, foreign keys, triggers and sequences.
void report_numbers(const Schema& schema, Batch& out);

/// The things that each pin matches, and those that are missing or switched off. A glob pins every
/// name that it ever matched, so that a new one does not make up for a lost one. The memory keeps
/// these names, without those that are accepted.
void report_pins(const std::vector<std::string>& all_pins, const Found& found,
                 const std::function<bool(const std::string&)>& accepted, Memory& memory,
                 Batch& out);

/// The losses of things that are not pinned, those that are over, and when the newest ones began.
void report_losses(const std::vector<std::string>& all_pins, Memory& memory, Batch& out);

}  // namespace pg_integrity::inventory
