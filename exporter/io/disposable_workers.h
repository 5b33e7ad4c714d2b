// Disposable workers: threads for calls that nothing can interrupt (a hung file system, a name
// server that does not answer). The caller waits until its deadline and goes on; a worker that is
// still out then is given up, and while one is, no other is sent down the same path. Safe on any
// thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "collectors/base/instant.h"
#include "collectors/ports/clock.h"

namespace pg_integrity {

class DisposableWorkers {
 public:
  explicit DisposableWorkers(const Clock& clock)
      : clock_(clock), given_up_(std::make_shared<GivenUp>()) {}

  /// Workers that know of each other's given-up ones, with a stop_waiting() of their own.
  [[nodiscard]] std::unique_ptr<DisposableWorkers> sibling() const;

  /// Runs `work` on a thread of its own. What it captures must be its own: it may outlive this
  /// object, and what it returns late is destroyed on its thread.
  /// @param path names what may hang.
  /// @throws SourceError{timeout} at the deadline, or at once while a worker is given up on that
  /// path; SourceError{limit} if no thread can be had; whatever `work` throws.
  template <typename T>
  T run(const std::string& path, Instant deadline, std::function<T()> work) {
    refuse_if_given_up(path);
    auto errand = std::make_shared<Errand<T>>();
    start([errand, work = std::move(work), given_up = given_up_, path] {
      errand->go(work, *given_up, path);
    });
    return errand->wait(*this, deadline, path);
  }

  /// Whoever waits gives up now, and whoever comes later at once.
  void stop_waiting() { stopping_ = true; }

  /// Workers that were given up and have not come back.
  [[nodiscard]] std::size_t given_up() const;

 private:
  struct GivenUp {
    mutable std::mutex mutex;
    std::multiset<std::string> paths;  ///< several may have been out before one was given up

    void add(const std::string& path);
    void remove(const std::string& path);
  };

  template <typename T>
  struct Errand {
    std::mutex mutex;
    std::condition_variable done;
    std::optional<T> result;
    std::exception_ptr error;
    bool nobody_waits = false;

    void go(const std::function<T()>& work, GivenUp& given_up, const std::string& path) {
      std::optional<T> value;
      std::exception_ptr failure;
      try {
        value.emplace(work());
      } catch (...) {
        failure = std::current_exception();
      }
      const std::lock_guard lock(mutex);
      if (nobody_waits) {
        given_up.remove(path);
        return;
      }
      result = std::move(value);
      error = std::move(failure);  // one owner: ThreadSanitizer sees no reference counts
      done.notify_all();
    }

    T wait(const DisposableWorkers& workers, Instant deadline, const std::string& path) {
      std::unique_lock lock(mutex);
      while (!result && !error) {
        const Seconds left = deadline - workers.clock_.now();
        if (left.count() <= 0 || workers.stopping_) {
          nobody_waits = true;
          workers.given_up_->add(path);
          throw_timeout(path);
        }
        done.wait_for(lock, std::min(left, Seconds(0.1)));
      }
      if (error) std::rethrow_exception(std::exchange(error, nullptr));
      return std::move(*result);
    }
  };

  [[noreturn]] static void throw_timeout(const std::string& path);
  void refuse_if_given_up(const std::string& path) const;
  static void start(std::function<void()> errand);

  DisposableWorkers(const Clock& clock, std::shared_ptr<GivenUp> given_up)
      : clock_(clock), given_up_(std::move(given_up)) {}

  const Clock& clock_;
  std::shared_ptr<GivenUp> given_up_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace pg_integrity
