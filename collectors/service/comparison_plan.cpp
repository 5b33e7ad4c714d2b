#include "collectors/service/comparison_plan.h"

#include "collectors/base/errors.h"
#include "collectors/options/replicas.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/row_digest.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/table_scan.h"

namespace pg_integrity {

namespace {

std::vector<DigestTable::Column> comparable_columns(const DigestTable& own, Session& copy,
                                                    const Table& table, const CopyFacts& facts) {
  if (!facts.same_encoding)
    throw SourceError(Reason::config,
                      "the databases have different encodings. HINT: compare = [\"rows\"]");
  const DigestTable other = digest_table(copy, table.name);
  if (!own.trusted || !other.trusted)
    throw SourceError(Reason::unsafe,
                      "reading a column's type would run code that belongs to no superuser. "
                      "HINT: compare = [\"rows\"]");
  for (const auto& column : own.columns)
    if (other.column(column.name) == nullptr)
      throw SourceError(Reason::config,
                        "the copy has no column " + column.name + ". HINT: compare = [\"rows\"]");
  return own.columns;
}

Slice slice_for(Session& session, const Table& table, const DigestTable& own, const Table& there,
                const ComparisonLimits& limits) {
  const double bytes = heap_bytes(session, table);
  if (bytes <= limits.whole_up_to) return {};
  const DigestTable::Column* column = slicing_column(table, own);
  const Column* key = column == nullptr ? nullptr : there.column(column->name);
  if (key != nullptr && key->leads_index) return {column->name, column->type, {}, {}};
  if (bytes > limits.exact_up_to)
    throw SourceError(Reason::too_large,
                      "the table is above exact_up_to and has no key to slice it by on both "
                      "sides. HINT: raise it for this server");
  return {};
}

}  // namespace

std::optional<Compared> what_to_compare(Session& original, Session& copy, const Replica& replica,
                                        const Table& table, const CopyFacts& facts,
                                        const ComparisonLimits& limits) {
  const Table* there = facts.schema->table(table.name);
  const DigestTable own = digest_table(original, table.name);
  if (table.has_foreign_partition || (own.unlogged && facts.kind != CopyKind::plain))
    return std::nullopt;
  if (facts.kind == CopyKind::subscriber && replica.tables.empty()) {
    const Subscribed subscribed =
        there == nullptr ? Subscribed::no : subscription_of(copy, table.name);
    if (subscribed == Subscribed::no) return std::nullopt;
    if (subscribed == Subscribed::copying)
      throw SourceError(Reason::pending, "the subscription still copies it");
  }
  if (there == nullptr)
    throw SourceError(Reason::missing,
                      "the copy has no such table. HINT: name those to be compared in `tables`");
  if (there->has_foreign_partition)
    throw SourceError(Reason::config, "a partition of the copy's table is on another server");
  Compared what{replica.name, facts.kind, table.alone(), there->alone(), {}, {}, limits.slice_rows};
  if (replica.content) what.columns = comparable_columns(own, copy, table, facts);
  what.slice = slice_for(original, what.original, own, what.copy, limits);
  return what;
}

}  // namespace pg_integrity
