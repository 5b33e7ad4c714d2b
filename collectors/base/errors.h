// Errors that can occur while a collector reads a database, a directory or an endpoint. The reasons
// are a closed set, because they are label values and appear in alerts. SourceError carries them.
// Plain values; safe on any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "collectors/base/qualified_name.h"

namespace pg_integrity {

/// Why something is not proven. The order is that of kReasonNames.
enum class Reason : std::uint8_t {
  connect,         ///< the server could not be reached, or the connection was lost
  auth,            ///< the server refused the role or its password
  tls,             ///< encryption or a certificate was refused
  timeout,         ///< a deadline passed
  lock,            ///< somebody holds a lock that conflicts with reading
  permission,      ///< the role may not see it (a missing grant, row-level security, a file mode)
  missing,         ///< it does not exist
  conflict,        ///< recovery or serialization conflict; the next run may succeed
  server,          ///< the server reported another error
  protocol,        ///< the conversation broke off in the middle of an answer
  decode,          ///< the answer does not have the expected form
  io,              ///< a file or directory could not be read
  http,            ///< an HTTP answer that is not a success
  limit,           ///< one of our own bounds was reached
  clock,           ///< a time that cannot be true (it lies in the future)
  config,          ///< the configuration does not fit what is there
  unsafe,          ///< reading would run code that belongs to no superuser
  policy,          ///< row-level security hides rows from the role
  too_large,       ///< above the configured size gate
  limited,         ///< nothing but known limits, so that nothing could be judged
  gone,            ///< it was there for long, and is gone or switched off
  stale,           ///< the newest evidence is too old to count
  not_proved,      ///< it is there, and nobody has read it to its end recently enough
  not_configured,  ///< the configuration says nothing about it
  pending,         ///< not checked yet
  internal,        ///< a fault of the exporter itself; please report it
};

inline constexpr std::array<std::string_view, 26> kReasonNames{
    "connect",   "auth",     "tls",    "timeout",  "lock",       "permission",
    "missing",   "conflict", "server", "protocol", "decode",     "io",
    "http",      "limit",    "clock",  "config",   "unsafe",     "policy",
    "too_large", "limited",  "gone",   "stale",    "not_proved", "not_configured",
    "pending",   "internal"};

constexpr std::string_view name_of(Reason reason) {
  return kReasonNames[static_cast<std::size_t>(reason)];
}

/// The reason of that name; empty if there is none.
constexpr std::optional<Reason> reason_named(std::string_view name) {
  for (std::size_t i = 0; i < kReasonNames.size(); ++i)
    if (kReasonNames[i] == name) return static_cast<Reason>(i);
  return std::nullopt;
}

/// Whether a new check is useless until somebody changes something. Earlier evidence is then
/// withdrawn at once. The other reasons pass, so earlier evidence may age out instead.
constexpr bool is_lasting(Reason reason) {
  switch (reason) {
    case Reason::permission:
    case Reason::missing:
    case Reason::decode:
    case Reason::config:
    case Reason::unsafe:
    case Reason::policy:
    case Reason::too_large:
    case Reason::limited:
    case Reason::gone:
    case Reason::clock:
    case Reason::not_proved:
    case Reason::not_configured:
      return true;
    default:
      return false;
  }
}

/// Whether others were in the way for a moment. It tells nothing about what was to be read.
constexpr bool is_momentary(Reason reason) {
  return reason == Reason::lock || reason == Reason::conflict;
}

/// Whether this reason is a limit of how we check. An object that was never judged because of it,
/// and that the configuration does not name, is limited, not unproven, and nobody is woken.
constexpr bool is_limit(Reason reason) {
  return reason == Reason::unsafe || reason == Reason::policy || reason == Reason::too_large ||
         reason == Reason::not_proved;
}

/// Whether this reason shows that the other side is down. The other reasons tell nothing about
/// that.
constexpr bool says_down(Reason reason) {
  switch (reason) {
    case Reason::connect:
    case Reason::auth:
    case Reason::tls:
    case Reason::timeout:
    case Reason::protocol:
    case Reason::http:
      return true;
    default:
      return false;
  }
}

/// Whether this reason tells that a table as a whole could not be read, whatever was asked of it.
constexpr bool is_about_table(Reason reason) {
  return reason == Reason::lock || reason == Reason::conflict || reason == Reason::timeout ||
         (is_limit(reason) && reason != Reason::not_proved);
}

/// A relation that keeps statements from running.
struct Obstacle {
  QualifiedName relation;
  bool is_sequence = false;
  std::string role = {};  ///< ours, if it may not read the relation; else empty

  auto operator<=>(const Obstacle&) const = default;
  bool operator==(const Obstacle&) const = default;
};

/// Thrown when nothing trustworthy could be read. what() is one line without secrets or row values.
/// It may end in "HINT: …".
class SourceError : public std::runtime_error {
 public:
  enum class Scope : std::uint8_t {
    object,   ///< this request failed; the next one may succeed
    session,  ///< the session is gone: every further request of this step would fail too
  };

  /// @param damage whether the server says that the data it read is corrupted.
  SourceError(Reason reason, const std::string& message, Scope scope = Scope::object,
              bool damage = false)
      : std::runtime_error(message), reason_(reason), scope_(scope), damage_(damage) {}

  [[nodiscard]] Reason reason() const noexcept { return reason_; }
  [[nodiscard]] bool session_lost() const noexcept { return scope_ == Scope::session; }
  [[nodiscard]] bool damage() const noexcept { return damage_; }

  /// The same error, with the relation that was in the way.
  [[nodiscard]] SourceError because_of(Obstacle obstacle) const {
    SourceError error = *this;
    error.obstacle_ = std::move(obstacle);
    return error;
  }
  /// Nothing: it is not known, or no relation was in the way.
  [[nodiscard]] const std::optional<Obstacle>& obstacle() const noexcept { return obstacle_; }

 private:
  Reason reason_;
  Scope scope_;
  bool damage_;
  std::optional<Obstacle> obstacle_;
};

}  // namespace pg_integrity
