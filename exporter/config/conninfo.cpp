#include "exporter/config/conninfo.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <sstream>
#include <string_view>

#include "collectors/base/errors.h"
#include "collectors/base/settings.h"
#include "exporter/config/data_source.h"
#include "exporter/io/files.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kLargestDsnFile = std::size_t{64} << 10;  // bytes

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

std::string written(const Parameters& parameters) {
  std::string conninfo;
  for (const auto& [keyword, value] : parameters) append_parameter(conninfo, keyword, value);
  return conninfo;
}

bool said_in_environment(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

struct CloseConnection {
  void operator()(PGconn* connection) const { ::PQfinish(connection); }
};

constexpr const char* kNoSuchBinding = "not a value";

/// The values that libpq would connect with. It takes each from the connection string, else from
/// the service, else from the environment. libpq has no function for that, so it gets a value that
/// it refuses before it connects.
/// @return without those that libpq would choose itself, except for user and database.
/// @throws ConfigError if the service cannot be read.
Parameters resolved(Parameters parameters) {
  parameters["channel_binding"] = kNoSuchBinding;
  parameters["passfile"] = "/dev/null/none";  // so that libpq reads no password file
  const std::unique_ptr<PGconn, CloseConnection> refused(
      ::PQconnectStart(written(parameters).c_str()));
  const std::unique_ptr<PQconninfoOption, FreeOptions> options(::PQconninfo(refused.get()));
  Parameters values;
  for (const PQconninfoOption* option = options.get(); option && option->keyword; ++option) {
    if (option->val == nullptr || *option->val == '\0') continue;
    const bool default_value =
        option->compiled != nullptr && std::string_view(option->val) == option->compiled;
    if (!default_value) values[option->keyword] = option->val;
  }
  if (values["channel_binding"] != kNoSuchBinding) {
    std::string message = ::PQerrorMessage(refused.get());
    message.resize(std::min(message.find('\n'), message.size()));
    throw ConfigError(message +
                      ". HINT: libpq looks for the service in the file that PGSERVICEFILE"
                      " names, in ~/.pg_service.conf, and in pg_service.conf of its own"
                      " directory");
  }
  for (const char* ours : {"channel_binding", "passfile"}) values.erase(ours);
  return values;
}

std::string value_of(const Parameters& parameters, std::string_view keyword) {
  const auto found = parameters.find(keyword);
  return found == parameters.end() ? std::string() : found->second;
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  if (list.empty()) return parts;
  std::istringstream rest(list + ',');
  for (std::string part; std::getline(rest, part, ',');) parts.push_back(part);
  return parts;
}

/// Our role's sessions are read-only by default, on a primary, too. libpq's older values ask about
/// that and not about the server, so they would never find the primary or take it for a standby.
void ask_about_the_server(Parameters& parameters, const Parameters& values) {
  const std::string wanted = value_of(values, "target_session_attrs");
  if (wanted == "read-write") parameters["target_session_attrs"] = "primary";
  if (wanted == "read-only") parameters["target_session_attrs"] = "standby";
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
  const std::vector<std::string> names = split(hosts);
  return !std::all_of(names.begin(), names.end(), is_local);
}

}  // namespace

std::string current_dsn(const ConnectionOptions& connection) {
  if (connection.data_source) return data_source_now();
  if (connection.dsn_file.empty()) return connection.dsn;
  std::string dsn;
  try {
    dsn = contents_of(connection.dsn_file, kLargestDsnFile);
  } catch (const SourceError& error) {
    throw ConfigError(
        fmt::format("dsn_file {}. HINT: check that it exists and who may read it", error.what()));
  }
  while (!dsn.empty() && std::isspace(static_cast<unsigned char>(dsn.back())) != 0) dsn.pop_back();
  return dsn;
}

ConnectionTarget target_of(const std::string& dsn) {
  const Parameters parameters = parse(dsn);
  const Parameters values = resolved(parameters);
  ConnectionTarget target;
  target.host = value_of(values, "host");
  target.port = value_of(values, "port");
  target.user = value_of(values, "user");
  target.database = value_of(values, "dbname");
  if (target.user.empty()) target.user = operating_system_user();
  if (target.database.empty()) target.database = target.user;
  // libpq takes the role's name if nobody has written down a database.
  target.database_said = parameters.contains("dbname") || target.database != target.user ||
                         said_in_environment("PGDATABASE");
  const std::string address = value_of(values, "hostaddr");
  target.remote = any_remote(address.empty() ? target.host : address);
  target.encrypted_or_said_so = parameters.contains("sslmode") || values.contains("sslmode") ||
                                said_in_environment("PGSSLMODE");
  return target;
}

std::string completed(const std::string& dsn, const std::string& database,
                      const std::string& options) {
  Parameters parameters = parse(dsn);
  const Parameters values = resolved(parameters);
  if (!database.empty()) parameters["dbname"] = database;
  parameters["client_encoding"] = "UTF8";
  if (!options.empty()) {
    const std::string own = value_of(values, "options");
    parameters["options"] = own.empty() ? options : options + ' ' + own;
  }
  ask_about_the_server(parameters, values);
  // The session pool waits for a shorter time. After this one the login hangs up, and its slot is
  // free as soon as the server has let go.
  const bool several = one_by_one(dsn).size() > 1;
  const std::array<std::array<const char*, 2>, 6> defaults{
      {{"application_name", "pg_integrity_exporter"},
       {"connect_timeout", several ? "2" : "15"},
       {"tcp_user_timeout", "10000"},
       {"keepalives_idle", "15"},
       {"keepalives_interval", "5"},
       {"keepalives_count", "3"}}};
  for (const auto& [keyword, value] : defaults)
    if (!values.contains(keyword)) parameters.try_emplace(keyword, value);
  return written(parameters);
}

std::string at_target(const std::string& dsn, const std::string& host, const std::string& port,
                      const std::string& database) {
  Parameters parameters = parse(dsn);
  parameters["host"] = host;
  if (!port.empty()) parameters["port"] = port;
  if (!database.empty()) parameters["dbname"] = database;
  return written(parameters);
}

std::vector<std::string> one_by_one(const std::string& conninfo) {
  Parameters parameters = parse(conninfo);
  const Parameters values = resolved(parameters);
  const auto hosts = split(value_of(values, "host"));
  const auto addresses = split(value_of(values, "hostaddr"));
  const auto ports = split(value_of(values, "port"));
  const std::size_t count = std::max(hosts.size(), addresses.size());
  const auto fits = [&](const auto& list) { return list.empty() || list.size() == count; };
  // libpq itself complains about lists that do not fit.
  if (count < 2 || !fits(hosts) || !fits(addresses) || (ports.size() > 1 && !fits(ports)))
    return {conninfo};
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  if (value_of(values, "load_balance_hosts") == "random")
    std::shuffle(order.begin(), order.end(), std::mt19937(std::random_device()()));
  std::vector<std::string> rounds{value_of(values, "target_session_attrs")};
  if (rounds.front() == "prefer-standby") rounds = {"standby", "any"};
  std::vector<std::string> single;
  for (const std::string& wanted : rounds)
    for (const std::size_t i : order) {
      // An empty value counts as well: it keeps libpq from the list of the service.
      parameters["host"] = hosts.empty() ? std::string() : hosts[i];
      parameters["hostaddr"] = addresses.empty() ? std::string() : addresses[i];
      if (ports.size() > 1) parameters["port"] = ports[i];
      if (!wanted.empty()) parameters["target_session_attrs"] = wanted;
      single.push_back(written(parameters));
    }
  return single;
}

VisibleDsn visible(const std::string& dsn, const std::string& database) {
  Parameters parameters = parse(dsn);
  if (!database.empty()) parameters["dbname"] = database;
  ask_about_the_server(parameters, resolved(parameters));
  VisibleDsn shown;
  if (const auto found = parameters.find("password"); found != parameters.end()) {
    shown.password = found->second;
    parameters.erase(found);
  }
  for (const auto& [keyword, value] : parameters) append_parameter(shown.dsn, keyword, value);
  return shown;
}

std::string without_secrets(std::string text, const std::string& dsn) {
  Parameters parameters = parse(dsn);
  try {
    parameters = resolved(parameters);
  } catch (const ConfigError&) {
    parameters = parse(dsn);  // without its service nothing was connected to
  }
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
