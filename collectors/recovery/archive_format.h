// Parses the header and the table of contents of pg_dump's archive format. They tell what an
// archive is, when it was made, of which database, and which files belong to it. Pure functions;
// safe on any thread. See ReadHead() and ReadToc() in PostgreSQL's pg_backup_archiver.c.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pg_integrity {

/// Date and time as a wall clock shows them, without a zone.
struct WallTime {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

struct ArchiveHeader {
  WallTime started;
  std::string database;  ///< the dumped one; empty if the bytes end before its name
};

struct ArchiveContents {
  enum class State : std::uint8_t {
    whole,      ///< all entries were read
    cut_short,  ///< the bytes end before the table of contents does
    unknown,    ///< not an archive, or one of an unknown version
  };
  State state = State::unknown;
  bool data = false;               ///< whether it holds rows or large objects
  std::vector<std::string> files;  ///< tar and directory format: data files, without a suffix
};

/// How many bytes an integer has after its sign, unless the header says otherwise.
inline constexpr std::size_t kArchiveIntSize = 4;

/// Size of a block of a tar archive, in bytes.
inline constexpr std::size_t kTarBlock = 512;

/// The archive itself. In a tar archive it is the first member, toc.dat.
std::string_view unwrapped_archive(std::string_view head);

/// Whether it is a tar archive whose first member has this name.
bool is_tar_of(std::string_view head, std::string_view member);

/// @param archive begins where the archive does.
/// @return nullopt if this is not pg_dump's format, or the bytes end before the time.
std::optional<ArchiveHeader> archive_header(std::string_view archive);

/// Reads the table of contents.
/// @param archive begins where the archive does and may end before it.
ArchiveContents archive_contents(std::string_view archive);

}  // namespace pg_integrity
