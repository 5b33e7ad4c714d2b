// Servers whose files come while the exporter runs, as a discovery of Prometheus writes them.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/cluster.h"
#include "tests/support/exporter.h"
#include "tests/support/observer.h"

namespace pg_integrity::test::server_files_test {
namespace {

TEST(ServerFiles, AreTakenWithoutARestart) {
  const Database first;
  const Database second;
  const ExporterProcess exporter("targets_dsn = \"user=postgres\"\n" +
                                 one_server(first.dsn(), {}, "row_counts"));
  exporter.wait_until_ready();
  const auto servers = std::filesystem::path(exporter.config_path()).parent_path() / "servers.d";
  std::filesystem::create_directory(servers);
  std::ofstream(servers / "found.json") << R"([{"targets": ["127.0.0.1:)" << second.cluster().port()
                                        << R"("], "labels": {"server": "found", "dbname": ")"
                                        << second.name() << R"(", "__meta_zone": "b"}}])";
  EXPECT_TRUE(exporter.shows("pg_integrity_up", {{"server", "found"}}, 1)) << exporter.log();
  EXPECT_EQ(exporter.value("pg_integrity_up", {{"server", "test"}}), 1);
}

}  // namespace
}  // namespace pg_integrity::test::server_files_test
