#include "exporter/postgres/server_errors.h"
#include "collectors/base/errors.h"

#include <gtest/gtest.h>

namespace pg_integrity::test::server_errors_test {
namespace {

Reason reason_of(const std::string& sqlstate) {
  return server_error(sqlstate, "ERROR:  x").reason();
}

TEST(ServerErrors, EverySqlstateHasAReason) {
  EXPECT_EQ(reason_of("42501"), Reason::permission);
  EXPECT_EQ(reason_of("55P03"), Reason::lock);
  EXPECT_EQ(reason_of("57014"), Reason::timeout);
  EXPECT_EQ(reason_of("42P01"), Reason::missing);
  EXPECT_EQ(reason_of("3D000"), Reason::missing);
  EXPECT_EQ(reason_of("42601"), Reason::config);
  EXPECT_EQ(reason_of("25006"), Reason::config);
  EXPECT_EQ(reason_of("40001"), Reason::conflict);
  EXPECT_EQ(reason_of("28P01"), Reason::auth);
  EXPECT_EQ(reason_of("53300"), Reason::connect);
  EXPECT_EQ(reason_of("22P02"), Reason::decode);
  EXPECT_EQ(reason_of("XX001"), Reason::server);
  EXPECT_EQ(reason_of(""), Reason::server);
}

TEST(ServerErrors, OnlyAShutdownTakesTheSessionAlong) {
  EXPECT_TRUE(server_error("57P01", "FATAL:  terminating").session_lost());
  EXPECT_FALSE(server_error("57014", "ERROR:  canceling").session_lost());
  EXPECT_FALSE(server_error("42P01", "ERROR:  relation").session_lost());
}

TEST(ServerErrors, CorruptDataAndIndexesAreDamage) {
  for (const char* state : {"XX001", "XX002"})
    EXPECT_TRUE(server_error(state, "ERROR:  invalid page").damage()) << state;
  for (const char* state : {"XX000", "42P01", "58030"})
    EXPECT_FALSE(server_error(state, "ERROR:  x").damage()) << state;
}

TEST(ServerErrors, AMessageThatMayHoldRowValuesIsNotRepeated) {
  EXPECT_STREQ(server_error("22P02", "ERROR:  invalid input: \"secret\"").what(),
               "the server reported an error (SQLSTATE 22P02)");
  EXPECT_STREQ(server_error("P0001", "ERROR:  secret").what(),
               "the server reported an error (SQLSTATE P0001)");
  EXPECT_STREQ(
      server_error("42P01", "ERROR:  relation \"x\" does not exist\nLINE 1: secret").what(),
      "relation \"x\" does not exist (SQLSTATE 42P01)");
}

TEST(ServerErrors, TheFirstLineIsWithoutItsSeverity) {
  EXPECT_EQ(first_line("ERROR:  it failed\nDETAIL:  more"), "it failed");
  EXPECT_EQ(first_line("FATAL: it failed"), "it failed");
  EXPECT_EQ(first_line("it failed"), "it failed");
  EXPECT_EQ(first_line(""), "");
  EXPECT_EQ(first_line("ERROR:  "), "");
}

TEST(ServerErrors, ARefusalSaysWhy) {
  EXPECT_EQ(reason_of_refusal("FATAL:  password authentication failed for user \"x\""),
            Reason::auth);
  EXPECT_EQ(reason_of_refusal("FATAL:  no pg_hba.conf entry for host"), Reason::auth);
  EXPECT_EQ(reason_of_refusal("FATAL:  too many connections for role \"x\""), Reason::connect)
      << "that the role is named does not make it its fault";
  EXPECT_EQ(reason_of_refusal("server does not support SSL, but SSL was required"), Reason::tls);
  EXPECT_EQ(reason_of_refusal("FATAL:  database \"x\" does not exist"), Reason::missing);
  EXPECT_EQ(reason_of_refusal("timeout expired"), Reason::timeout);
  EXPECT_EQ(reason_of_refusal("Connection refused"), Reason::connect);
}

}  // namespace
}  // namespace pg_integrity::test::server_errors_test
