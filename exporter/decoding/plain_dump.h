// Reads a plain dump to its end, without running any of it: statements as psql divides them, the
// rows of each COPY, and the comment that ends a dump. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "exporter/decoding/copy_rows.h"

namespace pg_integrity::decoding {

/// The number of columns that a COPY statement lists, 0 if it lists none.
/// @return nullopt if it is not a COPY from what follows it.
std::optional<std::size_t> columns_of_copy(std::string_view statement);

/// In some encodings a byte of a letter may look like a backslash.
/// @param statement it may be SET client_encoding.
/// @throws Unknown if rows in that encoding cannot be parsed.
void check_encoding(std::string_view statement);

class PlainDump {
 public:
  /// Takes the next bytes of the dump.
  /// @throws Damage
  void take(std::string_view bytes);
  /// Call it at the end of the dump.
  /// @throws Damage if the dump ends in the middle, or holds no data.
  void finish() const;
  /// Call it instead at the end of statements that are only a part of a dump.
  /// @throws Damage if they end in the middle of one.
  void finish_part() const;
  [[nodiscard]] std::uint64_t rows() const { return rows_ + (copy_ ? copy_->rows() : 0); }

 private:
  enum class In : std::uint8_t {
    between,  ///< statements
    statement,
    quoted,         ///< '…'
    quoted_escape,  ///< E'…'
    name,           ///< "…"
    dollar_tag,     ///< $…$ that may begin a text
    dollar,         ///< a text between two such tags
    line_comment,
    block_comment,
    meta,  ///< a command of psql, until the end of its line
  };

  void step(char byte);
  void step_statement(char byte);
  void step_dollar_tag(char byte);
  void step_dollar(char byte);
  void step_block_comment(char byte);
  void end_statement();
  void end_line_comment();
  void keep(char byte);
  std::size_t skim(std::string_view bytes);

  In in_ = In::between;
  In in_before_ = In::between;  ///< the comment
  std::string statement_;       ///< its beginning
  bool statement_too_long_ = false;
  std::string comment_;  ///< its beginning
  std::string tag_;      ///< of the dollar-quoted text
  std::size_t tag_matched_ = 0;
  int depth_ = 0;  ///< of block comments
  char last_ = '\0';
  bool escaped_ = false;
  bool after_name_ = false;  ///< a $ would be a part of the word before it
  std::optional<CopyRows> copy_;
  bool copy_begins_ = false;  ///< the line of the COPY statement has not ended yet
  std::uint64_t rows_ = 0;
  bool data_ = false;
  bool cluster_ = false;
  bool complete_ = false;  ///< the last comment that is no blank one says so
};

}  // namespace pg_integrity::decoding
