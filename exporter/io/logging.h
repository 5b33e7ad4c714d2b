// Log lines in logfmt on standard error, such as ts=… level=… msg="…" key="value". Values are
// quoted and escaped here, so that no content of a database can forge a line. Safe on any thread
// after start_logging().
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace pg_integrity {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

struct LogField {
  std::string_view key;
  std::string value;
};

/// Call it before the first log(). Lines below the level `least` are dropped.
void start_logging(LogLevel least);

void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});

}  // namespace pg_integrity
