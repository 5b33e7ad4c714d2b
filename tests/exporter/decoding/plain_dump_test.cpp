#include "exporter/decoding/plain_dump.h"

#include <gtest/gtest.h>

#include <string>

#include "exporter/decoding/bytes.h"

namespace pg_integrity::test::plain_dump_test {
namespace {

using decoding::columns_of_copy;
using decoding::Damage;
using decoding::PlainDump;
using decoding::Unknown;

/// Reads a dump byte by byte, as the worst division into pieces.
/// @return its rows
std::uint64_t read(const std::string& body) {
  const std::string text = "--\n-- PostgreSQL database dump\n--\n\n" + body;
  PlainDump dump;
  for (const char byte : text) dump.take({&byte, 1});
  dump.finish();
  PlainDump at_once;
  at_once.take(text);
  EXPECT_EQ(at_once.rows(), dump.rows());
  return dump.rows();
}

const std::string kEnd = "--\n-- PostgreSQL database dump complete\n--\n\n";
const std::string kCopy = "COPY public.a (x, y) FROM stdin;\n1\t2\n3\t4\n\\.\n\n";

TEST(PlainDump, CountsColumnsOfACopy) {
  EXPECT_EQ(columns_of_copy("COPY public.a (x, y) FROM stdin;"), 2U);
  EXPECT_EQ(columns_of_copy("COPY public.\"odd,(name\" (\"co,l)(\", \"x\"\"y\") FROM stdin;\n"),
            2U);
  EXPECT_EQ(columns_of_copy("COPY public.zero  FROM stdin;"), 0U);
  EXPECT_FALSE(columns_of_copy("COPY public.a TO stdout;"));
  EXPECT_FALSE(columns_of_copy("SELECT 1;"));
}

TEST(PlainDump, ReadsRowsAndItsEnd) {
  EXPECT_EQ(read(kCopy + kCopy + kEnd), 4U);
  EXPECT_EQ(read(kCopy + kEnd + "\\unrestrict abc\n\n"), 2U);
  EXPECT_EQ(read("INSERT INTO a VALUES ('it''s; --', E'\\\\');\n" + kEnd), 0U);
}

TEST(PlainDump, TakesNoTextForACopy) {
  const std::string inside = "COPY public.x (a) FROM stdin;\nno row\there\n";
  for (const std::string& text :
       {"CREATE FUNCTION f() AS $b$\n" + inside + "$b$;\n",
        "COMMENT ON TABLE a IS '" + inside + "';\n", "/* /* */ " + inside + "*/\n",
        "CREATE VIEW \"" + inside + "\" AS SELECT 1;\n",
        "CREATE FUNCTION g() AS $a$ $b$ '\n" + inside + " $ab$ $a $a$;\n",
        "SELECT a$b$c, '\n" + inside + "';\n", "/*/ " + inside + "*/\n"})
    EXPECT_EQ(read(text + kCopy + kEnd), 2U) << text;
}

TEST(PlainDump, MissesItsEnd) {
  EXPECT_THROW(read(kCopy), Damage);
  EXPECT_THROW(read("COPY public.a (x, y) FROM stdin;\n1\t2\n"), Damage) << "in the rows";
  EXPECT_THROW(read(kCopy + kEnd + kCopy), Damage) << "it goes on";
  EXPECT_THROW(read("CREATE TABLE a (x int" + kEnd), Damage) << "in a statement";
  EXPECT_THROW(read("COMMENT ON TABLE a IS 'x\n" + kCopy + kEnd), Damage) << "in a text";
}

TEST(PlainDump, ADumpOfAClusterEndsWithItsOwnEnd) {
  const std::string head = "--\n-- PostgreSQL database cluster dump\n--\n";
  EXPECT_THROW(read(head + kCopy + kEnd), Damage);
  EXPECT_EQ(read(head + kCopy + kEnd + "--\n-- PostgreSQL database cluster dump complete\n--\n"),
            2U);
}

TEST(PlainDump, RefusesZerosAndWhatHoldsNoData) {
  EXPECT_THROW(read(std::string("SELECT '\0';", 11) + kCopy + kEnd), Damage);
  EXPECT_THROW(read("CREATE TABLE a ();\n" + kEnd), Damage);
}

TEST(PlainDump, DoesNotJudgeEncodingsWhoseLettersHoldBackslashes) {
  EXPECT_THROW(read("SET client_encoding = 'SJIS';\n" + kCopy + kEnd), Unknown);
  EXPECT_EQ(read("SET client_encoding = 'UTF8';\n" + kCopy + kEnd), 2U);
}

}  // namespace
}  // namespace pg_integrity::test::plain_dump_test
