#include "exporter/history/history_line.h"

#include <ctime>
#include <utility>

#include "collectors/base/errors.h"
#include "collectors/base/json_value.h"
#include "exporter/io/clock.h"
#include "exporter/io/json_reader.h"
#include "exporter/io/json_writer.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kLongestText = 500;  // bytes

JsonValue or_null(const std::string& text) {
  return text.empty() ? JsonValue{} : JsonValue{text};
}

/// The first bytes of a UTF-8 text. A character is never cut in two.
std::string beginning_of(std::string text) {
  if (text.size() <= kLongestText) return text;
  std::size_t end = kLongestText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  text.resize(end);
  return text + "…";
}

}  // namespace

std::string no_line_before() {
  return std::string(64, '0');
}

HistoryLine line_of(std::uint64_t number, std::string previous, HistoryEntry entry) {
  entry.text = beginning_of(std::move(entry.text));
  std::string text;
  append_json({JsonValue::Members{
                  {"number", {static_cast<double>(number)}},
                  {"time", {format_utc(entry.time)}},
                  {"kind", {entry.kind}},
                  {"server", or_null(entry.server)},
                  {"database", or_null(entry.database)},
                  {"subject", or_null(entry.subject)},
                  {"others", {static_cast<double>(entry.others)}},
                  {"from", or_null(entry.from)},
                  {"to", or_null(entry.to)},
                  {"reason", or_null(entry.reason)},
                  {"evidence_time",
                   entry.evidence_time ? JsonValue{format_utc(*entry.evidence_time)} : JsonValue{}},
                  {"text", or_null(entry.text)},
                  {"previous", {previous}}}},
              text);
  return {number, std::move(previous), std::move(entry), std::move(text)};
}

HistoryLine line_from(std::string text) {
  const JsonValue read = SaxJson().read(text);
  HistoryLine line;
  line.number = static_cast<std::uint64_t>(read.at("number").number());
  line.previous = read.at("previous").text();
  const auto time = moment_from(read.at("time").text());
  if (!time) throw SourceError(Reason::decode, "the line has no time");
  line.entry = {*time,
                read.at("kind").text(),
                read.text_or_empty("server"),
                read.text_or_empty("database"),
                read.text_or_empty("subject"),
                static_cast<std::size_t>(read.maybe_number("others").value_or(0)),
                read.text_or_empty("from"),
                read.text_or_empty("to"),
                read.text_or_empty("reason"),
                moment_from(read.text_or_empty("evidence_time")),
                read.text_or_empty("text")};
  line.text = std::move(text);
  return line;
}

std::optional<UnixTime> moment_from(const std::string& text) {
  std::tm parts{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return static_cast<UnixTime>(::timegm(&parts));
}

}  // namespace pg_integrity
