#include "exporter/history/verification.h"

#include <fmt/format.h>

#include <vector>

#include "collectors/base/errors.h"
#include "exporter/history/digest.h"
#include "exporter/history/history_line.h"

namespace pg_integrity {

namespace {

constexpr const char* kHint = "HINT: compare it with an export of before, line by line";

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

struct Read {
  std::vector<HistoryLine> lines;
  std::vector<std::string> hashes;  ///< of each line
  std::string fault;                ///< empty: each line fits the one before
};

Read read_chain(std::string_view exported) {
  Read read;
  for (std::string& text : lines_of(exported)) {
    const std::size_t at = read.lines.size() + 1;
    HistoryLine line;
    try {
      line = line_from(std::move(text));
    } catch (const SourceError& error) {
      read.fault = fmt::format("line {} of the file is no line of a history: {}", at, error.what());
      return read;
    }
    if (!read.lines.empty() && line.previous != read.hashes.back()) {
      read.fault = fmt::format(
          "line {} of the file (number {}) does not fit the line before (number {}): one of them "
          "was changed, or lines between them were removed or added. {}",
          at, line.number, read.lines.back().number, kHint);
      return read;
    }
    read.hashes.push_back(sha256_of(line.text));
    read.lines.push_back(std::move(line));
  }
  if (read.lines.empty()) read.fault = "the file has no line";
  return read;
}

}  // namespace

Verification verify_history(std::string_view exported, const std::string& filed,
                            std::optional<std::uint64_t> number) {
  const Read read = read_chain(exported);
  if (!read.fault.empty()) return {Fits::no, read.fault};
  const std::uint64_t first = read.lines.front().number;
  const std::uint64_t last = read.lines.back().number;
  const std::string all = fmt::format("{} lines, number {} to {}, each fits the one before",
                                      read.lines.size(), first, last);
  if (filed.empty())
    return {Fits::unknown,
            all +
                ". Whoever changed all of them would not be noticed. HINT: give the hash of a "
                "filed report with --hash"};
  for (std::size_t i = 0; i < read.hashes.size(); ++i)
    if (read.hashes[i] == filed) {
      if (number && *number != read.lines[i].number)
        return {Fits::no, fmt::format("the filed hash is of line {}, not of line {}",
                                      read.lines[i].number, *number)};
      return {Fits::yes, fmt::format("{}. Line {} has the filed hash: nothing up to it was changed "
                                     "or removed, and {} lines came later",
                                     all, read.lines[i].number, read.hashes.size() - i - 1)};
    }
  if (read.lines.front().previous == filed)
    return {Fits::yes, fmt::format("{}. The first one follows the filed line, which has fallen out "
                                   "of the bound: nothing since was changed or removed",
                                   all)};
  if (number && *number + 1 < first)
    return {Fits::unknown,
            fmt::format("{}, but line {} and those after it have fallen out of the bound. HINT: "
                        "verify an older export that has it, and this one with its newest hash",
                        all, *number)};
  return {Fits::no,
          fmt::format("{}, but no line has the filed hash: lines up to the filed one were changed, "
                      "removed or added, and all later ones were written anew. {}",
                      all, kHint)};
}

}  // namespace pg_integrity
