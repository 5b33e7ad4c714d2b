#include "exporter/report/printable.h"

#include <gtest/gtest.h>

namespace pg_integrity::test::printable_test {
namespace {

TEST(Printable, WhatCanBeSeenStaysAsItIs) {
  for (const char* text : {"", "public.\"User\"", "größer", "\u05e9\u05dc\u05d5\u05dd", "表",
                           "\U0001F418", "a\\b", "\u0300"})
    EXPECT_EQ(printable(text), text);
}

TEST(Printable, WhatCannotIsWrittenOut) {
  EXPECT_EQ(printable("a\nb\r\tc"), "a\\u000ab\\u000d\\u0009c");
  EXPECT_EQ(printable(std::string_view("\0\x1b[2J\x7f", 6)), "\\u0000\\u001b[2J\\u007f");
  EXPECT_EQ(printable("\u0080\u009b2J"), "\\u0080\\u009b2J");
  for (const auto& [text, written] :
       {std::pair("\u202e", "\\u202e"), std::pair("\u2066", "\\u2066"),
        std::pair("\u2069", "\\u2069"), std::pair("\u200f", "\\u200f"),
        std::pair("\u061c", "\\u061c"), std::pair("\u200b", "\\u200b"),
        std::pair("\u2028", "\\u2028"), std::pair("\ufeff", "\\ufeff"),
        std::pair("\u00ad", "\\u00ad"), std::pair("\U000e0041", "\\ue0041")})
    EXPECT_EQ(printable(text), written);
}

TEST(Printable, WhatIsNotUtf8IsReplacedByteForByte) {
  const std::string unknown = "\ufffd";
  EXPECT_EQ(printable("\xff\xfe"), unknown + unknown);
  EXPECT_EQ(printable("\xc3"), unknown) << "cut off";
  EXPECT_EQ(printable("\xe2\x82"), unknown + unknown) << "cut off";
  EXPECT_EQ(printable("\xc0\xaf"), unknown + unknown) << "longer than need be";
  EXPECT_EQ(printable("\xed\xa0\x80"), unknown + unknown + unknown) << "half of a pair";
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), unknown + unknown + unknown + unknown) << "beyond all";
  EXPECT_EQ(printable("a\x80z"), "a" + unknown + "z");
}

TEST(Clipped, CutsBetweenCharacters) {
  EXPECT_EQ(clipped("abc", 3), "abc");
  EXPECT_EQ(clipped("abcd", 3), "abc…");
  EXPECT_EQ(clipped("aéé", 2), "a…");
  EXPECT_EQ(clipped("\U0001F418", 3), "…");
}

}  // namespace
}  // namespace pg_integrity::test::printable_test
