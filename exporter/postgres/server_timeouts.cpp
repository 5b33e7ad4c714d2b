#include "exporter/postgres/server_timeouts.h"

#include <fmt/format.h>

namespace pg_integrity {

namespace {

constexpr int kAlways = 120000;
constexpr int kSince14 = 140000;

}  // namespace

const std::vector<ServerTimeout>& server_timeouts() {
  static const std::vector<ServerTimeout> timeouts{
      // An idle session: 15 s, and three probes.
      {"tcp_keepalives_idle", "15", kAlways},
      {"tcp_keepalives_interval", "5", kAlways},
      {"tcp_keepalives_count", "3", kAlways},
      // An answer that nobody takes, in milliseconds.
      {"tcp_user_timeout", "20000", kAlways},
      // A statement that runs looks whether its connection is still there, in milliseconds.
      {"client_connection_check_interval", "10000", kSince14},
      // Behind a Unix socket or a pooler nothing of the above helps. In milliseconds.
      {"idle_session_timeout", "900000", kSince14},
  };
  return timeouts;
}

std::string timeouts_as_options(int version) {
  std::string options;
  for (const ServerTimeout& timeout : server_timeouts())
    if (timeout.since <= version)
      options += fmt::format("{}-c {}={}", options.empty() ? "" : " ", timeout.name, timeout.value);
  return options;
}

}  // namespace pg_integrity
