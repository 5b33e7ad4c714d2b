#include <gtest/gtest.h>

#include "collectors/base/errors.h"
#include "collectors/recovery/backup_metrics.h"
#include "exporter/evidence/verdict.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"

namespace pg_integrity::test::media_test {
namespace {

std::string column(const std::string& name, const std::string& rest) {
  return "[[server.collectors.media.columns]]\ntable = \"users\"\ncolumn = \"" + name + "\"\n" +
         rest + "\n";
}

const std::string kUrl = "must_be = \"url\"";
const std::string kNull = "must_be = \"null\"";
const std::string kSize = "bytes = true";

Findings look_at(const Database& database, const std::string& more,
                 const std::string& user = "postgres") {
  return look(one_server(database.dsn(user), more, "media"));
}

std::string object(const std::string& name) {
  return "media/public.users." + name;
}

std::optional<double> unexpected(const Findings& found, const std::string& name) {
  return found.value("pg_integrity_media_unexpected_rows",
                     {{"schema", "public"}, {"table", "users"}, {"column", name}});
}

std::optional<double> bytes(const Findings& found, const std::string& name) {
  return found.value("pg_integrity_media_bytes",
                     {{"schema", "public"}, {"table", "users"}, {"column", name}});
}

TEST(Media, UrlsAndNothingAreAsTheyMustBe) {
  const Database db;
  db.run(R"(CREATE TABLE users (avatar text, icon varchar(200), blob bytea);
    INSERT INTO users VALUES
      ('https://cdn.example/a.png', 'HTTP://cdn.example', NULL),
      ('http://user@cdn.example:8080/a%20b/ü?size=1&x=(2)#top', 'https://[::1]/a', NULL),
      (NULL, 'http://localhost', NULL))");
  const Findings found =
      look_at(db, column("avatar", kUrl) + column("icon", kUrl) + column("blob", kNull));
  EXPECT_EQ(found.violated(), "");
  for (const char* name : {"avatar", "icon", "blob"}) {
    EXPECT_EQ(found.state(object(name)), State::proven) << name;
    EXPECT_EQ(unexpected(found, name), 0) << name;
    EXPECT_FALSE(bytes(found, name)) << "only where it is asked for";
  }
}

TEST(Media, WhatIsNoUrlIsAViolationOfItsColumnAlone) {
  const Database db;
  db.run(R"(CREATE TABLE users (avatar text, icon text);
    INSERT INTO users VALUES (''), ('avatar.png'), ('C:\Users\me\a.png'), ('//cdn.example/a.png'),
      ('data:image/png;base64,iVBORw0KGgo='), ('javascript:alert(1)'), ('ftp://cdn.example/a.png'),
      ('https://'), ('https:///a.png'), ('https:cdn.example'), (' https://cdn.example/a.png'),
      ('https://cdn.example/a b'), (E'https://cdn.example/a\nhttps://cdn.example/b'),
      ('https://cdn.example/"><script>'), ('https://cdn.example/' || repeat('x', 9000)),
      ('https://cdn.example/good'), (NULL))");
  const Findings found = look_at(db, column("avatar", kUrl) + column("icon", kUrl));
  EXPECT_EQ(found.violated(), object("avatar"));
  EXPECT_EQ(unexpected(found, "avatar"), 15);
  EXPECT_EQ(unexpected(found, "icon"), 0);
}

TEST(Media, EachValueIsJudgedByItself) {
  const Database db;
  db.run("CREATE TABLE users (avatar text)");
  for (const char* bad : {"''", "'avatar.png'", "'//cdn.example/a.png'", "'javascript:alert(1)'",
                          "'https://'", "'https:///a.png'", "' https://cdn.example'",
                          "E'https://cdn.example\\n'", "'https://cdn.example/<b>'"}) {
    db.run(std::string("TRUNCATE users; INSERT INTO users VALUES (") + bad + ")");
    EXPECT_EQ(unexpected(look_at(db, column("avatar", kUrl)), "avatar"), 1) << bad;
  }
}

TEST(Media, OtherSchemesAreThoseThatAreConfigured) {
  const Database db;
  db.run(R"(CREATE TABLE users (avatar text, icon text);
    INSERT INTO users VALUES ('s3://bucket/a.png', 'https://cdn.example'),
      ('git+ssh:host/a', 'https://cdn.example'), ('https://cdn.example', 's3://bucket/a.png'))");
  const Findings found = look_at(db, column("avatar", kUrl + "\nschemes = [\"s3\", \"git+ssh\"]") +
                                         column("icon", kUrl + "\nschemes = [\"https\", \"s3\"]"));
  EXPECT_EQ(unexpected(found, "avatar"), 1) << "https is no longer among them";
  EXPECT_EQ(unexpected(found, "icon"), 0);
}

TEST(Media, ABlobWhereNoneMayBeIsAViolation) {
  const Database db;
  db.run(R"(CREATE TABLE users (blob bytea, avatar text);
    INSERT INTO users VALUES ('\x00', 'https://cdn.example'), ('', NULL), (NULL, NULL))");
  const Findings found = look_at(db, column("blob", kNull) + column("avatar", kUrl));
  EXPECT_EQ(found.violated(), object("blob"));
  EXPECT_EQ(unexpected(found, "blob"), 2) << "an empty value is one";
}

TEST(Media, SizesAddUpUncompressedAndAreNotJudged) {
  const Database db;
  db.run(R"(CREATE TABLE users (blob bytea, note text, large oid);
    INSERT INTO users VALUES (decode(repeat('00', 100000), 'hex'), 'ü', lo_from_bytea(0, '\x010203')),
      ('\x0102', NULL, NULL), (NULL, 'abc', lo_from_bytea(0, decode(repeat('00', 5000), 'hex'))))");
  db.run("SELECT lo_from_bytea(0, '\\xffff')");  // no row refers to it
  const Findings found =
      look_at(db, column("blob", kSize) + column("note", kSize) + column("large", kSize));
  EXPECT_EQ(bytes(found, "blob"), 100002);
  EXPECT_EQ(bytes(found, "note"), 5);
  EXPECT_EQ(bytes(found, "large"), 5003);
  EXPECT_EQ(found.state(object("blob")), State::observed);
  EXPECT_FALSE(unexpected(found, "blob"));
}

TEST(Media, AnEmptyTableHoldsNothingUnexpected) {
  const Database db;
  db.run("CREATE TABLE users (avatar text, blob bytea)");
  const Findings found = look_at(db, column("avatar", kUrl) + column("blob", kNull + "\n" + kSize));
  EXPECT_EQ(found.state(object("avatar")), State::proven);
  EXPECT_EQ(unexpected(found, "blob"), 0);
  EXPECT_EQ(bytes(found, "blob"), 0);
}

TEST(Media, PartitionsAndStrangeNamesAreReadToo) {
  const Database db;
  db.run(R"(CREATE TABLE "we""ird" (id int, "Ava""tar" text) PARTITION BY RANGE (id);
    CREATE TABLE part PARTITION OF "we""ird" FOR VALUES FROM (0) TO (10);
    INSERT INTO "we""ird" VALUES (1, 'no URL'))");
  const Findings found = look_at(
      db, "[[server.collectors.media.columns]]\ntable = 'we\"ird'\ncolumn = 'Ava\"tar'\n" + kUrl);
  EXPECT_EQ(found.violated(), "media/public.we\"ird.Ava\"tar");
}

TEST(Media, AnIndexThatLiesIsNotBelieved) {
  const Database db;
  db.run(R"(CREATE TABLE users (avatar text); INSERT INTO users
      SELECT 'https://cdn.example/' || i FROM generate_series(1, 1000) i;
    CREATE INDEX lies ON users (avatar);
    UPDATE pg_index SET indisready = false WHERE indexrelid = 'lies'::regclass;
    INSERT INTO users VALUES ('no URL');
    UPDATE pg_index SET indisready = true WHERE indexrelid = 'lies'::regclass)");
  db.run("VACUUM ANALYZE users");
  EXPECT_EQ(unexpected(look_at(db, column("avatar", kUrl)), "avatar"), 1);
}

TEST(Media, TypesThatAreNotBuiltInAreUnproven) {
  const Database db;
  db.run(R"(CREATE DOMAIN url AS text; CREATE TYPE kind AS ENUM ('a'); CREATE TYPE pair AS (a int);
    CREATE TABLE users (avatar url, icon kind, blob pair, list url[]);
    INSERT INTO users VALUES ('x', 'a', ROW(NULL)))");
  const Findings found = look_at(db, column("avatar", kUrl) + column("icon", kNull) +
                                         column("blob", kNull) + column("list", kNull));
  for (const char* name : {"avatar", "icon", "blob", "list"}) {
    EXPECT_EQ(found.reason(object(name)), Reason::unsafe) << name;
    EXPECT_FALSE(unexpected(found, name)) << name;
  }
}

TEST(Media, AColumnThatDoesNotFitTheQuestionIsUnproven) {
  const Database db;
  db.run("CREATE TABLE users (avatar bytea, icon int, plain int)");
  const Findings found =
      look_at(db, column("avatar", kUrl) + column("icon", kSize) + column("plain", kNull));
  EXPECT_EQ(found.reason(object("avatar")), Reason::config);
  EXPECT_EQ(found.reason(object("icon")), Reason::config);
  EXPECT_FALSE(bytes(found, "icon"));
  EXPECT_EQ(found.state(object("plain")), State::proven);
}

TEST(Media, WhatIsNotThereIsUnproven) {
  const Database db;
  db.run("CREATE TABLE users (avatar text)");
  const Findings found = look_at(
      db, column("gone", kUrl) +
              "[[server.collectors.media.columns]]\ntable = \"nobody\"\ncolumn = \"x\"\n" + kNull);
  EXPECT_EQ(found.reason(object("gone")), Reason::missing);
  EXPECT_EQ(found.reason("media/public.nobody.x"), Reason::missing);
}

TEST(Media, WhoMayNotReadProvesNothing) {
  const Database db;
  db.run(R"(CREATE TABLE users (avatar text, icon text, large oid);
    DROP ROLE IF EXISTS media_reader; CREATE ROLE media_reader LOGIN;
    GRANT SELECT (icon, large) ON users TO media_reader)");
  const Findings found = look_at(
      db, column("avatar", kUrl) + column("icon", kUrl) + column("large", kSize), "media_reader");
  EXPECT_EQ(found.reason(object("avatar")), Reason::permission);
  EXPECT_FALSE(unexpected(found, "avatar"));
  EXPECT_EQ(found.state(object("icon")), State::proven) << "the right to the column is enough";
  EXPECT_EQ(found.reason(object("large")), Reason::permission) << "large objects are the server's";
  EXPECT_FALSE(bytes(found, "large"));
  db.run("DROP OWNED BY media_reader; DROP ROLE media_reader");
}

TEST(Media, ASizeThatIsNotToBeHadHidesNoViolation) {
  const Database db;
  db.run(R"(CREATE TABLE users (large oid); INSERT INTO users VALUES (lo_from_bytea(0, '\x01'));
    DROP ROLE IF EXISTS media_reader; CREATE ROLE media_reader LOGIN;
    GRANT SELECT ON users TO media_reader)");
  const Findings found = look_at(db, column("large", kNull + "\n" + kSize), "media_reader");
  EXPECT_EQ(found.violated(), object("large"));
  EXPECT_EQ(unexpected(found, "large"), 1);
  EXPECT_FALSE(bytes(found, "large"));
  db.run("UPDATE users SET large = NULL");
  EXPECT_EQ(
      look_at(db, column("large", kNull + "\n" + kSize), "media_reader").reason(object("large")),
      Reason::permission);
  db.run("DROP OWNED BY media_reader; DROP ROLE media_reader");
}

TEST(Media, RowsThatAPolicyHidesAreNotTakenForNone) {
  const Database db;
  db.run(R"(CREATE TABLE users (avatar text); INSERT INTO users VALUES ('no URL');
    DROP ROLE IF EXISTS media_reader; CREATE ROLE media_reader LOGIN;
    GRANT SELECT ON users TO media_reader; ALTER TABLE users ENABLE ROW LEVEL SECURITY)");
  const Findings found = look_at(db, column("avatar", kUrl), "media_reader");
  EXPECT_EQ(found.reason(object("avatar")), Reason::policy);
  EXPECT_FALSE(unexpected(found, "avatar"));
  db.run("DROP OWNED BY media_reader; DROP ROLE media_reader");
}

TEST(Media, WhatIsAboveTheSizeGateIsUnproven) {
  const Database db;
  db.run(R"(CREATE TABLE users (avatar text, large oid);
    INSERT INTO users SELECT 'no URL' FROM generate_series(1, 1000))");
  const std::string gate = "[server.collectors.media]\nexact_up_to = \"10kB\"\n";
  EXPECT_EQ(look_at(db, gate + column("avatar", kUrl)).reason(object("avatar")), Reason::too_large);
  db.run(
      "TRUNCATE users; SELECT lo_from_bytea(0, string_agg(sha256(i::text::bytea), '')) FROM"
      " generate_series(1, 3000) i");
  EXPECT_EQ(look_at(db, gate + column("large", kSize)).reason(object("large")), Reason::too_large);
}

}  // namespace
}  // namespace pg_integrity::test::media_test
