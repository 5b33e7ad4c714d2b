// What the configuration says of copies of a database, and what can be wrong with it. Constants and
// pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/base/settings.h"

namespace pg_integrity {

inline constexpr Option kReplicaRecord[] = {
    {.name = "name", .help = "label `replica`; unique in the database", .required = true},
    {.name = "database", .help = "of what it is a copy; default: the database of the DSN"},
    {.name = "dsn", .help = "libpq connection string or URI of the copy"},
    {.name = "dsn_file", .help = "a file that holds it; read at each connect"},
    {.name = "tables",
     .type = OptionType::texts,
     .help = "globs over \"schema.table\": what is compared; default: every table that is watched,"
             " of a subscriber those that it subscribes to"},
    {.name = "compare",
     .type = OptionType::texts,
     .help = "\"rows\": how many there are; \"content\": what is in them, too; default: content"},
    {.name = "max_lag",
     .type = OptionType::duration,
     .help =
         "how far the copy may be behind; without it the lag is not judged. Of a copy that neither"
         " replays nor subscribes: how long a difference may stand",
     .min = 1}};

inline constexpr Option kReplicaOptions[] = {
    {.name = "replicas",
     .type = OptionType::records,
     .help = "copies of the databases: standbys, subscribers, restored copies",
     .members = kReplicaRecord,
     .home = OptionHome::server},
    {.name = "exact_up_to",
     .type = OptionType::size,
     .fallback = "1GiB",
     .help = "tables with a larger heap are only compared in slices, which needs a primary key that"
             " begins with a number, a uuid, a date or a timestamp, indexed on both sides"},
    {.name = "whole_up_to",
     .type = OptionType::size,
     .fallback = "64MiB",
     .help = "tables with a larger heap are compared in slices where they can be"},
    {.name = "slice_rows",
     .type = OptionType::integer,
     .fallback = "100000",
     .help = "rows of one slice",
     .min = 1,
     .max = 1e9}};

struct Replica {
  std::string name;
  std::vector<std::string> tables;  ///< globs; empty: all
  bool content = true;              ///< else rows are counted only
  std::optional<Seconds> max_lag;
};

/// One record of `replicas`.
Replica replica_from(const Settings& record);

void check_replicas(const Settings& settings, Problems& problems);

}  // namespace pg_integrity
