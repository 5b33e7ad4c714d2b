// A file that is there as a whole or not at all.
#pragma once

#include <string>

namespace pg_integrity {

/// Writes `path`.new, to the disk, and gives it its name. Blocks. Its mode is `mode`.
/// @throws SourceError{io}; nothing is left behind then.
void replace_file(const std::string& path, const std::string& text, unsigned mode = 0600);

}  // namespace pg_integrity
