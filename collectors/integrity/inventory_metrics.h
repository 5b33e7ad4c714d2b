// The metrics of the inventory. Constants; safe on any thread.
#pragma once

#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"

namespace pg_integrity::inventory {

constexpr auto kInventoryMin =
    gauge("pg_integrity_inventory_min", "Lower limit of inventory, pinned by `expect`.", "type");
constexpr auto kInventory = gauge(
    "pg_integrity_inventory",
    "Tables, foreign keys, triggers and sequences that are watched, by type; and the number of "
    "things that are there and work, by the name or glob that pins them.",
    at_least(kInventoryMin)
        .says("Pinned {type}: the database has {value}, it must have at least {limit}."),
    "type");
constexpr auto kLost =
    gauge("pg_integrity_inventory_lost",
          "Things that were there for learn_after and are gone or switched off, by type.",
          must_be(0).says(
              "{value} of the {type} that were there for long {is|are} gone or switched off."),
          "type");
constexpr auto kNewestLoss =
    gauge("pg_integrity_inventory_newest_loss_timestamp_seconds",
          "When the newest of these losses began, Unix time. Those of ten minutes count as one.");
constexpr auto kMemorySince = gauge("pg_integrity_memory_since_timestamp_seconds",
                                    "Since when the exporter remembers what the database has, Unix "
                                    "time. Everything that went before is not known.");

}  // namespace pg_integrity::inventory
