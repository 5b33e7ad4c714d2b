#include "exporter/io/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "collectors/base/errors.h"
#include "collectors/base/metric_rules.h"

namespace pg_integrity {

namespace {

[[noreturn]] void refuse_write(const std::string& path, int error) {
  throw SourceError(Reason::io,
                    fmt::format("{}: {}", path, std::generic_category().message(error)));
}

void write_file(const std::string& path, const std::string& text, unsigned mode) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (descriptor < 0) refuse_write(path, errno);
  std::size_t written = 0;
  int error = 0;
  while (written < text.size() && error == 0) {
    const ssize_t count = ::write(descriptor, text.data() + written, text.size() - written);
    if (count >= 0)
      written += static_cast<std::size_t>(count);
    else if (errno != EINTR)
      error = errno;
  }
  if (error == 0 && ::fsync(descriptor) != 0) error = errno;
  ::close(descriptor);
  if (error != 0) {
    ::unlink(path.c_str());
    refuse_write(path, error);
  }
}

}  // namespace

void replace_file(const std::string& path, const std::string& text, unsigned mode) {
  const std::string temporary = path + ".new";
  write_file(temporary, text, mode);
  if (::rename(temporary.c_str(), path.c_str()) == 0) return;
  const int error = errno;
  ::unlink(temporary.c_str());
  refuse_write(path, error);
}

}  // namespace pg_integrity
