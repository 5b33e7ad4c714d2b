// The digest of a whole file. Blocks; safe on any thread.
#pragma once

#include <string>

namespace pg_integrity {

/// @return its SHA-256 in lower-case hexadecimal digits, as sha256sum prints it.
/// @throws SourceError{io} if it cannot be read.
std::string sha256_of_file(const std::string& path);

}  // namespace pg_integrity
