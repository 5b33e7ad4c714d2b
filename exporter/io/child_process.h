// Child processes: started with a clean environment in a process group of their own, bounded in
// time and output, and never outliving this process: the kernel kills them with the thread that
// started them. Start them from a thread that lives as long as they shall; one thread an object.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/base/thread_annotations.h"
#include "exporter/io/mutex.h"

namespace pg_integrity {

/// SIGTERM or SIGINT came: whatever is underway ends, and what was made goes.
class Interrupted {};

/// Children that somebody may end before their time, and what else is underway. Safe on any thread.
class Children {
 public:
  Children() = default;
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  /// Ends those that run; no other one starts, and every wait for one throws Interrupted.
  void interrupt();
  /// @throws Interrupted
  void check() const {
    if (happened_) throw Interrupted();
  }
  [[nodiscard]] bool happened() const { return happened_; }

  /// Runs an action when it is interrupted, on the thread that does it; at once if it was. The
  /// action is called off when this is destroyed, and neither runs nor is running from then on.
  class Guard {
   public:
    Guard(Children& children, std::function<void()> action);
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    friend class Children;
    Children& children_;
    const std::function<void()> action_;
  };

 private:
  friend class Child;
  void watch(pid_t group, int signal);
  void unwatch(pid_t group);
  static void end(pid_t group, int signal);

  std::atomic<bool> happened_ = false;
  Mutex mutex_;
  std::map<pid_t, int> groups_ GUARDED_BY(mutex_);  ///< what ends each child
  Mutex guards_mutex_;                              ///< locked while actions run
  std::set<const Guard*> guards_ GUARDED_BY(guards_mutex_);
  bool guards_told_ GUARDED_BY(guards_mutex_) = false;
};

/// An account of the operating system.
struct Account {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
};

/// Nothing if there is no such user.
std::optional<Account> account_named(const std::string& name);

struct Command {
  std::vector<std::string> arguments;              ///< the program first, with its path
  std::map<std::string, std::string> environment;  ///< beside PATH, LC_ALL=C and TZ=UTC
  std::vector<std::string> inherited;              ///< names of variables that are handed on
  std::optional<Account> account;                  ///< whose process it is; nothing: ours
  std::string directory = "/";                     ///< where it runs
  int in = -1;                                     ///< becomes its standard input; -1: /dev/null
  bool keep_out = false;                           ///< false: its output goes to /dev/null
  bool only_tail = false;                          ///< of the output the last 4 kB are kept
  std::size_t max_out = std::size_t{256} << 20;    ///< bytes that are kept; more end the child
  std::size_t max_errors = 10000;                  ///< lines of standard error that are kept
  int out = -1;                                    ///< becomes its standard output, if not kept
  int niceness = 0;
  int end_signal = 9;  ///< SIGKILL to its group; another one to it alone, which ends its own
  std::function<void(const std::string&)> on_line;  ///< each line of its standard error
};

/// How a child ended. Texts are bounded: of errors the first lines are kept.
struct Ended {
  int status = 0;  ///< exit status; 128 + number of the signal that ended it
  std::string out;
  std::vector<std::string> errors;
  bool out_of_bounds = false;  ///< there was more output

  [[nodiscard]] bool good() const { return status == 0; }
  /// The last line on standard error, or the status in words.
  [[nodiscard]] std::string last_word() const;
};

class Child {
 public:
  /// @throws SourceError{limit} if no process can be made.
  Child(Children& children, const Command& command);
  ~Child();  ///< SIGKILL to its group, if it still runs
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const;
  /// Has it ended? Reads what it says meanwhile; waits up to that long.
  bool ended_within(Seconds time);
  /// Once it has ended.
  [[nodiscard]] int status() const { return ended_.status; }
  /// Waits until this one has ended, or there is news of the other: it has said something or ended.
  /// @return this one has ended.
  bool ended_before_news_of(const Child& other);
  /// Waits for its end. @throws SourceError{timeout}, Interrupted; it is killed then.
  Ended wait(Seconds longest);

 private:
  bool reap();
  /// Waits for news of this child, or of the other one; reads what this one says.
  /// @return there is some.
  bool pump(Seconds longest, const Child* other = nullptr);
  void read_from(int& descriptor);
  void take_errors(const std::string& text);
  void take_out(const std::string& text);

  Children& children_;
  pid_t pid_ = -1;
  int end_ = -1;  ///< a pidfd: becomes readable when the child has ended
  int out_ = -1;
  int err_ = -1;
  bool reaped_ = false;
  std::string line_;  ///< of standard error, not ended yet
  bool only_tail_ = false;
  std::size_t max_out_ = 0;
  std::size_t max_errors_ = 0;
  std::function<void(const std::string&)> on_line_;
  Ended ended_;
};

/// Starts it and waits for its end.
Ended run(Children& children, const Command& command, Seconds longest);

/// Where the PATH of children leads to for a name without a slash; a path as it is.
/// @throws SourceError: missing if nothing is there, permission if we may not run it.
std::string path_of_program(const std::string& name);

/// A descriptor that becomes readable when that process has ended, whoever started it; -1: no such
/// process, or a kernel before Linux 5.3.
int end_of_process(pid_t pid);

/// When that process was started, in clock ticks since boot: tells it from a later one with the
/// same id. Nothing if it does not run.
std::optional<std::string> start_of_process(pid_t pid);

}  // namespace pg_integrity
