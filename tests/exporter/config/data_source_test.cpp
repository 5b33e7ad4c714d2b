#include "exporter/config/data_source.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "collectors/base/settings.h"
#include "exporter/config/config.h"
#include "exporter/config/conninfo.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test::data_source_test {
namespace {

class DataSource : public ::testing::Test {
 protected:
  DataSource() { clear(); }
  ~DataSource() override { clear(); }
  static void set(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }

  TemporaryDirectory directory_;

 private:
  static void clear() {
    for (const char* name :
         {"DATA_SOURCE_NAME", "DATA_SOURCE_URI", "DATA_SOURCE_URI_FILE", "DATA_SOURCE_USER",
          "DATA_SOURCE_USER_FILE", "DATA_SOURCE_PASS", "DATA_SOURCE_PASS_FILE"})
      ::unsetenv(name);
  }
};

TEST_F(DataSource, IsComposedAsPostgresExporterDoesIt) {
  EXPECT_FALSE(has_data_source());
  set("DATA_SOURCE_URI", "db.example:5433/shop?sslmode=require");
  EXPECT_TRUE(has_data_source());
  EXPECT_EQ(data_source_now(), "postgresql://db.example:5433/shop?sslmode=require");
  set("DATA_SOURCE_USER", "watch");
  set("DATA_SOURCE_PASS", "p@ss/w:rd");
  const ConnectionTarget target = target_of(data_source_now());
  EXPECT_EQ(target.user, "watch");
  EXPECT_EQ(target.database, "shop");
  EXPECT_EQ(visible(data_source_now(), "").password, "p@ss/w:rd");
}

TEST_F(DataSource, FilesAreReadAtEachConnect) {
  set("DATA_SOURCE_URI", "127.0.0.1/shop");
  set("DATA_SOURCE_USER_FILE", directory_.write("user", "watch\n"));
  set("DATA_SOURCE_PASS_FILE", directory_.write("pass", "old\n"));
  const ReadOptions read = configuration_from_environment();
  ASSERT_TRUE(std::holds_alternative<Options>(read))
      << std::get<std::vector<std::string>>(read).front();
  const ServerOptions& server = std::get<Options>(read).servers.front();
  EXPECT_EQ(server.name, "127.0.0.1");
  EXPECT_EQ(server.home_database, "shop");
  EXPECT_EQ(visible(current_dsn(server.connection), "").password, "old");
  directory_.write("pass", "new\n");
  EXPECT_EQ(visible(current_dsn(server.connection), "").password, "new");
}

TEST_F(DataSource, AFileThatCannotBeReadIsOneLine) {
  set("DATA_SOURCE_URI", "127.0.0.1/shop");
  set("DATA_SOURCE_PASS_FILE", directory_.path());
  const ReadOptions read = configuration_from_environment();
  ASSERT_TRUE(std::holds_alternative<std::vector<std::string>>(read));
  EXPECT_EQ(std::get<std::vector<std::string>>(read),
            std::vector<std::string>{"DATA_SOURCE_PASS_FILE: " + directory_.path() +
                                     ": not a regular file. HINT: check that it exists and who may"
                                     " read it"});
}

TEST_F(DataSource, ANameGoesBeforeIt) {
  set("DATA_SOURCE_URI", "127.0.0.1/shop");
  set("DATA_SOURCE_NAME", "host=127.0.0.1 dbname=other");
  const ReadOptions read = configuration_from_environment();
  ASSERT_TRUE(std::holds_alternative<Options>(read));
  EXPECT_EQ(std::get<Options>(read).servers.front().home_database, "other");
}

}  // namespace
}  // namespace pg_integrity::test::data_source_test
