// References that no foreign key declares, but the configuration does. The comparison is the one
// that a foreign key on the same columns would use.
#pragma once

#include "collectors/base/settings.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

class Session;

/// One record of `references`, as a key whose columns lack their comparison: that depends on the
/// database.
ForeignKey declared_reference(const Settings& record);

/// Completes a declared reference with what the database says of its tables and columns.
/// @throws SourceError: missing if there is no such table, config if the columns cannot be
/// compared.
ForeignKey resolve(Session& session, const Schema& schema, const ForeignKey& declared);

}  // namespace pg_integrity
