// One line of the history: something that changed, as JSON, with the hash of the line before. The
// hash of a line is the SHA-256 of its bytes without the end of the line. Plain values; pure
// functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/base/instant.h"

namespace pg_integrity {

/// Kinds of entries.
inline constexpr std::string_view kStarted = "start";  ///< the exporter started
inline constexpr std::string_view kObject = "object";  ///< the state of an object changed
inline constexpr std::string_view kAnswer = "answer";  ///< the answer to a question changed
inline constexpr std::string_view kDrill = "drill";    ///< a restore drill succeeded
inline constexpr std::string_view kDay = "day";        ///< once a day, what a server's state is
inline constexpr std::string_view kUnreadable = "";    ///< a line that is no line of ours

struct HistoryEntry {
  UnixTime time = 0;  ///< when the exporter noticed it
  std::string kind;
  std::string server;
  std::string database;    ///< empty: the whole server
  std::string subject;     ///< name of an object, or of a question
  std::size_t others = 0;  ///< further objects with the same change
  std::string from;        ///< name of a state; empty: it was not watched, or not checked yet
  std::string to;          ///< empty: it is not watched any more
  std::string reason;      ///< why it is unproven or limited
  std::optional<UnixTime> evidence_time;
  std::string text;  ///< the evidence in words

  bool operator==(const HistoryEntry&) const = default;
};

struct HistoryLine {
  std::uint64_t number = 0;  ///< 1 is the first line ever
  std::string previous;      ///< hash of the line before
  HistoryEntry entry;
  std::string text;  ///< the line itself, without its end
};

/// Stands for the hash of the line before the first one.
std::string no_line_before();

/// The line of an entry. A text of more than 500 bytes is cut.
HistoryLine line_of(std::uint64_t number, std::string previous, HistoryEntry entry);

/// Reads a line.
/// @throws SourceError{decode}
HistoryLine line_from(std::string text);

/// The moment of "2026-11-29T14:00:00Z".
/// @return nothing if the text has another form.
std::optional<UnixTime> moment_from(const std::string& text);

}  // namespace pg_integrity
