// Disposable workers are threads for calls that cannot be interrupted (a hung file system, a name
// server that does not answer). The caller waits until its deadline and goes on. A worker that has
// not come back by then is given up. One that has come back waits a minute for the next call. While
// a worker is given up on a path, no other worker is sent down that path. Safe on any thread.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "collectors/base/instant.h"
#include "collectors/base/thread_annotations.h"
#include "exporter/io/condition.h"
#include "exporter/io/mutex.h"
#include "exporter/io/reused_threads.h"

namespace pg_integrity {

class DisposableWorkers {
 public:
  explicit DisposableWorkers(const WaitableClock& clock)
      : clock_(clock),
        given_up_(std::make_shared<GivenUp>()),
        threads_(std::make_shared<ReusedThreads>()) {}

  /// Workers that share the list of given-up workers with these, and have a stop_waiting() of their
  /// own.
  [[nodiscard]] std::unique_ptr<DisposableWorkers> sibling() const;

  /// Runs `work` on a thread of its own and waits for it. `work` may outlive this object, so it
  /// must own everything it captures. A late result is destroyed on the worker's thread.
  /// @param path names what may hang.
  /// @throws SourceError{timeout} at the deadline, or at once while a worker is given up on that
  /// path.
  /// @throws SourceError{limit} if no thread can be started.
  /// @throws the error that `work` throws.
  template <typename T>
  T run(const std::string& path, Instant deadline, std::function<T()> work) {
    refuse_if_given_up(path);
    auto errand = std::make_shared<ErrandFor<T>>();
    threads_->run([errand, work = std::move(work), given_up = given_up_, path] {
      errand->go(work, *given_up, path);
    });
    wait_for(*errand, deadline, path);
    return errand->take();
  }

  /// All waiting callers give up now, and later callers give up at once.
  void stop_waiting();

  /// Workers that were given up and have not come back.
  [[nodiscard]] std::size_t given_up() const;

 private:
  struct GivenUp {
    mutable Mutex mutex;
    /// A path may occur more than once. Several workers may have been out on it before the first
    /// one was given up.
    std::multiset<std::string> paths GUARDED_BY(mutex);

    void add(const std::string& path);
    void remove(const std::string& path);
  };

  /// The task of one worker, without its result.
  struct Errand {
    Mutex mutex;
    Condition changed;
    bool done GUARDED_BY(mutex) = false;
    bool told_to_stop GUARDED_BY(mutex) = false;  ///< the waiting caller is to give up
    bool given_up GUARDED_BY(mutex) = false;
  };

  template <typename T>
  struct ErrandFor : Errand {
    std::optional<T> result GUARDED_BY(mutex);
    std::exception_ptr error GUARDED_BY(mutex);

    void go(const std::function<T()>& work, GivenUp& lost, const std::string& path) {
      std::optional<T> value;
      std::exception_ptr failure;
      try {
        value.emplace(work());
      } catch (...) {
        failure = std::current_exception();
      }
      const MutexLock lock(mutex);
      if (given_up) return lost.remove(path);
      result = std::move(value);
      error = std::move(failure);  // one owner: ThreadSanitizer sees no reference counts
      done = true;
      changed.notify_all();
    }

    T take() {
      const MutexLock lock(mutex);
      if (error) std::rethrow_exception(std::exchange(error, nullptr));
      return std::move(*result);
    }
  };

  /// Marks an errand as waited for, for as long as this object lives.
  class Waiting {
   public:
    Waiting(DisposableWorkers& workers, Errand& errand);
    ~Waiting();
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

   private:
    DisposableWorkers& workers_;
    Errand& errand_;
  };

  /// @throws SourceError{timeout} at the deadline or after stop_waiting(). The errand is given up
  /// then.
  void wait_for(Errand& errand, Instant deadline, const std::string& path);
  [[noreturn]] static void throw_timeout(const std::string& path);
  void refuse_if_given_up(const std::string& path) const;

  DisposableWorkers(const WaitableClock& clock, std::shared_ptr<GivenUp> given_up,
                    std::shared_ptr<ReusedThreads> threads)
      : clock_(clock), given_up_(std::move(given_up)), threads_(std::move(threads)) {}

  const WaitableClock& clock_;
  std::shared_ptr<GivenUp> given_up_;
  std::shared_ptr<ReusedThreads> threads_;
  Mutex mutex_;  ///< locked before an errand's mutex, never after it
  std::set<Errand*> waited_for_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
};

}  // namespace pg_integrity
