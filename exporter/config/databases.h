// The option `databases` of a server: which of its databases are watched. An entry is a name, a
// glob over the names, or "!" before either, which leaves out what it matches. Entries that leave
// out count before all others, in any order. If there are only such entries, all other databases
// are watched. Pure functions.
#pragma once

#include <string>
#include <vector>

namespace pg_integrity {

using DatabaseList = std::vector<std::string>;

/// Whether the list chooses that database.
bool watches(const DatabaseList& list, const std::string& database);
/// The databases that are chosen by their name.
std::vector<std::string> named_databases(const DatabaseList& list);
/// True if the server must tell which databases the list chooses.
bool needs_server(const DatabaseList& list);
/// @return an entry without any effect, or that takes all effect from another one; empty if there
/// is none.
std::string pointless_entry(const DatabaseList& list);

}  // namespace pg_integrity
