#include "exporter/commands/backups.h"

#include <algorithm>
#include <cstdio>

#include "collectors/base/errors.h"
#include "collectors/collector.h"
#include "collectors/recovery/archive_directory.h"
#include "collectors/recovery/backup_catalogue.h"
#include "collectors/recovery/drill_records.h"
#include "collectors/recovery/read_backups.h"
#include "exporter/buckets/bucket_store.h"
#include "exporter/commands/backup_overview.h"
#include "exporter/commands/sampling.h"
#include "exporter/config/acceptances.h"
#include "exporter/evidence/acceptances_section.h"
#include "exporter/evidence/evidence_section.h"
#include "exporter/evidence/state_file.h"
#include "exporter/io/clock.h"
#include "exporter/io/console.h"
#include "exporter/io/files.h"
#include "exporter/io/json_reader.h"
#include "exporter/io/programs.h"
#include "exporter/io/signals.h"
#include "exporter/report/report.h"
#include "exporter/scheduler/runtime.h"

namespace pg_integrity {

namespace {

constexpr Seconds kReading{60};  ///< deadline for the list of one source
constexpr Seconds kObjects{40};  ///< of it, for objects that no answer rests on
constexpr std::string_view kAboutBackups[] = {"backups", "proofs", "restore_drill"};

/// The same servers, with the collectors of backups alone.
Options about_backups(Options options) {
  for (ServerOptions& server : options.servers) {
    std::erase_if(server.collectors, [](const CollectorOptions& one) {
      return std::find(std::begin(kAboutBackups), std::end(kAboutBackups), one.spec->name) ==
             std::end(kAboutBackups);
    });
    server.databases = {server.home_database};
    server.not_watched.clear();
  }
  return options;
}

/// What readings to their end have found, by the record of the collector `proofs`.
ReadBackups read_on_record(const Snapshot& snapshot, const std::string& server) {
  for (const auto& collector : snapshot.collectors)
    if (collector->id.server == server && collector->id.collector == "proofs" &&
        collector->remembered)
      return ReadBackups(*collector->remembered);
  return {};
}

/// Lists the backups of the sources, one by one.
class Listing {
 public:
  Listing(ProcessResources& resources, const Snapshot& snapshot)
      : resources_(resources), snapshot_(snapshot) {}

  ReadSources of(const std::vector<ServerOptions>& servers) {
    ReadSources all;
    for (const ServerOptions& server : servers) {
      const Proofs proofs = proofs_of(server);
      for (const BackupSource& source : server.backups)
        all.emplace(std::pair(server.name, source.name), read(source, proofs));
    }
    return all;
  }

 private:
  [[nodiscard]] Instant deadline() const { return resources_.clock.now() + kReading; }

  Proofs proofs_of(const ServerOptions& server) {
    std::vector<ProofRecord> drills;
    try {
      WorkerFiles files(resources_.workers, deadline());
      if (server.drills)
        drills = ProofReader().read(files, json_, server.drills->directory).records;
    } catch (const SourceError& error) {
      say(server.name + ": the records of drills cannot be read: " + error.what());
    }
    return newest_proofs(drills, read_on_record(snapshot_, server.name));
  }

  ReadSource read(const BackupSource& source, const Proofs& proofs) {
    ReadSource found;
    try {
      WorkerFiles files(resources_.workers, deadline());
      if (source.directory)
        ArchiveReader().read(files, resources_.clock, *source.directory, source.kinds, proofs,
                             &found.list);
      if (source.bucket) read_bucket(source, proofs, found.list);
      if (source.catalogue) read_catalogued(files, source, found.list);
    } catch (const SourceError& error) {
      found.trouble = error.what();
    }
    return found;
  }

  void read_bucket(const BackupSource& source, const Proofs& proofs, BackupList& list) {
    const ArchiveBucket& bucket = *source.bucket;
    const Clock& clock = resources_.clock;
    WorkerBuckets buckets(buckets_, resources_.workers, clock, deadline());
    const Instant until = clock.now() + kObjects;
    ArchiveReader().read(
        buckets.files(bucket.at), clock, bucket.archives, source.kinds, proofs,
        [&] { return clock.now() < until && buckets.has_to_spare(bucket.at); }, &list);
  }

  void read_catalogued(Files& files, const BackupSource& source, BackupList& list) {
    const BackupCatalogue& catalogue = *source.catalogue;
    WorkerPrograms programs(resources_.workers, deadline());
    const std::string text = catalogue.command.empty()
                                 ? read_catalogue_file(files, catalogue).text
                                 : CatalogueProgram().ask(programs, resources_.clock, catalogue);
    read_catalogue(json_, resources_.clock, catalogue, text, source.kinds, &list);
  }

  ProcessResources& resources_;
  const Snapshot& snapshot_;
  const SaxJson json_;
  BucketStore buckets_;
};

ExitCode code_for(State overall) {
  if (overall == State::violated) return ExitCode::violated;
  return overall == State::proven ? ExitCode::proven : ExitCode::unproven;
}

}  // namespace

ExitCode show_backups(const BackupsCommand& command) {
  auto read = options_or_complain(command.config_path);
  if (!read) return ExitCode::usage;
  Options options = about_backups(std::move(*read));
  take_signals();
  const SystemClock clock;
  auto resources = std::make_unique<ProcessResources>(clock);
  const SavedState state = state_on_record(options.state_dir, clock);
  if (state.saved_at == 0)
    say("there is nothing on record, so readings and earlier findings are not shown. HINT: run it "
        "beside the exporter, as its user; the configuration names its state_dir");
  add_acceptances(acceptances_on_record(state), clock.unix_now(), options);
  Runtime runtime(std::move(options), *resources, evidence_on_record(state, clock));
  if (const int signal = sample_once(runtime, clock, false)) {
    say("interrupted; not everything was read");
    leave(interrupted_by(signal));
  }
  const auto snapshot = runtime.evidence()->snapshot();
  const std::vector<ServerOptions>& servers = runtime.options().servers;
  const BackupOverview overview =
      make_backup_overview(servers, *snapshot, make_report(*snapshot, clock),
                           Listing(*resources, *snapshot).of(servers), clock);
  const std::string text = command.format == OverviewFormat::json ? backups_as_json(overview)
                                                                  : backups_as_text(overview);
  std::fwrite(text.data(), 1, text.size(), stdout);
  const ExitCode code = code_for(overview.overall);
  if (resources->workers.given_up() > 0) leave(code);
  return code;
}

}  // namespace pg_integrity
