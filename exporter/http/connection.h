// One connection, from its acceptance to its end. It has one request at a time, a deadline for each
// phase, and bounded memory. It lives on the thread of its loop.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>

#include "exporter/http/reply.h"
#include "exporter/http/request_head.h"
#include "exporter/io/descriptor.h"

struct bufferevent;
struct event;
struct event_base;
struct ssl_st;

namespace pg_integrity {

class Connection;

/// A request that has arrived whole.
struct Asked {
  std::uint64_t connection = 0;  ///< whom to answer
  RequestHead head;
  std::shared_ptr<const std::atomic<bool>> gone;  ///< true once nobody waits for the answer
  bool probe = false;                             ///< it came by the local socket for probes
  bool encrypted = false;                         ///< it came by TLS
};

enum class Phase : std::uint8_t {
  resting,    ///< nothing, or a part of a head, has arrived
  asking,     ///< somebody makes the answer
  answering,  ///< the answer is on its way
  ended
};

/// What a connection tells its loop.
class ConnectionEvents {
 public:
  virtual ~ConnectionEvents() = default;
  virtual void asked(Asked request) = 0;
  /// The phase of the connection has changed. After Phase::ended the loop destroys the connection,
  /// but not within this call.
  virtual void changed(Connection& connection) = 0;
};

class Connection {
 public:
  struct Kind {
    bool probe = false;
    ssl_st* tls = nullptr;  ///< owned by the connection from now on; nullptr: plain
  };

  /// @throws std::runtime_error without memory. `socket` is closed then.
  Connection(event_base* base, Descriptor socket, Kind kind, std::uint64_t id,
             ConnectionEvents& events);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Begins to read. The loop knows the connection by now.
  void begin();
  /// Sends the answer to the request that was asked.
  void answer(Reply reply);
  /// Hangs up now.
  void end();

  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] Phase phase() const { return phase_; }

  /// The place in the loop's list of this phase. The loop's alone.
  std::list<Connection*>::iterator place;
  std::list<Connection*>* list = nullptr;

 private:
  static void on_readable(bufferevent* buffer, void* self);
  static void on_written(bufferevent* buffer, void* self);
  static void on_event(bufferevent* buffer, short what, void* self);
  static void on_deadline(int socket, short what, void* self);

  template <typename Work>
  void guarded(Work work);
  void enter(Phase phase, int seconds);
  void take_request();
  void refuse(const HeadFault& fault);
  void finish();
  [[nodiscard]] bool is_gone() const;

  const std::uint64_t id_;
  const bool probe_;
  ssl_st* const tls_;
  ConnectionEvents& events_;
  bufferevent* buffer_ = nullptr;
  event* deadline_ = nullptr;
  std::shared_ptr<std::atomic<bool>> gone_;
  Phase phase_ = Phase::resting;
  bool begun_ = true;       ///< a part of a head has arrived, or the connection is new
  bool close_ = false;      ///< the connection ends with the answer
  bool unread_ = false;     ///< the client may still send what nobody reads
  bool lingering_ = false;  ///< all is said, and only the client's end is waited for
  bool half_closed_ = false;
};

}  // namespace pg_integrity
