#include "exporter/drill/base_backup_tools.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric_rules.h"
#include "collectors/recovery/base_backup_manifest.h"
#include "exporter/drill/fetch.h"
#include "exporter/io/child_process.h"
#include "exporter/io/sandbox.h"

namespace pg_integrity {

namespace {

namespace fs = std::filesystem;

constexpr Seconds kThirtyDays{30.0 * 86400};

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

/// Requires that the WAL that the backup needs is in it or, uncompressed, in the archive.
/// @return whether all of it is in the backup.
bool require_log(const std::string& path, const std::string& wal_archive) {
  const auto text_of = [](const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const auto manifest = read_manifest(text_of(path + "/" + kManifestName));
  const auto needed =
      manifest ? segments_needed(*manifest, text_of(path + "/" + kLabelName)) : std::nullopt;
  if (!needed) throw SourceError(Reason::decode, "its manifest or its label is missing, or none");
  const auto nowhere = [](const std::string& segment) {
    return fmt::format("it needs {} of the log, which is nowhere", segment);
  };
  const fs::path own = fs::path(path) / "pg_wal";
  bool held = true;
  for (const std::string& segment : *needed) {
    if (exists(own / segment)) continue;
    held = false;
    if (wal_archive.empty()) throw SourceError(Reason::decode, nowhere(segment));
    if (exists(fs::path(wal_archive) / segment)) continue;
    std::error_code error;
    for (const auto& file : fs::directory_iterator(wal_archive, error))
      if (is_segment(file.path().filename().string(), segment))
        throw SourceError(Reason::missing, "the archive of the log is compressed: not read here");
    throw SourceError(error ? Reason::io : Reason::decode, nowhere(segment));
  }
  return held;
}

/// Where the links of the backup lead: its tablespaces, or a log elsewhere.
std::vector<std::string> link_targets(const std::string& path) {
  std::vector<std::string> found;
  std::error_code error;
  std::vector<fs::path> links{fs::path(path) / "pg_wal"};
  for (const auto& entry : fs::directory_iterator(fs::path(path) / "pg_tblspc", error))
    links.push_back(entry.path());
  for (const fs::path& link : links)
    if (fs::is_symlink(link, error) && fs::is_directory(link, error))
      found.push_back(fs::canonical(link, error).string());
  return found;
}

/// The path in single quotes, for the shell that runs restore_command.
std::string quoted(const std::string& path) {
  std::string text = "'";
  for (const char letter : path) {
    if (letter == '\'')
      text += "'\\''";
    else if (letter == '%')
      text += "%%";
    else
      text += letter;
  }
  return text + "'";
}

}  // namespace

std::string programs_for(const std::string& path) {
  if (!exists(path + "/" + kLabelName) && exists(path + "/base.tar"))
    throw SourceError(
        Reason::missing,
        "a base backup as tar files is not looked into. HINT: take it as plain files");
  std::string version;
  std::ifstream(path + "/PG_VERSION") >> version;
  if (version.empty() || version.find_first_not_of("0123456789") != std::string::npos)
    throw SourceError(Reason::decode, path + ": PG_VERSION is missing or damaged");
  for (const std::string& directory : program_directories("pg_verifybackup"))
    if (fs::path(directory).parent_path().filename() == version) return directory;
  throw SourceError(Reason::missing,
                    fmt::format("the backup is of PostgreSQL {}, which is not installed here. HINT:"
                                " install that version's server",
                                version.substr(0, 8)));
}

void forget_configuration(Children& children, const Sandbox& sandbox, const std::string& data) {
  std::vector<std::string> words{"rm", "-rf", "--"};
  for (const char* name : {"postgresql.auto.conf", "postmaster.pid", "postmaster.opts",
                           "standby.signal", "recovery.signal", "tablespace_map"})
    words.push_back(data + "/" + name);
  std::error_code ignored;
  for (const auto& slot : fs::directory_iterator(data + "/pg_replslot", ignored))
    words.push_back(slot.path().string());
  change_in(children, sandbox, data, std::move(words));
}

void ask_for_recovery(Children& children, const Sandbox& sandbox, const std::string& data) {
  change_in(children, sandbox, data, {"touch", data + "/recovery.signal"});
}

std::string restore_command(const std::string& wal_archive) {
  return fmt::format(R"(restore_command=cp {}/%f "%p")", quoted(wal_archive));
}

void require_no_links(const std::string& path) {
  std::error_code error;
  for (auto entry = fs::recursive_directory_iterator(path, error);
       !error && entry != fs::recursive_directory_iterator(); entry.increment(error))
    if (entry->is_symlink() || !(entry->is_regular_file() || entry->is_directory()))
      throw SourceError(Reason::missing,
                        "the backup holds links (tablespaces, or a log elsewhere): it is not "
                        "started here");
  if (error) throw SourceError(Reason::io, fmt::format("{}: {}", path, error.message()));
}

bool is_base_backup(const std::string& path) {
  return exists(path + "/" + kManifestName) || exists(path + "/" + kLabelName);
}

Ended verify_base_backup(Children& children, const Sandbox& sandbox, const std::string& path,
                         const std::string& wal_archive, BaseBackupCheck check) {
  Command command;
  command.account = reader_of(children, sandbox.account(), path + "/" + kManifestName);
  SandboxView view;
  view.readable = link_targets(path);
  view.readable.push_back(path);
  view.programs = {"sh"};  // it runs pg_waldump by way of a shell
  command.niceness = 19;
  command.arguments = {programs_for(path) + "/pg_verifybackup"};
  if (check == BaseBackupCheck::files)
    command.arguments.insert(command.arguments.end(), {"--skip-checksums", "--no-parse-wal"});
  else if (!require_log(path, wal_archive)) {
    command.arguments.push_back("--wal-directory=" + wal_archive);
    view.readable.push_back(wal_archive);
  }
  command.arguments.push_back(path);
  return run(children, sandbox.around(command, view), kThirtyDays);
}

void fetch_base_backup(Children& children, const Sandbox& sandbox, const WorkDirectory& work,
                       const std::string& path, const std::string& wal_archive) {
  require_no_links(path);
  require_log(path, wal_archive);
  copy_folder(children, sandbox, path, kManifestName, work.data());
  require_no_links(work.data());  // again, now that nobody else can change it
  forget_configuration(children, sandbox, work.data());
  if (!wal_archive.empty()) ask_for_recovery(children, sandbox, work.data());
}

std::unique_ptr<ScratchCluster> start_base_backup(Children& children, const Sandbox& sandbox,
                                                  WorkDirectory& work,
                                                  const std::string& wal_archive,
                                                  const ScratchLogin& login) {
  ScratchStart start;
  start.programs = programs_for(work.data());
  start.login = login;
  // Recovers up to the point where the backup is consistent, and no further. This is what the
  // backup proves.
  start.settings = {"hot_standby=off", "max_prepared_transactions=1000",
                    "recovery_target=immediate", "recovery_target_action=promote",
                    "recovery_target_timeline=current"};
  if (!wal_archive.empty()) {
    start.settings.push_back(restore_command(wal_archive));
    start.view.readable = {wal_archive};
    start.view.programs = {"sh", "cp"};
  }
  return std::make_unique<ScratchCluster>(children, sandbox, work, start);
}

}  // namespace pg_integrity
