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

TEST(Conninfo, OneHostHasLongerToAnswerThanEachOfSeveral) {
  EXPECT_NE(completed("host=a", "x").find("connect_timeout='15'"), std::string::npos);
  EXPECT_NE(completed("host=a,b", "x").find("connect_timeout='2'"), std::string::npos);
}

/// A service file, as PGSERVICEFILE names it.
class Service : public ::testing::Test {
 protected:
  explicit Service(const std::string& text =
                       "[shop]\nhost=db.example\nport=5433\nuser=watcher\ndbname=shop\n"
                       "password=geheim\nconnect_timeout=7\n[local]\nhost=/run/postgresql\n"
                       "[pair]\nhost=a,b\nport=1,2\nsslmode=require\n"
                       "target_session_attrs=read-write\n") {
    ::setenv("PGSERVICEFILE", directory_.write("services", text).c_str(), 1);
  }
  ~Service() override {
    for (const char* name : {"PGSERVICEFILE", "PGSERVICE", "PGPORT"}) ::unsetenv(name);
  }

  TemporaryDirectory directory_;
};

TEST_F(Service, IsReadAsLibpqReadsIt) {
  for (const char* dsn : {"service=shop", "postgresql:///?service=shop"}) {
    const ConnectionTarget target = target_of(dsn);
    EXPECT_EQ(target.host, "db.example");
    EXPECT_EQ(target.port, "5433");
    EXPECT_EQ(target.user, "watcher");
    EXPECT_EQ(target.database, "shop");
    EXPECT_TRUE(target.database_said);
    EXPECT_TRUE(target.remote);
    EXPECT_FALSE(target.encrypted_or_said_so);
  }
  EXPECT_EQ(target_of("service=shop dbname=other").database, "other");
  EXPECT_FALSE(target_of("service=local").remote);
  EXPECT_EQ(target_of("service=local user=me").database, "me");
  EXPECT_FALSE(target_of("service=local user=me").database_said);
  EXPECT_TRUE(target_of("service=pair").encrypted_or_said_so);
  EXPECT_TRUE(target_of("service=shop sslmode=prefer").encrypted_or_said_so);
  EXPECT_EQ(without_secrets("geheim", "service=shop"), "***");
}

TEST_F(Service, OfTheEnvironmentCountsToo) {
  ::setenv("PGSERVICE", "shop", 1);
  EXPECT_EQ(target_of("").database, "shop");
  ::setenv("PGPORT", "1", 1);
  EXPECT_EQ(target_of("").port, "5433") << "a service has priority over the environment";
  EXPECT_EQ(target_of("service=local").port, "1");
}

TEST_F(Service, ItsSettingsStandBeforeOurs) {
  EXPECT_EQ(completed("service=shop", "x").find("connect_timeout"), std::string::npos);
  EXPECT_NE(completed("service=shop", "x").find("service='shop'"), std::string::npos)
      << "the service is read again at each connect";
  EXPECT_NE(completed("service=pair", "x").find("connect_timeout='2'"), std::string::npos);
  EXPECT_NE(completed("service=pair", "x").find("target_session_attrs='primary'"),
            std::string::npos);
  const auto each = one_by_one("service=pair");
  ASSERT_EQ(each.size(), 2U);
  EXPECT_EQ(target_of(each[1]).host, "b");
  EXPECT_EQ(target_of(each[1]).port, "2");
}

TEST_F(Service, OneThatIsNotThereIsRefusedInLibpqsWords) {
  try {
    target_of("service=nowhere");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("nowhere"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("HINT: "), std::string::npos);
  }
  ::setenv("PGSERVICEFILE", (directory_.path() + "/no_file").c_str(), 1);
  EXPECT_THROW(target_of("service=shop"), ConfigError);
}

TEST(Conninfo, HostsAreTakenOneByOne) {
  const auto hosts = [](const std::string& dsn) {
    std::string all;
    for (const std::string& one : one_by_one(dsn)) {
      const ConnectionTarget target = target_of(one);
      all += target.host + ":" + target.port + " ";
    }
    return all;
  };
  EXPECT_EQ(hosts("host=a"), "a: ");
  EXPECT_EQ(hosts("host=a,b port=1,2"), "a:1 b:2 ");
  EXPECT_EQ(hosts("host=a,b port=7"), "a:7 b:7 ");
  EXPECT_EQ(hosts("postgresql://u@a:1,b:2/x"), "a:1 b:2 ");
  EXPECT_EQ(hosts("host=/run/x,b"), "/run/x: b: ");
  EXPECT_EQ(hosts("host=a,b target_session_attrs=prefer-standby"), "a: b: a: b: ")
      << "a standby first, then any";
  EXPECT_EQ(one_by_one("hostaddr=127.0.0.1,127.0.0.2 user=u").size(), 2U);
  EXPECT_EQ(one_by_one("host=a,b port=1,2,3").size(), 1U) << "libpq complains about it";
}

TEST(Conninfo, AReadOnlyRoleAsksAboutTheServer) {
  const auto asks = [](const std::string& attributes) {
    const std::string dsn = completed("host=a target_session_attrs=" + attributes, "x");
    const std::size_t at = dsn.find("target_session_attrs='") + 22;
    return dsn.substr(at, dsn.find('\'', at) - at);
  };
  EXPECT_EQ(asks("read-write"), "primary");
  EXPECT_EQ(asks("read-only"), "standby");
  EXPECT_EQ(asks("prefer-standby"), "prefer-standby");
  EXPECT_EQ(completed("host=a", "x").find("target_session_attrs"), std::string::npos);
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
