// Tells from a backup file itself what it is and when it was made. The time comes from the header
// of a pg_dump archive or from the file's name. Pure functions; safe on any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "collectors/base/instant.h"
#include "collectors/ports/clock.h"

namespace pg_integrity {

/// A moment within [earliest, latest].
struct ArchiveTime {
  UnixTime earliest = 0;
  UnixTime latest = 0;
};

/// How many bytes of an archive the functions below need.
inline constexpr std::size_t kArchiveHeadBytes = 4096;

/// Whether it is pg_dump's custom or tar format, or toc.dat of its directory format, with a whole
/// header.
bool is_archive(std::string_view head);

/// Whether it begins with the magic number of zstd, lz4, xz or bzip2.
bool is_compressed(std::string_view head);

/// The program that encrypted it, as its first bytes tell: gpg, age or openssl.
/// @return an empty text if they tell of none.
std::string_view encrypted_by(std::string_view head);

/// Whether a plain dump or the table of contents of an archive has rows or large objects. If the
/// bytes end before them, it is not known yet.
/// @param head the first bytes. For a gzip file these are the first bytes of its content.
bool shows_data(std::string_view head);

/// Whether it is an archive, a plain dump of pg_dump or pg_dumpall, or base.tar of pg_basebackup.
/// A file that zstd, lz4, xz or bzip2 compressed is taken for a backup without reading it.
/// @param head the first bytes. For a gzip file these are the first bytes of its content.
bool is_backup(std::string_view head);

/// The time at which the dump was started, as its header says it in the wall-clock time of the
/// machine that ran pg_dump. Archives have it, and plain dumps that were made with --verbose.
/// @param zone that machine's time zone, used where the header names none.
std::optional<ArchiveTime> header_time(std::string_view head, const Clock& clock,
                                       const std::string& zone);

/// The first date in a file name, with or without a time of day: 2025-12-03, 20251203T0000,
/// 2025-12-03_00-00-00 and the like. A date alone means any moment of that day. A Z after the time
/// of day means UTC, whatever the zone is.
std::optional<ArchiveTime> name_time(const std::string& name, const Clock& clock,
                                     const std::string& zone);

}  // namespace pg_integrity
