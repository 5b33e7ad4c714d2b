#include "exporter/drill/scratch_cluster.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <system_error>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric_rules.h"
#include "exporter/io/child_process.h"
#include "exporter/io/descriptor.h"
#include "exporter/io/sandbox.h"

namespace pg_integrity {

namespace {

namespace fs = std::filesystem;

constexpr Seconds kCommand{300};
constexpr Seconds kToStart{60};
/// Parts of messages of a server whose files or WAL are damaged or missing.
constexpr std::array<std::string_view, 7> kDamage{
    "checkpoint record",          "end of online backup", "consistent recovery point",
    "configured recovery target", "control file",         "requested timeline",
    "could not access status"};
constexpr Seconds kToRecover{7.0 * 86400};

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

/// The reason for which a server ended: decode if its message tells of damage, else io.
/// @param log its messages. The account of the server owns the folder, so they are read with care.
SourceError why_it_ended(const Ended& ended, const Descriptor& log) {
  constexpr std::size_t kEnough = std::size_t{1} << 20;  // bytes
  std::string text(kEnough, '\0');
  const ssize_t count = ::pread(log.number(), text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  std::istringstream lines(text);
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    last = line;
    const std::size_t at = std::min(line.find("FATAL:  "), line.find("PANIC:  "));
    if (at == std::string::npos) continue;
    const std::string word = line.substr(at + 8);
    if (word.starts_with("the database system is ")) continue;  // the answer to our own question
    const bool damage = std::any_of(kDamage.begin(), kDamage.end(), [&](std::string_view part) {
      return word.find(part) != std::string::npos;
    });
    return {damage ? Reason::decode : Reason::io, "the server did not start: " + word};
  }
  return {Reason::io, "the server did not start: " + (last.empty() ? ended.last_word() : last)};
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

ScratchCluster::ScratchCluster(Children& children, const Sandbox& sandbox, WorkDirectory& work,
                               const std::string& encoding)
    : children_(children), sandbox_(sandbox), work_(work) {
  const std::string programs = fs::path(newest_program("initdb")).parent_path().string();
  Command command;
  command.directory = work_.copy();
  command.arguments = {programs + "/initdb",
                       "-D",
                       work_.data(),
                       "-U",
                       login_.user,
                       "-A",
                       "trust",
                       "-E",
                       encoding,
                       "--no-sync",
                       encoding == "UTF8" ? "--locale=C.UTF-8" : "--locale=C"};
  SandboxView view;
  view.writable = {work_.copy()};
  view.programs = {"sh", "locale"};  // without it there is no collation of the system
  must(run(children_, sandbox_.around(command, view), kCommand), "initdb");
  start(programs, {"wal_level=minimal"}, {});
  await(programs, "template1",
        fmt::format("CREATE DATABASE {} TEMPLATE template0", login_.database), kToStart);
}

ScratchCluster::ScratchCluster(Children& children, const Sandbox& sandbox, WorkDirectory& work,
                               const ScratchStart& how)
    : children_(children), sandbox_(sandbox), work_(work), login_(how.login) {
  write_readable(work_.etc() + "/postgresql.conf", "");
  write_readable(work_.etc() + "/pg_hba.conf", "local all all trust\n");
  write_readable(work_.etc() + "/pg_ident.conf", "");
  std::vector<std::string> settings{"config_file=" + work_.etc() + "/postgresql.conf",
                                    "hba_file=" + work_.etc() + "/pg_hba.conf",
                                    "ident_file=" + work_.etc() + "/pg_ident.conf"};
  settings.insert(settings.end(), how.settings.begin(), how.settings.end());
  start(how.programs, settings, how.view);
  await(how.programs, login_.database, "SELECT 1", kToRecover);
}

void ScratchCluster::start(const std::string& programs, const std::vector<std::string>& settings,
                           const SandboxView& view) {
  Command command;
  command.directory = work_.copy();
  // SIGQUIT ends it at once, and yet ends its own processes and frees shared memory.
  command.end_signal = SIGQUIT;
  command.arguments = {programs + "/postgres", "-D", work_.data(), "-k", work_.socket()};
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
  // A pipe would hold the server up once it is full: nobody reads it while a restore is waited for.
  log_.emplace(work_.make_file("server.log"));
  command.err = log_->number();
  SandboxView whole = view;
  whole.readable.push_back(work_.etc());
  whole.writable.insert(whole.writable.end(), {work_.copy(), work_.socket()});
  server_ = std::make_unique<Child>(children_, sandbox_.around(command, whole));
}

void ScratchCluster::await(const std::string& programs, const std::string& database,
                           const std::string& statement, Seconds longest) {
  Command ask;
  ask.directory = work_.socket();
  ask.arguments = {programs + "/psql",
                   "-XqAt",
                   "-d",
                   fmt::format("host={} user={} dbname={}", work_.socket(), login_.user, database),
                   "-c",
                   statement};
  const Command asking = sandbox_.around(ask, inside());
  const auto begin = std::chrono::steady_clock::now();
  while (true) {
    // A server does not announce that it answers, so we ask until it does.
    if (server_->ended_within(Seconds(0.1))) throw why_it_ended(server_->wait(Seconds(0)), *log_);
    children_.check();
    const Ended asked = run(children_, asking, kCommand);
    if (asked.good()) return work_.open_door();
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

SandboxView ScratchCluster::inside() const {
  SandboxView view;
  view.readable = {work_.socket()};
  return view;
}

std::string ScratchCluster::dsn_through(const std::string& directory) const {
  return fmt::format("host={} port=5432 user={} dbname={}", directory, login_.user,
                     login_.database);
}

}  // namespace pg_integrity
