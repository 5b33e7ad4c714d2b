#include "exporter/drill.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "collectors/backup_config.h"
#include "exporter/archive_tools.h"
#include "exporter/clock.h"
#include "exporter/conninfo.h"
#include "exporter/drill_compare.h"
#include "exporter/drill_record.h"
#include "exporter/files.h"
#include "exporter/json.h"
#include "exporter/postgres.h"
#include "exporter/processes.h"
#include "exporter/proof.h"
#include "exporter/recovery_files.h"
#include "exporter/report.h"
#include "exporter/runtime.h"
#include "exporter/scratch_cluster.h"

namespace pg_integrity {

namespace {

namespace fs = std::filesystem;

constexpr Seconds kLook{300};  ///< at a directory or at records
constexpr std::size_t kKeptDrills = 100;
constexpr std::size_t kNamed = 50;  ///< reasons in a record

/// What of a configuration says what to drill.
struct Plan {
  const ServerOptions* server = nullptr;
  const Settings* settings = nullptr;  ///< of restore_drill
  std::string directory;               ///< of the records
};

/// A backup to be restored.
struct Chosen {
  std::string source;
  std::string kind;
  std::string path;
  UnixTime time = 0;
};

/// @return false after having said what is wrong.
bool make_plan(const Options& options, const DrillCommand& command, Plan& plan) {
  plan.server = server_named(options, command.server);
  if (plan.server == nullptr) return false;
  for (const CollectorOptions& collector : plan.server->collectors)
    if (collector.spec->name == "restore_drill") plan.settings = &collector.settings;
  if (plan.settings == nullptr) {
    say("server \"" + plan.server->name +
        "\" has no place for records. HINT: [server.drills] directory = \"…\"");
    return false;
  }
  plan.directory = plan.settings->record("drills")->text("directory");
  if (::access(plan.directory.c_str(), W_OK | X_OK) == 0) return true;
  say(plan.directory + " cannot be written. HINT: create it, or run this as who may write it");
  return false;
}

/// The newest backup of each source and kind that the command means.
std::vector<Chosen> choose(const Plan& plan, const DrillCommand& command, Files& files,
                           const Clock& clock) {
  std::vector<Chosen> chosen;
  for (const Settings& record : plan.settings->records("backups")) {
    const BackupSource source = backup_source_from(record);
    if (!source.directory || (!command.source.empty() && source.name != command.source)) continue;
    const BackupHistory history =
        ArchiveReader().read(files, clock, *source.directory, source.kinds);
    for (const auto& [name, kind] : history.kinds) {
      if (!command.kind.empty() && name != command.kind) continue;
      // One that was not proved yet does, too: to prove it is what a drill is for.
      const auto& waiting = kind.newest_waiting;
      const auto& newest =
          waiting && (!kind.newest || waiting->time > kind.newest->time) ? waiting : kind.newest;
      if (newest)
        chosen.push_back(
            {source.name, name, source.directory->path + "/" + newest->name, newest->time});
      else if (command.backup.empty())
        say(source.name + "/" + name + ": there is no finished backup");
    }
  }
  return chosen;
}

/// The named backup, as one of the only source that is meant.
std::vector<Chosen> choose_named(std::vector<Chosen> newest, const DrillCommand& command,
                                 Files& files, const Clock& clock) {
  if (newest.size() != 1) return {};
  Chosen& named = newest.front();
  const fs::path path = fs::absolute(command.backup);
  const ArchiveDirectory directory{path.parent_path().string(), 0, Seconds(0), "UTC"};
  const BackupHistory history =
      ArchiveReader().read(files, clock, directory, {{"", {}, path.filename().string(), {}, {}}});
  named.path = path.string();
  const auto& found = history.kinds.at("").newest;
  named.time = found ? found->time : 0;
  return newest;
}

/// One drill: what it found, phase by phase.
class Drill {
 public:
  Drill(const Plan& plan, const DrillCommand& command, const Chosen& chosen,
        Interruption& interruption, Machinery& machinery, const ScratchPlace& place)
      : plan_(plan),
        command_(command),
        chosen_(chosen),
        interruption_(interruption),
        machinery_(machinery),
        place_(place) {
    record_.server = plan.server->name;
    record_.source = chosen.source;
    record_.kind = chosen.kind;
    record_.backup = chosen.path;
    record_.backup_time = chosen.time;
    record_.started = machinery.clock.unix_now();
    record_.id = "drill-" + std::to_string(std::llround(record_.started * 1000)) + "-" +
                 std::to_string(::getpid());
  }

  /// @throws Interrupted
  DrillRecord run() {
    try {
      proof_ = unproved(files_, chosen_.path);
      go();
    } catch (const SourceError& error) {
      interruption_.check();  // what broke off may have been broken off
      if (error.reason() == Reason::decode)
        fail(error.what());
      else
        doubt(error.what());
    }
    interruption_.check();
    conclude();
    return record_;
  }

  /// What the drill proved of its backup; nothing if it proved nothing.
  [[nodiscard]] std::optional<ProofRecord> proof() const {
    ProofRecord proof = proof_;
    if (proof.path.empty() || record_.outcome == DrillOutcome::unproven) return std::nullopt;
    proof.checked_at = record_.started;
    if (record_.outcome == DrillOutcome::success) {
      proof.level = 5;
    } else {
      proof.level = restored_ ? 4 : 0;
      proof.failed_level = restored_ ? 5 : 4;
      proof.disproof = record_.reasons.empty() ? "the drill failed" : record_.reasons.front();
    }
    return proof;
  }

 private:
  void progress(const std::string& text) const {
    say(chosen_.source + "/" + chosen_.kind + ": " + text);
  }
  void fail(const std::string& reason) { faults_.push_back(reason); }
  void doubt(const std::string& reason) { doubts_.push_back(reason); }

  template <typename Work>
  void phase(const std::string& name, Work work) {
    progress(name);
    const Instant begin = machinery_.clock.now();
    const auto end = [&] { record_.phases.push_back({name, machinery_.clock.now() - begin}); };
    try {
      work();
    } catch (...) {
      end();
      throw;
    }
    end();
  }

  void go() {
    progress("restoring " + chosen_.path);
    std::optional<Archive> archive;
    std::string contents;
    phase("inspect", [&] {
      archive = archive_at(interruption_, chosen_.path);
      if (archive->has_contents()) contents = take_contents(*archive);
      recorded_ = load_dump_record(json_, files_, chosen_.path);
      if (recorded_ && archive->has_contents() && recorded_->created != creation_of(contents)) {
        doubt("the record beside the backup is of another one");
        recorded_.reset();
      }
    });
    if (!faults_.empty()) return;
    std::optional<ScratchCluster> cluster;
    ConnectionOptions copy;
    if (command_.target.empty()) {
      phase("cluster", [&] {
        cluster.emplace(interruption_, place_, recorded_ ? recorded_->encoding : "UTF8");
        copy.dsn = cluster->dsn();
      });
    } else {
      copy.dsn = command_.target;
      require_empty_target(copy);
    }
    phase("restore", [&] { restore(*archive, copy); });
    for (const DrillPhase& done : record_.phases) record_.duration += done.took;
    restored_ = faults_.empty();
    phase("compare", [&] { compare(copy, contents); });
    phase("check", [&] { check_integrity(copy); });
  }

  std::string take_contents(const Archive& archive) {
    const Ended listed = list_contents(interruption_, archive);
    if (!listed.good()) take_faults(listed);
    return listed.out;
  }

  void take_faults(const Ended& ended) {
    const std::size_t before = faults_.size() + doubts_.size();
    for (const RestoreFault& fault : faults_in(ended.errors))
      fault.blame == Blame::surroundings ? doubt(fault.what) : fail(fault.what);
    if (!ended.good() && before == faults_.size() + doubts_.size()) doubt(ended.last_word());
  }

  std::unique_ptr<LiveSession> session_with(const ConnectionOptions& connection,
                                            const std::string& database) const {
    auto session = make_postgres_connector(connection, machinery_.clock, machinery_.watchdog,
                                           machinery_.workers)
                       ->open(database);
    session->set_deadline(machinery_.clock.now() + kComparison);
    return session;
  }

  /// @throws SourceError
  void require_empty_target(const ConnectionOptions& target) {
    const auto there = session_with(target, {});
    const auto production = session_with(plan_.server->connection, {});
    if (there->server().system_identifier == production->server().system_identifier)
      throw SourceError(Reason::config, "the target is on the watched server itself: refused");
    const Rows objects = there->query(
        "SELECT count(*) AS n FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE "
        "n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'");
    if (objects.only().number("n") > 0)
      throw SourceError(Reason::config, "the target is not empty: refused");
  }

  void restore(const Archive& archive, const ConnectionOptions& copy) {
    const VisibleDsn shown = visible(copy.dsn, {});
    RestoreTarget target{shown.dsn, {}, place_.account, command_.jobs};
    if (!shown.password.empty()) target.environment["PGPASSWORD"] = shown.password;
    take_faults(restore_into(interruption_, archive, target));
  }

  void compare(const ConnectionOptions& copy, const std::string& contents) {
    const auto session = session_with(copy, {});
    for (const std::string& object : missing_objects(*session, contents))
      // What an extension brings is missing with it.
      doubts_.empty() ? fail("missing in the copy: " + object)
                      : doubt("missing in the copy: " + object);
    Comparison comparison;
    if (recorded_) {
      const DumpRecord held = digest_tables(
          *session, machinery_.clock, [&](std::size_t, std::size_t) { interruption_.check(); });
      comparison = compare_with_record(held, *recorded_);
    } else {
      constexpr Seconds kLateCommit{3600};  // rows of transactions that had not ended
      const auto source = source_session();
      comparison = compare_by_creation(*session, source.get(), machinery_.clock,
                                       chosen_.time - kLateCommit.count());
    }
    for (const std::string& difference : comparison.differences) fail(difference);
    record_.tables = std::move(comparison.tables);
    if (std::none_of(record_.tables.begin(), record_.tables.end(),
                     [](const DrilledTable& table) { return table.unexplained_rows.has_value(); }))
      fail("no table could be proven. HINT: take dumps with drill --record");
  }

  /// nullptr: it is out of reach, as it may be when backups matter most.
  std::unique_ptr<LiveSession> source_session() const {
    try {
      return session_with(plan_.server->connection, {});
    } catch (const SourceError& error) {
      progress(std::string("the source is out of reach: ") + error.what());
      return nullptr;
    }
  }

  /// The integrity collectors look at the copy as they would at the source.
  void check_integrity(const ConnectionOptions& copy) {
    Runtime runtime(options_for(copy), machinery_, nullptr);
    std::atomic<bool> done = false;
    std::thread looking([&] {
      runtime.sampler().run_once();
      done = true;
    });
    while (!done) {
      if (interruption_.happened()) runtime.sampler().cancel();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    looking.join();
    interruption_.check();
    const auto snapshot = runtime.evidence()->snapshot();
    for (const ReportServer& server : make_report(*snapshot, machinery_.clock).servers)
      for (const ReportDatabase& database : server.databases)
        for (const ReportCollector& collector : database.collectors) take_findings(collector);
    for (const auto& collector : snapshot->collectors)
      for (const auto& [key, object] : collector->objects)
        for (const Sample& sample : object->samples)
          if (sample.metric->name == "pg_integrity_orphaned_rows") add_orphans(sample);
  }

  void take_findings(const ReportCollector& collector) {
    for (const ReportObject& object : collector.objects)
      if (object.state == State::violated)
        fail("the copy is not intact: " + object.name +
             (object.findings.empty() ? std::string() : ": " + object.findings.front()));
  }

  void add_orphans(const Sample& sample) {
    for (DrilledTable& table : record_.tables)
      if (table.schema == sample.labels.at(0) && table.table == sample.labels.at(1))
        table.orphaned_rows = table.orphaned_rows.value_or(0) + sample.value;
  }

  [[nodiscard]] Options options_for(const ConnectionOptions& copy) const {
    ServerOptions server = *plan_.server;
    server.connection = copy;
    server.home_database = target_of(copy.dsn).database;
    server.databases = {server.home_database};
    server.replicas.clear();
    server.accept.clear();
    server.max_load = 1;
    std::erase_if(server.collectors, [](const CollectorOptions& collector) {
      const std::string_view name = collector.spec->name;
      return name != "orphans" && name != "duplicates";
    });
    Options options;
    options.servers.push_back(std::move(server));
    return options;
  }

  void conclude() {
    if (!faults_.empty())
      record_.outcome = DrillOutcome::failed;
    else if (!doubts_.empty())
      record_.outcome = DrillOutcome::unproven;
    else
      record_.outcome = DrillOutcome::success;
    for (const auto* reasons : {&faults_, &doubts_})
      for (const std::string& reason : *reasons)
        if (record_.reasons.size() < kNamed) record_.reasons.push_back(reason);
  }

  const Plan& plan_;
  const DrillCommand& command_;
  const Chosen& chosen_;
  Interruption& interruption_;
  Machinery& machinery_;
  const ScratchPlace& place_;
  WorkerFiles files_{machinery_.workers, machinery_.clock.now() + kLook};
  SaxJson json_;
  DrillRecord record_;
  ProofRecord proof_;
  std::optional<DumpRecord> recorded_;
  bool restored_ = false;
  std::vector<std::string> faults_;  ///< the backup's
  std::vector<std::string> doubts_;  ///< what keeps us from telling
};

ExitCode worse(ExitCode a, ExitCode b) {
  if (a == ExitCode::violated || b == ExitCode::violated) return ExitCode::violated;
  return a == ExitCode::proven ? b : a;
}

ExitCode drill_one(const Plan& plan, const DrillCommand& command, const Chosen& chosen,
                   Interruption& interruption, Machinery& machinery, const ScratchPlace& place) {
  Drill one(plan, command, chosen, interruption, machinery, place);
  const DrillRecord record = one.run();
  if (const auto proof = one.proof()) save_proof(plan.directory, *proof);
  save_drill(plan.directory, record);
  WorkerFiles files(machinery.workers, machinery.clock.now() + kLook);
  const SaxJson json;
  thin_drills(plan.directory, DrillReader().read(files, json, plan.directory).records, record,
              kKeptDrills);
  const std::string outcome(kDrillOutcomeNames[static_cast<std::size_t>(record.outcome)]);
  for (const std::string& reason : record.reasons) say("  " + reason);
  say(chosen.source + "/" + chosen.kind + ": " + outcome + "; restored in " +
      std::to_string(record.duration.count()) + " s; recovery point " +
      format_utc(record.backup_time));
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
                   Machinery& machinery) {
  WorkerFiles files(machinery.workers, machinery.clock.now() + kLook);
  const SaxJson json;
  ProofRecord proof = unproved(files, chosen.path);
  const std::string what = chosen.source + "/" + chosen.kind + ": " + chosen.path;
  for (const ProofRecord& known : ProofReader().read(files, json, plan.directory).records) {
    const bool same = known.path == proof.path && known.inode == proof.inode &&
                      known.size == proof.size && known.modified == proof.modified;
    if (!same || (known.level < 3 && !known.disproved())) continue;
    say(what + ": on record" + (known.disproved() ? " as damaged: " + known.disproof : ""));
    return known.disproved() ? ExitCode::violated : ExitCode::proven;
  }
  prove(interruption, proof);
  proof.checked_at = machinery.clock.unix_now();
  save_proof(plan.directory, proof);
  say(what + (proof.disproved() ? ": damaged: " + proof.disproof
                                : ": proof level " + std::to_string(proof.level)));
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
  say("--user: \"" + command.user + "\" is no unprivileged user of this machine");
  return false;
}

ExitCode drill_all(const Plan& plan, const DrillCommand& command, Interruption& interruption,
                   Machinery& machinery, const ScratchPlace& place) {
  WorkerFiles files(machinery.workers, machinery.clock.now() + kLook);
  std::vector<Chosen> chosen = choose(plan, command, files, machinery.clock);
  if (!command.backup.empty()) {
    chosen = choose_named(std::move(chosen), command, files, machinery.clock);
    if (chosen.empty()) {
      say("--backup needs the one source and kind that it is of. HINT: --source and --kind");
      return ExitCode::usage;
    }
  }
  ExitCode code = chosen.empty() ? ExitCode::unproven : ExitCode::proven;
  for (const Chosen& one : chosen) {
    try {
      code = worse(code, command.proof_only
                             ? prove_one(plan, one, interruption, machinery)
                             : drill_one(plan, command, one, interruption, machinery, place));
    } catch (const SourceError& error) {
      interruption.check();
      say(one.source + "/" + one.kind + ": " + error.what());
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
  Machinery machinery(clock);
  try {
    remove_unfinished(plan.directory);
    if (const std::size_t swept = sweep(place))
      say("removed what " + std::to_string(swept) + " interrupted drills had left");
    return drill_all(plan, command, interruption, machinery, place);
  } catch (const Interrupted&) {
    say("interrupted; nothing is left of it");
  } catch (const std::exception& error) {
    say(error.what());
  }
  return ExitCode::unproven;
}

}  // namespace pg_integrity
