#include "exporter/http/passwords.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace pg_integrity::test::passwords_test {
namespace {

// Of cost 4.
constexpr const char* kHashOfTest = "$2y$04$kr3wSQ3eBv1y4xE3EJ0OUempmM4kMkW49yJs81L5bC2QAXEdfPjNe";
constexpr const char* kHashOfSecret =
    "$2b$04$kr3wSQ3eBv1y4xE3EJ0OUewSZB6qbvpaQNCTVid9YPqp0RZdIMaYG";
constexpr const char* kHashOf72X = "$2a$04$kr3wSQ3eBv1y4xE3EJ0OUeuu8RGMAmj.ePh0JBiVJAyTEZKhibRpa";

using Users = std::map<std::string, std::string>;

std::string basic(const std::string& text) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out = "Basic ";
  for (std::size_t i = 0; i < text.size(); i += 3) {
    unsigned group = 0;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8U | (i + j < text.size() ? static_cast<unsigned char>(text[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j)
      out += i + j > text.size() ? '=' : kDigits[group >> (18 - 6 * j) & 63U];
  }
  return out;
}

TEST(Passwords, OnlyTheNameWithItsOwnPasswordIsGood) {
  Passwords passwords({{"alice", kHashOfTest}, {"bob", kHashOfSecret}, {"carol", kHashOf72X}});
  EXPECT_TRUE(passwords.check(basic("alice:test")));
  EXPECT_TRUE(passwords.check(basic("bob:secret")));
  for (const char* wrong :
       {"alice:secret", "bob:test", "alice:", "alice:tes", "alice:testt", ":test", "mallory:test",
        "Alice:test", "alice", "alice:test:", "alice :test"})
    EXPECT_FALSE(passwords.check(basic(wrong))) << wrong;
  EXPECT_FALSE(passwords.check(basic(std::string("alice:test\0x", 12)))) << "crypt() ends at a NUL";
}

TEST(Passwords, TheFirst72BytesCount) {
  Passwords passwords(Users{{"carol", kHashOf72X}});
  EXPECT_TRUE(passwords.check(basic("carol:" + std::string(72, 'x'))));
  EXPECT_TRUE(passwords.check(basic("carol:" + std::string(72, 'x') + "more")));
  EXPECT_FALSE(passwords.check(basic("carol:" + std::string(71, 'x'))));
}

TEST(Passwords, WhatCannotBeGoodIsKnownAtOnce) {
  const Passwords passwords(Users{{"alice", kHashOfTest}});
  for (const std::string& wrong :
       {std::string(), std::string("Basic"), std::string("Basic "), std::string("Basic !!!!"),
        std::string("Bearer abcd"), std::string("Basic YWxpY2U"), basic("no colon"),
        basic("alice:" + std::string(2000, 'x')), basic(std::string("alice:t\0", 8))})
    EXPECT_EQ(passwords.known(wrong), false) << wrong.substr(0, 40);
  EXPECT_EQ(passwords.known(basic("alice:test")), std::nullopt) << "not checked yet";
}

TEST(Passwords, AGoodOneIsRememberedAndABadOneIsNot) {
  Passwords passwords({{"alice", kHashOfTest}, {"a", kHashOfSecret}});
  EXPECT_TRUE(passwords.check(basic("alice:test")));
  EXPECT_EQ(passwords.known(basic("alice:test")), true);
  EXPECT_EQ(passwords.known("bASIC " + basic("alice:test").substr(6)), true);
  EXPECT_FALSE(passwords.check(basic("alice:wrong")));
  EXPECT_EQ(passwords.known(basic("alice:wrong")), std::nullopt);
  EXPECT_EQ(passwords.known(basic("a:lice:test")), std::nullopt) << "another name";
  EXPECT_FALSE(Passwords(Users{{"alice", kHashOfTest}}).known(basic("alice:test")).has_value())
      << "after a change all is forgotten";
}

}  // namespace
}  // namespace pg_integrity::test::passwords_test
