// That there is new evidence, told to those who show or keep it: nobody looks whether there is
// some. Safe on any thread.
#pragma once

#include <functional>
#include <set>

#include "collectors/base/thread_annotations.h"
#include "exporter/io/mutex.h"

namespace pg_integrity {

class News {
 public:
  /// Whoever is to hear of it, for as long as this lives.
  class Listener {
   public:
    /// @param hear runs on the thread that tells; must be quick, and must ask no evidence.
    Listener(News& news, std::function<void()> hear);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

   private:
    friend class News;
    News& news_;
    const std::function<void()> hear_;
  };

  /// A snapshot would be another one than before, or other evidence is in force.
  void tell();

 private:
  Mutex mutex_;
  std::set<const Listener*> listeners_ GUARDED_BY(mutex_);
};

}  // namespace pg_integrity
