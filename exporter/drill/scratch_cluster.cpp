#include "exporter/drill/scratch_cluster.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric_rules.h"
#include "exporter/io/child_process.h"
#include "exporter/io/descriptor.h"
#include "exporter/io/interruption.h"

namespace pg_integrity {

namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = "pg_integrity_drill.";
constexpr Seconds kCommand{300};
constexpr Seconds kToStart{60};
constexpr int kMillisecondsToDie = 50;  ///< longest wait for a killed process
/// Parts of messages of a server whose files or WAL are damaged or missing.
constexpr std::array<std::string_view, 7> kDamage{
    "checkpoint record",          "end of online backup", "consistent recovery point",
    "configured recovery target", "control file",         "requested timeline",
    "could not access status"};
constexpr Seconds kToRecover{7.0 * 86400};

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

/// A killed server leaves a segment of shared memory. Its pid file holds the key and the id of the
/// segment, but another program of that account may have written the file. So a segment is removed
/// only if it has that key, belongs to the directory's owner and is used by nobody.
void remove_segment(const std::string& directory) {
  struct stat owner {};
  std::ifstream file(directory + "/data/postmaster.pid");
  std::string line;
  for (int number = 0; number < 7; ++number)
    if (!std::getline(file, line)) return;
  std::istringstream words(line);
  long long key = 0;
  int id = 0;
  struct shmid_ds facts {};
  if (!(words >> key >> id) || ::stat(directory.c_str(), &owner) != 0 ||
      ::shmctl(id, IPC_STAT, &facts) != 0)
    return;
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

void remove_with_processes(const std::string& directory) {
  for (int looks = 0; looks < 100; ++looks) {
    const std::vector<pid_t> left = processes_in(directory);
    if (left.empty()) break;
    kill_and_wait(left);
  }
  remove_segment(directory);
  std::error_code ignored;
  fs::remove_all(directory, ignored);
}

/// Whether we or the account own the directory, so that nobody else can make us remove theirs.
bool is_ours(const std::string& path, const ScratchPlace& place) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode)) return false;
  return facts.st_uid == ::geteuid() || (place.account && facts.st_uid == place.account->uid);
}

std::optional<int> major_version(const std::string& directory) {
  const std::string name = fs::path(directory).parent_path().filename().string();
  return name.empty() || name.find_first_not_of("0123456789") != std::string::npos
             ? std::nullopt
             : std::optional(std::atoi(name.c_str()));
}

void must(const Ended& ended, const std::string& what) {
  if (!ended.good())
    throw SourceError(Reason::io, fmt::format("{} failed: {}", what, ended.last_word()));
}

/// Opens the file for the server's messages. A pipe would hold the server up once it is full, since
/// nobody reads it while a restore is waited for.
Descriptor open_log(const std::string& path) {
  const int file =
      ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0)
    throw SourceError(Reason::io,
                      fmt::format("{}: {}", path, std::generic_category().message(errno)));
  return Descriptor(file);
}

/// The reason for which a server ended: decode if its message tells of damage, else io.
/// @param log its messages. The account of the server owns the folder, so they are read with care.
SourceError why_it_ended(const Ended& ended, const Descriptor& log) {
  constexpr std::size_t kEnough = std::size_t{1} << 20;  // bytes
  std::string text(kEnough, '\0');
  const ssize_t count = ::pread(log.number(), text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t at = std::min(line.find("FATAL:  "), line.find("PANIC:  "));
    if (at == std::string::npos) continue;
    const std::string word = line.substr(at + 8);
    const bool damage = std::any_of(kDamage.begin(), kDamage.end(), [&](std::string_view part) {
      return word.find(part) != std::string::npos;
    });
    return {damage ? Reason::decode : Reason::io, "the server did not start: " + word};
  }
  return {Reason::io, "the server did not start: " + ended.last_word()};
}

}  // namespace

std::vector<std::string> program_directories(const std::string& program) {
  std::vector<std::string> found;
  const auto holds_it = [&](const fs::path& directory) {
    return ::access((directory / program).c_str(), X_OK) == 0;
  };
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", error))
    if (holds_it(entry.path() / "bin")) found.push_back(entry.path() / "bin");
  std::sort(found.begin(), found.end(), [](const std::string& a, const std::string& b) {
    return major_version(a).value_or(0) > major_version(b).value_or(0);
  });
  const char* path = std::getenv("PATH");
  std::string rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const fs::path directory = rest.substr(0, end);
    rest.erase(0, end + 1);
    // Debian's wrappers in PATH choose a version by the machine's clusters, not by ours.
    const bool wrapper =
        fs::read_symlink(directory / program, error).string().ends_with("pg_wrapper");
    if (!directory.empty() && !wrapper && holds_it(directory)) found.push_back(directory);
  }
  return found;
}

std::string newest_program(const std::string& program) {
  const auto found = program_directories(program);
  if (found.empty())
    throw SourceError(Reason::missing,
                      program + " is not installed. HINT: install PostgreSQL's server package");
  return found.front() + "/" + program;
}

std::size_t sweep(const ScratchPlace& place) {
  std::size_t swept = 0;
  std::error_code error;
  std::vector<fs::path> left;
  const fs::path base = fs::weakly_canonical(place.base, error);
  for (const auto& entry : fs::directory_iterator(base, error))
    if (entry.path().filename().string().starts_with(kPrefix)) left.push_back(entry.path());
  for (const fs::path& path : left) {
    if (in_use(path.filename().string()) || !is_ours(path.string(), place)) continue;
    remove_with_processes(path.string());
    ++swept;
  }
  return swept;
}

WorkDirectory::WorkDirectory(const ScratchPlace& place)
    : path_(fs::weakly_canonical(place.base).string() + "/" + own_name()) {
  if (::mkdir(path_.c_str(), 0700) != 0 ||
      (place.account && ::chown(path_.c_str(), place.account->uid, place.account->gid) != 0))
    throw SourceError(Reason::io,
                      fmt::format("{}: {}", path_, std::generic_category().message(errno)));
}

WorkDirectory::~WorkDirectory() {
  remove_with_processes(path_);
}

ScratchCluster::ScratchCluster(Interruption& interruption, const ScratchPlace& place,
                               const std::string& encoding)
    : interruption_(interruption), work_(place) {
  const std::string programs = fs::path(newest_program("initdb")).parent_path().string();
  Command command;
  command.account = place.account;
  command.directory = work_.path();
  command.arguments = {programs + "/initdb",
                       "-D",
                       work_.path() + "/data",
                       "-U",
                       login_.user,
                       "-A",
                       "trust",
                       "-E",
                       encoding,
                       "--no-sync",
                       encoding == "UTF8" ? "--locale=C.UTF-8" : "--locale=C"};
  must(run(interruption, command, kCommand), "initdb");
  start(place, programs, {"wal_level=minimal"});
  await(programs, "template1",
        fmt::format("CREATE DATABASE {} TEMPLATE template0", login_.database), kToStart);
}

ScratchCluster::ScratchCluster(Interruption& interruption, const ScratchPlace& place,
                               const std::string& programs,
                               const std::function<void(const std::string& data)>& fill,
                               const std::vector<std::string>& settings, ScratchLogin login)
    : interruption_(interruption), work_(place), login_(std::move(login)) {
  const std::string data = work_.path() + "/data";
  if (::mkdir(data.c_str(), 0700) != 0)
    throw SourceError(Reason::io,
                      fmt::format("{}: {}", data, std::generic_category().message(errno)));
  fill(data);
  start(place, programs, settings);
  await(programs, login_.database, "SELECT 1", kToRecover);
}

void ScratchCluster::start(const ScratchPlace& place, const std::string& programs,
                           const std::vector<std::string>& settings) {
  Command command;
  command.account = place.account;
  command.directory = work_.path();
  // SIGQUIT ends it at once, and yet ends its own processes and frees shared memory.
  command.end_signal = SIGQUIT;
  command.arguments = {programs + "/postgres", "-D", work_.path() + "/data", "-k", work_.path()};
  const auto set = [&](const std::string& setting) {
    command.arguments.emplace_back("-c");
    command.arguments.push_back(setting);
  };
  // The server does not listen on the network, write anywhere else or preload libraries.
  for (const char* setting : {"listen_addresses=",
                              "port=5432",
                              "unix_socket_permissions=0700",
                              "fsync=off",
                              "full_page_writes=off",
                              "synchronous_commit=off",
                              "max_wal_senders=0",
                              "archive_mode=off",
                              "shared_preload_libraries=",
                              "session_preload_libraries=",
                              "local_preload_libraries=",
                              "autovacuum=off",
                              "max_logical_replication_workers=0",
                              "max_wal_size=4GB",
                              "maintenance_work_mem=256MB",
                              "dynamic_shared_memory_type=mmap",
                              "lc_messages=C",
                              "max_connections=50",
                              "logging_collector=off",
                              "log_destination=stderr",
                              "log_min_messages=fatal",
                              "log_checkpoints=off",
                              "log_statement=none"})
    set(setting);
  for (const std::string& setting : settings) set(setting);
  log_.emplace(open_log(work_.path() + "/server.log"));
  command.err = log_->number();
  server_ = std::make_unique<Child>(interruption_, command);
}

void ScratchCluster::await(const std::string& programs, const std::string& database,
                           const std::string& statement, Seconds longest) {
  Command ask;
  ask.directory = work_.path();
  ask.arguments = {programs + "/psql",
                   "-XqAt",
                   "-d",
                   fmt::format("host={} user={} dbname={}", work_.path(), login_.user, database),
                   "-c",
                   statement};
  const auto begin = std::chrono::steady_clock::now();
  while (true) {
    // A server does not announce that it answers, so we ask until it does.
    if (server_->ended_within(Seconds(0.1))) throw why_it_ended(server_->wait(Seconds(0)), *log_);
    interruption_.check();
    const Ended asked = run(interruption_, ask, kCommand);
    if (asked.good()) return;
    if (std::chrono::steady_clock::now() - begin > longest)
      throw SourceError(Reason::timeout, "the scratch server did not answer: " + asked.last_word());
    if (asked.last_word().find(" does not exist") != std::string::npos)
      throw SourceError(Reason::missing, asked.last_word());
  }
}

ScratchCluster::~ScratchCluster() {
  if (!server_) return;
  server_->signal(SIGQUIT);
  server_->ended_within(Seconds(10));
}

std::string ScratchCluster::dsn() const {
  return fmt::format("host={} port=5432 user={} dbname={}", work_.path(), login_.user,
                     login_.database);
}

}  // namespace pg_integrity
