// The objects of a bucket as files: a slash in a key parts folders. Valid for one step; one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/ports/files.h"
#include "exporter/buckets/bucket_client.h"
#include "exporter/buckets/bucket_state.h"
#include "exporter/io/disposable_workers.h"

namespace pg_integrity {

class BucketFiles final : public Files {
 public:
  BucketFiles(std::shared_ptr<BucketState> state, DisposableWorkers& workers, const Clock& clock,
              Instant deadline)
      : state_(std::move(state)), clock_(clock), client_(state_, workers, clock, deadline) {}

  using Files::list;
  std::vector<FileEntry> list(const std::string& directory,
                              const std::vector<std::string>& patterns, std::size_t limit) override;
  /// @throws SourceError{config}: nobody needs it.
  FileTree tree(const std::string& directory, const TreeBounds& bounds,
                const std::function<bool(const std::string& name)>& wanted) override;
  FileEnds ends(const std::string& path, std::size_t head_bytes, std::size_t tail_bytes) override;
  std::string contents(const std::string& path, std::size_t max_bytes) override;
  /// @throws SourceError{config}: a bucket does not tell.
  double room(const std::string& directory) override;
  bool is_remote(const std::string& /*directory*/) override { return true; }

 private:
  /// The listing, which is taken if there is none or it is too old.
  /// @throws SourceError{pending} if it could not be ended in this step.
  const BucketListing& listing();
  std::shared_ptr<const BucketListing> take_listing();
  void add_page(PartialListing& partial);
  /// The key below the prefix.
  [[nodiscard]] std::string key_of(const std::string& path) const;
  const BucketObject& object_at(const std::string& path);

  const std::shared_ptr<BucketState> state_;
  const Clock& clock_;
  BucketClient client_;
  std::shared_ptr<const BucketListing> listing_;
};

}  // namespace pg_integrity
