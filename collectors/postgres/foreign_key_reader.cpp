#include <algorithm>
#include <set>
#include <tuple>

#include "collectors/base/glob.h"
#include "collectors/base/qualified_name.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/foreign_code.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/schema_reader.h"

namespace pg_integrity {

namespace {

// The key's own operators compare parent (left) with child (right). As in ri_triggers.c, a column
// of another type is cast to the operator's type, and the parent's collation settles a difference
// of collations. A logical key is one row of pg_constraint with conparentid = 0. Its clones on
// partitions hang below it and own triggers of their own.
//
// The owner of a type may define a cast of it, and so choose code that the comparison of such a key
// would run. Two kinds of cast are trusted:
//
// - no real cast: between a domain and its base, or with castmethod 'b', which only a superuser
//   defines
// - a cast whose function belongs to a superuser
//
// Membership in an extension is not enough, because the owner of a trusted extension may be any
// role, and may add functions to it. Operators on pseudo-types (anyenum, record) need no cast. At
// worst, an implicit cast of a user makes them ambiguous, which is an error.
constexpr std::string_view kForeignKeysHead = R"(
WITH RECURSIVE family(root, oid) AS (
  SELECT oid, oid FROM pg_constraint WHERE contype = 'f' AND conparentid = 0
  UNION ALL
  SELECT f.root, k.oid FROM family f JOIN pg_constraint k ON k.conparentid = f.oid),
firing AS (
  SELECT f.root, bool_and(t.tgenabled IN ('O', 'A')) AS all_fire
  FROM family f JOIN pg_trigger t ON t.tgconstraint = f.oid AND t.tgisinternal GROUP BY f.root),
base(domain, oid) AS (
  SELECT oid, typbasetype FROM pg_type WHERE typtype = 'd'
  UNION ALL
  SELECT base.domain, t.typbasetype FROM base JOIN pg_type t ON t.oid = base.oid WHERE t.typtype = 'd'),
plain(source, target) AS (
  SELECT b.domain, b.oid FROM base b JOIN pg_type t ON t.oid = b.oid WHERE t.typtype <> 'd'),
trusted(source, target) AS (
  SELECT k.castsource, k.casttarget FROM pg_cast k LEFT JOIN pg_proc f ON f.oid = k.castfunc
    LEFT JOIN pg_roles r ON r.oid = f.proowner WHERE k.castmethod = 'b' OR r.rolsuper)
SELECT k.oid, k.conname AS name, n.nspname AS child_schema, c.relname AS child_name,
  c.relkind = 'p' AS child_partitioned, pn.nspname AS parent_schema, p.relname AS parent_name,
  p.relkind = 'p' AS parent_partitioned, k.confmatchtype = 'f' AS match_full,
  k.convalidated AS validated, coalesce(firing.all_fire, false) AS all_fire,
  EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL
    AND i.indnkeyatts >= cardinality(k.conkey)
    AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey
    AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] <@ k.conkey) AS indexed,
  ca.attname AS child_column, pa.attname AS parent_column,
  format('OPERATOR(%I.%s)', opn.nspname, o.oprname) AS comparison,
  CASE WHEN o.oprleft <> pa.atttypid AND lt.typtype <> 'p'
    THEN format('::%I.%I', ltn.nspname, lt.typname) ELSE '' END AS parent_cast,
  CASE WHEN o.oprright <> ca.atttypid AND rt.typtype <> 'p'
    THEN format('::%I.%I', rtn.nspname, rt.typname) ELSE '' END AS child_cast,
  CASE WHEN pa.attcollation <> ca.attcollation AND pa.attcollation <> 0
    THEN format(' COLLATE %I.%I', cln.nspname, cl.collname) ELSE '' END AS collation,
  EXISTS (SELECT FROM (VALUES (pa.atttypid, o.oprleft, lt.typtype),
      (ca.atttypid, o.oprright, rt.typtype)) AS side(own, wanted, kind)
    LEFT JOIN plain ON plain.source = own
    WHERE kind <> 'p' AND coalesce(plain.target, own) <> wanted AND NOT EXISTS (
      SELECT FROM trusted t WHERE t.source = coalesce(plain.target, own) AND t.target = wanted))
    AS foreign_cast,
)";

constexpr std::string_view kForeignKeysTail = R"(
FROM pg_constraint k
  JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_class p ON p.oid = k.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
  LEFT JOIN firing ON firing.root = k.oid
  CROSS JOIN LATERAL unnest(k.conkey, k.confkey, k.conpfeqop) WITH ORDINALITY
    AS u(child_attnum, parent_attnum, operator, position)
  JOIN pg_attribute ca ON ca.attrelid = c.oid AND ca.attnum = u.child_attnum
  JOIN pg_attribute pa ON pa.attrelid = p.oid AND pa.attnum = u.parent_attnum
  JOIN pg_operator o ON o.oid = u.operator JOIN pg_namespace opn ON opn.oid = o.oprnamespace
  JOIN pg_type lt ON lt.oid = o.oprleft JOIN pg_namespace ltn ON ltn.oid = lt.typnamespace
  JOIN pg_type rt ON rt.oid = o.oprright JOIN pg_namespace rtn ON rtn.oid = rt.typnamespace
  LEFT JOIN pg_collation cl ON cl.oid = pa.attcollation
  LEFT JOIN pg_namespace cln ON cln.oid = cl.collnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND )" PGI_USER_CLASS " ORDER BY k.oid, u.position";

std::string foreign_keys_sql(int version_num) {
  std::string sql(kForeignKeysHead);
  sql += version_num >= 180000 ? "k.conenforced AS enforced, k.conperiod AS temporal"
                               : "true AS enforced, false AS temporal";
  sql += kForeignKeysTail;
  return sql;
}

ForeignKey foreign_key_from(const Row& row) {
  ForeignKey key;
  key.name = row.text("name");
  key.child = {row.text("child_schema"), row.text("child_name")};
  key.parent = {row.text("parent_schema"), row.text("parent_name")};
  key.child_partitioned = row.flag("child_partitioned");
  key.parent_partitioned = row.flag("parent_partitioned");
  key.match_full = row.flag("match_full");
  key.validated = row.flag("validated");
  key.enforced = row.flag("enforced") && row.flag("all_fire");
  key.indexed = row.flag("indexed");
  key.temporal = row.flag("temporal");
  return key;
}

}  // namespace

void read_foreign_keys(Session& session, const std::vector<std::string>& exclude, Schema& into) {
  const Rows rows = session.query(foreign_keys_sql(session.server().version_num));
  std::string open_oid;
  bool skipping = false;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row row = rows[i];
    if (row.text("oid") != open_oid) {
      open_oid = row.text("oid");
      ForeignKey key = foreign_key_from(row);
      const bool excluded = matches_any_glob(exclude, key.child.display());
      const bool unlogged = into.is_unlogged(key.child) || into.is_unlogged(key.parent);
      skipping = excluded || unlogged;
      if (excluded)
        ++into.excluded_foreign_keys;
      else if (unlogged)
        ++into.unlogged_foreign_keys;
      else
        into.foreign_keys.push_back(std::move(key));
    }
    if (skipping) continue;
    ForeignKey& key = into.foreign_keys.back();
    key.columns.push_back({row.text("child_column"), row.text("parent_column"),
                           row.text("comparison"), row.text("parent_cast"), row.text("child_cast"),
                           row.text("collation")});
    key.foreign_cast = key.foreign_cast || row.flag("foreign_cast");
  }
  std::sort(into.foreign_keys.begin(), into.foreign_keys.end(),
            [](const ForeignKey& a, const ForeignKey& b) {
              return std::tie(a.child, a.name) < std::tie(b.child, b.name);
            });
}

void find_foreign_code(Session& session, Schema& into) {
  const Rows rows = session.query(foreign_code_sql(
      "SELECT oid FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p', 'm') AND oid >= 16384"));
  std::set<QualifiedName> found;
  for (std::size_t i = 0; i < rows.size(); ++i)
    found.insert({rows[i].text("schema"), rows[i].text("name")});
  for (Table& table : into.tables) {
    table.foreign_code = found.contains(table.name);
    table.foreign_code_of_heir =
        std::any_of(table.heirs.begin(), table.heirs.end(),
                    [&](const QualifiedName& heir) { return found.contains(heir); });
  }
  for (ForeignKey& key : into.foreign_keys) {
    key.foreign_code = found.contains(key.child) || found.contains(key.parent);
    key.foreign_code_of_parent = key.foreign_code && !found.contains(key.child);
  }
}

}  // namespace pg_integrity
