#include "collectors/backup_config.h"

namespace pg_integrity {

namespace {

BackupKind kind_from(const Settings& settings, const std::string& name) {
  BackupKind kind{name,
                  settings.texts("values"),
                  settings.text_or_empty("pattern"),
                  settings.maybe_duration("every"),
                  {}};
  if (kind.every) kind.grace = settings.maybe_duration("grace").value_or(*kind.every / 4);
  return kind;
}

void check_source(const Settings& source, Problems& problems) {
  const std::string name = "backup source \"" + source.text("name") + "\"";
  const bool table = source.record("table") != nullptr;
  if (table == source.has("directory"))
    problems.add(source.place(), name + " needs one of `table` and `directory`");
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
  const Settings* history = source.record("table");
  if (history != nullptr && history->has("status") && history->texts("success").empty())
    problems.add(history->place("status"), name + " has a status column and no `success`",
                 "list the texts that mean success: success = [\"success\"]");
}

}  // namespace

BackupSource backup_source_from(const Settings& settings) {
  BackupSource source;
  source.name = settings.text("name");
  source.retention = settings.maybe_duration("retention");
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
                                table->text_or_empty("zone")};
  } else {
    source.directory = ArchiveDirectory{settings.text("directory"), settings.number("min_size"),
                                        settings.duration("settle"), settings.text("zone")};
    if (source.kinds.empty()) source.kinds.push_back(kind_from(settings, "dump"));
  }
  return source;
}

void check_backup_sources(const Settings& settings, Problems& problems) {
  for (const Settings& source : settings.records("backups")) check_source(source, problems);
}

}  // namespace pg_integrity
