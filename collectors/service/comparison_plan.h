// Whether a table is compared with its copy, and how: which columns, and whole or in slices. Asks
// the catalogs of both; one thread at a time.
#pragma once

#include <optional>

#include "collectors/options/replicas.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"
#include "collectors/service/replica_link.h"
#include "collectors/service/table_comparison.h"

namespace pg_integrity {

/// `exact_up_to` and `whole_up_to` are bytes of the table's heap. `slice_rows` is in rows.
struct ComparisonLimits {
  double exact_up_to = 0;
  double whole_up_to = 0;
  double slice_rows = 0;
};

/// Returns nothing if the copy is not meant to have the table, or cannot have it.
/// @throws SourceError with the reason why the table cannot be compared.
std::optional<Compared> what_to_compare(Session& original, Session& copy, const Replica& replica,
                                        const Table& table, const CopyFacts& facts,
                                        const ComparisonLimits& limits);

}  // namespace pg_integrity
