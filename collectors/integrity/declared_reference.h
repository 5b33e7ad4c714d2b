// References that the configuration declares and no foreign key does. They are compared as a
// foreign key on the same columns would be.
#pragma once

#include <vector>

#include "collectors/base/settings.h"
#include "collectors/integrity/row_condition.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

class Session;

struct DeclaredReference {
  ForeignKey key;  ///< its columns lack their comparison, which depends on the database
  std::vector<RowCondition> conditions;
};

/// The members of an entry of `references`.
inline constexpr Option kReferenceOptions[] = {
    {.name = "name", .help = "label `constraint`; unique in the table", .required = true},
    {.name = "database", .help = "where it applies; default: the database of the DSN"},
    {.name = "schema", .fallback = "public", .help = "schema of the referring table"},
    {.name = "table", .help = "the referring table", .required = true},
    {.name = "columns", .type = OptionType::texts, .help = "its columns", .required = true},
    {.name = "referenced_schema", .fallback = "public", .help = "schema of the referenced table"},
    {.name = "referenced_table", .help = "the referenced table", .required = true},
    {.name = "referenced_columns",
     .type = OptionType::texts,
     .help = "its columns, in the same order",
     .required = true},
    {.name = "type_column",
     .help = "the column that says to which table a row refers; rows without type_value are left"
             " out"},
    {.name = "type_value", .help = "its value in rows that refer to this table"},
    {.name = "where",
     .help = "rows that do not meet it are left out: columns, =, <>, <, <=, >, >=, [NOT] IN, IS"
             " [NOT] NULL and constants, joined by AND"},
    {.name = "match_full",
     .type = OptionType::flag,
     .fallback = "false",
     .help = "true: rows with some but not all columns NULL are orphans too (MATCH FULL)"}};

/// Makes a reference from one entry of `references`, which check_reference() has accepted.
DeclaredReference declared_reference(const Settings& record);

/// Adds what is wrong with one entry of `references`.
void check_reference(const Settings& record, Problems& problems);

/// The columns of the referring table that the entry reads.
std::vector<std::string> referring_columns(const Settings& record);

/// Completes a declared reference with facts of the database about its tables and columns.
/// @throws SourceError: missing if a table does not exist, config if the columns cannot be
/// compared, and as conditions_sql() does.
ForeignKey resolve(Session& session, const Schema& schema, const DeclaredReference& declared);

}  // namespace pg_integrity
