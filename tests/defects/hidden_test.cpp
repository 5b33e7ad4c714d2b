// Tables that the exporter's role may not read, or whose rows row-level security may hide from it.
// In every collector they must be unproven, and the page must have no value of theirs.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "collectors/ports/session.h"
#include "collectors/registry.h"
#include "exporter/evidence/self_metrics.h"
#include "tests/defects/matrix.h"
#include "tests/support/api_server.h"
#include "tests/support/cluster.h"
#include "tests/support/exporter.h"
#include "tests/support/wire.h"

namespace pg_integrity::test::hidden_test {
namespace {

/// A table for every collector that checks tables, and a partition with a key of its own.
constexpr const char* kTables = R"(
CREATE SCHEMA app;
CREATE TABLE app.parent (id serial PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now());
INSERT INTO app.parent DEFAULT VALUES;
CREATE TABLE app.child (id int PRIMARY KEY, parent_id int REFERENCES app.parent, picture text, code text);
INSERT INTO app.child VALUES (1, 1, 'https://example.org/1.png', 'a');
CREATE TABLE app.events (id int PRIMARY KEY, parent_id int REFERENCES app.parent) PARTITION BY RANGE (id);
CREATE TABLE app.events_1 PARTITION OF app.events FOR VALUES FROM (0) TO (100);
CREATE UNIQUE INDEX own ON app.events_1 (parent_id);
INSERT INTO app.events VALUES (1, 1);
CREATE TABLE app.changes (about text, at timestamptz);
CREATE FUNCTION app.note() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO app.changes VALUES (TG_TABLE_NAME, now()); RETURN OLD; END $$;
CREATE TRIGGER note AFTER DELETE ON app.child FOR EACH ROW EXECUTE FUNCTION app.note();
CREATE TABLE app.guards (enabled boolean, verified_at timestamptz);
INSERT INTO app.guards VALUES (true, now());
CREATE TABLE app.copies (at timestamptz, kind text);
INSERT INTO app.copies VALUES (now(), 'full');
CREATE TABLE app.entrances (at timestamptz);
INSERT INTO app.entrances VALUES (now() + interval '50 seconds');
GRANT USAGE ON SCHEMA app TO hidden_watcher;
GRANT SELECT ON ALL TABLES IN SCHEMA app TO hidden_watcher;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA app TO hidden_watcher;
)";

/// Without `proofs`, which reads files and no rows.
constexpr const char* kConfiguration = R"toml(
[server.collectors.proofs]
enabled = false

[[server.backups]]
name = "copies"
table = { schema = "app", table = "copies", time = "at", kind = "kind" }
kinds = { full = { values = ["full"], every = "24h" } }

[[server.collectors.row_counts.limits]]
schema = "app"
table = "child"
min_rows = 1
max_drop = 0.5

[[server.collectors.orphans.references]]
name = "declared"
schema = "app"
table = "events"
columns = ["parent_id"]
referenced_schema = "app"
referenced_table = "parent"
referenced_columns = ["id"]

[[server.collectors.duplicates.keys]]
name = "declared"
schema = "app"
table = "child"
columns = ["lower(code)"]

[[server.collectors.freshness.tables]]
schema = "app"
table = "changes"
column = "at"

[[server.collectors.audit_logs.logs]]
name = "changes"
schema = "app"
table = "changes"
time = "at"
max_recent = 0

[[server.collectors.audit_triggers.audited]]
tables = ["app.child"]
function = "app.note"
log = { schema = "app", table = "changes", about = "about" }

[[server.collectors.protection.protections]]
name = "wall"
schema = "app"
table = "guards"
enabled = "enabled"
verified_at = "verified_at"
max_age = "1d"

[[server.collectors.media.columns]]
schema = "app"
table = "child"
column = "picture"
must_be = "url"
bytes = true

[[server.collectors.custom.queries]]
name = "codes"
sql = "SELECT count(*) AS missing FROM app.child WHERE code IS NULL"
metrics = { missing_codes = { value = "missing", help = "Rows without a code.", must_be = 0 } }

[[server.collectors.query_latency.queries]]
name = "first"
sql = "SELECT id FROM app.child LIMIT 1"
objective = "10s"

[[server.collectors.api_sync.endpoints]]
name = "children"
url = "API"
tables = ["app.child"]

[server.collectors.connections]
log = { schema = "app", table = "entrances", time = "at", grace = "1s" }
)toml";

/// Metrics of hidden tables that stay, because they do not come from rows. The catalog says whether
/// a key is enforced. An endpoint answers even if its count cannot be compared.
const std::set<std::string> kNotFromRows{"foreign_key_enforced", "api_up"};

/// The metrics on the page about tables if no table can be read.
const std::set<std::string> kFromCatalog{"audit_trigger_enabled", "foreign_key_enforced",
                                         "invalid_indexes"};

/// Objects that are read from the catalog alone.
bool is_from_catalog(const std::string& object) {
  static const std::set<std::string> kObjects{
      "amcheck", "server",      "privileges",         "inventory",
      "storage", "storage/app", "storage/pg_catalog", "audit_triggers/app.child.delete"};
  return kObjects.contains(object) || object.starts_with("connections/") ||
         object.starts_with("inventory/");
}

/// The object that needs its sequence alone, and no table.
constexpr std::string_view kSequence = "sequence_use/app.parent.id";

struct Hidden {
  std::string how;
  std::string sql;
  std::set<std::string> objects = {};  ///< the objects that cannot be read; empty for all tables
  bool sequences_too = false;          ///< whether the sequence cannot be read either
  std::string reason = "permission";
};

/// Statements of users run without the guard, and so a policy is an error for them.
const std::set<std::string> kUsersQueries{"custom/codes", "query_latency/first"};

const std::vector<Hidden> kHidden{
    {"no grant on any table", "REVOKE ALL ON ALL TABLES IN SCHEMA app FROM hidden_watcher"},
    {"no grant on the schema", "REVOKE ALL ON SCHEMA app FROM hidden_watcher", {}, true},
    {"row-level security that hides all",
     R"(SELECT format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', oid::regclass) FROM pg_class
        WHERE relnamespace = 'app'::regnamespace AND relkind IN ('r', 'p') \gexec)",
     {},
     false,
     "policy"},
    {"row-level security that shows all, but not to queries of somebody's own",
     R"(SELECT format('ALTER TABLE %1$s ENABLE ROW LEVEL SECURITY; CREATE POLICY all_rows ON %1$s USING (true)',
          oid::regclass) FROM pg_class
        WHERE relnamespace = 'app'::regnamespace AND relkind IN ('r', 'p') \gexec)",
     kUsersQueries},
    {"no grant on the parent",
     "REVOKE ALL ON app.parent FROM hidden_watcher",
     {"row_counts/app.parent", "duplicates/app.parent.parent_pkey",
      "freshness/app.parent.created_at", "orphans/app.child.child_parent_id_fkey",
      "orphans/app.events.declared", "orphans/app.events.events_parent_id_fkey",
      "storage/app.parent.id"}},
    {"no grant on the sequence",
     "REVOKE ALL ON SEQUENCE app.parent_id_seq FROM hidden_watcher",
     {"storage/app.parent.id"},
     true},
    // A role that may read the whole table may read each partition through it.
    {"no grant on the partition",
     "REVOKE ALL ON app.events_1 FROM hidden_watcher",
     {"duplicates/app.events_1.own"}},
    {"row-level security of the partition",
     "ALTER TABLE app.events_1 ENABLE ROW LEVEL SECURITY",
     {"duplicates/app.events_1.own"},
     false,
     "policy"},
    {"a grant on one column",
     "REVOKE ALL ON app.changes FROM hidden_watcher; GRANT SELECT (about) ON app.changes TO"
     " hidden_watcher",
     {"audit_logs/changes", "freshness/app.changes.at"}},
};

/// The report's state of an object, and the values that it shows.
struct Seen {
  std::string state;
  std::string reason;
  std::set<std::string> metrics;
};

struct Look {
  std::map<std::string, Seen> objects;
  std::set<std::string> metrics;  ///< judged metrics on the page about the tables
};

Look look(const std::string& configuration) {
  const ExporterProcess exporter(configuration);
  exporter.wait_until_ready();
  Look seen;
  const PageText page = exporter.page();
  for (const Series& series : page.series()) {
    const auto schema = series.labels.find("schema");
    const std::string metric = series.name.substr(series.name.find("_integrity_") + 11);
    if (schema != series.labels.end() && schema->second == "app" && is_in_catalogue(metric))
      seen.metrics.insert(metric);
  }
  const auto report = nlohmann::json::parse(fetch(exporter.port(), "/report.json").body);
  for (const auto& server : report.at("servers"))
    for (const auto& database : server.at("databases"))
      for (const auto& collector : database.at("collectors"))
        for (const auto& object : collector.at("objects")) {
          Seen& one = seen.objects[object.at("object")];
          one.state = object.at("state");
          if (!object.at("reason").is_null()) one.reason = object.at("reason");
          for (const auto& value : object.at("values")) {
            const std::string series = value.at("series");
            one.metrics.insert(series.substr(0, series.find('{')));
          }
        }
  return seen;
}

bool is_well(const Seen& seen) {
  return seen.state == "proven" || seen.state == "observed";
}

void expect_hidden(const Seen& seen, const std::string& reason) {
  EXPECT_TRUE(seen.state == "unproven" || (seen.state == "limited" && reason == "policy"))
      << seen.state;
  EXPECT_EQ(seen.reason, reason);
  for (const std::string& metric : seen.metrics)
    EXPECT_TRUE(!is_in_catalogue(metric) || kNotFromRows.contains(metric)) << metric;
}

TEST(HiddenTables, AreUnprovenByAllCollectorsAndNeverZero) {
  const ApiServer api([](const ApiAsked&) { return ApiAnswer{200, "1"}; });
  Client(Cluster::shared().dsn("postgres")).run("CREATE ROLE hidden_watcher LOGIN");
  const auto configuration = [&](const Database& database) {
    return "[[server]]\nname = \"test\"\nmax_load = 1\ndsn = \"" + database.dsn("hidden_watcher") +
           "\"\n" + replaced(kConfiguration, "API", api.url());
  };
  const Database open;
  open.run(kTables);
  const auto seen = look(configuration(open));
  std::set<std::string> collectors;
  for (const auto& [object, one] : seen.objects) {
    EXPECT_TRUE(is_well(one)) << object << " " << one.state;
    if (!is_from_catalog(object)) collectors.insert(object.substr(0, object.find('/')));
  }
  EXPECT_EQ(collectors.size(), 15U) << "all that look at tables or sequences";
  EXPECT_TRUE(seen.metrics.contains("orphaned_rows") && seen.metrics.contains("duplicate_rows"));

  for (const Hidden& hidden : kHidden) {
    SCOPED_TRACE(hidden.how);
    const Database database;
    database.run(kTables);
    run_psql(database.dsn(), hidden.sql);
    const auto now = look(configuration(database));
    if (hidden.objects.empty()) {
      auto told = kFromCatalog;
      if (!hidden.sequences_too) told.insert("sequence_used_ratio");
      EXPECT_EQ(now.metrics, told);
    }
    for (const auto& [object, before] : seen.objects) {
      SCOPED_TRACE(object);
      if (!now.objects.contains(object)) {
        EXPECT_EQ(before.state, "observed") << "what is judged does not vanish";
        continue;
      }
      const bool readable = object == kSequence      ? !hidden.sequences_too
                            : hidden.objects.empty() ? is_from_catalog(object)
                                                     : !hidden.objects.contains(object);
      if (readable)
        EXPECT_TRUE(is_well(now.objects.at(object))) << now.objects.at(object).state;
      else
        expect_hidden(now.objects.at(object),
                      kUsersQueries.contains(object) ? "permission" : hidden.reason);
    }
  }
}

}  // namespace
}  // namespace pg_integrity::test::hidden_test
