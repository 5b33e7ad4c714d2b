#include "collectors/base/url.h"

#include <gtest/gtest.h>

namespace pg_integrity::test::url_test {
namespace {

std::string read(const std::string& text) {
  const auto url = parse_url(text);
  return url ? url->text() : "refused";
}

TEST(UrlOf, IsTakenApart) {
  EXPECT_EQ(read("http://api.example/rows?of=User"), "http://api.example:80/rows?of=User");
  EXPECT_EQ(read("HTTPS://API.Example:8443"), "https://api.example:8443/");
  EXPECT_EQ(read("http://[::1]:7777/a%20b"), "http://[::1]:7777/a%20b");
  EXPECT_EQ(read("http://127.0.0.1?a=b@c"), "http://127.0.0.1:80/?a=b@c");
}

TEST(UrlOf, WhatIsNoneIsRefused) {
  for (const char* text : {"",
                           "/rows",
                           "api.example/rows",
                           "ftp://api.example/",
                           "file:///etc/passwd",
                           "http://",
                           "http://:80/",
                           "http://user:password@api.example/",
                           "http://api.example@other/",
                           "http://api.example:0/",
                           "http://api.example:65536/",
                           "http://api.example:/",
                           "http://api.example:+80/",
                           "http://api.example/#part",
                           "http://api.example\\@other/",
                           "http://api.example/a b",
                           "http://api.example/\r\nX: y",
                           "http://api.example/\xc3\xa4",
                           "http://[::1/",
                           "http://[]/",
                           "http://::1/",
                           "http://a:b:80/"})
    EXPECT_EQ(read(text), "refused") << text;
  EXPECT_EQ(read(std::string("http://a/\0b", 11)), "refused");
}

TEST(UrlOf, AnOriginIsSchemeHostAndPort) {
  EXPECT_EQ(parse_url("https://a.example/x?secret=1")->origin(), "https://a.example:443");
  EXPECT_NE(parse_url("https://a.example/")->origin(), parse_url("http://a.example/")->origin());
}

TEST(UrlOf, LoopbackIsThisMachine) {
  for (const char* text :
       {"http://localhost/", "http://127.0.0.1:8080/", "http://127.1.20.255/", "http://[::1]:80/"})
    EXPECT_TRUE(parse_url(text)->loopback()) << text;
  for (const char* text :
       {"http://localhost.example/", "http://10.0.0.1/", "http://127.example.com/",
        "http://127.0.0.1.example/", "http://127.0.0.1.5/", "http://127.0.0.256/",
        "http://127.0.0.a/", "http://127.0.0./", "http://127..0.1/", "http://127.0.0.08/",
        "http://127.1/", "http://127.0.0.1./"})
    EXPECT_FALSE(parse_url(text)->loopback()) << text;
}

}  // namespace
}  // namespace pg_integrity::test::url_test
