// Tells the threads that show or keep evidence when there is some news, so that they need not poll.
// Safe on any thread.
#pragma once

#include <functional>
#include <set>

#include "collectors/base/thread_annotations.h"
#include "exporter/io/mutex.h"

namespace pg_integrity {

class News {
 public:
  /// Calls a function at all news, for as long as this object lives.
  class Listener {
   public:
    /// @param hear runs on the thread that calls tell(). It must be quick, and must not call
    /// Evidence.
    /// @param news must outlive this object.
    Listener(News& news, std::function<void()> hear);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

   private:
    friend class News;
    News& news_;
    const std::function<void()> hear_;
  };

  /// Call it when a snapshot would differ from the one before, or when other evidence comes into
  /// force.
  void tell();

 private:
  Mutex mutex_;
  std::set<const Listener*> listeners_ GUARDED_BY(mutex_);
};

}  // namespace pg_integrity
