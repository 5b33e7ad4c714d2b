// Healthy servers and schemas, watched with nothing but a connection string. The exporter must find
// no damage in them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>

#include "tests/defects/matrix.h"
#include "tests/support/cluster.h"
#include "tests/support/exporter.h"
#include "tests/support/paths.h"
#include "tests/support/wire.h"

namespace pg_integrity::test::healthy_test {
namespace {

std::string own_file(const std::string& name) {
  return source_path("tests/defects/") + name;
}

/// The lines of a log that somebody has to look at. Tests run as root, which the exporter says.
std::string complaints(const std::string& log) {
  std::istringstream lines(log);
  std::string found;
  for (std::string line; std::getline(lines, line);)
    if ((line.find("level=warning") != std::string::npos ||
         line.find("level=error") != std::string::npos) &&
        line.find("msg=\"running as root.") == std::string::npos)
      found += line + "\n";
  return found;
}

/// Serves until everything has been checked. Expects no finding and no warning.
void expect_served_in_silence(const std::string& dsn) {
  const ExporterProcess exporter("[[server]]\nname = \"stock\"\ndsn = \"" + dsn + "\"\n");
  exporter.wait_until_ready();
  for (const auto& [database, findings] :
       findings_of(fetch(exporter.port(), "/report.json").body, {}))
    EXPECT_EQ(findings, FindingTexts{}) << database;
  EXPECT_TRUE(broken_on(exporter.page()).empty());
  EXPECT_EQ(complaints(exporter.log()), "");
}

/// Checks once, with nothing but DATA_SOURCE_NAME. Only backups, which are not configured, may be
/// unproven.
void expect_checked_in_silence(const std::string& dsn) {
  const Finished check =
      run({program(), "check", "--format", "json"}, {{{"DATA_SOURCE_NAME", dsn}}, {}, false});
  EXPECT_EQ(check.status, 2) << check.out;
  EXPECT_EQ(check.err, "");
  for (const auto& [database, findings] : findings_of(check.out, {}))
    EXPECT_EQ(findings, FindingTexts{}) << database;
}

/// An ordinary role. It may only read all data, and is not a member of pg_monitor.
const std::string& reader() {
  static const std::string name = [] {
    Client(Cluster::shared().dsn("postgres"))
        .run("CREATE ROLE healthy_reader LOGIN IN ROLE pg_read_all_data");
    return std::string("healthy_reader");
  }();
  return name;
}

TEST(Healthy, AStockEmptyServerIsWatchedInSilence) {
  const Cluster empty;
  expect_served_in_silence(empty.dsn("postgres"));
  Client(empty.dsn("postgres")).run("CREATE ROLE nobody_special LOGIN");
  expect_served_in_silence(empty.dsn("postgres", "nobody_special"));
}

TEST(Healthy, AStockApplicationServerIsWatchedInSilence) {
  const Database stock;
  stock.run_file(own_file("stock.sql"));
  expect_served_in_silence(stock.dsn(reader()));
  expect_checked_in_silence(stock.dsn(reader()));
}

TEST(Healthy, ASchemaOfAllThatIsRareIsCheckedInSilence) {
  const Database odd;
  odd.run_file(own_file("odd.sql"));
  expect_checked_in_silence(odd.dsn(reader()));
}

/// The file of an unpacked Debian package whose path ends with `end`. Its directory differs by
/// version.
std::string unpacked(const std::string& package, const std::string& end) {
  const std::string directory = std::getenv("PG_INTEGRITY_SCHEMAS") + ("/" + package);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
    if (entry.path().string().ends_with(end)) return entry.path();
  throw std::runtime_error("package " + package + " holds no " + end);
}

/// Schemas of other people's applications.
struct Foreign {
  std::string package;
  std::vector<std::string> files;
};

const std::vector<Foreign> kForeign{
    {"zabbix-server-pgsql", {"/schema.sql.gz", "/images.sql.gz"}},
    {"bacula-director-pgsql", {"/install/pgsql"}},
    {"pdns-backend-pgsql", {"/schema.pgsql.sql"}},
};

TEST(Healthy, ForeignSchemasAreCheckedInSilence) {
  if (std::getenv("PG_INTEGRITY_SCHEMAS") == nullptr)
    GTEST_SKIP() << "tests/run.sh unpacks Debian's packages and says where";
  for (const Foreign& foreign : kForeign) {
    SCOPED_TRACE(foreign.package);
    const Database database;
    for (const std::string& file : foreign.files) {
      const std::string path = unpacked(foreign.package, file);
      const Finished loaded =
          run({"sh", "-c",
               "zcat -f '" + path + "' | psql -X -q -1 -v ON_ERROR_STOP=1 -d '" + database.dsn() +
                   "'"});
      ASSERT_EQ(loaded.status, 0) << loaded.err;
    }
    ASSERT_GE(std::stoi(database.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")),
              5);
    expect_checked_in_silence(database.dsn(reader()));
  }
}

}  // namespace
}  // namespace pg_integrity::test::healthy_test
