#include "collectors/service/api_config.h"

#include <algorithm>
#include <utility>

#include "collectors/base/qualified_name.h"
#include "collectors/base/units.h"
#include "collectors/base/url.h"

namespace pg_integrity {

namespace {

constexpr std::pair<std::string_view, HttpAuth> kSecretFiles[] = {
    {"bearer_file", HttpAuth::bearer},
    {"basic_file", HttpAuth::basic},
    {"header_file", HttpAuth::header}};

/// No message shows the URL, because it may hold a secret.
void check_url(const Settings& record, const std::string& name, Problems& problems) {
  const std::string& text = record.text("url");
  const auto url = parse_url(text);
  if (!url && text.find('@') != std::string::npos)
    problems.add(record.place("url"), "the URL of " + name + " holds credentials",
                 "put \"user:password\" into a file and name it: basic_file");
  else if (!url)
    problems.add(record.place("url"), "the URL of " + name + " cannot be asked",
                 "write it as https://host:port/path in printable ASCII, without a fragment");
  const auto secret = std::find_if(std::begin(kSecretFiles), std::end(kSecretFiles),
                                   [&](const auto& file) { return record.has(file.first); });
  if (url && secret != std::end(kSecretFiles) && url->scheme == "http" && !url->loopback())
    problems.add(record.place(secret->first),
                 name + " would be sent a secret that anybody on the way can read", "use https");
}

void check_endpoint(const Settings& record, Problems& problems) {
  const std::string name = "endpoint \"" + record.text("name") + "\"";
  check_url(record, name, problems);
  if (record.has("count") && !parse_json_pointer(record.text("count")))
    problems.add(record.place("count"), "\"count\" of " + name + " is no JSON pointer",
                 "write it as \"/rows/total\", or \"\" for the whole document");
  if (std::count_if(std::begin(kSecretFiles), std::end(kSecretFiles),
                    [&](const auto& file) { return record.has(file.first); }) > 1)
    problems.add(record.place(), name + " has more than one kind of secret",
                 "keep one of bearer_file, basic_file and header_file");
  std::vector<std::string> tables = record.texts("tables");
  std::sort(tables.begin(), tables.end());
  if (std::adjacent_find(tables.begin(), tables.end()) != tables.end())
    problems.add(record.place("tables"), name + " names a table twice");
}

}  // namespace

Endpoint endpoint_from(const Settings& record) {
  Endpoint endpoint;
  endpoint.label = record.text("name");
  endpoint.request.name = "endpoint " + endpoint.label;
  endpoint.request.url = parse_url(record.text("url")).value();
  endpoint.request.timeout = record.duration("timeout");
  endpoint.request.max_body = static_cast<std::size_t>(record.number("max_body"));
  endpoint.request.ca_file = record.text_or_empty("ca_file");
  for (const auto& [option, auth] : kSecretFiles) {
    if (!record.has(option)) continue;
    endpoint.request.auth = auth;
    endpoint.secret_file = record.text(option);
  }
  for (const std::string& table : record.texts("tables"))
    endpoint.tables.push_back(qualified_name(table));
  if (record.has("count") || !endpoint.tables.empty())
    endpoint.count = parse_json_pointer(record.text_or_empty("count"));
  endpoint.objective = record.maybe_duration("objective");
  return endpoint;
}

void check_endpoints(const Settings& settings, Problems& problems) {
  const Seconds deadline = settings.duration("deadline");
  for (const Settings& record : settings.records("endpoints")) {
    check_endpoint(record, problems);
    if (const Seconds tries = 2 * record.duration("timeout"); tries > deadline)
      problems.add(record.place("timeout"),
                   "endpoint \"" + record.text("name") + "\" may need " + format_duration(tries) +
                       " for two tries, and a step has " + format_duration(deadline),
                   "raise `deadline` of api_sync, or lower its `timeout`");
  }
}

}  // namespace pg_integrity
