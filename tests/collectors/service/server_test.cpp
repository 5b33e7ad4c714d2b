#include <gtest/gtest.h>

#include "tests/support/cluster.h"
#include "tests/support/observer.h"

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

TEST(Server, AloneItProvesNothing) {
  const Database db;
  const Findings found = look(one_server(db.dsn(), {}, "server"));
  EXPECT_EQ(found.value("pg_integrity_verdict", {{"question", "intact"}, {"state", "unproven"}}),
            1);
  EXPECT_EQ(found.value("pg_integrity_verdict", {{"question", "intact"}, {"state", "proven"}}), 0);
}

}  // namespace
}  // namespace pg_integrity::test::server_test
