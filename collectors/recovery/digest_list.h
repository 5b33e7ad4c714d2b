// The list of digests that sha256sum prints. Pure; safe on any thread.
#pragma once

#include <map>
#include <string>

namespace pg_integrity {

/// @param name of the only file, if a line does not tell it.
/// @return the digests by the last part of each file's name. Lines that are none are passed over.
std::map<std::string, std::string> digests_in(const std::string& text, const std::string& name);

}  // namespace pg_integrity
