// Files and directories, as a collector may see them. Reading only. Every call is bounded by the
// deadline of its step and throws SourceError when nothing trustworthy could be read. One thread at
// a time uses an object.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"

namespace pg_integrity {

enum class FileKind : std::uint8_t { file, directory, other };

struct FileEntry {
  std::string name;  ///< within its directory
  FileKind kind = FileKind::other;
  double size = 0;        ///< bytes; of a directory the sum of the files directly in it
  UnixTime modified = 0;  ///< of a directory the newest of it and of the files directly in it
  UnixTime read_at = 0;   ///< the same kernel's clock when it was looked at
  /// Why nothing more is known of an entry that is there (kind is `other`): permission or io.
  std::optional<Reason> trouble;
  double inode = 0;  ///< its number in its file system
};

/// How far to look into a directory tree.
struct TreeBounds {
  std::size_t depth = 1;      ///< levels of directories that are read; 1: the directory alone
  bool deeper_is_gap = true;  ///< directories below that depth are missed; false: not meant
  std::size_t entries = 0;    ///< of all kinds, in all directories together
};

/// Regular files of a directory tree.
struct FileTree {
  std::vector<FileEntry> files;    ///< unsorted; names with their way from the top: "2026/01/a"
  std::optional<SourceError> gap;  ///< why there may be more; nothing: these are all
};

/// The two ends of a file.
struct FileEnds {
  std::string head;     ///< its first bytes; of a gzip file those of its content
  std::string tail;     ///< its last bytes, as they are
  bool packed = false;  ///< it is a gzip file
  FileEntry file{};     ///< what was opened; without a name
};

/// Files, read on a worker thread that is given up if it hangs. Symbolic links are followed, but
/// for those in a tree.
class Files {
 public:
  virtual ~Files() = default;
  Files() = default;
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  /// The entries of a directory whose names match any of the globs, unsorted, each of them once.
  /// More than `limit` entries in all are an error (limit), not a part of them.
  virtual std::vector<FileEntry> list(const std::string& directory,
                                      const std::vector<std::string>& patterns,
                                      std::size_t limit) = 0;
  std::vector<FileEntry> list(const std::string& directory, const std::string& pattern,
                              std::size_t limit) {
    return list(directory, std::vector<std::string>{pattern}, limit);
  }
  /// The regular files in a directory and those below it. What cannot be read, or lies beyond the
  /// bounds (too_large), is a gap; that the directory itself cannot be read is an error.
  /// @param wanted tells by a file's own name; runs on the worker, with what it has captured.
  virtual FileTree tree(const std::string& directory, const TreeBounds& bounds,
                        const std::function<bool(const std::string& name)>& wanted) = 0;
  /// The first and the last bytes of a file, at most so many of each.
  virtual FileEnds ends(const std::string& path, std::size_t head_bytes,
                        std::size_t tail_bytes) = 0;
  std::string head(const std::string& path, std::size_t bytes) { return ends(path, bytes, 0).head; }
  /// A whole regular file, as it is. One of more than `max_bytes` is an error (limit).
  virtual std::string contents(const std::string& path, std::size_t max_bytes) = 0;
  /// Bytes that may still be written to the file system that a directory is in, by whoever is not
  /// root.
  virtual double room(const std::string& directory) = 0;
};

}  // namespace pg_integrity
