#include "exporter/http/server.h"
#include "exporter/http/listening.h"
#include "exporter/http/request_head.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <new>
#include <thread>

#include "collectors/base/batch.h"
#include "exporter/config/options.h"
#include "exporter/metrics/page.h"
#include "exporter/report/report.h"
#include "tests/support/gzip.h"
#include "tests/support/process.h"
#include "tests/support/sample_evidence.h"
#include "tests/support/wait.h"
#include "tests/support/wire.h"

namespace pg_integrity::test::server_test {
namespace {

class Http : public ::testing::Test, public SampleEvidence {
 protected:
  Http() {
    add();
    pass([&](Batch& out) {
      for (int i = 0; i < 2000; ++i) out.set(kBad, 0, "thing " + std::to_string(i));
    });
    body_ = std::make_shared<const PageBody>(evidence->snapshot(), clock);
    handlers_.metrics = [this](bool gzip) {
      return Page(body_, {"1.2.3", "abc", true, 0}, clock, gzip);
    };
    handlers_.report_html = [] { return std::string("<html>report</html>"); };
    handlers_.report_policy = report_policy();
    handlers_.report_markdown = [] { return std::string("# report"); };
    handlers_.report_json = [] { return std::string("{}"); };
    handlers_.ready = [this] { return ready_.load(); };
  }
  void start(const ListenAddress& address = {"127.0.0.1", 0}) {
    server_ = std::make_unique<HttpServer>(handlers_, allowed_, [this] { lost_ = true; });
    std::vector<ListeningSocket> sockets;
    sockets.push_back(listen_on(address));
    port_ = sockets.front().port;
    server_->start(std::move(sockets));
  }
  [[nodiscard]] HttpAnswer get(const std::string& path, const std::string& headers = {}) const {
    return fetch(port_, path, headers);
  }

  std::shared_ptr<const PageBody> body_;
  HttpHandlers handlers_;
  std::vector<std::string> allowed_;
  std::atomic<bool> ready_ = false;
  std::atomic<bool> lost_ = false;
  std::unique_ptr<HttpServer> server_;
  int port_ = 0;
};

TEST_F(Http, ServesThePageOfMetrics) {
  start();
  const HttpAnswer answer = get("/metrics");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(answer.header("content-length"), std::to_string(answer.body.size()));
  EXPECT_EQ(answer.header("vary"), "Accept-Encoding");
  EXPECT_FALSE(answer.headers.contains("content-encoding"));
  EXPECT_TRUE(answer.body.starts_with(body_->plain()));
  EXPECT_NE(answer.body.find("pg_integrity_build_info"), std::string::npos);
}

TEST_F(Http, ServesItCompressedToWhoeverTakesThat) {
  start();
  for (const char* accepted :
       {"gzip", "gzip;q=0.5", "deflate, GZIP;q=1.0, *;q=0.5", "*", "x-gzip"}) {
    const HttpAnswer answer = get("/metrics", std::string("Accept-Encoding: ") + accepted + "\r\n");
    EXPECT_EQ(answer.header("content-encoding"), "gzip") << accepted;
    EXPECT_EQ(answer.header("content-length"), std::to_string(answer.body.size()));
    EXPECT_TRUE(inflated(answer.body).starts_with(body_->plain())) << accepted;
  }
  for (const char* accepted :
       {"gzip;q=0", "identity", "gzip ; q=0.000, *", "*;q=0", "notgzip", ""}) {
    const HttpAnswer answer = get("/metrics", std::string("Accept-Encoding: ") + accepted + "\r\n");
    EXPECT_FALSE(answer.headers.contains("content-encoding")) << accepted;
    EXPECT_TRUE(answer.body.starts_with(body_->plain())) << accepted;
  }
}

TEST_F(Http, ServesTheReportInItsForms) {
  start();
  EXPECT_EQ(get("/").body, "<html>report</html>");
  EXPECT_EQ(get("/").header("content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(get("/report.md").body, "# report");
  EXPECT_EQ(get("/report.json").body, "{}");
  EXPECT_EQ(get("/report.md").header("content-type"), "text/markdown; charset=utf-8");
  EXPECT_EQ(get("/report.json").header("content-type"), "application/json");
}

TEST_F(Http, TheReportIsCompressedForWhoeverTakesThat) {
  start();
  for (const char* path : {"/", "/report.md", "/report.json"}) {
    const HttpAnswer plain = get(path);
    const HttpAnswer compressed = get(path, "Accept-Encoding: gzip\r\n");
    EXPECT_FALSE(plain.headers.contains("content-encoding")) << path;
    EXPECT_EQ(compressed.header("content-encoding"), "gzip") << path;
    EXPECT_EQ(inflated(compressed.body), plain.body) << path;
    for (const HttpAnswer* answer : {&plain, &compressed}) {
      EXPECT_EQ(answer->header("vary"), "Accept-Encoding") << path;
      EXPECT_EQ(answer->header("x-content-type-options"), "nosniff") << path;
      EXPECT_EQ(answer->header("cache-control"), "no-cache") << path;
    }
  }
}

TEST_F(Http, NothingInTheReportMayRunOrBeFetched) {
  start();
  const std::string policy = get("/").header("content-security-policy");
  EXPECT_NE(policy.find("default-src 'none'"), std::string::npos);
  EXPECT_EQ(policy.find("script-src"), std::string::npos);
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
}

TEST_F(Http, HealthIsOfTheProcessReadinessOfTheFirstLook) {
  start();
  EXPECT_EQ(get("/-/healthy").status, 200);
  EXPECT_EQ(get("/-/ready").status, 503);
  ready_ = true;
  EXPECT_EQ(get("/-/ready").status, 200);
}

TEST_F(Http, OtherPathsAreNotFound) {
  start();
  for (const char* path :
       {"/nothing", "/metrics/", "//metrics", "/Metrics", "/report_md", "/reportXmd", "/..",
        "/../etc/passwd", "/%2e%2e/etc/passwd", "/metrics%00", "/-/reload"})
    EXPECT_EQ(get(path).status, 404) << path;
  EXPECT_EQ(get("/nothing").body,
            "not found. HINT: / /report.md /report.json /metrics /-/healthy /-/ready\n");
  EXPECT_EQ(get("/metrics?x=1").status, 200) << "a query changes nothing";
}

TEST_F(Http, OtherMethodsAreNotAllowed) {
  start();
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"}) {
    const HttpAnswer answer = fetch(port_, "/metrics", "Content-Length: 0\r\n", method);
    EXPECT_EQ(answer.status, 405) << method;
    EXPECT_EQ(answer.header("allow"), "GET, HEAD") << method;
  }
  EXPECT_EQ(fetch(port_, "/metrics", "", "BREW").status, 400);
}

TEST_F(Http, TheBodyOfARefusedRequestIsNotTakenForTheNextOne) {
  std::atomic<int> reloads = 0;
  handlers_.reload = [&] { return ++reloads > 0; };
  start();
  const std::string hidden = "GET /-/healthy HTTP/1.1\r\nHost: hidden\r\n\r\n";
  for (const char* line : {"POST /metrics", "BREW /metrics", "POST /-/reload"}) {
    const Wire wire(port_);
    wire.send(std::string(line) + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
              std::to_string(hidden.size()) + "\r\n\r\n");
    std::string answer = wire.some();
    try {
      wire.send(hidden);
      answer += wire.rest();
    } catch (const std::runtime_error&) {
      // The server has closed the connection already.
    }
    EXPECT_EQ(answer.find("healthy"), std::string::npos) << line;
    EXPECT_NE(answer.find("\r\nConnection: close\r\n"), std::string::npos) << line << answer;
    EXPECT_EQ(answer.find("Keep-Alive"), std::string::npos) << line << answer;
  }
  EXPECT_EQ(reloads, 1);
  EXPECT_EQ(fetch(port_, "/metrics", "Content-Length: 0\r\n", "PUT").body, "method not allowed\n");
  EXPECT_EQ(fetch(port_, "/metrics", "", "BREW").body, "the request cannot be understood\n");
}

TEST_F(Http, HeadIsGetWithoutTheBody) {
  start();
  for (const char* path : {"/metrics", "/", "/report.json", "/-/healthy"}) {
    const HttpAnswer head = fetch(port_, path, "", "HEAD");
    const HttpAnswer whole = get(path);
    EXPECT_EQ(head.status, 200) << path;
    EXPECT_EQ(head.body, "") << path;
    EXPECT_EQ(head.header("content-type"), whole.header("content-type")) << path;
    // Ages and the process's own metrics change from scrape to scrape.
    EXPECT_NEAR(std::stod(head.header("content-length")), static_cast<double>(whole.body.size()),
                100)
        << path;
  }
  EXPECT_EQ(fetch(port_, "/nothing", "", "HEAD").status, 404);
}

TEST_F(Http, ReloadIsThereOnlyIfOffered) {
  start();
  EXPECT_EQ(fetch(port_, "/-/reload", "Content-Length: 0\r\n", "POST").status, 405);
  std::atomic<bool> good = true;
  std::atomic<int> reloads = 0;
  handlers_.reload = [&] {
    ++reloads;
    return good.load();
  };
  start();
  EXPECT_EQ(fetch(port_, "/-/reload", "Content-Length: 0\r\n", "POST").status, 200);
  good = false;
  EXPECT_EQ(fetch(port_, "/-/reload", "Content-Length: 0\r\n", "POST").status, 500);
  EXPECT_EQ(reloads, 2);
  EXPECT_EQ(get("/-/reload").status, 404) << "nothing that a browser follows a link to";
  EXPECT_EQ(reloads, 2);
}

TEST_F(Http, OneConnectionServesSeveralRequests) {
  start();
  const Wire wire(port_);
  const std::string request = "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n";
  wire.send(request + "\r\n");
  EXPECT_TRUE(wire.some().starts_with("HTTP/1.1 200 "));
  wire.send(request + "Connection: close\r\n\r\n");
  EXPECT_NE(wire.rest().find("HTTP/1.1 200 "), std::string::npos);
}

TEST_F(Http, NonsenseIsRefusedAndServingGoesOn) {
  start();
  for (const std::string& bytes :
       {std::string("\r\n\r\n"), std::string("GET\r\n\r\n"), std::string("\0\0\0\0\r\n\r\n", 8),
        std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        "GET /" + std::string(100000, 'a') + " HTTP/1.1\r\n\r\n",
        "POST /metrics HTTP/1.1\r\nContent-Length: 5000\r\n\r\n" + std::string(5000, 'x')}) {
    const Wire wire(port_);
    try {
      wire.send(bytes);
      const std::string answer = wire.some();
      EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.1 4")) << answer.substr(0, 100);
    } catch (const std::runtime_error&) {
      // The server has closed the connection. That is an answer, too.
    }
  }
  EXPECT_EQ(get("/metrics").status, 200);
}

TEST_F(Http, AFailingHandlerIsAnErrorWithoutDetails) {
  handlers_.report_html = []() -> std::string { throw std::runtime_error("secret detail"); };
  start();
  const HttpAnswer answer = get("/");
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body.find("secret"), std::string::npos);
  for (const auto& [name, value] : answer.headers)
    EXPECT_EQ(value.find("secret"), std::string::npos) << name;
  EXPECT_EQ(get("/metrics").status, 200);
}

TEST_F(Http, SlowClientsDoNotHoldUpTheOthers) {
  start();
  std::vector<std::unique_ptr<Wire>> idle;
  std::vector<std::unique_ptr<Wire>> dripping;
  for (int i = 0; i < 100; ++i) idle.push_back(std::make_unique<Wire>(port_));
  for (int i = 0; i < 20; ++i) {
    dripping.push_back(std::make_unique<Wire>(port_));
    dripping.back()->send("GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: ");
  }
  std::jthread drops([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      for (const auto& wire : dripping) wire->send("x");
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  });
  EXPECT_TRUE(eventually([&] { return server_->connections() >= 20; }));
  EXPECT_EQ(get("/metrics").status, 200);
  drops.request_stop();
  drops.join();
  for (const auto& wire : dripping) {
    wire->send("\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(parse_answer(wire->rest()).status, 200) << "slow is not wrong";
  }
}

TEST_F(Http, WhoNeverFinishesARequestIsHungUpOn) {
  start();
  const Wire wire(port_);
  wire.send("GET /metrics HTTP/1.1\r\nHost: ");
  EXPECT_NO_THROW(static_cast<void>(wire.rest()));
  EXPECT_TRUE(eventually([&] { return server_->connections() == 0; }));
}

TEST_F(Http, ManyScrapesAtOnceAllGetTheWholePage) {
  start();
  std::atomic<int> good = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 50; ++i)
    clients.emplace_back([&, gzip = i % 2 == 0] {
      const HttpAnswer answer = get("/metrics", gzip ? "Accept-Encoding: gzip\r\n" : "");
      if ((gzip ? inflated(answer.body) : answer.body).starts_with(body_->plain())) ++good;
    });
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good, 50);
  EXPECT_TRUE(eventually([&] { return server_->connections() == 0; }));
}

TEST_F(Http, CountsTheConnectionsItIsBusyWith) {
  std::promise<void> begun;
  std::promise<void> go_on;
  handlers_.report_json = [&] {
    begun.set_value();
    go_on.get_future().wait();
    return std::string("{}");
  };
  start();
  std::thread client([&] { EXPECT_EQ(get("/report.json").status, 200); });
  begun.get_future().wait();
  EXPECT_EQ(server_->connections(), 1U);
  go_on.set_value();
  client.join();
  EXPECT_TRUE(eventually([&] { return server_->connections() == 0; }));
}

TEST_F(Http, EachAnswerIsAsLongAsItSays) {
  handlers_.report_json = [] { return std::string(3'000'000, 'j'); };
  start();
  for (const char* path : {"/metrics", "/", "/report.md", "/report.json", "/-/healthy", "/-/ready",
                           "/nothing", "/metrics?x=1"})
    for (const char* accepted : {"", "Accept-Encoding: gzip\r\n", "Accept-Encoding: br\r\n"})
      for (const char* range : {"", "Range: bytes=0-,0-,0-\r\n"}) {
        const HttpAnswer answer = get(path, std::string(accepted) + range);
        EXPECT_NE(answer.status, 206) << path;
        EXPECT_GT(answer.body.size(), 0U) << path << accepted;
        EXPECT_EQ(answer.header("content-length"), std::to_string(answer.body.size()))
            << path << accepted << range;
      }
}

TEST_F(Http, MalformedHeadsAreRefusedAndTheConnectionEnds) {
  start();
  const std::string host = "Host: localhost\r\n";
  const std::vector<std::pair<std::string, std::string>> heads{
      {"GET /metrics HTTP/1.1\r\n\r\n", "400"},
      {"GET /metrics HTTP/1.1\r\n" + host + host + "\r\n", "400"},
      {"GET /metrics HTTP/1.1\r\n" + host + "X: a\r\n b\r\n\r\n", "400"},
      {"GET /metrics HTTP/1.1\r\n" + host + std::string("X: \0\r\n\r\n", 8), "400"},
      {"GET /metrics HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
       "400"},
      {"GET /metrics HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n", "400"},
      {"GET /metrics HTTP/1.1\r\n" + host + "Content-Length: 1\r\n\r\nx", "400"},
      {"GET /metrics HTTP/1.1\n" + host + "\n\n", "400"},
      {"GET /metrics HTTP/1.1\r\n" + host + "X: " + std::string(9000, 'x') + "\r\n\r\n", "431"},
      {"GET /" + std::string(20000, 'x'), "431"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"},
      {"GET /metrics HTTP/1.1\r\n" + host + "Expect: 100-continue\r\n\r\n", "417"}};
  for (const auto& [head, status] : heads) {
    const Wire wire(port_);
    wire.send(head + "GET /-/healthy HTTP/1.1\r\n" + host + "\r\n");
    const HttpAnswer answer = parse_answer(wire.rest());
    EXPECT_EQ(std::to_string(answer.status), status) << head.substr(0, 200);
    EXPECT_EQ(answer.header("connection"), "close");
    EXPECT_EQ(answer.header("content-length"), std::to_string(answer.body.size()))
        << "one answer alone: " << answer.body;
  }
}

TEST_F(Http, ABodyIsNeverTakenForTheNextRequest) {
  start();
  // The second request begins at byte 4096 of the connection, where a library read on.
  std::string request = "GET /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000\r\n\r\n";
  request.append(4096 - request.size(), 'x');
  const Wire wire(port_);
  wire.send(request + "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string answers = wire.rest();
  EXPECT_TRUE(answers.starts_with("HTTP/1.1 400 ")) << answers;
  EXPECT_EQ(answers.find("HTTP/1.1", 8), std::string::npos) << answers;
}

TEST_F(Http, RequestsInOnePieceAreAnsweredOneAfterTheOther) {
  start();
  const Wire wire(port_);
  const std::string host = " HTTP/1.1\r\nHost: localhost\r\n";
  wire.send("GET /-/healthy" + host + "\r\nGET /nothing" + host + "\r\nGET /report.md" + host +
            "Connection: close\r\n\r\nGET /-/healthy" + host + "\r\n");
  const std::string answers = wire.rest();
  const std::size_t first = answers.find("HTTP/1.1 200 ");
  const std::size_t second = answers.find("HTTP/1.1 404 ", first);
  const std::size_t third = answers.find("HTTP/1.1 200 ", second);
  EXPECT_EQ(first, 0U) << answers;
  EXPECT_NE(third, std::string::npos) << answers;
  EXPECT_TRUE(answers.ends_with("# report")) << answers;
}

TEST_F(Http, OnlyNamesOfSomebodyElseAreMisdirected) {
  allowed_ = {"*.shop.example"};
  start();
  const auto ask = [&](const std::string& path, const std::string& headers) {
    const Wire wire(port_);
    wire.send("GET " + path + " HTTP/1.1\r\n" + headers + "Connection: close\r\n\r\n");
    return parse_answer(wire.rest());
  };
  const HttpAnswer rebound = ask("/report.json", "Host: evil.example:10187\r\n");
  EXPECT_EQ(rebound.status, 421);
  EXPECT_EQ(
      rebound.body,
      "this server is not called evil.example:10187. HINT: add the name to `allowed_hosts`, or"
      " ask for the address\n");
  EXPECT_EQ(ask("/metrics", "Host: evil.example\r\n").status, 421);
  EXPECT_EQ(ask("/-/healthy", "Host: evil.example\r\n").status, 200);
  EXPECT_EQ(ask("/-/ready", "Host: evil.example\r\n").status, 503) << "not ready yet";
  // nginx names its upstream, Caddy keeps the name that the browser used, and kube-rbac-proxy the
  // address of the pod.
  EXPECT_EQ(ask("/metrics", "Host: 127.0.0.1:10187\r\nX-Real-IP: 9.9.9.9\r\n").status, 200);
  EXPECT_EQ(ask("/metrics",
                "Host: db.shop.example\r\nX-Forwarded-Host: db.shop.example\r\n"
                "X-Forwarded-Proto: https\r\nVia: 2.0 Caddy\r\n")
                .status,
            200);
  EXPECT_EQ(ask("/metrics",
                "Host: 10.244.0.12:8443\r\nX-Forwarded-For: 10.244.0.3\r\n"
                "X-Remote-User: prometheus\r\n")
                .status,
            200);
}

TEST_F(Http, AScrapeGetsThroughDrippingSilentAndIdleClients) {
  start();
  std::vector<std::unique_ptr<Wire>> dripping;
  std::vector<std::unique_ptr<Wire>> others;
  for (int i = 0; i < 100; ++i) {
    dripping.push_back(std::make_unique<Wire>(port_));
    dripping.back()->send("GET /metrics HTTP/1.1\r\nHost: ");
    others.push_back(std::make_unique<Wire>(port_));  // silent
    others.push_back(std::make_unique<Wire>(port_));  // idle
    others.back()->send("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_TRUE(others.back()->some().starts_with("HTTP/1.1 200 "));
    if (i % 10 == 0) {
      EXPECT_EQ(get("/metrics").status, 200);
    }
    for (const auto& wire : dripping) try {
        wire->send("x");
      } catch (const std::runtime_error&) {
      }
  }
  EXPECT_LE(server_->connections(), 256U);
  EXPECT_EQ(get("/metrics").status, 200);
}

TEST_F(Http, TheConnectionThatHasRestedForLongestMakesRoom) {
  start();
  const auto idle = [&] {
    auto wire = std::make_unique<Wire>(port_);
    wire->send("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_TRUE(wire->some().starts_with("HTTP/1.1 200 "));
    return wire;
  };
  const auto oldest = idle();
  std::vector<std::unique_ptr<Wire>> others;
  for (int i = 0; i < 256; ++i) others.push_back(idle());
  EXPECT_EQ(oldest->rest(), "") << "hung up on";
  others.back()->send("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(others.back()->rest().starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(server_->connections(), 255U);
}

TEST_F(Http, NothingIsRenderedForWhoHasGone) {
  std::promise<void> begun;
  std::promise<void> go_on;
  std::atomic<int> rendered = 0;
  handlers_.report_json = [&] {
    if (++rendered == 1) {
      begun.set_value();
      go_on.get_future().wait();
    }
    return std::string("{}");
  };
  start();
  std::thread first([&] { EXPECT_EQ(get("/report.json").status, 200); });
  begun.get_future().wait();
  for (int i = 0; i < 10; ++i) {
    const Wire wire(port_);
    wire.send("GET /report.json HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_TRUE(eventually([&] { return server_->connections() == 2; }));
    wire.reset();
    EXPECT_TRUE(eventually([&] { return server_->connections() == 1; }));
  }
  go_on.set_value();
  first.join();
  EXPECT_EQ(get("/report.json").status, 200);
  EXPECT_EQ(rendered, 2) << "the first, and the last";
}

TEST_F(Http, AStormOfRequestsAndResetsPasses) {
  start();
  for (int i = 0; i < 2000; ++i) {
    const Wire wire(port_);
    wire.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    wire.reset();
  }
  EXPECT_EQ(get("/metrics").status, 200);
  EXPECT_TRUE(eventually([&] { return server_->connections() == 0; }));
}

TEST_F(Http, AReportIsMadeOncePerEditionAndNeverHoldsUpAScrape) {
  std::promise<void> begun;
  std::promise<void> go_on;
  std::atomic<int> rendered = 0;
  auto edition = std::make_shared<const int>(1);
  handlers_.edition = [&]() -> std::shared_ptr<const void> { return edition; };
  handlers_.report_json = [&] {
    if (++rendered == 1) {
      begun.set_value();
      go_on.get_future().wait();
    }
    return std::string(5'000'000, 'x');
  };
  start();
  std::vector<std::unique_ptr<Wire>> clients;  // none of them reads
  for (int i = 0; i < 60; ++i) {
    clients.push_back(std::make_unique<Wire>(port_));
    clients.back()->send(
        "GET /report.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  }
  begun.get_future().wait();
  EXPECT_EQ(get("/metrics").status, 200) << "while a report is being made";
  go_on.set_value();
  int whole = 0;
  int refused = 0;
  for (const auto& client : clients) {
    const HttpAnswer answer = parse_answer(client->rest());
    if (answer.status == 200 && answer.body.size() == 5'000'000) ++whole;
    if (answer.status == 503 && answer.header("retry-after") == "10") ++refused;
  }
  EXPECT_EQ(whole + refused, 60);
  EXPECT_GE(whole, 16);
  EXPECT_EQ(rendered, 1);
}

TEST_F(Http, OneServerListensOnSeveralAddresses) {
  std::vector<ListeningSocket> sockets;
  sockets.push_back(listen_on({"127.0.0.1", 0}));
  sockets.push_back(listen_on({"::1", 0}));
  sockets.push_back(listen_on({"127.0.0.2", 0}));
  const std::string v6 = std::to_string(sockets[1].port);
  const std::string third = std::to_string(sockets[2].port);
  port_ = sockets.front().port;
  server_ = std::make_unique<HttpServer>(handlers_, allowed_, [] {});
  const auto urls = server_->start(std::move(sockets));
  EXPECT_EQ(urls.at(1), "http://[::1]:" + v6 + "/");
  EXPECT_EQ(get("/-/healthy").status, 200);
  EXPECT_EQ(run({"curl", "-sS", urls.at(1) + "-/healthy"}).out, "healthy\n");
  EXPECT_EQ(run({"curl", "-sS", urls.at(2) + "-/healthy"}).out, "healthy\n");
}

TEST_F(Http, ProbesOfThisMachineAskBesideThePort) {
  start();
  EXPECT_EQ(probe(port_, "/-/healthy"), 200);
  EXPECT_EQ(probe(port_, "/-/ready"), 503);
  EXPECT_EQ(probe(port_, "/metrics"), 421);
  EXPECT_EQ(probe(free_port(), "/-/healthy"), 0);
}

TEST_F(Http, AFailureOfTheWholeHandlerIsAnAnswer) {
  handlers_.metrics = [](bool) -> Page { throw std::bad_alloc(); };
  start();
  EXPECT_EQ(get("/metrics").status, 500);
  EXPECT_EQ(get("/-/healthy").status, 200);
}

std::string refusal(const ListenAddress& address) {
  try {
    static_cast<void>(listen_on(address));
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "none";
}

TEST_F(Http, APortInUseIsOneClearLine) {
  start();
  const std::string line = refusal({"127.0.0.1", port_});
  EXPECT_TRUE(line.starts_with("cannot listen on 127.0.0.1:" + std::to_string(port_) +
                               ": Address already in use. HINT: "))
      << line;
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(get("/metrics").status, 200) << "the first one goes on";
}

TEST_F(Http, AnAddressThatIsNotOursIsOneClearLine) {
  EXPECT_TRUE(refusal({"192.0.2.1", 10187})
                  .starts_with(
                      "cannot listen on 192.0.2.1:10187: Cannot assign requested address. HINT: "));
  EXPECT_TRUE(
      refusal({"no-such-host.invalid", 10187})
          .starts_with("cannot listen on no-such-host.invalid:10187: no such address. HINT: "))
      << refusal({"no-such-host.invalid", 10187});
}

TEST_F(Http, ListensOnThePortItWasGiven) {
  const int port = free_port();
  start({"127.0.0.1", port});
  EXPECT_EQ(port_, port);
  EXPECT_EQ(get("/-/healthy").status, 200);
}

TEST_F(Http, AfterStopThePortIsFreeAndNobodyIsTold) {
  start();
  { const Wire lingering(port_); }
  server_->stop();
  EXPECT_THROW(static_cast<void>(get("/metrics")), std::runtime_error);
  EXPECT_FALSE(lost_) << "it did not stop of itself";
  start({"127.0.0.1", port_});
  EXPECT_EQ(get("/metrics").status, 200);
}

TEST(AcceptsGzip, FollowsTheQualities) {
  EXPECT_TRUE(accepts_gzip("gzip"));
  EXPECT_TRUE(accepts_gzip("deflate;q=1, gzip;q=0.001"));
  EXPECT_TRUE(accepts_gzip("*;q=0, gzip")) << "what is named goes before the star";
  EXPECT_FALSE(accepts_gzip("gzip;q=0, *")) << "what is named goes before the star";
  EXPECT_FALSE(accepts_gzip(""));
  EXPECT_FALSE(accepts_gzip("br"));
  EXPECT_FALSE(accepts_gzip(",,,;q=1"));
}

}  // namespace
}  // namespace pg_integrity::test::server_test
