#include "collectors/backup_config.h"

#include <algorithm>

namespace pg_integrity {

namespace {

BackupKind kind_from(const Settings& settings, const std::string& name) {
  BackupKind kind{name,
                  settings.texts("values"),
                  settings.text_or_empty("pattern"),
                  settings.maybe_duration("every"),
                  {},
                  settings.texts("satisfied_by")};
  if (kind.every) kind.grace = settings.maybe_duration("grace").value_or(*kind.every / 4);
  return kind;
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

/// Its kinds are those that the program knows; only their schedules are configured.
void check_catalogue(const Settings& source, CatalogueFormat format, const std::string& name,
                     Problems& problems) {
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
  for (const char* option : {"every", "grace"})
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
  if (!source.records("kinds").empty() && (source.has("every") || source.has("grace")))
    problems.add(source.place(source.has("every") ? "every" : "grace"),
                 name + " has kinds: each of them has a schedule of its own",
                 "move `every` and `grace` into the kinds");
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
  const bool table = source.record("table") != nullptr;
  if (const auto format = catalogue_format(source))
    check_catalogue(source, *format, name, problems);
  else
    check_kinds(source, table, name, problems);
  if (!source.has("directory"))
    for (const char* option : {"usable", "database", "wal_archive"})
      if (source.has(option))
        problems.add(source.place(option), name + " is no directory: `" + option + "` is for those",
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
        const BackupKind configured = kind_from(record, kind.name);
        kind.every = configured.every;
        kind.grace = configured.grace;
      }
  return kinds;
}

BackupCatalogue catalogue_from(const Settings& settings, CatalogueFormat format) {
  const bool pgbackrest = format == CatalogueFormat::pgbackrest;
  const Settings& record = *settings.record(pgbackrest ? "pgbackrest" : "barman");
  return {format, record.text("file"), record.text_or_empty(pgbackrest ? "stanza" : "server"),
          record.duration("max_age"), settings.text("zone")};
}

}  // namespace

BackupSource backup_source_from(const Settings& settings) {
  BackupSource source;
  source.name = settings.text("name");
  source.retention = settings.maybe_duration("retention");
  source.size_ratio_min = settings.maybe_number("size_ratio_min");
  source.continuous = settings.flag("continuous");
  if (const auto format = catalogue_format(settings)) {
    source.catalogue = catalogue_from(settings, *format);
    source.kinds = scheduled_kinds(settings, *format);
    return source;
  }
  for (const Settings& kind : settings.records("kinds"))
    source.kinds.push_back(kind_from(kind, kind.name()));
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
    if (source.kinds.empty()) source.kinds.push_back(kind_from(settings, "dump"));
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
