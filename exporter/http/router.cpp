#include "exporter/http/router.h"

#include <httplib.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include "exporter/http/renderings.h"

namespace pg_integrity {

namespace {

/// Scrapes within this time get the same page, so many of them cost what a few do.
constexpr std::chrono::milliseconds kPageLasts{100};
constexpr std::size_t kShortBody = 512;  ///< bytes up to which a body is copied

constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";
constexpr const char* kTextType = "text/plain; charset=utf-8";
constexpr std::string_view kNotFound =
    "not found. HINT: / /report.md /report.json /metrics /-/healthy /-/ready";

}  // namespace

namespace on_text {

/// Gives cpp-httplib the text of a request, and collects what it writes.
class TextStream final : public httplib::Stream {
 public:
  explicit TextStream(std::string request) : request_(std::move(request)) {}

  [[nodiscard]] bool is_readable() const override { return read_ < request_.size(); }
  [[nodiscard]] bool is_writable() const override { return true; }
  ssize_t read(char* to, std::size_t size) override {
    const std::size_t count = std::min(size, request_.size() - read_);
    std::memcpy(to, request_.data() + read_, count);
    read_ += count;
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* bytes, std::size_t size) override {
    if (owner_ && size > kShortBody) {
      reply_.pieces.push_back({{}, owner_, {bytes, size}});
    } else {
      if (reply_.pieces.empty() || reply_.pieces.back().owner) reply_.pieces.emplace_back();
      reply_.pieces.back().text.append(bytes, size);
    }
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  void get_local_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  [[nodiscard]] socket_t socket() const override { return INVALID_SOCKET; }

  /// While this is set, everything that is written is a part of it.
  void written_from(std::shared_ptr<const void> owner) { owner_ = std::move(owner); }
  Reply take() { return std::move(reply_); }

 private:
  const std::string request_;
  std::size_t read_ = 0;
  std::shared_ptr<const void> owner_;
  Reply reply_;
};

// process_request() got further parameters, the addresses of both sides.
using Setup = std::function<void(httplib::Request&)>;
template <typename Base>
bool call(bool (Base::*process)(httplib::Stream&, bool, bool&, const Setup&), Base& server,
          httplib::Stream& stream, bool close, bool& closed) {
  return (server.*process)(stream, close, closed, nullptr);
}
template <typename Base>
bool call(bool (Base::*process)(httplib::Stream&, const std::string&, int, const std::string&, int,
                                bool, bool&, const Setup&),
          Base& server, httplib::Stream& stream, bool close, bool& closed) {
  return (server.*process)(stream, {}, 0, {}, 0, close, closed, nullptr);
}

/// cpp-httplib's server without its sockets.
class Server final : public httplib::Server {
 public:
  // Without this it takes itself for a server that is ending, and leaves out bodies.
  Server() { svr_sock_ = 0; }

  bool process(httplib::Stream& stream, bool close, bool& closed) {
    httplib::Server& base = *this;
    return call(&Server::process_request, base, stream, close, closed);
  }
};

}  // namespace on_text

class Router::Impl {
 public:
  Impl(const HttpHandlers& handlers, Part part)
      : handlers_(handlers), part_(part), renderings_(handlers.edition) {
    configure();
    add_routes();
  }

  std::optional<Reply> answer(const RequestHead& head) {
    on_text::TextStream stream(plain_head(head));
    stream_ = &stream;
    left_to_the_other_ = false;
    bool closed = false;
    const bool whole = server_.process(stream, head.close, closed);
    if (left_to_the_other_) return std::nullopt;
    Reply reply = stream.take();
    reply.close = head.close || closed || !whole;
    if (reply.pieces.empty()) return short_reply(500, "internal error", true);
    return reply;
  }

  void forget() {
    pages_ = {};
    renderings_.forget();
  }

 private:
  using Request = httplib::Request;
  using Response = httplib::Response;

  static void send_text(Response& response, int status, std::string_view text) {
    response.status = status;
    response.set_content(std::string(text) + "\n", kTextType);
  }

  /// Sends a body that is shared and not copied.
  /// @param parts gives each part of the body, from an offset.
  template <typename Parts>
  void send_shared(Response& response, const char* type, std::shared_ptr<const void> owner,
                   std::size_t size, Parts parts) {
    response.set_content_provider(
        size, type,
        [this, owner = std::move(owner), parts](std::size_t offset, std::size_t length,
                                                httplib::DataSink& sink) {
          const std::string_view part = parts(offset, length);
          stream_->written_from(owner);
          const bool written = sink.write(part.data(), part.size());
          stream_->written_from(nullptr);
          return written;
        });
  }

  void send_report(const Request& request, Response& response, const char* type,
                   const std::function<std::string()>& render) {
    if (part_ == Part::at_once) {
      left_to_the_other_ = true;
      return;
    }
    const bool gzip = accepts_gzip(request.get_header_value("Accept-Encoding"));
    const auto text = renderings_.get(std::string(type) + (gzip ? " gzip" : ""),
                                      [&] { return gzip ? gzipped(render()) : render(); });
    if (!text) {
      response.set_header("Retry-After", "10");
      send_text(response, 503, "too many clients still read older reports");
      return;
    }
    response.set_header("Vary", "Accept-Encoding");
    response.set_header("X-Content-Type-Options", "nosniff");
    response.set_header("Cache-Control", "no-cache");
    if (text->empty()) {
      response.set_content("", type);
      return;
    }
    if (gzip) response.set_header("Content-Encoding", "gzip");
    send_shared(response, type, text, text->size(),
                [text = text.get()](std::size_t offset, std::size_t length) {
                  return std::string_view(*text).substr(offset, length);
                });
  }

  void send_metrics(const Request& request, Response& response) {
    const bool gzip = accepts_gzip(request.get_header_value("Accept-Encoding"));
    const auto page = page_of_now(gzip);
    response.set_header("Vary", "Accept-Encoding");
    if (gzip) response.set_header("Content-Encoding", "gzip");
    send_shared(response, kMetricsType, page, page->size(),
                [page = page.get()](std::size_t offset, std::size_t length) {
                  return page->piece(offset, length);
                });
  }

  std::shared_ptr<const Page> page_of_now(bool gzip) {
    Made& made = pages_[gzip ? 1 : 0];
    const auto now = std::chrono::steady_clock::now();
    if (!made.page || now - made.when >= kPageLasts)
      made = {std::make_shared<const Page>(handlers_.metrics(gzip)), now};
    return made.page;
  }

  void reload(Response& response) {
    if (part_ == Part::at_once)
      left_to_the_other_ = true;
    else if (handlers_.reload())
      send_text(response, 200, "reloaded");
    else
      send_text(response, 500, "the old configuration stays; the log says why");
  }

  void configure() {
    server_.set_exception_handler(
        [](const Request&, Response& response, const std::exception_ptr&) {
          send_text(response, 500, "internal error");
        });
    server_.set_error_handler([](const Request&, Response& response) {
      if (!response.body.empty()) return;
      send_text(response, response.status,
                response.status == 404 ? kNotFound : "the request cannot be understood");
    });
    // The library's own limits of a connection are not in force here.
    server_.set_post_routing_handler(
        [](const Request&, Response& response) { response.headers.erase("Keep-Alive"); });
    server_.set_pre_routing_handler([this](const Request& request, Response& response) {
      if (request.method == "GET" || request.method == "HEAD")
        return httplib::Server::HandlerResponse::Unhandled;
      if (request.method == "POST" && request.path == "/-/reload" && handlers_.reload) {
        reload(response);
      } else {
        response.set_header("Allow", "GET, HEAD");
        send_text(response, 405, "method not allowed");
      }
      return httplib::Server::HandlerResponse::Handled;
    });
  }

  void add_routes() {
    server_.Get("/metrics", [this](const Request& request, Response& response) {
      send_metrics(request, response);
    });
    server_.Get("/", [this](const Request& request, Response& response) {
      // The page holds names from watched databases, so nothing in it may run or be fetched.
      response.set_header("Content-Security-Policy", handlers_.report_policy);
      response.set_header("Referrer-Policy", "no-referrer");
      send_report(request, response, "text/html; charset=utf-8", handlers_.report_html);
    });
    server_.Get(R"(/report\.md)", [this](const Request& request, Response& response) {
      send_report(request, response, "text/markdown; charset=utf-8", handlers_.report_markdown);
    });
    server_.Get(R"(/report\.json)", [this](const Request& request, Response& response) {
      send_report(request, response, "application/json", handlers_.report_json);
    });
    server_.Get("/-/healthy",
                [](const Request&, Response& response) { send_text(response, 200, "healthy"); });
    server_.Get("/-/ready", [this](const Request&, Response& response) {
      if (handlers_.ready())
        send_text(response, 200, "ready");
      else
        send_text(response, 503, "the first look is not over yet");
    });
  }

  struct Made {
    std::shared_ptr<const Page> page;
    std::chrono::steady_clock::time_point when;
  };

  const HttpHandlers& handlers_;
  const Part part_;
  Renderings renderings_;
  std::array<Made, 2> pages_;
  on_text::Server server_;
  on_text::TextStream* stream_ = nullptr;  ///< of the request that is being answered
  bool left_to_the_other_ = false;
};

Router::Router(const HttpHandlers& handlers, Part part)
    : impl_(std::make_unique<Impl>(handlers, part)) {}

Router::~Router() = default;

std::optional<Reply> Router::answer(const RequestHead& head) {
  return impl_->answer(head);
}

void Router::forget() {
  impl_->forget();
}

}  // namespace pg_integrity
