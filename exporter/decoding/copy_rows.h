// Parses the rows of a COPY in PostgreSQL's text format, as pg_dump writes them: each has as many
// columns as the statement, knows only the escapes that COPY makes, and the rows end with \. on a
// line of its own. One thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace pg_integrity::decoding {

class CopyRows {
 public:
  /// @param columns 0 if their number is not known. Each row then has as many as the first one.
  explicit CopyRows(std::size_t columns) : columns_(columns), known_(columns > 0) {}

  /// Takes the bytes up to the end of the rows.
  /// @return how many bytes were rows. If ended(), the rest follows them.
  /// @throws Damage
  std::size_t take(std::string_view bytes);
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }

 private:
  void letter(char byte);
  void escape(char byte);
  void end_line();
  [[nodiscard]] bool in_plain_text() const {
    return !escaped_ && !terminator_ && !null_ && !returned_;
  }

  std::size_t columns_;
  bool known_;
  bool ended_ = false;
  std::uint64_t rows_ = 0;
  std::size_t tabs_ = 0;        ///< in this line
  std::uint64_t in_field_ = 0;  ///< bytes of this field
  std::uint64_t in_line_ = 0;   ///< bytes of this line
  bool escaped_ = false;        ///< the last byte was a backslash
  bool null_ = false;           ///< this field is \N
  bool terminator_ = false;     ///< this line began with \.
  bool returned_ = false;       ///< the last byte was a carriage return
};

}  // namespace pg_integrity::decoding
