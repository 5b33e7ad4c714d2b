// Temporary directories and their files. They are removed with the object.
//
// They are in memory where there is room for it, since a test makes and drops many databases, and a
// file system on disk takes twice the time for it. TMPDIR names another place.
#pragma once

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace pg_integrity::test {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = place() + "/pg_integrity_test.XXXXXX";
    path_ = ::mkdtemp(name.data());
    ::chmod(path_.c_str(), 0755);  // the server's user needs access
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

  /// Writes a file into the directory and returns its path.
  std::string write(const std::string& name, const std::string& content) const {
    std::string path = path_ + "/" + name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

 private:
  /// Programs are written there and run, too.
  static std::string place() {
    if (const char* named = std::getenv("TMPDIR")) return named;
    constexpr unsigned long long kRoom = 4ULL << 30;
    const char* memory = "/dev/shm";
    struct statvfs found {};
    const bool fits = ::statvfs(memory, &found) == 0 && (found.f_flag & ST_NOEXEC) == 0 &&
                      1ULL * found.f_bavail * found.f_frsize >= kRoom &&
                      ::access(memory, W_OK) == 0;
    return fits ? memory : "/tmp";
  }

  std::string path_;
};

}  // namespace pg_integrity::test
