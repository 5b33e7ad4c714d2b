#include "collectors/recovery/archive_directory.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/options/backups.h"
#include "collectors/options/proof_level.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/files.h"
#include "collectors/recovery/archive_header.h"
#include "collectors/recovery/base_backup_manifest.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kMaxEntries = 10000;
constexpr std::size_t kMaxMembers = 200000;  // files in one folder
constexpr std::size_t kMaxArchived = 2000000;
constexpr std::size_t kMaxManifest = std::size_t{256} << 20;

struct Seen {
  ArchiveVerdict verdict;
  std::string head;
  std::optional<std::vector<std::string>> wal_elsewhere{};
  std::optional<double> bytes{};  ///< of a base backup
  UnixTime changed_within = 0;
};

using State = ArchiveVerdict::State;

const FileEntry* find(const std::vector<FileEntry>& files, const std::string& name) {
  const auto found = std::find_if(files.begin(), files.end(),
                                  [&](const FileEntry& file) { return file.name == name; });
  return found == files.end() ? nullptr : &*found;
}

/// What it needs of the log and does not hold in its pg_wal.
std::vector<std::string> not_in(const std::vector<FileEntry>& held,
                                std::vector<std::string> needed) {
  std::set<std::string> names;
  for (const FileEntry& file : held)
    if (file.kind == FileKind::file && file.size > 0) names.insert(file.name);
  std::erase_if(needed, [&](const std::string& segment) { return names.contains(segment); });
  return needed;
}

/// A folder of pg_basebackup: a whole data directory, or tar files of it.
Seen see_base_backup(Files& files, const std::string& path, const std::vector<FileEntry>& members,
                     bool archived) {
  Seen seen{{State::plausible, {}}, {}};
  if (find(members, kManifestName) == nullptr) {
    seen.verdict = {State::damaged, "its manifest is missing: nothing tells whether it is whole"};
    for (const FileEntry& member : members)
      seen.changed_within = std::max(seen.changed_within, member.modified);
    return seen;
  }
  const bool plain = find(members, kLabelName) != nullptr;
  const bool packed = find(members, "base.tar.gz") != nullptr;
  if (plain)
    seen.head = files.head(path + "/" + kLabelName, kArchiveHeadBytes);
  else if (packed || find(members, "base.tar") != nullptr)
    seen.head = files.head(path + (packed ? "/base.tar.gz" : "/base.tar"), kArchiveHeadBytes);
  const auto manifest = read_manifest(files.contents(path + "/" + kManifestName, kMaxManifest));
  const auto needed = manifest ? segments_needed(*manifest, seen.head) : std::nullopt;
  if (!manifest)
    seen.verdict = {State::damaged, "its manifest is none, or cut short"};
  else if (!needed)
    seen.verdict = {State::damaged, "its label is missing, or none"};
  if (!needed) return seen;
  seen.bytes = manifest->bytes;
  const bool has_log =
      find(members, "pg_wal.tar") != nullptr || find(members, "pg_wal.tar.gz") != nullptr;
  if (plain)
    seen.wal_elsewhere = not_in(files.list(path + "/pg_wal", "*", kMaxMembers), *needed);
  else
    seen.wal_elsewhere = has_log ? std::vector<std::string>() : *needed;
  if (!plain && !has_log && !archived)
    seen.verdict = {
        State::other,
        "whether base.tar holds its log is not looked into. HINT: pg_basebackup -X stream"};
  return seen;
}

Seen see(Files& files, const ArchiveDirectory& directory, const FileEntry& entry) {
  const std::string path = directory.path + "/" + entry.name;
  if (entry.kind == FileKind::directory) {
    const std::vector<FileEntry> members = files.list(path, "*", kMaxMembers);
    if (find(members, kManifestName) != nullptr || find(members, kLabelName) != nullptr)
      return see_base_backup(files, path, members, !directory.wal_archive.empty());
    std::string toc = files.head(path + "/toc.dat", kMaxContentsBytes);
    ArchiveVerdict verdict = check_archive_folder(toc, members, directory.database);
    return {std::move(verdict), std::move(toc)};
  }
  FileEnds ends = files.ends(path, kArchiveHeadBytes, kArchiveTailBytes);
  ArchiveVerdict verdict = check_archive(ends, entry.size, directory.database);
  return {std::move(verdict), std::move(ends.head)};
}

/// The archive's own header, else its name, else the time of its last change; where they disagree
/// the oldest is taken: a copy is no younger than what it copies.
NewestBackup oldest_claim(const std::string& head, const Clock& clock,
                          const ArchiveDirectory& directory, const FileEntry& entry) {
  NewestBackup claim{entry.modified, {}, entry.size, "mtime", ProofLevel::plausible};
  claim.name = entry.name;
  if (const auto named = name_time(entry.name, clock, directory.zone);
      named && named->latest <= claim.time) {
    claim.time = named->latest;
    claim.time_source = "name";
  }
  auto header = header_time(head, clock, directory.zone);
  if (!header) header = label_time(head, clock, directory.zone);
  if (header && header->latest <= claim.time) {
    claim.time = header->latest;
    claim.time_source = "header";
  }
  return claim;
}

/// A folder without toc.dat (io) and a damaged gzip file (decode) are no backups; what could not be
/// opened for other reasons may be one.
bool may_be_backup(const FileEntry& entry, Reason reason) {
  return reason == Reason::permission ||
         (reason == Reason::io && entry.kind != FileKind::directory);
}

void add_unreadable(KindHistory& kind, const Unreadable& entry) {
  if (!kind.newest_unreadable || entry.changed > kind.newest_unreadable->changed)
    kind.newest_unreadable = entry;
}

/// @return the status.
BackupStatus reject(KindHistory& kind, const FileEntry& entry, BackupStatus status,
                    const std::string& why) {
  if (!kind.newest_rejected || entry.modified > kind.newest_rejected->changed)
    kind.newest_rejected =
        Rejected{entry.modified, entry.name, why, status == BackupStatus::failed};
  return status;
}

/// What was found of it as it is now; nullptr: nobody has looked into it.
const ProofRecord* proof_of(const Proofs& proofs, const ArchiveDirectory& directory,
                            const FileEntry& entry) {
  const std::string path = directory.path + "/" + entry.name;
  const auto found = proofs.find(path);
  return found != proofs.end() && found->second.is_of(path, entry) ? &found->second : nullptr;
}

}  // namespace

ArchiveReader::Look ArchiveReader::look_at(Files& files, const Clock& clock,
                                           const ArchiveDirectory& directory,
                                           const FileEntry& entry) {
  const auto before = known_.find(entry.name);
  if (before != known_.end() && before->second.modified == entry.modified &&
      before->second.size == entry.size)
    return before->second;
  Look look{entry.modified, entry.size, {}, {}, {}, {}};
  try {
    Seen seen = see(files, directory, entry);
    look.verdict = std::move(seen.verdict);
    if (look.verdict.state == ArchiveVerdict::State::plausible)
      look.backup = oldest_claim(seen.head, clock, directory, entry);
    if (seen.bytes) look.backup.size = seen.bytes;
    look.wal_elsewhere = std::move(seen.wal_elsewhere);
    look.changed_within = seen.changed_within;
    if (look.changed_within == 0) known_.insert_or_assign(entry.name, look);
  } catch (const SourceError& error) {
    if (error.reason() == Reason::timeout) throw;
    if (may_be_backup(entry, error.reason()))
      look.unreadable = Unreadable{entry.modified, error.reason(), error.what()};
    else
      look.verdict = {error.reason() == Reason::decode ? ArchiveVerdict::State::damaged
                                                       : ArchiveVerdict::State::other,
                      "it cannot be read as a backup"};
  }
  return look;
}

std::string ArchiveReader::missing_segment(Files& files, const ArchiveDirectory& directory,
                                           const Look& look) {
  if (look.wal_elsewhere->empty()) return {};
  if (!archived_) {
    archived_.emplace();
    if (!directory.wal_archive.empty())
      for (const FileEntry& file : files.list(directory.wal_archive, "*", kMaxArchived))
        if (file.kind == FileKind::file && file.size > 0) archived_->push_back(file.name);
    std::sort(archived_->begin(), archived_->end());
  }
  for (const std::string& segment : *look.wal_elsewhere) {
    bool found = false;
    for (auto at = std::lower_bound(archived_->begin(), archived_->end(), segment);
         !found && at != archived_->end() && at->starts_with(segment); ++at)
      found = is_segment(*at, segment);
    if (!found) return segment;
  }
  return {};
}

BackupStatus ArchiveReader::classify(Files& files, const Clock& clock,
                                     const ArchiveDirectory& directory, const FileEntry& entry,
                                     const Proofs& proofs, KindHistory& kind) {
  if (entry.kind == FileKind::other) {
    if (entry.trouble)
      add_unreadable(kind, {entry.modified > 0 ? entry.modified : HUGE_VAL, *entry.trouble,
                            directory.path + "/" + entry.name + " cannot be read"});
    return BackupStatus::other;
  }
  if (entry.read_at - entry.modified < directory.settle.count()) return BackupStatus::running;
  if (entry.size < directory.min_size)
    return reject(kind, entry, BackupStatus::failed, "it is too small");
  const auto before = known_.find(entry.name);
  const bool grows = before != known_.end() && before->second.modified == entry.modified &&
                     before->second.size < entry.size;
  const Look look = look_at(files, clock, directory, entry);
  if (grows) return BackupStatus::running;  // whoever writes it sets its time, too
  if (look.unreadable) {
    add_unreadable(kind, *look.unreadable);
    return BackupStatus::other;
  }
  if (entry.read_at - look.changed_within < directory.settle.count())
    return BackupStatus::running;  // pg_basebackup writes below it
  if (look.verdict.state != ArchiveVerdict::State::plausible) {
    const bool damaged = look.verdict.state == ArchiveVerdict::State::damaged;
    return reject(kind, entry, damaged ? BackupStatus::failed : BackupStatus::other,
                  look.verdict.why);
  }
  if (look.wal_elsewhere) {
    ++kind.base_backups;
    try {
      const std::string segment = missing_segment(files, directory, look);
      if (!segment.empty()) {
        ++kind.without_log;
        return reject(kind, entry, BackupStatus::failed,
                      "it needs " + segment + " of the log, which is nowhere");
      }
    } catch (const SourceError& error) {
      if (error.reason() == Reason::timeout) throw;
      add_unreadable(kind, {entry.modified, error.reason(), error.what()});
      return BackupStatus::other;
    }
  }
  NewestBackup backup = look.backup;
  backup.age = Seconds(entry.read_at - backup.time);
  if (const ProofRecord* proof = proof_of(proofs, directory, entry)) {
    if (proof->disproved()) {
      ++kind.disproved;
      return reject(kind, entry, BackupStatus::failed, "a proof failed: " + proof->disproof);
    }
    backup.level = std::max(proof->level, ProofLevel::plausible);
  }
  kind.add(backup, directory.usable);
  return BackupStatus::success;
}

BackupHistory ArchiveReader::read(Files& files, const Clock& clock,
                                  const ArchiveDirectory& directory,
                                  const std::vector<BackupKind>& kinds, const Proofs& proofs) {
  BackupHistory found = empty_history(kinds);
  archived_.reset();
  std::set<std::string> present;
  for (const BackupKind& declared : kinds) {
    KindHistory& kind = found.kinds[declared.name];
    for (const FileEntry& entry : files.list(directory.path, declared.pattern, kMaxEntries)) {
      ++kind.runs[static_cast<std::size_t>(classify(files, clock, directory, entry, proofs, kind))];
      present.insert(entry.name);
    }
  }
  std::erase_if(known_, [&](const auto& known) { return !present.contains(known.first); });
  return found;
}

}  // namespace pg_integrity
