// The columns that sequences feed, and whether a sequence has fallen behind its column. After a
// restore or an import that did not set the sequence, its next value is one that the column already
// holds. Pure functions over a session.
#pragma once

#include <string>
#include <vector>

#include "collectors/base/qualified_name.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

struct Sequence {
  QualifiedName name;
  std::string increment;  ///< as PostgreSQL writes it: any bigint but 0
  bool cycles = false;    ///< it is meant to come back to old values
};

/// A column whose values come from a sequence, and what ties it to that sequence:
///
/// | tie                                                          | sequences        | certain |
/// |--------------------------------------------------------------|------------------|---------|
/// | the default is nextval() of it, by name or by text           | one              | yes     |
/// | the same text, and it names several sequences                | these            | yes     |
/// | the column owns it (serial, identity, OWNED BY), or several  | these            | yes     |
/// | the configuration declares it                                | one              | yes     |
/// | it has the usual name, and nothing else uses it              | one              | no      |
/// | a function of the default or of a trigger calls nextval()    | none is known    | no      |
struct FedColumn {
  QualifiedName table;
  std::string column;
  std::vector<Sequence> sequences;
  bool certain = true;      ///< one of the sequences feeds it
  std::string tie;          ///< for people: what ties them
  bool subscribed = false;  ///< a subscription fills the table; it carries no sequences
  bool configured = false;
  bool with_heirs = false;  ///< the same sequences feed the column in all heirs of the table, too
};

/// A column and its sequence as the configuration declares them. Without a name of a sequence the
/// column is fed by none alone.
struct DeclaredSequence {
  QualifiedName table;
  std::string column;
  QualifiedName sequence;
};

/// Every such column of a number type, sorted by table and column. Columns of sequences that cycle
/// are left out. So are tables that the schema excludes, and tables with a partition on another
/// server. A declaration replaces what is discovered. Parts of a table (Table::part_of_parent) are
/// left out if the same sequences feed the table and all its heirs.
std::vector<FedColumn> fed_columns(Session& session, const Schema& schema,
                                   const std::vector<DeclaredSequence>& declared);

/// The number of the sequence's next values that the column has already reached or passed; 0 is
/// sound. One statement reads both. Its snapshot of the table is older than its reading of the
/// sequence, so rows that are written meanwhile do not make the sequence look behind.
/// @param table with its heirs only if the sequence feeds them, too.
/// @throws SourceError{permission} unless the role may read both.
double values_behind(Session& session, const Table& table, const std::string& column,
                     const Sequence& sequence, Access access);

}  // namespace pg_integrity
