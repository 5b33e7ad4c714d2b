#include "collectors/postgres/read_set.h"

#include <gtest/gtest.h>

#include "collectors/collector.h"
#include "collectors/postgres/schema.h"
#include "collectors/registry.h"
#include "tests/support/opened_session.h"

namespace pg_integrity::test::read_set_test {
namespace {

using Columns = std::set<std::string>;

class ReadsByQueries : public ::testing::Test {
 protected:
  ReadsByQueries() {
    db_.run(R"(CREATE SCHEMA app; CREATE TABLE app.orders (id int, total int, "Odd ""Name" text);
      CREATE TABLE app.items (id int, order_id int, price int);
      CREATE VIEW app.seen AS SELECT id, total FROM app.orders)");
  }

  std::map<QualifiedName, Columns> tables(const std::string& sql) {
    Reads reads;
    reads.add_query(*session_, sql);
    return reads.tables;
  }
  Columns orders(const std::string& sql) { return tables(sql).at({"app", "orders"}); }

  const Database db_;
  OpenedSession session_{db_};
};

TEST_F(ReadsByQueries, AreTheColumnsThatAreNamed) {
  EXPECT_EQ(orders("SELECT o.total FROM APP.Orders o WHERE o.ID > 1"), (Columns{"id", "total"}));
  EXPECT_EQ(orders("SELECT \"Odd \"\"Name\" FROM \"app\".\"orders\""), (Columns{"Odd \"Name"}));
  EXPECT_EQ(orders("SELECT 'id' AS x /* total */ FROM app.orders -- id"), Columns{});
  const auto both =
      tables("SELECT sum(price) FROM app.items i JOIN app.orders o ON order_id = o.id");
  EXPECT_EQ(both.at({"app", "items"}), (Columns{"id", "order_id", "price"}));
  EXPECT_EQ(both.at({"app", "orders"}), (Columns{"id"}));
  EXPECT_EQ(tables("SELECT total FROM app.seen").size(), 1U) << "what is behind a view is its own";
}

TEST_F(ReadsByQueries, AreNoneWhereRowsAreCounted) {
  EXPECT_EQ(orders("SELECT count(*) FROM app.orders"), Columns{});
  EXPECT_EQ(orders("SELECT total * 2 FROM app.orders"), Columns{"total"});
}

TEST_F(ReadsByQueries, AreAllOfThemWhereWholeRowsAreTaken) {
  for (const char* sql :
       {"SELECT * FROM app.orders", "TABLE app.orders", "SELECT o.* FROM app.orders o",
        "SELECT DISTINCT ON (id) * FROM app.orders", "SELECT 1, * FROM app.orders",
        "SELECT count(*) FROM app.orders NATURAL JOIN app.items"})
    EXPECT_EQ(orders(sql).size(), 3U) << sql;
}

TEST_F(ReadsByQueries, AreNothingOfTheSystemOrOfWhatIsNotThere) {
  EXPECT_TRUE(tables("SELECT relname FROM pg_catalog.pg_class c WHERE c.oid = 1").empty());
  EXPECT_TRUE(tables("SELECT id FROM app.nothing").empty());
  EXPECT_TRUE(tables("SELECT 1").empty());
}

TEST(Reads, LeaveOutWhatNobodyLooksAt) {
  Schema schema;
  Table plain, foreign, elsewhere;
  plain.name = {"s", "c"};
  plain.columns = {{"id"}};
  foreign.name = {"s", "a"};
  foreign.foreign_code = true;
  elsewhere.name = {"s", "b"};
  elsewhere.has_foreign_partition = true;
  schema.tables = {foreign, elsewhere, plain};
  Reads reads;
  for (const char* name : {"a", "b", "c", "missing"}) reads.add(schema, {"s", name}, {"id", "no"});
  EXPECT_EQ(reads.tables, (std::map<QualifiedName, Columns>{{{"s", "c"}, {"id"}}}));
}

TEST(Reads, AreSaidByEveryCollectorThatReadsTables) {
  // The collectors that read only the catalog, the server or files.
  const std::set<std::string_view> none{"files",  "privileges",    "proofs",    "restore_drill",
                                        "server", "subscriptions", "superusers"};
  for (const CollectorSpec* spec : collectors())
    EXPECT_EQ(spec->reads == no_reads, none.contains(spec->name)) << spec->name;
}

}  // namespace
}  // namespace pg_integrity::test::read_set_test
