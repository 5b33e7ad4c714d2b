// A PostgreSQL cluster that is made to be thrown away: in a directory of its own, reached through a
// socket in it and nothing else. It goes with the object, and what a killed predecessor left goes
// at the next start. One thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "exporter/io/child_process.h"
#include "exporter/io/interruption.h"

namespace pg_integrity {

/// PostgreSQL's programs, the newest version first: directories that hold one of that name.
std::vector<std::string> program_directories(const std::string& program);
/// The newest program of that name, with its path. @throws SourceError{missing}
std::string newest_program(const std::string& program);

struct ScratchPlace {
  std::string base;                ///< the directory that work directories are made in
  std::optional<Account> account;  ///< who runs the server; nothing: we do
};

/// Ends the processes and removes the directories of drills that no longer run.
/// @return how many there were.
std::size_t sweep(const ScratchPlace& place);

/// A directory in `base` whose name holds our process id and start time, which tells a sweep
/// whether somebody still needs it. Mode 0700, of the account. Removed with the object, and with it
/// every process that runs in it.
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

/// Who connects to a scratch server, and to which of its databases.
struct ScratchLogin {
  std::string user;
  std::string database;
};

class ScratchCluster {
 public:
  /// Makes and starts it. @param encoding of its database, as PostgreSQL names it.
  /// @throws SourceError, Interrupted
  ScratchCluster(Interruption& interruption, const ScratchPlace& place,
                 const std::string& encoding);
  /// Starts what `fill` puts into a directory that is there, which need not be what initdb made.
  /// @param programs the directory of the server's programs.
  /// @param settings "name=value", beside those that keep it to itself.
  /// @throws SourceError{decode} if it cannot recover; else as above.
  ScratchCluster(Interruption& interruption, const ScratchPlace& place, const std::string& programs,
                 const std::function<void(const std::string& data)>& fill,
                 const std::vector<std::string>& settings, ScratchLogin login);
  ~ScratchCluster();
  ScratchCluster(const ScratchCluster&) = delete;
  ScratchCluster& operator=(const ScratchCluster&) = delete;

  /// A connection string for its database: an empty one and as superuser, where initdb made it.
  [[nodiscard]] std::string dsn() const;
  [[nodiscard]] const std::string& directory() const { return work_.path(); }

 private:
  void start(const ScratchPlace& place, const std::string& programs,
             const std::vector<std::string>& settings);
  /// Waits until it runs that statement, at most so long.
  void await(const std::string& programs, const std::string& database, const std::string& statement,
             Seconds longest);

  Interruption& interruption_;
  WorkDirectory work_;
  ScratchLogin login_{"postgres", "drill"};
  std::unique_ptr<Child> server_;
};

}  // namespace pg_integrity
