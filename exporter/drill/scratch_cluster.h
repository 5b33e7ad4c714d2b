// A PostgreSQL cluster that is made to be thrown away. It lives in a directory of its own, and only
// a socket in that directory reaches it. The object's destructor removes it. sweep() removes what a
// killed process left, at the next start. One thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "exporter/io/child_process.h"
#include "exporter/io/descriptor.h"
#include "exporter/io/interruption.h"

namespace pg_integrity {

/// The directories of PostgreSQL's programs that hold one of that name. The newest version comes
/// first.
std::vector<std::string> program_directories(const std::string& program);
/// The path of the newest program of that name.
/// @throws SourceError{missing} if none is installed.
std::string newest_program(const std::string& program);

struct ScratchPlace {
  std::string base;                ///< the parent of work directories
  std::optional<Account> account;  ///< runs the server; nullopt for our own account
};

/// Ends the processes and removes the directories of drills that no longer run.
/// @return the number of removed directories.
std::size_t sweep(const ScratchPlace& place);

/// A directory in `base`. Its name holds our process id and start time, so that a sweep can tell
/// whether its maker still runs. It has mode 0700 and belongs to the account. The destructor ends
/// every process that runs in it, and removes it.
class WorkDirectory {
 public:
  /// @throws SourceError{io}
  explicit WorkDirectory(const ScratchPlace& place);
  ~WorkDirectory();
  WorkDirectory(const WorkDirectory&) = delete;
  WorkDirectory& operator=(const WorkDirectory&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// The role that connects to a scratch server, and the database.
struct ScratchLogin {
  std::string user;
  std::string database;
};

class ScratchCluster {
 public:
  /// Makes a new cluster with initdb and starts it.
  /// @param encoding of its database, as PostgreSQL names it.
  /// @throws SourceError if it cannot be made or started; Interrupted.
  ScratchCluster(Interruption& interruption, const ScratchPlace& place,
                 const std::string& encoding);
  /// Starts a data directory that `fill` makes. It need not come from initdb.
  /// @param programs the directory of the server's programs.
  /// @param fill is called with the path of the new, empty data directory, and fills it.
  /// @param settings further "name=value", beside those that isolate the server.
  /// @throws SourceError{decode} if it cannot recover; else as above.
  ScratchCluster(Interruption& interruption, const ScratchPlace& place, const std::string& programs,
                 const std::function<void(const std::string& data)>& fill,
                 const std::vector<std::string>& settings, ScratchLogin login);
  ~ScratchCluster();
  ScratchCluster(const ScratchCluster&) = delete;
  ScratchCluster& operator=(const ScratchCluster&) = delete;

  /// A connection string for its database. In a cluster of initdb this is an empty database, and
  /// the role is a superuser.
  [[nodiscard]] std::string dsn() const;
  [[nodiscard]] const std::string& directory() const { return work_.path(); }

 private:
  void start(const ScratchPlace& place, const std::string& programs,
             const std::vector<std::string>& settings);
  /// Repeats a statement until the server runs it.
  /// @throws SourceError{timeout} after `longest`; with another reason if the server ended or lacks
  /// the database. Interrupted.
  void await(const std::string& programs, const std::string& database, const std::string& statement,
             Seconds longest);

  Interruption& interruption_;
  WorkDirectory work_;
  ScratchLogin login_{"postgres", "drill"};
  std::optional<Descriptor> log_;  ///< the server's messages
  std::unique_ptr<Child> server_;
};

}  // namespace pg_integrity
