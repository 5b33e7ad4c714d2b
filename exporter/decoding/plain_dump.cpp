#include "exporter/decoding/plain_dump.h"

#include <algorithm>
#include <cctype>

#include "exporter/decoding/bytes.h"

namespace pg_integrity::decoding {

namespace {

constexpr std::size_t kKept = std::size_t{1} << 20;  ///< of a statement
constexpr std::size_t kKeptComment = 128;
constexpr std::string_view kSetEncoding = "SET client_encoding";

bool is_of_word(char byte) {
  const auto letter = static_cast<unsigned char>(byte);
  return std::isalnum(letter) != 0 || byte == '_' || letter >= 0x80;
}

bool is_space(char byte) {
  return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t' || byte == '\f';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<std::size_t> columns_of_copy(std::string_view statement) {
  statement = trimmed(statement);
  if (statement.ends_with(';')) statement.remove_suffix(1);
  statement = trimmed(statement);
  constexpr std::string_view kEnd = "FROM stdin";
  if (!statement.starts_with("COPY ") || !statement.ends_with(kEnd)) return std::nullopt;
  std::size_t columns = 0;
  bool quoted = false;
  bool listed = false;
  for (const char byte : statement) {
    if (byte == '"') quoted = !quoted;
    if (quoted) continue;
    if (byte == '(' && !listed) {
      listed = true;
      columns = 1;
    }
    if (byte == ')') break;
    if (byte == ',' && listed) ++columns;
  }
  return columns;
}

void check_encoding(std::string_view statement) {
  if (!statement.starts_with(kSetEncoding)) return;
  for (const std::string_view encoding :
       {"'SJIS'", "'BIG5'", "'GBK'", "'UHC'", "'GB18030'", "'JOHAB'", "'SHIFT_JIS_2004'"})
    if (statement.find(encoding) != std::string_view::npos)
      throw Unknown(Reason::limited, "its rows are in the encoding " + std::string(encoding) +
                                         ", which is not parsed. HINT: a drill restores it");
}

void PlainDump::keep(char byte) {
  if (statement_.size() < kKept)
    statement_ += byte;
  else
    statement_too_long_ = true;
}

/// The text of a statement is of interest only if it is a COPY.
void PlainDump::end_statement() {
  in_ = In::between;
  check_encoding(statement_);
  if (!statement_too_long_)
    if (const auto columns = columns_of_copy(statement_)) {
      copy_.emplace(*columns);
      copy_begins_ = true;
      data_ = true;
    }
  if (statement_.starts_with("INSERT INTO ") ||
      statement_.find("lo_create(") != std::string::npos ||
      statement_.find("lo_open(") != std::string::npos)
    data_ = true;
  statement_.clear();
  statement_too_long_ = false;
  complete_ = false;
}

void PlainDump::end_line_comment() {
  in_ = in_before_;
  const std::string_view text = trimmed(comment_);
  if (text == "PostgreSQL database cluster dump") cluster_ = true;
  if (text == "PostgreSQL database dump complete")
    complete_ = !cluster_;
  else if (text == "PostgreSQL database cluster dump complete")
    complete_ = true;
}

void PlainDump::step_statement(char byte) {
  const char before = last_;
  if (byte == '-' && before == '-') {
    in_before_ = in_ == In::between || statement_ == "-" ? In::between : In::statement;
    if (!statement_.empty()) statement_.pop_back();
    in_ = In::line_comment;
    comment_.clear();
    return;
  }
  if (byte == '*' && before == '/') {
    in_before_ = statement_ == "/" ? In::between : In::statement;
    if (!statement_.empty()) statement_.pop_back();
    in_ = In::block_comment;
    depth_ = 1;
    return;
  }
  if (in_ == In::between) {
    if (is_space(byte)) return;
    if (byte == '\\') {
      in_ = In::meta;
      comment_.clear();
      return;
    }
    in_ = In::statement;
    after_name_ = false;
  }
  keep(byte);
  const bool name_before = after_name_;
  after_name_ = is_of_word(byte) || (byte == '$' && after_name_);
  switch (byte) {
    case '\'':
      in_ = (before == 'E' || before == 'e') &&
                    (statement_.size() < 3 || !is_of_word(statement_[statement_.size() - 3]))
                ? In::quoted_escape
                : In::quoted;
      escaped_ = false;
      break;
    case '"':
      in_ = In::name;
      break;
    case '$':
      if (name_before) break;
      in_ = In::dollar_tag;
      tag_ = "$";
      break;
    case ';':
      end_statement();
      break;
    default:
      break;
  }
}

void PlainDump::step_dollar_tag(char byte) {
  if (byte == '$') {
    tag_ += byte;
    in_ = In::dollar;
    tag_matched_ = 0;
  } else if (is_of_word(byte) && tag_.size() < 128 &&
             !(tag_.size() == 1 && std::isdigit(static_cast<unsigned char>(byte)) != 0)) {
    tag_ += byte;
  } else {
    in_ = In::statement;  // a parameter, or an operator with a $
    step_statement(byte);
    return;
  }
  keep(byte);
}

void PlainDump::step_dollar(char byte) {
  // A tag has its $ only at both ends, so that a failed match can begin anew only at a $.
  if (byte == tag_[tag_matched_])
    ++tag_matched_;
  else
    tag_matched_ = byte == '$' ? 1 : 0;
  if (tag_matched_ == tag_.size()) {
    in_ = In::statement;
    after_name_ = false;
  }
}

void PlainDump::step_block_comment(char byte) {
  if (byte == '/' && last_ == '*') {
    --depth_;
    byte = '\0';
  } else if (byte == '*' && last_ == '/') {
    ++depth_;
    byte = '\0';
  }
  last_ = byte;
  if (depth_ == 0) in_ = in_before_;
}

void PlainDump::step(char byte) {
  switch (in_) {
    case In::between:
    case In::statement:
      step_statement(byte);
      if (in_ == In::block_comment) {
        last_ = '\0';  // its star does not end it
        return;
      }
      break;
    case In::quoted:
      if (byte == '\'') in_ = In::statement;  // a doubled one begins the next
      if (statement_.starts_with(kSetEncoding)) keep(byte);
      break;
    case In::quoted_escape:
      if (escaped_)
        escaped_ = false;
      else if (byte == '\\')
        escaped_ = true;
      else if (byte == '\'')
        in_ = In::statement;
      break;
    case In::name:
      if (byte == '"') in_ = In::statement;
      if (statement_.starts_with("COPY ")) keep(byte);
      break;
    case In::dollar_tag:
      step_dollar_tag(byte);
      break;
    case In::dollar:
      step_dollar(byte);
      break;
    case In::line_comment:
      if (byte == '\n')
        end_line_comment();
      else if (comment_.size() < kKeptComment)
        comment_ += byte;
      break;
    case In::block_comment:
      step_block_comment(byte);
      return;
    case In::meta:
      if (byte == '\n') {
        in_ = In::between;
        if (!comment_.starts_with("unrestrict")) complete_ = false;
      } else if (comment_.size() < kKeptComment) {
        comment_ += byte;
      }
      break;
  }
  last_ = byte;
}

/// Passes over the inside of a long text.
std::size_t PlainDump::skim(std::string_view bytes) {
  if (in_ != In::quoted && !(in_ == In::dollar && tag_matched_ == 0)) return 0;
  if (statement_.starts_with(kSetEncoding)) return 0;
  const char end = in_ == In::quoted ? '\'' : '$';
  const std::string_view inside = bytes.substr(0, bytes.find(end));
  if (inside.find('\0') != std::string_view::npos) throw Damage("it holds a byte of zero");
  return inside.size();
}

void PlainDump::take(std::string_view bytes) {
  while (!bytes.empty()) {
    if (copy_ && !copy_begins_) {
      bytes.remove_prefix(copy_->take(bytes));
      if (copy_->ended()) {
        rows_ += copy_->rows();
        copy_.reset();
        last_ = '\n';
      }
      continue;
    }
    if (copy_begins_) {
      if (bytes.front() == '\n') copy_begins_ = false;
      bytes.remove_prefix(1);
      continue;
    }
    if (const std::size_t passed = skim(bytes); passed > 0) {
      bytes.remove_prefix(passed);
      continue;
    }
    if (bytes.front() == '\0') throw Damage("it holds a byte of zero");
    step(bytes.front());
    bytes.remove_prefix(1);
  }
}

void PlainDump::finish_part() const {
  if (copy_ || in_ != In::between) throw Damage("its end is missing");
}

void PlainDump::finish() const {
  finish_part();
  if (!complete_) throw Damage("its end is missing");
  if (!data_ && !cluster_) throw Damage("it holds no data");
}

}  // namespace pg_integrity::decoding
