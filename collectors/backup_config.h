// What the configuration says of backups, and what can be wrong with it. Constants and pure
// functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collectors/backup_sources.h"
#include "collectors/settings.h"

namespace pg_integrity {

inline constexpr Option kHistoryTableOptions[] = {
    {.name = "schema", .fallback = "public", .help = "schema of the history table"},
    {.name = "table", .help = "the history table", .required = true},
    {.name = "time", .help = "column: when the backup was made", .required = true},
    {.name = "kind", .help = "column: which kind it is", .required = true},
    {.name = "status", .help = "column: how it ended; without it every row is a success"},
    {.name = "success", .type = OptionType::texts, .help = "statuses that mean success"},
    {.name = "failed", .type = OptionType::texts, .help = "statuses that mean failure"},
    {.name = "running", .type = OptionType::texts, .help = "statuses that mean not finished yet"},
    {.name = "zone",
     .type = OptionType::zone,
     .help = "IANA zone of the time column, if it has none of its own"}};

inline constexpr Option kBackupKindOptions[] = {
    {.name = "values",
     .type = OptionType::texts,
     .help = "history table: texts that mean this kind"},
    {.name = "pattern", .help = "directory: glob over the names of this kind's files"},
    {.name = "every",
     .type = OptionType::duration,
     .help = "the schedule; without it this kind is observed, not judged",
     .min = 60},
    {.name = "grace",
     .type = OptionType::duration,
     .help = "how late a backup may be; default: a quarter of `every`"}};

inline constexpr Option kBackupSourceOptions[] = {
    {.name = "name", .help = "label `source`; unique in the server", .required = true},
    {.name = "table",
     .type = OptionType::record,
     .help = "a table that lists the backups",
     .members = kHistoryTableOptions},
    {.name = "directory", .help = "a directory that holds dumps or base backups"},
    {.name = "pattern", .fallback = "*", .help = "directory without `kinds`: glob over file names"},
    {.name = "kinds",
     .type = OptionType::named_records,
     .help = "the kinds of backup; a directory may do without: its one kind is `dump`",
     .members = kBackupKindOptions},
    {.name = "every",
     .type = OptionType::duration,
     .help = "directory without `kinds`: the schedule",
     .min = 60},
    {.name = "grace",
     .type = OptionType::duration,
     .help = "directory without `kinds`: how late a backup may be; default: a quarter of `every`"},
    {.name = "ignore",
     .type = OptionType::texts,
     .help = "history table: texts of the kind column that are no backups"},
    {.name = "retention",
     .type = OptionType::duration,
     .help = "how far back the copies must reach"},
    {.name = "min_size",
     .type = OptionType::size,
     .fallback = "1kB",
     .help = "directory: a smaller file is no backup"},
    {.name = "settle",
     .type = OptionType::duration,
     .fallback = "2m",
     .help = "directory: a file changed within this time is still being written"},
    {.name = "zone",
     .type = OptionType::zone,
     .fallback = "UTC",
     .help = "directory: IANA zone of times in archive headers and file names"}};

inline constexpr Option kBackupOptions[] = {{.name = "backups",
                                             .type = OptionType::records,
                                             .help = "where backups are recorded",
                                             .members = kBackupSourceOptions,
                                             .home = OptionHome::server}};

/// Where backups are recorded, as the configuration says it: a table or a directory.
struct BackupSource {
  std::string name;
  std::vector<BackupKind> kinds;
  std::optional<HistoryTable> table;
  std::optional<ArchiveDirectory> directory;
  std::optional<Seconds> retention;  ///< how far back the copies must reach
};

/// @param settings one complete record of `backups`.
BackupSource backup_source_from(const Settings& settings);

/// Finds what single options cannot show.
void check_backup_sources(const Settings& settings, Problems& problems);

}  // namespace pg_integrity
