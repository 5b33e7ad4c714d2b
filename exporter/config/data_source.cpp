#include "exporter/config/data_source.h"

#include <fmt/format.h>

#include <cctype>
#include <cstdlib>

#include "collectors/base/errors.h"
#include "collectors/base/settings.h"
#include "exporter/io/files.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kLargestValue = std::size_t{64} << 10;  // bytes

std::string variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::string() : std::string(value);
}

/// The content of the file that NAME_FILE names, else the value of NAME.
std::string value_or_file(const std::string& name) {
  const std::string file = variable(name + "_FILE");
  if (file.empty()) return variable(name);
  try {
    std::string value = contents_of(file, kLargestValue);
    while (!value.empty() && std::isspace(static_cast<unsigned char>(value.back())) != 0)
      value.pop_back();
    return value;
  } catch (const SourceError& error) {
    throw ConfigError(fmt::format("{}_FILE: {}. HINT: check that it exists and who may read it",
                                  name, error.what()));
  }
}

std::string percent_encoded(const std::string& text) {
  std::string encoded;
  for (const char c : text)
    encoded += std::isalnum(static_cast<unsigned char>(c)) != 0
                   ? std::string(1, c)
                   : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return encoded;
}

}  // namespace

bool has_data_source() {
  return !variable("DATA_SOURCE_URI").empty() || !variable("DATA_SOURCE_URI_FILE").empty();
}

std::string data_source_now() {
  std::string uri = value_or_file("DATA_SOURCE_URI");
  for (const char* scheme : {"postgresql://", "postgres://"})
    if (uri.starts_with(scheme)) uri.erase(0, std::char_traits<char>::length(scheme));
  const std::string user = value_or_file("DATA_SOURCE_USER");
  const std::string password = value_or_file("DATA_SOURCE_PASS");
  std::string before = percent_encoded(user);
  if (!password.empty()) before += ":" + percent_encoded(password);
  return "postgresql://" + (before.empty() ? "" : before + "@") + uri;
}

}  // namespace pg_integrity
