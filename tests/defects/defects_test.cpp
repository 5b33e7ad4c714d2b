// The defect matrix. The test plants every defect that the exporter claims to find. Exactly the
// right metrics must find each in one cycle. Everything else in these databases, and the databases
// without a defect, are the healthy twins.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>

#include "collectors/collector.h"
#include "collectors/registry.h"
#include "tests/defects/matrix.h"
#include "tests/support/api_server.h"
#include "tests/support/cluster.h"
#include "tests/support/exporter.h"
#include "tests/support/paths.h"
#include "tests/support/plain_dump.h"
#include "tests/support/wait.h"
#include "tests/support/wire.h"

namespace pg_integrity::test::defects_test {
namespace {

constexpr std::chrono::minutes kPatience{3};

std::string own_file(const std::string& name) {
  return source_path("tests/defects/") + name;
}

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Enables page checksums, which initdb leaves off before version 18.
void enable_checksums(Cluster& cluster) {
  if (Client(cluster.dsn("postgres")).ask("SHOW data_checksums") == "on") return;
  cluster.stop();
  const Finished enabled =
      run({Cluster::programs() + "/pg_checksums", "--enable", "--pgdata", cluster.data_directory()},
          {{}, {}, true});
  if (enabled.status != 0) throw std::runtime_error(enabled.err);
  cluster.start();
}

/// A cluster with healthy copies of the shop and a database for the server's own checks. With it
/// come the application's interface and directories of backups and files.
class World {
 public:
  World() {
    enable_checksums(cluster);
    Client(cluster.dsn("postgres"))
        .run(
            "CREATE ROLE app LOGIN; CREATE ROLE watcher LOGIN IN ROLE pg_monitor;"
            "CREATE ROLE intruder LOGIN");
    Client(cluster.dsn("postgres")).run("CREATE DATABASE " + home);
    psql(home, content_of(own_file("shop.sql")));
    make_files();
  }

  /// Names of all relations, functions and constraints of the shop.
  [[nodiscard]] std::set<std::string> names() const {
    std::istringstream words(Client(cluster.dsn(home)).ask(R"(
      SELECT string_agg(name, ' ') FROM (
        SELECT relname FROM pg_class WHERE oid >= 16384
        UNION SELECT proname FROM pg_proc WHERE oid >= 16384
        UNION SELECT conname FROM pg_constraint WHERE oid >= 16384) AS own(name))"));
    return {std::istream_iterator<std::string>(words), {}};
  }

  void open(const std::vector<Shop>& shops) const {
    Client admin(cluster.dsn("postgres"));
    for (const Shop& shop : shops)
      admin.run("CREATE DATABASE " + shop.database + " TEMPLATE " + home);
  }

  void psql(const std::string& database, const std::string& sql) const {
    run_psql(cluster.dsn(database), sql, {{"FILES", files_.path()}});
  }

  /// Adds an entry, as every user does who connects.
  void write_down_entrance() const {
    Client(cluster.dsn(home)).run("INSERT INTO entrances DEFAULT VALUES");
  }

  [[nodiscard]] std::string configuration(const std::vector<Shop>& shops) const {
    std::string toml;
    for (const CollectorSpec* spec : collectors())
      toml += "[defaults.collectors." + std::string(spec->name) + "]\ninterval = \"" +
              (is_judged_by_many_looks(spec->name) ? "5s" : "30s") + "\"\n";
    std::string databases;
    for (const Shop& shop : shops)
      databases += (databases.empty() ? "\"" : ", \"") + shop.database + "\"";
    toml += "[[server]]\nname = \"shops\"\nmax_load = 1\nmax_sessions = 16\ndsn = \"" +
            cluster.dsn(home, "watcher") + "\"\ndatabases = [" + databases +
            "]\nallow = { writers = [\"app\"], superusers = [\"postgres\"],"
            " users = [\"app\", \"postgres\", \"watcher\"] }\n" +
            replaced(content_of(own_file("server.toml")), "FILES", files_.path());
    const std::string body =
        Client(cluster.dsn(home))
            .ask("SELECT encode(sha256(prosrc::bytea), 'hex') FROM pg_proc WHERE proname = 'note'");
    const std::string one =
        replaced(replaced(content_of(own_file("shop.toml")), "BODY", body), "API/", api_.url());
    for (const Shop& shop : shops) toml += replaced(one, "DATABASE", shop.database);
    return toml;
  }

  [[nodiscard]] const std::string& files() const { return files_.path(); }

  Cluster cluster;
  const std::string home = "shop";

 private:
  static bool is_judged_by_many_looks(std::string_view collector) {
    return collector == "api_sync" || collector == "query_latency";
  }

  void make_files() const {
    for (const char* source : {"stopped", "cut_short", "thinned", "emptied"}) {
      std::filesystem::create_directory(files_.path() + "/" + source);
      for (int day = 0; day < 4; ++day) {
        const std::string dump =
            files_.write(std::string(source) + "/" + std::to_string(day) + ".sql", plain_dump());
        std::filesystem::last_write_time(
            dump, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1 + 24 * day));
      }
    }
    std::filesystem::create_directory(files_.path() + "/pictures");
    std::filesystem::create_directory(files_.path() + "/letters");
    for (const char* file : {"pictures/1.png", "letters/1.pdf", "letters/2.pdf", "letters/3.pdf"})
      files_.write(file, "x");
  }

  /// The answer of the interface of a database's application: a status and a body.
  [[nodiscard]] ApiAnswer answer(const ApiAsked& asked) const {
    const std::string database = asked.path.substr(1, asked.path.find('/', 1) - 1);
    const std::string text =
        Client(cluster.dsn(database, "app")).ask("SELECT status || ' ' || body FROM api");
    return {std::stoi(text), text.substr(text.find(' ') + 1)};
  }

  TemporaryDirectory files_;
  ApiServer api_{[this](const ApiAsked& asked) { return answer(asked); }};
};

using ByDatabase = std::map<std::string, FindingTexts>;

ByDatabase without_empty(ByDatabase findings) {
  std::erase_if(findings, [](const auto& database) { return database.second.empty(); });
  return findings;
}

/// Findings as lines, for a readable message.
std::string lines_of(const ByDatabase& findings) {
  std::string lines;
  for (const auto& [database, texts] : findings)
    for (const std::string& text : texts) lines.append(database).append(": ").append(text + "\n");
  return lines;
}

class DefectMatrix : public testing::Test {
 protected:
  DefectMatrix() {
    for (const Shop& shop : shops_)
      for (const Defect& defect : shop.defects)
        expected_[shop.database].insert(defect.findings.begin(), defect.findings.end());
    for (const Defect& defect : server_defects_)
      for (const std::string& finding : defect.findings)
        expected_[""].insert(replaced(finding, "FILES", world_.files()));
    expected_ = without_empty(std::move(expected_));
    for (const auto& [database, findings] : expected_)
      all_.insert(findings.begin(), findings.end());
  }

  static std::vector<Shop> open_shops(const World& world, const std::vector<Defect>& defects) {
    auto shops = spread(defects, world.names());
    world.open(shops);
    return shops;
  }

  [[nodiscard]] ByDatabase found() const {
    return without_empty(findings_of(fetch(exporter_.port(), "/report.json").body, all_));
  }

  /// Waits for findings.
  /// @return what was found last.
  [[nodiscard]] ByDatabase wait_for(
      const ByDatabase& findings, const std::function<void()>& meanwhile = [] {}) const {
    ByDatabase newest;
    static_cast<void>(eventually(
        [&] {
          meanwhile();
          std::this_thread::sleep_for(std::chrono::milliseconds(500));
          newest = found();
          return newest == findings;
        },
        kPatience));
    return newest;
  }

  void wait_until_ready(const std::function<void()>& meanwhile = [] {}) const {
    ASSERT_TRUE(eventually(
        [&] {
          meanwhile();
          std::this_thread::sleep_for(std::chrono::milliseconds(200));
          return exporter_.ready();
        },
        kPatience))
        << exporter_.log();
  }

  void plant() const {
    for (const Shop& shop : shops_)
      for (const Defect& defect : shop.defects)
        if (!defect.sql.empty()) world_.psql(shop.database, defect.sql);
    for (const Defect& defect : server_defects_) world_.psql(world_.home, defect.sql);
  }

  /// The findings, without the objects that need more than one check.
  [[nodiscard]] ByDatabase by_one_look(ByDatabase findings) const {
    for (const Shop& shop : shops_)
      for (const Defect& defect : shop.defects)
        for (const std::string& late : defect.late)
          std::erase_if(findings[shop.database], [&](const std::string& finding) {
            return object_of(finding) == object_of(late);
          });
    return without_empty(std::move(findings));
  }

  /// The metrics of the findings, by database.
  [[nodiscard]] std::map<std::string, std::set<std::string>> expected_metrics() const {
    std::map<std::string, std::set<std::string>> metrics;
    for (const auto& [database, findings] : expected_)
      for (const std::string& finding : findings)
        if (const std::string metric = metric_of(finding); is_in_catalogue(metric))
          metrics[database].insert(metric);
        else if (finding.ends_with("unproven(gone)"))
          metrics[database].insert("inventory_lost");
    return metrics;
  }

  const std::vector<Defect> defects_ = read_defects(own_file("defects.sql"));
  const std::vector<Defect> server_defects_ = read_defects(own_file("server_defects.sql"));
  const World world_;
  const std::vector<Shop> shops_ = open_shops(world_, defects_);
  ExporterProcess exporter_{world_.configuration(shops_)};
  ByDatabase expected_;  ///< without databases in which nothing is found
  FindingTexts all_;
};

TEST_F(DefectMatrix, EachDefectIsFoundInOneCycleByExactlyTheRightMetricAndNothingElseIs) {
  ASSERT_GE(defects_.size() + server_defects_.size(), 40U);
  const auto write_down = [&] { world_.write_down_entrance(); };
  wait_until_ready(write_down);
  ASSERT_EQ(lines_of(wait_for({}, write_down)), "") << "the healthy shops";
  ASSERT_EQ(exporter_.stop(), 0);

  const Client stranger(world_.cluster.dsn(world_.home, "intruder"));
  plant();
  exporter_.start();
  wait_until_ready();
  EXPECT_EQ(lines_of(by_one_look(found())), lines_of(by_one_look(expected_))) << exporter_.log();
  EXPECT_EQ(lines_of(wait_for(expected_)), lines_of(expected_));
  EXPECT_EQ(broken_on(exporter_.page()), expected_metrics()) << "the page";
}

}  // namespace
}  // namespace pg_integrity::test::defects_test
