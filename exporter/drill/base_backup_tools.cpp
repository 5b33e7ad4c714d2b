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
#include "exporter/io/child_process.h"
#include "exporter/io/interruption.h"

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

/// The directory of programs of the backup's major version. No other version reads its files or its
/// WAL.
std::string programs_for(const std::string& path) {
  if (!exists(path + "/" + kLabelName) && exists(path + "/base.tar"))
    throw SourceError(
        Reason::missing,
        "a base backup as tar files is not looked into. HINT: take it as plain files");
  std::string version;
  std::ifstream(path + "/PG_VERSION") >> version;
  if (version.empty()) throw SourceError(Reason::decode, path + ": PG_VERSION is missing");
  for (const std::string& directory : program_directories("pg_verifybackup"))
    if (fs::path(directory).parent_path().filename() == version) return directory;
  throw SourceError(Reason::missing,
                    fmt::format("the backup is of PostgreSQL {}, which is not installed here. HINT:"
                                " install that version's server",
                                version.substr(0, 8)));
}

/// Refuses links, which lead out of the copy to the files of the source. Refuses also any other
/// entry that is neither a file nor a directory.
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

void must_succeed(const Ended& ended) {
  if (!ended.good()) throw SourceError(Reason::io, "copying failed: " + ended.last_word());
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

/// Removes all configuration of the source's server: its primary, its libraries, its addresses and
/// its commands.
void forget_configuration(const std::string& data) {
  std::error_code ignored;
  for (const char* name : {"postgresql.auto.conf", "postmaster.pid", "postmaster.opts",
                           "standby.signal", "recovery.signal", "tablespace_map"})
    fs::remove(data + "/" + name, ignored);
  std::vector<fs::path> slots;
  for (const auto& slot : fs::directory_iterator(data + "/pg_replslot", ignored))
    slots.push_back(slot.path());
  for (const fs::path& slot : slots) fs::remove_all(slot, ignored);
  std::ofstream(data + "/postgresql.conf") << "";
  std::ofstream(data + "/pg_hba.conf") << "local all all trust\n";
  std::ofstream(data + "/pg_ident.conf") << "";
}

}  // namespace

bool is_base_backup(const std::string& path) {
  return exists(path + "/" + kManifestName) || exists(path + "/" + kLabelName);
}

Ended verify_base_backup(Interruption& interruption, const std::string& path,
                         const std::string& wal_archive, BaseBackupCheck check) {
  Command command;
  command.niceness = 19;
  command.arguments = {programs_for(path) + "/pg_verifybackup"};
  if (check == BaseBackupCheck::files)
    command.arguments.insert(command.arguments.end(), {"--skip-checksums", "--no-parse-wal"});
  else if (!require_log(path, wal_archive))
    command.arguments.push_back("--wal-directory=" + wal_archive);
  command.arguments.push_back(path);
  return run(interruption, command, kThirtyDays);
}

std::unique_ptr<ScratchCluster> start_base_backup(Interruption& interruption,
                                                  const ScratchPlace& place,
                                                  const std::string& path,
                                                  const std::string& wal_archive,
                                                  const ScratchLogin& login) {
  const std::string programs = programs_for(path);
  require_no_links(path);
  require_log(path, wal_archive);
  const auto fill = [&](const std::string& data) {
    Command command;
    command.directory = data;  // a sweep finds the process by it
    command.arguments = {newest_program("cp"), "-R", "--reflink=auto", path + "/.", data};
    must_succeed(run(interruption, command, kThirtyDays));
    require_no_links(data);  // again, now that nobody else can change it; we may be root
    forget_configuration(data);
    if (!wal_archive.empty()) std::ofstream(data + "/recovery.signal") << "";
    if (!place.account) return;
    command.arguments = {newest_program("chown"), "-R",
                         fmt::format("{}:{}", place.account->uid, place.account->gid), data};
    must_succeed(run(interruption, command, kThirtyDays));
  };
  // Recovers up to the point where the backup is consistent, and no further. This is what the
  // backup proves.
  std::vector<std::string> settings{"hot_standby=off", "max_prepared_transactions=1000",
                                    "recovery_target=immediate", "recovery_target_action=promote",
                                    "recovery_target_timeline=current"};
  if (!wal_archive.empty())
    settings.push_back(fmt::format(R"(restore_command=cp {}/%f "%p")", quoted(wal_archive)));
  return std::make_unique<ScratchCluster>(interruption, place, programs, fill, settings, login);
}

}  // namespace pg_integrity
