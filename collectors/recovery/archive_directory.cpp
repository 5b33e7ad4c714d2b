#include "collectors/recovery/archive_directory.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "collectors/base/errors.h"
#include "collectors/base/glob.h"

namespace pg_integrity {

namespace {

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

bool ArchiveReader::is_known(const FileEntry& entry) const {
  const auto before = known_.find(entry.name);
  return before != known_.end() && before->second.modified == entry.modified &&
         before->second.size == entry.size && before->second.inode == entry.inode;
}

Examination ArchiveReader::examined(Files& files, const Clock& clock,
                                    const ArchiveDirectory& directory, const FileEntry& entry) {
  if (is_known(entry)) return known_.at(entry.name).examination;
  Examination found = examine(files, clock, directory, entry);
  if (!found.unreadable && found.changed_within == 0)
    known_.insert_or_assign(entry.name, Known{entry.modified, entry.size, entry.inode, found});
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

/// The entries of a directory, the newest first, each judged at most once.
class ArchiveReader::Reading {
 public:
  Reading(ArchiveReader& reader, Files& files, const Clock& clock,
          const ArchiveDirectory& directory, const Proofs& proofs, std::vector<FileEntry> entries)
      : reader_(reader),
        files_(files),
        clock_(clock),
        directory_(directory),
        proofs_(proofs),
        entries_(std::move(entries)),
        judged_(entries_.size()) {
    std::sort(entries_.begin(), entries_.end(), [](const FileEntry& a, const FileEntry& b) {
      return std::tie(b.modified, a.name) < std::tie(a.modified, b.name);
    });
  }

  /// Judges the entries that the answer about a kind rests on. An entry is not newer than its time
  /// of modification, so older entries than the newest backup cannot hold a newer one.
  void judge_ends_of(const BackupKind& kind) {
    std::size_t good = 0;
    UnixTime newest = 0;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (good >= kEnough && entries_[i].modified <= newest) break;
      if (const auto* backup = backup_of(kind, i)) {
        ++good;
        newest = std::max(newest, backup->time);
      }
    }
    for (std::size_t i = entries_.size(); i-- > 0;)
      if (backup_of(kind, i) != nullptr) break;
  }

  /// Judges the entries that cost nothing, and the others for as long as it may go on.
  void judge_others(const std::function<bool()>& may_go_on) {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const bool costs = may_go_on != nullptr && !reader_.is_known(entries_[i]) &&
                         !judge_unread(directory_, entries_[i]).has_value();
      if (!costs || may_go_on()) judge_at(i);
    }
  }

  /// @param list gets what was judged; nullptr: nobody wants it.
  void add_to(const BackupKind& kind, KindHistory& history, BackupList* list) const {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const FileEntry& entry = entries_[i];
      if (!matches_glob(kind.pattern, entry.name)) continue;
      if (!judged_[i]) {
        ++history.unread;
        continue;
      }
      add(history, *judged_[i], directory_.usable);
      if (list != nullptr)
        (*list)[kind.name].push_back(
            listed(directory_, entry, *judged_[i], proof_of(proofs_, directory_, entry)));
    }
  }

 private:
  static constexpr std::size_t kEnough = 8;  ///< successes; no answer asks for more sizes

  const ArchiveJudgement& judge_at(std::size_t i) {
    if (!judged_[i])
      judged_[i] = reader_.judge_entry(files_, clock_, directory_, entries_[i], proofs_);
    return *judged_[i];
  }

  /// The backup that the entry is; nullptr if it is none of that kind that counts.
  const NewestBackup* backup_of(const BackupKind& kind, std::size_t i) {
    if (!matches_glob(kind.pattern, entries_[i].name)) return nullptr;
    const ArchiveJudgement& judgement = judge_at(i);
    return judgement.backup && judgement.backup->level >= directory_.usable ? &*judgement.backup
                                                                            : nullptr;
  }

  ArchiveReader& reader_;
  Files& files_;
  const Clock& clock_;
  const ArchiveDirectory& directory_;
  const Proofs& proofs_;
  std::vector<FileEntry> entries_;
  std::vector<std::optional<ArchiveJudgement>> judged_;
};

BackupHistory ArchiveReader::read(Files& files, const Clock& clock,
                                  const ArchiveDirectory& directory,
                                  const std::vector<BackupKind>& kinds, const Proofs& proofs,
                                  const std::function<bool()>& may_go_on, BackupList* list) {
  BackupHistory found = empty_history(kinds);
  log_.reset();
  std::vector<FileEntry> entries =
      files.list(directory.path, patterns_of(kinds), directory.max_entries);
  std::erase_if(entries, [](const FileEntry& entry) { return is_note(entry.name); });
  std::set<std::string> present;
  for (const FileEntry& entry : entries) present.insert(entry.name);
  Reading reading(*this, files, clock, directory, proofs, std::move(entries));
  if (may_go_on)
    for (const BackupKind& kind : kinds) reading.judge_ends_of(kind);
  reading.judge_others(may_go_on);
  for (const BackupKind& kind : kinds) reading.add_to(kind, found.kinds[kind.name], list);
  std::erase_if(known_, [&](const auto& known) { return !present.contains(known.first); });
  return found;
}

}  // namespace pg_integrity
