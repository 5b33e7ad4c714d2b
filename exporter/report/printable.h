// Names and messages of watched databases, made safe to show. They cannot move a cursor, forge a
// line, turn text around or hide. Pure functions. Safe on any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pg_integrity {

/// The text, with characters that cannot be seen as they are written as \uXXXX. These are control
/// characters, line and paragraph separators, marks that change the direction of text (Unicode's
/// Bidi_Control), and characters without width. Each byte that is not UTF-8 becomes U+FFFD.
std::string printable(std::string_view text);

/// The first `bytes` bytes of a UTF-8 text with an ellipsis, or the whole text if it is no longer.
/// A character is never cut in two.
std::string clipped(std::string text, std::size_t bytes);

}  // namespace pg_integrity
