#include "exporter/io/files.h"
#include "exporter/io/descriptor.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>
#include <utility>

#include "collectors/base/errors.h"
#include "collectors/base/glob.h"
#include "collectors/base/metric_rules.h"

namespace pg_integrity {

namespace {

Reason reason_of(int error) {
  return error == EACCES || error == EPERM ? Reason::permission : Reason::io;
}

SourceError refusal(const std::string& path, int error) {
  return {reason_of(error), fmt::format("{}: {}", path, std::generic_category().message(error))};
}

[[noreturn]] void refuse(const std::string& path, int error) {
  throw refusal(path, error);
}

using Directory = std::unique_ptr<DIR, int (*)(DIR*)>;

Directory open_directory(const std::string& path) {
  Directory directory(::opendir(path.c_str()), ::closedir);
  if (!directory) refuse(path, errno);
  return directory;
}

/// The next entry, or nullptr at the end.
/// @throws SourceError if the directory cannot be read on, so that a part of a listing is never
/// taken for all of it.
const dirent* next_entry(const Directory& directory, const std::string& path) {
  errno = 0;
  const dirent* entry = ::readdir(directory.get());
  if (entry == nullptr && errno != 0) refuse(path, errno);
  return entry;
}

UnixTime seconds(const timespec& time) {
  return static_cast<UnixTime>(time.tv_sec) + static_cast<UnixTime>(time.tv_nsec) * 1e-9;
}

/// An entry from the kernel's answer. The caller sets its kind.
FileEntry entry_from(const std::string& name, const struct stat& facts) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  FileEntry entry;
  entry.name = name;
  entry.size = static_cast<double>(facts.st_size);
  entry.modified = seconds(facts.st_mtim);
  entry.inode = static_cast<double>(facts.st_ino);
  entry.read_at = seconds(now);
  return entry;
}

bool is_itself_or_parent(const std::string& name) {
  return name == "." || name == "..";
}

/// Sets size and time of a directory's entry to the total and the newest of the regular files
/// directly in it.
void add_files_in(const std::string& path, FileEntry& entry_of_directory) {
  const Directory directory = open_directory(path);
  double bytes = 0;
  while (const dirent* entry = next_entry(directory, path)) {
    struct stat facts {};
    if (::stat((path + "/" + entry->d_name).c_str(), &facts) != 0 || !S_ISREG(facts.st_mode))
      continue;
    bytes += static_cast<double>(facts.st_size);
    entry_of_directory.modified = std::max(entry_of_directory.modified, seconds(facts.st_mtim));
  }
  entry_of_directory.size = bytes;
}

FileEntry look_at(const std::string& directory, const std::string& name) {
  struct stat facts {};
  if (::stat((directory + "/" + name).c_str(), &facts) != 0) {
    const bool nothing_there = errno == ENOENT || errno == ELOOP;  // a link that leads nowhere
    FileEntry unknown;
    unknown.name = name;
    if (!nothing_there) unknown.trouble = reason_of(errno);
    return unknown;
  }
  FileEntry entry = entry_from(name, facts);
  if (S_ISREG(facts.st_mode)) entry.kind = FileKind::file;
  if (S_ISDIR(facts.st_mode)) {
    try {
      add_files_in(directory + "/" + name, entry);
      entry.kind = FileKind::directory;
    } catch (const SourceError& error) {  // the other entries are still listed
      entry.trouble = error.reason();
    }
  }
  return entry;
}

std::vector<FileEntry> list_now(const std::string& path, const std::vector<std::string>& patterns,
                                std::size_t limit) {
  const Directory directory = open_directory(path);
  std::vector<FileEntry> entries;
  std::size_t seen = 0;
  while (const dirent* entry = next_entry(directory, path)) {
    const std::string name = entry->d_name;
    if (is_itself_or_parent(name)) continue;
    if (++seen > limit)
      throw SourceError(
          Reason::limit,
          fmt::format("{} holds more than {} entries. HINT: give backups a directory of their own",
                      path, limit));
    if (matches_any_glob(patterns, name)) entries.push_back(look_at(path, name));
  }
  return entries;
}

/// Reads one directory tree by descriptors. If somebody replaces a directory by a link meanwhile,
/// the link is not followed either.
class TreeReader {
 public:
  TreeReader(std::string top, const TreeBounds& bounds,
             const std::function<bool(const std::string&)>& wanted)
      : top_(std::move(top)), bounds_(bounds), wanted_(wanted) {}

  FileTree read() {
    const Directory top(::opendir(top_.c_str()), ::closedir);
    if (!top && errno == ENOENT) throw SourceError(Reason::missing, top_ + " does not exist");
    if (!top) refuse(top_, errno);
    read_directory(top, "", 1);
    return std::move(tree_);
  }

 private:
  /// @param way the path below the top, empty or with a slash at its end.
  void read_directory(const Directory& directory, const std::string& way, std::size_t depth) {
    while (const dirent* entry = next_entry(directory, path_of(way))) {
      const std::string name = entry->d_name;
      if (is_itself_or_parent(name)) continue;
      if (++seen_ > bounds_.entries) {
        miss({Reason::too_large,
              fmt::format("{} holds more than {} entries", top_, bounds_.entries)});
        return;
      }
      look_at(directory, way, name, depth);
    }
  }

  void look_at(const Directory& directory, const std::string& way, const std::string& name,
               std::size_t depth) {
    struct stat facts {};
    if (::fstatat(::dirfd(directory.get()), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) {
      miss_unless_gone(way + name, errno);
    } else if (S_ISDIR(facts.st_mode)) {
      descend(directory, way, name, depth);
    } else if (S_ISREG(facts.st_mode) && wanted_(name)) {
      tree_.files.push_back(entry_from(way + name, facts));
      tree_.files.back().kind = FileKind::file;
    }
  }

  void descend(const Directory& parent, const std::string& way, const std::string& name,
               std::size_t depth) {
    if (depth >= bounds_.depth) {
      if (bounds_.deeper_is_gap)
        miss({Reason::too_large,
              fmt::format("{} is deeper than {} levels", path_of(way + name), bounds_.depth)});
      return;
    }
    const int descriptor = ::openat(::dirfd(parent.get()), name.c_str(),
                                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor < 0) {
      miss_unless_gone(way + name, errno);
      return;
    }
    const Directory directory(::fdopendir(descriptor), ::closedir);
    if (!directory) {
      miss(refusal(path_of(way + name), errno));
      ::close(descriptor);
      return;
    }
    try {
      read_directory(directory, way + name + "/", depth + 1);
    } catch (const SourceError& error) {
      miss(error);
    }
  }

  void miss_unless_gone(const std::string& name, int error) {
    const bool gone = error == ENOENT || error == ENOTDIR || error == ELOOP;
    if (!gone) miss(refusal(path_of(name), error));
  }

  /// Only the first gap is reported.
  void miss(const SourceError& why) {
    if (!tree_.gap) tree_.gap = why;
  }

  [[nodiscard]] std::string path_of(const std::string& way) const { return top_ + "/" + way; }

  const std::string top_;
  const TreeBounds bounds_;
  const std::function<bool(const std::string&)>& wanted_;
  std::size_t seen_ = 0;
  FileTree tree_;
};

/// @throws SourceError if the path cannot be opened or is no regular file.
Descriptor open_regular(const std::string& path, struct stat& facts) {
  // With O_NONBLOCK the opening of a FIFO does not wait for a writer.
  const int number = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (number < 0) refuse(path, errno);
  if (::fstat(number, &facts) == 0 && S_ISREG(facts.st_mode)) return Descriptor(number);
  ::close(number);
  throw SourceError(Reason::io, path + ": not a regular file");
}

/// Reads `bytes` bytes at position `from`, fewer if the file ends before.
std::string piece_of(const Descriptor& file, const std::string& path, off_t from,
                     std::size_t bytes) {
  std::string piece(bytes, '\0');
  std::size_t got = 0;
  while (got < piece.size()) {
    const ssize_t count = ::pread(file.number(), piece.data() + got, piece.size() - got,
                                  from + static_cast<off_t>(got));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) refuse(path, errno);
    if (count == 0) break;
    got += static_cast<std::size_t>(count);
  }
  piece.resize(got);
  return piece;
}

double room_now(const std::string& directory) {
  struct statvfs facts {};
  if (::statvfs(directory.c_str(), &facts) != 0) refuse(directory, errno);
  return static_cast<double>(facts.f_bavail) * static_cast<double>(facts.f_frsize);
}

/// Numbers of linux/magic.h and of the file systems' own sources.
bool is_remote_now(const std::string& directory) {
  struct statfs facts {};
  if (::statfs(directory.c_str(), &facts) != 0) refuse(directory, errno);
  constexpr std::array<std::uint32_t, 12> kRemote{
      0x6969,       // NFS
      0x517b,       // SMB
      0xff534d42,   // CIFS
      0xfe534d42,   // SMB 2
      0x65735546,   // FUSE: sshfs, s3fs and the like
      0x00c36400,   // Ceph
      0x5346414f,   // AFS
      0x6b414653,   // AFS of the kernel
      0x01021997,   // 9P
      0x0bd00bd0,   // Lustre
      0x47504653,   // GPFS
      0x786f4256};  // folders of a virtual machine's host
  return std::find(kRemote.begin(), kRemote.end(), static_cast<std::uint32_t>(facts.f_type)) !=
         kRemote.end();
}

FileEnds ends_now(const std::string& path, std::size_t head_bytes, std::size_t tail_bytes) {
  struct stat facts {};
  Descriptor descriptor = open_regular(path, facts);
  FileEnds ends;
  ends.file = entry_from("", facts);
  ends.file.kind = FileKind::file;
  if (tail_bytes > 0)
    ends.tail =
        piece_of(descriptor, path,
                 std::max<off_t>(0, facts.st_size - static_cast<off_t>(tail_bytes)), tail_bytes);
  const gzFile file = ::gzdopen(descriptor.number(), "rb");  // reads plain files as they are
  if (file == nullptr) throw SourceError(Reason::limit, path + ": out of memory");
  descriptor.release();
  ends.head.resize(head_bytes);
  const int count = ::gzread(file, ends.head.data(), static_cast<unsigned>(head_bytes));
  ends.packed = ::gzdirect(file) == 0;
  ::gzclose(file);
  if (count < 0) throw SourceError(Reason::decode, path + ": the compressed file is damaged");
  ends.head.resize(static_cast<std::size_t>(count));
  return ends;
}

}  // namespace

std::string contents_of(const std::string& path, std::size_t max_bytes) {
  struct stat facts {};
  const Descriptor descriptor = open_regular(path, facts);
  // Read in pieces, because the bound may be far above the size of the file.
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  std::string text;
  while (text.size() <= max_bytes) {
    const std::string piece = piece_of(descriptor, path, static_cast<off_t>(text.size()),
                                       std::min(kPiece, max_bytes + 1 - text.size()));
    if (piece.empty()) break;
    text += piece;
  }
  if (text.size() > max_bytes)
    throw SourceError(Reason::limit, fmt::format("{} is larger than {} bytes", path, max_bytes));
  return text;
}

std::vector<FileEntry> WorkerFiles::list(const std::string& directory,
                                         const std::vector<std::string>& patterns,
                                         std::size_t limit) {
  return workers_.run<std::vector<FileEntry>>(
      "directory " + directory, deadline_,
      [directory, patterns, limit] { return list_now(directory, patterns, limit); });
}

FileTree WorkerFiles::tree(const std::string& directory, const TreeBounds& bounds,
                           const std::function<bool(const std::string& name)>& wanted) {
  return workers_.run<FileTree>("directory " + directory, deadline_, [directory, bounds, wanted] {
    return TreeReader(directory, bounds, wanted).read();
  });
}

FileEnds WorkerFiles::ends(const std::string& path, std::size_t head_bytes,
                           std::size_t tail_bytes) {
  return workers_.run<FileEnds>("file " + path, deadline_, [path, head_bytes, tail_bytes] {
    return ends_now(path, head_bytes, tail_bytes);
  });
}

double WorkerFiles::room(const std::string& directory) {
  return workers_.run<double>("directory " + directory, deadline_,
                              [directory] { return room_now(directory); });
}

bool WorkerFiles::is_remote(const std::string& directory) {
  return workers_.run<bool>("directory " + directory, deadline_,
                            [directory] { return is_remote_now(directory); });
}

std::string WorkerFiles::contents(const std::string& path, std::size_t max_bytes) {
  return workers_.run<std::string>("file " + path, deadline_,
                                   [path, max_bytes] { return contents_of(path, max_bytes); });
}

}  // namespace pg_integrity
