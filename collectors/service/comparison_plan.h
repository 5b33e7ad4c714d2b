// Whether a table is compared with its copy, and how: what of it, whole or in slices. Asks the
// catalogs of both; one thread at a time.
#pragma once

#include <optional>

#include "collectors/options/replicas.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"
#include "collectors/service/replica_link.h"
#include "collectors/service/table_comparison.h"

namespace pg_integrity {

/// Of the table's heap, in bytes, and of a slice, in rows.
struct ComparisonLimits {
  double exact_up_to = 0;
  double whole_up_to = 0;
  double slice_rows = 0;
};

/// Nothing: the copy is not meant to have the table, or cannot have it.
/// @throws SourceError why it cannot be compared.
std::optional<Compared> what_to_compare(Session& original, Session& copy, const Replica& replica,
                                        const Table& table, const CopyFacts& facts,
                                        const ComparisonLimits& limits);

}  // namespace pg_integrity
