// Whether a restored copy holds what its backup should: the objects of its table of contents, and
// the rows that were there when it was taken. One thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/session.h"
#include "collectors/recovery/drill_records.h"
#include "exporter/drill/dump_record.h"
#include "exporter/postgres/live_session.h"

namespace pg_integrity {

/// Longer than any statement of a comparison may take.
inline constexpr Seconds kComparison{86400};

/// Digests the rows of every table of the session's database.
/// @param done is told after each table how many are, of how many; may throw to end it.
DumpRecord digest_tables(LiveSession& session, const Clock& clock,
                         const std::function<void(std::size_t, std::size_t)>& done);

/// Tables, keys, constraints, indexes, triggers, views and sequences that the table of contents
/// lists and the copy does not have, as "FK CONSTRAINT public child child_fkey".
std::vector<std::string> missing_objects(Session& copy, const std::string& contents);

struct Comparison {
  std::vector<DrilledTable> tables;
  std::vector<std::string> differences;  ///< for people; without row values
};

/// Holds the copy against the record of its backup.
Comparison compare_with_record(const DumpRecord& copy, const DumpRecord& record);

/// Without a record: rows created up to `until` are counted on both sides, where a table has a
/// column that says when. Rows that the copy lacks are unexplained; those that it has more may have
/// been deleted since.
Comparison compare_by_creation(Session& copy, Session* source, const Clock& clock, UnixTime until);

}  // namespace pg_integrity
