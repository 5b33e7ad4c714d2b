#include "exporter/io/json_reader.h"
#include "collectors/base/errors.h"
#include "collectors/base/json_pointer.h"
#include "collectors/base/json_value.h"

#include <gtest/gtest.h>

namespace pg_integrity::test::json_reader_test {
namespace {

/// The count as text, or the fault of the document.
std::string count(const std::string& document, const std::string& pointer = {}) {
  try {
    const auto number = SaxJson().count(document, parse_json_pointer(pointer).value());
    return std::to_string(static_cast<long long>(number));
  } catch (const SourceError& error) {
    EXPECT_EQ(error.reason(), Reason::decode) << document;
    return error.what();
  }
}

constexpr const char* kInvalid = "the answer is not valid JSON";
constexpr const char* kNothing = "the JSON answer has nothing at that pointer";
constexpr const char* kWrong = "the JSON answer has no number or array at that pointer";
constexpr const char* kNoCount = "the JSON answer's number is no count";

TEST(JsonOf, ANumberIsACount) {
  EXPECT_EQ(count("541"), "541");
  EXPECT_EQ(count(R"({"a": 1, "total": {"rows": 541.0, "b": 2}, "rows": 3})", "/total/rows"),
            "541");
  EXPECT_EQ(count(R"([7, [8, 9], {"x": 10}])", "/1/1"), "9");
  EXPECT_EQ(count(R"([7, [8, 9], {"x": 10}])", "/2/x"), "10");
  EXPECT_EQ(count("9007199254740992"), "9007199254740992");
}

TEST(JsonOf, AnArrayCountsItsElements) {
  EXPECT_EQ(count("[]"), "0");
  EXPECT_EQ(count(R"([1, [2, 3], {"a": [4]}, null, "x"])"), "5");
  EXPECT_EQ(count(R"({"rows": [{"rows": [1, 2, 3]}, {}], "more": [1]})", "/rows"), "2");
}

TEST(JsonOf, PointersAreThoseOfTheStandard) {
  const std::string document = R"({"a/b": 1, "m~n": 2, "": 3, " ": 4, "a": {"": 5}, "0": 6})";
  EXPECT_EQ(count(document, "/a~1b"), "1");
  EXPECT_EQ(count(document, "/m~0n"), "2");
  EXPECT_EQ(count(document, "/"), "3");
  EXPECT_EQ(count(document, "/ "), "4");
  EXPECT_EQ(count(document, "/a/"), "5");
  EXPECT_EQ(count(document, "/0"), "6");
  for (const char* wrong : {"a", "a/b", "/~", "/~2"}) EXPECT_FALSE(parse_json_pointer(wrong));
}

TEST(JsonOf, WhatIsNotThereIsNotZero) {
  EXPECT_EQ(count("{}", "/total"), kNothing);
  EXPECT_EQ(count(R"({"Total": 1})", "/total"), kNothing);
  EXPECT_EQ(count("[1, 2]", "/2"), kNothing);
  EXPECT_EQ(count("[1, 2]", "/01"), kNothing);
  EXPECT_EQ(count("[1, 2]", "/-"), kNothing);
  EXPECT_EQ(count(R"({"a": 1})", "/a/b"), kNothing);
  EXPECT_EQ(count(R"({"x": {"total": 1}})", "/total"), kNothing);
}

TEST(JsonOf, WhatIsNoCountIsRefused) {
  for (const char* value : {"null", "true", "\"541\"", "{}"}) EXPECT_EQ(count(value), kWrong);
  for (const char* value : {"-1", "1.5", "-0.1", "1e300", "9007199254740994"})
    EXPECT_EQ(count(value), kNoCount) << value;
}

TEST(JsonOf, TwoAnswersAreNone) {
  EXPECT_EQ(count(R"({"total": 1, "total": 2})", "/total"),
            "the JSON answer has two values at that pointer");
  EXPECT_EQ(count(R"({"a": {"total": 1}, "a": {"total": 1}})", "/a/total"),
            "the JSON answer has two values at that pointer");
}

TEST(JsonOf, WhatIsNotJsonIsRefusedWhole) {
  for (const char* text : {"", " ", "541 542", "[1, 2", "[1, 2]]", "NaN", "<html>", "[1,]",
                           "\"\xff\"", "[1]garbage", "1e999"})
    EXPECT_EQ(count(text), kInvalid) << text;
  for (const char* text : {R"({"total": 541} trailing)", R"({"total": 541)", "{total: 541}"})
    EXPECT_EQ(count(text, "/total"), kInvalid) << text;
}

TEST(JsonOf, NestingIsBounded) {
  EXPECT_EQ(count(std::string(1000000, '[')), "the JSON answer is nested too deeply");
  std::string objects;
  for (int i = 0; i < 100000; ++i) objects += "{\"a\":";
  EXPECT_EQ(count(objects), kWrong) << "the document itself is the target";
  EXPECT_EQ(count(objects, "/b"), "the JSON answer is nested too deeply");
  EXPECT_EQ(count(std::string(64, '[') + std::string(64, ']')), "1");
}

TEST(JsonDocument, IsReadWhole) {
  const JsonValue read =
      SaxJson().read(R"({"a": [1, -2.5, "x", true, null], "b": {"c": {}}, "n": null})");
  EXPECT_EQ(read.at("a").elements().size(), 5U);
  EXPECT_EQ(read.at("a").elements()[1].number(), -2.5);
  EXPECT_EQ(read.at("a").elements()[2].text(), "x");
  EXPECT_TRUE(read.at("a").elements()[3].flag());
  EXPECT_TRUE(read.at("b").at("c").members().empty());
  EXPECT_EQ(read.find("n"), nullptr);
  EXPECT_EQ(read.find("z"), nullptr);
  EXPECT_EQ(read.maybe_number("z"), std::nullopt);
}

TEST(JsonDocument, AnythingElseIsRefused) {
  for (const std::string& text : {std::string(), std::string("{"), std::string("[1,]"),
                                  std::string(100000, '['), std::string("1 2")})
    EXPECT_THROW((void)SaxJson().read(text), SourceError) << text.substr(0, 10);
  const JsonValue read = SaxJson().read(R"({"a": 1})");
  EXPECT_THROW((void)read.at("b"), SourceError);
  EXPECT_THROW((void)read.at("a").text(), SourceError);
  EXPECT_THROW((void)read.at("a").at("c"), SourceError);
}

}  // namespace
}  // namespace pg_integrity::test::json_reader_test
