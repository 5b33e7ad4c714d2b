#include "collectors/integrity/inventory_names.h"

#include <algorithm>
#include <cmath>
#include <ctime>

namespace pg_integrity::inventory {

namespace {

std::size_t place_of(Kind kind) {
  return kKindLetters.find(static_cast<char>(kind));
}

}  // namespace

std::optional<Kind> kind_of(std::string_view letter) {
  if (letter.size() != 1 || kKindLetters.find(letter) == std::string_view::npos)
    return std::nullopt;
  return static_cast<Kind>(letter.front());
}

std::string_view name_of(Kind kind) {
  return kObjectKinds[place_of(kind)];
}

std::string_view type_of(Kind kind) {
  return kTypes.at(std::min(place_of(kind), kTypes.size() - 1));
}

std::string name_of(Kind kind, const QualifiedName& table, const std::string& item) {
  std::string name = std::string(name_of(kind)) + " " + table.display();
  if (!item.empty()) name += "." + item;
  return name;
}

std::string utc_text(UnixTime time) {
  const auto moment = static_cast<std::time_t>(std::floor(time));
  std::tm parts{};
  ::gmtime_r(&moment, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

}  // namespace pg_integrity::inventory
