#include "exporter/config/config.h"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <cmath>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "collectors/base/instant.h"
#include "collectors/base/metric.h"
#include "collectors/base/settings.h"
#include "collectors/registry.h"
#include "exporter/config/conninfo.h"
#include "exporter/config/options.h"
#include "tests/support/content.h"
#include "tests/support/paths.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test::config_test {
namespace {

std::vector<std::filesystem::path> files_in(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(source_path("tests/config/") + folder))
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

/// The faults of a file, one a line, without the file's name.
std::string complaints(const std::string& path) {
  const ReadOptions read = read_configuration(path);
  std::string all;
  if (const auto* lines = std::get_if<std::vector<std::string>>(&read))
    for (const std::string& line : *lines) {
      EXPECT_TRUE(line.starts_with(path)) << line;
      all += line.substr(path.size()) + "\n";
    }
  return all;
}

/// A `*` at the end of an expected line stands for words of the TOML parser, which differ between
/// its versions.
bool matches(const std::string& actual, const std::string& expected) {
  std::istringstream a(actual);
  std::istringstream e(expected);
  std::string actual_line;
  std::string expected_line;
  while (std::getline(e, expected_line)) {
    if (!std::getline(a, actual_line)) return false;
    const bool open = expected_line.ends_with(" *");
    if (open) expected_line.pop_back();
    if (open ? !actual_line.starts_with(expected_line) : actual_line != expected_line) return false;
  }
  return !std::getline(a, actual_line);
}

TEST(Config, EveryBadFileIsRefusedWithItsExactLines) {
  const auto files = files_in("invalid");
  ASSERT_GE(files.size(), 30U);
  for (const auto& file : files) {
    auto expected = file;
    expected.replace_extension(".expected");
    ASSERT_TRUE(std::filesystem::exists(expected)) << file << " needs its .expected beside it";
    const std::string actual = complaints(file);
    EXPECT_FALSE(actual.empty()) << file << " is accepted";
    EXPECT_TRUE(matches(actual, content_of(expected))) << file << "\n" << actual;
    for (const char* secret : {"geheim", "hush"})
      EXPECT_EQ(actual.find(secret), std::string::npos) << file << " shows a secret";
  }
}

TEST(Config, EveryGoodFileIsAccepted) {
  for (const auto& file : files_in("valid")) EXPECT_EQ(complaints(file), "") << file;
}

TEST(Config, TheDemosConfigurationIsAccepted) {
  EXPECT_EQ(complaints(source_path("deploy/demo/exporter.toml")), "");
}

Options read_everything() {
  return std::get<Options>(read_configuration(source_path("tests/config/valid/everything.toml")));
}

const CollectorOptions& collector(const ServerOptions& server, const std::string& name) {
  for (const CollectorOptions& options : server.collectors)
    if (options.spec->name == name) return options;
  throw std::runtime_error("no collector " + name);
}

TEST(Config, ServersOverrideTheDefaultsKeyByKey) {
  const Options options = read_everything();
  const ServerOptions& first = options.servers.at(0);
  const ServerOptions& second = options.servers.at(1);
  EXPECT_EQ(first.max_load, 0.05);
  EXPECT_EQ(second.max_load, 0.1);
  EXPECT_EQ(second.max_sessions, 3U);
  EXPECT_EQ(second.exclude, std::vector<std::string>{"public.tmp_*"});
  EXPECT_EQ(collector(first, "orphans").interval, Seconds(900)) << "from the defaults";
  EXPECT_EQ(collector(first, "orphans").deadline, Seconds(30)) << "its own";
  EXPECT_EQ(collector(second, "orphans").deadline, Seconds(90));
  EXPECT_EQ(collector(second, "query_latency").settings.number("slow_ratio_max"), 0.5);
  EXPECT_THROW(collector(first, "query_latency"), std::runtime_error) << "disabled by default";
  EXPECT_EQ(collector(first, "row_counts").interval, Seconds(300)) << "the program's own default";
}

TEST(Config, TakesWhatItSays) {
  const Options options = read_everything();
  EXPECT_EQ(options.listen.at(0).host, "::1");
  EXPECT_EQ(options.listen.at(0).port, 10187);
  EXPECT_EQ(options.listen.at(1).host, "127.0.0.1");
  EXPECT_EQ(options.allowed_hosts, std::vector<std::string>{"*.example"});
  EXPECT_TRUE(options.web_config_file.ends_with("/valid/web.yml"));
  EXPECT_TRUE(options.reload_by_http);
  const ServerOptions& server = options.servers.at(0);
  EXPECT_EQ(server.home_database, "database");
  EXPECT_EQ(server.databases, (std::vector<std::string>{"database", "app_*"}));
  ASSERT_EQ(server.accept.size(), 1U);
  EXPECT_EQ(server.accept[0].until, 1769817600);
  EXPECT_EQ(server.accept[0].at_most, 3);
  ASSERT_EQ(server.backups.size(), 2U);
  EXPECT_EQ(server.backups[0].kinds.size(), 2U);
  EXPECT_EQ(server.backups[1].kinds.at(0).schedule.every, Seconds(86400));
  EXPECT_EQ(server.expect, (Expect{{{"tables", 15}, {"foreign_keys", 15}}, {}}));
  EXPECT_EQ(collector(server, "audit_logs").settings.records("logs")[0].duration("window"),
            Seconds(129600));
}

TEST(Config, ACollectorDoesNotGetToSeeWhereACopyIs) {
  const ServerOptions server = read_everything().servers.at(0);
  ASSERT_EQ(server.replica_connections.size(), 1U);
  EXPECT_EQ(server.replica_connections[0].name, "standby");
  EXPECT_EQ(server.replica_connections[0].database, "database");
  EXPECT_NE(server.replica_connections[0].connection.dsn.find("host=standby.example"),
            std::string::npos);
  ASSERT_EQ(server.replicas.size(), 1U);
  EXPECT_EQ(server.replicas[0].name, "standby");
  EXPECT_EQ(server.replicas[0].database, "database");
  EXPECT_EQ(server.replicas[0].max_lag, Seconds(60));
  for (const CollectorOptions& options : server.collectors)
    EXPECT_EQ(options.depends_on.find("geheim"), std::string::npos) << options.spec->name;
}

TEST(Config, ReplicasAreSeenFromTheirOwnDatabaseOnly) {
  const ServerOptions server = read_everything().servers.at(0);
  EXPECT_EQ(server.seen_from("database").replicas.size(), 1U);
  EXPECT_TRUE(server.seen_from("app_1").replicas.empty());
  EXPECT_EQ(server.seen_from("app_1").backups.size(), 2U);
}

/// The options that the evidence of a collector depends on, under a configuration of one server.
std::string dependence(const std::string& name, const std::string& toml) {
  const TemporaryDirectory directory;
  directory.write("exporter.toml",
                  "[[server]]\nname = \"s\"\ndsn = \"host=/tmp dbname=d\"\n" + toml);
  const auto read = read_configuration(directory.path() + "/exporter.toml");
  return collector(std::get<Options>(read).servers.at(0), name).depends_on;
}

TEST(Config, EvidenceDependsOnACollectorsOwnOptionsAndOnThoseOfItsServer) {
  const std::string plain = dependence("row_counts", "");
  EXPECT_NE(dependence("inventory", "expect = { tables = 3 }\n"), dependence("inventory", ""));
  EXPECT_NE(dependence("row_counts", "[server.collectors.row_counts]\nexact_up_to = \"1MB\"\n"),
            plain);
  EXPECT_EQ(dependence("row_counts", "allow = { writers = [\"a\"] }\n"), plain);
  const std::string paced = "interval = \"7m\"\ndeadline = \"9s\"\nenabled = true\n";
  EXPECT_EQ(dependence("row_counts", "[server.collectors.row_counts]\n" + paced), plain)
      << "how often it looks changes nothing that it saw";
}

TEST(Config, WhatChecksACopyDoesSoWhateverIsWatched) {
  const TemporaryDirectory directory;
  directory.write("exporter.toml",
                  "[[server]]\nname = \"s\"\ndsn = \"host=/tmp dbname=d\"\n"
                  "[server.collectors.orphans]\nenabled = false\n"
                  "[server.collectors.duplicates]\nexact_up_to = \"1kB\"\n");
  const auto read = read_configuration(directory.path() + "/exporter.toml");
  const ServerOptions server = std::get<Options>(read).servers.at(0);
  std::vector<std::string_view> names;
  for (const CollectorOptions& options : server.on_copy) names.push_back(options.spec->name);
  EXPECT_EQ(names, (std::vector<std::string_view>{"duplicates", "orphans", "storage"}));
  EXPECT_TRUE(std::isinf(server.on_copy.at(0).settings.number("exact_up_to")));
}

TEST(Config, WhatIsNoFileIsRefusedBeforeItIsParsed) {
  const TemporaryDirectory directory;
  EXPECT_EQ(complaints(directory.path()), ": not a regular file\n");
  const std::string pipe = directory.path() + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(complaints(pipe), ": not a regular file\n");
  EXPECT_EQ(complaints("/dev/zero"), ": not a regular file\n");
  const std::string nowhere = directory.path() + "/nowhere";
  EXPECT_EQ(complaints(nowhere),
            ": No such file or directory. HINT: name an existing file with --config\n");
  const std::string large = directory.write("large", std::string(1100000, '\n'));
  EXPECT_EQ(complaints(large), ": larger than 1 MiB\n");
  EXPECT_NE(complaints(directory.write("empty", "")).find("\"server\" is missing"),
            std::string::npos);
}

/// A configuration, with files of servers beside it.
class ServersDirectory : public ::testing::Test {
 protected:
  ServersDirectory() {
    std::filesystem::create_directory(directory_.path() + "/servers.d");
    directory_.write("servers.d/b.toml", "[[server]]\nname = \"b\"\ndsn = \"dbname=b\"\n");
    directory_.write("servers.d/a.toml",
                     "[[server]]\nname = \"a\"\ndsn = \"dbname=a\"\nmax_load = 0.5\n");
    directory_.write("servers.d/c.toml.old", "no TOML");
    directory_.write("servers.d/.hidden.toml", "no TOML");
  }
  /// The servers and their load, or the faults.
  [[nodiscard]] std::string read(const std::string& main) const {
    const ReadOptions read = read_configuration(directory_.write("config.toml", main));
    std::ostringstream all;
    if (const auto* options = std::get_if<Options>(&read))
      for (const ServerOptions& server : options->servers)
        all << server.name << ' ' << server.max_load << '\n';
    else
      for (const std::string& line : std::get<std::vector<std::string>>(read))
        all << line.substr(directory_.path().size() + 1) << '\n';
    return all.str();
  }

  TemporaryDirectory directory_;
};

TEST_F(ServersDirectory, AddsItsServersToThoseOfTheFile) {
  EXPECT_EQ(read(""), "a 0.5\nb 0.05\n") << "the file itself needs none";
  EXPECT_EQ(read("[defaults]\nmax_load = 0.1\n[[server]]\nname = \"x\"\ndsn = \"dbname=x\"\n"),
            "x 0.1\na 0.5\nb 0.1\n");
  std::filesystem::rename(directory_.path() + "/servers.d", directory_.path() + "/others");
  EXPECT_EQ(read("servers_dir = \"others\"\n"), "a 0.5\nb 0.05\n");
  EXPECT_EQ(read("servers_dir = \"" + directory_.path() + "/others\"\n"), "a 0.5\nb 0.05\n");
  EXPECT_NE(read("").find("\"server\" is missing"), std::string::npos);
  EXPECT_NE(read("servers_dir = \"\"\n").find("\"server\" is missing"), std::string::npos);
}

TEST_F(ServersDirectory, NamesTheFileOfAFault) {
  directory_.write("servers.d/c.toml",
                   "listen = \":1\"\n[[server]]\nname = \"a\"\ndsn = \"dbname=c\"\n");
  const std::string faults = read("");
  EXPECT_TRUE(faults.starts_with("servers.d/c.toml:1:1: ")) << faults;
  directory_.write("servers.d/c.toml", "[[server]]\nname = \"a\"\ndsn = \"dbname=c\"\n");
  EXPECT_TRUE(read("").starts_with("servers.d/c.toml:2:1: ")) << "a twin: " << read("");
  directory_.write("servers.d/c.toml", "[[server]]\nname = 7\n");
  EXPECT_TRUE(read("").starts_with("servers.d/c.toml:2:")) << read("");
  EXPECT_EQ(read("servers_dir = \"config.toml\"\n").rfind("config.toml:1:", 0), 0U)
      << "it is no directory";
}

TEST_F(ServersDirectory, TakesTargetsAsPrometheusHasThem) {
  directory_.write("servers.d/found.json", R"([
    {"targets": ["db1:5433", "[::1]"], "labels": {"env": "x"}},
    {"targets": ["10.0.0.7"], "labels": {"server": "shop", "dbname": "o'shop"}}])");
  const std::string main =
      "targets_dsn = \"user=watcher dbname=postgres port=6543 sslmode=require\"\n";
  EXPECT_EQ(read(main), "a 0.5\nb 0.05\ndb1:5433 0.05\n[::1] 0.05\nshop 0.05\n");
  const ReadOptions options = read_configuration(directory_.path() + "/config.toml");
  const auto target = [&](std::size_t server) {
    const ConnectionTarget of =
        target_of(std::get<Options>(options).servers.at(server).connection.dsn);
    return of.user + '@' + of.host + ':' + of.port + '/' + of.database;
  };
  EXPECT_EQ(target(2), "watcher@db1:5433/postgres");
  EXPECT_EQ(target(3), "watcher@::1:6543/postgres");
  EXPECT_EQ(target(4), "watcher@10.0.0.7:6543/o'shop");

  directory_.write("servers.d/found.json",
                   R"([{"targets": ["db1:x", "a b", ":5", "db2 sslmode=disable"]}])");
  const std::string faults = read(main);
  EXPECT_EQ(std::count(faults.begin(), faults.end(), '\n'), 4) << faults;
  EXPECT_TRUE(faults.starts_with("servers.d/found.json:1:1: the target \"db1:x\"")) << faults;
  for (const char* wrong : {"{}", "[5]", "[{\"targets\": 5}]", "[", "[{\"targets\": [null]}]"}) {
    directory_.write("servers.d/found.json", wrong);
    EXPECT_TRUE(read(main).starts_with("servers.d/found.json:1:1: ")) << wrong << read(main);
  }
}

TEST(Config, HostileNestingIsSurvived) {
  const TemporaryDirectory directory;
  std::string dotted = "a";
  for (int i = 0; i < 4000; ++i) dotted += ".a";
  EXPECT_NE(complaints(directory.write("dotted", dotted + " = 1\n")), "");
  EXPECT_NE(complaints(directory.write("deep", "a = " + std::string(8000, '[') + "\n")), "");
}

class Environment : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : kNames) ::unsetenv(name);
  }
  void TearDown() override { SetUp(); }
  static constexpr const char* kNames[] = {"DATA_SOURCE_NAME", "PGHOST",    "PGDATABASE",
                                           "PGUSER",           "PGSSLMODE", "PGSERVICE",
                                           "PGSERVICEFILE"};
};

TEST_F(Environment, ADataSourceNameIsEnough) {
  ::setenv("DATA_SOURCE_NAME", "postgresql://u:geheim@127.0.0.1:5499/app", 1);
  const Options options = std::get<Options>(configuration_from_environment());
  ASSERT_EQ(options.servers.size(), 1U);
  EXPECT_EQ(options.servers[0].name, "127.0.0.1");
  EXPECT_EQ(options.servers[0].home_database, "app");
  EXPECT_EQ(options.servers[0].not_watched.size(), 12U);
}

TEST_F(Environment, TheFileOfThePackageIsReadUnlessTheEnvironmentNamesAServer) {
  const TemporaryDirectory directory;
  const std::string file = directory.path() + "/config.toml";
  EXPECT_EQ(standard_configuration(file), "") << "there is none";
  directory.write("config.toml", "");
  EXPECT_EQ(standard_configuration(file), file);
  EXPECT_EQ(standard_configuration(file + "/config.toml"), file + "/config.toml")
      << "whether there is one cannot be seen";
  ::setenv("PGHOST", "/var/run/postgresql", 1);
  EXPECT_EQ(standard_configuration(file), file) << "its connection strings may be without a host";
  ::setenv("DATA_SOURCE_NAME", "postgresql://u@127.0.0.1/app", 1);
  EXPECT_EQ(standard_configuration(file), "");
}

TEST_F(Environment, LibpqsOwnEnvironmentIsEnough) {
  ::setenv("PGHOST", "/var/run/postgresql", 1);
  ::setenv("PGDATABASE", "app", 1);
  const Options options = std::get<Options>(configuration_from_environment());
  EXPECT_EQ(options.servers[0].name, "local");
  EXPECT_EQ(options.servers[0].home_database, "app");
}

TEST_F(Environment, AServiceFileIsEnough) {
  const TemporaryDirectory directory;
  const std::string path = directory.write(
      "services",
      "[shop]\nhost=127.0.0.1\nuser=u\ndbname=shop\n[away]\nhost=db.example\ndbname=x\n");
  ::setenv("PGSERVICEFILE", path.c_str(), 1);
  for (const char* dsn : {"service=shop", "postgresql:///?service=shop", ""}) {
    ::setenv("DATA_SOURCE_NAME", dsn, 1);
    ::setenv("PGSERVICE", "shop", 1);
    const Options options = std::get<Options>(configuration_from_environment());
    EXPECT_EQ(options.servers[0].name, "127.0.0.1") << dsn;
    EXPECT_EQ(options.servers[0].home_database, "shop");
    EXPECT_EQ(options.servers[0].databases, std::vector<std::string>{"shop"});
  }
  ::setenv("DATA_SOURCE_NAME", "service=away", 1);
  const auto lines = std::get<std::vector<std::string>>(configuration_from_environment());
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("would not have to be encrypted"), std::string::npos) << lines[0];
}

TEST_F(Environment, WithoutADatabaseInTheConnectionStringTheFirstNamedOneIsHome) {
  const TemporaryDirectory directory;
  const auto home = [&](const std::string& dsn) {
    const std::string path = directory.write("config", "[[server]]\nname = \"a\"\ndsn = \"" + dsn +
                                                           "\"\ndatabases = [\"x*\", \"shop\"]\n");
    return std::get<Options>(read_configuration(path)).servers[0].home_database;
  };
  EXPECT_EQ(home("user=u"), "shop");
  EXPECT_EQ(home("user=u dbname=u"), "u");
  EXPECT_EQ(home("user=u dbname=other"), "other");
}

TEST_F(Environment, AWrongDataSourceNameIsOneLineWithoutItsPassword) {
  ::setenv("DATA_SOURCE_NAME", "postgresql://u:geheim@[::1/app", 1);
  const auto lines = std::get<std::vector<std::string>>(configuration_from_environment());
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].find("geheim"), std::string::npos);
  EXPECT_NE(lines[0].find("HINT: "), std::string::npos);
}

TEST(ParseListen, ReadsAddressAndPort) {
  EXPECT_EQ(parse_listen("127.0.0.1:1")->host, "127.0.0.1");
  EXPECT_EQ(parse_listen("[::1]:10187")->host, "::1");
  EXPECT_EQ(parse_listen(":10187")->host, "::");
  EXPECT_EQ(parse_listen("localhost:0")->port, 0);
  EXPECT_EQ(parse_listen_list("127.0.0.1:1, [::1]:2").at(1).port, 2);
  for (const char* wrong : {"", ",", "127.0.0.1:1,", "127.0.0.1:1 [::1]:2"})
    EXPECT_TRUE(parse_listen_list(wrong).empty()) << wrong;
  for (const char* wrong :
       {"", "10187", "host", "host:", "host:x", "host:65536", "::1:10187", "host:1x"})
    EXPECT_FALSE(parse_listen(wrong)) << wrong;
}

TEST(Snippets, OfWhatIsNotWatchedAreTakenAndGiveItSomethingToWatch) {
  const TemporaryDirectory directory;
  std::size_t seen = 0;
  for (const CollectorSpec* spec : collectors()) {
    EXPECT_EQ(spec->wanted != nullptr, !spec->wanted_snippet.empty()) << spec->name;
    if (spec->wanted == nullptr) continue;
    ++seen;
    const std::string before = spec->name == "restore_drill" ? std::string(kBackupSnippet) : "";
    const std::string path = directory.write(
        "config.toml", "[[server]]\nname = \"shop\"\ndsn = \"dbname=shop\"\n" + before + "\n" +
                           std::string(spec->wanted_snippet) + "\n");
    EXPECT_EQ(complaints(path), "") << spec->name;
    const ReadOptions read = read_configuration(path);
    if (const auto* options = std::get_if<Options>(&read)) {
      const auto& running = options->servers.front().collectors;
      EXPECT_TRUE(std::any_of(running.begin(), running.end(), [&](const CollectorOptions& one) {
        return one.spec == spec;
      })) << spec->name;
    }
  }
  EXPECT_EQ(seen, 12U);
}

}  // namespace
}  // namespace pg_integrity::test::config_test
