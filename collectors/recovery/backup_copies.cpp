#include "collectors/recovery/backup_copies.h"

#include <algorithm>
#include <set>

#include "collectors/base/errors.h"
#include "collectors/base/settings.h"
#include "collectors/options/backups.h"
#include "collectors/recovery/backup_history.h"
#include "collectors/recovery/backup_metrics.h"

namespace pg_integrity {

using backup_metrics::kLocations;

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

}  // namespace pg_integrity
