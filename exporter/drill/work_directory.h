// The folder of one drill. It belongs to us, and the account that runs the backup's code owns only
// the folders in it that it writes. So nobody can lead us elsewhere by a link. The object's
// destructor removes it. sweep() removes what a killed process left, at the next start. One thread.
//
//   etc/     read only: who the account is, and the throwaway server's configuration
//   copy/    the account's, with the data directory
//   socket/  the account's, with the throwaway server's socket
//   door/    leads us to the socket that was there before any code of the backup ran
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "exporter/io/child_process.h"
#include "exporter/io/descriptor.h"

namespace pg_integrity {

struct ScratchPlace {
  std::string base;                ///< the parent of work directories
  std::optional<Account> account;  ///< runs the server; nullopt for our own account
};

/// Ends the processes and removes the directories of drills that no longer run.
/// @return the number of removed directories.
std::size_t sweep(const ScratchPlace& place);

/// A directory in `base`. Its name holds our process id and start time, so that a sweep can tell
/// whether its maker still runs. The destructor ends every process that runs in it, and removes it.
class WorkDirectory {
 public:
  /// @throws SourceError{io}
  explicit WorkDirectory(const ScratchPlace& place);
  ~WorkDirectory();
  WorkDirectory(const WorkDirectory&) = delete;
  WorkDirectory& operator=(const WorkDirectory&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string etc() const { return path_ + "/etc"; }
  [[nodiscard]] std::string copy() const { return path_ + "/copy"; }
  [[nodiscard]] std::string data() const { return path_ + "/copy/data"; }
  [[nodiscard]] std::string socket() const { return path_ + "/socket"; }
  [[nodiscard]] std::string door() const { return path_ + "/door"; }

  /// Makes a file that we own, anew if it is there.
  /// @throws SourceError{io}
  [[nodiscard]] Descriptor make_file(const std::string& name) const;
  /// Lets `door` lead to the socket that is there now, whatever takes its name later.
  /// @throws SourceError{io} if there is none.
  void open_door();

 private:
  std::string path_;
  Descriptor pinned_;  ///< the socket
};

}  // namespace pg_integrity
