#include "collectors/recovery/backup_config.h"

#include <algorithm>

#include "collectors/base/instant.h"
#include "collectors/recovery/backup_schedule.h"
#include "collectors/recovery/history_table.h"

namespace pg_integrity {

namespace {

/// @param zone that of its source.
BackupSchedule schedule_from(const Settings& settings, const std::string& zone) {
  BackupSchedule schedule{settings.maybe_duration("every"), {}, zone};
  for (const std::string& text : settings.texts("at"))
    schedule.anchors.push_back(parse_anchor(text).value());
  if (schedule.promised())
    schedule.grace = settings.maybe_duration("grace").value_or(schedule.shortest_gap() / 4);
  return schedule;
}

BackupKind kind_from(const Settings& settings, const std::string& name, const std::string& zone) {
  BackupKind kind{name, settings.texts("values"), settings.text_or_empty("pattern"),
                  schedule_from(settings, zone), settings.texts("satisfied_by")};
  if (kind.schedule.promised())
    kind.stuck_after = kind.schedule.longest_gap() + kind.schedule.grace;
  if (const auto configured = settings.maybe_duration("stuck_after"))
    kind.stuck_after = *configured;
  return kind;
}

/// One of the kinds that the source declares.
BackupKind kind_of(const Settings& settings, const Settings& source) {
  const std::string zone = settings.text_or_empty("zone");
  return kind_from(settings, settings.name(), zone.empty() ? source.text("zone") : zone);
}

/// Of a kind, or of a directory that is one.
void check_schedule(const Settings& settings, Problems& problems) {
  if (settings.has("every") && settings.has("at"))
    problems.add(settings.place("at"), "`every` and `at` exclude each other",
                 "`at` are the times of the day, `every` is a duration");
  const auto& texts = settings.texts("at");
  std::vector<Anchor> anchors;
  for (const std::string& text : texts) {
    const auto anchor = parse_anchor(text);
    if (!anchor) {
      problems.add(settings.place("at"), "\"" + text + "\" is no time of the day",
                   "write it as \"03:00\", or \"Sun 03:00\"");
      continue;
    }
    if (std::any_of(anchors.begin(), anchors.end(),
                    [&](const Anchor& other) { return anchor->meets(other); }))
      problems.add(settings.place("at"), "\"" + text + "\" is in `at` already");
    anchors.push_back(*anchor);
  }
  if (settings.has("at") && texts.empty())
    problems.add(settings.place("at"), "`at` names no time", "at = [\"03:00\"]");
}

void check_schedules(const Settings& source, Problems& problems) {
  check_schedule(source, problems);
  for (const Settings& kind : source.records("kinds")) {
    check_schedule(kind, problems);
    if (kind.has("zone") && !kind.has("at"))
      problems.add(kind.place("zone"), "`zone` is that of `at`");
  }
}

/// Only tables and Barman say that a backup runs, and since when.
void check_stuck(const Settings& source, Problems& problems) {
  if (source.has("table") || source.has("barman")) return;
  for (const Settings& kind : source.records("kinds"))
    if (kind.has("stuck_after"))
      problems.add(kind.place("stuck_after"),
                   "`stuck_after` is for history tables and barman: nothing else says since when a"
                   " backup runs");
}

void check_satisfied_by(const Settings& source, Problems& problems) {
  const auto& kinds = source.records("kinds");
  for (const Settings& kind : kinds)
    for (const std::string& other : kind.texts("satisfied_by"))
      if (std::none_of(kinds.begin(), kinds.end(),
                       [&](const Settings& one) { return one.name() == other; }))
        problems.add(kind.place("satisfied_by"), "kind \"" + kind.name() + "\" is satisfied by \"" +
                                                     other + "\", which is no kind of its source");
}

constexpr std::string_view kHomes[] = {"table", "directory", "pgbackrest", "barman"};

std::optional<CatalogueFormat> catalogue_format(const Settings& source) {
  if (source.record("pgbackrest") != nullptr) return CatalogueFormat::pgbackrest;
  if (source.record("barman") != nullptr) return CatalogueFormat::barman;
  return std::nullopt;
}

std::string_view option_of(CatalogueFormat format) {
  return format == CatalogueFormat::pgbackrest ? "pgbackrest" : "barman";
}

/// It is asked, or its file is read.
void check_catalogue_home(const Settings& catalogue, const std::string& name, Problems& problems) {
  if (catalogue.has("command") == catalogue.has("file"))
    problems.add(catalogue.place(), name + " needs one of `command` and `file`",
                 "the program and its arguments, or the file that a timer writes");
  const auto& command = catalogue.texts("command");
  if (catalogue.has("command") && (command.empty() || command.front().empty()))
    problems.add(catalogue.place("command"), name + " names no program in `command`");
  for (const auto& [option, home] :
       {std::pair("max_age", "file"), {"timeout", "command"}, {"refresh", "command"}})
    if (catalogue.has(option) && !catalogue.has(home))
      problems.add(catalogue.place(option),
                   "`" + std::string(option) + "` is for a `" + home + "`");
}

/// Its kinds are those that the program knows; only their schedules are configured.
void check_catalogue(const Settings& source, CatalogueFormat format, const std::string& name,
                     Problems& problems) {
  check_catalogue_home(*source.record(option_of(format)), name, problems);
  const std::vector<BackupKind> known = catalogue_kinds(format);
  std::string names;
  for (const BackupKind& kind : known) names += (names.empty() ? "" : ", ") + kind.name;
  for (const Settings& kind : source.records("kinds")) {
    if (std::none_of(known.begin(), known.end(),
                     [&](const BackupKind& one) { return one.name == kind.name(); }))
      problems.add(kind.place(), name + " has no kind \"" + kind.name() + "\"",
                   "its kinds are " + names);
    for (const char* option : {"values", "pattern", "satisfied_by"})
      if (kind.has(option))
        problems.add(kind.place(option), "the kinds of " + name + " need no `" + option + "`");
  }
  for (const char* option : {"every", "at", "grace"})
    if (source.has(option))
      problems.add(source.place(option),
                   name + " has kinds: each of them has a schedule of its own",
                   "kinds = { full = { every = \"7d\" }, incr = { every = \"24h\" } }");
}

void check_kinds(const Settings& source, bool table, const std::string& name, Problems& problems) {
  if (table && source.records("kinds").empty())
    problems.add(source.place(), name + " declares no kinds",
                 "say which texts of the kind column mean what:"
                 " kinds = { auto = { values = [\"Auto\"], every = \"24h\" } }");
  const char* const schedule[] = {"every", "at", "grace"};
  const auto* given = std::find_if(std::begin(schedule), std::end(schedule),
                                   [&](const char* option) { return source.has(option); });
  if (!source.records("kinds").empty() && given != std::end(schedule))
    problems.add(source.place(*given), name + " has kinds: each of them has a schedule of its own",
                 "move `every`, `at` and `grace` into the kinds");
  for (const Settings& kind : source.records("kinds"))
    if (!kind.has(table ? "values" : "pattern"))
      problems.add(kind.place(),
                   "kind \"" + kind.name() + "\" needs `" + (table ? "values" : "pattern") + "`");
  check_satisfied_by(source, problems);
}

void check_source(const Settings& source, Problems& problems) {
  const std::string name = "backup source \"" + source.text("name") + "\"";
  const auto homes = std::count_if(std::begin(kHomes), std::end(kHomes),
                                   [&](std::string_view home) { return source.has(home); });
  if (homes != 1)
    problems.add(source.place(),
                 name + " needs one of `table`, `directory`, `pgbackrest` and `barman`");
  check_schedules(source, problems);
  check_stuck(source, problems);
  const bool table = source.record("table") != nullptr;
  if (const auto format = catalogue_format(source))
    check_catalogue(source, *format, name, problems);
  else
    check_kinds(source, table, name, problems);
  if (!source.has("directory"))
    for (const char* option : {"usable", "database", "room_min", "wal_archive"})
      if (source.has(option))
        problems.add(source.place(option), name + " is no directory: `" + option + "` is for those",
                     "that something is on record proves no copy");
  for (const char* option : {"location", "copy_of", "locations_min"})
    if (table && source.has(option))
      problems.add(source.place(option), name + " is a table: `" + option + "` is not for those",
                   "that something is on record proves no copy");
  const Settings* history = source.record("table");
  if (history != nullptr && history->has("status") && history->texts("success").empty())
    problems.add(history->place("status"), name + " has a status column and no `success`",
                 "list the texts that mean success: success = [\"success\"]");
}

/// The program's own kinds, with the schedules that are configured.
std::vector<BackupKind> scheduled_kinds(const Settings& settings, CatalogueFormat format) {
  std::vector<BackupKind> kinds = catalogue_kinds(format);
  for (BackupKind& kind : kinds)
    for (const Settings& record : settings.records("kinds"))
      if (record.name() == kind.name) {
        const BackupKind configured = kind_of(record, settings);
        kind.schedule = configured.schedule;
        kind.stuck_after = configured.stuck_after;
      }
  return kinds;
}

BackupCatalogue catalogue_from(const Settings& settings, CatalogueFormat format) {
  const bool pgbackrest = format == CatalogueFormat::pgbackrest;
  const Settings& record = *settings.record(option_of(format));
  return {format,
          record.text_or_empty("file"),
          record.text_or_empty(pgbackrest ? "stanza" : "server"),
          record.maybe_duration("max_age").value_or(Seconds(2 * 3600)),
          settings.text("zone"),
          record.texts("command"),
          record.maybe_duration("timeout").value_or(Seconds(15)),
          record.maybe_duration("refresh").value_or(Seconds(300))};
}

}  // namespace

BackupSource backup_source_from(const Settings& settings) {
  BackupSource source;
  source.name = settings.text("name");
  source.retention = settings.maybe_duration("retention");
  source.size_ratio_min = settings.maybe_number("size_ratio_min");
  source.continuous = settings.flag("continuous");
  source.room_min = settings.maybe_number("room_min");
  source.location = settings.has("location") ? settings.text("location") : source.name;
  source.copy_of = settings.text_or_empty("copy_of");
  source.locations_min = settings.maybe_number("locations_min");
  if (const auto format = catalogue_format(settings)) {
    source.catalogue = catalogue_from(settings, *format);
    source.kinds = scheduled_kinds(settings, *format);
    return source;
  }
  for (const Settings& kind : settings.records("kinds"))
    source.kinds.push_back(kind_of(kind, settings));
  if (const Settings* table = settings.record("table")) {
    source.table = HistoryTable{{table->text("schema"), table->text("table")},
                                table->text("time"),
                                table->text("kind"),
                                table->text_or_empty("status"),
                                table->texts("success"),
                                table->texts("failed"),
                                table->texts("running"),
                                settings.texts("ignore"),
                                table->text_or_empty("zone"),
                                table->text_or_empty("finished")};
  } else {
    const int usable = static_cast<int>(settings.maybe_number("usable").value_or(kPlausible));
    source.directory = ArchiveDirectory{settings.text("directory"),
                                        settings.number("min_size"),
                                        settings.duration("settle"),
                                        settings.text("zone"),
                                        usable,
                                        settings.text_or_empty("database"),
                                        settings.text_or_empty("wal_archive")};
    if (source.kinds.empty())
      source.kinds.push_back(kind_from(settings, "dump", settings.text("zone")));
  }
  return source;
}

std::vector<BackupSource> backup_sources_from(const Settings& settings) {
  std::vector<BackupSource> sources;
  for (const Settings& record : settings.records("backups")) {
    sources.push_back(backup_source_from(record));
    const bool proofs = settings.record("drills") != nullptr;
    if (auto& directory = sources.back().directory; directory && proofs && !record.has("usable"))
      directory->usable = kContents;
  }
  return sources;
}

void check_backup_sources(const Settings& settings, Problems& problems) {
  for (const Settings& source : settings.records("backups")) check_source(source, problems);
}

}  // namespace pg_integrity
