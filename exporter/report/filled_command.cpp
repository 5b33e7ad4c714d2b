#include "exporter/report/filled_command.h"

#include <algorithm>

namespace pg_integrity {

namespace {

constexpr std::string_view kDocumentBegins = "<<SQL\n";
constexpr std::string_view kDocumentEnds = "\nSQL";
constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";

bool can_be_filled_in(std::string_view name) {
  return std::none_of(name.begin(), name.end(),
                      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

/// Which quotes of SQL are open. An identifier may stand within a literal.
class SqlQuotes {
 public:
  void see(char c) {
    if (c == '\'' && (literal_ || !identifier_)) {
      literal_ = !literal_;
      identifier_ = false;
    }
    if (c == '"') identifier_ = !identifier_;
  }
  [[nodiscard]] std::string quoted(std::string_view name) const {
    std::string text;
    for (const char c : name) {
      if ((c == '"' && identifier_) || (c == '\'' && literal_)) text += c;
      text += c;
    }
    return text;
  }

 private:
  bool literal_ = false;
  bool identifier_ = false;
};

class Filler {
 public:
  Filler(std::string_view command, const CommandNames& names) : rest_(command), names_(names) {}

  std::string all() {
    while (!rest_.empty()) {
      if (rest_.starts_with(kDocumentBegins))
        take_document();
      else if (rest_.front() == '\'')
        copy(std::min(rest_.find('\'', 1), rest_.size() - 1) + 1);
      else if (rest_.front() == '"')
        take_string();
      else if (rest_.front() == '$')
        take_variable([](std::string_view name) { return in_single_quotes(name); });
      else
        copy(1);
    }
    return out_;
  }

 private:
  void copy(std::size_t size) {
    out_ += rest_.substr(0, size);
    rest_.remove_prefix(std::min(size, rest_.size()));
  }

  /// @param quoted makes what is written in place of the variable.
  template <typename Quoted>
  void take_variable(Quoted quoted) {
    const std::size_t end = std::min(rest_.find_first_not_of(kLetters, 1), rest_.size());
    const auto known = names_.find(rest_.substr(1, end - 1));
    if (known == names_.end() || !can_be_filled_in(known->second)) return copy(end);
    out_ += quoted(known->second);
    rest_.remove_prefix(end);
  }

  /// In double quotes of the shell. An exclamation mark must not be there in an interactive shell.
  void take_string() {
    SqlQuotes sql;
    copy(1);
    while (!rest_.empty() && rest_.front() != '"') {
      if (rest_.front() == '$') {
        take_variable([&](std::string_view name) {
          std::string text;
          for (const char c : sql.quoted(name)) {
            if (c == '!') text += "\"'!'\"";
            if (c == '\\' || c == '"' || c == '$' || c == '`') text += '\\';
            if (c != '!') text += c;
          }
          return text;
        });
      } else if (rest_.starts_with("\\\"")) {
        sql.see('"');
        copy(2);
      } else {
        sql.see(rest_.front());
        copy(1);
      }
    }
    copy(1);
  }

  void take_document() {
    SqlQuotes sql;
    copy(kDocumentBegins.size());
    while (!rest_.empty() && !rest_.starts_with(kDocumentEnds)) {
      if (rest_.front() == '$') {
        take_variable([&](std::string_view name) {
          std::string text;
          for (const char c : sql.quoted(name)) {
            if (c == '\\' || c == '$' || c == '`') text += '\\';
            text += c;
          }
          return text;
        });
      } else {
        sql.see(rest_.front());
        copy(1);
      }
    }
    copy(kDocumentEnds.size());
  }

  std::string out_;
  std::string_view rest_;
  const CommandNames& names_;
};

}  // namespace

std::string in_single_quotes(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

bool has_all_names(std::string_view command, const CommandNames& names) {
  for (std::size_t at = command.find('$'); at != std::string_view::npos;
       at = command.find('$', at + 1)) {
    const std::size_t end = std::min(command.find_first_not_of(kLetters, at + 1), command.size());
    if (end > at + 1 && names.find(command.substr(at + 1, end - at - 1)) == names.end())
      return false;
  }
  return true;
}

std::string filled_command(std::string_view command, const CommandNames& names) {
  return Filler(command, names).all();
}

}  // namespace pg_integrity
