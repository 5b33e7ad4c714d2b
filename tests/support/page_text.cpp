#include "tests/support/page_text.h"

#include <cstdlib>
#include <sstream>
#include <stdexcept>

namespace pg_integrity::test {

namespace {

/// Reads one line of the form name{label="value",…} number.
class LineParser {
 public:
  explicit LineParser(const std::string& line) : line_(line) {}

  Series parse() {
    Series series;
    series.name = take_until("{ ");
    if (peek() == '{') take_labels(series.labels);
    expect(' ');
    const std::string number = line_.substr(at_);
    char* end = nullptr;
    series.value = std::strtod(number.c_str(), &end);
    if (end == number.c_str() || *end != '\0') fail("no number at the end");
    return series;
  }

 private:
  [[nodiscard]] char peek() const { return at_ < line_.size() ? line_[at_] : '\0'; }

  void expect(char c) {
    if (peek() != c) fail(std::string("'") + c + "' expected");
    ++at_;
  }

  std::string take_until(const std::string& stops) {
    const std::size_t end = std::min(line_.find_first_of(stops, at_), line_.size());
    const std::string taken = line_.substr(at_, end - at_);
    if (taken.empty()) fail("a name expected");
    at_ = end;
    return taken;
  }

  void take_labels(LabelSet& labels) {
    expect('{');
    while (peek() != '}') {
      const std::string name = take_until("=");
      expect('=');
      if (!labels.emplace(name, take_value()).second) fail("a label appears twice");
      if (peek() == ',') ++at_;
    }
    expect('}');
  }

  std::string take_value() {
    std::string value;
    expect('"');
    while (peek() != '"') {
      char c = peek();
      if (c == '\0') fail("a label value does not end");
      if (c == '\\') {
        ++at_;
        c = peek();
        if (c == 'n')
          c = '\n';
        else if (c != '\\' && c != '"')
          fail("an unknown escape");
      }
      value += c;
      ++at_;
    }
    expect('"');
    return value;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(what + " at column " + std::to_string(at_) + " of: " + line_);
  }

  const std::string& line_;
  std::size_t at_ = 0;
};

bool has_all(const LabelSet& labels, const LabelSet& wanted) {
  for (const auto& [name, value] : wanted) {
    const auto found = labels.find(name);
    if (found == labels.end() || found->second != value) return false;
  }
  return true;
}

}  // namespace

PageText::PageText(const std::string& text) {
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line))
    if (!line.empty() && line.front() != '#') series_.push_back(LineParser(line).parse());
}

std::vector<Series> PageText::all(const std::string& name, const LabelSet& labels) const {
  std::vector<Series> found;
  for (const Series& series : series_)
    if (series.name == name && has_all(series.labels, labels)) found.push_back(series);
  return found;
}

std::optional<double> PageText::value(const std::string& name, const LabelSet& labels) const {
  const auto found = all(name, labels);
  if (found.empty()) return std::nullopt;
  if (found.size() > 1) throw std::runtime_error("several series of " + name);
  return found.front().value;
}

}  // namespace pg_integrity::test
