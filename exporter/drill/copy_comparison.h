// Compares a restored copy with its backup: the objects of the table of contents, and the rows that
// were there when the backup was taken. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/base/qualified_name.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/session.h"
#include "collectors/recovery/drill_records.h"
#include "exporter/drill/dump_record.h"
#include "exporter/postgres/live_session.h"

namespace pg_integrity {

/// Longer than any statement of a comparison may take.
inline constexpr Seconds kComparison{86400};

/// Digests the rows of every table of the session's database.
/// @param done is called after each table with the number of finished tables and of all tables. It
/// may throw to end the function.
/// @throws SourceError if a table cannot be read.
DumpRecord digest_tables(LiveSession& session, const Clock& clock,
                         const std::function<void(std::size_t, std::size_t)>& done);

/// The tables, keys, constraints, indexes, triggers, views and sequences that the table of contents
/// lists and the copy lacks. One is written as "FK CONSTRAINT public child child_fkey".
std::vector<std::string> missing_objects(Session& copy, const std::string& contents);

/// All texts are for people, without row values.
struct Comparison {
  std::vector<DrilledTable> tables;
  std::vector<std::string> differences;  ///< the copy has other rows than it must have
  std::vector<std::string> absent;       ///< what must be in the copy, and is not
  std::vector<std::string> doubts;       ///< what may have to be in the copy, and is not
};

/// What to make of a table of the source that the copy lacks: a fault if its rows tell that it is
/// older than the backup, a doubt at most, or nothing, because it is known to be younger or was
/// judged already.
enum class Lacking : std::uint8_t { fault, doubt, nothing };
using LackingOf = std::function<Lacking(const QualifiedName& table)>;

/// Compares the copy with the record of its backup.
Comparison compare_with_record(const DumpRecord& copy, const DumpRecord& record);

/// Compares the copy with the source, for a backup without a record. It counts the rows created up
/// to `until` on both sides, if the table has a column with the time of creation. Rows that the
/// copy lacks are unexplained. Rows that only the copy has may have been deleted since in the
/// source. A table that the copy lacks is absent if it has such rows, and else a doubt: it may be
/// younger than the backup.
/// @param source nullptr if it is out of reach. Then every table is unproven.
/// @param left_out globs over "schema.table" that the backup need not hold.
/// @param lacking what to make of a table of the source that the copy lacks.
Comparison compare_by_creation(Session& copy, Session* source,
                               const std::vector<std::string>& left_out, const LackingOf& lacking,
                               const Clock& clock, UnixTime until);

}  // namespace pg_integrity
