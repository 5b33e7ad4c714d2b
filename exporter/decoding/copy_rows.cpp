#include "exporter/decoding/copy_rows.h"

#include "exporter/decoding/bytes.h"

namespace pg_integrity::decoding {

namespace {

constexpr bool is_special(char byte) {
  return byte == '\0' || byte == '\t' || byte == '\n' || byte == '\r' || byte == '\\';
}

std::size_t plain_run(std::string_view bytes, std::size_t from) {
  std::size_t at = from;
  while (at < bytes.size() && !is_special(bytes[at])) ++at;
  return at - from;
}

}  // namespace

void CopyRows::escape(char byte) {
  escaped_ = false;
  if (byte == '.' && in_line_ == 1) {
    terminator_ = true;
    return;
  }
  if (byte == 'N' && in_field_ == 1) {
    null_ = true;
    return;
  }
  constexpr std::string_view kEscapes = "bfnrtv\\";
  if (kEscapes.find(byte) == std::string_view::npos)
    throw Damage("a row holds an escape that COPY never makes");
}

void CopyRows::letter(char byte) {
  if (byte == '\0') throw Damage("a row holds a byte of zero");
  if (terminator_ || null_ || returned_) {
    const bool may_follow = byte == '\r' && !returned_;
    if (!may_follow) throw Damage("a row goes on where it cannot");
  }
  returned_ = byte == '\r';
  if (!returned_ && byte == '\\') escaped_ = true;
}

void CopyRows::end_line() {
  if (terminator_) {
    ended_ = true;
    return;
  }
  if (!known_) {
    columns_ = tabs_ + 1;
    known_ = true;
  }
  if (tabs_ + 1 != columns_) throw Damage("a row has another number of columns than its table");
  ++rows_;
  tabs_ = 0;
  in_field_ = 0;
  in_line_ = 0;
  null_ = false;
  returned_ = false;
}

std::size_t CopyRows::take(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size() && !ended_) {
    const char byte = bytes[at];
    if (const std::size_t plain = is_special(byte) || !in_plain_text() ? 0 : plain_run(bytes, at);
        plain > 0) {
      in_field_ += plain;
      in_line_ += plain;
      at += plain;
      continue;
    }
    ++at;
    if (byte == '\n' && !escaped_) {
      end_line();
      continue;
    }
    if (escaped_) {
      escape(byte);
    } else if (byte == '\t' && !terminator_ && !returned_) {
      ++tabs_;
      null_ = false;
      in_field_ = 0;
      ++in_line_;
      continue;
    } else {
      letter(byte);
    }
    ++in_line_;
    ++in_field_;
  }
  return at;
}

}  // namespace pg_integrity::decoding
