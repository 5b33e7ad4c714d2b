// Looks at a set of files again and again, and says when one of them has come, gone or changed. A
// mounted ConfigMap changes by a symbolic link, which inotify does not follow, so this looks at the
// files themselves. A file system that hangs costs the news and nothing else.
#pragma once

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "collectors/base/instant.h"
#include "exporter/io/condition.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/io/stop_signal.h"

namespace pg_integrity {

/// What identifies the files and their content, as far as the file system tells. Blocks.
std::string identity_of(const std::vector<std::string>& files);

class FolderWatch {
 public:
  using Listing = std::function<std::vector<std::string>()>;

  /// @param files lists the paths, on a disposable worker. It must own what it needs, and may
  /// throw.
  /// @param changed is called on the watch's thread after the first look and after each change. It
  /// must not throw.
  /// @param known the files as identity_of() saw them last. If the first look finds the same, it is
  /// no news.
  /// The clock and the workers must outlive this object.
  FolderWatch(std::string name, Listing files, Seconds every, const WaitableClock& clock,
              DisposableWorkers& workers, std::function<void()> changed, std::string known = {});
  ~FolderWatch();
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

 private:
  void work();
  /// What identifies the files and their content. Empty if they cannot be looked at.
  [[nodiscard]] std::string look() const;

  const std::string name_;
  const Listing files_;
  const Seconds every_;
  const WaitableClock& clock_;
  DisposableWorkers& workers_;
  const std::function<void()> changed_;
  std::string known_;  ///< for the watch's thread alone
  StopSignal stop_;
  std::thread thread_;
};

}  // namespace pg_integrity
