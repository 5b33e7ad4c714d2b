#include <gtest/gtest.h>

#include "tests/support/cluster.h"
#include "tests/support/observer.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::server_test {
namespace {

TEST(Server, SaysWhatItIs) {
  const Database db;
  const Findings found = look(one_server(db.dsn(), {}, "server"));
  const std::string identifier = db.ask("SELECT system_identifier FROM pg_control_system()");
  const std::string version = db.ask("SHOW server_version");
  EXPECT_EQ(
      found.value("pg_integrity_server_info", {{"server", "test"},
                                               {"role", "primary"},
                                               {"version", version.substr(0, version.find(' '))},
                                               {"system_identifier", identifier}}),
      1);
  EXPECT_NEAR(found.value("pg_integrity_clock_offset_seconds").value(), 0, 1)
      << "it is the same machine";
  EXPECT_TRUE(found.page.all("pg_integrity_server_info", {{"database", db.name()}}).empty())
      << "what is about the whole server carries no database";
}

TEST(Server, SaysThatItIsWrittenToUnlessItIsACopy) {
  const Database db;
  const auto writable = [&](const std::string& more) {
    return look(one_server(db.dsn(), more, "server"))
        .value("pg_integrity_server_writable",
               {{"system_identifier", db.ask("SELECT system_identifier FROM pg_control_system()")},
                {"timeline", "1"}});
  };
  EXPECT_EQ(writable(""), 1);
  EXPECT_FALSE(writable("[server.collectors.server]\ncopy = true\n").has_value());
}

TEST(Server, AloneItProvesNothing) {
  const Database db;
  const Findings found = look(one_server(db.dsn(), {}, "server"));
  EXPECT_EQ(found.value("pg_integrity_verdict", {{"question", "intact"}, {"state", "unproven"}}),
            1);
  EXPECT_EQ(found.value("pg_integrity_verdict", {{"question", "intact"}, {"state", "proven"}}), 0);
}

TEST(Server, SettingsThatTakeBackPromisesAreFindings) {
  const std::map<std::string, std::string> unsafe{{"full_page_writes", "off"}};
  Cluster cluster(unsafe);
  const Database db(cluster);
  db.run(
      R"(CREATE ROLE salvager; CREATE ROLE healthy; ALTER ROLE salvager SET zero_damaged_pages = 't';
    ALTER ROLE healthy SET ignore_checksum_failure = 'no'; ALTER ROLE healthy SET work_mem = '1MB')");
  db.run("ALTER ROLE salvager IN DATABASE " + db.name() + " SET allow_system_table_mods = 1");
  Findings found = look(one_server(db.dsn(), {}, "server"));
  EXPECT_EQ(found.violated(),
            "server/allow_system_table_mods server/full_page_writes server/zero_damaged_pages");
  EXPECT_EQ(found.page.all("pg_integrity_unsafe_setting").size(), 3U) << "safe ones have no series";
  EXPECT_EQ(found.object("server/full_page_writes").lines.at(0), "full_page_writes is off");
  EXPECT_EQ(found.object("server/zero_damaged_pages").lines.at(0),
            "zero_damaged_pages is on for the role salvager");
  EXPECT_EQ(found.object("server/allow_system_table_mods").lines.at(0),
            "allow_system_table_mods is on for the role salvager in the database " + db.name());
  db.run("DROP OWNED BY salvager; DROP ROLE salvager");
  db.run("ALTER SYSTEM SET full_page_writes = on");
  db.run("SELECT pg_reload_conf()");
  ASSERT_TRUE(eventually([&] { return db.ask("SHOW full_page_writes") == "on"; }));
  found = look(one_server(db.dsn(), {}, "server"), found.saved);
  EXPECT_EQ(found.violated(), "");
  EXPECT_EQ(found.value("pg_integrity_unsafe_setting", {{"setting", "full_page_writes"}}), 0);
}

}  // namespace
}  // namespace pg_integrity::test::server_test
