// What a backup file is and when it was made, told from the file itself: the header of a pg_dump
// archive, else a time in its name, else nothing. Pure functions; safe on any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "collectors/base/instant.h"
#include "collectors/ports/clock.h"

namespace pg_integrity {

/// A moment and how precisely it is known: it lies in [earliest, latest].
struct ArchiveTime {
  UnixTime earliest = 0;
  UnixTime latest = 0;
};

/// How many bytes of an archive the functions below want to see.
inline constexpr std::size_t kArchiveHeadBytes = 4096;

/// pg_dump's custom or tar format, or toc.dat of its directory format, with a whole header.
bool is_archive(std::string_view head);

/// Begins as what zstd, lz4, xz or bzip2 compress does.
bool is_compressed(std::string_view head);

/// An archive, a plain dump of pg_dump or pg_dumpall, or base.tar of pg_basebackup; of what zstd,
/// lz4, xz or bzip2 compressed nothing but that is known, and it is taken for one.
/// @param head of a gzip file the first bytes of its content.
bool is_backup(std::string_view head);

/// The time a pg_dump archive (custom format, toc.dat of the directory format, tar) or a plain dump
/// made with --verbose says it was started, in wall-clock time of the machine that ran pg_dump.
/// @param zone that machine's zone, where the archive does not name one.
std::optional<ArchiveTime> header_time(std::string_view head, const Clock& clock,
                                       const std::string& zone);

/// The first date, with or without a time of day, in a file name: 2025-12-03, 20251203T0000,
/// 2025-12-03_00-00-00 and the like. A date alone means any moment of that day; a Z after the time
/// of day means UTC whatever the zone.
std::optional<ArchiveTime> name_time(const std::string& name, const Clock& clock,
                                     const std::string& zone);

}  // namespace pg_integrity
