// Log lines on standard error, in logfmt (ts=… level=… msg="…" key="value") or as JSON. Values are
// quoted and escaped here, so that no content of a database can forge a line. A thread of its own
// writes them: where nobody reads them any more, lines are dropped and counted, and nobody waits.
// Safe on any thread after start_logging().
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace pg_integrity {

enum class LogLevel : std::uint8_t { debug, info, warning, error };
enum class LogFormat : std::uint8_t { logfmt, json };

struct LogField {
  std::string_view key;
  std::string value;
};

/// Call it before the first log(). Lines below the level `least` are left out.
/// @throws std::system_error if no thread can be started.
void start_logging(LogLevel least, LogFormat format = LogFormat::logfmt);

/// Waits until all lines so far are written, for a second at most.
void flush_log();

void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});

}  // namespace pg_integrity
