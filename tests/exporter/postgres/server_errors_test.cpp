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

TEST(ServerErrors, AMessageIsReadInAnyLanguage) {
  const auto parts = [](const std::string& message) {
    const ServerMessage read = read_message(message);
    return std::pair(read.sqlstate, read.text);
  };
  const auto read = [](const char* sqlstate, const char* text) {
    return std::pair<std::string, std::string>(sqlstate, text);
  };
  EXPECT_EQ(parts("ERROR:  42P01: it failed\nDETAIL:  more"), read("42P01", "it failed"));
  EXPECT_EQ(parts("FEHLER:  42P01: Relation »x« existiert nicht\nZEILE 1: y"),
            read("42P01", "Relation »x« existiert nicht"));
  EXPECT_EQ(parts("ОШИБКА:  42501: нет доступа"), read("42501", "нет доступа"));
  EXPECT_EQ(parts("ERROR:  it failed:  42P01: no"), read("", "it failed:  42P01: no"))
      << "a part of the text";
  EXPECT_EQ(parts("ERROR:  42p01: it failed"), read("", "42p01: it failed"));
  EXPECT_EQ(parts("FATAL: it failed"), read("", "it failed"));
  EXPECT_EQ(parts("it failed"), read("", "it failed"));
  EXPECT_EQ(parts(""), read("", ""));
  EXPECT_EQ(parts("ERROR:  "), read("", ""));
}

TEST(ServerErrors, TheLastAnswerOfAServerTellsMost) {
  const ServerMessage both = read_connection_message(
      "connection to server at \"localhost\" (::1), port 1 failed: Connection refused\n"
      "\tIs the server running on that host and accepting TCP/IP connections?\n"
      "connection to server at \"localhost\" (127.0.0.1), port 1 failed: FATAL:  28P01: "
      "Passwort-Authentifizierung für Benutzer »x« fehlgeschlagen\nLOCATION:  auth_failed, "
      "auth.c:1\n");
  EXPECT_EQ(both.sqlstate, "28P01");
  EXPECT_EQ(both.text,
            "connection to server at \"localhost\" (127.0.0.1), port 1 failed: FATAL:  "
            "Passwort-Authentifizierung für Benutzer »x« fehlgeschlagen");
  const ServerMessage none = read_connection_message(
      "connection to server at \"a\" (::1), port 1 failed: Connection refused\n"
      "\tIs the server running on that host and accepting TCP/IP connections?\n"
      "connection to server at \"a\" (127.0.0.1), port 1 failed: session is read-only\n");
  EXPECT_EQ(none.sqlstate, "");
  EXPECT_EQ(none.text,
            "connection to server at \"a\" (127.0.0.1), port 1 failed: session is read-only");
  EXPECT_EQ(read_connection_message("invalid sslmode value: \"x\"\n").text,
            "invalid sslmode value: \"x\"");
}

TEST(ServerErrors, ARefusedLoginHasTheReasonOfItsSqlstate) {
  const auto reason = [](const char* state) { return login_error(state, "x").reason(); };
  EXPECT_EQ(reason("28P01"), Reason::auth);
  EXPECT_EQ(reason("28000"), Reason::auth);
  EXPECT_EQ(reason("3D000"), Reason::missing);
  EXPECT_EQ(reason("42501"), Reason::permission);
  EXPECT_EQ(reason("42704"), Reason::config) << "an unknown setting in the connection string";
  EXPECT_EQ(reason("53300"), Reason::connect);
  EXPECT_EQ(reason("57P03"), Reason::connect);
  EXPECT_EQ(reason("55000"), Reason::server) << "a database that accepts no connections";
  EXPECT_TRUE(login_error("3D000", "x").session_lost());
  const std::string denied = login_error("42501", "FATAL:  permission denied").what();
  EXPECT_NE(denied.find("FATAL:  permission denied (SQLSTATE 42501). HINT: "), std::string::npos);
  EXPECT_NE(denied.find("`pg_integrity_exporter grants`"), std::string::npos);
  EXPECT_EQ(std::string(login_error("P0001", "secret").what()).find("secret"), std::string::npos)
      << "from a login trigger";
}

TEST(ServerErrors, StatementPoolingIsNamed) {
  const SourceError error = server_error(
      "08P01", "FATAL:  08P01: transaction blocks not allowed in statement pooling mode\n");
  EXPECT_EQ(error.reason(), Reason::config);
  EXPECT_TRUE(error.session_lost());
  EXPECT_NE(std::string(error.what()).find("statement pooling mode"), std::string::npos);
  EXPECT_EQ(server_error("08P01", "FATAL:  08P01: query_wait_timeout").reason(), Reason::connect);
}

}  // namespace
}  // namespace pg_integrity::test::server_errors_test
