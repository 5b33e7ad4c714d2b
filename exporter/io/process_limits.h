// What this process asks of the operating system and of its memory for itself.
#pragma once

namespace pg_integrity {

/// Keeps memory small and secrets out of core files: few arenas for many threads, large blocks that
/// go back at once, and no core file. If a thread finds no memory and nobody has caught that, the
/// process ends with one line and the exit code 1 in place of an abort. Call it before the first
/// thread is started.
void set_process_limits();

}  // namespace pg_integrity
