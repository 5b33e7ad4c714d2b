#include "exporter/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>

#include "collectors/glob.h"

namespace pg_integrity {

namespace {

Reason reason_of(int error) {
  return error == EACCES || error == EPERM ? Reason::permission : Reason::io;
}

[[noreturn]] void refuse(const std::string& path, int error) {
  throw SourceError(reason_of(error), path + ": " + std::generic_category().message(error));
}

using Directory = std::unique_ptr<DIR, int (*)(DIR*)>;

Directory open_directory(const std::string& path) {
  Directory directory(::opendir(path.c_str()), ::closedir);
  if (!directory) refuse(path, errno);
  return directory;
}

/// The next entry, or nullptr at the end: half a listing must not pass for a whole one.
const dirent* next_entry(const Directory& directory, const std::string& path) {
  errno = 0;
  const dirent* entry = ::readdir(directory.get());
  if (entry == nullptr && errno != 0) refuse(path, errno);
  return entry;
}

UnixTime seconds(const timespec& time) {
  return static_cast<UnixTime>(time.tv_sec) + static_cast<UnixTime>(time.tv_nsec) * 1e-9;
}

double size_of_files_in(const std::string& path) {
  const Directory directory = open_directory(path);
  double bytes = 0;
  while (const dirent* entry = next_entry(directory, path)) {
    struct stat facts {};
    if (::stat((path + "/" + entry->d_name).c_str(), &facts) == 0 && S_ISREG(facts.st_mode))
      bytes += static_cast<double>(facts.st_size);
  }
  return bytes;
}

FileEntry look_at(const std::string& directory, const std::string& name) {
  FileEntry entry;
  entry.name = name;
  struct stat facts {};
  if (::stat((directory + "/" + name).c_str(), &facts) != 0) {
    const bool nothing_there = errno == ENOENT || errno == ELOOP;  // a link that leads nowhere
    if (!nothing_there) entry.trouble = reason_of(errno);
    return entry;
  }
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  entry.read_at = seconds(now);
  entry.modified = seconds(facts.st_mtim);
  entry.size = static_cast<double>(facts.st_size);
  if (S_ISREG(facts.st_mode)) entry.kind = FileKind::file;
  if (S_ISDIR(facts.st_mode)) {
    try {
      entry.size = size_of_files_in(directory + "/" + name);
      entry.kind = FileKind::directory;
    } catch (const SourceError& error) {  // one that cannot be read does not hide the others
      entry.trouble = error.reason();
    }
  }
  return entry;
}

std::vector<FileEntry> list_now(const std::string& path, const std::string& pattern,
                                std::size_t limit) {
  const Directory directory = open_directory(path);
  std::vector<FileEntry> entries;
  std::size_t seen = 0;
  while (const dirent* entry = next_entry(directory, path)) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (++seen > limit)
      throw SourceError(Reason::limit, path + " holds more than " + std::to_string(limit) +
                                           " entries. HINT: give backups a directory of their own");
    if (matches_glob(pattern, name)) entries.push_back(look_at(path, name));
  }
  return entries;
}

std::string head_now(const std::string& path, std::size_t bytes) {
  // O_NONBLOCK: a FIFO must not wait for its writer.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) refuse(path, errno);
  struct stat facts {};
  const bool regular = ::fstat(descriptor, &facts) == 0 && S_ISREG(facts.st_mode);
  gzFile file = regular ? ::gzdopen(descriptor, "rb") : nullptr;  // reads plain files as they are
  if (file == nullptr) {
    ::close(descriptor);
    throw SourceError(Reason::io, path + ": not a regular file");
  }
  std::string head(bytes, '\0');
  const int count = ::gzread(file, head.data(), static_cast<unsigned>(bytes));
  ::gzclose(file);
  if (count < 0) throw SourceError(Reason::decode, path + ": the compressed file is damaged");
  head.resize(static_cast<std::size_t>(count));
  return head;
}

}  // namespace

std::vector<FileEntry> WorkerFiles::list(const std::string& directory, const std::string& pattern,
                                         std::size_t limit) {
  return workers_.run<std::vector<FileEntry>>(
      "directory " + directory, deadline_,
      [directory, pattern, limit] { return list_now(directory, pattern, limit); });
}

std::string WorkerFiles::head(const std::string& path, std::size_t bytes) {
  return workers_.run<std::string>("file " + path, deadline_,
                                   [path, bytes] { return head_now(path, bytes); });
}

}  // namespace pg_integrity
