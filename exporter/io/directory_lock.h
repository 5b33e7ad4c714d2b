// Makes this process the only owner of a directory, until the lock is destroyed or the process
// ends. One owner; not safe on several threads.
#pragma once

#include <optional>
#include <string>

#include "exporter/io/descriptor.h"

namespace pg_integrity {

/// Locks the file `lock` in the directory, and writes this process's number into it. Blocks.
/// @return nothing if another process has it.
/// @throws SourceError: io or permission if the file cannot be made.
std::optional<Descriptor> lock_directory(const std::string& directory);

/// The number that the owner wrote, for messages. Empty if it cannot be read.
std::string owner_of(const std::string& directory);

}  // namespace pg_integrity
