#include "exporter/setup/starting_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "collectors/base/units.h"
#include "exporter/config/toml.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kNamedDatabases = 20;  ///< that a comment names

std::string list_of_strings(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + toml_string(text);
  return "[" + list + "]";
}

/// Text of others in a comment: without line breaks and other control characters.
std::string in_comment(std::string_view text) {
  std::string one_line;
  for (const char c : text)
    one_line += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? '?' : c;
  return one_line;
}

/// Names that are unique within one list.
class Names {
 public:
  std::string unique(const std::string& wanted) {
    std::string name = wanted;
    for (int i = 2; !taken_.insert(name).second; ++i) name = fmt::format("{}-{}", wanted, i);
    return name;
  }

 private:
  std::set<std::string> taken_;
};

std::string zone_line(const TableInTime& table, const std::string& zone) {
  if (!table.lacks_zone || zone.empty()) return {};
  return fmt::format("zone = {}  # {} has no zone of its own; this one is the server's\n",
                     toml_string(zone), in_comment(table.column));
}

void append_head(std::string& out, const StartingConfig& found) {
  const FoundInDatabase& db = found.database;
  out += fmt::format(
      "# A first configuration, from what `config init` found in database {} of PostgreSQL {}.\n"
      "# What is in force was found as it is. Lines behind \"#\" need somebody who knows the\n"
      "# database: complete them, and remove the \"#\". Then run\n"
      "#     pg_integrity_exporter config check --config FILE\n"
      "#     pg_integrity_exporter check --config FILE\n\n",
      in_comment(db.database), db.version);
  out += fmt::format("[[server]]\nname = {}\ndsn = {}\n", toml_string(found.server),
                     toml_string(found.dsn));
  if (found.had_password)
    out += "# The password is left out: write it into ~/.pgpass of the exporter's user.\n";
  if (db.we_are_superuser)
    out +=
        "# This role is a superuser. The exporter needs one that may read and nothing else:\n"
        "# `pg_integrity_exporter grants --config FILE | psql` makes it. Then name it in the "
        "dsn.\n";
  if (!db.databases.empty()) {
    std::string names;
    for (std::size_t i = 0; i < std::min(db.databases.size(), kNamedDatabases); ++i)
      names += (i == 0 ? "" : ", ") + in_comment(db.databases[i]);
    out += fmt::format(
        "# The server also has: {}{}. This watches all of them:\n"
        "# databases = [\"*\"]\n",
        names, db.databases.size() > kNamedDatabases ? ", …" : "");
  }
  out +=
      "# Tables that nobody needs to check, as globs:\n# exclude = [\"public.tmp_*\"]\n"
      "# How much work may be lost at most:\n# recovery_point_objective = \"24h\"\n";
  out += fmt::format(
      "# There are {} tables, {} foreign keys and {} triggers. A loss is noticed once they were\n"
      "# learned for a day. This pins their numbers at once:\n"
      "# expect = {{ tables = {}, foreign_keys = {}, triggers = {} }}\n",
      db.tables, db.foreign_keys, db.triggers, db.tables, db.foreign_keys, db.triggers);
}

void append_roles(std::string& out, const FoundInDatabase& db) {
  out += fmt::format(
      "# These roles may change data, and these are superusers. Whoever comes later is a\n"
      "# finding. Remove those who should not be here.\n"
      "allow = {{ writers = {}, superusers = {} }}\n",
      list_of_strings(db.writers), list_of_strings(db.superusers));
}

void append_dumps(std::string& out, const FoundDumps& dumps, Names& names) {
  const std::size_t slash = dumps.directory.find_last_of('/');
  const std::string base =
      slash == std::string::npos ? dumps.directory : dumps.directory.substr(slash + 1);
  const bool known = dumps.every > Seconds(0);
  out += fmt::format(
      "\n# {} files, {}.\n[[server.backups]]\nname = {}\ndirectory = {}\npattern = {}\n"
      "every = \"{}\"\n# retention = \"7d\"  # how old the oldest must be\n"
      "# room_min = 1.5    # there must be room for so many times the largest one\n",
      dumps.files,
      known ? "by their times one in " + format_duration(dumps.every)
            : "so their schedule is a guess",
      toml_string(names.unique(base.empty() ? "dumps" : base)), toml_string(dumps.directory),
      toml_string(dumps.pattern), known ? format_duration(dumps.every) : std::string("24h"));
}

void append_tools(std::string& out, const FoundBackups& backups, Names& names) {
  for (const std::string& stanza : backups.stanzas)
    out += fmt::format(
        "\n# pgBackRest's configuration has this stanza{}. The times are a guess.\n"
        "[[server.backups]]\nname = {}\npgbackrest = {{ command = [\"pgbackrest\", \"info\", "
        "\"--output=json\"], stanza = {} }}\nkinds = {{ full = {{ every = \"7d\", grace = \"1d\" "
        "}} "
        "}}\n# continuous = true  # the server archives its log into the repository\n",
        backups.pgbackrest ? ""
                           : ", but the program is not here: give it a `file` in place of "
                             "`command`",
        toml_string(names.unique("pgbackrest-" + stanza)), toml_string(stanza));
  for (const std::string& server : backups.barman_servers)
    out += fmt::format(
        "\n# Barman's configuration has this server{}. The times are a guess.\n"
        "[[server.backups]]\nname = {}\nbarman = {{ command = [\"barman\", \"-f\", \"json\", "
        "\"list-backups\", {}], server = {} }}\nzone = \"UTC\"  # of Barman's machine\n"
        "kinds = {{ full = {{ every = \"7d\", grace = \"1d\" }} }}\n",
        backups.barman ? ""
                       : ", but the program is not here: give it a `file` in place of "
                         "`command`",
        toml_string(names.unique("barman-" + server)), toml_string(server), toml_string(server));
}

void append_backups(std::string& out, const StartingConfig& found) {
  Names names;
  append_tools(out, found.backups, names);
  for (const FoundDumps& dumps : found.backups.dumps) append_dumps(out, dumps, names);
  for (const TableInTime& log : found.database.backup_logs)
    out += fmt::format(
        "\n# The table {}.{} may list backups. A list proves little (level 0); name the files, "
        "too.\n"
        "# [[server.backups]]\n# name = {}\n# table = {{ schema = {}, table = {}, time = {}, kind "
        "= "
        "\"KIND_COLUMN\", status = \"STATUS_COLUMN\", success = [\"success\"] }}\n"
        "# kinds = {{ full = {{ values = [\"full\"], every = \"24h\" }} }}\n",
        in_comment(log.table.schema), in_comment(log.table.name),
        in_comment(toml_string(names.unique(log.table.name))),
        in_comment(toml_string(log.table.schema)), in_comment(toml_string(log.table.name)),
        in_comment(toml_string(log.column)));
  if (found.backups.stanzas.empty() && found.backups.barman_servers.empty() &&
      found.backups.dumps.empty())
    out +=
        "\n# No backup was found on this machine. \"Could we get it back?\" stays unproven until\n"
        "# the exporter sees some:\n# [[server.backups]]\n# name = \"nightly\"\n"
        "# directory = \"/var/backups/shop\"\n# pattern = \"*.dump\"\n# every = \"24h\"\n"
        "# retention = \"7d\"\n";
}

void append_log_collectors(std::string& out, const FoundInDatabase& db) {
  Names names;
  for (const TableInTime& log : db.logs)
    out += fmt::format(
        "\n[[server.collectors.audit_logs.logs]]\nname = {}\nschema = {}\ntable = {}\ntime = {}\n"
        "{}# window = \"24h\"\n# min_recent = 1   # it must not fall silent\n"
        "# max_recent = 100\n",
        toml_string(names.unique(log.table.name)), toml_string(log.table.schema),
        toml_string(log.table.name), toml_string(log.column), zone_line(log, db.zone));
  for (const TriggerAudit& audited : db.audited)
    out += fmt::format(
        "\n# This function writes down what happens to these tables.\n"
        "[[server.collectors.audit_triggers.audited]]\ntables = {}\nfunction = {}\nevents = {}\n"
        "# With the log, deletes without an entry are noticed:\n"
        "# log = {{ schema = \"public\", table = \"LOG\", about = \"COLUMN_WITH_THE_TABLE\" }}\n",
        list_of_strings(audited.tables), toml_string(audited.function),
        list_of_strings(audited.events));
}

void append_freshness(std::string& out, const FoundInDatabase& db) {
  if (db.growing.empty()) return;
  out += "\n# The newest row of these tables is shown. With a limit it is judged, too:\n";
  for (const TableInTime& table : db.growing)
    out += fmt::format(
        "# [[server.collectors.freshness.tables]]\n# schema = {}\n# table = {}\n# column = {}\n"
        "{}# max_age = \"1d\"\n",
        in_comment(toml_string(table.table.schema)), in_comment(toml_string(table.table.name)),
        in_comment(toml_string(table.column)),
        table.lacks_zone && !db.zone.empty() ? fmt::format("# zone = {}\n", toml_string(db.zone))
                                             : std::string());
}

void append_standbys(std::string& out, const FoundInDatabase& db) {
  if (!db.standbys.empty()) {
    out += fmt::format(
        "\n# These standbys are connected now. One that is missing is a finding.\n"
        "[server.collectors.wal]\nstandbys = {}\n# max_lag = \"1m\"\n",
        list_of_strings(db.standbys));
  } else if (db.archives) {
    out += "\n# [server.collectors.wal]\n";
  }
  if (db.archives)
    out += fmt::format(
        "# The server archives its log{}{}. How old the archive may be:\n"
        "# archive_max_age = \"10m\"\n",
        db.archive_command.empty() ? "" : " by: ", in_comment(db.archive_command));
  if (!db.standbys.empty())
    out += fmt::format(
        "\n# A standby is compared with its primary if the exporter can reach it:\n"
        "# [[server.replicas]]\n# name = {}\n# dsn = \"host={} dbname=DATABASE user=pgintegrity\"\n"
        "# max_lag = \"1m\"\n",
        in_comment(toml_string(db.standbys.front())),
        db.standby_host.empty() ? "STANDBY" : in_comment(db.standby_host));
}

}  // namespace

std::string starting_config(const StartingConfig& found) {
  std::string out;
  append_head(out, found);
  append_roles(out, found.database);
  append_backups(out, found);
  append_standbys(out, found.database);
  append_log_collectors(out, found.database);
  append_freshness(out, found.database);
  return out;
}

}  // namespace pg_integrity
