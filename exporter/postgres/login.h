// Logs in to a server with libpq. libpqxx keeps only the text of a refused login, which is in the
// language of the server. With libpq itself, in its verbose mode, the SQLSTATE tells the reason.
// Safe on any thread.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "collectors/base/errors.h"
#include "collectors/ports/clock.h"

struct pg_conn;

namespace pg_integrity {

struct CloseConnection {
  void operator()(pg_conn* connection) const;
};

/// A server, or a pooler before it, has refused the login.
class RefusedLogin : public SourceError {
 public:
  RefusedLogin(const SourceError& error, std::string sqlstate)
      : SourceError(error), sqlstate_(std::move(sqlstate)) {}
  [[nodiscard]] const std::string& sqlstate() const { return sqlstate_; }
  /// Whether the refusal may be about a setting that the login asked for.
  [[nodiscard]] bool may_be_about_options() const;

 private:
  std::string sqlstate_;
};

/// libpq's connection. Its owner closes it.
using LibpqConnection = std::unique_ptr<pg_conn, CloseConnection>;

/// Logs in to the first host that answers and fits. Each address has connect_timeout to answer.
/// After that it tries the next host. If there is no other, it hangs up and blocks until the server
/// has let go, for at most ten minutes. A host that refuses the login ends the search, as it does
/// with libpq. The connection stays in the verbose mode, and prints no notices.
/// @param conninfo as completed() returns it.
/// @throws SourceError with session_lost(). Its reason is that of the most telling host, and its
/// text has the words of all hosts. They may repeat secrets of the connection string. It is a
/// RefusedLogin if that host has refused it.
LibpqConnection log_in(const std::string& conninfo, const Clock& clock);

/// Whether the server says that the session's role is a superuser.
bool is_superuser(const pg_conn* connection);

/// All that libpq and the server said to the newest statement, the first line first.
std::string last_message(const pg_conn* connection);

}  // namespace pg_integrity
