#include "collectors/recovery/archive_directory.h"

#include <algorithm>
#include <set>

#include "collectors/base/errors.h"
#include "collectors/base/glob.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kMaxEntries = 10000;
constexpr std::size_t kMaxArchived = 2000000;

/// The newest record about the entry as it is now; nullptr if there is none.
const ProofRecord* proof_of(const Proofs& proofs, const ArchiveDirectory& directory,
                            const FileEntry& entry) {
  const std::string path = directory.path + "/" + entry.name;
  const auto found = proofs.find(path);
  return found != proofs.end() && found->second.is_of(path, entry) ? &found->second : nullptr;
}

/// What `drill --record` and sha256sum leave beside a backup.
bool is_note(const std::string& name) {
  return name.ends_with(kDigestEnding) || name.ends_with(".record.json");
}

std::vector<std::string> patterns_of(const std::vector<BackupKind>& kinds) {
  std::vector<std::string> patterns;
  for (const BackupKind& kind : kinds) patterns.push_back(kind.pattern);
  return patterns;
}

}  // namespace

Examination ArchiveReader::examined(Files& files, const Clock& clock,
                                    const ArchiveDirectory& directory, const FileEntry& entry) {
  const auto before = known_.find(entry.name);
  if (before != known_.end() && before->second.modified == entry.modified &&
      before->second.size == entry.size)
    return before->second.examination;
  Examination found = examine(files, clock, directory, entry);
  if (!found.unreadable && found.changed_within == 0)
    known_.insert_or_assign(entry.name, Known{entry.modified, entry.size, found});
  return found;
}

const ArchivedLog& ArchiveReader::archived_log(Files& files, const ArchiveDirectory& directory) {
  if (log_) return *log_;
  ArchivedLog log;
  try {
    if (!directory.wal_archive.empty())
      for (const FileEntry& file : files.list(directory.wal_archive, "*", kMaxArchived))
        if (file.kind == FileKind::file && file.size > 0) log.segments.push_back(file.name);
    std::sort(log.segments.begin(), log.segments.end());
  } catch (const SourceError& error) {
    if (error.reason() == Reason::timeout) throw;
    log.trouble = Unreadable{0, error.reason(), error.what()};
  }
  return log_.emplace(std::move(log));
}

ArchiveJudgement ArchiveReader::judge_entry(Files& files, const Clock& clock,
                                            const ArchiveDirectory& directory,
                                            const FileEntry& entry, const Proofs& proofs) {
  if (auto judgement = judge_unread(directory, entry)) return *judgement;
  const auto before = known_.find(entry.name);
  const bool grows = before != known_.end() && before->second.modified == entry.modified &&
                     before->second.size < entry.size;
  const Examination found = examined(files, clock, directory, entry);
  const bool needs_log = found.wal_elsewhere && !found.wal_elsewhere->empty();
  static const ArchivedLog none;
  return judge(directory, {entry, found, needs_log ? archived_log(files, directory) : none,
                           proof_of(proofs, directory, entry), grows});
}

BackupHistory ArchiveReader::read(Files& files, const Clock& clock,
                                  const ArchiveDirectory& directory,
                                  const std::vector<BackupKind>& kinds, const Proofs& proofs) {
  BackupHistory found = empty_history(kinds);
  log_.reset();
  std::set<std::string> present;
  for (const FileEntry& entry : files.list(directory.path, patterns_of(kinds), kMaxEntries)) {
    if (is_note(entry.name)) continue;
    present.insert(entry.name);
    const ArchiveJudgement judgement = judge_entry(files, clock, directory, entry, proofs);
    for (const BackupKind& kind : kinds)
      if (matches_glob(kind.pattern, entry.name))
        add(found.kinds[kind.name], judgement, directory.usable);
  }
  std::erase_if(known_, [&](const auto& known) { return !present.contains(known.first); });
  return found;
}

}  // namespace pg_integrity
