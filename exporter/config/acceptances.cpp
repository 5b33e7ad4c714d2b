#include "exporter/config/acceptances.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "collectors/base/settings.h"
#include "exporter/config/config.h"
#include "exporter/config/settings_check.h"
#include "exporter/config/toml.h"
#include "exporter/io/clock.h"

namespace pg_integrity {

namespace {

namespace fs = std::filesystem;

std::span<const Option> file_options() {
  static const std::vector<Option> members = [] {
    std::vector<Option> all{{.name = "server", .help = "its server; default: the only one"}};
    for (const Option& option : accept_members()) all.push_back(option);
    return all;
  }();
  static const std::vector<Option> top{{.name = "accept",
                                        .type = OptionType::records,
                                        .help = "known damage that counts as accepted for a while",
                                        .members = members}};
  return top;
}

/// @return the name of the server that the record is about, or nothing after a fault in `problems`.
std::string server_of(const Settings& record, const Options& options, Problems& problems) {
  std::string name = record.text_or_empty("server");
  if (name.empty() && options.servers.size() == 1) return options.servers.front().name;
  for (const ServerOptions& server : options.servers)
    if (server.name == name) return name;
  problems.add(record.place("server"),
               name.empty() ? "\"server\" is missing, and there are several"
                            : fmt::format("there is no server \"{}\" in the configuration", name),
               "write server = \"…\" as [[server]] names it");
  return {};
}

std::vector<ServerAcceptance> take(Settings settings, const Options& options, Problems& problems) {
  const std::size_t before = problems.size();
  complete(settings, file_options(), "at the top of the file", problems);
  if (problems.size() > before) return {};
  check_accepted(settings, problems);
  std::vector<ServerAcceptance> taken;
  for (const Settings& record : settings.records("accept"))
    taken.push_back({server_of(record, options, problems), accepted_damage_from(record)});
  return taken;
}

}  // namespace

ReadAcceptances read_acceptances(const Options& options) {
  Problems problems;
  std::vector<ServerAcceptance> all;
  try {
    for (const std::string& file : toml_files(options.accept_dir)) {
      const std::size_t before = problems.size();
      Settings settings = read_toml(file, file_options(), problems);
      if (problems.size() > before) continue;
      for (ServerAcceptance& acceptance : take(std::move(settings), options, problems))
        all.push_back(std::move(acceptance));
    }
  } catch (const fs::filesystem_error& error) {
    problems.add(Place{options.accept_dir}, error.code().message(),
                 "let the exporter's user read the directory, or name another: accept_dir");
  }
  if (!problems.empty()) return problems.lines();
  return all;
}

ReadAcceptances parse_acceptances(const std::string& text, const std::string& name,
                                  const Options& options) {
  Problems problems;
  Settings settings = parse_toml(text, name, file_options(), problems);
  std::vector<ServerAcceptance> all;
  if (problems.empty()) all = take(std::move(settings), options, problems);
  if (!problems.empty()) return problems.lines();
  return all;
}

std::string as_toml(const ServerAcceptance& acceptance) {
  const AcceptedDamage& damage = acceptance.damage;
  std::string text = "[[accept]]\n";
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) text += fmt::format("{} = {}\n", name, toml_string(value));
  };
  line("server", acceptance.server);
  line("database", damage.database);
  line("object", damage.object);
  if (damage.at_most > 0) text += fmt::format("at_most = {}\n", damage.at_most);
  text += fmt::format("until = {:.10}\n", format_utc(damage.until));
  line("reason", damage.reason);
  line("by", damage.by);
  return text;
}

void add_acceptances(std::span<const ServerAcceptance> acceptances, UnixTime now,
                     Options& options) {
  for (const ServerAcceptance& acceptance : acceptances) {
    if (acceptance.damage.until <= now) continue;
    for (ServerOptions& server : options.servers)
      if (server.name == acceptance.server)
        server.accept.insert(server.accept.begin(), acceptance.damage);
  }
}

}  // namespace pg_integrity
