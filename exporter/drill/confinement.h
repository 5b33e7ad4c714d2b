// The sandbox that the configuration asks for, or the reason why it cannot be had. Blocks; one
// thread.
#pragma once

#include <string>
#include <vector>

#include "exporter/config/options.h"
#include "exporter/drill/work_directory.h"
#include "exporter/io/sandbox.h"

namespace pg_integrity {

/// @param server whose backups are drilled. It has `drills`.
/// @throws SourceError{config} with a hint if its sandbox cannot be had; Interrupted.
Sandbox sandbox_for(const ServerOptions& server, Children& children, const ScratchPlace& place,
                    const WorkDirectory& work);

/// For a proof, which runs nothing of a backup: namespaces where they can be had, and else only
/// limits.
/// @throws Interrupted
Sandbox sandbox_to_read(const ServerOptions& server, Children& children, const ScratchPlace& place,
                        const WorkDirectory& work);

/// The rights of a process that somebody else's code must not have, from its file `status` in
/// /proc. Empty if it has none.
std::vector<std::string> excess_rights(const std::string& status);

}  // namespace pg_integrity
