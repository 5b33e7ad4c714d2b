// Which receiver gets which alert. The test runs the real exporter, Prometheus with the rules of
// alerts/ and Alertmanager with its routes. One script makes them faster, and a webhook stands in
// for the pager.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <utime.h>

#include <csignal>
#include <ctime>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>

#include "collectors/registry.h"
#include "tests/support/api_server.h"
#include "tests/support/cluster.h"
#include "tests/support/exporter.h"
#include "tests/support/paths.h"
#include "tests/support/prometheus.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::paging_test {
namespace {

struct Page {
  std::string receiver;
  std::string alert;
  std::string status;
  LabelSet labels;
  std::string runbook;
  double seconds = 0;  ///< since the receiver started
};

/// Receives the notifications of Alertmanager.
class Webhook {
 public:
  [[nodiscard]] std::string url() const {
    const std::string url = server_.url();
    return url.substr(0, url.size() - 1);
  }
  /// The page of an alert with a status.
  [[nodiscard]] std::optional<Page> page(const std::string& alert,
                                         const std::string& status) const {
    const std::lock_guard lock(mutex_);
    for (const Page& one : pages_)
      if (one.alert == alert && one.status == status) return one;
    return {};
  }
  /// All pages that ever came, as "receiver alert status" and the collector if there is one.
  [[nodiscard]] std::set<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return all_;
  }
  /// All pages in order, a line each.
  [[nodiscard]] std::string timeline() const {
    const std::lock_guard lock(mutex_);
    std::ostringstream lines;
    for (const Page& one : pages_)
      lines << one.seconds << " s: " << one.receiver << " " << one.alert << " " << one.status
            << "\n";
    return lines.str();
  }

 private:
  ApiAnswer receive(const ApiAsked& asked) {
    const auto json = nlohmann::json::parse(asked.body);
    const std::lock_guard lock(mutex_);
    for (const auto& one : json.at("alerts")) {
      Page page{asked.path.substr(1),
                one.at("labels").at("alertname"),
                one.at("status"),
                one.at("labels").get<LabelSet>(),
                one.at("annotations").value("runbook_url", ""),
                std::chrono::duration<double>(std::chrono::steady_clock::now() - since_).count()};
      std::string line = page.receiver + " " + page.alert + " " + page.status;
      if (page.labels.contains("collector")) line += " " + page.labels.at("collector");
      all_.insert(std::move(line));
      pages_.push_back(std::move(page));
    }
    return {};
  }

  const std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
  mutable std::mutex mutex_;
  std::vector<Page> pages_;
  std::set<std::string> all_;
  ApiServer server_{[this](const ApiAsked& asked) { return receive(asked); }};
};

constexpr const char* kShop = R"(
  CREATE TABLE customers (id int PRIMARY KEY);
  CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL REFERENCES customers);
  CREATE TABLE games (id int PRIMARY KEY);
  CREATE TABLE deletes (id serial PRIMARY KEY, table_name text, deleted_at timestamptz DEFAULT now());
  INSERT INTO customers SELECT generate_series(1, 9);
  INSERT INTO orders SELECT i, i FROM generate_series(1, 9) i;
  INSERT INTO games SELECT generate_series(1, 9);
  CREATE FUNCTION log_delete() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN INSERT INTO deletes (table_name) VALUES (TG_TABLE_NAME); RETURN OLD; END';
  CREATE TRIGGER log_delete AFTER DELETE ON games FOR EACH ROW EXECUTE FUNCTION log_delete();)";

class Paging : public testing::Test {
 protected:
  Paging() {
    database.run(kShop);
    dump();
    exporter = std::make_unique<ExporterProcess>(configuration(1));
    exporter->wait_until_ready();
    write_hurried_alerts(alerts.path(), webhook.url());
    alertmanager = std::make_unique<Alertmanager>(alerts.path() + "/alertmanager.yml");
    prometheus = std::make_unique<Prometheus>(
        exporter->port(),
        PrometheusOptions{"pg_integrity_exporter", alerts.path(), alertmanager->port()});
  }

  [[nodiscard]] std::string configuration(int baseline) const {
    // The share is of a session's time, so it holds on a busy machine, too.
    std::string text = "[[server]]\nname = \"shop\"\nmax_load = 0.9\ndsn = \"" + database.dsn() +
                       R"("
[[server.backups]]
name = "nightly"
pattern = "*.dump"
every = "24h"
settle = "0s"
directory = ")" + backups.path() +
                       R"("
[[server.collectors.audit_triggers.audited]]
tables = ["public.games"]
function = "public.log_delete"
events = ["delete"]
log = { table = "deletes", about = "table_name" }
[server.collectors.audit_triggers]
baseline = )" + std::to_string(baseline) +
                       "\n";
    for (const char* collector : {"audit_triggers", "backups", "orphans", "row_counts"})
      text += "[defaults.collectors." + std::string(collector) + "]\ninterval = \"4s\"\n";
    return text;
  }

  /// Writes a dump, and gives it its name only when it is whole. With `settle = "0s"` half a dump
  /// is a failed one.
  void dump() const {
    const std::string half = archive + ".part";
    const Finished done =
        run({Cluster::programs() + "/pg_dump", "-Fc", "-f", half, database.dsn()});
    if (done.status != 0) throw std::runtime_error(done.err);
    std::filesystem::rename(half, archive);
  }

  /// Waits for the page that `plant` must raise, and for its end after `repair`.
  template <typename Plant, typename Repair>
  void expect_page(const std::string& alert, const LabelSet& labels, Plant plant, Repair repair) {
    SCOPED_TRACE(alert);
    plant();
    ASSERT_TRUE(eventually([&] { return webhook.page(alert, "firing").has_value(); }))
        << exporter->log();
    const Page page = *webhook.page(alert, "firing");
    EXPECT_EQ(page.receiver, "pager");
    EXPECT_EQ(page.runbook, "https://runbooks.example/" + alert + ".md");
    EXPECT_TRUE(std::filesystem::exists(source_path("alerts/runbooks/") + alert + ".md"));
    EXPECT_FALSE(page.labels.contains("pg_integrity_runbooks"));
    for (const auto& [name, value] : labels) EXPECT_EQ(page.labels.at(name), value);
    repair();
    EXPECT_TRUE(eventually([&] { return webhook.page(alert, "resolved").has_value(); }))
        << exporter->log();
  }

  Webhook webhook;
  TemporaryDirectory backups;
  const std::string archive = backups.path() + "/shop.dump";
  TemporaryDirectory alerts;
  Cluster cluster;
  Database database{cluster, "shop"};
  std::unique_ptr<ExporterProcess> exporter;
  std::unique_ptr<Alertmanager> alertmanager;
  std::unique_ptr<Prometheus> prometheus;
};

TEST_F(Paging, EachDefectIsPagedWithItsRunbookAndResolvedByItsRepairAndNothingElseIs) {
  expect_page(
      "PgIntegrityForeignKeyViolations", {{"server", "shop"}, {"table", "orders"}},
      [&] {
        database.run(
            "BEGIN; SET LOCAL session_replication_role = replica;"
            "INSERT INTO orders VALUES (100, 100); COMMIT");
      },
      [&] { database.run("DELETE FROM orders WHERE id = 100"); });
  expect_page(
      "PgIntegrityUnexpectedDeletions", {{"server", "shop"}, {"table", "games"}},
      [&] {
        database.run(
            "BEGIN; SET LOCAL session_replication_role = replica;"
            "DELETE FROM games WHERE id = 1; COMMIT");
      },
      [&] {
        exporter->rewrite_configuration(configuration(2));
        exporter->process().signal(SIGHUP);
      });
  expect_page(
      "PgIntegrityBackupOverdue", {{"server", "shop"}, {"source", "nightly"}},
      [&] {
        const std::time_t three_days_ago = std::time(nullptr) - 3L * 24 * 3600;
        const utimbuf times{three_days_ago, three_days_ago};
        ASSERT_EQ(::utime(archive.c_str(), &times), 0);
      },
      [&] { dump(); });
  expect_page(
      "PgIntegrityDatabaseDown", {{"server", "shop"}, {"database", "shop"}},
      [&] { cluster.stop(); }, [&] { cluster.start(); });
  expect_page(
      "PgIntegrityExporterDown", {{"job", "pg_integrity_exporter"}},
      [&] {
        exporter->process().signal(SIGKILL);
        exporter->process().wait_for(std::chrono::seconds(10));
      },
      [&] { exporter->start(exporter->port()); });
  std::set<std::string> expected{"deadman PgIntegrityWatchdog firing"};
  for (const char* alert :
       {"PgIntegrityForeignKeyViolations", "PgIntegrityUnexpectedDeletions",
        "PgIntegrityBackupOverdue", "PgIntegrityDatabaseDown", "PgIntegrityExporterDown"})
    for (const char* status : {"firing", "resolved"})
      expected.insert("pager " + std::string(alert) + " " + status);
  EXPECT_EQ(webhook.all(), expected) << webhook.timeline();
}

}  // namespace
}  // namespace pg_integrity::test::paging_test
