#include "exporter/drill/work_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "exporter/io/child_process.h"
#include "exporter/io/descriptor.h"

namespace pg_integrity {

namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = "pg_integrity_drill.";
constexpr const char* kSocket = "/.s.PGSQL.5432";
constexpr int kMillisecondsToDie = 50;  ///< longest wait for a killed process
constexpr Seconds kToRemove{3600};

[[noreturn]] void fail_at(const std::string& path) {
  throw SourceError(Reason::io,
                    fmt::format("{}: {}", path, std::generic_category().message(errno)));
}

std::string own_name() {
  const pid_t pid = ::getpid();
  return fmt::format("{}{}.{}", kPrefix, pid, start_of_process(pid).value_or("0"));
}

/// Whether the process that made the directory still runs.
bool in_use(const std::string& name) {
  const std::size_t dot = name.find('.', std::string(kPrefix).size());
  if (dot == std::string::npos) return false;
  const std::string pid = name.substr(std::string(kPrefix).size(), dot);
  return start_of_process(std::atoi(pid.c_str())) == name.substr(dot + 1);
}

/// Every process whose working directory is in that directory. All of our processes run in it.
std::vector<pid_t> processes_in(const std::string& directory) {
  std::vector<pid_t> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 1 || pid == ::getpid()) continue;
    const std::string where = fs::read_symlink(entry.path() / "cwd", error).string();
    if (!error && (where == directory || where.starts_with(directory + "/"))) found.push_back(pid);
  }
  return found;
}

/// A killed server that has no IPC namespace of its own leaves a segment of shared memory. Its pid
/// file holds the key and the id of the segment, but another program of that account may have
/// written the file. So a segment is removed only if it has that key, belongs to the directory's
/// owner and is used by nobody.
void remove_segment(const std::string& copy) {
  struct stat owner {};
  const Descriptor pid_file(::open((copy + "/data/postmaster.pid").c_str(),
                                   O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  std::string text(4096, '\0');
  if (!pid_file.open() || ::stat(copy.c_str(), &owner) != 0) return;
  text.resize(static_cast<std::size_t>(
      std::max<ssize_t>(0, ::read(pid_file.number(), text.data(), text.size()))));
  std::istringstream lines(text);
  std::string line;
  for (int number = 0; number < 7; ++number)
    if (!std::getline(lines, line)) return;
  std::istringstream words(line);
  long long key = 0;
  int id = 0;
  struct shmid_ds facts {};
  if (!(words >> key >> id) || ::shmctl(id, IPC_STAT, &facts) != 0) return;
  if (facts.shm_perm.uid == owner.st_uid && facts.shm_nattch == 0 &&
      facts.shm_perm.__key == static_cast<key_t>(key))
    ::shmctl(id, IPC_RMID, nullptr);
}

/// The processes may not be our children, so a descriptor tells when one has ended.
void kill_and_wait(const std::vector<pid_t>& processes) {
  for (const pid_t pid : processes) {
    pollfd ended{end_of_process(pid), POLLIN, 0};
    ::kill(pid, SIGKILL);
    ::poll(&ended, 1, kMillisecondsToDie);
    if (ended.fd >= 0) ::close(ended.fd);
  }
}

/// Removes what the account made, as that account. Whatever it left there, we remove nothing else.
void remove_as_its_owner(const std::string& folder) {
  struct stat owner {};
  if (::lstat(folder.c_str(), &owner) != 0 || !S_ISDIR(owner.st_mode) ||
      owner.st_uid == ::geteuid())
    return;
  Children children;  // an interruption must not keep them
  Command command;
  command.account = Account{"", owner.st_uid, owner.st_gid};
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"chmod", "-R", "u+rwX"}, {"rm", "-rf", "--one-file-system"}}) {
    command.arguments = words;
    command.arguments.front() = path_of_program(words.front());
    command.arguments.insert(command.arguments.end(), {"--", folder});
    run(children, command, kToRemove);
  }
}

void remove_with_processes(const std::string& directory) {
  for (int looks = 0; looks < 100; ++looks) {
    const std::vector<pid_t> left = processes_in(directory);
    if (left.empty()) break;
    kill_and_wait(left);
  }
  remove_segment(directory + "/copy");
  try {
    for (const char* folder : {"/copy", "/socket"}) remove_as_its_owner(directory + folder);
  } catch (const SourceError&) {
    // no process can be made; the rest is removed without following links
  }
  std::error_code ignored;
  fs::remove_all(directory, ignored);
}

/// Whether we own the directory, so that nobody else can make us remove theirs.
bool is_ours(const std::string& path) {
  struct stat facts {};
  return ::lstat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) &&
         facts.st_uid == ::geteuid();
}

}  // namespace

std::size_t sweep(const ScratchPlace& place) {
  std::size_t swept = 0;
  std::error_code error;
  std::vector<fs::path> left;
  const fs::path base = fs::weakly_canonical(place.base, error);
  for (const auto& entry : fs::directory_iterator(base, error))
    if (entry.path().filename().string().starts_with(kPrefix)) left.push_back(entry.path());
  for (const fs::path& path : left) {
    if (in_use(path.filename().string()) || !is_ours(path.string())) continue;
    remove_with_processes(path.string());
    ++swept;
  }
  return swept;
}

WorkDirectory::WorkDirectory(const ScratchPlace& place)
    : path_(fs::weakly_canonical(place.base).string() + "/" + own_name()) {
  if (::mkdir(path_.c_str(), 0700) != 0) fail_at(path_);
  // The account gets them while it cannot enter the folder that holds them.
  for (const std::string& folder : {copy(), data(), socket()})
    if (::mkdir(folder.c_str(), 0700) != 0 ||
        (place.account && ::chown(folder.c_str(), place.account->uid, place.account->gid) != 0))
      fail_at(folder);
  for (const std::string& folder : {etc(), door()})
    if (::mkdir(folder.c_str(), 0700) != 0) fail_at(folder);
  if (::chmod(etc().c_str(), 0755) != 0) fail_at(etc());
  if (place.account && ::chmod(path_.c_str(), 0711) != 0) fail_at(path_);
}

WorkDirectory::~WorkDirectory() {
  remove_with_processes(path_);
}

Descriptor WorkDirectory::make_file(const std::string& name) const {
  const std::string path = path_ + "/" + name;
  ::unlink(path.c_str());
  const int file =
      ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) fail_at(path);
  return Descriptor(file);
}

void WorkDirectory::open_door() {
  const std::string path = socket() + kSocket;
  pinned_ = Descriptor(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat facts {};
  if (!pinned_.open()) fail_at(path);
  if (::fstat(pinned_.number(), &facts) != 0 || !S_ISSOCK(facts.st_mode))
    throw SourceError(Reason::io, path + " is no socket");
  const std::string link = door() + kSocket;
  ::unlink(link.c_str());
  if (::symlink(fmt::format("/proc/self/fd/{}", pinned_.number()).c_str(), link.c_str()) != 0)
    fail_at(link);
}

}  // namespace pg_integrity
