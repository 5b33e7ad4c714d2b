// What a server's errors mean: SQLSTATEs and libpq's texts in, reasons out, and messages that may
// be shown. Pure functions; safe on any thread.
#pragma once

#include <string>

#include "collectors/base/errors.h"

namespace pg_integrity {

/// An error that a statement met with. Its message is repeated only where it names objects,
/// settings and roles; that of other classes may hold row values and gives way to the SQLSTATE.
/// @param message as libpq has it: severity, text, further lines.
SourceError server_error(const std::string& sqlstate, const std::string& message);

/// Why no session could be had: a failed connection has no SQLSTATE in libpqxx, only libpq's text.
Reason reason_of_refusal(const std::string& message);

/// "ERROR:  relation …\nLINE 1: …" -> "relation …"
std::string first_line(std::string message);

}  // namespace pg_integrity
