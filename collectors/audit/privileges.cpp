// LOGIN roles that may change data and are on no list of those who may. A role may change a table
// if it may write to it, or owns it and so may switch its triggers off. The collector judges by
// what a role can do, so grants to PUBLIC, memberships and SET ROLE count. Superusers are reported
// by superusers.cpp.
//
// The collector also reports what our own role could do beyond reading. It judges that once `allow`
// says who may do what, because a first try as postgres is no damage to the data.
#include <algorithm>

#include "collectors/audit/write_access.h"
#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/glob.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/qualified_name.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/table_scan.h"

namespace pg_integrity::privileges {

namespace {

constexpr auto kWriters =
    gauge("pg_integrity_unexpected_writers",
          "LOGIN roles that may change or own the table and are on no list of those who may; only "
          "of configured tables and where there are any.",
          must_be(0).says("{value} {role|roles} may change or own {schema}.{table} and {is|are} on "
                          "no list of those who may."),
          "schema", "table");
constexpr auto kOwnExcessMax =
    gauge("pg_integrity_own_excess_privileges_max",
          "Upper limit of own_excess_privileges: 0 where `allow` is configured.");
constexpr auto kOwnExcess = gauge(
    "pg_integrity_own_excess_privileges",
    "Kinds of privileges beyond reading that the exporter's own role has.",
    at_most(kOwnExcessMax)
        .says("The exporter's own role has {value} {kind|kinds} of privileges beyond reading, it "
              "may have {limit}."));

constexpr const MetricInfo* kMetrics[] = {&kWriters, &kOwnExcess, &kOwnExcessMax};

constexpr std::string_view kIdentity[] = {"schema", "table"};

// Every LOGIN role but superusers, who need no privilege.
constexpr std::string_view kLoginRoles =
    "SELECT oid, rolname AS role FROM pg_roles WHERE rolcanlogin AND NOT rolsuper";

// One row per power, or one row without a power. A superuser has all the others, too, so only that
// one is told.
constexpr std::string_view kOwnPowers = R"(
SELECT r.oid, r.rolname AS role, r.rolsuper AS superuser, p.power
FROM pg_roles r LEFT JOIN LATERAL (
  SELECT 'superuser' AS power WHERE r.rolsuper
  UNION ALL SELECT 'CREATEDB' WHERE r.rolcreatedb AND NOT r.rolsuper
  UNION ALL SELECT 'CREATEROLE' WHERE r.rolcreaterole AND NOT r.rolsuper
  UNION ALL SELECT 'REPLICATION' WHERE r.rolreplication AND NOT r.rolsuper
  UNION ALL SELECT 'membership in ' || m.rolname FROM pg_roles m
    WHERE NOT r.rolsuper AND m.oid <> r.oid AND pg_has_role(r.oid, m.oid, 'MEMBER')
    AND (m.rolsuper OR m.rolname IN ('pg_execute_server_program', 'pg_write_server_files',
      'pg_write_all_data', 'pg_signal_backend', 'pg_checkpoint', 'pg_maintain',
      'pg_create_subscription'))) p ON true
WHERE r.rolname = current_user)";

constexpr Option kTableOptions[] = {
    {.name = "database", .help = "where it is; default: the database of the DSN"},
    {.name = "schema", .fallback = "public", .help = "schema of the table"},
    {.name = "table", .help = "the table", .required = true},
    {.name = "writers",
     .type = OptionType::texts,
     .help = "roles that may change this table, by name or glob; default: allow.writers"}};

constexpr Option kOptions[] = {
    {.name = "tables",
     .type = OptionType::records,
     .help = "tables that are shown even while they are as they should be, audit logs before all",
     .members = kTableOptions}};

struct GuardedTable {
  QualifiedName name;
  std::vector<std::string> writers;
};

struct LoginRole {
  std::string oid;
  std::string name;
};

std::vector<LoginRole> login_roles(Session& session) {
  std::vector<LoginRole> roles;
  const Rows rows = session.query(kLoginRoles);
  for (std::size_t i = 0; i < rows.size(); ++i)
    roles.push_back({rows[i].text("oid"), rows[i].text("role")});
  return roles;
}

std::vector<std::string> oids_outside(const std::vector<LoginRole>& roles,
                                      const std::vector<std::string>& list) {
  std::vector<std::string> oids;
  for (const LoginRole& role : roles)
    if (!matches_any_glob(list, role.name)) oids.push_back(role.oid);
  return oids;
}

constexpr std::string_view kServerOptions[] = {"allow"};

class Privileges final : public Collector {
 public:
  explicit Privileges(const Configuration& given)
      : judges_own_role_(given.server.allow.given), allowed_(given.server.allow.writers) {
    for (const Settings& record : given.own.records("tables"))
      guarded_.push_back({{record.text("schema"), record.text("table")},
                          record.has("writers") ? record.texts("writers")
                                                : allowed_.value_or(std::vector<std::string>())});
  }

  void declare(Batch& out) const override {
    if (judges_own_role_) out.set(kOwnExcessMax, 0);
  }

  Progress collect(Sources& from, Batch& out) override {
    if (from.wants(std::array<std::string, 0>{})) look_at_own_role(from, out);
    if (!allowed_ && guarded_.empty()) return Progress::done;
    const auto schema = from.schema();
    const std::vector<LoginRole> roles = login_roles(from.session());
    for (const GuardedTable& guarded : guarded_)
      out.attempt(kWriters, {guarded.name.schema, guarded.name.name},
                  [&] { look_at(from, *schema, guarded, roles, out); });
    if (allowed_) look_at_others(from, *schema, roles, out);
    return Progress::done;
  }

 private:
  static void look_at(Sources& from, const Schema& schema, const GuardedTable& guarded,
                      const std::vector<LoginRole>& roles, Batch& out) {
    const auto& [schema_name, table] = guarded.name;
    if (!from.wants(std::array<std::string, 2>{schema_name, table})) return;
    out.weight(kWriters, true, 0, schema_name, table);
    if (schema.table(guarded.name) == nullptr)
      throw SourceError(Reason::missing, "table " + guarded.name.display() + " does not exist");
    report(guarded.name,
           writers_among(from.session(), oids_outside(roles, guarded.writers),
                         &guarded.name)[guarded.name],
           out);
  }

  /// Reports those other tables that have unexpected writers, or had them at the check before.
  void look_at_others(Sources& from, const Schema& schema, const std::vector<LoginRole>& roles,
                      Batch& out) const {
    WritersByTable found = writers_among(from.session(), oids_outside(roles, *allowed_), nullptr);
    for (const Table& table : schema.tables) {
      const std::array<std::string, 2> labels{table.name.schema, table.name.name};
      if (is_guarded(table.name) || !from.wants(labels)) continue;
      const auto before = from.previous(kWriters, labels);
      const auto writers = found.find(table.name);
      if (writers != found.end() || (before && before->value > 0))
        report(table.name, writers == found.end() ? Writers{} : writers->second, out);
    }
  }

  static void report(const QualifiedName& table, const Writers& writers, Batch& out) {
    out.set(kWriters, writers.count, table.schema, table.name);
    if (writers.count > 0)
      out.evidence(kWriters, "may be changed by " + writers.roles, table.schema, table.name);
  }

  static void look_at_own_role(Sources& from, Batch& out) {
    const Rows rows = from.session().query(kOwnPowers);
    if (rows.size() == 0) throw SourceError(Reason::decode, "the own role is not among the roles");
    std::vector<std::string> excess;
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (const auto power = rows[i].maybe_text("power")) excess.push_back(*power);
    if (!rows[0].flag("superuser")) {
      const auto schema = from.schema();
      const auto writable = writers_among(from.session(), {rows[0].text("oid")}, nullptr);
      const auto tables = std::count_if(writable.begin(), writable.end(), [&](const auto& entry) {
        return schema->table(entry.first) != nullptr;
      });
      if (tables > 0) excess.push_back("writing to " + std::to_string(tables) + " tables");
    }
    out.set(kOwnExcess, static_cast<double>(excess.size()));
    for (const std::string& power : excess)
      out.evidence(kOwnExcess, rows[0].text("role") + " needs no " + power +
                                   ". HINT: deploy/grants.sql makes a role that can only read");
  }

  [[nodiscard]] bool is_guarded(const QualifiedName& table) const {
    return std::any_of(guarded_.begin(), guarded_.end(),
                       [&](const GuardedTable& guarded) { return guarded.name == table; });
  }

  bool judges_own_role_;
  std::optional<std::vector<std::string>> allowed_;
  std::vector<GuardedTable> guarded_;
};

void check(const Configuration& given, Problems& problems) {
  for (const Settings& record : given.own.records("tables"))
    if (!record.has("writers") && !given.server.allow.writers)
      problems.add(record.place(), "nothing says who may change \"" + record.text("table") + "\"",
                   "give it `writers`, or the server allow = { writers = [\"…\"] }");
}

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<Privileges>(given);
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{
    .name = "privileges",
    .summary = "who may change data, and what the exporter's own role could do beyond reading",
    .object_noun = "privilege check",
    .report_section = "Privileges",
    .question = Question::intact,
    .lane = Lane::quick,
    .scope = Scope::database,
    .depends_on = DependsOn::outside,
    .interval = "5m",
    .deadline = "30s",
    .metrics = kMetrics,
    .identity = kIdentity,
    .options = kOptions,
    .server_options = kServerOptions,
    .check = check,
    .reads = no_reads,
    .make = make};

}  // namespace pg_integrity::privileges
