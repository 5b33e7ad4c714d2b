// Files and directories, read on disposable workers. A hung file system costs a deadline and does
// not block a lane.
#pragma once

#include "collectors/base/instant.h"
#include "collectors/ports/files.h"
#include "exporter/io/disposable_workers.h"

namespace pg_integrity {

/// The content of a file. Blocks.
/// @throws SourceError: limit if it is larger than `max_bytes`, io or permission if it cannot be
/// read or is no regular file. A FIFO or a directory is never waited for.
std::string contents_of(const std::string& path, std::size_t max_bytes);

/// Valid for one step. Every call ends at that step's deadline.
class WorkerFiles final : public Files {
 public:
  WorkerFiles(DisposableWorkers& workers, Instant deadline)
      : workers_(workers), deadline_(deadline) {}

  using Files::list;
  std::vector<FileEntry> list(const std::string& directory,
                              const std::vector<std::string>& patterns, std::size_t limit) override;
  FileTree tree(const std::string& directory, const TreeBounds& bounds,
                const std::function<bool(const std::string& name)>& wanted) override;
  FileEnds ends(const std::string& path, std::size_t head_bytes, std::size_t tail_bytes) override;
  std::string contents(const std::string& path, std::size_t max_bytes) override;
  double room(const std::string& directory) override;
  bool is_remote(const std::string& directory) override;

 private:
  DisposableWorkers& workers_;
  Instant deadline_;
};

}  // namespace pg_integrity
