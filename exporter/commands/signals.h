// The signals that end a command or make it read its configuration anew.
#pragma once

#include <csignal>

namespace pg_integrity {

/// SIGTERM, SIGINT and SIGHUP.
sigset_t handled_signals();

/// From here on all threads leave these signals to sigwait(). Call it before any other thread is
/// started: it blocks them for all.
void take_signals();

/// From here on a second SIGTERM or SIGINT ends the process at once.
void give_signals_back();

}  // namespace pg_integrity
