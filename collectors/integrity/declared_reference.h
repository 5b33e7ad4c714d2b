// References that the configuration declares and no foreign key does. They are compared as a
// foreign key on the same columns would be.
#pragma once

#include "collectors/base/settings.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

class Session;

/// Makes a key from one entry of `references`. Its columns lack their comparison, which depends on
/// the database.
ForeignKey declared_reference(const Settings& record);

/// Completes a declared reference with facts of the database about its tables and columns.
/// @throws SourceError: missing if a table does not exist, config if the columns cannot be
/// compared.
ForeignKey resolve(Session& session, const Schema& schema, const ForeignKey& declared);

}  // namespace pg_integrity
