// Translates a server's errors, from SQLSTATEs and libpq's texts to reasons and messages that may
// be shown. Pure functions. Safe on any thread.
#pragma once

#include <string>

#include "collectors/base/errors.h"

namespace pg_integrity {

/// Translates the error of a statement. The server's message is kept for error classes whose
/// messages name objects, settings and roles only. Messages of other classes may contain row
/// values, so the SQLSTATE replaces them.
/// @param message as libpq has it: severity, text, further lines.
SourceError server_error(const std::string& sqlstate, const std::string& message);

/// The reason why a connection failed. libpqxx has no SQLSTATE for that, so libpq's text must tell.
Reason reason_of_refusal(const std::string& message);

/// "ERROR:  relation …\nLINE 1: …" -> "relation …"
std::string first_line(std::string message);

}  // namespace pg_integrity
