// Reads the label and the manifest that pg_basebackup leaves in a folder, beside a whole data
// directory or tar files. Pure functions; safe on any thread. See "Backup Manifest Format" in
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

/// The time at which the backup began, as its label says.
/// @param zone the server's log_timezone. It is used unless the label names UTC or GMT.
std::optional<ArchiveTime> label_time(std::string_view label, const Clock& clock,
                                      const std::string& zone);

struct BackupManifest {
  struct WalRange {
    std::uint64_t timeline = 0;
    std::uint64_t start = 0;  ///< position in the WAL, in bytes
    std::uint64_t end = 0;    ///< the same, exclusive
  };
  double bytes = 0;           ///< of all files that it lists
  std::vector<WalRange> wal;  ///< from start to stop of the backup
};

/// @return nullopt if the text is no manifest, or not a whole one.
std::optional<BackupManifest> read_manifest(std::string_view text);

/// The names of the WAL segments that the backup needs up to its stop.
/// @param label the backup's label, which tells how large a segment is.
/// @return nullopt if the label does not tell, or if there are more segments than a backup can
/// need.
std::optional<std::vector<std::string>> segments_needed(const BackupManifest& manifest,
                                                        std::string_view label);

/// Whether a file of the WAL archive is that segment, plain or compressed.
/// @param file its name.
bool is_segment(std::string_view file, std::string_view segment);

}  // namespace pg_integrity
