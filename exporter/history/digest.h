// SHA-256, by which each line of the history vouches for the line before. A pure function.
#pragma once

#include <string>
#include <string_view>

namespace pg_integrity {

/// The digest of the bytes as 64 hexadecimal digits, as `sha256sum` prints it.
std::string sha256_of(std::string_view bytes);

}  // namespace pg_integrity
