#include "collectors/ports/session.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace pg_integrity::test::session_test {
namespace {

using Cell = std::optional<std::string>;

/// A row with one column, "x", that holds that cell.
Row row_of(Cell cell) {
  return Rows({{"x"}, {std::move(cell)}}, Seconds(0)).only();
}

/// The reason and the text of the SourceError that `ask` throws.
std::pair<Reason, std::string> failure(const std::function<void()>& ask) {
  try {
    ask();
  } catch (const SourceError& error) {
    EXPECT_FALSE(error.session_lost()) << "the next question may succeed";
    return {error.reason(), error.what()};
  }
  throw std::runtime_error("it did not fail");
}

TEST(Rows, AreReadRowByRowAndColumnByColumn) {
  const Rows rows({{"a", "b"}, {"1", "x", "2", std::nullopt}}, Seconds(0.5));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].number("a"), 1);
  EXPECT_EQ(rows[0].text("b"), "x");
  EXPECT_EQ(rows[1].number("a"), 2);
  EXPECT_FALSE(rows[1].maybe_text("b"));
  EXPECT_EQ(rows.elapsed(), Seconds(0.5));
}

TEST(Rows, WithoutColumnsAreNone) {
  EXPECT_EQ(Rows({{}, {}}, Seconds(0)).size(), 0U);
}

TEST(Rows, OnlyTakesExactlyOne) {
  EXPECT_EQ(Rows({{"a"}, {"7"}}, Seconds(0)).only().number("a"), 7);
  EXPECT_EQ(failure([] {
              (void)Rows({{"a"}, {}}, Seconds(0)).only();
            }),
            std::pair(Reason::decode, std::string("one row expected, 0 received")));
  EXPECT_EQ(failure([] {
              (void)Rows({{"a"}, {"1", "2"}}, Seconds(0)).only();
            }),
            std::pair(Reason::decode, std::string("one row expected, 2 received")));
}

TEST(Row, OutlivesItsRows) {
  const auto kept = [] {
    const Rows rows({{"a"}, {"first", std::string(1000, 'x')}}, Seconds(0));
    return rows[1];
  }();
  EXPECT_EQ(kept.text("a"), std::string(1000, 'x'));
  Row copy = kept;
  EXPECT_EQ(copy.text("a"), kept.text("a"));
}

TEST(Row, AColumnThatIsNotThereIsAnErrorForEveryAccessor) {
  const Row row = row_of("1");
  const std::pair expected(Reason::decode, std::string("column y is missing from the answer"));
  EXPECT_EQ(failure([&] { (void)row.text("y"); }), expected);
  EXPECT_EQ(failure([&] { (void)row.number("y"); }), expected);
  EXPECT_EQ(failure([&] { (void)row.flag("y"); }), expected);
  EXPECT_EQ(failure([&] { (void)row.maybe_text("y"); }), expected);
  EXPECT_EQ(failure([&] { (void)row.maybe_number("y"); }), expected);
  EXPECT_EQ(failure([&] { (void)row.text("X"); }).first, Reason::decode) << "names have a case";
}

TEST(Row, NullIsAnErrorOrAbsentAsTheAccessorSays) {
  const Row row = row_of(std::nullopt);
  const std::pair expected(Reason::decode, std::string("column x is NULL"));
  EXPECT_EQ(failure([&] { (void)row.text("x"); }), expected);
  EXPECT_EQ(failure([&] { (void)row.number("x"); }), expected);
  EXPECT_EQ(failure([&] { (void)row.flag("x"); }), expected);
  EXPECT_FALSE(row.maybe_text("x"));
  EXPECT_FALSE(row.maybe_number("x"));
}

TEST(Row, AnEmptyTextIsNotNull) {
  EXPECT_EQ(row_of("").text("x"), "");
  EXPECT_EQ(row_of("").maybe_text("x"), "");
  EXPECT_EQ(failure([] { (void)row_of("").number("x"); }).first, Reason::decode);
}

TEST(Row, TakesNumbersAsPostgresWritesThem) {
  EXPECT_EQ(row_of("42").number("x"), 42);
  EXPECT_EQ(row_of("-0.5").number("x"), -0.5);
  EXPECT_EQ(row_of("1e+20").number("x"), 1e20);
  EXPECT_EQ(row_of("9223372036854775807").maybe_number("x"), 9223372036854775807.0);
  EXPECT_EQ(row_of("1764720000.123456").number("x"), 1764720000.123456);
}

TEST(Row, WhatIsNoFiniteNumberIsAnErrorNeverAValue) {
  for (const char* text : {"NaN", "Infinity", "-Infinity", "inf", "1e999", "-1e999", " 1", "1 ",
                           "+1", "0x10", "1,5", "t", "one", "1.2.3", "-"}) {
    EXPECT_EQ(failure([&] { (void)row_of(text).number("x"); }),
              std::pair(Reason::decode, std::string("column x is not a finite number")))
        << text;
    EXPECT_EQ(failure([&] { (void)row_of(text).maybe_number("x"); }).first, Reason::decode) << text;
  }
}

TEST(Row, ErrorsDoNotRepeatTheValue) {
  EXPECT_EQ(failure([] { (void)row_of("a secret").number("x"); }).second.find("secret"),
            std::string::npos);
  EXPECT_EQ(failure([] { (void)row_of("a secret").flag("x"); }).second.find("secret"),
            std::string::npos);
}

TEST(Row, TakesBooleansAsPostgresWritesThem) {
  EXPECT_TRUE(row_of("t").flag("x"));
  EXPECT_FALSE(row_of("f").flag("x"));
  for (const char* text : {"true", "false", "1", "0", "T", "", "tf"})
    EXPECT_EQ(failure([&] { (void)row_of(text).flag("x"); }),
              std::pair(Reason::decode, std::string("column x is not a boolean")))
        << text;
}

}  // namespace
}  // namespace pg_integrity::test::session_test
