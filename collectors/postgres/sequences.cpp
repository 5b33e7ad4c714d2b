#include "collectors/postgres/sequences.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <utility>

#include "collectors/base/qualified_name.h"

namespace pg_integrity {

namespace {

// pg_get_expr() gets no table (0), so it locks nothing. Defaults of generated columns name other
// columns, so they are skipped. The numbers order the ties of a column: the first one counts.
//
// 1: a default that is nextval() and nothing else. 2: the same, but the sequence is a text, as in
// databases from before PostgreSQL 8.1; the catalog has no dependency then. 3: a function of the
// default calls nextval(). 4: the column owns the sequence, and its default computes nothing of its
// own. 5: a sequence that nothing else uses has the name table_column_seq, or table_seq beside a
// primary key of one column. 6: a trigger of such a key calls nextval().
constexpr std::string_view kTies = R"(
WITH fallback(relid, attnum, id, expression) AS (
  SELECT v.adrelid, v.adnum, v.oid,
    CASE WHEN a.attgenerated = '' THEN pg_get_expr(v.adbin, 0) ELSE '' END
  FROM pg_attrdef v JOIN pg_attribute a ON a.attrelid = v.adrelid AND a.attnum = v.adnum),
judged(relid, attnum, id, expression, by_name, by_text) AS (
  SELECT relid, attnum, id, expression,
    expression ~ '^\(?nextval\(''([^'']|'''')*''::regclass\)\)?(::(smallint|integer|bigint|numeric))?$',
    expression ~ '^\(?nextval\(\(+''([^'']|'''')*''::(text|character varying|name)\)(::text\))?::regclass\)\)?(::(smallint|integer|bigint|numeric))?$'
  FROM fallback),
calling(id) AS (
  SELECT p.oid FROM pg_proc p
  WHERE p.pronamespace <> 'pg_catalog'::regnamespace AND (p.prosrc ~* '\mnextval\M'
    OR EXISTS (SELECT FROM pg_depend d JOIN pg_sequence s ON s.seqrelid = d.refobjid
      WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
        AND d.refclassid = 'pg_class'::regclass))),
owned(relid, attnum, seqid) AS (
  SELECT d.refobjid, d.refobjsubid, d.objid FROM pg_depend d
  WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')),
loose(seqid, schema, name) AS (
  SELECT c.oid, c.relnamespace, c.relname::text FROM pg_class c
  WHERE c.relkind = 'S' AND NOT EXISTS (SELECT FROM owned o WHERE o.seqid = c.oid)
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_attrdef'::regclass
      AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid)),
bare(relid, attnum, schema, relname, attname, is_key) AS (
  SELECT c.oid, a.attnum, c.relnamespace, c.relname, a.attname, EXISTS (SELECT FROM pg_constraint k
    WHERE k.conrelid = c.oid AND k.contype = 'p' AND k.conkey = ARRAY[a.attnum])
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND NOT a.attisdropped
    AND NOT a.atthasdef AND a.attidentity = ''
    AND NOT EXISTS (SELECT FROM owned o WHERE o.relid = c.oid AND o.attnum = a.attnum)),
tie(relid, attnum, kind, seqid, expression) AS (
  SELECT j.relid, j.attnum, 1, d.refobjid, NULL FROM judged j
    JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = j.id
      AND d.refclassid = 'pg_class'::regclass
  WHERE j.by_name
  UNION ALL SELECT relid, attnum, 2, NULL, expression FROM judged WHERE by_text
  UNION ALL SELECT DISTINCT j.relid, j.attnum, 3, NULL::oid, NULL FROM judged j
    JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = j.id
      AND d.refclassid = 'pg_proc'::regclass JOIN calling f ON f.id = d.refobjid
  UNION ALL SELECT o.relid, o.attnum, 4, o.seqid, NULL FROM owned o
  WHERE NOT EXISTS (SELECT FROM judged j WHERE j.relid = o.relid AND j.attnum = o.attnum
    AND NOT j.by_name)
  UNION ALL SELECT b.relid, b.attnum, 5, l.seqid, NULL FROM bare b
    JOIN loose l ON l.schema = b.schema AND l.name = b.relname || '_' || b.attname || '_seq'
  UNION ALL SELECT b.relid, b.attnum, 5, l.seqid, NULL FROM bare b
    JOIN loose l ON l.schema = b.schema AND l.name = b.relname || '_seq'
  WHERE b.is_key
  UNION ALL SELECT DISTINCT b.relid, b.attnum, 6, NULL::oid, NULL FROM bare b
    JOIN pg_trigger t ON t.tgrelid = b.relid AND t.tgtype & 7 = 7 JOIN calling f ON f.id = t.tgfoid
  WHERE b.is_key)
SELECT n.nspname AS schema, c.relname AS table_name, a.attname AS column_name, t.kind,
  sn.nspname AS sequence_schema, sc.relname AS sequence_name, t.expression
FROM tie t JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = t.relid AND a.attnum = t.attnum
  LEFT JOIN pg_class sc ON sc.oid = t.seqid LEFT JOIN pg_namespace sn ON sn.oid = sc.relnamespace
WHERE t.seqid IS NULL OR sc.relkind = 'S'
ORDER BY 1, 2, 3, 4, 5, 6)";

constexpr std::string_view kAllSequences = R"(
SELECT n.nspname AS schema, c.relname AS name, s.seqincrement AS increment, s.seqcycle AS cycles
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace)";

// A subscription may name the partitions one by one.
constexpr std::string_view kSubscribed = R"(
SELECT DISTINCT n.nspname AS schema, c.relname AS table_name FROM pg_subscription_rel s
  JOIN pg_class c ON c.oid = coalesce(pg_partition_root(s.srrelid)::oid, s.srrelid)
  JOIN pg_namespace n ON n.oid = c.relnamespace)";

enum class Kind : std::uint8_t { by_name = 1, by_text, function, owner, convention, trigger };

std::string tie_text(Kind kind, std::size_t sequences) {
  switch (kind) {
    case Kind::by_name:
      return "by the column's default";
    case Kind::by_text:
      return "by a text in the column's default";
    case Kind::function:
      return "by a function of the column's default that calls nextval()";
    case Kind::owner:
      return sequences > 1 ? "because the column owns them" : "because the column owns it";
    case Kind::convention:
      return "by its name alone";
    case Kind::trigger:
      return "by a trigger that calls nextval()";
  }
  return {};
}

using Sequences = std::map<QualifiedName, Sequence>;

Sequences all_sequences(Session& session) {
  const Rows rows = session.query(kAllSequences);
  Sequences sequences;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const QualifiedName name{rows[i].text("schema"), rows[i].text("name")};
    sequences[name] = {name, rows[i].text("increment"), rows[i].flag("cycles")};
  }
  return sequences;
}

/// The text of the first literal of an expression.
std::string literal_in(const std::string& expression) {
  std::string text;
  for (std::size_t i = expression.find('\'') + 1; i < expression.size(); ++i) {
    if (expression[i] == '\'' && (i + 1 == expression.size() || expression[++i] != '\'')) break;
    text += expression[i];
  }
  return text;
}

/// The parts of a name as SQL writes it, for example of my_schema."My Sequence".
std::vector<std::string> name_parts(const std::string& text) {
  std::vector<std::string> parts(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' && quoted && i + 1 < text.size() && text[i + 1] == '"') {
      parts.back() += '"';
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == '.' && !quoted) {
      parts.emplace_back();
    } else if (quoted) {
      parts.back() += c;
    } else if (c != ' ') {
      parts.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return parts;
}

/// The sequences that a text may name. The search path of the sessions that insert decides about a
/// name without a schema, so all sequences of that name are in the answer.
std::vector<Sequence> named_by(const std::string& text, const Sequences& sequences) {
  const std::vector<std::string> parts = name_parts(text);
  std::vector<Sequence> named;
  for (const auto& [name, sequence] : sequences)
    if (name.name == parts.back() && (parts.size() < 2 || name.schema == parts[parts.size() - 2]))
      named.push_back(sequence);
  return named;
}

void add_tie(const Row& row, const Sequences& sequences, FedColumn& fed, Kind kind) {
  if (kind == Kind::by_text)
    fed.sequences = named_by(literal_in(row.text("expression")), sequences);
  const auto& name = row.maybe_text("sequence_name");
  if (name) {
    const auto found = sequences.find({row.text("sequence_schema"), *name});
    if (found != sequences.end()) fed.sequences.push_back(found->second);
  }
  fed.certain = kind != Kind::convention;
  fed.tie = tie_text(kind, fed.sequences.size());
}

using ColumnName = std::pair<QualifiedName, std::string>;

std::map<ColumnName, FedColumn> discovered(Session& session, const Sequences& sequences) {
  std::map<ColumnName, FedColumn> columns;
  std::map<ColumnName, Kind> kinds;
  const Rows rows = session.query(kTies);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row row = rows[i];
    const ColumnName name{{row.text("schema"), row.text("table_name")}, row.text("column_name")};
    const auto kind = static_cast<Kind>(row.number("kind"));
    if (kinds.emplace(name, kind).first->second != kind) continue;
    FedColumn& fed = columns[name];
    fed.table = name.first;
    fed.column = name.second;
    add_tie(row, sequences, fed, kind);
  }
  std::erase_if(columns, [](const auto& entry) {
    const std::vector<Sequence>& of = entry.second.sequences;
    return std::any_of(of.begin(), of.end(), [](const Sequence& one) { return one.cycles; });
  });
  return columns;
}

void add_declared(const std::vector<DeclaredSequence>& declared, const Sequences& sequences,
                  std::map<ColumnName, FedColumn>& columns) {
  for (const DeclaredSequence& one : declared) {
    columns.erase({one.table, one.column});
    if (one.sequence.name.empty()) continue;
    FedColumn fed{one.table, one.column, {}, true, "by the configuration", false, true};
    const auto found = sequences.find(one.sequence);
    if (found != sequences.end()) fed.sequences.push_back(found->second);
    columns[{one.table, one.column}] = std::move(fed);
  }
}

std::set<QualifiedName> subscribed_tables(Session& session) {
  const Rows rows = session.query(kSubscribed);
  std::set<QualifiedName> tables;
  for (std::size_t i = 0; i < rows.size(); ++i)
    tables.insert({rows[i].text("schema"), rows[i].text("table_name")});
  return tables;
}

/// Whether the column can be held against a sequence at all. One that is declared stays in the
/// list, so that a wrong name is told.
bool is_readable(const FedColumn& fed, const Schema& schema) {
  if (fed.configured) return true;
  const Table* table = schema.table(fed.table);
  const Column* column = table == nullptr ? nullptr : table->column(fed.column);
  return column != nullptr && column->type == ColumnType::number && !table->has_foreign_partition;
}

bool same_sequences(const FedColumn& a, const FedColumn& b) {
  return std::equal(
      a.sequences.begin(), a.sequences.end(), b.sequences.begin(), b.sequences.end(),
      [](const Sequence& one, const Sequence& other) { return one.name == other.name; });
}

/// Leaves one entry for a table and those heirs that are parts of it, if the same sequences feed
/// them all. An heir may also have a sequence of its own, whose values say nothing about that of
/// the table.
void roll_up(const Schema& schema, std::vector<FedColumn>& columns) {
  std::set<ColumnName> shown_by_parent;
  const auto is_fed = [&](const QualifiedName& heir, const FedColumn& like) {
    return std::any_of(columns.begin(), columns.end(), [&](const FedColumn& fed) {
      return fed.table == heir && fed.column == like.column && same_sequences(fed, like);
    });
  };
  for (FedColumn& fed : columns) {
    const Table* table = schema.table(fed.table);
    if (table == nullptr || table->heirs.empty()) continue;
    fed.with_heirs = std::all_of(table->heirs.begin(), table->heirs.end(),
                                 [&](const QualifiedName& heir) { return is_fed(heir, fed); });
    if (!fed.with_heirs) continue;
    for (const QualifiedName& heir : table->heirs)
      if (schema.table(heir) != nullptr && schema.table(heir)->part_of_parent)
        shown_by_parent.emplace(heir, fed.column);
  }
  std::erase_if(columns, [&](const FedColumn& fed) {
    return !fed.configured && shown_by_parent.contains({fed.table, fed.column});
  });
}

}  // namespace

std::vector<FedColumn> fed_columns(Session& session, const Schema& schema,
                                   const std::vector<DeclaredSequence>& declared) {
  const Sequences sequences = all_sequences(session);
  std::map<ColumnName, FedColumn> columns = discovered(session, sequences);
  add_declared(declared, sequences, columns);
  const std::set<QualifiedName> subscribed = subscribed_tables(session);
  std::vector<FedColumn> readable;
  for (auto& [name, fed] : columns) {
    if (!is_readable(fed, schema)) continue;
    fed.subscribed = subscribed.contains(fed.table);
    readable.push_back(std::move(fed));
  }
  roll_up(schema, readable);
  return readable;
}

double values_behind(Session& session, const Table& table, const std::string& column,
                     const Sequence& sequence, Access access) {
  const bool up = !sequence.increment.starts_with('-');
  const std::string& step = sequence.increment;
  const std::string far = std::string(up ? "max(" : "min(") + sql_identifier(column) + ")";
  // numeric, because the ends of bigint's range must not overflow.
  const std::string next =
      "(s.last_value::numeric + CASE WHEN s.is_called THEN " + step + " ELSE 0 END)";
  const Rows rows =
      session.query("SELECT coalesce(greatest(0, floor((t.far::numeric - " + next + ") / " + step +
                        ") + 1), 0) AS behind FROM " + sequence.name.sql() + " s, (SELECT " + far +
                        " AS far FROM " + table.from_clause() + ") t",
                    access);
  return rows.only().number("behind");
}

}  // namespace pg_integrity
