// A real Prometheus runs every expression of dashboards/ and alerts/. It scrapes the real exporter
// on the report's database, to which the test adds the data that this database lacks.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "exporter/commands/drill.h"
#include "tests/support/base_backup.h"
#include "tests/support/demo.h"
#include "tests/support/exporter.h"
#include "tests/support/paths.h"
#include "tests/support/prometheus.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::dashboards_test {
namespace {

/// Expressions that find nothing even then, by dashboard, panel and query, with the reason.
const std::map<std::string, std::string> kEmpty{
    {"pg-integrity-audit.json/Logs, the worst first/B", "no log has a lower limit"},
    {"pg-integrity-audit.json/Unsafe settings/A", "no setting takes back a promise"},
    {"pg-integrity-exporter.json/Bytes from buckets a second/A", "no source is a bucket"},
    {"pg-integrity-exporter.json/Certificate lasts for/A", "the exporter has no TLS"},
    {"pg-integrity-exporter.json/Failures by reason/A", "no collector fails"},
    {"pg-integrity-exporter.json/Requests to buckets/A", "no source is a bucket"},
    {"pg-integrity-exporter.json/What buckets may cost in a day/A", "no source is a bucket"},
    {"pg-integrity-exporter.json/What buckets may cost in a day/B", "no source is a bucket"},
    {"pg-integrity-integrity.json/Rows of tables/D", "no table is above the size gate"},
    {"pg-integrity-integrity.json/Collations/A", "no collation in use has a version"},
    {"pg-integrity-integrity.json/Checksums/A", "the server has no checksums"},
    {"pg-integrity-integrity.json/Checksums/B", "the server has no checksums"},
    {"pg-integrity-integrity.json/Checksums/C", "the server has no checksums"},
    {"pg-integrity-integrity.json/Checksums/D", "no page has failed its checksum"},
    {"pg-integrity-integrity.json/Memory/B", "nothing has gone"},
    {"pg-integrity-recovery.json/Backups read to their end, or restored/D",
     "no backup is being read"},
    {"pg-integrity-sync.json/Endpoints, the worst first/F", "every difference is confirmed"},
    {"pg-integrity-sync.json/Tables of copies, the worst first/C", "every difference is confirmed"},
};

struct Expression {
  std::string name;  ///< dashboard/panel/query
  std::string text;
  std::set<std::string> labels;  ///< that the panel shows
};

/// An expression as Grafana sends it when everything is chosen.
std::string substituted(std::string text) {
  text = std::regex_replace(text, std::regex(R"(\$__rate_interval)"), "1m");
  return std::regex_replace(text, std::regex(R"(\$\w+)"), ".+");
}

std::set<std::string> labels_shown(const nlohmann::json& target) {
  std::set<std::string> labels;
  const std::string legend = target.at("legendFormat");
  const std::regex braces(R"(\{\{(\w+)\}\})");
  for (std::sregex_iterator found(legend.begin(), legend.end(), braces), end; found != end; ++found)
    labels.insert((*found)[1]);
  if (target.at("format") != "table") return labels;
  const std::string text = target.at("expr");
  std::smatch group;
  if (std::regex_search(text, group, std::regex(R"(\bby \(([^)]*)\))"))) {
    const std::string names = group[1];
    const std::regex word(R"(\w+)");
    for (std::sregex_iterator found(names.begin(), names.end(), word), end; found != end; ++found)
      labels.insert(found->str());
  }
  return labels;
}

/// The panels of a dashboard, those of collapsed rows included.
std::vector<nlohmann::json> panels_of(const nlohmann::json& board) {
  std::vector<nlohmann::json> all;
  for (const auto& panel : board.at("panels")) {
    all.push_back(panel);
    for (const auto& inside : panel.value("panels", nlohmann::json::array())) all.push_back(inside);
  }
  return all;
}

std::vector<Expression> expressions() {
  std::vector<Expression> all;
  for (const auto& file : std::filesystem::directory_iterator(source_path("dashboards"))) {
    if (file.path().extension() != ".json") continue;
    const std::string board = file.path().filename().string() + "/";
    const auto json = nlohmann::json::parse(std::ifstream(file.path()));
    for (const auto& panel : panels_of(json)) {
      if (!panel.contains("targets")) continue;
      for (const auto& target : panel.at("targets"))
        all.push_back({board + panel.at("title").get<std::string>() + "/" +
                           target.at("refId").get<std::string>(),
                       substituted(target.at("expr")), labels_shown(target)});
    }
    for (const auto& annotation : json.at("annotations").at("list"))
      if (annotation.contains("expr"))
        all.push_back({board + "annotation", substituted(annotation.at("expr")), {}});
    for (const auto& variable : json.at("templating").at("list")) {
      std::smatch parts;
      const std::string text = variable.value("definition", "");
      if (std::regex_match(text, parts, std::regex(R"(label_values\((.*), (\w+)\))")))
        all.push_back({board + "$" + variable.at("name").get<std::string>(),
                       substituted(parts[1]),
                       {parts[2]}});
    }
  }
  return all;
}

/// Adds the data that the report's database lacks, so that every panel has something to show.
class RichDemo {
 public:
  RichDemo() {
    demo_.database.run(
        "CREATE EXTENSION amcheck;"
        "GRANT EXECUTE ON FUNCTION bt_index_check(regclass, boolean) TO pgintegrity;"
        "GRANT EXECUTE ON FUNCTION pg_ls_archive_statusdir() TO pgintegrity;"
        "CREATE ROLE intruder LOGIN; GRANT UPDATE ON \"Game\" TO intruder;"
        "CREATE TABLE booked (during int4range, CONSTRAINT once EXCLUDE USING gist (during WITH "
        "&&));"
        "ALTER TABLE booked ADD CONSTRAINT short CHECK (upper(during) < 99) NOT VALID;"
        "GRANT SELECT ON booked TO pgintegrity");
    demo_.database.run(
        "SELECT pg_create_physical_replication_slot('spare', true), pg_switch_wal()");
    demo_.database.run(
        "CREATE SUBSCRIPTION later CONNECTION 'dbname=none' PUBLICATION p WITH (connect = false)");
    standby_ = std::make_unique<Cluster>(Cluster::StandbyOf{demo_.cluster});
    back_up();
  }

  [[nodiscard]] ProcessOptions environment() const { return demo_.environment(); }

  [[nodiscard]] std::string configuration() const {
    std::string text = demo_.configuration();
    replace(text, "superusers = [\"postgres\"] }",
            "superusers = [\"postgres\"], users = [\"pgintegrity\", \"postgres\"] }");
    replace(text, "name = \"tovplay\"\n", "name = \"tovplay\"\nmax_load = 0.9\n");
    return text + R"(
[[server.accept]]
object = "row_counts/public.Game"
until = 2999-12-31
reason = "known"
[[server.backups]]
name = "dumps"
pattern = "*.dump"
every = "24h"
settle = "0s"
usable = 1
size_ratio_min = 0.5
room_min = 1
locations_min = 1
directory = ")" +
           directory_.path() + R"("
[[server.backups]]
name = "base"
settle = "0s"
usable = 1
directory = ")" +
           bases_.path() + R"("
[[server.backups]]
name = "repository"
pgbackrest = { file = ")" +
           catalogue_ + R"(" }
[server.drills]
recovery_time_objective = "1h"
directory = ")" +
           records_.path() + R"("
[[server.replicas]]
name = "standby"
max_lag = "1m"
dsn = ")" + standby_->dsn("tovplay") +
           R"("
[[server.collectors.files.directories]]
path = ")" +
           directory_.path() + R"("
patterns = ["*.dump"]
min_files = 1
max_files = 9
[[server.collectors.custom.queries]]
name = "games"
sql = "SELECT 1 AS value"
min_rows = 1
max_rows = 1
[[server.collectors.freshness.tables]]
table = "User"
column = "created_at"
max_age = "30d"
[[server.collectors.media.columns]]
table = "UserProfile"
column = "bio"
bytes = true
[[server.collectors.media.columns]]
table = "UserProfile"
column = "nowhere"
must_be = "url"
[server.collectors.wal]
archive_max_age = "1d"
max_ready = 100
standbys = ["walreceiver"]
max_lag = "1m"
max_retained = "1GB"
[defaults.collectors.replica_sync]
interval = "5s"
[defaults.collectors.wal]
interval = "5s"
[defaults.collectors.audit_triggers]
interval = "1s"
[defaults.collectors.audit_logs]
interval = "1s"
)";
  }

  /// Changes data after the exporter has checked everything once.
  void go_on() const {
    demo_.database.run(
        "INSERT INTO \"ConnectionAuditLog\" (connected_at) VALUES (now());"
        "BEGIN; SET LOCAL session_replication_role = replica;"
        "DELETE FROM \"UserFriends\"; COMMIT");
  }

 private:
  static void replace(std::string& text, const std::string& what, const std::string& by) {
    const std::size_t at = text.find(what);
    if (at == std::string::npos) throw std::runtime_error("the demo has no " + what);
    text.replace(at, what.size(), by);
  }

  /// Takes a dump with its record and a base backup, which a drill restores, and makes older
  /// copies.
  void back_up() const {
    take_base_backup(demo_.cluster, bases_.path() + "/first");
    const std::string config = records_.write("exporter.toml", configuration());
    const std::string newest = directory_.path() + "/first.dump";
    drill({"--config", config, "--record", "--dump", newest});
    for (const int days : {1, 2, 3}) {
      const std::string older = directory_.path() + "/" + std::to_string(days) + "_days_old.dump";
      std::filesystem::copy_file(newest, older);
      std::filesystem::last_write_time(
          older, std::filesystem::file_time_type::clock::now() - std::chrono::hours(24 * days));
    }
    drill({"--config", config, "--work-dir", records_.path()});
  }
  void drill(const std::vector<std::string>& options) const {
    std::vector<std::string> command{program(), "drill"};
    command.insert(command.end(), options.begin(), options.end());
    ProcessOptions as_owner = environment();
    as_owner.environment["PGUSER"] = "postgres";
    const Finished done = run(command, as_owner);
    if (done.status != 0) throw std::runtime_error(done.err);
  }

  Demo demo_{{{"archive_mode", "on"}, {"archive_command", "'true'"}}};
  std::unique_ptr<Cluster> standby_;
  TemporaryDirectory directory_;
  TemporaryDirectory bases_;
  TemporaryDirectory records_;
  std::string catalogue_ = records_.write(
      "info.json", R"([{"name": "main", "status": {"code": 2}, "archive": [], "backup": []}])");
};

TEST(Dashboards, EveryExpressionFindsSomethingWithTheLabelsThatItsPanelShows) {
  const RichDemo demo;
  const ExporterProcess exporter(demo.configuration(), demo.environment());
  exporter.wait_until_ready();
  demo.go_on();
  const TemporaryDirectory alerts;
  write_hurried_alerts(alerts.path());
  const Prometheus prometheus(exporter.port(), {"pg_integrity_exporter", alerts.path()});
  ASSERT_FALSE(prometheus.wait_for("ALERTS{alertstate=\"firing\", severity=\"critical\"}").empty());
  ASSERT_FALSE(prometheus.wait_for("pg_integrity_unaudited_deletes > 0").empty());
  ASSERT_FALSE(prometheus.wait_for("pg_integrity_replica_content_matches").empty());
  std::set<std::string> left = [] {
    std::set<std::string> names;
    for (const auto& [name, reason] : kEmpty) names.insert(name);
    return names;
  }();
  const auto all = expressions();
  EXPECT_GT(all.size(), 220U);
  for (const Expression& one : all) {
    if (left.erase(one.name) == 1) {
      EXPECT_TRUE(prometheus.query(one.text).empty()) << one.name << " is said to be empty";
      continue;
    }
    std::vector<Series> found;
    const auto without = [&] {
      for (const std::string& label : one.labels)
        if (std::none_of(found.begin(), found.end(),
                         [&](const Series& series) { return series.labels.contains(label); }))
          return "label " + label;
      return found.empty() ? std::string("anything") : std::string();
    };
    const bool came = eventually(
        [&] {
          found = prometheus.query(one.text);
          return without().empty();
        },
        std::chrono::seconds(20));
    EXPECT_TRUE(came) << one.name << " finds nothing with " << without() << ": " << one.text;
  }
  EXPECT_TRUE(left.empty()) << "no such expression: " << *left.begin();
}

/// The alerts of the report's day. Its replay in alerts/tests raises the same from recorded
/// numbers.
const std::map<std::string, double> kReportsDay{
    {"PgIntegrityApiRowDifference", 1},    {"PgIntegrityAuditTriggerDisabled", 11},
    {"PgIntegrityBackupFailures", 1},      {"PgIntegrityBackupOverdue", 1},
    {"PgIntegrityConnectionLogSilent", 1}, {"PgIntegrityProtectionStale", 1},
    {"PgIntegrityRecoveryPointTooOld", 1}, {"PgIntegrityWatchdog", 1}};

TEST(Alerts, TheReportsDatabaseRaisesThoseOfItsDayAndNoOthers) {
  const Demo demo;
  const ExporterProcess exporter(demo.configuration(), demo.environment());
  exporter.wait_until_ready();
  const TemporaryDirectory alerts;
  write_hurried_alerts(alerts.path());
  const Prometheus prometheus(exporter.port(), {"pg_integrity_exporter", alerts.path()});
  const auto raised = [&] {
    std::map<std::string, double> alerts_now;
    for (const Series& alert : prometheus.query("count by (alertname) (ALERTS)"))
      alerts_now[alert.labels.at("alertname")] = alert.value;
    return alerts_now;
  };
  EXPECT_TRUE(eventually(
      [&] { return prometheus.query("count(ALERTS{alertstate=\"firing\"}) == 18").size() == 1; }));
  EXPECT_EQ(raised(), kReportsDay);
  const auto rules = nlohmann::json::parse(prometheus.api("rules"));
  for (const auto& group : rules.at("data").at("groups"))
    for (const auto& rule : group.at("rules"))
      EXPECT_EQ(rule.at("health"), "ok") << rule.at("name") << rule.value("lastError", "");
}

}  // namespace
}  // namespace pg_integrity::test::dashboards_test
