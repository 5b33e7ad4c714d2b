#include "exporter/postgres/server_errors.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <sstream>
#include <string_view>

#include "collectors/collector.h"

namespace pg_integrity {

namespace {

bool has_prefix(const std::string& state, std::initializer_list<std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view prefix) { return state.starts_with(prefix); });
}

/// PgBouncer has one SQLSTATE for all that it refuses. Its words are English wherever it runs.
constexpr std::string_view kStatementPooling = "statement pooling";

constexpr std::string_view kGap = ":  ";  ///< between a severity and what follows
constexpr std::size_t kSqlstate = 5;

/// @return where the SQLSTATE of "FATAL:  28P01: …" begins, npos if the line has none.
std::size_t sqlstate_in(const std::string& line) {
  for (std::size_t at = line.find(kGap); at != std::string::npos; at = line.find(kGap, at + 1)) {
    const std::size_t begin = at + kGap.size();
    const std::string_view state = std::string_view(line).substr(begin, kSqlstate);
    const bool valid =
        state.size() == kSqlstate && std::all_of(state.begin(), state.end(), [](char c) {
          return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
        });
    if (valid && line.compare(begin + kSqlstate, 2, ": ") == 0) return begin;
  }
  return std::string::npos;
}

Reason reason_of(const std::string& state) {
  if (state == "42501") return Reason::permission;
  if (state == "55P03") return Reason::lock;
  if (state == "57014") return Reason::timeout;
  if (has_prefix(state, {"42P01", "42703", "42704", "42883", "3D", "3F"})) return Reason::missing;
  if (has_prefix(state, {"40"})) return Reason::conflict;
  if (has_prefix(state, {"28"})) return Reason::auth;
  if (has_prefix(state, {"08", "57P", "5330"})) return Reason::connect;
  if (has_prefix(state, {"42", "25006", "0A", "34"})) return Reason::config;
  if (has_prefix(state, {"22"})) return Reason::decode;
  return Reason::server;
}

Reason reason_of_login(const std::string& state) {
  if (state == "42501") return Reason::permission;
  if (has_prefix(state, {"42", "22"})) return Reason::config;  // a setting of the connection string
  return reason_of(state);
}

}  // namespace

SourceError server_error(const std::string& sqlstate, const std::string& message) {
  if (sqlstate == "08P01" && message.find(kStatementPooling) != std::string::npos)
    return {
        Reason::config,
        fmt::format("{} (SQLSTATE {}). HINT: each check is one transaction, so connect to a pool"
                    " with pool_mode = transaction or session, or to the server itself",
                    read_message(message).text, sqlstate),
        SourceError::Scope::session};
  const Reason reason = reason_of(sqlstate);
  std::string text = "the server reported an error";
  if (has_prefix(sqlstate,
                 {"42", "28", "3D", "3F", "55P03", "57", "53", "08", "25", "0A", "XX001", "XX002"}))
    text = read_message(message).text;
  text += fmt::format(" (SQLSTATE {})", sqlstate);
  if (reason == Reason::permission)
    text +=
        ". HINT: `pg_integrity_exporter grants` prints the rights that this role needs; where "
        "row-level"
        " security applies, let it bypass the policies";
  if (reason == Reason::timeout) text += ". HINT: raise this collector's `deadline`";
  const auto scope =
      sqlstate.starts_with("57P") ? SourceError::Scope::session : SourceError::Scope::object;
  const bool damage = has_prefix(sqlstate, {"XX001", "XX002"});
  return {reason, text, scope, damage};
}

SourceError last_words(const SourceError& error) {
  return {error.reason(), error.what(), SourceError::Scope::session, error.damage()};
}

SourceError login_error(const std::string& sqlstate, const std::string& text) {
  // A login trigger of the database's users may put anything into such a message.
  const bool any_text = has_prefix(sqlstate, {"P0", "22", "23"});
  std::string said =
      fmt::format("{} (SQLSTATE {})", any_text ? "the server refused the login" : text, sqlstate);
  if (sqlstate == "42501")
    said +=
        ". HINT: `pg_integrity_exporter grants` prints the rights that this role needs, or leave "
        "the"
        " database out: databases = [\"*\", \"!NAME\"]";
  if (sqlstate == "53300")
    said +=
        ". HINT: raise the limit that was reached: the role's, the database's or the server's; a"
        " pooler needs a connection of the role for each database";
  return {reason_of_login(sqlstate), said, SourceError::Scope::session};
}

ServerMessage read_message(const std::string& message) {
  const std::string line = message.substr(0, message.find('\n'));
  const std::size_t severity = line.find(':');
  const std::size_t state = sqlstate_in(line);
  // A severity has no colon. So a mark behind the first one is a part of the text.
  if (state != std::string::npos && state == severity + kGap.size())
    return {line.substr(state, kSqlstate), line.substr(state + kSqlstate + 2)};
  for (const std::string_view english : {"ERROR:", "FATAL:", "PANIC:"})
    if (line.starts_with(english))
      return {{}, line.substr(std::min(line.find_first_not_of(' ', english.size()), line.size()))};
  return {{}, line};
}

ServerMessage read_connection_message(const std::string& message) {
  ServerMessage telling;
  std::string first;
  std::istringstream lines(message);
  for (std::string line; std::getline(lines, line);) {
    if (first.empty()) first = line;
    if (const std::size_t at = sqlstate_in(line); at != std::string::npos)
      telling = {line.substr(at, kSqlstate), line.erase(at, kSqlstate + 2)};
    else if (telling.sqlstate.empty() && line.starts_with("connection to server "))
      telling.text = line;
  }
  if (telling.text.empty()) telling.text = first;
  return telling;
}

}  // namespace pg_integrity
