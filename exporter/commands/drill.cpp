#include "exporter/commands/drill.h"
#include "exporter/io/console.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <random>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/settings.h"
#include "collectors/base/units.h"
#include "collectors/options/backups.h"
#include "collectors/options/proof_level.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/files.h"
#include "collectors/recovery/archive_directory.h"
#include "collectors/recovery/backup_history.h"
#include "collectors/recovery/drill_records.h"
#include "collectors/registry.h"
#include "exporter/config/options.h"
#include "exporter/drill/confinement.h"
#include "exporter/drill/proof.h"
#include "exporter/drill/record_files.h"
#include "exporter/drill/recovery.h"
#include "exporter/drill/remembered_inventory.h"
#include "exporter/drill/run.h"
#include "exporter/drill/work_directory.h"
#include "exporter/io/child_process.h"
#include "exporter/io/clock.h"
#include "exporter/io/files.h"
#include "exporter/io/interruption.h"
#include "exporter/io/json_reader.h"
#include "exporter/scheduler/runtime.h"

namespace pg_integrity {

namespace {

namespace fs = std::filesystem;

constexpr Seconds kLook{300};  ///< deadline for reading directories or records
constexpr std::size_t kKeptDrills = 100;

/// The part of a configuration that says what to drill.
struct Plan {
  const ServerOptions* server = nullptr;
  std::string state_dir;  ///< of the running exporter
  std::string directory;  ///< of the records
};

/// A backup to be restored.
struct Chosen {
  std::string source;
  std::string kind;
  std::string path;
  UnixTime time = 0;
  std::string wal_archive;                     ///< of the source; may be empty
  std::string database;                        ///< that it is a backup of
  const BackupCatalogue* catalogue = nullptr;  ///< the repository that holds it, if any
  std::vector<std::string> leaves_out{};       ///< globs over "schema.table" that it need not hold
};

/// @return false after having said what is wrong.
bool make_plan(const Options& options, const DrillCommand& command, Plan& plan) {
  plan.server = server_named(options, command.server);
  if (plan.server == nullptr) return false;
  if (!plan.server->drills) {
    say(fmt::format(
        "server \"{}\" has no place for records. HINT: [server.drills] directory = \"…\"",
        plan.server->name));
    return false;
  }
  plan.directory = plan.server->drills->directory;
  plan.state_dir = options.state_dir;
  if (::access(plan.directory.c_str(), W_OK | X_OK) == 0) return true;
  say(plan.directory + " cannot be written. HINT: create it, or run this as who may write it");
  return false;
}

/// Takes the newest backup of a kind, also one that was rejected or is not judged yet. A drill
/// exists to prove it.
void take_newest(const std::string& directory, const KindHistory& kind, Chosen& chosen) {
  const auto take = [&](const std::string& name, UnixTime time) {
    if (!chosen.path.empty() && time <= chosen.time) return;
    chosen.path = directory + "/" + name;
    chosen.time = time;
  };
  if (kind.newest) take(kind.newest->name, kind.newest->time);
  if (kind.newest_waiting) take(kind.newest_waiting->name, kind.newest_waiting->time);
  if (const auto& rejected = kind.newest_rejected; rejected && rejected->failed)
    take(rejected->name, rejected->changed);
}

bool recovers_to_a_moment(const DrillCommand& command) {
  return command.random_target || !command.target_time.empty();
}

/// A repository may be large, so it is drilled only if the configuration or the command names it.
bool is_to_be_recovered(const BackupSource& source, const DrillCommand& command) {
  const bool named = command.source == source.name;
  return source.catalogue && source.catalogue->format != CatalogueFormat::pointers &&
         !command.proof_only && command.backup.empty() &&
         (named || (command.source.empty() && !source.catalogue->drill_command.empty())) &&
         (command.kind.empty() || command.kind == kRecoveryKind);
}

/// The newest backup of each source and kind that the command selects.
std::vector<Chosen> choose_backups(const Plan& plan, const DrillCommand& command, Files& files,
                                   const Clock& clock) {
  std::vector<Chosen> chosen;
  for (const BackupSource& source : plan.server->backups) {
    if (is_to_be_recovered(source, command)) {
      Chosen one{source.name, kRecoveryKind, {}, 0, {}, plan.server->home_database};
      one.catalogue = &*source.catalogue;
      one.leaves_out = source.leaves_out;
      chosen.push_back(std::move(one));
    }
    if (!source.directory || recovers_to_a_moment(command) ||
        (!command.source.empty() && source.name != command.source))
      continue;
    const BackupHistory history =
        ArchiveReader().read(files, clock, *source.directory, source.kinds);
    for (const auto& [name, kind] : history.kinds) {
      if (!command.kind.empty() && name != command.kind) continue;
      Chosen one{source.name,
                 name,
                 {},
                 0,
                 source.directory->wal_archive,
                 source.directory->database.empty() ? plan.server->home_database
                                                    : source.directory->database,
                 nullptr,
                 source.leaves_out};
      take_newest(source.directory->path, kind, one);
      if (!one.path.empty() || !command.backup.empty())
        chosen.push_back(one);
      else
        say(fmt::format("{}/{}: there is no finished backup", source.name, name));
    }
  }
  return chosen;
}

/// The named backup, as one of the only source and kind that the command selects. Empty if it
/// selects several.
std::vector<Chosen> choose_named(std::vector<Chosen> newest, const DrillCommand& command,
                                 Files& files, const Clock& clock) {
  if (newest.size() != 1) return {};
  Chosen& named = newest.front();
  const fs::path path = fs::absolute(command.backup);
  const ArchiveDirectory directory{path.parent_path().string(), 0,  Seconds(0),       "UTC",
                                   ProofLevel::plausible,       {}, named.wal_archive};
  const BackupHistory history =
      ArchiveReader().read(files, clock, directory, {{"", {}, path.filename().string(), {}, {}}});
  named.path = path.string();
  const auto& found = history.kinds.at("").newest;
  named.time = found ? found->time : 0;
  return newest;
}

ExitCode worse(ExitCode a, ExitCode b) {
  if (a == ExitCode::violated || b == ExitCode::violated) return ExitCode::violated;
  return a == ExitCode::proven ? b : a;
}

/// The outcome, what was measured, and how to repeat it.
std::string outcome_of(const DrillRecord& drill) {
  const auto outcome = kDrillOutcomeNames[static_cast<std::size_t>(drill.outcome)];
  if (drill.recovery_point() == 0)
    return fmt::format("{}; measured recovery time (RTO) {}", outcome,
                       format_duration(drill.duration));
  std::string text = fmt::format(
      "{}; measured recovery time (RTO) {}; recovery point (RPO) {}, {} before the drill", outcome,
      format_duration(drill.duration), format_utc(drill.recovery_point()),
      format_duration(Seconds(drill.started - drill.recovery_point())));
  if (drill.target) text += "; target " + format_moment(*drill.target);
  if (drill.seed) text += fmt::format("; seed {:.0f}", *drill.seed);
  return text;
}

/// @throws SourceError{config} if the command names no moment.
RecoveryTarget recovery_of(const DrillCommand& command) {
  RecoveryTarget recovery;
  if (command.random_target) recovery.seed = command.seed ? *command.seed : std::random_device{}();
  if (command.target_time.empty()) return recovery;
  recovery.time = parse_moment(command.target_time);
  if (!recovery.time)
    throw SourceError(Reason::config, fmt::format("--target-time: \"{}\" is no moment. HINT: "
                                                  "2026-01-31T12:00:00, UTC",
                                                  command.target_time));
  return recovery;
}

ExitCode drill_one(const Plan& plan, const DrillCommand& command, const Chosen& chosen,
                   Interruption& interruption, ProcessResources& resources,
                   const ScratchPlace& place) {
  std::vector<std::string> left_out = plan.server->exclude;
  left_out.insert(left_out.end(), chosen.leaves_out.begin(), chosen.leaves_out.end());
  const Drilled drilled = run_drill(
      {*plan.server, chosen.database, chosen.source, chosen.kind, chosen.path, chosen.time,
       std::move(left_out), chosen.wal_archive, chosen.catalogue, recovery_of(command),
       command.target, command.jobs, place, plan.directory,
       remembered_inventory(plan.state_dir, plan.server->name, chosen.database, resources.clock)},
      interruption, resources);
  const DrillRecord& record = drilled.record;
  if (drilled.proof) save_proof(plan.directory, *drilled.proof);
  save_drill(plan.directory, record);
  WorkerFiles files(resources.workers, resources.clock.now() + kLook);
  const SaxJson json;
  thin_drills(plan.directory, DrillReader().read(files, json, plan.directory).records, record,
              kKeptDrills);
  for (const std::string& reason : record.reasons) say("  " + reason);
  say(fmt::format("{}/{}: {}", chosen.source, chosen.kind, outcome_of(record)));
  switch (record.outcome) {
    case DrillOutcome::success:
      return ExitCode::proven;
    case DrillOutcome::failed:
      return ExitCode::violated;
    default:
      return ExitCode::unproven;
  }
}

ExitCode prove_one(const Plan& plan, const Chosen& chosen, Interruption& interruption,
                   ProcessResources& resources, const ScratchPlace& place) {
  WorkerFiles files(resources.workers, resources.clock.now() + kLook);
  const SaxJson json;
  ProofRecord proof = unproved(files, chosen.path);
  const std::string what = fmt::format("{}/{}: {}", chosen.source, chosen.kind, chosen.path);
  for (const ProofRecord& known : ProofReader().read(files, json, plan.directory).records) {
    const bool same = known.path == proof.path && known.inode == proof.inode &&
                      known.size == proof.size && known.modified == proof.modified;
    if (!same || (known.level < ProofLevel::decoded && !known.disproved())) continue;
    say(known.disproved() ? fmt::format("{}: on record as damaged: {}", what, known.disproof)
                          : what + ": on record");
    return known.disproved() ? ExitCode::violated : ExitCode::proven;
  }
  const WorkDirectory work(place);
  prove(interruption, sandbox_to_read(*plan.server, interruption, place, work), proof,
        chosen.wal_archive);
  proof.checked_at = resources.clock.unix_now();
  save_proof(plan.directory, proof);
  say(proof.disproved() ? fmt::format("{}: damaged: {}", what, proof.disproof)
                        : fmt::format("{}: proof level {}", what, number_of(proof.level)));
  return proof.disproved() ? ExitCode::violated : ExitCode::proven;
}

/// @return false after having said what is wrong.
bool choose_place(const DrillCommand& command, ScratchPlace& place) {
  const char* temporary = std::getenv("TMPDIR");
  place.base = !command.work_dir.empty() ? command.work_dir
               : temporary != nullptr    ? temporary
                                         : "/var/tmp";
  if (::geteuid() != 0) return true;
  place.account = account_named(command.user);
  if (place.account && place.account->uid != 0) return true;
  say(fmt::format("--user: \"{}\" is no unprivileged user of this machine", command.user));
  return false;
}

ExitCode drill_all(const Plan& plan, const DrillCommand& command, Interruption& interruption,
                   ProcessResources& resources, const ScratchPlace& place) {
  WorkerFiles files(resources.workers, resources.clock.now() + kLook);
  std::vector<Chosen> chosen = choose_backups(plan, command, files, resources.clock);
  if (!command.backup.empty()) {
    chosen = choose_named(std::move(chosen), command, files, resources.clock);
    if (chosen.empty()) {
      say("--backup needs the one source and kind that it is of. HINT: --source and --kind");
      return ExitCode::usage;
    }
  }
  ExitCode code = chosen.empty() ? ExitCode::unproven : ExitCode::proven;
  for (const Chosen& one : chosen) {
    try {
      code = worse(code, command.proof_only
                             ? prove_one(plan, one, interruption, resources, place)
                             : drill_one(plan, command, one, interruption, resources, place));
    } catch (const SourceError& error) {
      interruption.check();
      if (error.reason() == Reason::config) throw;
      say(fmt::format("{}/{}: {}", one.source, one.kind, error.what()));
      code = worse(code, ExitCode::unproven);
    }
  }
  return code;
}

}  // namespace

ExitCode drill(const DrillCommand& command) {
  const auto options = options_or_complain(command.config_path);
  Plan plan;
  ScratchPlace place;
  if (!options || !make_plan(*options, command, plan) || !choose_place(command, place))
    return ExitCode::usage;
  Interruption interruption;
  const SystemClock clock;
  ProcessResources resources(clock);
  try {
    remove_unfinished(plan.directory);
    if (const std::size_t swept = sweep(place))
      say(fmt::format("removed what {} interrupted drills had left", swept));
    return drill_all(plan, command, interruption, resources, place);
  } catch (const Interrupted&) {
    say("interrupted; nothing is left of it");
    return interrupted_by(interruption.signal());
  } catch (const SourceError& error) {
    say(error.what());
    if (error.reason() == Reason::config) return ExitCode::usage;
  } catch (const std::exception& error) {
    say(error.what());
  }
  return ExitCode::unproven;
}

}  // namespace pg_integrity
