// Foreign code: functions that belong to no superuser and that PostgreSQL may call while it plans
// or runs a statement about a table. The owner of a table chooses the functions in its indexes,
// extended statistics, partition key, virtual columns, domains and ranges. A statement of ours runs
// them with the rights of our role. Pure functions; safe on any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pg_integrity {

/// Composes a statement that finds foreign code.
/// @param relations a SELECT of one column with the OIDs of the relations that a statement names.
/// Their partitions and children belong to them.
/// @return a statement with the columns `schema`, `name` and `relkind`, with one row a relation
/// whose planning may call foreign code.
std::string foreign_code_sql(std::string_view relations);

/// When a prepared statement is checked.
enum class Guard : std::uint8_t {
  before,  ///< Only the tables that it names are locked. Also their policies are judged.
  after,   ///< Their partitions, children and indexes are locked, too.
};

/// Composes the check of a prepared statement before and after it runs. PostgreSQL locks a relation
/// when it parses its name, so our own locks tell what the names mean, and keep the relations from
/// being dropped, replaced or altered until the transaction ends. An index or extended statistics
/// may still be added, so the check comes again afterwards.
///
/// A table with row-level security may be read if a policy shows all rows to our role. The
/// statement must then be prepared with row_security = on.
/// @param heirs whether it may read partitions or children of a table that it names.
/// @return a statement without a result worth reading. It fails with an error whose text has
/// kRefusal if the statement must not run.
std::string guard_sql(Guard when, bool heirs);

/// The same for the plain case, and much cheaper: it also fails for tables that may have foreign
/// code or have partitions or children. Then guard_sql() decides.
std::string plain_guard_sql();

// PostgreSQL hears of others' changes when it parses the name of a relation, and when it takes a
// lock that its transaction does not hold. Until then it keeps what it knows: what the names of a
// prepared statement mean, and which indexes a table has. A guard that is prepared as well, and has
// run before, holds the locks on the catalogs that it reads, and lets PostgreSQL hear of nothing.
// So the guard sees all that the statement is planned with. Extended statistics are the exception,
// because PostgreSQL looks for them later.

/// A statement that makes PostgreSQL learn which indexes the locked tables have.
std::string learn_indexes_sql();

/// A statement that fails as a guard does if a prepared statement does not have the name of a
/// locked relation. The schema of that relation has then been renamed, and PostgreSQL may resolve
/// the names anew.
/// @param prepared its name. It has schemas and names in double quotes.
std::string same_names_sql(std::string_view prepared);

/// A statement that waits until nobody holds a lock that keeps us from planning with the locked
/// relations, their partitions, children and indexes.
std::string await_locks_sql();

/// A SELECT of the OIDs of the tables, views and sequences that our transaction has locked.
std::string locked_relations_sql();
/// The end of a guard, after its WITH query `refused(text)`: it fails if there is such a text.
std::string refusal_sql();

/// A guard's error has this before a letter ('u': foreign code, 'k': neither table nor sequence,
/// 'p': policies hide rows, 'c': changed meanwhile, 'f': a function that the statement reaches by a
/// name), a blank and the name of the relation or function, and kRefusalEnd after it. There is no
/// name after 'c'.
inline constexpr std::string_view kRefusal = "pg_integrity refuses ";
inline constexpr std::string_view kRefusalEnd = " <end>";

}  // namespace pg_integrity
