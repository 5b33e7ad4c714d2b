// Runs programs that read or run what others wrote (dumps, base backups) where nothing else is in
// sight. bubblewrap gives each program namespaces of its own: users, mounts, processes, IPC, host
// name and network. The program sees PostgreSQL, the system's libraries and the paths that its
// caller names. Its environment is empty but for what the caller sets.
//
//   const Sandbox sandbox = Sandbox::with_namespaces(children, account, etc);
//   Command command;
//   command.arguments = {"/usr/lib/postgresql/15/bin/pg_restore", "--list", "/b/a.dump"};
//   run(children, sandbox.around(command, {.readable = {"/b/a.dump"}}), Seconds(60));
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "exporter/io/child_process.h"

namespace pg_integrity {

/// What one program sees beside PostgreSQL and the system's libraries.
struct SandboxView {
  std::vector<std::string> readable;  ///< files and folders, at their own paths
  std::vector<std::string> writable;  ///< the same
  std::vector<std::string> programs;  ///< of /usr/bin, if installed; "sh" is /bin/sh
  bool network = false;               ///< the network of the machine; false: none at all
};

/// What one program may take. Each limit is of a process, but for the number of processes.
struct SandboxLimits {
  double memory = 0;     ///< bytes of address space; 0: unlimited
  double file_size = 0;  ///< bytes; 0: unlimited
  int processes = 300;   ///< within the sandbox
};

class Sandbox {
 public:
  /// Nothing is hidden from the programs.
  /// @param account runs them; nothing: our own.
  static Sandbox none(std::optional<Account> account);
  /// Tries whether this account may have namespaces here.
  /// @param etc a folder that the account can read and not write. Files are written into it, which
  /// tell the programs whose process they are.
  /// @throws SourceError{missing} if bubblewrap is not installed or namespaces cannot be had.
  static Sandbox with_namespaces(Children& children, std::optional<Account> account,
                                 const std::string& etc);

  void limit_to(const SandboxLimits& limits) { limits_ = limits; }
  /// Whether programs run in namespaces.
  [[nodiscard]] bool isolates() const { return !bubblewrap_.empty(); }
  [[nodiscard]] const std::optional<Account>& account() const { return account_; }

  /// The command that runs this one in the sandbox, under the sandbox's account unless the command
  /// names another one. Its program is in sight. The kernel ends it before others when memory is
  /// short.
  [[nodiscard]] Command around(Command command, const SandboxView& view) const;

 private:
  std::string bubblewrap_;  ///< path of the program; empty: no namespaces
  std::optional<Account> account_;
  std::string etc_;
  std::vector<std::string> more_;  ///< options that not every machine allows
  SandboxLimits limits_;
};

/// Writes a file of ours that every account can read, such as a configuration for a sandbox.
/// @throws SourceError{io}
void write_readable(const std::string& path, const std::string& text);

/// Whether the account can read the path; for no account, our own.
/// @throws Interrupted
bool can_read(Children& children, const std::optional<Account>& account, const std::string& path);
/// The account that can read the path: the given one, or else the path's owner. For programs that
/// read what others wrote and run nothing of it.
/// @return nothing if no account is given.
/// @throws Interrupted
std::optional<Account> reader_of(Children& children, const std::optional<Account>& account,
                                 const std::string& path);

}  // namespace pg_integrity
