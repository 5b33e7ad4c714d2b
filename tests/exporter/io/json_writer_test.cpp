#include "exporter/io/json_writer.h"

#include <gtest/gtest.h>

#include <limits>

#include "collectors/base/json_value.h"
#include "exporter/io/json_reader.h"

namespace pg_integrity::test::json_writer_test {
namespace {

std::string written(const JsonValue& value) {
  std::string text;
  append_json(value, text);
  return text;
}

TEST(JsonText, HasEveryKindOfValue) {
  EXPECT_EQ(written({}), "null");
  EXPECT_EQ(written({true}), "true");
  EXPECT_EQ(written({JsonValue::Elements{}}), "[]");
  EXPECT_EQ(written({JsonValue::Members{}}), "{}");
  EXPECT_EQ(written({JsonValue::Members{{"b", {JsonValue::Elements{{1.0}, {false}}}},
                                        {"a", {std::string("x")}}}}),
            R"({"b":[1,false],"a":"x"})");
}

TEST(JsonText, ANumberIsReadAsItWas) {
  for (const double number :
       {0.0, -1.5, 0.1, 1795873463.6699073, 9007199254740993.0, 1e300, 5e-324})
    EXPECT_EQ(SaxJson().read(written({number})).number(), number) << written({number});
  EXPECT_EQ(written({std::numeric_limits<double>::infinity()}), "null");
  EXPECT_EQ(written({std::numeric_limits<double>::quiet_NaN()}), "null");
}

TEST(JsonText, ATextIsReadAsItWas) {
  std::string all;
  for (char c = 0; c >= 0; ++c) {
    all += c;
    if (c == 127) break;
  }
  all += "Größe 中 😀";
  EXPECT_EQ(SaxJson().read(written({all})).text(), all);
  EXPECT_EQ(written({std::string("a\"\\\n")}), R"("a\"\\\n")");
}

TEST(JsonText, WhatIsNoUtf8IsReplaced) {
  EXPECT_EQ(
      SaxJson().read(written({std::string("\xe9t\xe9 \xc0\xaf \xed\xa0\x80 \xf0\x9f")})).text(),
      "\ufffdt\ufffd \ufffd\ufffd \ufffd\ufffd\ufffd \ufffd");
}

}  // namespace
}  // namespace pg_integrity::test::json_writer_test
