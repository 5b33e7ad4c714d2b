#include "exporter/http/server.h"

#include <fmt/format.h>
#include <httplib.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "collectors/base/metric_rules.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kThreads = 32;    // one a connection for as long as it lasts
constexpr time_t kReadTimeout = 2;      // seconds between two bytes of a request
constexpr time_t kWriteTimeout = 5;     // seconds between two bytes of an answer
constexpr time_t kKeepAlive = 2;        // seconds between two requests
constexpr std::size_t kMaxBody = 1024;  // bytes; no client has a reason to send one
constexpr int kBacklog = 4096;
constexpr int kDeferAccept = 2;  // seconds; a silent connection reaches no thread

constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";
constexpr const char* kTextType = "text/plain; charset=utf-8";
constexpr std::string_view kNotFound =
    "not found. HINT: / /report.md /report.json /metrics /-/healthy /-/ready";

/// httplib's thread pool, which counts the connections that it has.
class CountingPool final : public httplib::TaskQueue {
 public:
  explicit CountingPool(std::atomic<std::size_t>& connections)
      : pool_(kThreads), connections_(connections) {}

  // The result is void in old versions of httplib and bool in newer ones.
  using Enqueued = decltype(std::declval<httplib::TaskQueue&>().enqueue(std::function<void()>()));

  Enqueued enqueue(std::function<void()> serve) override {
    return pool_.enqueue(counted(std::move(serve)));
  }

  void shutdown() override { pool_.shutdown(); }

 private:
  std::function<void()> counted(std::function<void()> serve) {
    ++connections_;
    return [this, serve = std::move(serve)] {
      serve();
      --connections_;
    };
  }

  httplib::ThreadPool pool_;
  std::atomic<std::size_t>& connections_;
};

bool takes_gzip(const httplib::Request& request) {
  return accepts_gzip(request.get_header_value("Accept-Encoding"));
}

/// Sends a text, compressed by us if the client takes gzip. If httplib compressed it, it would hold
/// all of it twice.
void send(const httplib::Request& request, httplib::Response& response, std::string text,
          const char* type) {
  response.set_header("Vary", "Accept-Encoding");
  response.set_header("X-Content-Type-Options", "nosniff");
  response.set_header("Cache-Control", "no-cache");
  if (text.empty()) {
    response.set_content("", type);
    return;
  }
  if (takes_gzip(request)) {
    response.set_header("Content-Encoding", "gzip");
    text = gzipped(text);
  }
  const auto body = std::make_shared<const std::string>(std::move(text));
  response.set_content_provider(
      body->size(), type, [body](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
        return sink.write(body->data() + offset, length);
      });
}

void send_page(httplib::Response& response, Page page, bool gzip) {
  const auto shared = std::make_shared<const Page>(std::move(page));
  response.set_header("Vary", "Accept-Encoding");
  if (gzip) response.set_header("Content-Encoding", "gzip");
  response.set_content_provider(
      shared->size(), kMetricsType,
      [shared](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
        const std::string_view piece = shared->piece(offset, length);
        return sink.write(piece.data(), piece.size());
      });
}

void send_status(httplib::Response& response, int status, std::string_view text) {
  response.status = status;
  response.set_content(std::string(text) + "\n", kTextType);
}

/// Answers and closes the connection. Otherwise a body that was announced and is not read could be
/// taken for the next request. The library closes a connection when writing fails, so we report a
/// failure once all is written.
void send_last(httplib::Response& response, int status, std::string_view text) {
  response.status = status;
  response.set_header("Connection", "close");
  response.set_content_provider(
      text.size() + 1, kTextType,
      [body = std::string(text) + "\n"](std::size_t offset, std::size_t, httplib::DataSink& sink) {
        sink.write(body.data() + offset, body.size() - offset);
        return false;
      });
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(HttpHandlers handlers, std::function<void()> lost)
      : handlers_(std::move(handlers)), lost_(std::move(lost)) {
    configure();
    add_routes();
  }

  ~Impl() { stop(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  int start(const ListenAddress& address) {
    errno = 0;
    int port = address.port;
    const bool bound = port == 0 ? (port = server_.bind_to_any_port(address.host)) > 0
                                 : server_.bind_to_port(address.host, port);
    if (!bound) refuse(address, errno);
    ::listen(socket_, kBacklog);  // the library's own backlog is 5 in old versions
    thread_ = std::thread([this] {
      server_.listen_after_bind();
      note_begun();
      if (!stopping_) lost_();
    });
    begun_.wait(false);
    return port;
  }

  void stop() {
    if (!thread_.joinable()) return;
    stopping_ = true;
    server_.stop();
    thread_.join();
  }

  [[nodiscard]] std::size_t connections() const { return connections_; }

 private:
  [[noreturn]] static void refuse(const ListenAddress& address, int error) {
    const std::string host = address.host.find(':') == std::string::npos
                                 ? address.host
                                 : fmt::format("[{}]", address.host);
    const std::string reason =
        error == 0 ? "no such address" : std::generic_category().message(error);
    throw std::runtime_error(
        fmt::format("cannot listen on {}:{}: {}. HINT: stop what listens there, or choose another"
                    " address with --listen or `listen`",
                    host, address.port, reason));
  }

  /// Notes that httplib runs or has ended, because stop() only stops it from then on. Old versions
  /// offer no way to wait for that, but all make their queue once they run.
  void note_begun() {
    begun_ = true;
    begun_.notify_all();
  }

  void configure() {
    server_.new_task_queue = [this] {
      note_begun();
      return new CountingPool(connections_);
    };
    server_.set_read_timeout(kReadTimeout);
    server_.set_write_timeout(kWriteTimeout);
    server_.set_keep_alive_timeout(kKeepAlive);
    server_.set_payload_max_length(kMaxBody);
    server_.set_tcp_nodelay(true);
    server_.set_socket_options([this](auto socket) {
      // We do without SO_REUSEPORT, the default of httplib, so that no second process shares the
      // port unnoticed.
      const int on = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
      ::setsockopt(socket, IPPROTO_TCP, TCP_DEFER_ACCEPT, &kDeferAccept, sizeof kDeferAccept);
      socket_ = socket;
    });
    server_.set_exception_handler(
        [](const httplib::Request&, httplib::Response& response, const std::exception_ptr&) {
          send_status(response, 500, "internal error");
        });
    server_.set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (!response.body.empty() || response.has_header("Connection")) return;
      if (response.status == 404)
        send_status(response, 404, kNotFound);
      else
        send_last(response, response.status, "the request cannot be understood");
    });
    server_.set_post_routing_handler([](const httplib::Request&, httplib::Response& response) {
      if (response.get_header_value("Connection") == "close") response.headers.erase("Keep-Alive");
    });
    server_.set_pre_routing_handler(
        [this](const httplib::Request& request, httplib::Response& response) {
          if (request.method == "GET" || request.method == "HEAD")
            return httplib::Server::HandlerResponse::Unhandled;
          // We answer before httplib looks for a body. It would wait for one if no length is given.
          if (request.method == "POST" && request.path == "/-/reload" && handlers_.reload) {
            reload(response);
          } else {
            response.set_header("Allow", "GET, HEAD");
            send_last(response, 405, "method not allowed");
          }
          return httplib::Server::HandlerResponse::Handled;
        });
  }

  void add_routes() {
    server_.Get("/metrics", [this](const httplib::Request& request, httplib::Response& response) {
      const bool gzip = takes_gzip(request);
      send_page(response, handlers_.metrics(gzip), gzip);
    });
    server_.Get("/", [this](const httplib::Request& request, httplib::Response& response) {
      // The page holds names from watched databases, so nothing in it may run or be fetched.
      response.set_header("Content-Security-Policy", handlers_.report_policy);
      response.set_header("Referrer-Policy", "no-referrer");
      send(request, response, handlers_.report_html(), "text/html; charset=utf-8");
    });
    server_.Get(
        R"(/report\.md)", [this](const httplib::Request& request, httplib::Response& response) {
          send(request, response, handlers_.report_markdown(), "text/markdown; charset=utf-8");
        });
    server_.Get(R"(/report\.json)",
                [this](const httplib::Request& request, httplib::Response& response) {
                  send(request, response, handlers_.report_json(), "application/json");
                });
    server_.Get("/-/healthy", [](const httplib::Request&, httplib::Response& response) {
      send_status(response, 200, "healthy");
    });
    server_.Get("/-/ready", [this](const httplib::Request&, httplib::Response& response) {
      if (handlers_.ready())
        send_status(response, 200, "ready");
      else
        send_status(response, 503, "the first look is not over yet");
    });
  }

  void reload(httplib::Response& response) {
    if (handlers_.reload())
      send_last(response, 200, "reloaded");
    else
      send_last(response, 500, "the old configuration stays; the log says why");
  }

  HttpHandlers handlers_;
  std::function<void()> lost_;
  std::atomic<std::size_t> connections_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> begun_ = false;
  httplib::Server server_;
  int socket_ = -1;
  std::thread thread_;
};

HttpServer::HttpServer(HttpHandlers handlers, std::function<void()> lost)
    : impl_(std::make_unique<Impl>(std::move(handlers), std::move(lost))) {}

HttpServer::~HttpServer() = default;

int HttpServer::start(const ListenAddress& address) {
  return impl_->start(address);
}

void HttpServer::stop() {
  impl_->stop();
}

std::size_t HttpServer::connections() const {
  return impl_->connections();
}

bool accepts_gzip(std::string_view accept_encoding) {
  bool any = false;
  while (!accept_encoding.empty()) {
    std::string item(accept_encoding.substr(0, accept_encoding.find(',')));
    accept_encoding.remove_prefix(std::min(accept_encoding.size(), item.size() + 1));
    std::erase_if(item, [](char c) { return c == ' ' || c == '\t'; });
    for (char& c : item) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const std::string coding = item.substr(0, item.find(';'));
    const std::size_t quality = item.find(";q=");
    const bool wanted = quality == std::string::npos || std::atof(item.c_str() + quality + 3) > 0;
    if (coding == "gzip" || coding == "x-gzip") return wanted;
    if (coding == "*") any = wanted;
  }
  return any;
}

}  // namespace pg_integrity
