// Texts of others as HTML: nothing in them is markup, and none is endless. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace pg_integrity {

/// For the content of an element or an attribute in quotes; printable(), at most 1,000 bytes of it.
std::string escaped(std::string_view raw);

/// A name that somebody else chose, as an element: its direction is its own.
std::string named(std::string_view name);

}  // namespace pg_integrity
