#include "collectors/recovery/archive_examination.h"

#include <algorithm>
#include <set>

#include "collectors/base/errors.h"
#include "collectors/options/proof_level.h"
#include "collectors/recovery/archive_header.h"
#include "collectors/recovery/base_backup_manifest.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kMaxManifest = std::size_t{256} << 20;  // bytes

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

/// The needed segments that its pg_wal does not hold.
std::vector<std::string> not_in(const std::vector<FileEntry>& held,
                                std::vector<std::string> needed) {
  std::set<std::string> names;
  for (const FileEntry& file : held)
    if (file.kind == FileKind::file && file.size > 0) names.insert(file.name);
  std::erase_if(needed, [&](const std::string& segment) { return names.contains(segment); });
  return needed;
}

/// A folder of pg_basebackup, which holds a data directory as it is or as tar files.
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
  std::size_t asked = kArchiveHeadBytes;
  FileEnds ends = files.ends(path, asked, kArchiveTailBytes);
  while (asked < kMaxHeadBytes && needs_more_of(ends, asked)) {
    asked = std::min(asked * 64, kMaxHeadBytes);
    ends = files.ends(path, asked, kArchiveTailBytes);
  }
  ArchiveVerdict verdict = check_archive(ends, asked, entry.size, directory);
  return {std::move(verdict), ends.head.substr(0, kArchiveHeadBytes)};
}

/// The time of a backup is the oldest of three claims: the archive's own header, its name, and its
/// modification time. A fresh copy of an old backup thus keeps its age.
NewestBackup oldest_claim(const std::string& head, const Clock& clock,
                          const ArchiveDirectory& directory, const FileEntry& entry) {
  NewestBackup claim{entry.modified, {}, entry.size, "mtime", ProofLevel::plausible};
  claim.name = entry.name;
  claim.entry = entry;
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

/// A folder without toc.dat (io) and a damaged gzip file (decode) are no backups. An entry that
/// could not be opened for another reason may be one.
bool may_be_backup(const FileEntry& entry, Reason reason) {
  return reason == Reason::permission || reason == Reason::missing || reason == Reason::limit ||
         (reason == Reason::io && entry.kind != FileKind::directory);
}

/// Whether the error is not about this entry. So nothing else there can be read either.
bool concerns_all(Reason reason) {
  return says_down(reason) || reason == Reason::config || reason == Reason::clock ||
         reason == Reason::pending;
}

}  // namespace

Examination examine(Files& files, const Clock& clock, const ArchiveDirectory& directory,
                    const FileEntry& entry) {
  Examination found;
  try {
    Seen seen = see(files, directory, entry);
    found.verdict = std::move(seen.verdict);
    if (found.verdict.state == State::plausible)
      found.backup = oldest_claim(seen.head, clock, directory, entry);
    if (seen.bytes) found.backup.size = seen.bytes;
    found.wal_elsewhere = std::move(seen.wal_elsewhere);
    found.changed_within = seen.changed_within;
  } catch (const SourceError& error) {
    if (concerns_all(error.reason())) throw;
    if (may_be_backup(entry, error.reason()))
      found.unreadable = Unreadable{entry.modified, error.reason(), error.what()};
    else
      found.verdict = {error.reason() == Reason::decode ? State::damaged : State::other,
                       "it cannot be read as a backup"};
  }
  return found;
}

}  // namespace pg_integrity
