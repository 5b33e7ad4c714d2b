// SQL that a user wrote, looked at before any server sees it. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pg_integrity {

/// What keeps a text from being one query (SELECT, VALUES, TABLE, or one of these after WITH), as
/// far as its words tell; nothing: it may be one. The server has the last word: it takes one
/// statement only, through a cursor, and nothing that writes.
std::optional<std::string> query_fault(std::string_view sql);

}  // namespace pg_integrity
