#include "collectors/integrity/row_condition.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "collectors/base/errors.h"
#include "tests/support/opened_session.h"

namespace pg_integrity::test::row_condition_test {
namespace {

std::string read(const std::string& text) {
  try {
    return conditions_text(parse_conditions(text));
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

TEST(RowCondition, IsReadAsSqlWouldRead) {
  EXPECT_EQ(read("kind = 'Post'"), "kind = 'Post'");
  EXPECT_EQ(read("  Kind='it''s' and \"Kind\" != 'x' "), "kind = 'it's' AND Kind <> 'x'");
  EXPECT_EQ(read("\"a\"\"b\" IN ('x', 'y')"), "a\"b IN ('x', 'y')");
  EXPECT_EQ(read("id NOT IN (0,-1.5)"), "id NOT IN ('0', '-1.5')");
  EXPECT_EQ(read("gone IS NULL AND live is not null"), "gone IS NULL AND live IS NOT NULL");
  EXPECT_EQ(read("a<=1 AND b >= 2 AND c<>3 AND d<4 AND e>5"),
            "a <= '1' AND b >= '2' AND c <> '3' AND d < '4' AND e > '5'");
  EXPECT_EQ(read("active = TRUE"), "active = 'true'");
}

TEST(RowCondition, IsRefusedIfItIsAnythingElse) {
  for (const char* text : {"",
                           " ",
                           "kind",
                           "kind =",
                           "= 'Post'",
                           "kind = other",
                           "kind = f('x')",
                           "f(kind) = 'x'",
                           "kind = 'x' OR true",
                           "(kind = 'x')",
                           "kind = 'x'; SELECT 1",
                           "kind = 'x' --",
                           "kind = 'x",
                           "kind ~ 'x'",
                           "kind = 'x'::evil",
                           "kind = E'x'",
                           "kind = $$x$$",
                           "kind = 1e",
                           "kind = 1.2.3",
                           "kind = -",
                           "kind IN ()",
                           "kind IN 'x'",
                           "kind NOT 'x'",
                           "kind IS 'x'",
                           "kind = 'x' AND",
                           "s.kind = 'x'",
                           "kind = (SELECT 1)",
                           "\"\" = 1",
                           "kind OPERATOR(evil.=) 'x'"})
    EXPECT_NE(read(text).find("expected"), std::string::npos) << text << ": " << read(text);
  EXPECT_NE(read(std::string("kind = 'a\0b'", 12)).find("expected"), std::string::npos);
  EXPECT_EQ(read("kind = f('x')").rfind("character 8: expected a constant", 0), 0U);
}

class OnRows : public ::testing::Test {
 protected:
  /// The ids of the rows that meet it, joined by a comma.
  std::string ids(const std::string& condition) {
    const std::string sql =
        conditions_sql(*session_, {"public", "t"}, "c", parse_conditions(condition));
    return session_
        ->query(
            "SELECT coalesce(string_agg(id::text, ',' ORDER BY id), '') AS ids"
            " FROM public.t c WHERE " +
            sql)
        .only()
        .text("ids");
  }

  Reason refusal(const std::string& condition) {
    try {
      ids(condition);
    } catch (const SourceError& error) {
      return error.reason();
    }
    return Reason::internal;
  }

  const Database db_;
  OpenedSession session_{db_};
};

TEST_F(OnRows, ComparesAsPostgresDoes) {
  db_.run(R"(CREATE TYPE kind AS ENUM ('Post', 'Page', 'It''s');
    CREATE DOMAIN short AS varchar(9) CHECK (length(VALUE) < 9); CREATE DOMAIN shorter AS short;
    CREATE TABLE t (id int, kind kind, word shorter, fixed char(5), number numeric, flag bool,
      at timestamptz, uid uuid, tags text[], tag "char", "A ""b""" name);
    INSERT INTO t VALUES (1, 'Post', 'x\y', 'ab', 10, true, '2026-01-01 00:00Z',
        '00000000-0000-0000-0000-000000000001', '{a}', 'p', 'n'),
      (2, 'Page', 'X', 'abc', 9, false, '2026-02-01 00:00Z', NULL, '{b}', 'q', 'm'),
      (3, 'It''s', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL))");
  EXPECT_EQ(ids("kind = 'Post'"), "1");
  EXPECT_EQ(ids("kind = 'It''s'"), "3");
  EXPECT_EQ(ids("kind > 'Post'"), "2,3");
  EXPECT_EQ(ids("kind NOT IN ('Post', 'Page')"), "3");
  EXPECT_EQ(ids("word = 'x\\y'"), "1");
  EXPECT_EQ(ids("word <> 'x\\y'"), "2");
  EXPECT_EQ(ids("word NOT IN ('X')"), "1");
  EXPECT_EQ(ids("fixed = 'ab'"), "1");
  EXPECT_EQ(ids("number > 9"), "1") << "as numbers, not as texts";
  EXPECT_EQ(ids("number IN (9, 10)"), "1,2");
  EXPECT_EQ(ids("flag = true"), "1");
  EXPECT_EQ(ids("at >= '2026-01-15'"), "2");
  EXPECT_EQ(ids("uid = '00000000-0000-0000-0000-000000000001'"), "1");
  EXPECT_EQ(ids("tags = '{b}' AND tag = 'q' AND \"A \"\"b\"\"\" = 'm'"), "2");
  EXPECT_EQ(ids("flag IS NULL AND kind IS NOT NULL"), "3");
  EXPECT_EQ(refusal("number = 'many'"), Reason::config);
  EXPECT_EQ(refusal("kind = 'Nothing'"), Reason::config);
  EXPECT_EQ(refusal("nothing = 1"), Reason::missing);
  EXPECT_EQ(refusal("tableoid = 1"), Reason::missing);
}

TEST_F(OnRows, RunsNoFunctionOfAUser) {
  db_.run(R"(CREATE FUNCTION evil(text, text) RETURNS bool LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'called'; END $$;
    CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil);
    CREATE TYPE kind AS ENUM ('Post', 'Page');
    CREATE FUNCTION evil(kind) RETURNS text LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'called'; END $$;
    CREATE CAST (kind AS text) WITH FUNCTION evil(kind) AS IMPLICIT;
    CREATE DOMAIN kinds AS kind;
    CREATE TYPE pair AS (a int, b int);
    CREATE FUNCTION evil(text) RETURNS bool LANGUAGE plpgsql STRICT AS $$
      BEGIN RAISE EXCEPTION 'called'; END $$;
    CREATE DOMAIN checked AS text CHECK (evil(VALUE));
    CREATE TABLE t (id int, word text, kind kind, pair pair, kinds kinds);
    INSERT INTO t VALUES (1, 'x', 'Post', '(1,2)', 'Page');)");
  EXPECT_EQ(ids("word = 'x'"), "1");
  EXPECT_EQ(ids("kind = 'Post'"), "1");
  EXPECT_EQ(ids("kinds IN ('Page', 'Post')"), "1");
  EXPECT_EQ(refusal("pair = '(1,2)'"), Reason::unsafe);
  db_.run("ALTER TABLE t ADD guarded checked");
  EXPECT_EQ(ids("guarded <> 'x'"), "") << "the domain's check is not run";
}

}  // namespace
}  // namespace pg_integrity::test::row_condition_test
