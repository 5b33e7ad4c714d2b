// Superusers: roles that stand above every privilege. A role that may SET ROLE to a superuser
// counts as one, because it needs nobody's help. The collector judges only if the configuration
// says who may be one.
#include "collectors/audit/write_access.h"
#include "collectors/base/batch.h"
#include "collectors/base/glob.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/table_scan.h"

namespace pg_integrity::superusers {

namespace {

constexpr auto kUnexpected =
    gauge("pg_integrity_unexpected_superusers",
          "Roles outside allow.superusers that are superusers or may SET ROLE to one.",
          must_be(0).says("{value} {role is a superuser|roles are superusers}, or may become one, "
                          "and `allow` does not list {it|them}."));

constexpr const MetricInfo* kMetrics[] = {&kUnexpected};

// Attributes and memberships that come close to a superuser are told, not counted.
constexpr std::string_view kRoles = R"(
SELECT r.rolname AS role, r.rolsuper OR EXISTS (SELECT FROM pg_roles s
    WHERE s.rolsuper AND pg_has_role(r.oid, s.oid, '%s')) AS superuser,
  concat_ws(', ', CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END,
    CASE WHEN r.rolreplication THEN 'REPLICATION' END,
    CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,
    CASE WHEN %s THEN 'SET session_replication_role' END,
    (SELECT string_agg(p.rolname, ', ' ORDER BY p.rolname) FROM pg_roles p
      WHERE p.rolname IN ('pg_execute_server_program', 'pg_write_server_files')
      AND p.oid <> r.oid AND pg_has_role(r.oid, p.oid, 'MEMBER'))) AS powers
FROM pg_roles r ORDER BY r.rolname)";

/// A role that may set session_replication_role goes past every trigger, those of foreign keys
/// included. From version 15 on this right can be granted.
std::string roles_sql(int version_num) {
  std::string sql(kRoles);
  sql.replace(sql.find("%s"), 2, set_role_right(version_num));
  return sql.replace(sql.find("%s"), 2,
                     version_num >= 150000
                         ? "has_parameter_privilege(r.oid, 'session_replication_role', 'SET')"
                         : "false");
}

constexpr std::string_view kServerOptions[] = {"allow"};

class Superusers final : public Collector {
 public:
  explicit Superusers(const Configuration& given) : allowed_(given.server.allow.superusers) {}

  void declare(Batch& /*out*/) const override {}

  Progress collect(Sources& from, Batch& out) override {
    if (!allowed_) return Progress::done;
    Session& session = from.session();
    const Rows rows = session.query(roles_sql(session.server().version_num));
    double unexpected = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::string role = rows[i].text("role");
      if (matches_any_glob(*allowed_, role)) continue;
      const std::string powers = rows[i].text("powers");
      if (rows[i].flag("superuser")) {
        ++unexpected;
        out.evidence(kUnexpected, role + " is a superuser, or may become one");
      } else if (!powers.empty()) {
        out.evidence(kUnexpected, (role + " has ").append(powers));
      }
    }
    out.set(kUnexpected, unexpected);
    return Progress::done;
  }

 private:
  std::optional<std::vector<std::string>> allowed_;
};

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<Superusers>(given);
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{
    .name = "superusers",
    .summary = "who is a superuser, or may become one",
    .object_noun = "superuser check",
    .report_section = "Superusers",
    .question = Question::intact,
    .lane = Lane::quick,
    .scope = Scope::server,
    .depends_on = DependsOn::outside,
    .interval = "1m",
    .deadline = "10s",
    .metrics = kMetrics,
    .identity = {},
    .server_options = kServerOptions,
    .wanted = [](const Configuration& given) { return given.server.allow.given; },
    .wanted_hint = "say who may be one: allow = { superusers = [\"postgres\"] }",
    .wanted_snippet = R"(allow = { superusers = ["postgres"] }  # before the first [server...])",
    .reads = no_reads,
    .make = make};

}  // namespace pg_integrity::superusers
