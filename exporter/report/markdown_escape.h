// Texts of others as Markdown. A pure function. Safe on any thread.
#pragma once

#include <string>
#include <string_view>

namespace pg_integrity {

/// Escapes a text for a Markdown table or list, so that nothing in it is markup or becomes a link.
/// The text is made printable() first.
std::string markdown(std::string_view raw);

}  // namespace pg_integrity
