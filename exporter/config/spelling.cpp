#include "exporter/config/spelling.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace pg_integrity {

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string key_hint(std::string_view key, std::span<const Option> options) {
  const Option* nearest = nullptr;
  std::size_t best = std::max<std::size_t>(2, key.size() / 3) + 1;
  for (const Option& option : options) {
    const std::size_t distance = edit_distance(key, option.name);
    if (distance < best) {
      best = distance;
      nearest = &option;
    }
  }
  if (nearest != nullptr) return fmt::format("did you mean \"{}\"?", nearest->name);
  std::string known;
  for (const Option& option : options)
    known += (known.empty() ? "" : ", ") + std::string(option.name);
  return "known here: " + known;
}

}  // namespace pg_integrity
