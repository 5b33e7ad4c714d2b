// The server itself: its version, role and identity, how far its clock is from ours, and settings
// that take back what PostgreSQL promises. It is the pulse of a server, the first collector to
// notice that it is gone or back.
#include <map>

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

constexpr auto kWritable = gauge(
    "pg_integrity_server_writable",
    "1 if the server is a primary. Two primaries of one cluster that are on different timelines go"
    " different ways.",
    "system_identifier", "timeline");

constexpr auto kUnsafeSetting = gauge(
    "pg_integrity_unsafe_setting",
    "1 if the setting has the value that takes back a promise of PostgreSQL, for the server, a "
    "database or a role: fsync or full_page_writes off, the others on.",
    must_be(0).says("The setting {setting} takes back what PostgreSQL promises: damage may arise "
                    "or go unnoticed."),
    "setting");

constexpr const MetricInfo* kMetrics[] = {&kServerInfo, &kWritable, &kClockOffset, &kUnsafeSetting};

constexpr std::string_view kIdentity[] = {"setting"};

constexpr Option kOptions[] = {
    {.name = "copy",
     .type = OptionType::flag,
     .fallback = "false",
     .help = "true: a copy that is written to on purpose, such as a restored one for tests"}};

constexpr std::string_view kFacts = R"(
SELECT current_setting('server_version') AS version, pg_is_in_recovery() AS in_recovery,
  (SELECT system_identifier FROM pg_control_system()) AS system_identifier,
  (SELECT timeline_id FROM pg_control_checkpoint()) AS timeline,
  extract(epoch FROM clock_timestamp()) AS now)";

// The settings that this session has, and those that databases and roles give their sessions.
constexpr std::string_view kSettings = R"(
WITH unsafe(name, value) AS (VALUES ('allow_system_table_mods', true), ('data_sync_retry', true),
  ('fsync', false), ('full_page_writes', false), ('ignore_checksum_failure', true),
  ('ignore_invalid_pages', true), ('zero_damaged_pages', true)),
own AS (
  SELECT u.name, coalesce(r.rolname, '') AS role, coalesce(d.datname, '') AS database
  FROM pg_db_role_setting x CROSS JOIN LATERAL unnest(x.setconfig) AS c(entry)
    JOIN unsafe u ON u.name = split_part(c.entry, '=', 1)
      AND substr(c.entry, length(u.name) + 2)::bool = u.value
    LEFT JOIN pg_roles r ON r.oid = x.setrole LEFT JOIN pg_database d ON d.oid = x.setdatabase)
SELECT u.name, CASE u.value WHEN true THEN 'on' ELSE 'off' END AS value, own.role, own.database,
  s.setting::bool = u.value AS here
FROM unsafe u JOIN pg_settings s ON s.name = u.name LEFT JOIN own ON own.name = u.name
ORDER BY u.name, own.database, own.role)";

class Server final : public Collector {
 public:
  explicit Server(bool copy) : copy_(copy) {}

  void declare(Batch& /*out*/) const override {}

  Progress collect(Sources& from, Batch& out) override {
    const Rows rows = from.session().query(kFacts);
    const UnixTime midway = from.clock().unix_now() - rows.elapsed().count() / 2;
    const Row facts = rows.only();
    const std::string& version = facts.text("version");
    out.set(kServerInfo, 1, version.substr(0, version.find(' ')),
            std::string(facts.flag("in_recovery") ? "standby" : "primary"),
            facts.text("system_identifier"));
    if (!facts.flag("in_recovery") && !copy_)
      out.set(kWritable, 1, facts.text("system_identifier"), facts.text("timeline"));
    out.set(kClockOffset, facts.number("now") - midway);
    look_at_settings(from, out);
    return Progress::done;
  }

 private:
  /// A setting that was always safe has no series, because it proves nothing about the data.
  static void look_at_settings(Sources& from, Batch& out) {
    const Rows rows = from.session().query(kSettings);
    std::map<std::string, bool> unsafe;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Row row = rows[i];
      const std::string& name = row.text("name");
      if (!from.wants(std::array<std::string, 1>{name})) continue;
      const bool first = !unsafe.contains(name);
      const bool own = row.maybe_text("role").has_value();
      unsafe[name] = unsafe[name] || own || row.flag("here");
      const std::string is = name + " is " + row.text("value");
      if (first && row.flag("here")) out.evidence(kUnsafeSetting, is, name);
      if (own) out.evidence(kUnsafeSetting, is + for_whom(row), name);
    }
    for (const auto& [name, value] : unsafe)
      if (value || from.previous(kUnsafeSetting, std::array<std::string, 1>{name}))
        out.set(kUnsafeSetting, value ? 1 : 0, name);
  }

  static std::string for_whom(const Row& row) {
    const std::string& role = row.text("role");
    const std::string& database = row.text("database");
    return (role.empty() ? "" : " for the role " + role) +
           (database.empty() ? "" : " in the database " + database);
  }

  bool copy_;
};

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<Server>(given.own.flag("copy"));
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{
    .name = "server",
    .summary = "version, role, identity, clock and unsafe settings of the server",
    .object_noun = "server check",
    .report_section = "Server",
    .question = Question::intact,
    .lane = Lane::quick,
    .scope = Scope::server,
    .depends_on = DependsOn::outside | DependsOn::time,
    .interval = "30s",
    .deadline = "10s",
    .metrics = kMetrics,
    .identity = kIdentity,
    .options = kOptions,
    .reads = no_reads,
    .make = make};

}  // namespace pg_integrity::server
