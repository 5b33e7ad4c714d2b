#include "collectors/recovery/digest_list.h"

#include <algorithm>
#include <sstream>

namespace pg_integrity {

std::map<std::string, std::string> digests_in(const std::string& text, const std::string& name) {
  constexpr std::size_t kDigits = 64;
  std::map<std::string, std::string> digests;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.size() < kDigits ||
        line.find_first_not_of("0123456789abcdef") < std::min(kDigits, line.size()))
      continue;
    const std::string path = line.size() > kDigits + 2 ? line.substr(kDigits + 2) : name;
    digests[path.substr(path.rfind('/') + 1)] = line.substr(0, kDigits);
  }
  return digests;
}

}  // namespace pg_integrity
