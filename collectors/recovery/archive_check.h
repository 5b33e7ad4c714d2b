// Tells from the beginning and the end of a file or folder whether it is a whole backup (proof
// level 1). Pure functions; safe on any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/options/backups.h"
#include "collectors/ports/files.h"

namespace pg_integrity {

struct ArchiveVerdict {
  enum class State : std::uint8_t {
    plausible,  ///< a backup, with no sign that a part of it is missing
    damaged,    ///< a backup that lacks its end, a file or all data
    other,      ///< not a backup, or one of another database
  };
  State state = State::other;
  std::string why;  ///< for people; empty if plausible
};

/// The comment that ends a plain dump is the last text in it. Only blank lines, the rest of the
/// comment and \unrestrict may follow, and the last line must end with a newline.
/// @param tail the last bytes of the dump's text.
bool ends_as_plain_dump(std::string_view tail);

/// How many bytes of a file's beginning check_archive() needs at most. It needs so many only where
/// fewer do not tell whether the backup holds data.
inline constexpr std::size_t kMaxHeadBytes = std::size_t{16} << 20;
/// How many bytes of a file's end check_archive() needs.
inline constexpr std::size_t kArchiveTailBytes = 1024;
/// The largest table of contents of a folder that is read whole, in bytes. Only the beginning of a
/// larger one is read, and its end is not judged.
inline constexpr std::size_t kMaxContentsBytes = std::size_t{16} << 20;

/// Whether the beginning of a file does not tell whether the backup holds data, and more of it may.
/// @param asked the number of bytes that were asked for.
bool needs_more_of(const FileEnds& ends, std::size_t asked);

/// Judges a file. If it is compressed as a whole, only its beginning is judged.
/// @param asked the number of bytes at its beginning that were asked for.
/// @param size the file's size in bytes.
ArchiveVerdict check_archive(const FileEnds& ends, std::size_t asked, double size,
                             const ArchiveDirectory& directory);

/// Judges a folder of pg_dump's directory format.
/// @param toc its toc.dat, up to kMaxContentsBytes.
/// @param files the files in the folder.
/// @param database the only accepted database, as far as the archive names one. Empty means any.
ArchiveVerdict check_archive_folder(const std::string& toc, const std::vector<FileEntry>& files,
                                    const std::string& database);

}  // namespace pg_integrity
