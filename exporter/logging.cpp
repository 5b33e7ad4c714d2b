#include "exporter/logging.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>

namespace pg_integrity {

namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

/// A logfmt value: quoted, with quotes, backslashes and control characters escaped.
void append_quoted(std::string& out, std::string_view value) {
  out += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      char escaped[5];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned>(c) & 0xffU);
      out += escaped;
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace

void start_logging(LogLevel least) {
  auto logger = spdlog::get("pg_integrity");
  if (!logger) logger = spdlog::stderr_logger_mt("pg_integrity");
  logger->set_pattern("ts=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v", spdlog::pattern_time_type::utc);
  logger->set_level(to_spdlog(least));
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(logger);
}

void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (!spdlog::should_log(to_spdlog(level))) return;
  std::string line = "msg=";
  append_quoted(line, message);
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    append_quoted(line, field.value);
  }
  spdlog::default_logger_raw()->log(to_spdlog(level), spdlog::string_view_t(line));
}

}  // namespace pg_integrity
