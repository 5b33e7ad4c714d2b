#include "exporter/decoding/copy_rows.h"

#include <gtest/gtest.h>

#include <string>

#include "exporter/decoding/bytes.h"

namespace pg_integrity::test::copy_rows_test {
namespace {

using decoding::CopyRows;
using decoding::Damage;

/// Takes a text byte by byte, as the worst division into pieces.
CopyRows parsed(const std::string& text, std::size_t columns) {
  CopyRows rows(columns);
  for (const char byte : text) rows.take({&byte, 1});
  return rows;
}

TEST(CopyRows, CountsRowsUpToTheirEnd) {
  const std::string text = "1\tone\n2\t\\N\n3\ta\\tb\\\\c\\n\n\\.\n";
  const CopyRows rows = parsed(text, 2);
  EXPECT_TRUE(rows.ended());
  EXPECT_EQ(rows.rows(), 3U);
  CopyRows whole(2);
  EXPECT_EQ(whole.take(text + "rest"), text.size());
  EXPECT_EQ(whole.rows(), 3U);
}

TEST(CopyRows, TakesEveryEscapeThatCopyMakes) {
  EXPECT_EQ(parsed("\\b\\f\\n\\r\\t\\v\\\\\n\\.\n", 1).rows(), 1U);
}

TEST(CopyRows, TakesCarriageReturnsBeforeTheEndOfALine) {
  const CopyRows rows = parsed("1\t\\N\r\n2\tx\r\n\\.\r\n", 2);
  EXPECT_TRUE(rows.ended());
  EXPECT_EQ(rows.rows(), 2U);
}

TEST(CopyRows, TakesTheNumberOfColumnsFromTheFirstRowIfNoneIsKnown) {
  EXPECT_EQ(parsed("\n\n\\.\n", 0).rows(), 2U);
  EXPECT_THROW(parsed("a\tb\nc\n\\.\n", 0), Damage);
}

TEST(CopyRows, RefusesWhatCopyNeverWrites) {
  EXPECT_THROW(parsed("1\n\\.\n", 2), Damage) << "too few columns";
  EXPECT_THROW(parsed("1\t2\t3\n", 2), Damage) << "too many columns";
  EXPECT_THROW(parsed(std::string("a\0b", 3), 1), Damage) << "a zero";
  EXPECT_THROW(parsed("a\\qb\n", 1), Damage) << "an escape that is none";
  EXPECT_THROW(parsed("a\\N\n", 1), Damage) << "NULL within a value";
  EXPECT_THROW(parsed("\\Na\n", 1), Damage) << "NULL goes on";
  EXPECT_THROW(parsed("a\rb\n", 1), Damage) << "a bare carriage return";
  EXPECT_THROW(parsed("\\.x\n", 1), Damage) << "the end goes on";
}

TEST(CopyRows, HasNotEndedWithoutItsEnd) {
  EXPECT_FALSE(parsed("1\n2\n", 1).ended());
  EXPECT_FALSE(parsed("1\n\\.", 1).ended());
}

}  // namespace
}  // namespace pg_integrity::test::copy_rows_test
