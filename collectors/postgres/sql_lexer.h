// SQL as text. It is split into words, and a query of the user is examined before any server sees
// it. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pg_integrity {

/// Splits a text into words, quoted texts and single characters. Spaces and comments are left out.
std::vector<std::string_view> sql_pieces(std::string_view sql);

/// The name that a piece holds, quoted or not; empty if it is no name. A keyword counts as a name.
std::string sql_name(std::string_view piece);

/// Says why a text cannot be one query, as far as its words tell. A query is SELECT, VALUES or
/// TABLE, or one of these after WITH.
/// @return empty if it may be a query. The server decides in the end, because it takes one
/// statement only, through a cursor, and nothing that writes.
std::optional<std::string> query_fault(std::string_view sql);

}  // namespace pg_integrity
