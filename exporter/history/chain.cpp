#include "exporter/history/chain.h"

#include <utility>

#include "collectors/base/errors.h"
#include "exporter/history/digest.h"

namespace pg_integrity {

namespace {

HistoryLine whatever_it_says(const std::string& text, std::uint64_t number) {
  try {
    return line_from(text);
  } catch (const SourceError&) {
    HistoryLine line;
    line.number = number;
    line.text = text;
    return line;
  }
}

}  // namespace

void Chain::keep(HistoryLine line) {
  number_ = line.number;
  hash_ = sha256_of(line.text);
  bytes_ += line.text.size();
  lines_.push_back(std::make_shared<const HistoryLine>(std::move(line)));
  while (lines_.size() > most_lines_ || (bytes_ > most_bytes_ && lines_.size() > 1)) {
    bytes_ -= lines_.front()->text.size();
    lines_.pop_front();
  }
}

std::optional<std::uint64_t> Chain::restore(const std::vector<std::string>& lines) {
  std::optional<std::uint64_t> fault;
  for (const std::string& text : lines) {
    HistoryLine line = whatever_it_says(text, number_ + 1);
    const bool fits = !line.entry.kind.empty() && (lines_.empty() || line.previous == hash_);
    if (!fits && !fault) fault = line.number;
    keep(std::move(line));
  }
  return fault;
}

void Chain::append(HistoryEntry entry) {
  keep(line_of(number_ + 1, hash_, std::move(entry)));
}

}  // namespace pg_integrity
