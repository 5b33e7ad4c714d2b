// Names and messages of watched databases as people may see them: nothing in them moves a cursor,
// forges a line, turns text around or hides. Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pg_integrity {

/// The text with what cannot be seen as it is written as \uXXXX: control characters, line and
/// paragraph separators, marks that change the direction of text (Unicode's Bidi_Control), and
/// characters without width. What is not UTF-8 becomes U+FFFD.
std::string printable(std::string_view text);

/// The beginning of a UTF-8 text, with an ellipsis if it is longer than so many bytes.
std::string clipped(std::string text, std::size_t bytes);

/// "10,000"
std::string grouped(std::size_t number);

}  // namespace pg_integrity
