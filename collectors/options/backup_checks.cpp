// Faults of `backups` that single options cannot show.
#include <algorithm>
#include <set>

#include "collectors/base/bucket.h"
#include "collectors/base/json_pointer.h"
#include "collectors/base/settings.h"
#include "collectors/base/url.h"
#include "collectors/options/backup_schedule.h"
#include "collectors/options/backup_sources.h"
#include "collectors/options/backups.h"

namespace pg_integrity {

namespace {

/// Checks the schedule of a kind, or of a directory that has only one kind.
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

/// Only tables, Barman and other catalogues show that a backup is running, and since when.
void check_stuck(const Settings& source, Problems& problems) {
  if (source.has("table") || source.has("barman") || source.has("catalogue")) return;
  for (const Settings& kind : source.records("kinds"))
    if (kind.has("stuck_after"))
      problems.add(kind.place("stuck_after"),
                   "`stuck_after` is for history tables, barman and `catalogue`: nothing else says"
                   " since when a backup runs");
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

constexpr std::string_view kHomes[] = {"table",      "directory", "bucket",
                                       "pgbackrest", "barman",    "catalogue"};

/// A catalogue has either a program to run or a file to read.
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

/// The program defines the kinds of a catalogue. The user configures only their schedules.
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

/// A catalogue of a program that we do not know: its pointers, statuses and kinds.
void check_pointers(const Settings& source, const std::string& name, Problems& problems) {
  const Settings& record = *source.record("catalogue");
  check_catalogue_home(record, name, problems);
  for (const char* option : {"list", "time", "finished", "kind", "status", "label", "size"})
    if (record.has(option) && !parse_json_pointer(record.text(option)))
      problems.add(record.place(option),
                   "\"" + record.text(option) + "\" is no JSON pointer (RFC 6901)",
                   "\"/status/startedAt\" is startedAt in status; ~1 is a slash in a name");
  if (record.has("status") && record.texts("success").empty())
    problems.add(record.place("status"), name + " has a `status` and no `success`",
                 "list the texts that mean success: success = [\"completed\"]");
  for (const char* option : {"success", "failed", "running"})
    if (record.has(option) && !record.has("status"))
      problems.add(record.place(option),
                   "`" + std::string(option) + "` has texts of `status`, which is not given");
  if (record.has("size_unit") && !record.has("size"))
    problems.add(record.place("size_unit"), "`size_unit` is that of `size`");
  const bool kinds = !source.records("kinds").empty();
  if (kinds != record.has("kind"))
    problems.add(
        kinds ? record.place() : record.place("kind"),
        name + (kinds ? " has `kinds` and no pointer `kind`" : " declares no kinds"),
        "kind = \"/…\" leads to a text, and kinds = { full = { values = [\"full\"] } } says"
        " what it means");
  if (kinds)
    for (const char* option : {"every", "at", "grace"})
      if (source.has(option))
        problems.add(source.place(option),
                     name + " has kinds: each of them has a schedule of its own",
                     "move `every`, `at` and `grace` into the kinds");
  for (const Settings& kind : source.records("kinds"))
    if (!kind.has("values") && !kind.has("pattern"))
      problems.add(kind.place(), "kind \"" + kind.name() + "\" needs `values` or `pattern`");
  check_satisfied_by(source, problems);
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

void check_bucket(const Settings& source, const std::string& name, Problems& problems) {
  const Settings* given = source.record("s3");
  if (given != nullptr && !source.has("bucket"))
    problems.add(source.place("s3"), name + " is no bucket: `s3` is for those");
  if (source.has("bucket") && !parse_bucket(source.text("bucket")))
    problems.add(source.place("bucket"), "\"" + source.text("bucket") + "\" is no bucket",
                 "write it as \"s3://NAME/prefix\"");
  if (given == nullptr || !given->has("endpoint")) return;
  const auto endpoint = parse_url(given->text("endpoint"));
  if (!endpoint || endpoint->target.find('?') != std::string::npos)
    problems.add(given->place("endpoint"),
                 "\"" + given->text("endpoint") + "\" is no URL of an object storage",
                 "it begins with https:// or http:// and has no \"?\"");
}

/// Options of directories. Two of them are for buckets, too.
void check_archive_options(const Settings& source, const std::string& name, Problems& problems) {
  if (source.has("directory")) return;
  for (const char* option : {"usable", "database", "room_min", "wal_archive", "encrypted",
                             "leaves_out", "proof", "proof_max_age"}) {
    const std::string_view text = option;
    const bool also = source.has("bucket") && (text == "database" || text == "encrypted");
    if (source.has(option) && !also)
      problems.add(source.place(option), name + " is no directory: `" + option + "` is for those",
                   source.has("bucket") ? "" : "that something is on record proves no copy");
  }
}

void check_source(const Settings& source, Problems& problems) {
  const std::string name = "backup source \"" + source.text("name") + "\"";
  const auto homes = std::count_if(std::begin(kHomes), std::end(kHomes),
                                   [&](std::string_view home) { return source.has(home); });
  if (homes != 1)
    problems.add(source.place(),
                 name +
                     " needs one of `table`, `directory`, `bucket`, `pgbackrest`, `barman` and"
                     " `catalogue`");
  check_schedules(source, problems);
  check_stuck(source, problems);
  const bool table = source.record("table") != nullptr;
  if (const auto format = catalogue_format(source); format == CatalogueFormat::pointers)
    check_pointers(source, name, problems);
  else if (format)
    check_catalogue(source, *format, name, problems);
  else
    check_kinds(source, table, name, problems);
  check_bucket(source, name, problems);
  check_archive_options(source, name, problems);
  for (const char* option : {"location", "copy_of", "locations_min"})
    if (table && source.has(option))
      problems.add(source.place(option), name + " is a table: `" + option + "` is not for those",
                   "that something is on record proves no copy");
  const Settings* history = source.record("table");
  if (history != nullptr && history->has("status") && history->texts("success").empty())
    problems.add(history->place("status"), name + " has a status column and no `success`",
                 "list the texts that mean success: success = [\"success\"]");
}

bool has_kind(const BackupSource& source, const std::string& name) {
  return std::any_of(source.kinds.begin(), source.kinds.end(),
                     [&](const BackupKind& kind) { return kind.name == name; });
}

void check_copy(const std::vector<BackupSource>& sources, const BackupSource& copy,
                const Settings& record, Problems& problems) {
  const auto original =
      std::find_if(sources.begin(), sources.end(),
                   [&](const BackupSource& source) { return source.name == copy.copy_of; });
  if (original == sources.end() || original->table || !original->copy_of.empty()) {
    problems.add(record.place("copy_of"),
                 "backup source \"" + copy.name + "\" is a copy of \"" + copy.copy_of +
                     "\", which is no source of files or of a catalogue",
                 "name the first of them, which is no copy itself");
    return;
  }
  for (const BackupKind& kind : original->kinds)
    if (kind.schedule.promised() && !has_kind(copy, kind.name))
      problems.add(record.place("copy_of"), "backup source \"" + copy.name + "\" has no kind \"" +
                                                kind.name + "\", as \"" + copy.copy_of + "\" has");
}

void check_minimum(const std::vector<BackupSource>& sources, const BackupSource& source,
                   const Settings& record, Problems& problems) {
  std::set<std::string> locations{source.location};
  for (const BackupSource& other : sources)
    if (other.copy_of == source.name) locations.insert(other.location);
  const std::string name = "backup source \"" + source.name + "\"";
  if (!source.copy_of.empty())
    problems.add(record.place("locations_min"), name +
                                                    " is a copy: `locations_min` is for what it"
                                                    " is a copy of");
  else if (static_cast<double>(locations.size()) < *source.locations_min)
    problems.add(record.place("locations_min"),
                 name + " has " + std::to_string(locations.size()) +
                     " locations, fewer than asked"
                     " for",
                 "other sources are its copies by copy_of = \"" + source.name +
                     "\", each with a"
                     " `location`");
  else if (std::none_of(source.kinds.begin(), source.kinds.end(),
                        [](const BackupKind& kind) { return kind.schedule.promised(); }))
    problems.add(record.place("locations_min"),
                 name + " has no schedule: nothing says how old a backup may be",
                 "add `every` or `at`");
}

void check_backup_copies(const std::vector<BackupSource>& sources, const Settings& settings,
                         Problems& problems) {
  const auto& records = settings.records("backups");
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (!sources[i].copy_of.empty()) check_copy(sources, sources[i], records[i], problems);
    if (sources[i].locations_min) check_minimum(sources, sources[i], records[i], problems);
  }
}

}  // namespace

void check_backups(const Settings& server, Problems& problems) {
  const std::size_t before = problems.size();
  for (const Settings& source : server.records("backups")) check_source(source, problems);
  if (problems.size() == before) check_backup_copies(backup_sources_from(server), server, problems);
}

}  // namespace pg_integrity
