#include "exporter/config/conninfo.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "collectors/base/settings.h"
#include "exporter/config/options.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test::conninfo_test {
namespace {

TEST(Conninfo, ReadsBothForms) {
  for (const char* dsn : {"host=db.example port=5433 user=u password=geheim dbname=app",
                          "postgresql://u:geheim@db.example:5433/app"}) {
    const ConnectionTarget target = target_of(dsn);
    EXPECT_EQ(target.host, "db.example");
    EXPECT_EQ(target.port, "5433");
    EXPECT_EQ(target.user, "u");
    EXPECT_EQ(target.database, "app");
    EXPECT_TRUE(target.remote);
  }
}

TEST(Conninfo, KnowsWhatIsThisMachine) {
  for (const char* dsn :
       {"host=localhost", "host=127.0.0.1", "host=::1", "host=/run/postgresql", "dbname=x",
        "host=@abstract", "hostaddr=127.0.0.1 host=db.example", "host=/a,localhost"})
    EXPECT_FALSE(target_of(dsn).remote) << dsn;
  for (const char* dsn :
       {"host=db.example", "host=localhost,db.example", "hostaddr=192.0.2.1 host=localhost"})
    EXPECT_TRUE(target_of(dsn).remote) << dsn;
}

TEST(Conninfo, SslmodeCountsWhenItIsWrittenOut) {
  EXPECT_FALSE(target_of("host=db.example").encrypted_or_said_so);
  EXPECT_TRUE(target_of("host=db.example sslmode=prefer").encrypted_or_said_so);
  EXPECT_TRUE(target_of("postgresql://db.example/x?sslmode=require").encrypted_or_said_so);
}

TEST(Conninfo, LibpqWaitsForOneHostAndTriesTheNextOfSeveral) {
  EXPECT_NE(completed("host=a", "x").find("connect_timeout='600'"), std::string::npos);
  EXPECT_NE(completed("host=a,b", "x").find("connect_timeout='2'"), std::string::npos);
}

TEST(Conninfo, CompletesWithoutOverridingTheUser) {
  const std::string conninfo = completed("host=/tmp user='o\\'' connect_timeout=9 dbname=a", "b c");
  EXPECT_NE(conninfo.find("connect_timeout='9'"), std::string::npos) << conninfo;
  EXPECT_NE(conninfo.find("dbname='b c'"), std::string::npos) << conninfo;
  EXPECT_NE(conninfo.find("client_encoding='UTF8'"), std::string::npos);
  EXPECT_NE(conninfo.find("application_name='pg_integrity_exporter'"), std::string::npos);
  EXPECT_EQ(conninfo.find("options"), std::string::npos) << "a pooler would refuse or ignore them";
}

TEST(Conninfo, QuotesWhatItPassesOn) {
  const std::string conninfo = completed(R"(password='it\'s \\ odd' dbname=x)", "quo'te\\d");
  const ConnectionTarget target = target_of(conninfo);
  EXPECT_EQ(target.database, "quo'te\\d");
  EXPECT_NE(conninfo.find(R"(password='it\'s \\ odd')"), std::string::npos) << conninfo;
}

TEST(Conninfo, SecretsAreTakenOutOfTexts) {
  EXPECT_EQ(without_secrets("a geheim and geheim", "password=geheim"), "a *** and ***");
  EXPECT_EQ(without_secrets("a geheim", "postgresql://u:geheim@h/d"), "a ***");
  EXPECT_EQ(without_secrets("nothing", "dbname=x"), "nothing");
}

TEST(Conninfo, WhatCannotBeReadIsNotRepeated) {
  for (const char* dsn : {"password=two words geheim", "postgresql://u:geheim@[::1/x", "geheim"}) {
    try {
      target_of(dsn);
      FAIL() << dsn;
    } catch (const ConfigError& error) {
      EXPECT_EQ(std::string(error.what()).find("geheim"), std::string::npos);
    }
  }
}

TEST(Conninfo, AFileIsReadAnewEachTime) {
  const TemporaryDirectory directory;
  const ConnectionOptions connection{"", directory.write("dsn", "dbname=one\n")};
  EXPECT_EQ(current_dsn(connection), "dbname=one");
  directory.write("dsn", "dbname=two password=new\n\n");
  EXPECT_EQ(current_dsn(connection), "dbname=two password=new");
  EXPECT_THROW(current_dsn({"", directory.path() + "/nowhere"}), ConfigError);
}

}  // namespace
}  // namespace pg_integrity::test::conninfo_test
