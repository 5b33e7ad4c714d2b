#include "exporter/config/conninfo.h"

#include <libpq-fe.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>

#include "collectors/base/settings.h"

namespace pg_integrity {

namespace {

using Parameters = std::map<std::string, std::string, std::less<>>;

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { ::PQconninfoFree(options); }
};

Parameters parse(const std::string& dsn) {
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, FreeOptions> options(
      ::PQconninfoParse(dsn.c_str(), &message));
  ::PQfreemem(message);  // it may repeat a part of the password
  if (!options)
    throw ConfigError(
        "the connection string cannot be read. HINT: write \"host=… dbname=… user=…\" with "
        "values that hold spaces in single quotes, or a URI with special characters "
        "percent-encoded");
  Parameters parameters;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option)
    if (option->val != nullptr && *option->val != '\0') parameters[option->keyword] = option->val;
  return parameters;
}

std::string value_or_environment(const Parameters& parameters, std::string_view keyword,
                                 const char* variable) {
  if (const auto found = parameters.find(keyword); found != parameters.end()) return found->second;
  const char* value = std::getenv(variable);
  return value == nullptr ? std::string() : std::string(value);
}

std::string operating_system_user() {
  const passwd* entry = ::getpwuid(::geteuid());
  return entry == nullptr ? std::string() : std::string(entry->pw_name);
}

bool is_local(const std::string& host) {
  return host.empty() || host.front() == '/' || host.front() == '@' || host == "localhost" ||
         host == "::1" || host.starts_with("127.");
}

bool any_remote(const std::string& hosts) {
  std::size_t begin = 0;
  while (begin <= hosts.size()) {
    const std::size_t end = std::min(hosts.find(',', begin), hosts.size());
    if (!is_local(hosts.substr(begin, end - begin))) return true;
    begin = end + 1;
  }
  return false;
}

void append_parameter(std::string& conninfo, std::string_view keyword, std::string_view value) {
  if (!conninfo.empty()) conninfo += ' ';
  conninfo += keyword;
  conninfo += "='";
  for (const char c : value) {
    if (c == '\'' || c == '\\') conninfo += '\\';
    conninfo += c;
  }
  conninfo += '\'';
}

}  // namespace

std::string current_dsn(const ConnectionOptions& connection) {
  if (connection.dsn_file.empty()) return connection.dsn;
  std::ifstream file(connection.dsn_file);
  std::string dsn{std::istreambuf_iterator<char>(file), {}};
  if (!file && dsn.empty())
    throw ConfigError("dsn_file " + connection.dsn_file +
                      " cannot be read. HINT: check that it exists and who may read it");
  while (!dsn.empty() && std::isspace(static_cast<unsigned char>(dsn.back())) != 0) dsn.pop_back();
  return dsn;
}

ConnectionTarget target_of(const std::string& dsn) {
  const Parameters parameters = parse(dsn);
  ConnectionTarget target;
  target.host = value_or_environment(parameters, "host", "PGHOST");
  target.port = value_or_environment(parameters, "port", "PGPORT");
  target.user = value_or_environment(parameters, "user", "PGUSER");
  target.database = value_or_environment(parameters, "dbname", "PGDATABASE");
  const bool service = !value_or_environment(parameters, "service", "PGSERVICE").empty();
  if (!service) {
    if (target.user.empty()) target.user = operating_system_user();
    if (target.database.empty()) target.database = target.user;
  }
  const std::string address = value_or_environment(parameters, "hostaddr", "PGHOSTADDR");
  target.remote = any_remote(address.empty() ? target.host : address);
  target.encrypted_or_said_so = !value_or_environment(parameters, "sslmode", "PGSSLMODE").empty();
  return target;
}

std::string completed(const std::string& dsn, const std::string& database) {
  Parameters parameters = parse(dsn);
  if (!database.empty()) parameters["dbname"] = database;
  parameters["client_encoding"] = "UTF8";
  // The session pool bounds a connect by a clock of its own. So libpq goes on until the server has
  // answered, unless there are further hosts to try. If libpq hung up, a backend that hangs while
  // it starts would stay on the server, and each new attempt would add another one.
  const bool several =
      value_or_environment(parameters, "host", "PGHOST").find(',') != std::string::npos;
  const std::array<std::array<const char*, 2>, 6> defaults{
      {{"application_name", "pg_integrity_exporter"},
       {"connect_timeout", several ? "2" : "600"},
       {"tcp_user_timeout", "10000"},
       {"keepalives_idle", "15"},
       {"keepalives_interval", "5"},
       {"keepalives_count", "3"}}};
  for (const auto& [keyword, value] : defaults) parameters.try_emplace(keyword, value);
  std::string conninfo;
  for (const auto& [keyword, value] : parameters) append_parameter(conninfo, keyword, value);
  return conninfo;
}

VisibleDsn visible(const std::string& dsn, const std::string& database) {
  Parameters parameters = parse(dsn);
  if (!database.empty()) parameters["dbname"] = database;
  VisibleDsn shown;
  if (const auto found = parameters.find("password"); found != parameters.end()) {
    shown.password = found->second;
    parameters.erase(found);
  }
  for (const auto& [keyword, value] : parameters) append_parameter(shown.dsn, keyword, value);
  return shown;
}

std::string without_secrets(std::string text, const std::string& dsn) {
  const Parameters parameters = parse(dsn);
  for (const std::string_view secret : {"password", "sslpassword"}) {
    const auto found = parameters.find(secret);
    if (found == parameters.end()) continue;
    for (std::size_t at = text.find(found->second); at != std::string::npos;
         at = text.find(found->second, at + 3))
      text.replace(at, found->second.size(), "***");
  }
  return text;
}

}  // namespace pg_integrity
