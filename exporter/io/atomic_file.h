// Replaces a file as a whole. Readers see the old content or the new one. Safe on any thread, one
// thread a path.
#pragma once

#include <string>

namespace pg_integrity {

/// Writes the text to `path`.new, syncs that to disk, and renames it to `path`. `mode` are the
/// permissions of the new file. Blocks.
/// @throws SourceError{io} on failure. The temporary file is removed then.
void replace_file(const std::string& path, const std::string& text, unsigned mode = 0600);

}  // namespace pg_integrity
