#include "exporter/config/databases.h"

#include <algorithm>

#include "collectors/base/glob.h"

namespace pg_integrity {

namespace {

bool is_exclusion(const std::string& entry) {
  return entry.starts_with('!');
}

bool is_glob(const std::string& entry) {
  return !is_exclusion(entry) && entry.find_first_of("*?[") != std::string::npos;
}

bool is_name(const std::string& entry) {
  return !is_exclusion(entry) && !is_glob(entry);
}

}  // namespace

bool watches(const DatabaseList& list, const std::string& database) {
  bool chosen = false;
  bool only_exclusions = !list.empty();
  for (const std::string& entry : list) {
    if (is_exclusion(entry)) {
      if (matches_glob(entry.substr(1), database)) return false;
    } else {
      only_exclusions = false;
      chosen = chosen || matches_glob(entry, database);
    }
  }
  return chosen || only_exclusions;
}

std::vector<std::string> named_databases(const DatabaseList& list) {
  std::vector<std::string> names;
  for (const std::string& entry : list)
    if (is_name(entry) && watches(list, entry)) names.push_back(entry);
  return names;
}

bool needs_server(const DatabaseList& list) {
  return !std::all_of(list.begin(), list.end(), is_name) &&
         (std::any_of(list.begin(), list.end(), is_glob) ||
          std::all_of(list.begin(), list.end(), is_exclusion));
}

std::string pointless_entry(const DatabaseList& list) {
  for (const std::string& entry : list)
    if (entry == "!" || (is_name(entry) && !watches(list, entry))) return entry;
  return {};
}

}  // namespace pg_integrity
