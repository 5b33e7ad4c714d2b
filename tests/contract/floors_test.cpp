// The house: an include goes down, never up; each third-party library stays in its rooms.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace pg_integrity::test {
namespace {

namespace fs = std::filesystem;

const fs::path kSource = PG_INTEGRITY_SOURCE_DIR;

/// Files by floor, without their extension; a header and its source share a floor.
const std::vector<std::vector<std::string>> kFloors{
    {"collectors/api_looks", "collectors/archive_format", "collectors/errors", "collectors/glob",
     "collectors/instant", "collectors/json_pointer", "collectors/metric", "collectors/network",
     "collectors/sql_text", "collectors/url", "collectors/url_pattern"},
    {"collectors/json_value"},
    {"collectors/backup_metrics", "collectors/batch", "collectors/copy_looks",
     "collectors/metric_set", "collectors/settings", "collectors/sources",
     "collectors/wal_positions"},
    {"collectors/allow", "collectors/archive_time", "collectors/backup_schedule",
     "collectors/custom_config", "collectors/recovery_records", "collectors/replica_config",
     "collectors/schema", "collectors/slow_runs", "collectors/wal_archive"},
    {"collectors/archive_check", "collectors/base_backup", "collectors/entry_column",
     "collectors/reads", "collectors/row_digest", "collectors/schema_catalog",
     "collectors/sequences", "collectors/trigger_states", "collectors/unique_keys",
     "collectors/write_access"},
    {"collectors/schema_foreign_keys", "collectors/schema_tables", "collectors/shared_schema",
     "collectors/table_scan"},
    {"collectors/backup_sources", "collectors/collector", "collectors/joint_count",
     "collectors/replica_link"},
    {"collectors/archive_directory", "collectors/backup_catalogue", "collectors/recovery_point"},
    {"collectors/audit_config", "collectors/backup_config", "collectors/catalog_list",
     "collectors/table_comparison"},
    {"collectors/api_config", "collectors/backup_copies", "collectors/backup_findings",
     "collectors/comparison_plan"},
    {"collectors/api_request"},
    {"collectors/amcheck",       "collectors/api_sync",
     "collectors/audit_logs",    "collectors/audit_triggers",
     "collectors/backups",       "collectors/connections",
     "collectors/custom",        "collectors/duplicates",
     "collectors/files",         "collectors/freshness",
     "collectors/media",         "collectors/orphans",
     "collectors/privileges",    "collectors/protection",
     "collectors/query_latency", "collectors/replica_sync",
     "collectors/restore_drill", "collectors/row_counts",
     "collectors/server",        "collectors/storage",
     "collectors/superusers",    "collectors/wal"},
    {"collectors/registry"},
    {"exporter/version", "exporter/atomic_file", "exporter/clock", "exporter/json",
     "exporter/logging", "exporter/options", "exporter/printable", "exporter/process_stats",
     "exporter/processes", "exporter/report_style", "exporter/self_metrics",
     "exporter/server_errors", "exporter/sessions", "exporter/task", "exporter/watchdog",
     "exporter/workers"},
    {"exporter/config_schema", "exporter/conninfo", "exporter/files", "exporter/grants_script",
     "exporter/html", "exporter/http_client", "exporter/lane", "exporter/programs",
     "exporter/recording", "exporter/recovery_files", "exporter/scratch_cluster",
     "exporter/session_pool", "exporter/session_socket", "exporter/snapshot", "exporter/watched"},
    {"exporter/families", "exporter/looks", "exporter/postgres", "exporter/replicas",
     "exporter/tallies", "exporter/toml", "exporter/verdict"},
    {"exporter/catalogue", "exporter/config", "exporter/evidence", "exporter/exposition",
     "exporter/report"},
    {"exporter/page", "exporter/record", "exporter/report_html", "exporter/report_json",
     "exporter/report_markdown", "exporter/report_text", "exporter/report_words"},
    {"exporter/collector_task", "exporter/publisher", "exporter/state"},
    {"exporter/http_server", "exporter/sampler", "exporter/state_keeper"},
    {"exporter/runtime"},
    {"exporter/app"},
    {"exporter/archive_tools", "exporter/base_backups", "exporter/survey"},
    {"exporter/drill_check", "exporter/drill_compare", "exporter/explain", "exporter/grants",
     "exporter/proof"},
    {"exporter/drill_record", "exporter/drill_run"},
    {"exporter/drill"},
    {"exporter/cli"},
    {"exporter/main"}};

/// Where each library's headers may be included: one file a role.
const std::map<std::string, std::set<std::string>> kLibraries{
    {"CLI/", {"exporter/cli.cpp"}},
    {"curl/", {"exporter/http_client.cpp"}},
    {"date/", {"exporter/clock.cpp"}},
    {"httplib.h", {"exporter/http_server.cpp"}},
    {"libpq-fe.h", {"exporter/conninfo.cpp"}},
    {"nlohmann/",
     {"exporter/catalogue.cpp", "exporter/json.cpp", "exporter/recovery_files.cpp",
      "exporter/report_json.cpp", "exporter/state.cpp"}},
    {"pqxx/", {"exporter/postgres.cpp"}},
    {"prometheus/", {"exporter/families.cpp"}},
    {"spdlog/", {"exporter/logging.cpp"}},
    {"toml++/", {"exporter/toml.cpp"}},
    {"zlib.h", {"exporter/files.cpp", "exporter/page.cpp"}}};

/// Headers of the operating system that collectors/ uses beside the standard library.
const std::set<std::string> kSystemHeadersOfCollectors{"fnmatch.h"};

struct Include {
  std::string file;
  std::string what;
  bool ours = false;
};

std::vector<fs::path> sources() {
  std::vector<fs::path> files;
  for (const char* folder : {"collectors", "exporter"})
    for (const auto& entry : fs::directory_iterator(kSource / folder))
      if (entry.path().extension() == ".h" || entry.path().extension() == ".cpp")
        files.push_back(fs::relative(entry.path(), kSource));
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<Include> includes() {
  const std::regex pattern("#include ([<\"])([^>\"]+)[>\"].*");
  std::vector<Include> found;
  for (const fs::path& path : sources()) {
    std::ifstream file(kSource / path);
    std::smatch match;
    for (std::string line; std::getline(file, line);)
      if (std::regex_match(line, match, pattern))
        found.push_back({path.string(), match[2], match[1] == "\""});
  }
  return found;
}

std::string stem(const std::string& path) {
  return path.substr(0, path.rfind('.'));
}

std::map<std::string, std::size_t> floors() {
  std::map<std::string, std::size_t> floor;
  for (std::size_t i = 0; i < kFloors.size(); ++i)
    for (const std::string& file : kFloors[i]) floor[file] = i;
  return floor;
}

TEST(House, EveryFileHasAFloorAndEveryFloorItsFiles) {
  std::set<std::string> present{"exporter/version"};  // made by the build
  for (const fs::path& path : sources()) present.insert(stem(path.string()));
  std::set<std::string> planned;
  for (const auto& [file, floor] : floors()) planned.insert(file);
  EXPECT_EQ(present, planned);
}

TEST(House, AnIncludeGoesDown) {
  const auto floor = floors();
  for (const Include& include : includes()) {
    if (!include.ours) continue;
    const std::string from = stem(include.file);
    const std::string to = stem(include.what);
    ASSERT_TRUE(floor.contains(to)) << include.file << " includes " << include.what;
    EXPECT_TRUE(from == to || floor.at(to) < floor.at(from))
        << include.file << " includes " << include.what;
  }
}

TEST(House, CollectorsKnowNothingOfTheExporterAndOnlyTheStandardLibrary) {
  for (const Include& include : includes()) {
    if (!include.file.starts_with("collectors/")) continue;
    const bool allowed = include.ours ? include.what.starts_with("collectors/")
                                      : include.what.find_first_of("./") == std::string::npos ||
                                            kSystemHeadersOfCollectors.contains(include.what);
    EXPECT_TRUE(allowed) << include.file << " includes " << include.what;
  }
}

TEST(House, EachLibraryStaysInItsRooms) {
  std::map<std::string, std::set<std::string>> seen;
  for (const Include& include : includes())
    for (const auto& [library, rooms] : kLibraries)
      if (include.what.starts_with(library)) seen[library].insert(include.file);
  EXPECT_EQ(seen, kLibraries);
}

TEST(House, MainParsesCallsAndReturns) {
  std::ifstream file(kSource / "exporter/main.cpp");
  int lines = 0;
  for (std::string line; std::getline(file, line);) ++lines;
  EXPECT_LE(lines, 40);
}

TEST(House, ItsTopLevelIsWhatWasAgreed) {
  const std::set<std::string> agreed{"CHANGELOG.md", "CMakeLists.txt", "CMakePresets.json",
                                     "LICENSE",      "README.md",      "alerts",
                                     "collectors",   "dashboards",     "deploy",
                                     "exporter",     "tests"};
  std::set<std::string> present;
  for (const auto& entry : fs::directory_iterator(kSource)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with('.') && name != "build") present.insert(name);
  }
  EXPECT_EQ(present, agreed);
}

}  // namespace
}  // namespace pg_integrity::test
