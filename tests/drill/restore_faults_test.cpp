// Who is to blame for the errors of a restore, by their texts.
#include <gtest/gtest.h>

#include "exporter/drill/archive_tools.h"

namespace pg_integrity::test::restore_faults_test {
namespace {

Blame blame_for(const std::string& line) {
  const auto faults = faults_in({line});
  return faults.empty() ? Blame::nothing : faults.front().blame;
}

TEST(RestoreFaults, AreTheBackupsUnlessTheyTellOtherwise) {
  EXPECT_EQ(blame_for("psql:<stdin>:9: ERROR:  relation \"public.t\" does not exist"),
            Blame::backup);
  EXPECT_EQ(blame_for("pg_restore: error: could not read from input file: end of file"),
            Blame::backup);
  EXPECT_EQ(blame_for("pg_restore: error: out of memory"), Blame::backup)
      << "a damaged length in an archive";
  EXPECT_EQ(blame_for("pg_restore: warning: errors ignored on restore: 1"), Blame::nothing);
}

TEST(RestoreFaults, WhatIsMissingHereIsNotTheBackups) {
  EXPECT_EQ(blame_for("ERROR:  role \"reader\" does not exist"), Blame::surroundings);
  EXPECT_EQ(blame_for("ERROR:  extension \"postgis\" is not available"), Blame::objects);
  EXPECT_EQ(blame_for("pg_restore: error: unsupported version (1.17) in file header"),
            Blame::objects);
  EXPECT_EQ(blame_for("ERROR:  invalid locale name: \"de_DE.utf8\""), Blame::objects);
}

TEST(RestoreFaults, WhatBreaksTheRestoreHereIsAnAccident) {
  for (const char* line :
       {"ERROR:  could not extend file \"base/5/1\": No space left on device",
        "psql:<stdin>:9: server closed the connection unexpectedly",
        "pg_restore: error: connection to server was lost", "ERROR:  out of memory",
        "WARNING:  FATAL:  the database system is in recovery mode"})
    EXPECT_EQ(blame_for(line), Blame::accident) << line;
}

TEST(RestoreFaults, WhatEveryServerHasAlreadyIsNone) {
  const std::vector<std::string> made{"psql:<stdin>:12: ERROR:  role \"admin\" already exists"};
  EXPECT_TRUE(faults_in(made, "admin").empty());
  EXPECT_EQ(faults_in(made, "postgres").size(), 1U);
  EXPECT_EQ(blame_for("ERROR:  schema \"public\" already exists"), Blame::nothing);
  EXPECT_EQ(blame_for("ERROR:  schema \"sales\" already exists"), Blame::backup);
}

TEST(RestoreFaults, ADropOfWhatIsNotThereYetIsNone) {
  const auto after = [](const std::string& statement) {
    return faults_in({"psql:<stdin>:3: ERROR:  relation \"public.t\" does not exist",
                      "psql:<stdin>:3: STATEMENT:  " + statement});
  };
  EXPECT_TRUE(after("DROP TABLE public.t;").empty());
  EXPECT_TRUE(after("ALTER TABLE ONLY public.t DROP CONSTRAINT t_pkey;").empty());
  EXPECT_EQ(after("ALTER TABLE ONLY public.t ADD CONSTRAINT t_pkey PRIMARY KEY (id);").size(), 1U);
}

}  // namespace
}  // namespace pg_integrity::test::restore_faults_test
