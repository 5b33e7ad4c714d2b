// Time-outs that the server keeps for our sessions, so that it ends them itself when we are gone:
// a broken network tells neither side. `grants` sets them for the role, and each login asks for
// them. Pure functions. Safe on any thread.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace pg_integrity {

/// A setting of the server that every role may set for itself.
struct ServerTimeout {
  std::string name;
  std::string value;
  int since;  ///< server_version_num of the oldest server that knows it
};

/// With them a server notices within half a minute that nobody is there any more.
const std::vector<ServerTimeout>& server_timeouts();

/// How long a server that keeps these time-outs may take to notice, with room to spare.
constexpr std::chrono::seconds kServerNotices{60};

/// The time-outs as libpq's `options`, which a login sends. An unknown one ends the login.
/// @param version of the server as server_version_num. Newer time-outs are left out.
std::string timeouts_as_options(int version);

}  // namespace pg_integrity
