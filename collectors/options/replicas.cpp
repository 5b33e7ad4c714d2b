#include "collectors/options/replicas.h"

#include <algorithm>

namespace pg_integrity {

namespace {

constexpr Option kReplicaRecord[] = {
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

constexpr Option kReplicas[] = {
    {.name = "replicas",
     .type = OptionType::records,
     .help = "copies of the databases: standbys, subscribers, restored copies",
     .members = kReplicaRecord}};

Replica replica_from(const Settings& record, const std::string& home_database) {
  const auto& compare = record.texts("compare");
  const bool content =
      compare.empty() || std::find(compare.begin(), compare.end(), "content") != compare.end();
  return {record.text("name"), record.has("database") ? record.text("database") : home_database,
          record.texts("tables"), content, record.maybe_duration("max_lag")};
}

}  // namespace

std::span<const Option> replica_options() {
  return kReplicas;
}

std::vector<Replica> replicas_from(const Settings& server, const std::string& home_database) {
  std::vector<Replica> replicas;
  for (const Settings& record : server.records("replicas"))
    replicas.push_back(replica_from(record, home_database));
  return replicas;
}

void check_replicas(const Settings& server, Problems& problems) {
  for (const Settings& record : server.records("replicas"))
    for (const std::string& what : record.texts("compare"))
      if (what != "rows" && what != "content")
        problems.add(
            record.place("compare"),
            "replica \"" + record.text("name") + "\" cannot be compared by \"" + what + "\"",
            "compare = [\"rows\"] or [\"content\"]");
}

}  // namespace pg_integrity
