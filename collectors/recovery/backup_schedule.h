// How many runs of a schedule were missed. Pure functions.
#pragma once

#include "collectors/base/instant.h"
#include "collectors/options/backup_schedule.h"
#include "collectors/ports/clock.h"

namespace pg_integrity {

/// Runs that were due since a success so long ago, the grace of which is over. A success is one of
/// the anchor that it follows, or precedes by less than a minute: clocks differ.
/// @param schedule that is promised.
/// @throws SourceError{config} if the clock does not know the zone.
double missed_runs(const BackupSchedule& schedule, Seconds since_success, const Clock& clock);

}  // namespace pg_integrity
