// Files and directories, as a collector may read them. Every call only reads, is bounded by the
// deadline of its step, and throws SourceError when nothing trustworthy could be read. One thread
// at a time uses an object.
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
  double size = 0;        ///< bytes; for a directory the sum of the files directly in it
  UnixTime modified = 0;  ///< for a directory the newest of it and the files directly in it
  UnixTime read_at = 0;   ///< the same kernel's clock when the entry was read
  /// The reason why nothing more is known about an existing entry: permission or io. Its kind is
  /// `other` then.
  std::optional<Reason> trouble;
  double inode = 0;  ///< its number in its file system
};

/// How far a directory tree is read.
struct TreeBounds {
  std::size_t depth = 1;      ///< levels of directories that are read; 1 is the directory alone
  bool deeper_is_gap = true;  ///< deeper directories are a gap; false: they are not wanted
  std::size_t entries = 0;    ///< the most entries, of all kinds and in all directories together
};

/// Regular files of a directory tree.
struct FileTree {
  std::vector<FileEntry> files;    ///< unsorted; names are paths from the top: "2026/01/a"
  std::optional<SourceError> gap;  ///< why there may be more files; empty if these are all
};

/// The two ends of a file.
struct FileEnds {
  std::string head;     ///< its first bytes; for a gzip file those of its content
  std::string tail;     ///< its last bytes, as they are
  bool packed = false;  ///< it is a gzip file
  FileEntry file{};     ///< the opened file; without a name
};

/// Files, read on a worker thread that is abandoned if it hangs. Symbolic links are followed,
/// except in a tree.
class Files {
 public:
  virtual ~Files() = default;
  Files() = default;
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  /// The entries of a directory whose names match any of the globs, unsorted and each of them once.
  /// A directory with more than `limit` entries, matching or not, is an error (limit). A partial
  /// list is never returned.
  virtual std::vector<FileEntry> list(const std::string& directory,
                                      const std::vector<std::string>& patterns,
                                      std::size_t limit) = 0;
  std::vector<FileEntry> list(const std::string& directory, const std::string& pattern,
                              std::size_t limit) {
    return list(directory, std::vector<std::string>{pattern}, limit);
  }
  /// The regular files in a directory and those below it. Parts that cannot be read, or lie beyond
  /// the bounds (too_large), make a gap. An unreadable top directory is an error.
  /// @param wanted decides by a file's own name, without its path. It runs on the worker, and so
  /// may use only what it has captured.
  virtual FileTree tree(const std::string& directory, const TreeBounds& bounds,
                        const std::function<bool(const std::string& name)>& wanted) = 0;
  /// The first and the last bytes of a file, at most the given number of each.
  virtual FileEnds ends(const std::string& path, std::size_t head_bytes,
                        std::size_t tail_bytes) = 0;
  std::string head(const std::string& path, std::size_t bytes) { return ends(path, bytes, 0).head; }
  /// The whole content of a regular file. A file of more than `max_bytes` is an error (limit).
  virtual std::string contents(const std::string& path, std::size_t max_bytes) = 0;
  /// The free space in bytes, for users other than root, of the file system that holds the
  /// directory.
  virtual double room(const std::string& directory) = 0;
  /// Whether another machine, or a program, keeps the file system that holds the directory.
  virtual bool is_remote(const std::string& directory) = 0;
};

}  // namespace pg_integrity
