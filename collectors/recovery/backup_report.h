// Reports the backups of a source after they were read. No state; safe on any thread.
#pragma once

#include "collectors/base/batch.h"
#include "collectors/collector.h"
#include "collectors/options/backups.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/files.h"
#include "collectors/recovery/backup_history.h"

namespace pg_integrity {

/// Reports one kind of the backups: age, missed runs, size and proof.
/// @param proofs_recorded whether the server has a directory for proof records.
void report_kind(const Clock& clock, const BackupSource& source, const BackupKind& kind,
                 const KindHistory& history, bool proofs_recorded, Batch& out);

/// Reports the kinds in each of several repositories, as "full in repository 2". A repository that
/// could not be read is unproven by itself. Does nothing if there is one alone.
void report_repositories(const Clock& clock, const BackupSource& source,
                         const BackupHistory& history, Batch& out);

/// How old the oldest backup must be at any time. A rotation that keeps backups for `retention` has
/// just removed one, so this is the retention less one run with its grace. Without a schedule a run
/// is a day, or half the retention if that is shorter.
/// @param source has a `retention`.
Seconds required_reach(const BackupSource& source);

/// Reports how far back the backups reach. Call it only if the source has a `retention`.
void report_retention(Sources& from, const BackupSource& source, const BackupHistory& history,
                      Batch& out);

/// Reports whether there is room for the next backup. Does nothing without `room_min`.
void report_room(Files& files, const BackupSource& source, const BackupHistory& history,
                 Batch& out);

}  // namespace pg_integrity
