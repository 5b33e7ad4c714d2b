// pg_dump's archive format: its header and its table of contents, as far as they tell what an
// archive is, of when, of which database, and which files belong to it. Pure functions; safe on any
// thread. See ReadHead() and ReadToc() in PostgreSQL's pg_backup_archiver.c.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pg_integrity {

/// A reading of a wall clock.
struct WallTime {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

struct ArchiveHeader {
  WallTime started;
  std::string database;  ///< that was dumped; empty: it is not in the bytes at hand
};

struct ArchiveContents {
  enum class State : std::uint8_t {
    whole,      ///< everything below is known
    cut_short,  ///< the bytes end before the table of contents does
    unknown,    ///< of a version that is not known here
  };
  State state = State::unknown;
  bool data = false;               ///< it holds rows or large objects of anything
  std::vector<std::string> files;  ///< tar and directory format: those with data, without a suffix
};

/// How many bytes the format's integers have after their sign, unless its header says otherwise.
inline constexpr std::size_t kArchiveIntSize = 4;

/// Size of the blocks of a tar archive.
inline constexpr std::size_t kTarBlock = 512;

/// The archive itself: a tar archive wraps it into its first member, toc.dat.
std::string_view unwrapped_archive(std::string_view head);

/// A tar archive's first member has this name.
bool is_tar_of(std::string_view head, std::string_view member);

/// Nothing if there is no whole header, up to the time, or it is none of a pg_dump.
/// @param archive begins where the archive does.
std::optional<ArchiveHeader> archive_header(std::string_view archive);

/// What the table of contents lists.
/// @param archive as above, with as much of it as there is.
ArchiveContents archive_contents(std::string_view archive);

}  // namespace pg_integrity
