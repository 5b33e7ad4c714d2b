// What readings of backups to their end found out, and the text in which the collector `proofs`
// remembers it. The collector `backups` reads that text, too. Values; safe on any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/ports/files.h"
#include "collectors/recovery/drill_records.h"

namespace pg_integrity {

/// A reading that came to an end.
struct ReadBackup {
  /// Its level is `contents` if nothing is wrong and damage would have been seen, else `plausible`.
  ProofRecord proof;
  double rows = 0;
  std::string how;  ///< "every checksum is right"; or why its level is not higher. For people
};

/// All readings that are remembered.
class ReadBackups {
 public:
  ReadBackups() = default;
  /// @param text of text(). Lines that are none are passed over.
  explicit ReadBackups(const std::string& text);

  [[nodiscard]] std::string text() const;
  /// Adds a reading. It replaces one of the same file.
  void add(ReadBackup read);
  /// Forgets what is known of the file at that path.
  void forget(const std::string& path);
  /// The reading of that entry as it is now; nullptr if there is none.
  [[nodiscard]] const ReadBackup* of(const std::string& path, const FileEntry& entry) const;
  [[nodiscard]] const std::vector<ReadBackup>& all() const { return all_; }

 private:
  std::vector<ReadBackup> all_;  ///< the oldest first
};

/// The newest proof record of each backup, by the backup's path.
using Proofs = std::map<std::string, ProofRecord>;

/// Joins what drills and readings have found.
Proofs newest_proofs(const std::vector<ProofRecord>& drills, const ReadBackups& read);

/// Joins two records of the same file. The level is the higher one, and a fault of either counts.
ProofRecord joined(const ProofRecord& a, const ProofRecord& b);

}  // namespace pg_integrity
