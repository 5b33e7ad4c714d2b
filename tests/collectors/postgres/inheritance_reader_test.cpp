#include <gtest/gtest.h>

#include <algorithm>

#include "collectors/base/instant.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/schema_cache.h"
#include "collectors/postgres/table_scan.h"
#include "tests/support/opened_session.h"

namespace pg_integrity::test::inheritance_reader_test {
namespace {

class Inheritance : public ::testing::Test {
 protected:
  std::shared_ptr<const Schema> load(const std::vector<std::string>& exclude = {}) {
    return load_schema(*session_, exclude, Instant{Seconds(1000)});
  }

  static const Table& table(const Schema& schema, const std::string& name) {
    const Table* found = schema.table({"public", name});
    if (found == nullptr) throw std::runtime_error("no table " + name);
    return *found;
  }

  static std::string heirs(const Schema& schema, const std::string& name) {
    std::string names;
    for (const QualifiedName& heir : table(schema, name).heirs)
      names += (names.empty() ? "" : " ") + heir.name;
    return names;
  }

  /// The tables that are parts of others.
  static std::string parts(const Schema& schema) {
    std::string names;
    for (const Table& one : schema.tables)
      if (one.part_of_parent) names += (names.empty() ? "" : " ") + one.name.name;
    return names;
  }

  static std::string keys(const Schema& schema) {
    std::string names;
    for (const ForeignKey& key : schema.foreign_keys)
      names += (names.empty() ? "" : " ") + key.child.name + (key.child_with_heirs ? "+" : "") +
               (key.child_heirs_left_out ? "-" : "");
    return names;
  }

  double count(const Table& of) {
    return session_->query("SELECT count(*) AS n FROM " + of.from_clause()).only().number("n");
  }

  const Database db_;
  OpenedSession session_{db_};
};

TEST_F(Inheritance, ATableHasTheRowsOfHeirsAtAnyDepthOnce) {
  db_.run(R"(CREATE TABLE a (i int); CREATE TABLE b (i int); CREATE TABLE ab () INHERITS (a, b);
    CREATE TABLE abc () INHERITS (ab, a); CREATE SCHEMA chunks; CREATE TABLE chunks.one () INHERITS (a);
    CREATE TEMPORARY TABLE passing () INHERITS (a); CREATE TABLE alone (i int);
    INSERT INTO a VALUES (1); INSERT INTO ab VALUES (2); INSERT INTO abc VALUES (3);
    INSERT INTO chunks.one VALUES (4); INSERT INTO passing VALUES (5);)");
  const auto schema = load();
  EXPECT_EQ(heirs(*schema, "a"), "one ab abc");
  EXPECT_EQ(heirs(*schema, "b"), "ab abc");
  EXPECT_EQ(heirs(*schema, "ab"), "abc");
  EXPECT_EQ(heirs(*schema, "alone"), "");
  EXPECT_EQ(parts(*schema), "one ab abc");
  EXPECT_EQ(count(table(*schema, "a")), 4);
  EXPECT_EQ(count(table(*schema, "b")), 2);
  EXPECT_EQ(count(table(*schema, "a").alone()), 1);
}

TEST_F(Inheritance, ATableWithColumnsOfItsOwnStaysATable) {
  db_.run(R"(CREATE TABLE cities (name text); CREATE TABLE capitals (state text) INHERITS (cities);
    CREATE TABLE former () INHERITS (capitals); CREATE TABLE joined (name text);
    ALTER TABLE joined INHERIT cities;)");
  const auto schema = load();
  EXPECT_EQ(heirs(*schema, "cities"), "capitals former joined");
  EXPECT_EQ(parts(*schema), "former joined");
  EXPECT_EQ(parts(*load({"public.capitals"})), "joined") << "its parent's columns are not shown";
  EXPECT_EQ(parts(*load({"public.cities"})), "former");
  EXPECT_EQ(heirs(*load({"public.capitals"}), "cities"), "capitals former joined");
}

TEST_F(Inheritance, EstimatesAndSizesAreSums) {
  db_.run(R"(CREATE TABLE a (i int) WITH (autovacuum_enabled = off);
    CREATE TABLE b () INHERITS (a) WITH (autovacuum_enabled = off);
    CREATE TABLE c () INHERITS (b) WITH (autovacuum_enabled = off);
    INSERT INTO b SELECT generate_series(1, 1000); INSERT INTO c SELECT generate_series(1, 500);)");
  db_.run("VACUUM a");
  db_.run("VACUUM b");
  const double real = std::stod(db_.ask("SELECT pg_relation_size('b') + pg_relation_size('c')"));
  auto schema = load();
  EXPECT_FALSE(table(*schema, "a").estimated_rows) << "one of its heirs is unknown";
  EXPECT_EQ(heap_bytes(*session_, table(*schema, "a")), real);
  db_.run("VACUUM c");
  schema = load();
  EXPECT_EQ(table(*schema, "a").estimated_rows, 1500);
  EXPECT_EQ(table(*schema, "a").estimated_bytes, real);
  EXPECT_EQ(heap_bytes(*session_, table(*schema, "a").alone()), 0);
}

TEST_F(Inheritance, AnIndexLeadsAColumnOnlyIfItDoesInEveryHeir) {
  db_.run(R"(CREATE TABLE a (i int, j int); CREATE TABLE b () INHERITS (a);
    CREATE INDEX ON a (i); CREATE INDEX ON a (j); CREATE INDEX ON b (i);)");
  const auto schema = load();
  EXPECT_TRUE(table(*schema, "a").column("i")->leads_index);
  EXPECT_FALSE(table(*schema, "a").column("j")->leads_index);
  EXPECT_TRUE(table(*schema, "a").alone().column("j")->leads_index);
}

TEST_F(Inheritance, AKeyThatAllHeirsHaveIsOneKey) {
  db_.run(R"(CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY);
    CREATE TABLE a (id int, CONSTRAINT a_key FOREIGN KEY (id) REFERENCES parent);
    CREATE TABLE a_1 (FOREIGN KEY (id) REFERENCES parent) INHERITS (a);
    CREATE TABLE a_2 (own int, FOREIGN KEY (id) REFERENCES parent) INHERITS (a);)");
  EXPECT_EQ(keys(*load()), "a+ a_2");
  EXPECT_TRUE(load()->foreign_keys[0].enforced);
  EXPECT_TRUE(load()->foreign_keys[0].validated);
  db_.run("ALTER TABLE a_1 DISABLE TRIGGER ALL");
  EXPECT_FALSE(load()->foreign_keys[0].enforced) << "one of them is not enforced";
  db_.run("CREATE TABLE a_3 (FOREIGN KEY (id) REFERENCES other) INHERITS (a)");
  EXPECT_EQ(keys(*load()), "a- a_1 a_2 a_3") << "another key is not the same";
}

}  // namespace
}  // namespace pg_integrity::test::inheritance_reader_test
