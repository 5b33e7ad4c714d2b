#include "exporter/io/directory_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <system_error>

#include "collectors/base/errors.h"
#include "exporter/io/files.h"

namespace pg_integrity {

namespace {

std::string lock_in(const std::string& directory) {
  return directory + "/lock";
}

}  // namespace

std::optional<Descriptor> lock_directory(const std::string& directory) {
  const std::string path = lock_in(directory);
  Descriptor file(
      ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  if (!file.open())
    throw SourceError(errno == EACCES ? Reason::permission : Reason::io,
                      fmt::format("{}: {}", path, std::generic_category().message(errno)));
  if (::flock(file.number(), LOCK_EX | LOCK_NB) != 0) {
    // A file system without locks cannot tell two owners.
    if (errno == EWOULDBLOCK) return std::nullopt;
    return file;
  }
  const std::string number = fmt::format("{}\n", ::getpid());
  // Without the number the lock is as good, on a disk that is full.
  const bool noted = ::ftruncate(file.number(), 0) == 0 &&
                     ::pwrite(file.number(), number.data(), number.size(), 0) > 0;
  static_cast<void>(noted);
  return file;
}

std::string owner_of(const std::string& directory) {
  try {
    std::string number = contents_of(lock_in(directory), 32);
    std::erase_if(number, [](unsigned char c) { return std::isdigit(c) == 0; });
    return number;
  } catch (const SourceError&) {
    return {};
  }
}

}  // namespace pg_integrity
