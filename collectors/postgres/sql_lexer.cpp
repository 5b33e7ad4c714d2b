#include "collectors/postgres/sql_lexer.h"

#include <algorithm>

namespace pg_integrity {

namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & '\x80') != 0;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_space(char c) {
  return std::string_view(" \t\r\n\f\v").find(c) != std::string_view::npos;
}

/// Reads SQL piece by piece, as PostgreSQL's scan.l does with standard_conforming_strings on.
class Pieces {
 public:
  explicit Pieces(std::string_view sql) : sql_(sql) {}

  /// The next word, quoted text or single character; empty at the end. Spaces and comments are
  /// skipped.
  std::string_view next() {
    while (skip_space_or_comment()) {
    }
    const std::size_t begin = at_;
    if (at_ == sql_.size()) return {};
    const char c = sql_[at_];
    if (is_letter(c))
      skip_word();
    else if (c == '\'' || c == '"')
      skip_quoted(c, false);
    else if (c == '$')
      skip_dollar();
    else
      ++at_;
    return sql_.substr(begin, at_ - begin);
  }

  /// Whether a quoted text or a comment has no end.
  [[nodiscard]] bool open() const { return open_; }

 private:
  [[nodiscard]] bool sees(std::string_view text) const {
    return sql_.substr(at_).starts_with(text);
  }

  bool skip_space_or_comment() {
    if (at_ == sql_.size()) return false;
    if (is_space(sql_[at_])) {
      ++at_;
    } else if (sees("--")) {
      at_ = std::min(sql_.find_first_of("\r\n", at_), sql_.size());
    } else if (sees("/*")) {
      skip_block_comment();
    } else {
      return false;
    }
    return true;
  }

  /// Block comments nest.
  void skip_block_comment() {
    int depth = 0;
    do {
      if (sees("/*")) {
        ++depth;
        at_ += 2;
      } else if (sees("*/")) {
        --depth;
        at_ += 2;
      } else {
        ++at_;
      }
    } while (depth > 0 && at_ < sql_.size());
    open_ = open_ || depth > 0;
  }

  /// Skips a word, and a quoted text that belongs to it. In E'…' a backslash escapes.
  void skip_word() {
    const std::size_t begin = at_;
    while (at_ < sql_.size() && (is_letter(sql_[at_]) || is_digit(sql_[at_]) || sql_[at_] == '$'))
      ++at_;
    const std::string_view word = sql_.substr(begin, at_ - begin);
    if ((word == "e" || word == "E") && sees("'")) skip_quoted('\'', true);
  }

  void skip_quoted(char quote, bool backslashes) {
    for (++at_; at_ < sql_.size(); ++at_) {
      if (backslashes && sql_[at_] == '\\') {
        ++at_;
      } else if (sql_[at_] == quote) {
        ++at_;
        if (!sees(std::string_view(&quote, 1)) && !(quote == '\'' && skip_to_continuation()))
          return;
      }
    }
    at_ = sql_.size();
    open_ = true;
  }

  /// A quoted text continues in another pair of quotes on a later line, and keeps its kind.
  bool skip_to_continuation() {
    const std::size_t end = at_;
    bool on_later_line = false;
    while (at_ < sql_.size() && (is_space(sql_[at_]) || sees("--"))) {
      on_later_line = on_later_line || sql_[at_] == '\n' || sql_[at_] == '\r';
      skip_space_or_comment();
    }
    if (on_later_line && sees("'")) return true;
    at_ = end;
    return false;
  }

  /// Skips $tag$ … $tag$. A lone dollar, or the dollar of a parameter, is a single character.
  void skip_dollar() {
    std::size_t end = at_ + 1;
    while (end < sql_.size() && (is_letter(sql_[end]) || (is_digit(sql_[end]) && end > at_ + 1)))
      ++end;
    if (end == sql_.size() || sql_[end] != '$') {
      ++at_;
      return;
    }
    const std::string_view tag = sql_.substr(at_, end + 1 - at_);
    const std::size_t close = sql_.find(tag, end + 1);
    open_ = open_ || close == std::string_view::npos;
    at_ = close == std::string_view::npos ? sql_.size() : close + tag.size();
  }

  std::string_view sql_;
  std::size_t at_ = 0;
  bool open_ = false;
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

}  // namespace

std::vector<std::string_view> sql_pieces(std::string_view sql) {
  Pieces pieces(sql);
  std::vector<std::string_view> found;
  for (std::string_view piece = pieces.next(); !piece.empty(); piece = pieces.next())
    found.push_back(piece);
  return found;
}

std::string sql_name(std::string_view piece) {
  if (!piece.starts_with('"')) return !piece.empty() && is_letter(piece[0]) ? lower(piece) : "";
  std::string name;
  for (std::size_t i = 1; i + 1 < piece.size(); ++i) {
    name += piece[i];
    if (piece[i] == '"') ++i;  // a doubled quote stands for one
  }
  return name;
}

std::optional<std::string> query_fault(std::string_view sql) {
  Pieces pieces(sql);
  std::string_view piece = pieces.next();
  while (piece == "(") piece = pieces.next();
  const std::string first = lower(piece);
  if (first != "select" && first != "with" && first != "values" && first != "table")
    return "does not begin with SELECT, WITH, VALUES or TABLE";
  bool ended = false;
  for (piece = pieces.next(); !piece.empty(); piece = pieces.next()) {
    if (ended && piece != ";") return "is more than one statement";
    ended = ended || piece == ";";
  }
  if (pieces.open()) return "has a quoted text or a comment that does not end";
  return std::nullopt;
}

}  // namespace pg_integrity
