#include "exporter/config/server_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>
#include <utility>

#include "collectors/base/errors.h"
#include "collectors/base/json_value.h"
#include "exporter/config/config_schema.h"
#include "exporter/config/conninfo.h"
#include "exporter/config/toml.h"
#include "exporter/io/files.h"
#include "exporter/io/folder_watch.h"
#include "exporter/io/json_reader.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kLargestFile = std::size_t{1} << 20;  // bytes
constexpr const char* kForm =
    R"(write [{"targets": ["host:5432"], "labels": {"server": "name", "dbname": "database"}}])";

struct Target {
  std::string host;
  std::string port;
};

/// Reads "host", "host:5432", "[::1]" or "[::1]:5432".
std::optional<Target> target_from(std::string_view text) {
  Target target;
  const bool bracketed = text.starts_with('[');
  const std::size_t end = bracketed ? text.find(']') : text.find(':');
  target.host = text.substr(bracketed ? 1 : 0, end - (bracketed ? 1 : 0));
  std::string_view rest = end == std::string_view::npos ? "" : text.substr(end);
  if (bracketed) {
    if (rest.empty()) return std::nullopt;
    rest.remove_prefix(1);
  }
  if (rest.starts_with(':')) target.port = rest.substr(1);
  const auto digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  const auto of_host = [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view(".-_:%/").find(static_cast<char>(c)) != std::string_view::npos;
  };
  const bool good = !target.host.empty() && (rest.empty() || !target.port.empty()) &&
                    std::all_of(target.port.begin(), target.port.end(), digit) &&
                    std::all_of(target.host.begin(), target.host.end(), of_host) &&
                    (rest.empty() || rest.front() == ':');
  return good ? std::optional(target) : std::nullopt;
}

void add_group(const JsonValue& group, const std::string& dsn, const Place& place,
               std::vector<Settings>& servers, Problems& problems) {
  const JsonValue* labels = group.find("labels");
  const auto label = [&](std::string_view name) {
    return labels == nullptr ? std::string() : labels->text_or_empty(name);
  };
  for (const JsonValue& element : group.at("targets").elements()) {
    const std::string& text = element.text();
    const auto target = target_from(text);
    if (!target) {
      problems.add(place, fmt::format("the target \"{}\" is no host and port", text), kForm);
      continue;
    }
    Settings server(place);
    const std::string name = label("server");
    server.put("name", name.empty() ? text : name, place);
    server.put("dsn", at_target(dsn, target->host, target->port, label("dbname")), place);
    servers.push_back(std::move(server));
  }
}

void add_targets(const std::string& file, const Settings& settings, std::vector<Settings>& servers,
                 Problems& problems) {
  const Place place{file, 1, 1};
  try {
    const JsonValue document = SaxJson().read(contents_of(file, kLargestFile));
    for (const JsonValue& group : document.elements())
      add_group(group, settings.text_or_empty("targets_dsn"), place, servers, problems);
  } catch (const SourceError& error) {
    problems.add(place, error.what(), kForm);
  } catch (const ConfigError& error) {
    problems.add(settings.place("targets_dsn"), std::string("targets_dsn: ") + error.what());
  }
}

}  // namespace

std::vector<std::string> server_files(const std::string& directory) {
  return files_ending(directory, {".toml", ".json"});
}

ServerFiles add_server_files(const std::filesystem::path& beside, Settings& settings,
                             Problems& problems) {
  const std::string named =
      settings.has("servers_dir") ? settings.text("servers_dir") : "servers.d";
  if (named.empty()) return {};
  ServerFiles read{beside / named, {}};
  std::vector<Settings> servers = settings.records("server");
  const std::size_t before = servers.size();
  try {
    const std::vector<std::string> files = server_files(read.directory);
    read.seen = identity_of(files);
    for (const std::string& file : files) {
      if (file.ends_with(".json")) {
        add_targets(file, settings, servers, problems);
        continue;
      }
      const Settings more = read_toml(file, server_file_options(), problems);
      const std::vector<Settings>& found = more.records("server");
      servers.insert(servers.end(), found.begin(), found.end());
    }
  } catch (const std::filesystem::filesystem_error& error) {
    problems.add(
        settings.place("servers_dir"),
        fmt::format("servers_dir {} cannot be read: {}", read.directory, error.code().message()));
  }
  if (servers.size() > before) settings.put("server", std::move(servers), settings.place("server"));
  return read;
}

}  // namespace pg_integrity
