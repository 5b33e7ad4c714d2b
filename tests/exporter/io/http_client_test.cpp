#include "exporter/io/http_client.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/url.h"
#include "collectors/ports/http.h"
#include "exporter/config/settings_check.h"
#include "exporter/io/disposable_workers.h"
#include "tests/support/api_server.h"
#include "tests/support/clock.h"
#include "tests/support/process.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::http_client_test {
namespace {

class HttpClientOf : public ::testing::Test {
 protected:
  static HttpRequest request(const std::string& url) {
    HttpRequest request;
    request.name = "endpoint test";
    request.url = parse_url(url).value();
    request.timeout = Seconds(30);
    request.max_body = 1000;
    return request;
  }

  HttpResponse get(const HttpRequest& request, Seconds step = Seconds(60)) {
    return WorkerHttp(workers_, clock_, clock_.now() + step).get(request);
  }
  HttpResponse get(const std::string& url) { return get(request(url)); }

  SourceError failure(const HttpRequest& request, Seconds step = Seconds(60)) {
    try {
      get(request, step);
    } catch (const SourceError& error) {
      EXPECT_NE(std::string(error.what()).find("endpoint test"), std::string::npos) << error.what();
      return error;
    }
    throw std::runtime_error("it did not fail");
  }
  Reason reason(const HttpRequest& request) { return failure(request).reason(); }
  Reason reason(const std::string& url) { return reason(request(url)); }

  SteppedClock clock_;
  DisposableWorkers workers_{clock_};
};

TEST_F(HttpClientOf, AnAnswerIsAnAnswerWhateverItsStatus) {
  const ApiServer server([](const ApiAsked& asked) {
    return ApiAnswer{asked.path == "/broken" ? 500 : 200, "body of " + asked.path};
  });
  const HttpResponse good = get(server.url("/rows?of=User"));
  EXPECT_EQ(good.status, 200);
  EXPECT_EQ(good.body, "body of /rows");
  EXPECT_TRUE(good.complete);
  EXPECT_GT(good.took.count(), 0);
  EXPECT_EQ(get(server.url("/broken")).status, 500);
}

TEST_F(HttpClientOf, AWishToBeLeftAloneIsTold) {
  const ApiServer server([](const ApiAsked& asked) {
    return ApiAnswer{429, "", "", asked.path == "/wishes" ? "17" : ""};
  });
  EXPECT_EQ(get(server.url("/wishes")).retry_after.count(), 17);
  EXPECT_EQ(get(server.url("/wishes-nothing")).retry_after.count(), 0);
}

TEST_F(HttpClientOf, ABodyIsReadUpToItsBound) {
  const ApiServer server([](const ApiAsked& asked) {
    return ApiAnswer{200, std::string(asked.path == "/fits" ? 1000 : 1001, 'x')};
  });
  EXPECT_TRUE(get(server.url("/fits")).complete);
  const HttpResponse longer = get(server.url("/longer"));
  EXPECT_FALSE(longer.complete);
  EXPECT_EQ(longer.body, std::string(1000, 'x'));
  EXPECT_EQ(longer.status, 200);
}

TEST_F(HttpClientOf, AnEndlessBodyIsCut) {
  const RawServer server([](const RawServer::Send& send) {
    send("HTTP/1.1 200 OK\r\n\r\n");
    while (send(std::string(10000, 'x'))) {
    }
  });
  const HttpResponse answer = get(server.url());
  EXPECT_FALSE(answer.complete);
  EXPECT_EQ(answer.body.size(), 1000U);
}

TEST_F(HttpClientOf, WhatTricklesMeetsTheDeadlineOfTheWhole) {
  for (const char* beginning : {"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nX: "}) {
    const RawServer server([beginning](const RawServer::Send& send) {
      send(beginning);
      while (send("x")) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    });
    HttpRequest slow = request(server.url());
    slow.timeout = Seconds(0.3);
    EXPECT_EQ(reason(slow), Reason::timeout);
    EXPECT_EQ(workers_.given_up(), 0U) << "it has ended by itself";
    slow.timeout = Seconds(100);
    const SourceError cut_short = failure(slow, Seconds(0.3));
    EXPECT_EQ(cut_short.reason(), Reason::limit) << "the step's deadline is not the endpoint's";
    EXPECT_STREQ(cut_short.what(),
                 "endpoint test: the step has no time left. HINT: raise `deadline`");
  }
}

TEST_F(HttpClientOf, WithoutTimeNobodyIsAsked) {
  const ApiServer server([](const ApiAsked&) { return ApiAnswer{}; });
  EXPECT_EQ(failure(request(server.url()), Seconds(0)).reason(), Reason::limit);
  EXPECT_EQ(server.asked(), 0);
}

TEST_F(HttpClientOf, ASilentServerIsATimeout) {
  const RawServer server([](const RawServer::Send& send) {
    while (send("")) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  });
  HttpRequest slow = request(server.url());
  slow.timeout = Seconds(0.2);
  EXPECT_EQ(reason(slow), Reason::timeout);
}

TEST_F(HttpClientOf, EndlessHeadersAreRefused) {
  const RawServer many([](const RawServer::Send& send) {
    send("HTTP/1.1 200 OK\r\n");
    while (send("X: " + std::string(1000, 'x') + "\r\n")) {
    }
  });
  EXPECT_EQ(reason(many.url()), Reason::protocol);
  for (const char* beginning : {"HTTP/1.1 200 ", "HTTP/1.1 200 OK\r\nX: ", ""}) {
    const RawServer one([beginning](const RawServer::Send& send) {
      send(beginning);
      for (int i = 0; i < 1000 && send(std::string(10000, 'x')); ++i) {
      }
    });
    EXPECT_NE(reason(one.url()), Reason::timeout) << beginning;
  }
}

TEST_F(HttpClientOf, WhatIsNoHttpIsAProtocolError) {
  for (const char* bytes : {"", "hello\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    const RawServer server([bytes](const RawServer::Send& send) { send(bytes); });
    EXPECT_EQ(reason(server.url()), Reason::protocol) << bytes;
  }
}

TEST_F(HttpClientOf, WhoDoesNotListenIsNotReached) {
  EXPECT_EQ(reason("http://127.0.0.1:" + std::to_string(free_port()) + "/"), Reason::connect);
  EXPECT_EQ(reason("http://no-such-host.invalid/"), Reason::connect);
}

TEST_F(HttpClientOf, RedirectsWithinTheOriginAreFollowed) {
  const ApiServer server([](const ApiAsked& asked) {
    if (asked.path == "/old") return ApiAnswer{302, "moved", "/new"};
    if (asked.path == "/a/relative") return ApiAnswer{307, "moved", "../new#part"};
    return ApiAnswer{200, asked.path};
  });
  EXPECT_EQ(get(server.url("/old")).body, "/new");
  EXPECT_EQ(get(server.url("/a/relative")).body, "/new");
}

TEST_F(HttpClientOf, RedirectsForEverAreNot) {
  const ApiServer server([](const ApiAsked&) { return ApiAnswer{302, "", "/again"}; });
  EXPECT_EQ(reason(server.url()), Reason::http);
  EXPECT_EQ(server.asked(), 4);
}

TEST_F(HttpClientOf, ARedirectToAnotherOriginIsNotFollowed) {
  const ApiServer other([](const ApiAsked&) { return ApiAnswer{200, "other"}; });
  std::mutex mutex;
  std::string leads_to;
  const ApiServer server([&](const ApiAsked&) {
    const std::lock_guard lock(mutex);
    return ApiAnswer{302, "", leads_to};
  });
  const std::string here = "127.0.0.1:" + std::to_string(server.port());
  for (const std::string& target :
       {other.url("/"), "//127.0.0.1:" + std::to_string(other.port()) + "/",
        "https://" + here + "/", std::string("file:///etc/passwd"),
        "http://user:secret@" + here + "/", "http://localhost:" + std::to_string(server.port())}) {
    {
      const std::lock_guard lock(mutex);
      leads_to = target;
    }
    HttpRequest asking = request(server.url());
    asking.auth = HttpAuth::bearer;
    asking.secret = "s3cret";
    const SourceError error = failure(asking);
    EXPECT_EQ(error.reason(), Reason::http) << target;
    EXPECT_EQ(std::string(error.what()).find(target), std::string::npos) << error.what();
  }
  EXPECT_EQ(other.asked(), 0);
}

TEST_F(HttpClientOf, SecretsAreSentAsTheirKindWants) {
  const ApiServer server([](const ApiAsked&) { return ApiAnswer{}; });
  const auto sent = [&](HttpAuth auth, const std::string& secret, const std::string& header) {
    HttpRequest asking = request(server.url());
    asking.auth = auth;
    asking.secret = secret;
    get(asking);
    const auto headers = server.last().headers;
    const auto found = headers.find(header);
    return found == headers.end() ? "nothing" : found->second;
  };
  EXPECT_EQ(sent(HttpAuth::none, "", "authorization"), "nothing");
  EXPECT_EQ(sent(HttpAuth::bearer, "token", "authorization"), "Bearer token");
  EXPECT_EQ(sent(HttpAuth::basic, "user:pass:word", "authorization"), "Basic dXNlcjpwYXNzOndvcmQ=");
  EXPECT_EQ(sent(HttpAuth::header, "X-Api-Key: 12 34", "x-api-key"), "12 34");
  EXPECT_EQ(sent(HttpAuth::header, "X-Api-Key: 12 34", "authorization"), "nothing");
}

TEST_F(HttpClientOf, ASecretThatWouldBeMoreThanOneHeaderIsNotSent) {
  const ApiServer server([](const ApiAsked&) { return ApiAnswer{}; });
  HttpRequest asking = request(server.url());
  for (const auto& [auth, secret] : std::initializer_list<std::pair<HttpAuth, std::string>>{
           {HttpAuth::bearer, ""},
           {HttpAuth::bearer, "s3cret\r\nX: y"},
           {HttpAuth::basic, "s3cret\nX: y"},
           {HttpAuth::header, "X: s3cret\rY: z"},
           {HttpAuth::header, "s3cret"},
           {HttpAuth::header, ": s3cret"},
           {HttpAuth::header, "X Y: s3cret"},
           {HttpAuth::header, "X-Empty: "}}) {
    asking.auth = auth;
    asking.secret = secret;
    const SourceError error = failure(asking);
    EXPECT_EQ(error.reason(), Reason::config);
    EXPECT_EQ(std::string(error.what()).find("s3cret"), std::string::npos) << error.what();
  }
  EXPECT_EQ(server.asked(), 0);
}

TEST_F(HttpClientOf, CertificatesAreVerified) {
  const Certificate certificate;
  const ApiServer server([](const ApiAsked&) { return ApiAnswer{200, "good"}; }, &certificate);
  EXPECT_EQ(reason(server.url()), Reason::tls) << "nobody has signed it";
  HttpRequest trusting = request(server.url());
  trusting.ca_file = certificate.certificate;
  EXPECT_EQ(get(trusting).body, "good");
  trusting.url = parse_url("https://localhost:" + std::to_string(server.port())).value();
  EXPECT_EQ(reason(trusting), Reason::tls) << "it is for another name";
  const Certificate other;
  trusting.url = parse_url(server.url()).value();
  trusting.ca_file = other.certificate;
  EXPECT_EQ(reason(trusting), Reason::tls);
  trusting.ca_file = "/no/such/file";
  EXPECT_EQ(reason(trusting), Reason::config);
}

TEST_F(HttpClientOf, WhoSpeaksNoTlsIsATlsError) {
  const ApiServer server([](const ApiAsked&) { return ApiAnswer{}; });
  EXPECT_EQ(reason("https://127.0.0.1:" + std::to_string(server.port()) + "/"), Reason::tls);
}

TEST_F(HttpClientOf, TheEnvironmentSetsNoProxy) {
  ::setenv("http_proxy", "http://127.0.0.1:1/", 1);
  const ApiServer server([](const ApiAsked&) { return ApiAnswer{200, "direct"}; });
  EXPECT_EQ(get(server.url()).body, "direct");
  ::unsetenv("http_proxy");
}

}  // namespace
}  // namespace pg_integrity::test::http_client_test
