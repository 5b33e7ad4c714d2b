// When a backup file was made, told from the file itself: the header of a pg_dump archive, else a
// time in its name, else nothing. Pure functions; safe on any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "collectors/sources.h"

namespace pg_integrity {

/// A moment and how precisely it is known: it lies in [earliest, latest].
struct ArchiveTime {
  UnixTime earliest = 0;
  UnixTime latest = 0;
};

/// How many bytes of an archive header_time() wants to see.
inline constexpr std::size_t kArchiveHeadBytes = 4096;

/// The time a pg_dump archive (custom format, toc.dat of the directory format, tar) or a plain dump
/// made with --verbose says it was started, in wall-clock time of the machine that ran pg_dump.
/// @param zone that machine's zone, where the archive does not name one.
std::optional<ArchiveTime> header_time(std::string_view head, const Clock& clock,
                                       const std::string& zone);

/// The first date, with or without a time of day, in a file name: 2025-12-03, 20251203T0000,
/// 2025-12-03_00-00-00 and the like. A date alone means any moment of that day.
std::optional<ArchiveTime> name_time(const std::string& name, const Clock& clock,
                                     const std::string& zone);

}  // namespace pg_integrity
