// Translates a server's errors, from SQLSTATEs to reasons and messages that may be shown. The
// server's words are in its own language, so no word of them is compared. libpq is in its verbose
// mode, in which each message has its SQLSTATE. Pure functions. Safe on any thread.
#pragma once

#include <string>

#include "collectors/base/errors.h"

namespace pg_integrity {

/// Translates the error of a statement. The server's message is kept for error classes whose
/// messages name objects, settings and roles only. Messages of other classes may contain row
/// values, so the SQLSTATE replaces them.
/// @param message as libpq has it: severity, SQLSTATE, text, further lines.
SourceError server_error(const std::string& sqlstate, const std::string& message);

/// The same error, after which the session is lost.
SourceError last_words(const SourceError& error);

/// Translates a login that the server refused. Its text is kept for error classes whose messages
/// name roles, databases and settings only.
/// @param text the server's words on one line.
SourceError login_error(const std::string& sqlstate, const std::string& text);

/// A message of a server or of libpq.
struct ServerMessage {
  std::string sqlstate;  ///< empty if libpq itself complains
  std::string text;      ///< one line, without the SQLSTATE
};

/// Reads the first line of a statement's error, in whatever language the server speaks.
/// "FEHLER:  42P01: Relation …\nZEILE 1: …" becomes {"42P01", "Relation …"}.
ServerMessage read_message(const std::string& message);

/// Reads libpq's error of a failed connection. libpq has tried several addresses or, with and
/// without encryption, one address several times. The last answer of a server tells most.
/// "connection to … failed: FATAL:  28P01: …\nLOCATION: …" becomes {"28P01", "connection to …
/// failed: FATAL:  …"}.
ServerMessage read_connection_message(const std::string& message);

}  // namespace pg_integrity
