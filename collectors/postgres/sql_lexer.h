// SQL as text: taken apart into words, and what a user wrote looked at before any server sees it.
// Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pg_integrity {

/// The words, quoted texts and single characters of a text, without spaces and comments.
std::vector<std::string_view> sql_pieces(std::string_view sql);

/// The name that a piece is, quoted or not; empty if it is none. Keywords are names to it.
std::string sql_name(std::string_view piece);

/// What keeps a text from being one query (SELECT, VALUES, TABLE, or one of these after WITH), as
/// far as its words tell; nothing: it may be one. The server has the last word: it takes one
/// statement only, through a cursor, and nothing that writes.
std::optional<std::string> query_fault(std::string_view sql);

}  // namespace pg_integrity
