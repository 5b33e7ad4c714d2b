// A throwaway cluster whose backups and WAL go into a repository of the real pgBackRest, or of the
// real Barman. Everything belongs to the server's user, who also runs these programs.
#pragma once

#include <unistd.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/cluster.h"
#include "tests/support/process.h"
#include "tests/support/temporary.h"
#include "tests/support/wait.h"

namespace pg_integrity::test {

/// The place of a program: a directory of the server's user, and the account that runs it.
class Program {
 public:
  Program() {
    if (::geteuid() == 0) must(run({"chown", "postgres:", directory_.path()}));
  }

  [[nodiscard]] const std::string& path() const { return directory_.path(); }
  [[nodiscard]] std::string write(const std::string& name, const std::string& content) const {
    return directory_.write(name, content);
  }
  static Finished must(Finished finished) {
    if (finished.status != 0) throw std::runtime_error(finished.out + finished.err);
    return finished;
  }
  [[nodiscard]] static std::string must_run(const std::vector<std::string>& command) {
    return must(run(command, kOwn)).out;
  }
  static inline const ProcessOptions kOwn{{}, {"PGHOST", "PGPORT", "PGUSER", "PGDATABASE"}, true};

 private:
  TemporaryDirectory directory_;
};

class PgBackRestRepository {
 public:
  PgBackRestRepository() {
    for (const char* place : {"repo", "log", "lock", "spool"})
      static_cast<void>(Program::must_run({"mkdir", program_.path() + "/" + place}));
    static_cast<void>(program_.write(
        "pgbackrest.conf",
        "[global]\nrepo1-path=" + program_.path() + "/repo\nlog-path=" + program_.path() +
            "/log\nlock-path=" + program_.path() + "/lock\nspool-path=" + program_.path() +
            "/spool\nlog-level-console=error\nstart-fast=y\n"
            "repo1-retention-full=9\n[main]\npg1-path=" +
            cluster_.data_directory() + "\npg1-port=" + std::to_string(cluster_.port()) +
            "\npg1-socket-path=" + cluster_.socket_directory() + "\n"));
  }

  [[nodiscard]] Cluster& cluster() { return cluster_; }
  [[nodiscard]] const std::string& path() const { return program_.path(); }
  [[nodiscard]] const Program& program() const { return program_; }
  [[nodiscard]] std::vector<std::string> command(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(),
                     {"pgbackrest", "--config=" + configuration(), "--stanza=main"});
    return arguments;
  }
  [[nodiscard]] std::string ask(const std::vector<std::string>& arguments) const {
    return Program::must_run(command(arguments));
  }

 private:
  [[nodiscard]] std::string configuration() const { return program_.path() + "/pgbackrest.conf"; }

  Program program_;
  Cluster cluster_{{{"archive_mode", "on"},
                    {"archive_command", "'pgbackrest --config=" + configuration() +
                                            " --stanza=main archive-push %p'"}}};
};

class BarmanRepository {
 public:
  BarmanRepository() {
    static_cast<void>(
        Program::must_run({"mkdir", program_.path() + "/home", program_.path() + "/barman.d"}));
    const std::string connection =
        "host=127.0.0.1 port=" + std::to_string(cluster_.port()) + " user=postgres";
    static_cast<void>(program_.write(
        "barman.conf", "[barman]\nbarman_user = " + Program::must_run({"id", "-un"}) +
                           "barman_home = " + program_.path() +
                           "/home\nlog_file = " + program_.path() +
                           "/barman.log\nconfiguration_files_directory = " + program_.path() +
                           "/barman.d\n[main]\ndescription = main\nconninfo = " + connection +
                           " dbname=postgres\nstreaming_conninfo = " + connection +
                           "\nbackup_method = postgres\nstreaming_archiver = on\nslot_name = "
                           "barman\ncreate_slot = auto\npath_prefix = " +
                           Cluster::programs() + "\n"));
    static_cast<void>(ask({"cron"}));
    // The receiver of WAL starts in the background. It must have got something before a backup.
    if (!eventually([this] {
          send_wal();
          return run(command({"check", "main"}), Program::kOwn).status == 0;
        }))
      throw std::runtime_error("Barman receives no WAL");
  }
  ~BarmanRepository() {
    static_cast<void>(run(command({"receive-wal", "--stop", "main"}), Program::kOwn));
  }
  BarmanRepository(const BarmanRepository&) = delete;
  BarmanRepository& operator=(const BarmanRepository&) = delete;

  [[nodiscard]] Cluster& cluster() { return cluster_; }
  [[nodiscard]] const std::string& path() const { return program_.path(); }
  [[nodiscard]] const Program& program() const { return program_; }
  [[nodiscard]] std::vector<std::string> command(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"barman", "-c", program_.path() + "/barman.conf"});
    return arguments;
  }
  [[nodiscard]] std::string ask(const std::vector<std::string>& arguments) const {
    return Program::must_run(command(arguments));
  }
  /// Lets the WAL up to now come into the archive.
  void send_wal() const {
    static_cast<void>(
        run(command({"switch-wal", "--force", "--archive", "--archive-timeout", "5", "main"}),
            Program::kOwn));
  }
  [[nodiscard]] std::string list() const { return ask({"-f", "json", "list-backups", "main"}); }
  /// Takes a backup, and waits until the WAL of its end has come. A newer Barman waits for the
  /// segment after it, too.
  void backup() const {
    static_cast<void>(ask({"backup", "main"}));
    if (!eventually([this] {
          send_wal();
          static_cast<void>(run(command({"cron"}), Program::kOwn));
          return list().find("DONE") != std::string::npos;
        }))
      throw std::runtime_error("Barman does not finish the backup");
  }

 private:
  Program program_;
  Cluster cluster_;
};

}  // namespace pg_integrity::test
