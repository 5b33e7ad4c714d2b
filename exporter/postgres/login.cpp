#include "exporter/postgres/login.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/base/errors.h"
#include "exporter/config/conninfo.h"
#include "exporter/io/logging.h"
#include "exporter/postgres/server_errors.h"
#include "exporter/postgres/session_socket.h"

namespace pg_integrity {

namespace {

using RealClock = std::chrono::steady_clock;
using TimePoint = RealClock::time_point;

constexpr std::chrono::seconds kShortestTimeout{2};  ///< as libpq has it
constexpr std::chrono::milliseconds kLongestPoll{60000};
constexpr int kOldestProtocolPeer = 90000;  ///< libpqxx takes no older server

/// How much a failure says. Of several hosts the one that says most gives the reason.
enum class Telling : std::uint8_t { unreachable, answered, refused };

struct Refusal {
  SourceError error;
  std::string sqlstate;  ///< empty if the server said none
  Telling telling;
  bool final;  ///< no other host is asked
};

/// @return the time that one address has to answer, nothing if it may take as long as it likes.
std::optional<std::chrono::seconds> connect_timeout(PGconn* connection) {
  PQconninfoOption* options = ::PQconninfo(connection);
  int seconds = 0;
  for (const PQconninfoOption* option = options; option != nullptr && option->keyword != nullptr;
       ++option)
    if (std::string_view(option->keyword) == "connect_timeout" && option->val != nullptr)
      std::from_chars(option->val, option->val + std::string_view(option->val).size(), seconds);
  ::PQconninfoFree(options);
  if (seconds <= 0) return std::nullopt;
  return std::max(kShortestTimeout, std::chrono::seconds(seconds));
}

/// Waits until libpq can go on.
/// @return false once the moment has come.
bool wait_for(PGconn* connection, PostgresPollingStatusType wanted,
              std::optional<TimePoint> moment) {
  for (;;) {
    int milliseconds = -1;
    if (moment) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*moment - RealClock::now());
      if (left.count() <= 0) return false;
      milliseconds = static_cast<int>(std::min<long long>(left.count(), kLongestPoll.count()));
    }
    pollfd waiting{::PQsocket(connection),
                   static_cast<short>(wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
    if (::poll(&waiting, 1, milliseconds) > 0) return true;
  }
}

/// Why the login failed in which the server said nothing.
Reason reason_without_sqlstate(PGconn* connection, ConnStatusType step) {
  if (step == CONNECTION_SSL_STARTUP) return Reason::tls;
  if (::PQconnectionNeedsPassword(connection) != 0) return Reason::auth;
  // libpq itself has hung up in the middle of the login: it does not take part in it.
  const bool logging_in = step == CONNECTION_AWAITING_RESPONSE && ::PQsocket(connection) >= 0;
  const bool logged_in = ::PQparameterStatus(connection, "server_version") != nullptr;
  return logging_in && !logged_in ? Reason::auth : Reason::connect;
}

/// The address that libpq talks to, in libpq's words.
std::string place_of(PGconn* connection) {
  const auto text = [](const char* value) { return std::string(value == nullptr ? "" : value); };
  const std::string address = text(::PQhostaddr(connection));
  return fmt::format("connection to server at \"{}\"{}, port {}", text(::PQhost(connection)),
                     address.empty() ? "" : fmt::format(" ({})", address),
                     text(::PQport(connection)));
}

Refusal refusal_of(PGconn* connection, ConnStatusType step, bool in_time) {
  const ServerMessage said = read_connection_message(::PQerrorMessage(connection));
  if (!said.sqlstate.empty()) {
    const bool unready = said.sqlstate == "57P03";  // it starts, stops, or recovers
    return {login_error(said.sqlstate, said.text), said.sqlstate,
            unready ? Telling::answered : Telling::refused, !unready};
  }
  const auto lost = SourceError::Scope::session;
  if (!in_time)
    return {SourceError(Reason::timeout, place_of(connection) + " failed: timeout expired", lost),
            {},
            Telling::unreachable,
            false};
  const Reason reason = reason_without_sqlstate(connection, step);
  const bool reached = step != CONNECTION_STARTED && step != CONNECTION_NEEDED;
  return {SourceError(reason, said.text, lost),
          {},
          reached ? Telling::answered : Telling::unreachable,
          false};
}

/// Logs in to one host, which may have several addresses.
/// @return nothing if the login has succeeded.
std::optional<Refusal> log_in_to(PGconn* connection) {
  if (connection == nullptr)
    return Refusal{SourceError(Reason::limit, "out of memory", SourceError::Scope::session),
                   {},
                   Telling::refused,
                   true};
  ::PQsetErrorVerbosity(connection, PQERRORS_VERBOSE);
  ::PQsetNoticeReceiver(
      connection,
      [](void*, const PGresult* notice) {
        log(LogLevel::debug, "a notice of the server",
            {{"notice", ::PQresultErrorMessage(notice)}});
      },
      nullptr);
  ConnStatusType step = ::PQstatus(connection);
  if (step == CONNECTION_BAD) return refusal_of(connection, CONNECTION_NEEDED, true);
  const auto timeout = connect_timeout(connection);
  auto wanted = PGRES_POLLING_WRITING;
  std::string place;
  std::optional<TimePoint> until;
  while (wanted == PGRES_POLLING_READING || wanted == PGRES_POLLING_WRITING) {
    step = ::PQstatus(connection);
    if (std::string now_at = place_of(connection); timeout && now_at != place) {
      place = std::move(now_at);
      until = RealClock::now() + *timeout;
    }
    if (!wait_for(connection, wanted, until)) {
      if (step != CONNECTION_STARTED) return refusal_of(connection, step, false);
      // libpq takes this for a failure to connect, and tries the next address.
      ::shutdown(::PQsocket(connection), SHUT_RDWR);
      until = RealClock::now() + *timeout;
    }
    wanted = ::PQconnectPoll(connection);
  }
  if (wanted == PGRES_POLLING_OK) return std::nullopt;
  return refusal_of(connection, step, true);
}

/// Hangs up, and waits until the other side has done so, too. Otherwise a server process that hangs
/// while it starts would stay, and each new attempt would add another one. A pooler lets go at
/// once.
void hang_up(PGconn* connection, const Clock& clock) {
  const auto socket = std::make_shared<SessionSocket>(::PQsocket(connection), 0);
  socket->shut_down();
  wait_until_gone(*abandoned(socket, clock));
}

/// Refuses a pooler's console, which speaks the protocol but is no database.
void require_database(PGconn* connection) {
  if (::PQserverVersion(connection) >= kOldestProtocolPeer) return;
  const char* version = ::PQparameterStatus(connection, "server_version");
  throw SourceError(
      Reason::config,
      fmt::format("this is no PostgreSQL but \"{}\". HINT: a pooler has a console by the name"
                  " \"pgbouncer\" or similar; name a database behind it",
                  version == nullptr ? "" : version),
      SourceError::Scope::session);
}

/// Throws the most telling failure, with the words of all hosts.
[[noreturn]] void throw_what_all_said(const std::vector<Refusal>& refusals) {
  const auto telling = [](const Refusal& a, const Refusal& b) { return a.telling < b.telling; };
  const Refusal& most = *std::max_element(refusals.begin(), refusals.end(), telling);
  std::string text;
  for (const Refusal& refusal : refusals) {
    const std::string said = refusal.error.what();
    if (&refusal != &most && text.find(said) == std::string::npos) text += said + "; ";
  }
  const SourceError error(most.error.reason(), text + most.error.what(),
                          SourceError::Scope::session);
  if (!most.sqlstate.empty()) throw RefusedLogin(error, most.sqlstate);
  throw error;
}

}  // namespace

bool RefusedLogin::may_be_about_options() const {
  // An old server does not know a setting, a value is out of its range, or a pooler or proxy takes
  // no settings at all.
  return sqlstate_ == "42704" || sqlstate_ == "22023" || sqlstate_ == "08P01" ||
         sqlstate_ == "0A000";
}

void CloseConnection::operator()(pg_conn* connection) const {
  ::PQfinish(connection);
}

bool is_superuser(const pg_conn* connection) {
  const char* said = ::PQparameterStatus(connection, "is_superuser");
  return said != nullptr && std::string_view(said) == "on";
}

std::string last_message(const pg_conn* connection) {
  return ::PQerrorMessage(connection);
}

LibpqConnection log_in(const std::string& conninfo, const Clock& clock) {
  std::vector<Refusal> refusals;
  const std::vector<std::string> hosts = one_by_one(conninfo);
  for (const std::string& one : hosts) {
    LibpqConnection connection(::PQconnectStart(one.c_str()));
    const auto refusal = log_in_to(connection.get());
    if (!refusal) {
      require_database(connection.get());
      return connection;
    }
    const bool hangs = refusal->error.reason() == Reason::timeout;
    if (hangs && hosts.size() == 1) hang_up(connection.get(), clock);
    refusals.push_back(*refusal);
    if (refusal->final) break;
  }
  throw_what_all_said(refusals);
}

}  // namespace pg_integrity
