// Makes one pass of collectors for a command, and lets signals end it early.
#pragma once

#include "exporter/io/clock.h"
#include "exporter/scheduler/runtime.h"

namespace pg_integrity {

/// Samples once. SIGINT, SIGTERM or SIGHUP cancels its queries and ends it early. Call
/// take_signals() first, while the process has one thread.
/// @param reading whether backups are read to their end, too, which may take a minute.
/// @return the signal that interrupted it; 0: none.
int sample_once(Runtime& runtime, const WaitableClock& clock, bool reading);

}  // namespace pg_integrity
