#include "exporter/io/logging.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>
#include <utility>

#include "collectors/base/thread_annotations.h"
#include "exporter/io/json_writer.h"
#include "exporter/io/line_writer.h"
#include "exporter/io/mutex.h"

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

void append_escaped(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    char escaped[5];
    std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned>(c) & 0xffU);
    out += escaped;
  }
}

/// The length in bytes of the control character at the start of a UTF-8 text, 0 if there is none.
/// Control characters are C0, DEL, and C1 (U+0080 to U+009F), which terminals obey as well.
std::size_t control_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x20 || byte(0) == 0x7f) return 1;
  return text.size() > 1 && byte(0) == 0xc2 && byte(1) >= 0x80 && byte(1) <= 0x9f ? 2 : 0;
}

/// A logfmt value: quoted, with quotes, backslashes and control characters escaped.
void append_quoted(std::string& out, std::string_view value) {
  out += '"';
  while (!value.empty()) {
    const char c = value.front();
    const std::size_t control = control_length(value);
    if (c == '\n')
      out += "\\n";
    else if (control > 0)
      append_escaped(out, value.substr(0, control));
    else if (c == '"' || c == '\\')
      out += {'\\', c};
    else
      out += c;
    value.remove_prefix(std::max<std::size_t>(control, 1));
  }
  out += '"';
}

std::atomic<bool> as_json = false;

LineWriter& writer() {
  // It lives as long as the process: threads that nobody can end may still have something to say.
  static auto* const made = new LineWriter(2);
  return *made;
}

/// Hands the lines that spdlog has made to the writer.
class WriterSink final : public spdlog::sinks::sink {
 public:
  void log(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    {
      const MutexLock lock(mutex_);
      formatter_->format(message, line);
    }
    writer().write(std::string(line.data(), line.size()));
  }
  void flush() override {}
  void set_pattern(const std::string& pattern) override {
    set_formatter(std::make_unique<spdlog::pattern_formatter>(pattern));
  }
  void set_formatter(std::unique_ptr<spdlog::formatter> formatter) override {
    const MutexLock lock(mutex_);
    formatter_ = std::move(formatter);
  }

 private:
  Mutex mutex_;
  std::unique_ptr<spdlog::formatter> formatter_ GUARDED_BY(mutex_);
};

std::string as_fields(std::string_view message, std::initializer_list<LogField> fields) {
  std::string line = "msg=";
  append_quoted(line, message);
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    append_quoted(line, field.value);
  }
  return line;
}

std::string as_members(std::string_view message, std::initializer_list<LogField> fields) {
  std::string line = "\"msg\":";
  append_json({std::string(message)}, line);
  for (const LogField& field : fields) {
    line += ',';
    append_json({std::string(field.key)}, line);
    line += ':';
    append_json({field.value}, line);
  }
  return line;
}

}  // namespace

void start_logging(LogLevel least, LogFormat format) {
  static_cast<void>(writer());
  auto logger = spdlog::get("pg_integrity");
  if (!logger) {
    logger = std::make_shared<spdlog::logger>("pg_integrity", std::make_shared<WriterSink>());
    spdlog::register_logger(logger);
  }
  as_json = format == LogFormat::json;
  logger->set_pattern(as_json ? R"({"ts":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                              : "ts=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v",
                      spdlog::pattern_time_type::utc);
  logger->set_level(to_spdlog(least));
  spdlog::set_default_logger(logger);
}

void flush_log() {
  writer().flush();
}

void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (!spdlog::should_log(to_spdlog(level))) return;
  const std::string line = as_json ? as_members(message, fields) : as_fields(message, fields);
  spdlog::default_logger_raw()->log(to_spdlog(level), spdlog::string_view_t(line));
}

}  // namespace pg_integrity
