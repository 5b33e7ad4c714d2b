// Asks a real Alertmanager with the inhibitions of alerts/ which alert mutes which.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/support/prometheus.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::inhibition_test {
namespace {

const LabelSet kShop{{"job", "pg_integrity_exporter"},
                     {"instance", "db1:10187"},
                     {"server", "shop"},
                     {"database", "shop"}};

/// An alert as Prometheus sends it. It is about the database `shop` unless `labels` say otherwise.
/// A label without a value is left out.
LabelSet alert(const std::string& name, const std::string& component, const LabelSet& labels = {}) {
  LabelSet all = labels;
  all.insert(kShop.begin(), kShop.end());
  all["alertname"] = "PgIntegrity" + name;
  all["component"] = component;
  std::erase_if(all, [](const auto& label) { return label.second.empty(); });
  return all;
}

struct Case {
  std::string what;
  LabelSet cause;
  std::vector<LabelSet> muted;
  std::vector<LabelSet> heard;
};

const LabelSet kExporterDown =
    alert("ExporterDown", "exporter", {{"server", ""}, {"database", ""}});
const LabelSet kDatabaseDown = alert("DatabaseDown", "exporter");
const LabelSet kOrphans{{"schema", "public"}, {"table", "orders"}, {"constraint", "orders_fkey"}};
const LabelSet kNightly{{"database", ""}, {"source", "nightly"}, {"kind", "dump"}};
const LabelSet kWeekly{{"database", ""}, {"source", "nightly"}, {"kind", "weekly"}};
const LabelSet kOfTheServer{{"database", ""}};
const LabelSet kStandby{{"replica", "standby"}};

std::vector<Case> cases() {
  return {
      {"the exporter is down",
       kExporterDown,
       {alert("ForeignKeyViolations", "integrity", kOrphans), alert("UnexpectedDeletions", "audit"),
        alert("ApiDown", "service"), kDatabaseDown,
        alert("ExporterAbsent", "exporter", {{"instance", ""}, {"server", ""}, {"database", ""}})},
       {alert("BackupOverdue", "recovery", kNightly),
        alert("ForeignKeyViolations", "integrity", {{"instance", "db2:10187"}})}},
      {"a database is down",
       kDatabaseDown,
       {alert("ForeignKeyViolations", "integrity", kOrphans), alert("ApiDown", "service"),
        alert("CollectorFailing", "exporter", {{"collector", "orphans"}}),
        alert("CollectorOverdue", "exporter", {{"collector", "orphans"}}),
        alert("Unproven", "exporter", {{"reason", "connect"}}),
        alert("CollectorFailing", "exporter", {{"database", ""}, {"collector", "superusers"}}),
        alert("CollectorFailing", "exporter", {{"database", ""}, {"collector", "wal"}})},
       {alert("BackupOverdue", "recovery", kNightly),
        alert("RecoveryPointTooOld", "recovery", kOfTheServer),
        alert("CollectorOverdue", "exporter", {{"database", ""}, {"collector", "backups"}}),
        alert("CollectorOverdue", "exporter", {{"database", ""}, {"collector", "restore_drill"}}),
        alert("ForeignKeyViolations", "integrity", {{"database", "other"}}),
        alert("CollectorFailing", "exporter", {{"server", "other"}, {"collector", "orphans"}})}},
      {"a database is gone",
       alert("DatabaseGone", "exporter"),
       {alert("CollectorGone", "exporter", {{"collector", "orphans"}}),
        alert("ObjectsGone", "exporter", {{"collector", "orphans"}})},
       {alert("ObjectsGone", "exporter", {{"collector", "backups"}}),
        alert("CollectorGone", "exporter", {{"database", "other"}, {"collector", "orphans"}})}},
      {"a collector is gone",
       alert("CollectorGone", "exporter", {{"collector", "orphans"}}),
       {alert("ObjectsGone", "exporter", {{"collector", "orphans"}})},
       {alert("ObjectsGone", "exporter", {{"collector", "storage"}})}},
      {"a backup is overdue",
       alert("BackupOverdue", "recovery", kNightly),
       {alert("BackupFailures", "recovery", kNightly),
        alert("BackupCopiesMissing", "recovery", kNightly)},
       {alert("BackupFailures", "recovery", kWeekly),
        alert("BackupRoomShort", "recovery", kNightly)}},
      {"a backup is damaged",
       alert("BackupDamaged", "recovery", kNightly),
       {alert("BackupNotProved", "recovery", kNightly)},
       {alert("BackupNotProved", "recovery", kWeekly),
        alert("BackupOverdue", "recovery", kNightly)}},
      {"a restore drill fails",
       alert("RestoreDrillFailed", "recovery", kNightly),
       {alert("RestoreDrillOverdue", "recovery", kNightly)},
       {alert("RestoreDrillOverdue", "recovery", kWeekly),
        alert("RestoreTooSlow", "recovery", kNightly)}},
      {"a list of backups is too old",
       alert("BackupCatalogueStale", "recovery", {{"database", ""}, {"source", "repository"}}),
       {alert("Unproven", "exporter", {{"database", ""}, {"reason", "stale"}})},
       {alert("Unproven", "exporter", {{"database", ""}, {"reason", "io"}}),
        alert("Unproven", "exporter", {{"reason", "stale"}})}},
      {"the archiver fails",
       alert("WalArchiveFailing", "recovery", kOfTheServer),
       {alert("WalArchiveLate", "recovery", kOfTheServer),
        alert("WalFilesWaiting", "recovery", kOfTheServer)},
       {alert("RecoveryPointTooOld", "recovery", kOfTheServer),
        alert("WalArchiveLate", "recovery", {{"database", ""}, {"server", "other"}})}},
      {"a key is violated",
       alert("ForeignKeyViolations", "integrity", kOrphans),
       {alert("ForeignKeyNotEnforced", "integrity", kOrphans)},
       {alert("ForeignKeyNotEnforced", "integrity",
              {{"schema", "public"}, {"table", "orders"}, {"constraint", "other_fkey"}})}},
      {"a table has too few rows",
       alert("TableRowsTooFew", "integrity", {{"schema", "public"}, {"table", "orders"}}),
       {alert("TableRowsDropped", "integrity", {{"schema", "public"}, {"table", "orders"}})},
       {alert("TableRowsDropped", "integrity", {{"schema", "public"}, {"table", "games"}})}},
      {"the inventory shrank",
       alert("InventoryShrunk", "integrity", {{"type", "tables"}}),
       {alert("ObjectsGone", "exporter", {{"collector", "row_counts"}})},
       {alert("ObjectsGone", "exporter", {{"database", "other"}, {"collector", "row_counts"}})}},
      {"something learned is gone",
       alert("ObjectsLost", "exporter", {{"since", "1764357792"}}),
       {alert("ObjectsGone", "exporter", {{"collector", "row_counts"}})},
       {alert("ObjectsGone", "exporter", {{"database", "other"}, {"collector", "row_counts"}})}},
      {"an endpoint is down",
       alert("ApiDown", "service", {{"endpoint", "users"}}),
       {alert("ApiSlow", "service", {{"endpoint", "users"}}),
        alert("ApiRowDifference", "service", {{"endpoint", "users"}})},
       {alert("ApiSlow", "service", {{"endpoint", "total"}})}},
      {"a copy is down",
       alert("ReplicaDown", "service", kStandby),
       {alert("ReplicaLag", "service", kStandby),
        alert("ReplicaContentDiffers", "service",
              {{"replica", "standby"}, {"schema", "public"}, {"table", "orders"}})},
       {alert("ReplicaLag", "service", {{"replica", "other"}})}},
      {"a copy has other rows",
       alert("ReplicaRowDifference", "service",
             {{"replica", "standby"}, {"schema", "public"}, {"table", "orders"}}),
       {alert("ReplicaContentDiffers", "service",
              {{"replica", "standby"}, {"schema", "public"}, {"table", "orders"}})},
       {alert("ReplicaContentDiffers", "service",
              {{"replica", "standby"}, {"schema", "public"}, {"table", "games"}})}},
      {"a collector is overdue",
       alert("CollectorOverdue", "exporter", {{"collector", "storage"}}),
       {alert("CollectorFailing", "exporter", {{"collector", "storage"}}),
        alert("Unproven", "exporter", {{"reason", "stale"}})},
       {alert("Unproven", "exporter", {{"reason", "timeout"}}),
        alert("Unproven", "exporter", {{"database", "other"}, {"reason", "stale"}})}},
      {"something is unproven",
       alert("Unproven", "exporter", {{"reason", "timeout"}}),
       {alert("CollectorFailing", "exporter", {{"collector", "storage"}}),
        alert("CollectorFailing", "exporter", {{"collector", "orphans"}}),
        alert("ObjectiveUnknown", "exporter", {{"objective", "pg_integrity_table_rows_min"}})},
       {alert("CollectorFailing", "exporter", {{"database", "other"}, {"collector", "orphans"}}),
        alert("CollectorOverdue", "exporter", {{"collector", "orphans"}})}},
      {"a collector fails",
       alert("CollectorFailing", "exporter", {{"collector", "storage"}}),
       {alert("ObjectiveUnknown", "exporter", {{"objective", "pg_integrity_table_rows_min"}})},
       {alert("ObjectiveUnknown", "exporter",
              {{"database", "other"}, {"objective", "pg_integrity_table_rows_min"}})}},
  };
}

class Inhibitions : public testing::Test {
 protected:
  Inhibitions() { write_hurried_alerts(directory_.path()); }

  [[nodiscard]] std::string config() const { return directory_.path() + "/alertmanager.yml"; }

  static std::string address(const Alertmanager& alertmanager) {
    return "http://127.0.0.1:" + std::to_string(alertmanager.port()) + "/api/v2/alerts";
  }
  static void send(const Alertmanager& alertmanager, const std::vector<LabelSet>& alerts) {
    auto json = nlohmann::json::array();
    for (const LabelSet& labels : alerts) json.push_back({{"labels", labels}});
    const Finished done = run({"curl", "-sf", "-H", "Content-Type: application/json", "--data",
                               json.dump(), address(alertmanager)});
    ASSERT_EQ(done.status, 0) << done.err;
  }
  /// Whether each alert is muted, by its labels.
  static std::map<LabelSet, bool> muted(const Alertmanager& alertmanager) {
    std::map<LabelSet, bool> found;
    for (const auto& one : nlohmann::json::parse(run({"curl", "-sf", address(alertmanager)}).out))
      found[one.at("labels").get<LabelSet>()] = !one.at("status").at("inhibitedBy").empty();
    return found;
  }

 private:
  TemporaryDirectory directory_;
};

TEST_F(Inhibitions, ACauseMutesItsConsequencesAndNothingElse) {
  for (const Case& one : cases()) {
    SCOPED_TRACE(one.what);
    const Alertmanager alertmanager(config());
    send(alertmanager, {one.cause});
    send(alertmanager, one.muted);
    send(alertmanager, one.heard);
    std::map<LabelSet, bool> expected{{one.cause, false}};
    for (const LabelSet& labels : one.muted) expected[labels] = true;
    for (const LabelSet& labels : one.heard) expected[labels] = false;
    // Alertmanager decides whether an alert is muted when it first sends the alert's group.
    eventually([&] { return muted(alertmanager) == expected; }, std::chrono::seconds(20));
    EXPECT_EQ(muted(alertmanager), expected);
  }
}

}  // namespace
}  // namespace pg_integrity::test::inhibition_test
