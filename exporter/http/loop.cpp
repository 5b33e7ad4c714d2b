#include "exporter/http/loop.h"

#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <map>
#include <stdexcept>
#include <thread>
#include <utility>

#include "collectors/base/thread_annotations.h"
#include "exporter/io/console.h"
#include "exporter/io/logging.h"
#include "exporter/io/mutex.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kMostConnections = 256;
constexpr std::size_t kDescriptorsOfOthers = 64;  ///< left to sessions, files and programs
constexpr int kAcceptedAtOnce = 64;
constexpr timeval kPause{0, 100000};   ///< without a descriptor for the next connection
constexpr timeval kLastAnswers{1, 0};  ///< while the loop ends

/// libevent's own words, which would be raw lines.
void speak_for_libevent() {
  ::event_set_log_callback([](int severity, const char* text) {
    if (severity >= EVENT_LOG_WARN) log(LogLevel::warning, "libevent", {{"error", text}});
  });
  ::event_set_fatal_callback([](int /*error*/) {
    flush_log();
    say("it cannot go on: no descriptor is to be had. HINT: raise the limit of open files");
    ::_exit(1);
  });
}

event_base* new_base() {
  speak_for_libevent();
  return ::event_base_new();
}

/// Bounded by the descriptors that this process may have, too.
std::size_t most_connections() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return kMostConnections;
  const std::size_t descriptors = limit.rlim_cur;
  const std::size_t free =
      descriptors > kDescriptorsOfOthers ? descriptors - kDescriptorsOfOthers : 0;
  return std::clamp<std::size_t>(free, 8, kMostConnections);
}

/// Who may ask by the local socket.
bool is_probe_of_ours(int socket) {
  ucred caller{};
  socklen_t size = sizeof caller;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &caller, &size) == 0 &&
         (caller.uid == 0 || caller.uid == ::geteuid());
}

}  // namespace

class Loop::Impl final : public ConnectionEvents {
 public:
  explicit Impl(LoopHooks hooks)
      : hooks_(std::move(hooks)),
        base_(new_base()),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        most_(most_connections()) {
    if (!base_ || !wake_.open()) throw std::runtime_error("no event loop can be made");
  }

  ~Impl() override { stop(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void start(std::vector<ListeningSocket> sockets) {
    sockets_ = std::move(sockets);
    for (const ListeningSocket& socket : sockets_) {
      Listener& listener = listeners_.emplace_back(Listener{this, &socket, nullptr});
      listener.readable.reset(::event_new(base_.get(), socket.socket.number(), EV_READ | EV_PERSIST,
                                          on_connection, &listener));
      if (!listener.readable) throw std::bad_alloc();
      ::event_add(listener.readable.get(), nullptr);
    }
    woken_ = new_event(wake_.number(), EV_READ | EV_PERSIST, on_wake);
    pause_over_ = new_event(-1, 0, on_pause_over);
    last_call_ = new_event(-1, 0, on_last_call);
    ::event_add(woken_.get(), nullptr);
    thread_ = std::thread([this] { work(); });
  }

  void stop() {
    if (!thread_.joinable()) return;
    stopping_ = true;
    ::eventfd_write(wake_.number(), 1);
    thread_.join();
    const auto rest = std::exchange(connections_, {});  // their ends change the map
    listeners_.clear();
    sockets_.clear();
  }

  void answer(std::uint64_t connection, Reply reply) {
    {
      const MutexLock lock(mutex_);
      answers_.emplace_back(connection, std::move(reply));
    }
    ::eventfd_write(wake_.number(), 1);
  }

  [[nodiscard]] std::size_t connections() const { return count_; }

  void asked(Asked request) override { hooks_.asked(std::move(request)); }

  void changed(Connection& connection) override {
    if (connection.list != nullptr) connection.list->erase(connection.place);
    connection.list = nullptr;
    switch (connection.phase()) {
      case Phase::ended: {
        auto found = connections_.find(connection.id());
        if (found == connections_.end()) return;
        dead_.push_back(std::move(found->second));
        connections_.erase(found);
        count_ = connections_.size();
        return;
      }
      case Phase::asking:
        return;
      case Phase::resting:
      case Phase::answering:
        connection.list = connection.phase() == Phase::resting ? &resting_ : &answering_;
        connection.place = connection.list->insert(connection.list->end(), &connection);
    }
  }

 private:
  struct FreeEvent {
    void operator()(event* made) const { ::event_free(made); }
  };
  struct FreeBase {
    void operator()(event_base* base) const { ::event_base_free(base); }
  };
  using OwnedEvent = std::unique_ptr<event, FreeEvent>;

  struct Listener {
    Impl* loop;
    const ListeningSocket* socket;
    OwnedEvent readable;
  };

  OwnedEvent new_event(int socket, short what, event_callback_fn callback) {
    OwnedEvent made(::event_new(base_.get(), socket, what, callback, this));
    if (!made) throw std::bad_alloc();
    return made;
  }

  void work() {
    sigset_t pipe;
    ::sigemptyset(&pipe);
    ::sigaddset(&pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    while (!over_) {
      if (::event_base_loop(base_.get(), EVLOOP_ONCE) != 0) break;
      if (winding_up_) wind_up();
      dead_.clear();
    }
    if (!stopping_) hooks_.lost();
  }

  static void on_connection(int /*socket*/, short /*what*/, void* self) {
    auto& listener = *static_cast<Listener*>(self);
    for (int count = 0; count < kAcceptedAtOnce; ++count)
      if (!listener.loop->accept(*listener.socket)) return;
  }

  /// @return false if no further connection can be had now.
  bool accept(const ListeningSocket& listening) {
    Descriptor socket(
        ::accept4(listening.socket.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket.open()) return accept_failed(errno);
    if (listening.probe && !is_probe_of_ours(socket.number())) return true;
    if (connections_.size() >= most_ && !make_room()) return true;
    const int on = 1;
    ::setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    try {
      Connection::Kind kind{listening.probe, nullptr};
      if (!listening.probe && hooks_.new_tls) kind.tls = hooks_.new_tls();
      auto made =
          std::make_unique<Connection>(base_.get(), std::move(socket), kind, ++last_id_, *this);
      Connection& connection = *made;
      connections_.emplace(last_id_, std::move(made));
      count_ = connections_.size();
      connection.begin();
    } catch (const std::exception&) {  // no memory: this client has to come again
    }
    return true;
  }

  bool accept_failed(int error) {
    if (error == ECONNABORTED || error == EINTR || error == EPROTO) return true;
    if (error == EAGAIN || error == EWOULDBLOCK) return false;
    // No descriptor. The pause keeps this from turning round and round.
    if (!make_room()) {
      for (Listener& listener : listeners_) ::event_del(listener.readable.get());
      ::event_add(pause_over_.get(), &kPause);
      return false;
    }
    return true;
  }

  /// Hangs up on the connection that has rested for longest, else on the slowest reader.
  bool make_room() {
    for (auto* list : {&resting_, &answering_}) {
      if (list->empty()) continue;
      list->front()->end();
      return true;
    }
    return false;
  }

  static void on_pause_over(int /*socket*/, short /*what*/, void* self) {
    auto& loop = *static_cast<Impl*>(self);
    if (loop.stopping_) return;
    for (Listener& listener : loop.listeners_) ::event_add(listener.readable.get(), nullptr);
  }

  static void on_wake(int socket, short /*what*/, void* self) {
    auto& loop = *static_cast<Impl*>(self);
    eventfd_t count = 0;
    ::eventfd_read(socket, &count);
    loop.send_answers();
    if (loop.stopping_ && !std::exchange(loop.winding_up_, true)) {
      for (Listener& listener : loop.listeners_) ::event_del(listener.readable.get());
      ::event_add(loop.last_call_.get(), &kLastAnswers);
    }
  }

  void send_answers() {
    std::vector<std::pair<std::uint64_t, Reply>> answers;
    {
      const MutexLock lock(mutex_);
      answers.swap(answers_);
    }
    for (auto& [id, reply] : answers) {
      const auto found = connections_.find(id);
      if (found == connections_.end()) continue;
      try {
        found->second->answer(std::move(reply));
      } catch (const std::exception&) {  // no memory; libevent is C
        found->second->end();
      }
    }
  }

  void wind_up() {
    while (!resting_.empty()) resting_.front()->end();
    over_ = over_ || connections_.empty();
  }

  static void on_last_call(int /*socket*/, short /*what*/, void* self) {
    static_cast<Impl*>(self)->over_ = true;
  }

  const LoopHooks hooks_;
  const std::unique_ptr<event_base, FreeBase> base_;
  const Descriptor wake_;
  const std::size_t most_;
  std::vector<ListeningSocket> sockets_;
  std::list<Listener> listeners_;  ///< at addresses that stay
  OwnedEvent woken_;
  OwnedEvent pause_over_;
  OwnedEvent last_call_;
  std::map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<Connection>> dead_;  ///< destroyed when no callback runs
  std::list<Connection*> resting_;                 ///< the one that has rested for longest first
  std::list<Connection*> answering_;               ///< the slowest first
  std::uint64_t last_id_ = 0;
  bool winding_up_ = false;
  bool over_ = false;
  std::atomic<std::size_t> count_ = 0;
  std::atomic<bool> stopping_ = false;
  Mutex mutex_;
  std::vector<std::pair<std::uint64_t, Reply>> answers_ GUARDED_BY(mutex_);
  std::thread thread_;
};

Loop::Loop(LoopHooks hooks) : impl_(std::make_unique<Impl>(std::move(hooks))) {}

Loop::~Loop() = default;

void Loop::start(std::vector<ListeningSocket> sockets) {
  impl_->start(std::move(sockets));
}

void Loop::stop() {
  impl_->stop();
}

void Loop::answer(std::uint64_t connection, Reply reply) {
  impl_->answer(connection, std::move(reply));
}

std::size_t Loop::connections() const {
  return impl_->connections();
}

}  // namespace pg_integrity
