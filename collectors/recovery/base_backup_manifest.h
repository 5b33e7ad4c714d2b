// What pg_basebackup leaves, as a folder with a whole data directory or with tar files: what its
// label and its manifest say. Pure functions; safe on any thread. See "Backup Manifest Format" in
// PostgreSQL's documentation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/ports/clock.h"
#include "collectors/recovery/archive_header.h"

namespace pg_integrity {

/// The file that pg_basebackup writes last.
inline constexpr const char* kManifestName = "backup_manifest";
/// The file that recovery begins with.
inline constexpr const char* kLabelName = "backup_label";

/// When the backup was begun, as its label says.
/// @param zone that the server's log_timezone was, where the label names none that is known.
std::optional<ArchiveTime> label_time(std::string_view label, const Clock& clock,
                                      const std::string& zone);

struct BackupManifest {
  struct WalRange {
    std::uint64_t timeline = 0;
    std::uint64_t start = 0;  ///< positions in the log
    std::uint64_t end = 0;
  };
  double bytes = 0;           ///< of all files that it lists
  std::vector<WalRange> wal;  ///< from start to stop of the backup
};

/// Nothing if it is no manifest, or not a whole one.
std::optional<BackupManifest> read_manifest(std::string_view text);

/// The segments of the log that the backup needs up to its stop.
/// @param label tells how large segments are.
/// @return nothing if it does not, or they are more than a backup can need.
std::optional<std::vector<std::string>> segments_needed(const BackupManifest& manifest,
                                                        std::string_view label);

/// That file of an archive of the log is that segment, as it is or compressed.
bool is_segment(std::string_view file, std::string_view segment);

}  // namespace pg_integrity
