// Counts the missed runs of a schedule. Pure functions; safe on any thread.
#pragma once

#include <optional>

#include "collectors/base/instant.h"
#include "collectors/options/backup_schedule.h"
#include "collectors/ports/clock.h"

namespace pg_integrity {

/// The number of runs that were due since the newest success and whose grace is over. A success
/// counts for the anchor before it. Clocks differ, so it also counts for an anchor that follows
/// within a minute.
/// @param schedule must be promised.
/// @param since_success the time since the newest success.
/// @throws SourceError{config} if the clock does not know the zone.
double missed_runs(const BackupSchedule& schedule, Seconds since_success, const Clock& clock);

/// When the next backup should begin. With `every`, it is due that long after the newest success,
/// and so lies in the past while it is late. With anchors, it is the next of them. nullopt if
/// there was no success that `every` could count from.
/// @param schedule must be promised.
/// @throws SourceError{config} if the clock does not know the zone.
std::optional<UnixTime> next_run(const BackupSchedule& schedule,
                                 const std::optional<UnixTime>& newest, const Clock& clock);

}  // namespace pg_integrity
