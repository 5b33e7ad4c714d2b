#include "collectors/recovery/backup_report.h"

#include <algorithm>
#include <optional>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/units.h"
#include "collectors/options/backups.h"
#include "collectors/options/proof_level.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/files.h"
#include "collectors/recovery/backup_history.h"
#include "collectors/recovery/backup_metrics.h"
#include "collectors/recovery/backup_schedule.h"

namespace pg_integrity {

using backup_metrics::kAge;
using backup_metrics::kBackups;
using backup_metrics::kInfo;
using backup_metrics::kLastSuccess;
using backup_metrics::kLogMissing;
using backup_metrics::kMaxAge;
using backup_metrics::kMissedRuns;
using backup_metrics::kOldest;
using backup_metrics::kProofFailed;
using backup_metrics::kProofLevel;
using backup_metrics::kProvenAge;
using backup_metrics::kRetention;
using backup_metrics::kRoomRatio;
using backup_metrics::kSize;
using backup_metrics::kSizeRatio;

namespace {

/// The newest entry that may be meant as a backup and is none, or none that counts.
std::string what_does_not_count(const KindHistory& history) {
  const auto& rejected = history.newest_rejected;
  return rejected ? "; the newest file there is " + rejected->name + ": " + rejected->why : "";
}

std::string unread_words(double unread) {
  return std::to_string(static_cast<long>(unread)) + " objects are listed and not examined yet";
}

double unread_of(const BackupHistory& history) {
  double unread = 0;
  for (const auto& [name, kind] : history.kinds) unread += kind.unread;
  return unread;
}

/// Reports why the newest backup is not known. An entry that cannot be read does not count, but it
/// may be newer than the newest backup that does.
void report_unknown_newest(const BackupSource& source, const BackupKind& kind,
                           const KindHistory& history, Batch& out) {
  const auto& hidden = history.newest_unreadable;
  if (hidden && (!history.newest || hidden->changed > history.newest->time))
    out.unproven(kLastSuccess, hidden->reason, "the newest may be unreadable: " + hidden->what,
                 source.name, kind.name);
  else if (!history.newest && history.newest_waiting)
    out.unproven(kLastSuccess, Reason::pending,
                 "the newest backup has reached proof level " +
                     std::to_string(number_of(history.newest_waiting->level)) + " of " +
                     std::to_string(number_of(source.usable())),
                 source.name, kind.name);
  else if (!history.newest)
    out.unproven(kLastSuccess, Reason::missing,
                 source.holds_archives() ? "no finished backup that is recognised as one is there" +
                                               what_does_not_count(history)
                                         : "no successful backup of this kind is on record",
                 source.name, kind.name);
}

}  // namespace

void report_kind(const Clock& clock, const BackupSource& source, const BackupKind& kind,
                 const KindHistory& history, bool proofs_recorded, Batch& out) {
  for (std::size_t i = 0; i < kBackupStatusNames.size(); ++i)
    out.set(kBackups, history.runs[i], source.name, kind.name, std::string(kBackupStatusNames[i]));
  if (const double stuck = history.runs[static_cast<std::size_t>(BackupStatus::stuck)]; stuck > 0)
    out.evidence(kLastSuccess,
                 std::to_string(static_cast<long>(stuck)) + " said to be running for longer than " +
                     format_duration(kind.stuck_after),
                 source.name, kind.name);
  if (history.unread > 0)
    out.evidence(kLastSuccess, unread_words(history.unread), source.name, kind.name);
  if (history.from_the_future > 0)
    out.unproven(kLastSuccess, Reason::clock,
                 "backups on record that lie in the future. HINT: check the clocks and `zone`",
                 source.name, kind.name);
  if (kind.schedule.promised()) report_unknown_newest(source, kind, history, out);
  if (source.holds_archives() && (proofs_recorded || history.disproved > 0))
    out.set(kProofFailed, history.disproved, source.name, kind.name);
  if (history.base_backups > 0) out.set(kLogMissing, history.without_log, source.name, kind.name);
  if (history.proven_age) out.set_age(kProvenAge, *history.proven_age, source.name, kind.name);
  const auto& rejected = history.newest_rejected;
  const bool told = kind.schedule.promised() && !history.newest;
  if (rejected && !told && (!history.newest || rejected->changed > history.newest->time))
    out.evidence(kLastSuccess, "does not count: " + rejected->name + ": " + rejected->why,
                 source.name, kind.name);
  if (!history.newest) return;
  const NewestBackup& newest = *history.newest;
  out.set(kLastSuccess, newest.time, source.name, kind.name);
  out.set_age(kAge, newest.age, source.name, kind.name);
  out.set(kProofLevel, number_of(newest.level), source.name, kind.name);
  if (const auto ratio = history.size_ratio()) out.set(kSizeRatio, *ratio, source.name, kind.name);
  if (newest.size) out.set(kSize, *newest.size, source.name, kind.name);
  out.set(kInfo, 1, source.name, kind.name, newest.time_source);
  if (!kind.schedule.promised()) return;
  const Seconds since = history.finished_age.value_or(newest.age);
  out.set(kMissedRuns, missed_runs(kind.schedule, since, clock), source.name, kind.name);
}

void report_repositories(const Clock& clock, const BackupSource& source,
                         const BackupHistory& history, Batch& out) {
  for (const auto& [name, repository] : history.repositories) {
    if (repository.trouble)
      out.unproven(kLastSuccess, repository.trouble->reason(), repository.trouble->what(),
                   source.name, name);
    for (const BackupKind& kind : source.kinds) {
      if (repository.trouble || !kind.schedule.promised()) continue;
      BackupKind here = kind;
      here.name += " in " + name;
      out.set(kMaxAge, kind.schedule.max_age().count(), source.name, here.name);
      report_kind(clock, source, here, repository.kinds.at(kind.name), false, out);
    }
  }
}

Seconds required_reach(const BackupSource& source) {
  std::optional<Seconds> run;
  for (const BackupKind& kind : source.kinds)
    if (kind.schedule.promised() && (!run || kind.schedule.max_age() < *run))
      run = kind.schedule.max_age();
  constexpr Seconds kDay{24.0 * 3600};
  const Seconds retention = *source.retention;
  return std::max(Seconds(0), retention - run.value_or(std::min(kDay, retention / 2)));
}

/// A history that is shorter than the objective is unproven while it grows. If its oldest copy goes
/// before its time, the objective is missed until the history is long enough again, and the value
/// grows with it. A row that is
/// still in a table does not prove that its copy still exists.
void report_retention(Sources& from, const BackupSource& source, const BackupHistory& history,
                      Batch& out) {
  std::optional<Seconds> oldest;
  for (const auto& [name, kind] : history.kinds)
    if (kind.oldest_age && (!oldest || *kind.oldest_age > *oldest)) oldest = kind.oldest_age;
  if (!oldest && unread_of(history) > 0) {
    out.unproven(kRetention, Reason::pending, unread_words(unread_of(history)), source.name);
    return;
  }
  if (!oldest) {
    out.unproven(kRetention, Reason::missing, "no successful backup is on record", source.name);
    return;
  }
  constexpr double kTolerance = 60;  // seconds that two readings of the same copy may differ by
  const UnixTime began = from.clock().unix_now() - oldest->count();
  const auto before = from.previous(kOldest, std::array<std::string, 1>{source.name});
  out.set(kOldest, began, source.name);
  const Seconds reach = required_reach(source);
  const bool met = *oldest >= reach;
  if (const double unread = unread_of(history); !met && unread > 0) {
    out.unproven(kRetention, Reason::pending, unread_words(unread), source.name);
    return;
  }
  const auto missed = from.previous(kRetention, std::array<std::string, 1>{source.name});
  if (met || (before && began > before->value + kTolerance) ||
      (missed && missed->value < reach.count()))
    out.set(kRetention, oldest->count(), source.name);
  else
    out.unproven(
        kRetention, Reason::pending,
        "the copies reach back " + format_duration(*oldest) + " of " + format_duration(reach),
        source.name);
  if (met && !source.holds_archives())
    out.unproven(kRetention, Reason::not_configured,
                 "what is on record does not prove that the copies exist. HINT: give their "
                 "`directory` a source"
                 " of its own",
                 source.name);
}

void report_room(Files& files, const BackupSource& source, const BackupHistory& history,
                 Batch& out) {
  if (!source.room_min) return;
  double room = 0;
  try {
    room = files.room(source.directory->path);
  } catch (const SourceError& error) {
    for (const BackupKind& kind : source.kinds)
      out.unproven(kRoomRatio, error.reason(), error.what(), source.name, kind.name);
    return;
  }
  for (const BackupKind& kind : source.kinds) {
    const auto size = history.kinds.at(kind.name).largest_size();
    if (size && *size > 0)
      out.set(kRoomRatio, room / *size, source.name, kind.name);
    else
      out.unproven(kRoomRatio, Reason::missing,
                   "no backup that counts tells how much room the next one will need", source.name,
                   kind.name);
  }
}

}  // namespace pg_integrity
