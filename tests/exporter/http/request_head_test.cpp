#include "exporter/http/request_head.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pg_integrity::test::request_head_test {
namespace {

const std::string kHost = "Host: localhost\r\n";

int refused(const std::string& head) {
  const auto read = read_head(head);
  const auto* fault = std::get_if<HeadFault>(&read);
  return fault == nullptr ? 0 : fault->status;
}

RequestHead good(const std::string& head) {
  auto read = read_head(head);
  if (const auto* fault = std::get_if<HeadFault>(&read))
    throw std::runtime_error(std::string(fault->text));
  return std::get<RequestHead>(read);
}

TEST(RequestHeads, WhatCanBeUnderstoodInTwoWaysIsRefused) {
  const std::string line = "GET / HTTP/1.1\r\n";
  const std::vector<std::pair<std::string, int>> heads{
      {line + "\r\n", 400},                         // no Host
      {line + kHost + kHost + "\r\n", 400},         // two
      {line + kHost + "HOST: other\r\n\r\n", 400},  // of any case
      {line + "Host: a b\r\n\r\n", 400},
      {line + "Host: a/b\r\n\r\n", 400},
      {line + "Host: [::1\r\n\r\n", 400},
      {line + "Host: localhost:99999999\r\n\r\n", 400},
      {line + "Host: localhost:1a\r\n\r\n", 400},
      {line + kHost + "X: a\r\n b\r\n\r\n", 400},  // obs-fold
      {line + kHost + "\tX: a\r\n\r\n", 400},
      {line + kHost + "X : a\r\n\r\n", 400},
      {line + kHost + ": a\r\n\r\n", 400},
      {line + kHost + "no colon\r\n\r\n", 400},
      {line + kHost + std::string("X: a\0b\r\n\r\n", 10), 400},  // NUL
      {line + kHost + "X: a\rb\r\n\r\n", 400},                   // a bare CR
      {line + kHost + "X: a\nb: c\r\n\r\n", 400},                // a bare LF
      {line + kHost + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n", 400},
      {line + kHost + "Content-Length: -1\r\n\r\n", 400},
      {line + kHost + "Content-Length: +1\r\n\r\n", 400},
      {line + kHost + "Content-Length: 1, 1\r\n\r\n", 400},
      {line + kHost + "Content-Length: 0x1\r\n\r\n", 400},
      {line + kHost + "Content-Length: 99999999999999999999\r\n\r\n", 400},
      {line + kHost + "Content-Length:\r\n\r\n", 400},
      {line + kHost + "Content-Length: 5\r\n\r\n", 400},  // a GET with a body
      {line + kHost + "Transfer-Encoding: chunked\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\n" + kHost + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {line + kHost + "Authorization: a\r\nAuthorization: b\r\n\r\n", 400},
      {line + kHost + "Expect: 100-continue\r\n\r\n", 417},
      {"GET /\r\n\r\n", 400},  // HTTP/0.9
      {"GET / HTTP/1.1 \r\n" + kHost + "\r\n", 400},
      {"GET  / HTTP/1.1\r\n" + kHost + "\r\n", 400},
      {"GET / a HTTP/1.1\r\n" + kHost + "\r\n", 400},
      {"GET http://localhost/ HTTP/1.1\r\n" + kHost + "\r\n", 400},
      {"GET /\t HTTP/1.1\r\n" + kHost + "\r\n", 400},
      {" GET / HTTP/1.1\r\n" + kHost + "\r\n", 400},
      {"G(T / HTTP/1.1\r\n" + kHost + "\r\n", 400},
      {"\r\n\r\n", 400},
      {"PRI * HTTP/2.0\r\n\r\n", 400},
      {"GET / HTTP/1.2\r\n" + kHost + "\r\n", 400},
      {"GET / HTTP/11\r\n" + kHost + "\r\n", 400}};
  for (const auto& [head, status] : heads) EXPECT_EQ(refused(head), status) << head;
}

TEST(RequestHeads, TooManyHeadersAreRefused) {
  std::string head = "GET / HTTP/1.1\r\n" + kHost;
  for (int i = 0; i < 99; ++i) head += "X: a\r\n";
  EXPECT_EQ(refused(head + "\r\n"), 0);
  EXPECT_EQ(refused(head + "X: a\r\n\r\n"), 431);
}

TEST(RequestHeads, WhatClientsAndProxiesSendIsUnderstood) {
  const RequestHead prometheus = good(
      "GET /metrics HTTP/1.1\r\nHost: 10.0.0.7:10187\r\nUser-Agent: Prometheus/2.42.0\r\n"
      "Accept: application/openmetrics-text;version=1.0.0,*/*;q=0.1\r\nAccept-Encoding: gzip\r\n"
      "X-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n");
  EXPECT_EQ(prometheus.method, "GET");
  EXPECT_EQ(prometheus.target, "/metrics");
  EXPECT_EQ(prometheus.host, "10.0.0.7:10187");
  EXPECT_EQ(prometheus.accept_encoding, "gzip");
  EXPECT_FALSE(prometheus.close);
  const RequestHead nginx = good(
      "GET /report.json?a=b HTTP/1.0\r\nHost: 127.0.0.1:10187\r\n"
      "Connection: close\r\n\r\n");
  EXPECT_EQ(path_of(nginx), "/report.json");
  EXPECT_TRUE(nginx.close);
  EXPECT_TRUE(good("GET / HTTP/1.0\r\n\r\n").close);
  EXPECT_TRUE(good("GET / HTTP/1.1\r\nHost:\r\nConnection: keep-alive, Close\r\n\r\n").close);
  EXPECT_FALSE(good("POST /-/reload HTTP/1.1\r\n" + kHost + "Content-Length: 0\r\n\r\n").has_body);
  const RequestHead body =
      good("POST /-/reload HTTP/1.1\r\n" + kHost + "Content-Length: 5\r\n\r\n");
  EXPECT_TRUE(body.has_body);
  EXPECT_TRUE(body.close) << "what follows could be taken for the next request";
  EXPECT_EQ(good("GET / HTTP/1.1\r\nhost: [::1]:80\r\nX-Weird: \xc3\xa4\r\n\r\n").host, "[::1]:80");
  EXPECT_EQ(
      good("GET / HTTP/1.1\r\n" + kHost + "Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n\r\n")
          .accept_encoding,
      "br,gzip");
}

TEST(RequestHeads, TheLibraryGetsNoMoreThanWasUnderstood) {
  EXPECT_EQ(plain_head(good("GET /metrics?x HTTP/1.1\r\n" + kHost +
                            "Range: bytes=0-,0-\r\nIf-None-Match: *\r\nAccept-Encoding: gzip\r\n"
                            "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n")),
            "GET /metrics?x HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n");
  EXPECT_EQ(plain_head(good("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")),
            "POST / HTTP/1.1\r\nHost: \r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

TEST(RequestHeads, ANameOfSomebodyElseMayBeRebound) {
  for (const char* safe : {"", "localhost", "LocalHost:10187", "localhost.", "a.localhost",
                           "127.0.0.1", "10.1.2.3:10187", "[::1]", "[fe80::1]:10187"})
    EXPECT_FALSE(may_be_rebound(safe, {})) << safe;
  for (const char* strange : {"evil.example", "evil.example:10187", "localhost.evil.example",
                              "127.0.0.1.evil.example", "1.2.3", "0x7f000001", "evillocalhost"})
    EXPECT_TRUE(may_be_rebound(strange, {"db.example"})) << strange;
  EXPECT_FALSE(may_be_rebound("db.example:80", {"other", "DB.example"}));
  EXPECT_FALSE(may_be_rebound("a.example", {"*.example"}));
}

}  // namespace
}  // namespace pg_integrity::test::request_head_test
