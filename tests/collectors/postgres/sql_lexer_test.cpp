#include "collectors/postgres/sql_lexer.h"

#include <gtest/gtest.h>

namespace pg_integrity::test::sql_lexer_test {
namespace {

TEST(SqlText, OneQueryIsOne) {
  for (const char* sql :
       {"SELECT 1", "select 1;", " \n-- why\n/* and /* how */ */ SELECT 1 ; -- the end ;",
        "WITH a AS (SELECT 1) SELECT * FROM a", "VALUES (1)", "TABLE public.t", "(SELECT 1)",
        "SELECT 'a;b', \"c;d\", 'it''s;', E'\\';', e'\\\\', $$;$$, $tag$ ; $$ ; $tag$, $1",
        "SELECT a$b$c FROM t", "SELECT 'ü;' AS \"ü;\"", "SELECT 1 -- a ; comment",
        "SELECT $body1$;$body1$", "SELECT 1;;", "SELECT 'a'\n';'",
        "SELECT E'a'\n'\\'; SELECT 2 --'", "SELECT e'a' -- b\r\n -- '\n\t';\\';'",
        "SELECT 'a' '\\'", "SELECT 1 -- a\r;"})
    EXPECT_EQ(query_fault(sql), std::nullopt) << sql;
}

TEST(SqlText, SeveralStatementsAreNot) {
  for (const char* sql :
       {"SELECT 1; SELECT 2", "SELECT 1; COMMIT; DROP TABLE t", "SELECT '\\'; SELECT 2 --'",
        "SELECT $$;$$; SELECT 2", "SELECT a$b$; SELECT $b$", "SELECT 1 /* */; SELECT 2",
        "SELECT 1 -- \n; SELECT 2", "SELECT e'\\'';'; SELECT 2", "SELECT $1$; SELECT $1$",
        "SELECT 1 -- \r; SELECT 2", "SELECT E'a'\n'\\''; SELECT 2 --'",
        "SELECT E'a' -- '\r'\\''; SELECT 2 --'", "SELECT 'a'\n'\\'; SELECT 2 --'",
        "SELECT E'a' '\\'; SELECT 2 --'", "SELECT E'a' /*\n*/ '\\'; SELECT 2 --'"})
    EXPECT_EQ(query_fault(sql), "is more than one statement") << sql;
}

TEST(SqlText, OtherStatementsAreNot) {
  for (const char* sql :
       {"", " -- SELECT 1", "DELETE FROM t", "selected", "\"select\" 1", "; SELECT 1",
        "EXPLAIN SELECT 1", "COPY t TO STDOUT", "1", "(", "SET x = 1"})
    EXPECT_EQ(query_fault(sql), "does not begin with SELECT, WITH, VALUES or TABLE") << sql;
}

TEST(SqlText, WhatDoesNotEndIsNot) {
  for (const char* sql : {"SELECT 'a", "SELECT \"a", "SELECT $a$ $b$", "SELECT 1 /* /* */",
                          "SELECT E'\\'", "SELECT 1; /*"})
    EXPECT_EQ(query_fault(sql), "has a quoted text or a comment that does not end") << sql;
}

TEST(SqlText, IsTakenApartIntoPieces) {
  using Pieces = std::vector<std::string_view>;
  EXPECT_EQ(sql_pieces("SELECT \"a\"\"b\".x, 'it''s' -- no\n /* nor */ FROM $$t$$;"),
            (Pieces{"SELECT", "\"a\"\"b\"", ".", "x", ",", "'it''s'", "FROM", "$$t$$", ";"}));
  EXPECT_EQ(sql_pieces("E'\\'\"'::x"), (Pieces{"E'\\'\"'", ":", ":", "x"}));
  EXPECT_TRUE(sql_pieces(" -- nothing").empty());
}

TEST(SqlText, TellsTheNameThatAPieceIs) {
  EXPECT_EQ(sql_name("Users"), "users");
  EXPECT_EQ(sql_name("\"Users\""), "Users");
  EXPECT_EQ(sql_name("\"a\"\"b\""), "a\"b");
  for (const char* none : {"'text'", "1", "(", ""}) EXPECT_EQ(sql_name(none), "") << none;
}

}  // namespace
}  // namespace pg_integrity::test::sql_lexer_test
