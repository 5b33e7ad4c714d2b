// Connections: who is connected, in which state, how much room is left, and which users or
// addresses are unexpected. The collector sees the sessions of one moment, not those between two
// checks.
#include <algorithm>
#include <map>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/glob.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/table_scan.h"

namespace pg_integrity::connections {

namespace {

constexpr auto kConnections =
    gauge("pg_integrity_connections",
          "Client sessions by user and state; the state is \"hidden\" if our role may not see it.",
          "user", "state");
constexpr auto kMax = gauge("pg_integrity_connections_max",
                            "Sessions that the server takes, those reserved for superusers "
                            "included (max_connections).");
constexpr auto kAvailable =
    gauge("pg_integrity_connections_available",
          "Sessions that ordinary roles could still open: neither taken nor reserved.");
constexpr auto kUnexpected = gauge(
    "pg_integrity_unexpected_connections",
    "Sessions of users outside allow.users or from networks outside allow.networks.",
    must_be(0).says(
        "{value} {session is|sessions are} of users or from networks that `allow` does not list."));

constexpr auto kSilent =
    gauge("pg_integrity_connection_log_silent",
          "1 if the configured connection log has no entry since the newest session began.",
          must_be(0).says("The connection log has no entry since the newest session began."));

constexpr const MetricInfo* kMetrics[] = {&kConnections, &kMax, &kAvailable, &kUnexpected,
                                          &kSilent};

constexpr std::string_view kIdentity[] = {"user"};

// Our role sees NULL for what it may not know of others' sessions, above all the kind of process.
// Two kinds of such sessions count: those with a database, and those that are seen to replicate.
// The server's own workers have a user, too, and do not count. Replicas and base backups take no
// place of an ordinary session.
constexpr std::string_view kSessions = R"(
SELECT usename AS user, CASE WHEN backend_type IS NULL THEN 'hidden'
    ELSE coalesce(state, 'starting') END AS state,
  coalesce(host(client_addr), 'local') AS address, backend_type IS NULL AS hidden,
  client_addr IS NULL OR client_addr <<= ANY ($1::inet[]) AS from_inside,
  backend_type IS NOT DISTINCT FROM 'walsender' OR r.pid IS NOT NULL AS replicates,
  count(*) AS sessions
FROM pg_stat_activity LEFT JOIN (SELECT pid FROM pg_stat_replication) r USING (pid)
WHERE usename IS NOT NULL AND (backend_type IN ('client backend', 'walsender')
  OR backend_type IS NULL AND (datid IS NOT NULL OR r.pid IS NOT NULL))
GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3)";

constexpr std::string_view kRoom = R"(
SELECT current_setting('max_connections') AS most, (SELECT sum(setting::int) FROM pg_settings
  WHERE name IN ('superuser_reserved_connections', 'reserved_connections')) AS reserved)";

constexpr Option kLogOptions[] = {
    {.name = "schema", .fallback = "public", .help = "schema of the log"},
    {.name = "table", .help = "the log, in the database of the DSN", .required = true},
    {.name = "time", .help = "column: when somebody connected", .required = true},
    {.name = "zone",
     .type = OptionType::zone,
     .help = "IANA zone of that column, if it has none of its own"},
    {.name = "grace",
     .type = OptionType::duration,
     .fallback = "5m",
     .help = "how late an entry may be",
     .min = 1}};

constexpr Option kOptions[] = {
    {.name = "log",
     .type = OptionType::record,
     .help = "a table in which every session with the database should leave an entry, ours too",
     .members = kLogOptions},
    {.name = "exact_up_to",
     .type = OptionType::size,
     .fallback = "1GiB",
     .help = "a log with a larger heap is read through an index on its time column only"}};

/// The newest session that is old enough to have left an entry, and the newest entry. Entries of
/// the future are left out, because one of them would hide for long that the log is silent.
std::string silence_sql(const Table& table, const Column& time, const ScanWish& wish) {
  return "SELECT extract(epoch FROM s.started) AS started, extract(epoch FROM l.newest) AS newest"
         " FROM (SELECT max(backend_start) AS started FROM pg_stat_activity"
         " WHERE datname = current_database() AND backend_type = 'client backend'"
         " AND backend_start < now() - pg_catalog.make_interval(secs => $1::float8)) s,"
         " (SELECT " +
         newest_moment_sql(table, time, wish.zone) + " AS newest) l";
}

constexpr std::string_view kServerOptions[] = {"allow"};

class Connections final : public Collector {
 public:
  explicit Connections(const Configuration& given)
      : exact_up_to_(given.own.number("exact_up_to")),
        users_(given.server.allow.users),
        networks_(given.server.allow.networks) {
    if (const Settings* log = given.own.record("log"))
      log_ = ScanWish{{log->text("schema"), log->text("table")},
                      log->text("time"),
                      log->text_or_empty("zone"),
                      log->duration("grace")};
  }

  void declare(Batch& /*out*/) const override {}

  Progress collect(Sources& from, Batch& out) override {
    std::string networks;
    if (networks_)
      for (const std::string& network : *networks_)
        networks += (networks.empty() ? "" : ",") + network;
    const std::array<std::string, 1> parameters{"{" + networks + "}"};
    const Rows rows = from.session().query(kSessions, parameters);
    report_sessions(from, rows, out);
    if (users_ || networks_) judge(rows, out);
    if (log_)
      out.attempt(kSilent, std::array<std::string, 0>{}, [&] { look_at_log(from, *log_, out); });
    return Progress::done;
  }

 private:
  static void report_sessions(Sources& from, const Rows& rows, Batch& out) {
    std::map<std::pair<std::string, std::string>, double> sessions;
    double all = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i].flag("replicates")) continue;
      sessions[{rows[i].text("user"), rows[i].text("state")}] += rows[i].number("sessions");
      all += rows[i].number("sessions");
    }
    for (const auto& [who, count] : sessions) out.set(kConnections, count, who.first, who.second);
    const Row room = from.session().query(kRoom).only();
    out.set(kMax, room.number("most"));
    out.set(kAvailable, std::max(0.0, room.number("most") - room.number("reserved") - all));
  }

  void judge(const Rows& rows, Batch& out) const {
    double unexpected = 0;
    bool complete = true;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Row row = rows[i];
      const std::string& user = row.text("user");
      const bool stranger = users_ && !matches_any_glob(*users_, user);
      if (!stranger && networks_ && row.flag("hidden")) {
        complete = false;
        out.unproven(kUnexpected, Reason::permission,
                     "where others connect from is hidden. HINT: grant this role pg_monitor");
      } else if (stranger || (networks_ && !row.flag("from_inside"))) {
        unexpected += row.number("sessions");
        out.evidence(
            kUnexpected,
            user + " from " + (row.flag("hidden") ? "a hidden address" : row.text("address")));
      }
    }
    if (complete || unexpected > 0) out.set(kUnexpected, unexpected);
  }

  /// Without a session that should have left an entry, the answer before stands.
  void look_at_log(Sources& from, const ScanWish& log, Batch& out) const {
    const auto schema = from.schema();
    const Table* table = schema->table(log.table);
    const Column* time = table == nullptr ? nullptr : table->column(log.time_column);
    if (time == nullptr)
      throw SourceError(Reason::missing, "there is no connection log " + log.table.display() +
                                             " with a column " + log.time_column);
    const bool large = heap_bytes(from.session(), *table) > exact_up_to_;
    if (large && !time->leads_index)
      throw SourceError(Reason::too_large,
                        "the connection log is above exact_up_to and no index leads with " +
                            log.time_column + ". HINT: create one, or raise exact_up_to");
    const std::array<std::string, 1> parameters{std::to_string(log.window.count())};
    const Row row = from.session()
                        .query(silence_sql(*table, *time, log), parameters,
                               large ? Access::index : Access::heap)
                        .only();
    const auto newest = row.maybe_number("newest");
    const auto before = from.previous(kSilent, std::array<std::string, 0>{});
    if (const auto started = row.maybe_number("started"))
      out.set(kSilent, newest && *newest >= *started - log.window.count() ? 0 : 1);
    else if (before)
      out.set(kSilent, before->value);
    out.evidence(kSilent, "connection log " + log.table.display());
  }

  double exact_up_to_;
  std::optional<std::vector<std::string>> users_;
  std::optional<std::vector<std::string>> networks_;
  std::optional<ScanWish> log_;
};

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<Connections>(given);
}

void add_reads(const Configuration& given, Session& /*session*/, const Schema& schema,
               Reads& reads) {
  reads.sessions = true;
  if (const Settings* log = given.own.record("log"))
    reads.add(schema, {log->text("schema"), log->text("table")}, {log->text("time")});
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{
    .name = "connections",
    .summary = "sessions by user and state, room for more, and who should not be connected",
    .object_noun = "connection check",
    .report_section = "Connections",
    .question = Question::intact,
    .lane = Lane::quick,
    .scope = Scope::server,
    .depends_on = DependsOn::outside,
    .interval = "30s",
    .deadline = "10s",
    .metrics = kMetrics,
    .identity = kIdentity,
    .options = kOptions,
    .server_options = kServerOptions,
    .reads = add_reads,
    .make = make};

}  // namespace pg_integrity::connections
