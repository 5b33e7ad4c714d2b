// The names of a statement that may lead to foreign code. tests/hostile shows that the guard finds
// the functions behind them.
#include "collectors/postgres/named_code.h"

#include <gtest/gtest.h>

namespace pg_integrity::test::named_code_test {
namespace {

using Names = std::set<QualifiedName>;

TEST(NamedCode, IsWhatAStatementNamesWithAUsersSchema) {
  const NamedCode named = named_code(
      "SELECT count(*) AS orphans FROM ONLY \"shop\".\"child\" c WHERE NOT EXISTS (SELECT FROM"
      " \"shop\".\"parent\" p WHERE p.\"id\"::Lib.citext OPERATOR(\"My Lib\".<=>) c.\"a\" AND"
      " lib.\"F\"(c.a, 'x.y(') AND pg_catalog.lower(c.b) OPERATOR(pg_catalog.=) ''"
      " AND c.list <> '{7}'::lib.d[] AND c.at > now()::pg_catalog.timestamptz)");
  EXPECT_EQ(named.operators, (Names{{"My Lib", "<=>"}}));
  EXPECT_EQ(named.functions, (Names{{"lib", "F"}}));
  EXPECT_EQ(named.types, (Names{{"lib", "citext"}, {"lib", "d"}}));
}

TEST(NamedCode, IsNoneInAStatementAboutTablesAndColumns) {
  EXPECT_TRUE(
      named_code("SELECT count(*) FROM \"s\".\"t\" c WHERE c.\"x\" IN (1) AND c.y = $1::text")
          .none());
  EXPECT_TRUE(named_code("SELECT 'a::b.c', \"d::e.f(\" -- g.h()").none());
}

TEST(NamedCode, ColumnsThatArePrintedMeetNoCast) {
  const std::string guard = named_code_guard_sql(
      {},
      "SELECT (ROW(\"mood\", t.at))::text, pg_catalog.concat(kind), concat(x::text) FROM \"T\" t");
  EXPECT_NE(guard.find("E' select row text pg_catalog concat concat x text from T t '"),
            std::string::npos)
      << guard;
}

}  // namespace
}  // namespace pg_integrity::test::named_code_test
