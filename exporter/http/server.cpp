#include "exporter/http/server.h"

#include <fmt/format.h>
#include <malloc.h>

#include <stdexcept>
#include <utility>

#include "collectors/base/thread_annotations.h"
#include "exporter/http/desk.h"
#include "exporter/http/loop.h"
#include "exporter/http/passwords.h"
#include "exporter/http/router.h"
#include "exporter/http/tls_context.h"
#include "exporter/io/mutex.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kLineForPages = 256;  // as many as there are connections
constexpr std::size_t kLineForReports = 16;
constexpr std::size_t kLineForPasswords = 16;
// Reports and passwords make way for scrapes.
constexpr int kNiceForReports = 5;
constexpr int kNiceForPasswords = 10;

bool is_probe(std::string_view path) {
  return path == "/-/healthy" || path == "/-/ready";
}

std::string url_of(const ListeningSocket& socket, bool tls) {
  const bool bare = socket.host.find(':') == std::string::npos;
  return fmt::format("{}://{}{}{}:{}/", tls ? "https" : "http", bare ? "" : "[", socket.host,
                     bare ? "" : "]", socket.port);
}

}  // namespace

class HttpServer::Impl {
  /// Who may come in, in force until it is replaced.
  struct Terms {
    std::optional<TlsContext> tls;
    std::unique_ptr<Passwords> passwords;  ///< nullptr: everybody may
    HeaderLines headers;
  };

 public:
  Impl(HttpHandlers handlers, std::vector<std::string> allowed_hosts, std::function<void()> lost)
      : handlers_(std::move(handlers)),
        allowed_hosts_(std::move(allowed_hosts)),
        lost_(std::move(lost)) {}

  ~Impl() { stop(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  std::vector<std::string> start(std::vector<ListeningSocket> sockets) {
    std::vector<std::string> urls;
    for (const ListeningSocket& socket : sockets) {
      urls.push_back(url_of(socket, terms()->tls.has_value()));
      if (may_be_rebound(socket.host, {})) allowed_hosts_.push_back(socket.host);
    }
    if (auto probes = listen_for_probes(sockets.front().port); probes.socket.open())
      sockets.push_back(std::move(probes));
    at_once_.emplace(handlers_, Router::Part::at_once);
    at_length_.emplace(handlers_, Router::Part::at_length);
    loop_.emplace(LoopHooks{[this](Asked request) { take(std::move(request)); },
                            [this]() -> ssl_st* {
                              const auto now = terms();
                              return now->tls ? now->tls->new_session() : nullptr;
                            },
                            lost_});
    pages_.emplace(kLineForPages, 0, [this] { at_once_->forget(); });
    reports_.emplace(kLineForReports, kNiceForReports, [this] {
      at_length_->forget();
      ::malloc_trim(0);
    });
    passwords_.emplace(kLineForPasswords, kNiceForPasswords);
    loop_->start(std::move(sockets));
    return urls;
  }

  void use(const WebConfig& config) {
    auto fresh = std::make_shared<Terms>();
    if (config.tls) fresh->tls.emplace(*config.tls);
    if (!config.users.empty()) fresh->passwords = std::make_unique<Passwords>(config.users);
    fresh->headers = config.headers;
    const MutexLock lock(mutex_);
    // A file that is empty for a moment must not open the door.
    if ((terms_->tls && !fresh->tls) || (terms_->passwords && !fresh->passwords))
      throw std::runtime_error(
          "the web configuration asks for less than it did: TLS or passwords are gone. HINT: "
          "restart"
          " the exporter if that is meant");
    terms_ = std::move(fresh);
  }

  void stop() {
    if (loop_) loop_->stop();
    passwords_.reset();  // each hands on to the next
    pages_.reset();
    reports_.reset();
  }

  [[nodiscard]] std::optional<UnixTime> certificate_expires() const {
    const auto now = terms();
    return now->tls ? std::optional(now->tls->expires()) : std::nullopt;
  }

  [[nodiscard]] std::size_t connections() const { return loop_ ? loop_->connections() : 0; }

 private:
  /// On the loop's thread, as all of it up to a desk.
  void take(Asked request) {
    const std::string_view path = path_of(request.head);
    if (request.probe && !is_probe(path))
      return refuse(request, 421, "this socket is for probes only");
    if (!is_probe(path) && !request.encrypted && may_be_rebound(request.head.host, allowed_hosts_))
      return refuse(request, 421,
                    fmt::format("this server is not called {}. HINT: add the name to"
                                " `allowed_hosts`, or ask for the address",
                                request.head.host));
    admit(std::move(request));
  }

  [[nodiscard]] std::shared_ptr<const Terms> terms() const {
    const MutexLock lock(mutex_);
    return terms_;
  }

  /// Sends an answer with the configured headers.
  void send(const Asked& request, Reply reply) {
    add_headers(reply, terms()->headers);
    loop_->answer(request.connection, std::move(reply));
  }

  /// Asks for a password if there is one.
  void admit(Asked request) {
    const auto now = terms();
    const std::string& said = request.head.authorization;
    const auto known = request.probe || !now->passwords ? true : now->passwords->known(said);
    if (known && !*known) return demand_password(request);
    const auto shared = std::make_shared<const Asked>(std::move(request));
    if (known) return put(shared);
    const bool taken = passwords_->put([this, now, shared] {
      if (*shared->gone) return;
      if (now->passwords->check(shared->head.authorization))
        put(shared);
      else
        demand_password(*shared);
    });
    if (!taken) refuse(*shared, 429, "too many passwords to check at once");
  }

  void demand_password(const Asked& request) {
    Reply reply = short_reply(401, "a name and its password are needed", request.head.close,
                              {{"WWW-Authenticate", "Basic realm=\"pg_integrity_exporter\""}});
    send(request, std::move(reply));
  }

  void put(const std::shared_ptr<const Asked>& shared) {
    if (!pages_->put([this, shared] { answer_at_once(*shared, shared); }))
      refuse(*shared, 503, "too many requests at once");
  }

  void answer_at_once(const Asked& request, const std::shared_ptr<const Asked>& shared) {
    if (*request.gone) return;
    if (auto reply = answer_by(*at_once_, request)) {
      send(request, std::move(*reply));
      return;
    }
    const bool taken = reports_->put([this, shared] {
      if (*shared->gone) return;
      if (auto reply = answer_by(*at_length_, *shared)) send(*shared, std::move(*reply));
    });
    if (!taken) refuse(request, 503, "too many requests for reports at once");
  }

  static std::optional<Reply> answer_by(Router& router, const Asked& request) {
    try {
      return router.answer(request.head);
    } catch (const std::exception&) {  // no memory
      return short_reply(500, "internal error", true);
    }
  }

  void refuse(const Asked& request, int status, std::string_view text) {
    HeaderLines headers;
    if (status == 503 || status == 429) headers.emplace_back("Retry-After", "10");
    send(request, short_reply(status, text, true, headers));
  }

  HttpHandlers handlers_;
  std::vector<std::string> allowed_hosts_;
  std::function<void()> lost_;
  std::optional<Router> at_once_;
  std::optional<Router> at_length_;
  std::optional<Loop> loop_;
  std::optional<Desk> pages_;
  std::optional<Desk> reports_;
  std::optional<Desk> passwords_;
  mutable Mutex mutex_;
  std::shared_ptr<const Terms> terms_ GUARDED_BY(mutex_) = std::make_shared<const Terms>();
};

HttpServer::HttpServer(HttpHandlers handlers, std::vector<std::string> allowed_hosts,
                       std::function<void()> lost)
    : impl_(
          std::make_unique<Impl>(std::move(handlers), std::move(allowed_hosts), std::move(lost))) {}

HttpServer::~HttpServer() = default;

std::vector<std::string> HttpServer::start(std::vector<ListeningSocket> sockets) {
  return impl_->start(std::move(sockets));
}

void HttpServer::use(const WebConfig& config) {
  impl_->use(config);
}

std::optional<UnixTime> HttpServer::certificate_expires() const {
  return impl_->certificate_expires();
}

void HttpServer::stop() {
  impl_->stop();
}

std::size_t HttpServer::connections() const {
  return impl_->connections();
}

}  // namespace pg_integrity
