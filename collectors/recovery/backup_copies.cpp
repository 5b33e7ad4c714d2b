#include "collectors/recovery/backup_copies.h"

#include <algorithm>
#include <set>

#include "collectors/base/errors.h"
#include "collectors/base/settings.h"
#include "collectors/recovery/backup_history.h"
#include "collectors/recovery/backup_metrics.h"

namespace pg_integrity {

using backup_metrics::kLocations;

namespace {

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

}  // namespace

BackupCopies::Held& BackupCopies::held(const BackupSource& source, const std::string& kind) {
  const std::string& original = source.copy_of.empty() ? source.name : source.copy_of;
  return found_[original][source.location][kind];
}

void BackupCopies::add(const BackupSource& source, const BackupHistory& history) {
  for (const auto& [name, kind] : history.kinds) {
    Held& here = held(source, name);
    if (kind.newest && (!here.youngest || kind.newest->age < *here.youngest))
      here.youngest = kind.newest->age;
    if (kind.newest_unreadable)
      here.unknown = SourceError(kind.newest_unreadable->reason, kind.newest_unreadable->what);
    else if (kind.newest_waiting)
      here.unknown = SourceError(Reason::pending, "it is not proved far enough");
  }
}

void BackupCopies::add(const BackupSource& source, const SourceError& error) {
  for (const BackupKind& kind : source.kinds) held(source, kind.name).unknown = error;
}

void BackupCopies::report(const BackupSource& source, Batch& out) const {
  if (!source.locations_min) return;
  const Places& places = found_.at(source.name);
  for (const BackupKind& kind : source.kinds) {
    if (!kind.schedule.promised()) continue;
    double holding = 0;
    double unknown = 0;
    std::optional<SourceError> why;
    for (const auto& [location, kinds] : places) {
      const auto found = kinds.find(kind.name);
      if (found == kinds.end()) continue;
      const Held& held = found->second;
      if (held.youngest && *held.youngest <= kind.schedule.max_age()) {
        ++holding;
      } else if (held.unknown) {
        ++unknown;
        why = SourceError(held.unknown->reason(), "whether a copy is in " + location +
                                                      " is not known: " + held.unknown->what());
      } else {
        out.evidence(kLocations, "no copy that is recent enough is in " + location, source.name,
                     kind.name);
      }
    }
    const bool open = holding < *source.locations_min && holding + unknown >= *source.locations_min;
    if (open)
      out.unproven(kLocations, why->reason(), why->what(), source.name, kind.name);
    else
      out.set(kLocations, holding, source.name, kind.name);
  }
}

void check_backup_copies(const std::vector<BackupSource>& sources, const Settings& settings,
                         Problems& problems) {
  const auto& records = settings.records("backups");
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (!sources[i].copy_of.empty()) check_copy(sources, sources[i], records[i], problems);
    if (sources[i].locations_min) check_minimum(sources, sources[i], records[i], problems);
  }
}

}  // namespace pg_integrity
