#include "exporter/http/connection.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <exception>
#include <new>
#include <string>
#include <utility>

namespace pg_integrity {

namespace {

// Seconds.
constexpr int kForHead = 5;     ///< from the first byte, or from the connection
constexpr int kForNext = 60;    ///< between two requests
constexpr int kForMaking = 60;  ///< for somebody to make the answer
constexpr int kForAnswer = 30;  ///< for the client to take all of it
constexpr int kForEnd = 2;      ///< for the client to hang up after us

constexpr std::size_t kWrittenAtOnce = 256 << 10;
constexpr std::size_t kMostUnread = 2 * kLongestHead;  ///< bytes of a client that we hold

void release(const void* /*data*/, std::size_t /*size*/, void* owner) {
  delete static_cast<std::shared_ptr<const void>*>(owner);
}

void append(Reply::Piece& piece, evbuffer* to) {
  if (!piece.owner) {
    ::evbuffer_add(to, piece.text.data(), piece.text.size());
    return;
  }
  auto owner = std::make_unique<std::shared_ptr<const void>>(std::move(piece.owner));
  if (::evbuffer_add_reference(to, piece.shared.data(), piece.shared.size(), release,
                               owner.get()) == 0)
    static_cast<void>(owner.release());  // the buffer deletes it
}

}  // namespace

Connection::Connection(event_base* base, Descriptor socket, Kind kind, std::uint64_t id,
                       ConnectionEvents& events)
    : id_(id),
      probe_(kind.probe),
      tls_(kind.tls),
      events_(events),
      gone_(std::make_shared<std::atomic<bool>>(false)) {
  const int options = BEV_OPT_CLOSE_ON_FREE;
  buffer_ = kind.tls == nullptr
                ? ::bufferevent_socket_new(base, socket.number(), options)
                : ::bufferevent_openssl_socket_new(base, socket.number(), kind.tls,
                                                   BUFFEREVENT_SSL_ACCEPTING, options);
  if (buffer_ == nullptr) {
    if (kind.tls != nullptr) ::SSL_free(kind.tls);
    throw std::bad_alloc();
  }
  socket.release();
  deadline_ = ::evtimer_new(base, on_deadline, this);
  if (deadline_ == nullptr) {
    ::bufferevent_free(buffer_);
    throw std::bad_alloc();
  }
  if (tls_ != nullptr) ::bufferevent_openssl_set_allow_dirty_shutdown(buffer_, 1);
  ::bufferevent_setcb(buffer_, on_readable, on_written, on_event, this);
  ::bufferevent_setwatermark(buffer_, EV_READ, 0, kMostUnread);
  ::bufferevent_set_max_single_write(buffer_, kWrittenAtOnce);
}

void Connection::begin() {
  ::bufferevent_enable(buffer_, EV_READ | EV_WRITE);
  enter(Phase::resting, kForHead);
}

Connection::~Connection() {
  end();
  ::event_free(deadline_);
}

void Connection::end() {
  if (phase_ == Phase::ended) return;
  gone_->store(true);
  if (tls_ != nullptr) {
    ::SSL_shutdown(tls_);
    ::ERR_clear_error();
  }
  ::bufferevent_free(std::exchange(buffer_, nullptr));
  ::evtimer_del(deadline_);
  phase_ = Phase::ended;
  events_.changed(*this);
}

void Connection::enter(Phase phase, int seconds) {
  phase_ = phase;
  if (seconds > 0) {
    const timeval wait{seconds, 0};
    ::evtimer_add(deadline_, &wait);
  } else {
    ::evtimer_del(deadline_);
  }
  events_.changed(*this);
}

/// libevent is C: no exception may leave a callback. Without memory this client is hung up on.
template <typename Work>
void Connection::guarded(Work work) {
  try {
    work();
  } catch (const std::exception&) {
    end();
  }
}

void Connection::on_readable(bufferevent* buffer, void* self) {
  auto& connection = *static_cast<Connection*>(self);
  if (connection.lingering_) {
    evbuffer* input = ::bufferevent_get_input(buffer);
    ::evbuffer_drain(input, ::evbuffer_get_length(input));
  } else if (connection.phase_ == Phase::resting) {
    connection.guarded([&] { connection.take_request(); });
  }
}

void Connection::take_request() {
  evbuffer* input = ::bufferevent_get_input(buffer_);
  const std::size_t length = ::evbuffer_get_length(input);
  if (length == 0) return;
  if (!std::exchange(begun_, true)) enter(Phase::resting, kForHead);
  const evbuffer_ptr mark = ::evbuffer_search(input, "\r\n\r\n", 4, nullptr);
  const std::size_t size = mark.pos < 0 ? length : static_cast<std::size_t>(mark.pos) + 4;
  if (size > kLongestHead) return refuse({431, "the head of a request has at most 8 KiB"});
  if (mark.pos < 0) {
    if (::evbuffer_search(input, "\n\n", 2, nullptr).pos >= 0)
      refuse({400, "lines end with CR LF"});
    return;
  }
  std::string text(size, '\0');
  ::evbuffer_remove(input, text.data(), size);
  if (is_gone()) return end();
  auto head = read_head(text);
  if (const auto* fault = std::get_if<HeadFault>(&head)) return refuse(*fault);
  auto& good = std::get<RequestHead>(head);
  close_ = good.close;
  unread_ = good.has_body;
  enter(Phase::asking, kForMaking);
  events_.asked({id_, std::move(good), gone_, probe_, tls_ != nullptr});
}

/// A client that is gone although its request has arrived. A half-closed one still reads.
bool Connection::is_gone() const {
  pollfd socket{::bufferevent_getfd(buffer_), POLLIN, 0};
  return ::poll(&socket, 1, 0) > 0 && (socket.revents & (POLLERR | POLLHUP)) != 0;
}

void Connection::refuse(const HeadFault& fault) {
  unread_ = true;
  close_ = true;
  phase_ = Phase::asking;
  answer(short_reply(fault.status, fault.text, true));
}

void Connection::answer(Reply reply) {
  if (phase_ != Phase::asking) return;
  close_ = close_ || reply.close || half_closed_;
  evbuffer* output = ::bufferevent_get_output(buffer_);
  for (Reply::Piece& piece : reply.pieces) append(piece, output);
  enter(Phase::answering, kForAnswer);
}

void Connection::on_written(bufferevent* /*buffer*/, void* self) {
  auto& connection = *static_cast<Connection*>(self);
  if (connection.phase_ == Phase::answering && !connection.lingering_)
    connection.guarded([&] { connection.finish(); });
}

/// All of the answer is with the kernel.
void Connection::finish() {
  close_ = close_ || half_closed_;
  if (!close_) {
    begun_ = false;
    enter(Phase::resting, kForNext);
    return take_request();
  }
  evbuffer* input = ::bufferevent_get_input(buffer_);
  unread_ = unread_ || ::evbuffer_get_length(input) > 0;
  if (!unread_ || half_closed_) return end();
  // If we closed now, the kernel would take what arrives for a reason to throw the answer away.
  lingering_ = true;
  ::evbuffer_drain(input, ::evbuffer_get_length(input));
  if (tls_ != nullptr) {
    ::SSL_shutdown(tls_);
    ::ERR_clear_error();
  }
  ::shutdown(::bufferevent_getfd(buffer_), SHUT_WR);
  enter(Phase::resting, kForEnd);
}

void Connection::on_event(bufferevent* /*buffer*/, short what, void* self) {
  auto& connection = *static_cast<Connection*>(self);
  if ((what & BEV_EVENT_CONNECTED) != 0) return;
  const bool waits = connection.phase_ == Phase::asking || connection.phase_ == Phase::answering;
  // A client that sends no more may still wait for its answer.
  if ((what & BEV_EVENT_EOF) != 0 && waits && connection.tls_ == nullptr) {
    connection.half_closed_ = true;
    return;
  }
  ::ERR_clear_error();
  connection.end();
}

void Connection::on_deadline(int /*socket*/, short /*what*/, void* self) {
  auto& connection = *static_cast<Connection*>(self);
  const bool in_head = connection.phase_ == Phase::resting && connection.begun_ &&
                       !connection.lingering_ &&
                       ::evbuffer_get_length(::bufferevent_get_input(connection.buffer_)) > 0;
  if (in_head)
    connection.guarded([&] { connection.refuse({408, "the head of a request has 5 seconds"}); });
  else
    connection.end();
}

}  // namespace pg_integrity
