// A PostgreSQL cluster that is made to be thrown away. It lives in a work directory and runs in a
// sandbox. Only a socket in the work directory reaches it. The destructor ends it. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "exporter/drill/work_directory.h"
#include "exporter/io/child_process.h"
#include "exporter/io/descriptor.h"
#include "exporter/io/sandbox.h"

namespace pg_integrity {

/// The directories of PostgreSQL's programs that hold one of that name. The newest version comes
/// first.
std::vector<std::string> program_directories(const std::string& program);
/// The path of the newest program of that name.
/// @throws SourceError{missing} if none is installed.
std::string newest_program(const std::string& program);

/// The role that connects to a scratch server, and the database.
struct ScratchLogin {
  std::string user;
  std::string database;
};

/// How a data directory that did not come from initdb is started.
struct ScratchStart {
  std::string programs;               ///< the directory of the server's programs
  std::vector<std::string> settings;  ///< "name=value", beside those that isolate the server
  SandboxView view{};                 ///< what the server sees beside its own folders
  ScratchLogin login;
};

class ScratchCluster {
 public:
  /// Makes a new cluster with initdb and starts it.
  /// @param encoding of its database, as PostgreSQL names it.
  /// @throws SourceError if it cannot be made or started; Interrupted.
  ScratchCluster(Children& children, const Sandbox& sandbox, WorkDirectory& work,
                 const std::string& encoding);
  /// Starts the data directory that is in the work directory. Nothing of its configuration counts.
  /// @throws SourceError{decode} if it cannot recover; else as above.
  ScratchCluster(Children& children, const Sandbox& sandbox, WorkDirectory& work,
                 const ScratchStart& start);
  ~ScratchCluster();
  ScratchCluster(const ScratchCluster&) = delete;
  ScratchCluster& operator=(const ScratchCluster&) = delete;

  /// A connection string for its database, as we reach it. In a cluster of initdb this is an empty
  /// database, and the role is a superuser.
  [[nodiscard]] std::string dsn() const { return dsn_through(work_.door()); }
  /// The same, as programs in the sandbox reach it that see inside().
  [[nodiscard]] std::string inner_dsn() const { return dsn_through(work_.socket()); }
  [[nodiscard]] SandboxView inside() const;

 private:
  void start(const std::string& programs, const std::vector<std::string>& settings,
             const SandboxView& view);
  /// Repeats a statement until the server runs it.
  /// @throws SourceError{timeout} after `longest`; with another reason if the server ended or lacks
  /// the database. Interrupted.
  void await(const std::string& programs, const std::string& database, const std::string& statement,
             Seconds longest);
  [[nodiscard]] std::string dsn_through(const std::string& directory) const;

  Children& children_;
  const Sandbox& sandbox_;
  WorkDirectory& work_;
  ScratchLogin login_{"postgres", "drill"};
  std::optional<Descriptor> log_;  ///< the server's messages
  std::unique_ptr<Child> server_;
};

}  // namespace pg_integrity
