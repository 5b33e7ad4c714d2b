#include "exporter/report/filled_command.h"

#include <gtest/gtest.h>

#include <array>

#include "collectors/base/qualified_name.h"
#include "exporter/report/first_command.h"
#include "tests/support/process.h"

namespace pg_integrity::test::filled_command_test {
namespace {

constexpr std::array kHostile{"orders",
                              "Order lines",
                              "a\"b; c",
                              "o'rders",
                              "$(touch /tmp/owned)",
                              "`id`",
                              "$HOME",
                              "${HOME}",
                              "back\\slash",
                              "\\\"",
                              "\\",
                              "'; rm -rf /; '",
                              "\"; DROP--",
                              "a!b",
                              "!!",
                              "*",
                              "~",
                              "<x>|&",
                              "SQL",
                              "%s",
                              "'\"'\"",
                              "na\xc3\xafve"};

/// What bash makes of the command, with psql saying what it was given.
std::string said(const std::string& command) {
  return run({"bash", "-c",
              "psql() { for word; do printf '[%s]' \"$word\"; done; if [ $# = 0 ]; then cat; fi; "
              "}\n"
              "unset TABLE SCHEMA\n" +
                  command})
      .out;
}

TEST(FilledCommand, QuotesForTheShell) {
  for (const std::string name : kHostile) {
    EXPECT_EQ(said(filled_command("printf '%s' \"$TABLE\" $TABLE '$TABLE'", {{"TABLE", name}})),
              name + name + "$TABLE");
    EXPECT_EQ(said(filled_command("printf '%s' \"of $TABLE/x\"", {{"TABLE", name}})),
              "of " + name + "/x");
  }
}

TEST(FilledCommand, QuotesForSqlInADocument) {
  constexpr const char* kCommand =
      "psql <<SQL\nSELECT \"$TABLE\", '$TABLE', 'it''s', '\"$TABLE\"'::regclass, $TABLE;\nSQL\n"
      "printf '%s' \"$TABLE\"";
  for (const std::string name : kHostile) {
    const std::string identifier = sql_identifier(name);
    const auto literal = [](const std::string& text) {
      std::string out = "'";
      for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
      return out + "'";
    };
    EXPECT_EQ(said(filled_command(kCommand, {{"TABLE", name}})),
              "SELECT " + identifier + ", " + literal(name) + ", 'it''s', " + literal(identifier) +
                  "::regclass, " + name + ";\n" + name);
  }
}

TEST(FilledCommand, QuotesForSqlInAnArgument) {
  for (const std::string name : kHostile)
    EXPECT_EQ(said(filled_command("psql -c \"SELECT * FROM \\\"$TABLE\\\"\" -d \"$TABLE\"",
                                  {{"TABLE", name}})),
              "[-c][SELECT * FROM " + sql_identifier(name) + "][-d][" + name + "]");
}

TEST(FilledCommand, LeavesToTheReaderWhatItDoesNotKnow) {
  EXPECT_EQ(filled_command("ls \"$BACKUP\" $one $", {{"BACKUPS", "x"}}), "ls \"$BACKUP\" $one $");
  EXPECT_EQ(filled_command("ls \"$BACKUP\"", {{"BACKUP", "a\nb"}}), "ls \"$BACKUP\"");
}

class FirstCommand : public ::testing::Test {
 protected:
  FirstCommand() {
    server.name = "shop";
    server.home_database = "shop";
    server.host = "db.example";
    BackupSource nightly;
    nightly.name = "nightly";
    nightly.directory = ArchiveDirectory{};
    nightly.directory->path = "/srv/my backups";
    server.backups = {nightly};
    server.replica_connections = {
        {"north", "shop", {"password=s3cret", ""}, "host='north.example'"}};
  }

  std::string command(std::string_view text, const std::map<std::string, std::string>& labels,
                      const std::string& database = "") const {
    return first_command({"m", "", "R", {text, "echo $DRILLS", "echo $SERVER"}}, server,
                         {{}, "/etc/it.toml", {}}, {database, labels});
  }

  ServerOptions server;
};

TEST_F(FirstCommand, SaysWhereTheServerIs) {
  EXPECT_EQ(command("psql <<SQL\nSELECT '$SETTING';\nSQL", {{"setting", "fsync"}}),
            "export PGHOST='db.example' PGDATABASE='shop'\npsql <<SQL\nSELECT 'fsync';\nSQL");
  EXPECT_EQ(command("psql -c 'SELECT 1'", {}, "o'ther"),
            "export PGHOST='db.example' PGDATABASE='o'\\''ther'\npsql -c 'SELECT 1'");
}

TEST_F(FirstCommand, KnowsWhatTheConfigurationSays) {
  EXPECT_EQ(command("ls \"$BACKUPS\"", {{"source", "nightly"}}), "ls \"/srv/my backups\"");
  EXPECT_EQ(command("psql \"$COPY\"", {{"replica", "north"}}), "psql \"host='north.example'\"");
  EXPECT_EQ(command("x --config \"$CONFIG\" in \"$DIRECTORY\"", {{"path", "/a"}}),
            "x --config \"/etc/it.toml\" in \"/a\"");
}

TEST_F(FirstCommand, IsTheOneWhoseNamesAreKnown) {
  EXPECT_EQ(command("ls \"$BACKUPS\"", {{"source", "elsewhere"}}), "echo 'shop'");
  EXPECT_EQ(first_command({"m", "", "R", {"ls $BACKUP", "ls $BACKUPS"}}, server, {}, {"", {}}),
            "ls $BACKUP");
}

TEST_F(FirstCommand, NeedsNoConfigurationThatIsNotThere) {
  EXPECT_EQ(
      first_command({"m", "", "R", {"x explain --config \"$CONFIG\" --all"}}, server, {}, {"", {}}),
      "x explain --all");
}

}  // namespace
}  // namespace pg_integrity::test::filled_command_test
