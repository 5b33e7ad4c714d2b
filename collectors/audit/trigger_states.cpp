#include "collectors/audit/trigger_states.h"

#include "collectors/base/qualified_name.h"

namespace pg_integrity {

namespace {

// Before version 15 the clones of a trigger on partitions are marked internal. They can be disabled
// one by one. If a role or the database is set to session_replication_role = replica, only triggers
// that are ENABLE ALWAYS count as enabled, because no other fires for it. A partitioned table
// without a partition is judged itself. tgtype: 8 delete, 16 update, 32 truncate.
constexpr std::string_view kStates = R"(
WITH RECURSIVE replica AS (
  SELECT EXISTS (SELECT FROM pg_db_role_setting s, unnest(s.setconfig) AS u(entry)
    WHERE lower(u.entry) = 'session_replication_role=replica' AND s.setdatabase IN (0, (
      SELECT oid FROM pg_database WHERE datname = current_database()))) AS somebody),
part(root, oid) AS (
  SELECT oid, oid FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition
    AND relpersistence <> 't' AND relnamespace <> 'pg_catalog'::regnamespace
  UNION ALL
  SELECT part.root, i.inhrelid FROM part JOIN pg_inherits i ON i.inhparent = part.oid
    JOIN pg_class l ON l.oid = i.inhrelid AND l.relispartition),
audit AS (
  SELECT t.tgrelid, t.tgtype, t.tgenabled = 'A' OR t.tgenabled = 'O'
      AND NOT (SELECT somebody FROM replica) AS enabled, t.tgqual IS NOT NULL AS partly,
    cardinality(t.tgattr::int2[]) > 0 AS by_column,
    $3 NOT IN ('', encode(sha256(convert_to(f.prosrc, 'UTF8')), 'hex')) AS changed
  FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid JOIN pg_namespace n ON n.oid = f.pronamespace
  WHERE n.nspname = $1 AND f.proname = $2),
state AS (
  SELECT part.root, e.event, coalesce(min(CASE
    WHEN a.tgrelid IS NULL THEN 4
    WHEN a.partly OR a.by_column AND e.event = 'update' THEN 3
    WHEN NOT a.enabled THEN 2
    WHEN a.changed THEN 1
    ELSE 0 END), 4) AS state
  FROM part JOIN pg_class c ON c.oid = part.oid AND (c.relkind = 'r' OR c.oid = part.root
      AND part.root NOT IN (SELECT p.root FROM part p JOIN pg_class l ON l.oid = p.oid
        AND l.relkind <> 'p'))
    CROSS JOIN (VALUES ('delete', 8), ('update', 16), ('truncate', 32)) AS e(event, bit)
    LEFT JOIN audit a ON a.tgrelid = part.oid AND a.tgtype & e.bit <> 0
  GROUP BY part.root, part.oid, e.event)
SELECT n.nspname AS schema, c.relname AS table_name, s.event, max(s.state) AS state
FROM state s JOIN pg_class c ON c.oid = s.root JOIN pg_namespace n ON n.oid = c.relnamespace
GROUP BY 1, 2, 3 HAVING max(s.state) < 4)";

constexpr std::string_view kBody = R"(
SELECT encode(sha256(convert_to(f.prosrc, 'UTF8')), 'hex') AS hash
FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
WHERE n.nspname = $1 AND f.proname = $2 AND f.pronargs = 0)";

}  // namespace

TriggerStates trigger_states(Session& session, const TriggerFunction& function) {
  const std::array<std::string, 3> parameters{function.name.schema, function.name.name,
                                              function.body_sha256};
  const Rows rows = session.query(kStates, parameters);
  TriggerStates states;
  for (std::size_t i = 0; i < rows.size(); ++i)
    states[{{rows[i].text("schema"), rows[i].text("table_name")}, rows[i].text("event")}] =
        static_cast<TriggerState>(rows[i].number("state"));
  return states;
}

std::string body_sha256(Session& session, const QualifiedName& function) {
  const std::array<std::string, 2> parameters{function.schema, function.name};
  const Rows rows = session.query(kBody, parameters);
  return rows.size() == 0 ? std::string() : rows[0].text("hash");
}

}  // namespace pg_integrity
