#include "exporter/postgres/server_errors.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "collectors/collector.h"

namespace pg_integrity {

namespace {

bool has_prefix(const std::string& state, std::initializer_list<std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view prefix) { return state.starts_with(prefix); });
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

}  // namespace

SourceError server_error(const std::string& sqlstate, const std::string& message) {
  const Reason reason = reason_of(sqlstate);
  std::string text = "the server reported an error";
  if (has_prefix(sqlstate,
                 {"42", "28", "3D", "3F", "55P03", "57", "53", "08", "25", "0A", "XX001", "XX002"}))
    text = first_line(message);
  text += " (SQLSTATE " + sqlstate + ")";
  if (reason == Reason::permission)
    text +=
        ". HINT: grant this role SELECT on the table and USAGE on its schema; where row-level"
        " security applies, let it bypass the policies";
  if (reason == Reason::timeout) text += ". HINT: raise this collector's `deadline`";
  const auto scope =
      sqlstate.starts_with("57P") ? SourceError::Scope::session : SourceError::Scope::object;
  const bool damage = has_prefix(sqlstate, {"XX001", "XX002"});
  return {reason, text, scope, damage};
}

Reason reason_of_refusal(const std::string& message) {
  const auto mentions = [&](std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
      return message.find(word) != std::string::npos;
    });
  };
  if (mentions({"too many connections", "connection slots"})) return Reason::connect;
  if (mentions({"password authentication failed", "no password supplied", "pg_hba.conf",
                "is not permitted to log in", "authentication failed", "role \""}))
    return Reason::auth;
  if (mentions({"SSL", "certificate", "TLS"})) return Reason::tls;
  if (mentions({"database \""}) && mentions({"does not exist"})) return Reason::missing;
  if (mentions({"timeout expired"})) return Reason::timeout;
  return Reason::connect;
}

std::string first_line(std::string message) {
  message.resize(std::min(message.find('\n'), message.size()));
  for (const std::string_view severity : {"ERROR:", "FATAL:"})
    if (message.starts_with(severity)) message.erase(0, severity.size());
  message.erase(0, std::min(message.find_first_not_of(' '), message.size()));
  return message;
}

}  // namespace pg_integrity
