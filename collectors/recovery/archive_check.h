// Whether a file or folder is a whole backup, as far as its beginning and its end tell: proof level
// 1. Pure functions; safe on any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/ports/files.h"

namespace pg_integrity {

struct ArchiveVerdict {
  enum class State : std::uint8_t {
    plausible,  ///< a backup, and nothing shows that it is not whole
    damaged,    ///< a backup of which something is missing, if only all data
    other,      ///< none, or one of another database
  };
  State state = State::other;
  std::string why;  ///< for people; empty if it is plausible
};

/// After the comment that ends a plain dump nothing comes but blank lines, the end of the comment,
/// and \unrestrict. The last line is a whole one.
/// @param tail the last bytes of the dump's text.
bool ends_as_plain_dump(std::string_view tail);

/// How many bytes of a file's end check_archive() wants to see.
inline constexpr std::size_t kArchiveTailBytes = 1024;
/// A folder's table of contents is read up to this size; what is longer is not looked into.
inline constexpr std::size_t kMaxContentsBytes = std::size_t{16} << 20;

/// A file. Of what is compressed as a whole only the beginning can be judged.
/// @param size of the file, in bytes.
/// @param database that the backup must be of, where it tells; empty: of any.
ArchiveVerdict check_archive(const FileEnds& ends, double size, const std::string& database);

/// A folder of pg_dump's directory format.
/// @param toc its toc.dat, up to kMaxContentsBytes.
/// @param files in it.
ArchiveVerdict check_archive_folder(const std::string& toc, const std::vector<FileEntry>& files,
                                    const std::string& database);

}  // namespace pg_integrity
