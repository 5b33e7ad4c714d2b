#include "collectors/integrity/declared_reference.h"

#include <array>
#include <stdexcept>
#include <string>
#include <string_view>

#include "collectors/base/errors.h"
#include "collectors/base/qualified_name.h"
#include "collectors/ports/session.h"

namespace pg_integrity {

namespace {

// The equality operator for a declared reference. A foreign key would use the same one: that of the
// parent column's type.
constexpr std::string_view kDeclaredComparison = R"(
SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname) AS comparison,
  CASE WHEN o.oprleft <> pa.atttypid AND lt.typtype <> 'p'
    THEN format('::%I.%I', ltn.nspname, lt.typname) ELSE '' END AS parent_cast,
  CASE WHEN o.oprright <> ca.atttypid AND rt.typtype <> 'p'
    THEN format('::%I.%I', rtn.nspname, rt.typname) ELSE '' END AS child_cast,
  CASE WHEN pa.attcollation <> ca.attcollation AND pa.attcollation <> 0
    THEN format(' COLLATE %I.%I', cln.nspname, cl.collname) ELSE '' END AS collation
FROM pg_attribute ca JOIN pg_type ct ON ct.oid = ca.atttypid, pg_attribute pa
  JOIN pg_type pt ON pt.oid = pa.atttypid
  LEFT JOIN pg_collation cl ON cl.oid = pa.attcollation
  LEFT JOIN pg_namespace cln ON cln.oid = cl.collnamespace,
  pg_opclass c JOIN pg_am m ON m.oid = c.opcmethod AND m.amname = 'btree'
  JOIN pg_amop a ON a.amopfamily = c.opcfamily AND a.amopstrategy = 3
  JOIN pg_operator o ON o.oid = a.amopopr JOIN pg_namespace n ON n.oid = o.oprnamespace
  JOIN pg_type lt ON lt.oid = o.oprleft JOIN pg_namespace ltn ON ltn.oid = lt.typnamespace
  JOIN pg_type rt ON rt.oid = o.oprright JOIN pg_namespace rtn ON rtn.oid = rt.typnamespace
WHERE ca.attrelid = $1::regclass AND ca.attname = $2 AND pa.attrelid = $3::regclass AND pa.attname = $4
  AND NOT ca.attisdropped AND NOT pa.attisdropped AND c.opcdefault AND a.amoplefttype = c.opcintype
  AND (SELECT count(*) FROM (VALUES
    (pa.atttypid, pt.typtype, pt.typbasetype, pt.typcategory, pt.typelem, a.amoplefttype),
    (ca.atttypid, ct.typtype, ct.typbasetype, ct.typcategory, ct.typelem, a.amoprighttype))
    AS side(type, kind, base, category, element, wanted)
    WHERE wanted IN (type, nullif(base, 0))
      OR EXISTS (SELECT FROM pg_cast k WHERE k.castsource = coalesce(nullif(base, 0), type)
        AND k.casttarget = wanted AND k.castmethod = 'b' AND k.castcontext = 'i')
      OR wanted = 'anyenum'::regtype AND kind = 'e'
      OR wanted = 'anyarray'::regtype AND category = 'A' AND element <> 0
      OR wanted = 'anyrange'::regtype AND kind = 'r') = 2
ORDER BY (a.amoplefttype = pa.atttypid)::int + (a.amoprighttype = ca.atttypid)::int DESC, o.oid LIMIT 1)";

std::vector<RowCondition> conditions_of(const Settings& record) {
  std::vector<RowCondition> conditions;
  if (record.has("type_column"))
    conditions.push_back({record.text("type_column"), "=", {record.text_or_empty("type_value")}});
  if (record.has("where"))
    for (RowCondition& condition : parse_conditions(record.text("where")))
      conditions.push_back(std::move(condition));
  return conditions;
}

}  // namespace

DeclaredReference declared_reference(const Settings& record) {
  DeclaredReference declared;
  ForeignKey& key = declared.key;
  key.name = record.text("name");
  key.child = {record.text("schema"), record.text("table")};
  key.parent = {record.text("referenced_schema"), record.text("referenced_table")};
  key.match_full = record.flag("match_full");
  const auto& columns = record.texts("columns");
  for (std::size_t i = 0; i < columns.size(); ++i)
    key.columns.push_back({columns[i], record.texts("referenced_columns")[i], {}, {}, {}, {}});
  declared.conditions = conditions_of(record);
  return declared;
}

void check_reference(const Settings& record, Problems& problems) {
  const std::string name = "reference \"" + record.text("name") + "\"";
  const std::size_t own = record.texts("columns").size();
  const std::size_t other = record.texts("referenced_columns").size();
  if (own == 0 || own != other)
    problems.add(record.place("referenced_columns"),
                 name + " pairs " + std::to_string(own) + " columns with " + std::to_string(other),
                 "list the same number of columns on both sides, at least one");
  if (record.has("type_column") != record.has("type_value"))
    problems.add(record.place(record.has("type_column") ? "type_column" : "type_value"),
                 name + " has only one of type_column and type_value", "give it both, or neither");
  try {
    conditions_of(record);
  } catch (const std::invalid_argument& error) {
    problems.add(record.place("where"), name + " has a condition that is not read: " + error.what(),
                 "compare columns with constants, joined by AND:"
                 " kind = 'Post' AND id <> 0, kind IN ('a', 'b'), deleted_at IS NULL");
  }
}

std::vector<std::string> referring_columns(const Settings& record) {
  std::vector<std::string> columns = record.texts("columns");
  for (const RowCondition& condition : conditions_of(record)) columns.push_back(condition.column);
  return columns;
}

ForeignKey resolve(Session& session, const Schema& schema, const DeclaredReference& declared) {
  ForeignKey key = declared.key;
  for (const QualifiedName* name : {&key.child, &key.parent})
    if (schema.table(*name) == nullptr)
      throw SourceError(
          Reason::missing,
          "table " + name->display() + " does not exist. HINT: correct the reference " + key.name);
  for (const QualifiedName* name : {&key.child, &key.parent})
    if (schema.table(*name)->has_foreign_partition)
      throw SourceError(Reason::config,
                        "a part of table " + name->display() + " is on another server");
  const auto has_foreign_code = [](const Table& table) {
    return table.foreign_code || table.foreign_code_of_heir;
  };
  const bool of_child = key.foreign_code || has_foreign_code(*schema.table(key.child));
  key.foreign_code_of_parent = !of_child && has_foreign_code(*schema.table(key.parent));
  key.foreign_code = of_child || key.foreign_code_of_parent;
  key.child_partitioned = schema.table(key.child)->partitioned;
  key.parent_partitioned = schema.table(key.parent)->partitioned;
  key.child_with_heirs = !schema.table(key.child)->heirs.empty();
  key.parent_with_heirs = !schema.table(key.parent)->heirs.empty();
  for (ReferenceColumn& column : key.columns) {
    const std::array<std::string, 4> parameters{key.child.sql(), column.child, key.parent.sql(),
                                                column.parent};
    const Rows rows = session.query(kDeclaredComparison, parameters);
    if (rows.size() == 0)
      throw SourceError(Reason::config, "columns " + key.child.display() + "." + column.child +
                                            " and " + key.parent.display() + "." + column.parent +
                                            " do not both exist with types that can be compared");
    column.comparison = rows[0].text("comparison");
    column.parent_cast = rows[0].text("parent_cast");
    column.child_cast = rows[0].text("child_cast");
    column.collation = rows[0].text("collation");
  }
  key.condition = conditions_sql(session, key.child, "c", declared.conditions);
  return key;
}

}  // namespace pg_integrity
