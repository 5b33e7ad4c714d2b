// What is said of a source's backups, once they were read.
#pragma once

#include "collectors/base/batch.h"
#include "collectors/collector.h"
#include "collectors/options/backups.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/files.h"
#include "collectors/recovery/backup_history.h"

namespace pg_integrity {

/// One kind of its backups: its age, missed runs, size and proof.
/// @param proofs_recorded somewhere it is written down what proofs have found.
void report_kind(const Clock& clock, const BackupSource& source, const BackupKind& kind,
                 const KindHistory& history, bool proofs_recorded, Batch& out);

/// How far back its backups reach, if that is promised.
void report_retention(Sources& from, const BackupSource& source, const BackupHistory& history,
                      Batch& out);

/// Whether there is room for the next one, if that is asked for.
void report_room(Files& files, const BackupSource& source, const BackupHistory& history,
                 Batch& out);

}  // namespace pg_integrity
