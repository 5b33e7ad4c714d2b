#include "collectors/integrity/row_condition.h"

#include <algorithm>
#include <cctype>
#include <stdexcept>

namespace pg_integrity {

namespace {

constexpr std::string_view kRelations[] = {"<=", ">=", "<>", "!=", "=", "<", ">"};

bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Reads a condition from its beginning to its end.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::vector<RowCondition> all() {
    std::vector<RowCondition> conditions;
    do conditions.push_back(one());
    while (takes_word("AND"));
    if (at_ < text_.size()) refuse("AND or the end");
    return conditions;
  }

 private:
  RowCondition one() {
    RowCondition condition;
    condition.column = column();
    if (takes_word("IS")) {
      condition.relation = takes_word("NOT") ? "IS NOT NULL" : "IS NULL";
      if (!takes_word("NULL")) refuse("NULL");
      return condition;
    }
    const bool negated = takes_word("NOT");
    if (takes_word("IN")) {
      condition.relation = negated ? "NOT IN" : "IN";
      if (!takes("(")) refuse("(");
      do condition.constants.push_back(constant());
      while (takes(","));
      if (!takes(")")) refuse(", or )");
      return condition;
    }
    if (negated) refuse("IN");
    condition.relation = relation();
    condition.constants.push_back(constant());
    return condition;
  }

  std::string relation() {
    for (const std::string_view one : kRelations)
      if (takes(one)) return one == "!=" ? "<>" : std::string(one);
    refuse("=, <>, <, <=, >, >=, IN, NOT IN or IS");
  }

  std::string column() {
    skip_space();
    if (at_ < text_.size() && text_[at_] == '"') {
      std::string name = quoted('"');
      if (name.empty()) refuse("a column");
      return name;
    }
    std::string name = word();
    if (name.empty()) refuse("a column");
    at_ += name.size();
    std::transform(name.begin(), name.end(), name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return name;
  }

  /// A text in single quotes, a number, true or false.
  std::string constant() {
    skip_space();
    if (at_ < text_.size() && text_[at_] == '\'') return quoted('\'');
    for (const char* truth : {"true", "false"})
      if (takes_word(truth)) return truth;
    std::size_t end = at_;
    while (end < text_.size() && (is_digit(text_[end]) || text_[end] == '.' ||
                                  (end == at_ && (text_[end] == '-' || text_[end] == '+'))))
      ++end;
    std::string number(text_.substr(at_, end - at_));
    if (std::none_of(number.begin(), number.end(), is_digit) ||
        std::count(number.begin(), number.end(), '.') > 1 ||
        (end < text_.size() && is_letter(text_[end])))
      refuse("a constant: 'text', a number, true or false");
    at_ = end;
    return number;
  }

  /// The content between two quotes. A quote in it is written twice.
  std::string quoted(char quote) {
    const std::size_t begin = at_++;
    std::string content;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == quote) {
        if (at_ + 1 == text_.size() || text_[at_ + 1] != quote) {
          ++at_;
          return content;
        }
        ++at_;
      }
      if (text_[at_] == '\0') refuse("no character 0");
      content += text_[at_];
    }
    at_ = begin;
    refuse("a second quote to this one");
  }

  /// The word that begins here, without its taking.
  [[nodiscard]] std::string word() const {
    std::size_t end = at_;
    while (end < text_.size() && (is_letter(text_[end]) || (end > at_ && is_digit(text_[end])) ||
                                  (end > at_ && text_[end] == '$')))
      ++end;
    return std::string(text_.substr(at_, end - at_));
  }

  bool takes_word(std::string_view upper) {
    skip_space();
    const std::string found = word();
    const bool equal =
        std::equal(found.begin(), found.end(), upper.begin(), upper.end(), [](char a, char b) {
          return std::toupper(static_cast<unsigned char>(a)) ==
                 std::toupper(static_cast<unsigned char>(b));
        });
    if (equal) at_ += found.size();
    return equal;
  }

  bool takes(std::string_view sign) {
    skip_space();
    if (!text_.substr(at_).starts_with(sign)) return false;
    at_ += sign.size();
    return true;
  }

  void skip_space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }

  [[noreturn]] void refuse(const std::string& expected) const {
    throw std::invalid_argument("character " + std::to_string(at_ + 1) + ": expected " + expected);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<RowCondition> parse_conditions(std::string_view text) {
  return Reader(text).all();
}

std::string conditions_text(const std::vector<RowCondition>& conditions) {
  std::string text;
  for (const RowCondition& condition : conditions) {
    text += (text.empty() ? "" : " AND ") + condition.column + " " + condition.relation;
    const bool list = condition.relation == "IN" || condition.relation == "NOT IN";
    std::string constants;
    for (const std::string& constant : condition.constants)
      constants += (constants.empty() ? "'" : ", '") + constant + "'";
    if (!constants.empty()) text += list ? " (" + constants + ")" : " " + constants;
  }
  return text;
}

}  // namespace pg_integrity
