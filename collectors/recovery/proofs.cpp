// Proofs: whether a backup of each kind was read to its end, or restored, recently enough. The
// collector reads the newest backups of directories by itself, slowly and one after the other.
#include <algorithm>
#include <map>
#include <optional>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/options/backups.h"
#include "collectors/options/server.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/decoder.h"
#include "collectors/ports/files.h"
#include "collectors/recovery/archive_directory.h"
#include "collectors/recovery/backup_history.h"
#include "collectors/recovery/digest_list.h"
#include "collectors/recovery/drill_records.h"
#include "collectors/recovery/proof_report.h"
#include "collectors/recovery/proof_state.h"
#include "collectors/recovery/read_backups.h"

namespace pg_integrity::proofs {

namespace {

using proof_metrics::kBytes;
using proof_metrics::kMaxAge;
using proof_metrics::kMetrics;
using proof_metrics::kProved;
constexpr std::string_view kIdentity[] = {"source", "kind"};
constexpr std::string_view kServerOptions[] = {"backups", "drills"};

constexpr Option kOptions[] = {{.name = "proof_rate",
                                .type = OptionType::size,
                                .fallback = "20MB",
                                .help = "bytes a second at most that are read of backups",
                                .min = 1000}};

constexpr Seconds kWeek{7.0 * 86400};
constexpr Seconds kWhile{600};  ///< until what could not be read is tried again
constexpr Seconds kTurn{0.5};   ///< between two questions how far the reading has come
constexpr Seconds kStep{4};     ///< the time that a step reads
constexpr Seconds kPass{50};    ///< the time that a pass reads, of a minute
constexpr std::size_t kMaxDigests = std::size_t{16} << 20;  ///< bytes of a list of digests
/// A kind of backup that nobody here can read.
struct Elsewhere {
  std::string source;
  std::string kind;
  std::string_view why;
};

constexpr std::string_view kOfRecord =
    "what is on record is not read here, so nothing tells that it can be got back. HINT: give the "
    "files a source with `directory`, and run drills: pg_integrity_exporter drill";
constexpr std::string_view kOfBucket =
    "objects of a bucket are not read to their end here, so nothing tells that they can be got "
    "back. HINT: make it the `copy_of` a source with `directory`, which is read";

/// A backup that is not read until then.
struct Postponed {
  Instant until{};
  std::string why;
};

class Proofs final : public Collector {
 public:
  explicit Proofs(const Configuration& given) : rate_(given.own.number("proof_rate")) {
    if (given.server.drills) {
      drills_ = given.server.drills->directory;
      drill_max_age_ = given.server.drills->max_age;
    }
    for (const BackupSource& source : given.server.backups) {
      if (source.directory) {
        sources_.push_back(source);
        // What is plausible is read, whatever level it must reach to count.
        sources_.back().directory->usable = ProofLevel::plausible;
        continue;
      }
      if (source.bucket && !source.copy_of.empty()) continue;
      for (const BackupKind& kind : source.kinds)
        if (kind.schedule.promised())
          elsewhere_.push_back({source.name, kind.name, source.bucket ? kOfBucket : kOfRecord});
    }
  }

  void declare(Batch& out) const override {
    for (const BackupSource& source : sources_) {
      out.count(kBytes, 0, source.name);
      for (const BackupKind& kind : source.kinds)
        if (is_asked_for(source, kind))
          out.set(kMaxAge, max_age(source).count(), source.name, kind.name);
    }
  }

  Progress collect(Sources& from, Batch& out) override {
    recall(from);
    if (from.position().empty()) {
      began_ = from.clock().now();
      look_around(from);
      report(from, out);
      from.position() = "reading";
      return Progress::more;
    }
    const Instant step_end = from.clock().now() + kStep;
    while (from.clock().now() < step_end) {
      if (!from.decoder().reading() && !begin(from, out)) return Progress::done;
      if (!read_on(from, out)) break;
    }
    report(from, out);
    return from.clock().now() - began_ < kPass ? Progress::more : Progress::done;
  }

 private:
  static Seconds max_age(const BackupSource& source) {
    return source.proof_max_age.value_or(kWeek);
  }

  /// A copy rests on its original, which must be proved. Kinds without a schedule are asked for a
  /// proof once there is a backup.
  static bool is_asked_for(const BackupSource& source, const BackupKind& kind) {
    return source.copy_of.empty() && (kind.schedule.promised() || source.proof_max_age);
  }

  void recall(Sources& from) {
    if (recalled_) return;
    recalled_ = true;
    if (const auto text = from.remembered()) read_ = ReadBackups(*text);
  }

  /// Lists the directories and the records of drills.
  void look_around(Sources& from) {
    drilled_.clear();
    if (!drills_.empty()) drilled_ = records_.read(from.files(), from.json(), drills_).records;
    const pg_integrity::Proofs known = newest_proofs(drilled_, read_);
    kinds_.clear();
    troubles_.clear();
    for (const BackupSource& source : sources_) {
      try {
        look_at(from, source, known);
      } catch (const SourceError& error) {
        for (const BackupKind& kind : source.kinds) {
          kinds_.push_back(kind_of(source, kind));
          troubles_.emplace(kinds_.size() - 1, error);
        }
      }
    }
  }

  [[nodiscard]] ProvedKind kind_of(const BackupSource& source, const BackupKind& kind) const {
    ProvedKind proved{
        source.name, kind.name, source.directory->path, {kind.pattern}, max_age(source)};
    for (const BackupKind& other : source.kinds)
      if (std::find(kind.satisfied_by.begin(), kind.satisfied_by.end(), other.name) !=
          kind.satisfied_by.end())
        proved.patterns.push_back(other.pattern);
    proved.drill_max_age = drill_max_age_;
    proved.promised_age = source.proof_max_age.has_value();
    proved.promised = is_asked_for(source, kind);
    return proved;
  }

  void look_at(Sources& from, const BackupSource& source, const pg_integrity::Proofs& known) {
    BackupHistory history = archives_[source.name].read(from.files(), from.clock(),
                                                        *source.directory, source.kinds, known);
    apply_satisfied_by(source.kinds, history);
    const bool readable =
        source.directory->proof.value_or(!from.files().is_remote(source.directory->path));
    for (const BackupKind& kind : source.kinds) {
      ProvedKind proved = kind_of(source, kind);
      const KindHistory& found = history.kinds.at(kind.name);
      proved.newest = found.newest;
      proved.rejected = found.newest_rejected;
      proved.readable = readable;
      if (found.newest) reconsider(from.files(), proved);
      apply_postponement(from, proved);
      kinds_.push_back(std::move(proved));
    }
  }

  /// A backup that lacked nothing but its digest is read again once that is there.
  void reconsider(Files& files, const ProvedKind& kind) {
    const std::string path = kind.directory + "/" + kind.newest->name;
    if (const ReadBackup* known = read_.of(path, kind.newest->entry);
        known != nullptr && known->how == kNoDigest && !digests_of(files, kind).empty())
      read_.forget(path);
  }

  /// Opens the backup that is to be read next.
  /// @return false if there is none.
  bool begin(Sources& from, Batch& out) {
    for (int tries = 0; tries < 10; ++tries) {
      const ProvedKind* next = next_to_read(kinds_, read_, drilled_, from.clock().unix_now());
      if (next == nullptr) return false;
      now_reading_ = *next;
      target_ = DecodeTarget{next->directory + "/" + next->newest->name, next->newest->entry,
                             digests_of(from.files(), *next)};
      try {
        from.decoder().begin(target_);
        paced_until_ = from.clock().now();
        bytes_ = 0;
        return true;
      } catch (const SourceError& error) {
        if (error.reason() == Reason::timeout || error.reason() == Reason::limit) throw;
        conclude(from, out,
                 {.state = Decoded::State::unknown, .why = error.what(), .reason = error.reason()});
      }
    }
    return false;
  }

  static std::map<std::string, std::string> digests_of(Files& files, const ProvedKind& kind) {
    const std::string& name = kind.newest->name;
    try {
      return digests_in(
          files.contents(kind.directory + "/" + name + std::string(kDigestEnding), kMaxDigests),
          name);
    } catch (const SourceError&) {
      return {};
    }
  }

  /// Reads for one turn, and waits as long as the rate demands.
  /// @return false if the reading has ended.
  bool read_on(Sources& from, Batch& out) {
    const Decoded found = from.decoder().read_on(rate_ * kTurn.count());
    if (found.state != Decoded::State::more) {
      const double size = now_reading_.newest->entry.size;
      out.count(kBytes,
                std::max(0.0, (found.state == Decoded::State::whole ? size : found.at) - bytes_),
                now_reading_.source);
      conclude(from, out, found);
      return false;
    }
    out.count(kBytes, found.bytes - bytes_, now_reading_.source);
    paced_until_ = std::max(paced_until_, from.clock().now() - kTurn) +
                   Seconds((found.bytes - bytes_) / rate_);
    bytes_ = found.bytes;
    if (const Seconds rest = paced_until_ - from.clock().now(); rest > Seconds(0)) from.pause(rest);
    return true;
  }

  /// Notes how a reading ended.
  void conclude(Sources& from, Batch& out, const Decoded& found) {
    bytes_ = 0;
    const bool passes = found.state == Decoded::State::unknown && !is_lasting(found.reason) &&
                        found.reason != Reason::limit;
    if (passes) return postpone(from, found);
    ReadBackup read;
    read.proof.path = target_.path;
    read.proof.inode = target_.as.inode;
    read.proof.size = target_.as.size;
    read.proof.modified = target_.as.modified;
    read.proof.level = ProofLevel::plausible;
    read.proof.checked_at = from.clock().unix_now();
    read.rows = found.rows;
    read.how = found.why;
    if (found.state == Decoded::State::damaged) {
      read.proof.failed_level = ProofLevel::contents;
      read.proof.disproof = "it is damaged at about byte " + whole_number(found.at) + " of " +
                            found.file + ": " + found.why;
    } else if (found.state == Decoded::State::whole) {
      const bool sure = found.covered || found.digest_equal;
      if (sure) read.proof.level = ProofLevel::contents;
      read.how = found.digest_equal ? "its bytes are those of when it was taken"
                 : found.covered    ? "every checksum is right"
                                    : std::string(kNoDigest);
    }
    read_.add(std::move(read));
    out.remember(read_.text());
    look_around(from);
  }

  /// A reading that came to nothing, for a reason that passes, is tried again after a while.
  void postpone(Sources& from, const Decoded& found) {
    postponed_[target_.path] = {from.clock().now() + kWhile, found.why};
    for (ProvedKind& kind : kinds_) apply_postponement(from, kind);
  }

  void apply_postponement(Sources& from, ProvedKind& kind) const {
    if (!kind.newest) return;
    const auto found = postponed_.find(kind.directory + "/" + kind.newest->name);
    if (found == postponed_.end() || found->second.until <= from.clock().now()) return;
    kind.readable = false;
    kind.postponed = found->second.why;
  }

  [[nodiscard]] std::optional<NowReading> now_reading(Sources& from, const ProvedKind& kind) const {
    if (!from.decoder().reading() || now_reading_.source != kind.source ||
        now_reading_.kind != kind.kind)
      return std::nullopt;
    return NowReading{now_reading_.newest->name, bytes_, now_reading_.newest->entry.size};
  }

  void report(Sources& from, Batch& out) {
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
      const auto trouble = troubles_.find(i);
      if (trouble == troubles_.end())
        report_proof(kinds_[i], read_, drilled_, now_reading(from, kinds_[i]),
                     from.clock().unix_now(), out);
      else if (kinds_[i].promised)
        out.unproven(kProved, trouble->second.reason(), trouble->second.what(), kinds_[i].source,
                     kinds_[i].kind);
    }
    for (const Elsewhere& kind : elsewhere_)
      out.unproven(kProved, Reason::not_proved, std::string(kind.why), kind.source, kind.kind);
  }

  const double rate_;   ///< bytes a second
  std::string drills_;  ///< directory of their records; empty if there is none
  Seconds drill_max_age_{};
  std::vector<BackupSource> sources_;  ///< directories
  std::vector<Elsewhere> elsewhere_;
  std::map<std::string, ArchiveReader> archives_;  ///< by source
  ProofReader records_;
  std::vector<ProofRecord> drilled_;
  ReadBackups read_;
  bool recalled_ = false;
  std::map<std::string, Postponed> postponed_;  ///< by path
  std::vector<ProvedKind> kinds_;
  std::map<std::size_t, SourceError> troubles_;  ///< by the place in kinds_
  ProvedKind now_reading_;
  DecodeTarget target_;
  double bytes_ = 0;  ///< read so far
  Instant paced_until_{};
  Instant began_{};
};

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<Proofs>(given);
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{
    .name = "proofs",
    .summary = "whether backups were read to their end, or restored, recently; it reads them",
    .object_noun = "proof",
    .report_section = "Disaster recovery",
    .question = Question::recoverable,
    .lane = Lane::reading,
    .scope = Scope::server,
    .depends_on = DependsOn::outside | DependsOn::time,
    .interval = "1m",
    .deadline = "3m",
    .metrics = kMetrics,
    .identity = kIdentity,
    .options = kOptions,
    .server_options = kServerOptions,
    .wanted = [](const Configuration& given) { return !given.server.backups.empty(); },
    .wanted_hint = "say where backups are: [[server.backups]]",
    .wanted_snippet = kBackupSnippet,
    .reads = no_reads,
    .proves = true,
    .make = make};

}  // namespace pg_integrity::proofs
