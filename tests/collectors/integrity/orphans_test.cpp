#include <gtest/gtest.h>

#include "collectors/base/errors.h"
#include "exporter/evidence/verdict.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"

namespace pg_integrity::test::orphans_test {
namespace {

constexpr const char* kParentAndChild = R"(
  CREATE TABLE parent (id int PRIMARY KEY);
  CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent);
  INSERT INTO parent SELECT generate_series(1, 10);
  INSERT INTO child SELECT i, i FROM generate_series(1, 10) i;)";

/// Writes rows that the key forbids, like somebody who has switched the triggers off.
std::string behind_its_back(const std::string& sql) {
  return "SET session_replication_role = replica; " + sql + "; RESET session_replication_role;";
}

Findings look_for_orphans(const Database& database, const std::string& more = {}) {
  return look(one_server(database.dsn(), more, "orphans"));
}

LabelSet labels(const std::string& table, const std::string& constraint) {
  return {{"schema", "public"}, {"table", table}, {"constraint", constraint}};
}

TEST(Orphans, FindsNoneInSoundData) {
  const Database db;
  db.run(kParentAndChild);
  const Findings found = look_for_orphans(db);
  EXPECT_EQ(found.value("pg_integrity_orphaned_rows", labels("child", "child_parent_id_fkey")), 0);
  EXPECT_EQ(found.state("orphans/public.child.child_parent_id_fkey"), State::proven);
}

TEST(Orphans, CountsRowsWrittenBehindAValidatedKey) {
  const Database db;
  db.run(kParentAndChild);
  db.run(behind_its_back("UPDATE child SET parent_id = parent_id + 100 WHERE id <= 3"));
  const Findings found = look_for_orphans(db);
  const LabelSet key = labels("child", "child_parent_id_fkey");
  EXPECT_EQ(found.value("pg_integrity_orphaned_rows", key), 3);
  EXPECT_EQ(found.value("pg_integrity_foreign_key_validated", key), 1);
  EXPECT_EQ(found.value("pg_integrity_foreign_key_enforced", key), 1);
  EXPECT_EQ(found.violated(), "orphans/public.child.child_parent_id_fkey");
}

/// Looks again with the memory of what was found before.
Findings look_again(const Database& database, const Findings& before) {
  return look(one_server(database.dsn(), {}, "orphans"), before.saved);
}

TEST(Orphans, AKeyThatIsDroppedIsCheckedUntilNoRowIsWrong) {
  const Database db;
  db.run(kParentAndChild);
  db.run(behind_its_back("UPDATE child SET parent_id = parent_id + 100 WHERE id <= 3"));
  const std::string object = "orphans/public.child.child_parent_id_fkey";
  const LabelSet key = labels("child", "child_parent_id_fkey");
  const Findings with_key = look_for_orphans(db);
  db.run("ALTER TABLE child DROP CONSTRAINT child_parent_id_fkey");
  const Findings without_key = look_again(db, with_key);
  EXPECT_EQ(without_key.value("pg_integrity_orphaned_rows", key), 3);
  EXPECT_EQ(without_key.violated(), object);
  EXPECT_EQ(without_key.value("pg_integrity_gone_objects"), 0);
  db.run("UPDATE child SET parent_id = NULL WHERE id = 1");
  const Findings fewer = look_again(db, without_key);
  EXPECT_EQ(fewer.value("pg_integrity_orphaned_rows", key), 2);
  db.run("UPDATE child SET parent_id = NULL WHERE parent_id > 100");
  const Findings repaired = look_again(db, fewer);
  EXPECT_EQ(repaired.state(object), State::proven);
  EXPECT_FALSE(look_again(db, repaired).has_object(object)) << "there is no such key";
}

TEST(Orphans, AKeyThatIsReplacedIsCheckedUntilNoRowIsWrong) {
  const Database db;
  db.run(R"sql(CREATE TABLE parent ("I d" int, "a""b, (c)" int,
      PRIMARY KEY ("I d", "a""b, (c)"));
    CREATE TABLE child (x int, "y, " int, z int,
      CONSTRAINT key FOREIGN KEY (x, "y, ") REFERENCES parent MATCH FULL);
    INSERT INTO parent VALUES (1, 1); INSERT INTO child VALUES (1, 1, 1))sql");
  db.run(behind_its_back("INSERT INTO child VALUES (7, 1, 1), (1, NULL, 1)"));
  const Findings before = look_for_orphans(db);
  EXPECT_EQ(before.value("pg_integrity_orphaned_rows", labels("child", "key")), 2);
  db.run(
      "ALTER TABLE child DROP CONSTRAINT key;"
      "ALTER TABLE child ADD CONSTRAINT key FOREIGN KEY (x, z) REFERENCES parent NOT VALID");
  const Findings after = look_again(db, before);
  EXPECT_EQ(after.value("pg_integrity_orphaned_rows", labels("child", "key")), 2) << "as before";
  const Findings later = look_again(db, after);
  EXPECT_EQ(later.value("pg_integrity_orphaned_rows", labels("child", "key")), 2);
  db.run(R"(UPDATE child SET "y, " = 1 WHERE "y, " IS NULL; DELETE FROM child WHERE x = 7)");
  EXPECT_EQ(look_again(db, later).state("orphans/public.child.key"), State::proven);
}

TEST(Orphans, OrphansWhoseTableIsDroppedAreGoneNotRepaired) {
  const Database db;
  db.run(kParentAndChild);
  db.run(behind_its_back("UPDATE child SET parent_id = parent_id + 100 WHERE id <= 3"));
  const Findings before = look_for_orphans(db);
  db.run("DROP TABLE child");
  const Findings after = look_again(db, before);
  EXPECT_EQ(after.violated(), "orphans/public.child.child_parent_id_fkey");
  EXPECT_EQ(after.value("pg_integrity_gone_objects"), 1);
  EXPECT_EQ(after.value("pg_integrity_orphaned_rows"), std::nullopt);
}

TEST(Orphans, SeesParentsThatWentByTruncate) {
  const Database db;
  db.run(kParentAndChild);
  db.run(
      "ALTER TABLE child DROP CONSTRAINT child_parent_id_fkey; DELETE FROM parent WHERE id > 4;"
      "ALTER TABLE child ADD CONSTRAINT later FOREIGN KEY (parent_id) REFERENCES parent NOT VALID");
  const Findings found = look_for_orphans(db);
  EXPECT_EQ(found.value("pg_integrity_orphaned_rows", labels("child", "later")), 6);
  EXPECT_EQ(found.value("pg_integrity_foreign_key_validated", labels("child", "later")), 0);
}

TEST(Orphans, NullRefersToNothingUnderMatchSimple) {
  const Database db;
  db.run(R"(CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b));
    CREATE TABLE child (a int, b int, CONSTRAINT key FOREIGN KEY (a, b) REFERENCES parent);
    INSERT INTO parent VALUES (1, 1);
    INSERT INTO child VALUES (1, 1), (NULL, 7), (7, NULL), (NULL, NULL);)");
  EXPECT_EQ(look_for_orphans(db).value("pg_integrity_orphaned_rows", labels("child", "key")), 0);
  db.run(behind_its_back("INSERT INTO child VALUES (1, 2)"));
  EXPECT_EQ(look_for_orphans(db).value("pg_integrity_orphaned_rows", labels("child", "key")), 1);
}

TEST(Orphans, HalfNullIsAnOrphanUnderMatchFull) {
  const Database db;
  db.run(R"(CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b));
    CREATE TABLE child (a int, b int, CONSTRAINT key FOREIGN KEY (a, b) REFERENCES parent MATCH FULL);
    INSERT INTO parent VALUES (1, 1); INSERT INTO child VALUES (1, 1), (NULL, NULL);)");
  db.run(behind_its_back("INSERT INTO child VALUES (NULL, 1), (5, 5)"));
  EXPECT_EQ(look_for_orphans(db).value("pg_integrity_orphaned_rows", labels("child", "key")), 2);
}

TEST(Orphans, FollowsKeysIntoTheSameTableAndOtherSchemas) {
  const Database db;
  db.run(R"(CREATE SCHEMA other;
    CREATE TABLE other.parent (id int PRIMARY KEY, up int REFERENCES other.parent);
    CREATE TABLE child (id int CONSTRAINT across REFERENCES other.parent);
    INSERT INTO other.parent VALUES (1, NULL), (2, 1); INSERT INTO child VALUES (1), (2);)");
  db.run(behind_its_back("DELETE FROM other.parent WHERE id = 1"));
  const Findings found = look_for_orphans(db);
  EXPECT_EQ(found.value("pg_integrity_orphaned_rows", labels("child", "across")), 1);
  EXPECT_EQ(found.value("pg_integrity_orphaned_rows", {{"schema", "other"}, {"table", "parent"}}),
            1);
  EXPECT_EQ(found.value("pg_integrity_foreign_key_info",
                        {{"constraint", "across"}, {"referenced_schema", "other"}}),
            1);
}

TEST(Orphans, APartitionedKeyIsOneKey) {
  const Database db;
  db.run(R"(CREATE TABLE parent (id int PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE TABLE parent_1 PARTITION OF parent FOR VALUES FROM (0) TO (100);
    CREATE TABLE parent_2 PARTITION OF parent FOR VALUES FROM (100) TO (200);
    CREATE TABLE child (id int CONSTRAINT key REFERENCES parent) PARTITION BY RANGE (id);
    CREATE TABLE child_1 PARTITION OF child FOR VALUES FROM (0) TO (100);
    CREATE TABLE child_2 PARTITION OF child FOR VALUES FROM (100) TO (200);
    INSERT INTO parent VALUES (1), (101); INSERT INTO child VALUES (1), (101);)");
  db.run(behind_its_back("DELETE FROM parent_2"));
  const Findings found = look_for_orphans(db);
  ASSERT_EQ(found.page.all("pg_integrity_orphaned_rows").size(), 1U);
  EXPECT_EQ(found.value("pg_integrity_orphaned_rows", labels("child", "key")), 1);
  EXPECT_EQ(found.value("pg_integrity_foreign_key_enforced", labels("child", "key")), 1);
}

TEST(Orphans, AKeyOfOnePartitionAloneIsLookedAtToo) {
  const Database db;
  db.run(R"(CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (id int) PARTITION BY RANGE (id);
    CREATE TABLE child_1 PARTITION OF child FOR VALUES FROM (0) TO (100);
    ALTER TABLE child_1 ADD CONSTRAINT own FOREIGN KEY (id) REFERENCES parent;)");
  db.run(behind_its_back("INSERT INTO child VALUES (5)"));
  EXPECT_EQ(look_for_orphans(db).value("pg_integrity_orphaned_rows", labels("child_1", "own")), 1);
}

TEST(Orphans, ADisabledTriggerOnEitherSideIsNotEnforced) {
  const Database db;
  db.run(kParentAndChild);
  const LabelSet key = labels("child", "child_parent_id_fkey");
  db.run("ALTER TABLE child DISABLE TRIGGER ALL");
  EXPECT_EQ(look_for_orphans(db).value("pg_integrity_foreign_key_enforced", key), 0);
  db.run("ALTER TABLE child ENABLE TRIGGER ALL; ALTER TABLE parent DISABLE TRIGGER ALL");
  Findings found = look_for_orphans(db);
  EXPECT_EQ(found.value("pg_integrity_foreign_key_enforced", key), 0);
  EXPECT_EQ(found.state("orphans/public.child.child_parent_id_fkey"), State::violated);
  db.run("ALTER TABLE parent ENABLE TRIGGER ALL");
  EXPECT_EQ(look_for_orphans(db).value("pg_integrity_foreign_key_enforced", key), 1);
}

TEST(Orphans, ATriggerDisabledOnOnePartitionIsNotEnforced) {
  const Database db;
  db.run(R"(CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (id int CONSTRAINT key REFERENCES parent) PARTITION BY RANGE (id);
    CREATE TABLE child_1 PARTITION OF child FOR VALUES FROM (0) TO (100);
    CREATE TABLE child_2 PARTITION OF child FOR VALUES FROM (100) TO (200);
    ALTER TABLE child_2 DISABLE TRIGGER ALL;)");
  EXPECT_EQ(look_for_orphans(db).value("pg_integrity_foreign_key_enforced", labels("child", "key")),
            0);
}

TEST(Orphans, ComparesAsTheKeyDoes) {
  const Database db;
  db.run(R"(CREATE EXTENSION citext;
    CREATE DOMAIN code AS varchar(8); CREATE TYPE colour AS ENUM ('red', 'green');
    CREATE TABLE wide (id bigint PRIMARY KEY); CREATE TABLE narrow (id smallint CONSTRAINT sizes REFERENCES wide);
    CREATE TABLE named (name citext PRIMARY KEY); CREATE TABLE called (name citext CONSTRAINT cases REFERENCES named);
    CREATE TABLE coded (id code PRIMARY KEY); CREATE TABLE codes (id text CONSTRAINT domains REFERENCES coded);
    CREATE TABLE coloured (c colour PRIMARY KEY); CREATE TABLE colours (c colour CONSTRAINT enums REFERENCES coloured);
    CREATE TABLE lists (l int[] PRIMARY KEY); CREATE TABLE listed (l int[] CONSTRAINT arrays REFERENCES lists);
    CREATE TABLE exact (n numeric PRIMARY KEY); CREATE TABLE rough (n int CONSTRAINT numbers REFERENCES exact);
    INSERT INTO wide VALUES (7); INSERT INTO narrow VALUES (7);
    INSERT INTO named VALUES ('ABC'); INSERT INTO called VALUES ('abc');
    INSERT INTO coded VALUES ('x'); INSERT INTO codes VALUES ('x');
    INSERT INTO coloured VALUES ('red'); INSERT INTO colours VALUES ('red');
    INSERT INTO lists VALUES ('{1,2}'); INSERT INTO listed VALUES ('{1,2}');
    INSERT INTO exact VALUES (1.0); INSERT INTO rough VALUES (1);)");
  Findings found = look_for_orphans(db);
  EXPECT_EQ(found.collector("orphans").objects.size(), 6U);
  for (const Series& series : found.page.all("pg_integrity_orphaned_rows"))
    EXPECT_EQ(series.value, 0) << series.labels.at("constraint");
  db.run(behind_its_back(
      "DELETE FROM wide; DELETE FROM named; DELETE FROM coded; DELETE FROM coloured;"
      "DELETE FROM lists; DELETE FROM exact"));
  found = look_for_orphans(db);
  for (const Series& series : found.page.all("pg_integrity_orphaned_rows"))
    EXPECT_EQ(series.value, 1) << series.labels.at("constraint");
}

TEST(Orphans, ComparesUnderTheParentsCollation) {
  const Database db;
  db.run(
      R"(CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE TABLE parent (name text COLLATE blind PRIMARY KEY);
    CREATE TABLE child (name text CONSTRAINT key REFERENCES parent);
    INSERT INTO parent VALUES ('ABC'); INSERT INTO child VALUES ('abc');)");
  EXPECT_EQ(look_for_orphans(db).value("pg_integrity_orphaned_rows", labels("child", "key")), 0);
}

TEST(Orphans, DoesNotCountRowsInFlight) {
  const Database db;
  db.run(
      "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int CONSTRAINT key "
      "REFERENCES parent DEFERRABLE INITIALLY DEFERRED)");
  Client writer(db.dsn());
  writer.run("BEGIN; INSERT INTO child VALUES (1)");
  EXPECT_EQ(look_for_orphans(db).value("pg_integrity_orphaned_rows", labels("child", "key")), 0);
  writer.run("INSERT INTO parent VALUES (1); COMMIT");
  EXPECT_EQ(look_for_orphans(db).value("pg_integrity_orphaned_rows", labels("child", "key")), 0);
}

TEST(Orphans, InheritanceChildrenDoNotCountTwice) {
  const Database db;
  db.run(R"(CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE heir () INHERITS (parent);
    CREATE TABLE child (id int CONSTRAINT key REFERENCES parent); CREATE TABLE child_heir () INHERITS (child);
    INSERT INTO heir VALUES (1);)");
  // The key reads the parent alone and binds the child alone, without their heirs. So does the
  // collector.
  db.run(behind_its_back("INSERT INTO child VALUES (1); INSERT INTO child_heir VALUES (99)"));
  EXPECT_EQ(look_for_orphans(db).value("pg_integrity_orphaned_rows", labels("child", "key")), 1);
}

TEST(Orphans, KnowsWhichKeysAnIndexServes) {
  const Database db;
  db.run(R"(CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b));
    CREATE TABLE bare (a int, b int, CONSTRAINT bare FOREIGN KEY (a, b) REFERENCES parent);
    CREATE TABLE served (a int, b int, c int, CONSTRAINT served FOREIGN KEY (a, b) REFERENCES parent);
    CREATE TABLE partial (a int, b int, CONSTRAINT partial FOREIGN KEY (a, b) REFERENCES parent);
    CREATE INDEX ON served (b, a, c); CREATE INDEX ON partial (a, b) WHERE a > 5;)");
  const Findings found = look_for_orphans(db);
  EXPECT_EQ(found.value("pg_integrity_foreign_key_indexed", {{"constraint", "bare"}}), 0);
  EXPECT_EQ(found.value("pg_integrity_foreign_key_indexed", {{"constraint", "served"}}), 1);
  EXPECT_EQ(found.value("pg_integrity_foreign_key_indexed", {{"constraint", "partial"}}), 0);
}

TEST(Orphans, ReadsHostileNames) {
  const Database db;
  const std::string name = "a\"b\\c\n{d}=é🐘,'e";
  db.run(R"(CREATE SCHEMA "x"".y"; CREATE TABLE "x"".y"."a""b\c
{d}=é🐘,'e" (id int PRIMARY KEY);
    CREATE TABLE child ("a""b\c
{d}=é🐘,'e" int, CONSTRAINT "a""b\c
{d}=é🐘,'e" FOREIGN KEY ("a""b\c
{d}=é🐘,'e") REFERENCES "x"".y"."a""b\c
{d}=é🐘,'e"); INSERT INTO child VALUES (NULL);)");
  const Findings found = look_for_orphans(db);
  EXPECT_EQ(found.value("pg_integrity_orphaned_rows", labels("child", name)), 0);
  EXPECT_EQ(found.value("pg_integrity_foreign_key_info",
                        {{"referenced_schema", "x\".y"}, {"referenced_table", name}}),
            1);
}

TEST(Orphans, CountsDeclaredReferences) {
  const Database db;
  db.run(
      R"(CREATE TABLE users (id bigint PRIMARY KEY, email varchar(50)); CREATE TABLE logs (user_id int, mail text);
    INSERT INTO users VALUES (1, 'a'), (2, 'b'); INSERT INTO logs VALUES (1, 'a'), (2, 'x'), (3, NULL), (NULL, NULL);)");
  const Findings found = look_for_orphans(db, R"(
[[server.collectors.orphans.references]]
name = "by id"
table = "logs"
columns = ["user_id"]
referenced_table = "users"
referenced_columns = ["id"]
[[server.collectors.orphans.references]]
name = "by mail"
table = "logs"
columns = ["mail"]
referenced_table = "users"
referenced_columns = ["email"]
)");
  EXPECT_EQ(found.value("pg_integrity_orphaned_rows", labels("logs", "by id")), 1);
  EXPECT_EQ(found.value("pg_integrity_orphaned_rows", labels("logs", "by mail")), 1);
  EXPECT_FALSE(found.value("pg_integrity_foreign_key_enforced", labels("logs", "by id")));
}

const std::string kComments = R"(
  CREATE TABLE posts (id int PRIMARY KEY); CREATE TABLE photos (id int PRIMARY KEY);
  CREATE TABLE comments (id int PRIMARY KEY, about_type text, about_id int);
  INSERT INTO posts VALUES (1); INSERT INTO photos VALUES (7);
  INSERT INTO comments VALUES (1, 'Post', 1), (2, 'Photo', 7), (3, 'Post', 99), (4, 'Photo', 8),
    (5, 'Post', 0), (6, NULL, 98), (7, 'Post', NULL);)";

/// A reference of comments to the table.
std::string about(const std::string& name, const std::string& referenced, const std::string& more) {
  return "[[server.collectors.orphans.references]]\nname = \"" + name +
         "\"\ntable = \"comments\"\ncolumns = [\"about_id\"]\nreferenced_table = \"" + referenced +
         "\"\nreferenced_columns = [\"id\"]\n" + more + "\n";
}

TEST(Orphans, AReferenceMayHaveACondition) {
  const Database db;
  db.run(kComments);
  const Findings found = look_for_orphans(
      db, about("all", "posts", "") +
              about("posts", "posts", "where = \"about_type = 'Post' AND about_id <> 0\"") +
              about("photos", "photos", "type_column = \"about_type\"\ntype_value = \"Photo\"") +
              about("both", "photos",
                    "type_column = \"about_type\"\ntype_value = \"Photo\"\nwhere = \"id < 4\""));
  EXPECT_EQ(found.value("pg_integrity_orphaned_rows", labels("comments", "all")), 5);
  EXPECT_EQ(found.value("pg_integrity_orphaned_rows", labels("comments", "posts")), 1);
  EXPECT_EQ(found.value("pg_integrity_orphaned_rows", labels("comments", "photos")), 1);
  EXPECT_EQ(found.value("pg_integrity_orphaned_rows", labels("comments", "both")), 0);
}

TEST(Orphans, AConditionThatNoRowHasEverMetProvesNothing) {
  const Database db;
  db.run(kComments);
  const std::string posts = about("posts", "posts", "where = \"about_type = 'post'\"");
  EXPECT_EQ(look_for_orphans(db, posts).reason("orphans/public.comments.posts"), Reason::missing);
  db.run("UPDATE comments SET about_type = 'post', about_id = 1 WHERE id = 3");
  const Findings met = look_for_orphans(db, posts);
  EXPECT_EQ(met.state("orphans/public.comments.posts"), State::proven);
  db.run("DELETE FROM comments WHERE id = 3");
  const Findings later = look(one_server(db.dsn(), posts, "orphans"), met.saved);
  EXPECT_EQ(later.state("orphans/public.comments.posts"), State::proven) << "it met a row before";
  db.run("DELETE FROM comments");
  EXPECT_EQ(look_for_orphans(db, posts).state("orphans/public.comments.posts"), State::proven);
}

TEST(Orphans, AConditionThatDoesNotFitTheTableIsUnproven) {
  const Database db;
  db.run(kComments);
  const Findings found =
      look_for_orphans(db, about("a", "posts", "where = \"nothing = 1\"") +
                               about("b", "posts", "where = \"about_id = 'x'\"") +
                               about("c", "posts", "where = \"ctid = '(0,1)'\""));
  EXPECT_EQ(found.reason("orphans/public.comments.a"), Reason::missing);
  EXPECT_EQ(found.reason("orphans/public.comments.b"), Reason::config);
  EXPECT_EQ(found.reason("orphans/public.comments.c"), Reason::missing);
}

TEST(Orphans, AConditionThatIsNotUnderstoodIsRefusedWithItsPlace) {
  const auto refused = [](const std::string& more) {
    try {
      options_from(one_server("host=/tmp", about("posts", "posts", more)));
    } catch (const std::exception& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(refused("where = \"f(about_id)\"").find("character 2: expected"), std::string::npos);
  EXPECT_NE(refused("type_column = \"about_type\"").find("only one of"), std::string::npos);
  EXPECT_EQ(refused("where = \"about_type = 'Post'\""), "");
}

TEST(Orphans, ADeclaredReferenceThatFitsNothingIsUnproven) {
  const Database db;
  db.run("CREATE TABLE users (id bigint PRIMARY KEY); CREATE TABLE logs (at date)");
  const auto reference = [](const std::string& name, const std::string& table,
                            const std::string& column) {
    return "[[server.collectors.orphans.references]]\nname = \"" + name + "\"\ntable = \"" + table +
           "\"\ncolumns = [\"" + column +
           "\"]\nreferenced_table = \"users\"\nreferenced_columns = [\"id\"]\n";
  };
  const Findings found =
      look_for_orphans(db, reference("a", "nowhere", "x") + reference("b", "logs", "nothing") +
                               reference("c", "logs", "at"));
  EXPECT_EQ(found.reason("orphans/public.nowhere.a"), Reason::missing);
  EXPECT_EQ(found.reason("orphans/public.logs.b"), Reason::config);
  EXPECT_EQ(found.reason("orphans/public.logs.c"), Reason::config);
  EXPECT_TRUE(found.page.all("pg_integrity_orphaned_rows").empty());
}

TEST(Orphans, WhatMayNotBeReadIsUnprovenNeverZero) {
  const Database db;
  db.run(kParentAndChild);
  db.run(
      "DROP ROLE IF EXISTS blind_one; CREATE ROLE blind_one LOGIN; GRANT SELECT ON parent TO "
      "blind_one");
  const Findings found = look(one_server(db.dsn("blind_one"), {}, "orphans"));
  EXPECT_EQ(found.reason("orphans/public.child.child_parent_id_fkey"), Reason::permission);
  EXPECT_FALSE(found.value("pg_integrity_orphaned_rows", labels("child", "child_parent_id_fkey")));
  // The facts of the catalog are still there.
  EXPECT_EQ(
      found.value("pg_integrity_foreign_key_enforced", labels("child", "child_parent_id_fkey")), 1);
}

TEST(Orphans, RowLevelSecurityIsUnprovenNeverZero) {
  const Database db;
  db.run(kParentAndChild);
  db.run(
      "DROP ROLE IF EXISTS filtered; CREATE ROLE filtered LOGIN; GRANT SELECT ON parent, child TO "
      "filtered;"
      "ALTER TABLE child ENABLE ROW LEVEL SECURITY; CREATE POLICY none ON child USING (false)");
  const Findings found = look(one_server(db.dsn("filtered"), {}, "orphans"));
  EXPECT_EQ(found.reason("orphans/public.child.child_parent_id_fkey"), Reason::policy);
}

TEST(Orphans, ALockedTableIsUnprovenAndTheOthersAreNot) {
  const Database db;
  db.run(kParentAndChild);
  db.run("CREATE TABLE other (id int CONSTRAINT other REFERENCES parent)");
  Client locker(db.dsn());
  locker.run("BEGIN; LOCK TABLE child IN ACCESS EXCLUSIVE MODE");
  const Findings found = look_for_orphans(db);
  EXPECT_EQ(found.reason("orphans/public.child.child_parent_id_fkey"), Reason::lock);
  EXPECT_EQ(found.state("orphans/public.other.other"), State::proven);
}

TEST(Orphans, ExcludedTablesAreCountedAsExcluded) {
  const Database db;
  db.run(kParentAndChild);
  const Findings found = look_for_orphans(db, "exclude = [\"public.ch*\"]");
  EXPECT_TRUE(found.page.all("pg_integrity_orphaned_rows").empty());
  EXPECT_EQ(found.value("pg_integrity_objects", {{"collector", "orphans"}, {"state", "excluded"}}),
            1);
}

TEST(Orphans, ADatabaseWithoutKeysIsNotApplicable) {
  const Database db;
  db.run("CREATE TABLE lonely (id int)");
  const Findings found = look_for_orphans(db);
  EXPECT_FALSE(found.collector("orphans").applicable);
  EXPECT_EQ(found.collector("orphans").state, State::observed);
}

/// A key of two types that only a cast makes comparable. An ordinary role owns the child's type and
/// made the cast. The cast's function lies, so a query that calls it finds no orphans.
class OrphansWithACast : public ::testing::Test {
 protected:
  OrphansWithACast() {
    db_.run(R"(DROP ROLE IF EXISTS casting; CREATE ROLE casting;
      GRANT CREATE ON SCHEMA public TO casting;
      CREATE TABLE parent (id text PRIMARY KEY); INSERT INTO parent VALUES ('a'), ('b');
      GRANT ALL ON parent TO casting;
      SET ROLE casting;
      CREATE TYPE tag AS ENUM ('a', 'b', 'c');
      CREATE FUNCTION as_text(tag) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN 'a'; END $$;
      CREATE CAST (tag AS text) WITH FUNCTION as_text(tag) AS IMPLICIT)");
  }
  ~OrphansWithACast() override { db_.run("DROP OWNED BY casting CASCADE; DROP ROLE casting"); }

  /// Runs a statement as the owner of the type.
  void as_owner(const std::string& sql) const { db_.run("SET ROLE casting; " + sql); }

  /// Runs the collector. Fails if it judged the key by the answer of the cast's function.
  void expect_unsafe() const {
    const Findings found = look_for_orphans(db_);
    EXPECT_FALSE(found.value("pg_integrity_orphaned_rows", labels("child", "key")));
    EXPECT_EQ(found.state("orphans/public.child.key"), State::limited);
    EXPECT_EQ(found.object("orphans/public.child.key").reason, Reason::unsafe);
    EXPECT_EQ(found.value("pg_integrity_foreign_key_enforced", labels("child", "key")), 1)
        << "what the catalog says is still there";
  }

  const Database db_;
};

TEST_F(OrphansWithACast, DoNotCallTheFunctionOfSomebodysCast) {
  as_owner("CREATE TABLE child (t tag CONSTRAINT key REFERENCES parent)");
  db_.run(behind_its_back("INSERT INTO child VALUES ('a'), ('c')"));
  expect_unsafe();
}

TEST_F(OrphansWithACast, DoNotCallItThroughADomainOverADomain) {
  as_owner(R"(CREATE DOMAIN inner_tag AS tag; CREATE DOMAIN outer_tag AS inner_tag;
    CREATE TABLE child (t outer_tag CONSTRAINT key REFERENCES parent))");
  db_.run(behind_its_back("INSERT INTO child VALUES ('a')"));
  expect_unsafe();
}

TEST_F(OrphansWithACast, DoNotCallItInASecondColumn) {
  as_owner("CREATE TABLE child (i text, t tag)");
  db_.run(
      "CREATE TABLE pairs (a text, b text, PRIMARY KEY (a, b)); INSERT INTO pairs VALUES ('a', "
      "'b');"
      "ALTER TABLE child ADD CONSTRAINT key FOREIGN KEY (i, t) REFERENCES pairs;" +
      behind_its_back("INSERT INTO child VALUES ('a', 'c')"));
  expect_unsafe();
}

TEST_F(OrphansWithACast, DoNotTrustAnExtensionThatAnybodyMayAddTo) {
  db_.run("GRANT CREATE ON DATABASE " + db_.name() + " TO casting");
  as_owner(R"(CREATE EXTENSION citext; ALTER EXTENSION citext ADD FUNCTION as_text(tag);
    CREATE TABLE child (t tag CONSTRAINT key REFERENCES parent))");
  db_.run(behind_its_back("INSERT INTO child VALUES ('a')"));
  expect_unsafe();
  as_owner("ALTER EXTENSION citext DROP FUNCTION as_text(tag)");
}

TEST_F(OrphansWithACast, DoNotCallItWhereTheOperatorTakesAnyEnum) {
  as_owner(R"(CREATE TABLE tags (t tag PRIMARY KEY); INSERT INTO tags VALUES ('a'))");
  db_.run("DROP CAST (tag AS text); CREATE TABLE child (t tag CONSTRAINT key REFERENCES tags);" +
          behind_its_back("INSERT INTO child VALUES ('a'), ('c')"));
  EXPECT_EQ(look_for_orphans(db_).value("pg_integrity_orphaned_rows", labels("child", "key")), 1)
      << "without the cast it is a key as any other";
  as_owner("CREATE CAST (tag AS text) WITH FUNCTION as_text(tag) AS IMPLICIT");
  const Findings found = look_for_orphans(db_);
  EXPECT_NE(found.state("orphans/public.child.key"), State::proven);
  EXPECT_EQ(found.reason("orphans/public.child.key"), Reason::config) << "ambiguous";
}

TEST_F(OrphansWithACast, CallThatOfASuperuser) {
  as_owner("CREATE TABLE child (t tag CONSTRAINT key REFERENCES parent)");
  db_.run("ALTER FUNCTION as_text(tag) OWNER TO postgres;" +
          behind_its_back("INSERT INTO child VALUES ('a'), ('c')"));
  db_.run(
      "CREATE OR REPLACE FUNCTION as_text(tag) RETURNS text LANGUAGE sql AS 'SELECT "
      "enum_out($1)::text'");
  EXPECT_EQ(look_for_orphans(db_).value("pg_integrity_orphaned_rows", labels("child", "key")), 1);
}

TEST(Orphans, TypesThatPostgresqlItselfCastsAreCompared) {
  const Database db;
  db.run(R"(CREATE DOMAIN short AS varchar(5); CREATE DOMAIN shorter AS short;
    CREATE TABLE texts (id text PRIMARY KEY); CREATE TABLE numbers (id numeric PRIMARY KEY);
    CREATE TABLE ids (id bigint PRIMARY KEY);
    CREATE TABLE child (s shorter CONSTRAINT s REFERENCES texts, v varchar CONSTRAINT v REFERENCES texts,
      n int CONSTRAINT n REFERENCES numbers, i smallint CONSTRAINT i REFERENCES ids);)" +
         behind_its_back("INSERT INTO child VALUES ('x', 'y', 1, 1)"));
  const Findings found = look_for_orphans(db);
  for (const char* key : {"s", "v", "n", "i"})
    EXPECT_EQ(found.value("pg_integrity_orphaned_rows", labels("child", key)), 1) << key;
}

}  // namespace
}  // namespace pg_integrity::test::orphans_test
