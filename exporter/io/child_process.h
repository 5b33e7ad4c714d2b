// Child processes, bounded in time and output. Each one starts with a clean environment, in a
// process group of its own. No child outlives this process. The kernel kills a child when the
// thread that started it ends, so start it from a thread that lives long enough. Each object
// belongs to one thread.
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

/// Thrown after Children::interrupt(), usually because a signal came. Its catcher ends the work
/// that is under way and removes what it has made.
class Interrupted {};

/// A group of children that another thread may end early. Other work can follow the same
/// interruption by check() or a Guard. Safe on any thread.
class Children {
 public:
  Children() = default;
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  /// Ends the running children. From then on no other child starts, and every wait for a child
  /// throws Interrupted.
  void interrupt();
  /// @throws Interrupted
  void check() const {
    if (happened_) throw Interrupted();
  }
  [[nodiscard]] bool happened() const { return happened_; }

  /// Runs an action when the group is interrupted, on the thread that calls interrupt(). If the
  /// group was interrupted before, the action runs at once in the constructor. After the guard's
  /// destruction the action is not running and will not run.
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
  std::map<pid_t, int> groups_ GUARDED_BY(mutex_);  ///< the signal that ends each child
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

/// @return nothing if there is no such user. One thread at a time, as getpwnam() requires.
std::optional<Account> account_named(const std::string& name);

struct Command {
  std::vector<std::string> arguments;              ///< the program's path comes first
  std::map<std::string, std::string> environment;  ///< added to PATH, LC_ALL=C and TZ=UTC
  std::vector<std::string> inherited;              ///< variables copied from our environment
  std::optional<Account> account;                  ///< runs the program; nothing: our own account
  std::string directory = "/";                     ///< working directory
  int in = -1;                                     ///< becomes its standard input; -1: /dev/null
  bool keep_out = false;                           ///< false: its output goes to /dev/null
  bool only_tail = false;                          ///< keeps only the last 4096 bytes of output
  std::size_t max_out = std::size_t{256} << 20;    ///< bytes to keep; more output ends the child
  std::size_t max_errors = 10000;                  ///< lines of standard error to keep
  int out = -1;                                    ///< becomes its standard output unless keep_out
  int err = -1;  ///< becomes its standard error, whose lines are then not kept
  int niceness = 0;
  bool expendable = false;  ///< the kernel ends it first when memory is short
  int end_signal = 9;       ///< SIGKILL goes to its group, any other signal to the child alone
  std::function<void(const std::string&)> on_line;  ///< each line of its standard error
};

/// How a child ended. Its texts are bounded. The first lines of standard error are kept, each with
/// at most 2000 bytes.
struct Ended {
  int status = 0;  ///< exit status; 128 + number of the signal that ended it
  std::string out;
  std::vector<std::string> errors;
  bool out_of_bounds = false;  ///< the child wrote more than max_out bytes

  [[nodiscard]] bool good() const { return status == 0; }
  /// The last kept line of standard error, or the status in words.
  [[nodiscard]] std::string last_word() const;
};

class Child {
 public:
  /// @throws SourceError{limit} if no process can be made, Interrupted if the group was
  /// interrupted.
  Child(Children& children, const Command& command);
  ~Child();  ///< SIGKILL to its group, if it still runs
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const;
  /// Reads the child's output until it has ended, for at most that long.
  /// @return the child has ended.
  bool ended_within(Seconds time);
  /// Valid once the child has ended.
  [[nodiscard]] int status() const { return ended_.status; }
  /// Waits until this child ends, or until the other one writes something or ends. May return
  /// earlier. Reads this child's output, but not that of the other one.
  /// @return this child has ended.
  bool ended_before_news_of(const Child& other);
  /// Waits for the child's end.
  /// @throws SourceError{timeout}, Interrupted. The child has ended or is killed then.
  Ended wait(Seconds longest);

 private:
  bool reap();
  /// Waits until this child, or the other one, writes something or ends. Reads what this child
  /// wrote.
  /// @return true if there was news.
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
  std::string line_;  ///< the unfinished line of standard error
  bool only_tail_ = false;
  std::size_t max_out_ = 0;
  std::size_t max_errors_ = 0;
  std::function<void(const std::string&)> on_line_;
  Ended ended_;
};

/// Starts a child and waits for its end. @throws as Child's constructor and wait() do.
Ended run(Children& children, const Command& command, Seconds longest);

/// The path of a program. A name without a slash is searched in the PATH that children get. A name
/// with a slash is the path already.
/// @throws SourceError: missing if there is no such program, permission if we may not run it.
std::string path_of_program(const std::string& name);

/// A descriptor that becomes readable when that process has ended. The process need not be our
/// child. The caller closes the descriptor. -1 if there is no such process, or if the kernel is
/// older than Linux 5.3.
int end_of_process(pid_t pid);

/// The start time of that process in clock ticks since boot. It tells the process from a later one
/// with the same id.
/// @return nothing if the process does not run.
std::optional<std::string> start_of_process(pid_t pid);

}  // namespace pg_integrity
