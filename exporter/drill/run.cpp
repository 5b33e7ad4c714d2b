#include "exporter/drill/run.h"
#include "exporter/io/console.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/options/proof_level.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/row_digest.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/schema_cache.h"
#include "exporter/config/conninfo.h"
#include "exporter/config/options.h"
#include "exporter/drill/archive_tools.h"
#include "exporter/drill/base_backup_tools.h"
#include "exporter/drill/copy_check.h"
#include "exporter/drill/copy_comparison.h"
#include "exporter/drill/dump_record.h"
#include "exporter/drill/proof.h"
#include "exporter/drill/record_files.h"
#include "exporter/io/files.h"
#include "exporter/io/interruption.h"
#include "exporter/io/json_reader.h"
#include "exporter/postgres/live_session.h"
#include "exporter/postgres/pqxx_session.h"

namespace pg_integrity {

namespace {

constexpr Seconds kLook{300};       ///< longest time to read a directory or records
constexpr std::size_t kNamed = 50;  ///< most reasons in a record

/// One drill. It gathers the findings phase by phase.
class Drill {
 public:
  Drill(const DrillJob& job, Interruption& interruption, ProcessResources& resources)
      : job_(job), interruption_(interruption), resources_(resources) {
    record_.server = job.server.name;
    record_.source = job.source;
    record_.kind = job.kind;
    record_.backup = job.backup;
    record_.backup_time = job.backup_time;
    record_.started = resources.clock.unix_now();
    record_.id = fmt::format("drill-{}-{}", std::llround(record_.started * 1000), ::getpid());
  }

  /// @throws Interrupted
  DrillRecord run() {
    try {
      proof_ = unproved(files_, job_.backup);
      go();
    } catch (const SourceError& error) {
      interruption_.check();  // an interruption may be the cause of the error
      if (error.reason() == Reason::decode)
        fail(error.what());
      else
        doubt(error.what());
    }
    interruption_.check();
    conclude();
    return record_;
  }

  /// The proof of the backup that the drill gives; nullopt if it proved nothing.
  [[nodiscard]] std::optional<ProofRecord> proof() const {
    ProofRecord proof = proof_;
    if (proof.path.empty() || record_.outcome == DrillOutcome::unproven) return std::nullopt;
    proof.checked_at = record_.started;
    if (record_.outcome == DrillOutcome::success) {
      proof.level = ProofLevel::compared;
    } else {
      proof.level = restored_ ? ProofLevel::restored : ProofLevel::on_record;
      proof.failed_level = restored_ ? ProofLevel::compared : ProofLevel::restored;
      proof.disproof = record_.reasons.empty() ? "the drill failed" : record_.reasons.front();
    }
    return proof;
  }

 private:
  void progress(const std::string& text) const {
    say(fmt::format("{}/{}: {}", job_.source, job_.kind, text));
  }
  void fail(const std::string& reason) { faults_.push_back(reason); }
  void doubt(const std::string& reason) { doubts_.push_back(reason); }

  template <typename Work>
  void phase(const std::string& name, Work work) {
    progress(name);
    const Instant begin = resources_.clock.now();
    const auto end = [&] { record_.phases.push_back({name, resources_.clock.now() - begin}); };
    try {
      work();
    } catch (...) {
      end();
      throw;
    }
    end();
  }

  void go() {
    progress("restoring " + job_.backup);
    if (is_base_backup(job_.backup))
      go_with_base_backup();
    else
      go_with_dump();
  }

  void go_with_base_backup() {
    if (!job_.target.empty())
      throw SourceError(Reason::config, "a base backup is a whole server: it needs no --target");
    phase("verify", [&] {
      take_faults(
          verify_base_backup(interruption_, job_.backup, job_.wal_archive, BaseBackupCheck::all));
    });
    if (!faults_.empty()) return;
    std::unique_ptr<ScratchCluster> cluster;
    ConnectionOptions copy;
    phase("restore", [&] {
      const ConnectionTarget source = target_of(current_dsn(job_.server.connection));
      cluster = start_base_backup(
          interruption_, job_.place, job_.backup, job_.wal_archive,
          {source.user.empty() ? "postgres" : source.user, job_.server.home_database});
      copy.dsn = cluster->dsn();
    });
    record_.duration = record_.phases.back().took;
    restored_ = true;
    phase("compare", [&] { compare(copy, {}, Unproven::doubt); });
    phase("check", [&] { check_integrity(copy, false); });
  }

  void go_with_dump() {
    std::optional<Archive> archive;
    std::string contents;
    phase("inspect", [&] {
      archive = archive_at(interruption_, job_.backup);
      if (archive->has_contents()) contents = take_contents(*archive);
      recorded_ = load_dump_record(json_, files_, job_.backup);
      if (recorded_ && archive->has_contents() && recorded_->created != creation_of(contents)) {
        doubt("the record beside the backup is of another one");
        recorded_.reset();
      }
    });
    if (!faults_.empty()) return;
    std::optional<ScratchCluster> cluster;
    ConnectionOptions copy;
    if (job_.target.empty()) {
      phase("cluster", [&] {
        cluster.emplace(interruption_, job_.place, recorded_ ? recorded_->encoding : "UTF8");
        copy.dsn = cluster->dsn();
        user_ = target_of(copy.dsn).user;
      });
    } else {
      copy.dsn = job_.target;
      require_empty_target(copy);
    }
    phase("restore", [&] { restore(*archive, copy); });
    if (cluster) copy = restored_database(copy);
    for (const DrillPhase& done : record_.phases) record_.duration += done.took;
    restored_ = faults_.empty();
    phase("compare", [&] { compare(copy, contents, Unproven::fault); });
    phase("check", [&] { check_integrity(copy, archive->has_contents()); });
  }

  std::string take_contents(const Archive& archive) {
    const Ended listed = list_contents(interruption_, archive);
    if (!listed.good()) take_faults(listed);
    return listed.out;
  }

  void take_faults(const Ended& ended) {
    const std::size_t before = faults_.size() + doubts_.size();
    for (const RestoreFault& fault : faults_in(ended.errors, user_)) {
      objects_lack_here_ = objects_lack_here_ || fault.blame == Blame::objects;
      broke_here_ = broke_here_ || fault.blame == Blame::accident;
      fault.blame == Blame::backup ? fail(fault.what) : doubt(fault.what);
    }
    if (!ended.good() && before == faults_.size() + doubts_.size()) doubt(ended.last_word());
  }

  std::unique_ptr<LiveSession> session_with(const ConnectionOptions& connection,
                                            int parallel_workers = 0) const {
    auto session = make_postgres_connector(connection, resources_.clock, resources_.watchdog,
                                           resources_.workers, parallel_workers)
                       ->open({});
    session->set_deadline(resources_.clock.now() + kComparison);
    return session;
  }

  /// @throws SourceError{config} if the target is on the watched server, or not empty.
  void require_empty_target(const ConnectionOptions& target) {
    const auto there = session_with(target);
    const auto production = session_with(job_.server.connection);
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
    RestoreTarget target{shown.dsn, {}, job_.place.account, job_.jobs};
    if (!shown.password.empty()) target.environment["PGPASSWORD"] = shown.password;
    take_faults(restore_into(interruption_, archive, target));
  }

  /// A dump with `--create`, or of a whole cluster, makes its databases itself. That of the watched
  /// database is the copy, or the only one that it made.
  [[nodiscard]] ConnectionOptions restored_database(const ConnectionOptions& own) const {
    const Rows others = session_with(own)->query(
        "SELECT datname::text AS name FROM pg_catalog.pg_database WHERE datallowconn"
        " AND NOT datistemplate AND datname NOT IN ('postgres', current_database())");
    ConnectionOptions copy = own;
    for (std::size_t i = 0; i < others.size(); ++i) {
      const Row other = others[i];
      const std::string& name = other.text("name");
      if (others.size() == 1 || name == job_.database) copy.dsn = visible(own.dsn, name).dsn;
    }
    return copy;
  }

  /// The meaning of a drill in which no table could be proven. For a dump it is a fault. For a base
  /// backup it is a doubt, because each file was verified to be as its server sent it.
  enum class Unproven : std::uint8_t { fault, doubt };

  void compare(const ConnectionOptions& copy, const std::string& contents, Unproven unproven) {
    const auto session = session_with(copy, job_.target.empty() ? job_.jobs - 1 : 0);
    for (const std::string& object : missing_objects(*session, contents))
      // If an extension is missing (a doubt), its objects are missing, too.
      doubts_.empty() ? fail("missing in the copy: " + object)
                      : doubt("missing in the copy: " + object);
    Comparison comparison;
    if (recorded_ && recorded_->hash != hash_sample(*session))
      throw SourceError(Reason::missing,
                        "rows cannot be compared: this server hashes them in another way than the "
                        "one that the backup is of");
    if (recorded_) {
      const DumpRecord held = digest_tables(
          *session, resources_.clock, [&](std::size_t, std::size_t) { interruption_.check(); });
      comparison = compare_with_record(held, *recorded_);
    } else {
      constexpr Seconds kLateCommit{3600};  // for rows of transactions that had not ended
      const auto source = source_session();
      comparison = compare_by_creation(*session, source.get(), job_.left_out, resources_.clock,
                                       job_.backup_time - kLateCommit.count());
    }
    for (const std::string& difference : comparison.differences) fail(difference);
    for (const std::string& absent : comparison.absent)
      objects_lack_here_ ? doubt(absent) : fail(absent);
    for (const std::string& uncertain : comparison.doubts) doubt(uncertain);
    record_.tables = std::move(comparison.tables);
    if (std::none_of(record_.tables.begin(), record_.tables.end(), [](const DrilledTable& table) {
          return table.unexplained_rows.has_value();
        })) {
      if (unproven == Unproven::fault && !objects_lack_here_)
        fail("no table could be proven. HINT: take dumps with drill --record");
      else
        doubt("no table says when its rows were created: none could be proven");
    }
    schema_ = load_schema(*session, {}, resources_.clock.now());
  }

  /// @return nullptr if the source is out of reach, as it may be when backups matter most.
  std::unique_ptr<LiveSession> source_session() const {
    try {
      return session_with(job_.server.connection);
    } catch (const SourceError& error) {
      progress(fmt::format("the source is out of reach: {}", error.what()));
      return nullptr;
    }
  }

  void check_integrity(const ConnectionOptions& copy, bool in_order) {
    const CopyCheck check =
        check_copy(job_.server, job_.database, copy, *schema_, in_order, interruption_, resources_);
    for (const std::string& finding : check.findings) fail(finding);
    for (const std::string& unproven : check.unproven) doubt(unproven);
    for (const auto& [child, orphans] : check.orphans)
      for (DrilledTable& table : record_.tables)
        if (table.schema == child.schema && table.table == child.name)
          table.orphaned_rows = table.orphaned_rows.value_or(0) + orphans;
  }

  void conclude() {
    if (broke_here_) {
      doubts_.insert(doubts_.end(), faults_.begin(), faults_.end());
      faults_.clear();
    }
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

  const DrillJob& job_;
  Interruption& interruption_;
  ProcessResources& resources_;
  WorkerFiles files_{resources_.workers, resources_.clock.now() + kLook};
  SaxJson json_;
  DrillRecord record_;
  ProofRecord proof_;
  std::optional<DumpRecord> recorded_;
  std::shared_ptr<const Schema> schema_;  ///< of the copy
  std::string user_;                      ///< the role that the throwaway server has from the start
  bool restored_ = false;
  bool objects_lack_here_ = false;   ///< objects need what is not on this machine
  bool broke_here_ = false;          ///< the restore broke for a reason of this machine
  std::vector<std::string> faults_;  ///< faults of the backup
  std::vector<std::string> doubts_;  ///< reasons why the drill cannot tell
};

}  // namespace

Drilled run_drill(const DrillJob& job, Interruption& interruption, ProcessResources& resources) {
  Drill drill(job, interruption, resources);
  DrillRecord record = drill.run();
  return {std::move(record), drill.proof()};
}

}  // namespace pg_integrity
