#include "exporter/drill/run.h"
#include "exporter/io/console.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/options/proof_level.h"
#include "exporter/config/conninfo.h"
#include "exporter/config/options.h"
#include "exporter/drill/archive_tools.h"
#include "exporter/drill/base_backup_tools.h"
#include "exporter/drill/bound_session.h"
#include "exporter/drill/bounds.h"
#include "exporter/drill/confinement.h"
#include "exporter/drill/dump_record.h"
#include "exporter/drill/fetch.h"
#include "exporter/drill/findings.h"
#include "exporter/drill/judge.h"
#include "exporter/drill/progress.h"
#include "exporter/drill/proof.h"
#include "exporter/drill/record_files.h"
#include "exporter/drill/recovery.h"
#include "exporter/drill/repository.h"
#include "exporter/drill/scratch_cluster.h"
#include "exporter/io/files.h"
#include "exporter/io/json_reader.h"
#include "exporter/io/sandbox.h"

namespace pg_integrity {

namespace {

constexpr Seconds kLook{300};  ///< longest time to read a directory or records

/// One drill. It gathers the findings phase by phase.
class Drill {
 public:
  /// @param bounds interrupt `children` if they are passed.
  Drill(const DrillJob& job, Children& children, const Bounds& bounds, ProcessResources& resources)
      : job_(job), children_(children), bounds_(bounds), resources_(resources) {
    record_.server = job.server.name;
    record_.source = job.source;
    record_.kind = job.kind;
    record_.backup = job.backup;
    record_.backup_time = job.backup_time;
    record_.started = resources.clock.unix_now();
    record_.id = fmt::format("drill-{}-{}", std::llround(record_.started * 1000), ::getpid());
  }

  /// @throws SourceError{config} if there is no sandbox; Interrupted.
  DrillRecord run() {
    try {
      work_.emplace(job_.place);
      sandbox_.emplace(sandbox_for(job_.server, children_, job_.place, *work_));
      go_on();
      children_.check();
    } catch (const Interrupted&) {
      const std::string passed = bounds_.passed();
      if (passed.empty()) throw;
      doubt(passed);
    }
    found_.conclude(record_);
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
  [[nodiscard]] DrillProgress progress_of_job() const {
    return {job_.server.name, job_.source, job_.kind, "begin", resources_.clock.unix_now()};
  }
  void fail(const std::string& reason) { found_.fail(reason); }
  void doubt(const std::string& reason) { found_.doubt(reason); }

  template <typename Work>
  void phase(const std::string& name, Work work) {
    progress(name);
    notes_.begin(name);
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

  void go_on() {
    try {
      if (job_.catalogue == nullptr) proof_ = unproved(files_, job_.backup);
      go();
    } catch (const SourceError& error) {
      children_.check();  // an interruption may be the cause of the error
      if (error.reason() == Reason::decode)
        fail(error.what());
      else
        doubt(error.what());
    }
  }

  void go() {
    if (job_.catalogue != nullptr) return go_with_repository();
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
      require_no_links(job_.backup);
      take_faults(verify_base_backup(children_, *sandbox_, job_.backup, job_.wal_archive,
                                     BaseBackupCheck::all));
    });
    if (!found_.faultless()) return;
    phase("fetch", [&] {
      notes_.measure(work_->data(), bytes_below(job_.backup));
      fetch_base_backup(children_, *sandbox_, *work_, job_.backup, job_.wal_archive);
    });
    record_.duration = record_.phases.back().took;
    std::unique_ptr<ScratchCluster> cluster;
    ConnectionOptions copy;
    phase("restore", [&] {
      cluster = start_base_backup(children_, *sandbox_, *work_, job_.wal_archive, login());
      copy.dsn = cluster->dsn();
    });
    record_.duration += record_.phases.back().took;
    restored_ = true;
    phase("compare", [&] { judge_.compare(copy, {}, recorded_, CopyJudge::Unproven::doubt); });
    phase("check", [&] { judge_.check(copy, false); });
  }

  void go_with_repository() {
    const auto repository =
        open_repository(*job_.catalogue, children_, job_.place.account, json_, resources_.clock);
    RecoveryPlan plan;
    Fetched fetched;
    phase("plan", [&] { plan = plan_recovery(*repository, job_.recovery); });
    record_.backup = plan.backup.label;
    record_.backup_time = plan.backup.start;
    record_.target = plan.target;
    if (job_.recovery.seed) record_.seed = static_cast<double>(*job_.recovery.seed);
    progress(fmt::format(
        "restoring {}, to {}{}", plan.backup.label,
        plan.target ? format_moment(*plan.target) : "its newest point",
        job_.recovery.seed ? fmt::format(" (seed {})", *job_.recovery.seed) : std::string()));
    phase("fetch", [&] {
      notes_.measure(work_->data(), plan.backup.size);
      fetched = repository->fetch(plan.backup, plan.target, *work_);
    });
    record_.duration = record_.phases.back().took;
    std::unique_ptr<ScratchCluster> cluster;
    ConnectionOptions copy;
    phase("restore", [&] {
      cluster = start_recovery(children_, *sandbox_, *work_, fetched, plan.target, login());
      copy.dsn = cluster->dsn();
    });
    record_.duration += record_.phases.back().took;
    restored_ = true;
    phase("compare", [&] {
      record_.recovered_to = last_commit(copy).value_or(plan.backup.stop);
      judge_.compare(copy, {}, recorded_, CopyJudge::Unproven::doubt);
    });
    phase("check", [&] { judge_.check(copy, false); });
  }

  /// The role and the database of the source that a copy of all of its files has, too.
  [[nodiscard]] ScratchLogin login() const {
    const ConnectionTarget source = target_of(current_dsn(job_.server.connection));
    return {source.user.empty() ? "postgres" : source.user, job_.server.home_database};
  }

  /// When the newest commit was made that recovery replayed.
  [[nodiscard]] std::optional<UnixTime> last_commit(const ConnectionOptions& copy) const {
    const BoundSession session(copy, children_, resources_);
    const Rows rows = session->query(
        "SELECT coalesce(extract(epoch FROM pg_last_xact_replay_timestamp())::float8, 0) AS t");
    const double moment = rows.only().number("t");
    return moment > 0 ? std::optional(moment) : std::nullopt;
  }

  void go_with_dump() {
    std::optional<Archive> archive;
    std::string contents;
    phase("inspect", [&] {
      archive = archive_at(children_, *sandbox_, job_.backup);
      if (archive->has_contents()) contents = take_contents(*archive);
      recorded_ = load_dump_record(json_, files_, job_.backup);
      if (recorded_ && archive->has_contents() && recorded_->created != creation_of(contents)) {
        doubt("the record beside the backup is of another one");
        recorded_.reset();
      }
    });
    if (!found_.faultless()) return;
    if (must_be_fetched(children_, *sandbox_, *archive, job_.jobs))
      phase("fetch", [&] { fetch_archive(children_, *sandbox_, *work_, *archive); });
    std::optional<ScratchCluster> cluster;
    ConnectionOptions copy;
    if (job_.target.empty()) {
      phase("cluster", [&] {
        cluster.emplace(children_, *sandbox_, *work_, recorded_ ? recorded_->encoding : "UTF8");
        copy.dsn = cluster->dsn();
        user_ = target_of(copy.dsn).user;
      });
    } else {
      copy.dsn = job_.target;
      require_empty_target(copy);
    }
    phase("restore", [&] { restore(*archive, cluster ? &*cluster : nullptr); });
    if (cluster) copy = restored_database(copy);
    for (const DrillPhase& done : record_.phases) record_.duration += done.took;
    restored_ = found_.faultless();
    phase("compare",
          [&] { judge_.compare(copy, contents, recorded_, CopyJudge::Unproven::fault); });
    phase("check", [&] { judge_.check(copy, archive->has_contents()); });
  }

  std::string take_contents(const Archive& archive) {
    const Ended listed = list_contents(children_, *sandbox_, archive);
    if (!listed.good()) take_faults(listed);
    return listed.out;
  }

  void take_faults(const Ended& ended) { found_.take(ended, user_); }

  /// @throws SourceError{config} if the target is on the watched server, or not empty.
  void require_empty_target(const ConnectionOptions& target) {
    const BoundSession there(target, children_, resources_);
    const BoundSession production(job_.server.connection, children_, resources_);
    if (there->server().system_identifier == production->server().system_identifier)
      throw SourceError(Reason::config, "the target is on the watched server itself: refused");
    const Rows objects = there->query(
        "SELECT count(*) AS n FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE "
        "n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'");
    if (objects.only().number("n") > 0)
      throw SourceError(Reason::config, "the target is not empty: refused");
  }

  /// @param cluster nullptr: restores into the target.
  void restore(const Archive& archive, const ScratchCluster* cluster) {
    if (cluster != nullptr) notes_.measure(work_->data(), 0);
    RestoreTarget target;
    target.jobs = job_.jobs;
    if (cluster != nullptr) {
      target.dsn = cluster->inner_dsn();
      target.view = cluster->inside();
    } else {
      const VisibleDsn shown = visible(job_.target, {});
      target.dsn = shown.dsn;
      if (!shown.password.empty()) target.environment["PGPASSWORD"] = shown.password;
      target.view.network = true;
      const std::string host = target_of(job_.target).host;
      if (host.starts_with('/')) target.view.readable.push_back(host);
    }
    take_faults(restore_into(children_, *sandbox_, archive, target));
  }

  /// A dump with `--create`, or of a whole cluster, makes its databases itself. That of the watched
  /// database is the copy, or the only one that it made.
  [[nodiscard]] ConnectionOptions restored_database(const ConnectionOptions& own) const {
    const BoundSession session(own, children_, resources_);
    const Rows others = session->query(
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

  const DrillJob& job_;
  Children& children_;
  const Bounds& bounds_;
  ProcessResources& resources_;
  WorkerFiles files_{resources_.workers, resources_.clock.now() + kLook};
  SaxJson json_;
  std::optional<WorkDirectory> work_;
  std::optional<Sandbox> sandbox_;
  DrillRecord record_;
  ProgressNotes notes_{resources_.clock, job_.records, progress_of_job()};
  ProofRecord proof_;
  std::optional<DumpRecord> recorded_;
  std::string user_;  ///< the role that the throwaway server has from the start
  bool restored_ = false;
  DrillFindings found_;
  CopyJudge judge_{job_, children_, resources_, found_, record_};
};

}  // namespace

Drilled run_drill(const DrillJob& job, Children& children, ProcessResources& resources) {
  Children own;
  const Children::Guard follow(children, [&] { own.interrupt(); });
  const Bounds bounds(resources.clock, job.server.drills->drill_timeout, job.place.base,
                      [&] { own.interrupt(); });
  Drill drill(job, own, bounds, resources);
  DrillRecord record = drill.run();
  children.check();  // whatever ended it first
  return {std::move(record), drill.proof()};
}

}  // namespace pg_integrity
