// Texts of others as HTML. They hold no markup and have a bounded length. Pure functions. Safe on
// any thread.
#pragma once

#include <string>
#include <string_view>

namespace pg_integrity {

/// Escapes a text for the content of an element or for an attribute in quotes. The text is made
/// printable() first and cut to 1,000 bytes.
std::string escaped(std::string_view raw);

/// The same of a text of several lines, which stay.
std::string escaped_lines(std::string_view raw);

/// A name that somebody else chose, in an element that isolates its text direction.
std::string named(std::string_view name);

}  // namespace pg_integrity
