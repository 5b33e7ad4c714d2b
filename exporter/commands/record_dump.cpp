#include "exporter/commands/record_dump.h"
#include "exporter/io/atomic_file.h"
#include "exporter/io/console.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "exporter/config/conninfo.h"
#include "exporter/config/options.h"
#include "exporter/config/settings_check.h"
#include "exporter/drill/archive_tools.h"
#include "exporter/drill/copy_comparison.h"
#include "exporter/drill/dump_record.h"
#include "exporter/drill/record_files.h"
#include "exporter/drill/scratch_cluster.h"
#include "exporter/io/child_process.h"
#include "exporter/io/clock.h"
#include "exporter/io/file_digest.h"
#include "exporter/io/interruption.h"
#include "exporter/io/sandbox.h"
#include "exporter/postgres/live_session.h"
#include "exporter/postgres/pqxx_session.h"
#include "exporter/scheduler/runtime.h"

namespace pg_integrity {

namespace {

namespace fs = std::filesystem;

constexpr Seconds kForever{30.0 * 86400};

/// Removes a file or folder that was begun, unless it was finished.
class Unfinished {
 public:
  explicit Unfinished(std::string path) : path_(std::move(path)) {}
  ~Unfinished() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  void finished() { path_.clear(); }

 private:
  std::string path_;
};

/// The pg_dump of the server's own major version, or else the newest one that is installed.
std::string fitting_pg_dump(const LiveSession& session) {
  const std::string major = std::to_string(session.server().version_num / 10000);
  for (const std::string& directory : program_directories("pg_dump"))
    if (fs::path(directory).parent_path().filename() == major) return directory + "/pg_dump";
  return newest_program("pg_dump");
}

/// The digests of a dump as sha256sum prints them: proofs hold its bytes against them later.
std::string digests_of(const std::string& temporary, const std::string& path) {
  const std::string name = fs::path(path).filename().string();
  if (!fs::is_directory(temporary)) return sha256_of_file(temporary) + "  " + name + "\n";
  std::string lines;
  for (const auto& entry : fs::directory_iterator(temporary))
    lines += sha256_of_file(entry.path().string()) + "  " + name + "/" +
             entry.path().filename().string() + "\n";
  return lines;
}

Command dump_command(const RecordCommand& command, const ConnectionOptions& connection,
                     const std::string& database, const PinnedSession& pinned,
                     const std::string& path) {
  const VisibleDsn visible_dsn = visible(current_dsn(connection), database);
  Command dump;
  dump.arguments = {fitting_pg_dump(*pinned.session), "--snapshot=" + pinned.snapshot,
                    "--format=" + command.format,     "--file=" + path,
                    "--dbname=" + visible_dsn.dsn,    "--no-password"};
  if (command.format == "directory")
    dump.arguments.push_back("--jobs=" + std::to_string(command.jobs));
  dump.inherited = {"HOME",          "PGHOST",     "PGHOSTADDR", "PGPORT",        "PGUSER",
                    "PGPASSWORD",    "PGPASSFILE", "PGSERVICE",  "PGSERVICEFILE", "PGSSLMODE",
                    "PGSSLROOTCERT", "PGSSLCERT",  "PGSSLKEY"};
  if (!visible_dsn.password.empty()) dump.environment["PGPASSWORD"] = visible_dsn.password;
  dump.on_line = [](const std::string& line) { say(line); };
  return dump;
}

void record(const RecordCommand& command, const ServerOptions& server, ProcessResources& resources,
            Interruption& interruption) {
  const std::string database = command.database.empty() ? server.home_database : command.database;
  const PinnedSession pinned = open_pinned_session(server.connection, database, resources.clock,
                                                   resources.watchdog, resources.workers);
  const std::string path = fs::absolute(command.dump).string();
  const std::string temporary = path + ".new";
  Unfinished dump_file(temporary);
  std::error_code ignored;
  fs::remove_all(temporary, ignored);  // left behind by one that was killed
  const unsigned mode = mode_of_dump(path);
  const unsigned folder_mode = mode | (mode & 0444U) >> 2U;  // who may read may enter
  ::umask(0777U & ~folder_mode);
  Child dumping(interruption,
                dump_command(command, server.connection, database, pinned, temporary));
  const DumpRecord content =
      digest_tables(*pinned.session, resources.clock, [&](std::size_t done, std::size_t of) {
        interruption.check();
        dumping.ended_within(Seconds(0));
        if (done == of) say(fmt::format("digested {} tables", of));
      });
  const Ended dumped = dumping.wait(kForever);
  if (!dumped.good()) throw SourceError(Reason::server, "pg_dump failed: " + dumped.last_word());
  // Our own pg_dump has just written it, so nothing has to be kept from it.
  const Sandbox open = Sandbox::none({});
  const Ended contents =
      list_contents(interruption, open, archive_at(interruption, open, temporary));
  DumpRecord complete = content;
  complete.created = creation_of(contents.out);
  // pg_dump makes a folder that its owner alone can enter.
  if (command.format == "directory") ::chmod(temporary.c_str(), folder_mode);
  Unfinished record_file(path_of_dump_record(path));
  save_dump_record(path,
                   complete);  // first: a dump without it would be taken for an unrecorded one
  Unfinished digest_file(path + ".sha256");
  replace_file(path + ".sha256", digests_of(temporary, path));
  fs::rename(temporary, path);
  digest_file.finished();
  record_file.finished();
  dump_file.finished();
}

}  // namespace

ExitCode record_dump(const RecordCommand& command) {
  const auto options = options_or_complain(command.config_path);
  const ServerOptions* server = options ? server_named(*options, command.server) : nullptr;
  if (server == nullptr) return ExitCode::usage;
  if (command.dump.empty() || ::access(command.dump.c_str(), F_OK) == 0) {
    say("--dump must name a file that does not exist yet");
    return ExitCode::usage;
  }
  Interruption interruption;
  const SystemClock clock;
  ProcessResources resources(clock);
  try {
    record(command, *server, resources, interruption);
    say(command.dump + " and its record are written");
    return ExitCode::proven;
  } catch (const Interrupted&) {
    say("interrupted; nothing is left of it");
  } catch (const std::exception& error) {
    say(error.what());
  }
  return ExitCode::violated;
}

}  // namespace pg_integrity
