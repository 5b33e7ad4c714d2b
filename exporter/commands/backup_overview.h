// What `pg_integrity_exporter backups` shows, as data, and its two forms. Values and pure
// functions; safe on any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/options/backups.h"
#include "collectors/ports/clock.h"
#include "collectors/recovery/backup_list.h"
#include "exporter/config/options.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/evidence/verdict.h"
#include "exporter/report/report.h"

namespace pg_integrity {

/// The verdict of the objects that are about one thing, and the sentences that it rests on.
struct OverviewVerdict {
  State state = State::observed;
  std::optional<Reason> reason{};       ///< of unproven
  std::vector<std::string> findings{};  ///< what is wrong, or why it is unproven
};

/// The newest proof of a kind: a reading to the end, or a drill.
struct OverviewProof {
  OverviewVerdict verdict{};
  std::optional<UnixTime> checked_at;
  std::vector<std::string> lines;  ///< "a.dump was read to its end 3d ago: every checksum is right"
};

struct OverviewKind {
  std::string name;
  OverviewVerdict verdict;  ///< of age, schedule, size and damage
  std::string schedule;     ///< empty: none is promised
  std::optional<UnixTime> next_run;
  std::optional<double> missed_runs;
  std::optional<UnixTime> newest;  ///< of those that count, also of another kind that does for it
  std::optional<ProofLevel> level;
  std::optional<double> size;
  std::map<std::string, double> by_status;  ///< their number
  OverviewProof proof;
  OverviewProof drill;
  std::vector<ListedBackup> backups;  ///< one by one, the newest first; of a table or bucket none
};

struct OverviewSource {
  std::string name;
  std::string where;        ///< "directory /var/backups/shop"
  std::string trouble;      ///< why it was not read just now; empty if it was
  OverviewVerdict verdict;  ///< of what is about the source as a whole
  std::vector<OverviewKind> kinds;
};

struct OverviewServer {
  std::string name;
  OverviewVerdict answer;  ///< could we get it back?
  OverviewVerdict recovery_point_verdict;
  std::optional<Seconds> recovery_point_age;
  std::optional<Seconds> recovery_point_objective;
  std::vector<std::string> recovery_point_lines;
  std::vector<OverviewSource> sources;
};

struct BackupOverview {
  UnixTime made_at = 0;
  std::string exporter;
  State overall = State::unproven;  ///< violated, unproven or proven
  std::vector<OverviewServer> servers;
};

/// What was read of a source just now.
struct ReadSource {
  BackupList list;
  std::string trouble;
};

/// By server and source.
using ReadSources = std::map<std::pair<std::string, std::string>, ReadSource>;

/// @param snapshot evidence of the collectors of backups.
/// @param report of the same snapshot.
BackupOverview make_backup_overview(const std::vector<ServerOptions>& servers,
                                    const Snapshot& snapshot, const Report& report,
                                    ReadSources read, const Clock& clock);

std::string backups_as_text(const BackupOverview& overview);
std::string backups_as_json(const BackupOverview& overview);

/// "read to its end", "restored and compared".
std::string_view words_for(ProofLevel level);

}  // namespace pg_integrity
