#include "collectors/recovery/backup_history.h"

#include <algorithm>

#include "collectors/base/errors.h"
#include "collectors/options/backups.h"
#include "collectors/options/proof_level.h"
#include "collectors/postgres/table_scan.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kRecent = 7;  ///< backups whose sizes tell what is usual

bool is_newer(const NewestBackup& backup, const std::optional<NewestBackup>& than) {
  return !than || backup.time > than->time;
}

}  // namespace

void keep_youngest(std::optional<Seconds>& age, const std::optional<Seconds>& other) {
  if (other && (!age || *other < *age)) age = other;
}

void KindHistory::add(const NewestBackup& backup, ProofLevel usable) {
  if (backup.level < usable) {
    ++waiting;
    if (is_newer(backup, newest_waiting)) newest_waiting = backup;
    return;
  }
  if (is_newer(backup, newest)) newest = backup;
  if (backup.size) sizes[backup.time] = *backup.size;
  keep_youngest(finished_age, backup.finished_age);
  if (!oldest_age || backup.age > *oldest_age) oldest_age = backup.age;
  if (backup.level >= ProofLevel::contents) keep_youngest(proven_age, backup.age);
}

std::vector<double> KindHistory::newest_sizes(std::size_t most) const {
  std::vector<double> newest_first;
  for (auto it = sizes.rbegin(); it != sizes.rend() && newest_first.size() < most; ++it)
    newest_first.push_back(it->second);
  return newest_first;
}

std::optional<double> KindHistory::size_ratio() const {
  constexpr std::size_t kFewest = 3;
  std::vector<double> before = newest_sizes(kRecent + 1);
  if (before.size() <= kFewest) return std::nullopt;
  const double last = before.front();
  before.erase(before.begin());
  const auto middle = before.begin() + static_cast<std::ptrdiff_t>(before.size() / 2);
  std::nth_element(before.begin(), middle, before.end());
  return *middle > 0 ? std::optional(last / *middle) : std::nullopt;
}

std::optional<double> KindHistory::largest_size() const {
  const std::vector<double> recent = newest_sizes(kRecent);
  if (recent.empty()) return std::nullopt;
  return *std::max_element(recent.begin(), recent.end());
}

BackupHistory empty_history(const std::vector<BackupKind>& kinds) {
  BackupHistory history;
  for (const BackupKind& kind : kinds) history.kinds[kind.name];
  return history;
}

namespace {

void apply_to(std::map<std::string, KindHistory>& kinds, const std::vector<BackupKind>& declared) {
  const std::map<std::string, KindHistory> own = kinds;
  for (const BackupKind& kind : declared) {
    KindHistory& here = kinds[kind.name];
    for (const std::string& other : kind.satisfied_by) {
      const KindHistory& does = own.at(other);
      if (does.newest && is_newer(*does.newest, here.newest)) here.newest = does.newest;
      keep_youngest(here.finished_age, does.finished_age);
      keep_youngest(here.proven_age, does.proven_age);
    }
  }
}

}  // namespace

void apply_satisfied_by(const std::vector<BackupKind>& kinds, BackupHistory& history) {
  apply_to(history.kinds, kinds);
  for (auto& [name, repository] : history.repositories) apply_to(repository.kinds, kinds);
}

}  // namespace pg_integrity
