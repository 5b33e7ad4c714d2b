// The server itself: its version, role and identity, and how far its clock is from ours. It is the
// pulse of a server, the first collector to notice that it is gone or back.
#include "collectors/base/batch.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/table_scan.h"

namespace pg_integrity::server {

namespace {

constexpr auto kServerInfo =
    gauge("pg_integrity_server_info",
          "Always 1; what the server says of itself (role: primary or standby).", "version", "role",
          "system_identifier");
constexpr auto kClockOffset =
    gauge("pg_integrity_clock_offset_seconds",
          "The server's clock minus ours; ages of rows are measured by the server's alone.");

constexpr const MetricInfo* kMetrics[] = {&kServerInfo, &kClockOffset};

constexpr std::string_view kFacts = R"(
SELECT current_setting('server_version') AS version, pg_is_in_recovery() AS in_recovery,
  (SELECT system_identifier FROM pg_control_system()) AS system_identifier,
  extract(epoch FROM clock_timestamp()) AS now)";

class Server final : public Collector {
 public:
  void declare(Batch& /*out*/) const override {}

  Progress collect(Sources& from, Batch& out) override {
    const Rows rows = from.session().query(kFacts);
    const UnixTime midway = from.clock().unix_now() - rows.elapsed().count() / 2;
    const Row facts = rows.only();
    const std::string& version = facts.text("version");
    out.set(kServerInfo, 1, version.substr(0, version.find(' ')),
            std::string(facts.flag("in_recovery") ? "standby" : "primary"),
            facts.text("system_identifier"));
    out.set(kClockOffset, facts.number("now") - midway);
    return Progress::done;
  }
};

std::unique_ptr<Collector> make(const Configuration& /*given*/, ScanPlan& /*plan*/) {
  return std::make_unique<Server>();
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{.name = "server",
                              .summary = "version, role and identity of the server, and its clock",
                              .report_section = "Server",
                              .question = Question::intact,
                              .lane = Lane::quick,
                              .scope = Scope::server,
                              .depends_on = DependsOn::outside | DependsOn::time,
                              .interval = "30s",
                              .deadline = "10s",
                              .metrics = kMetrics,
                              .identity = {},
                              .options = {},
                              .reads = no_reads,
                              .make = make};

}  // namespace pg_integrity::server
