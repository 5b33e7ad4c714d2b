#include "exporter/report/first_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <utility>

#include "collectors/base/qualified_name.h"
#include "exporter/report/filled_command.h"

namespace pg_integrity {

namespace {

constexpr std::string_view kConfigOption = " --config \"$CONFIG\"";

/// The variable of a label, as alerts/pg_integrity.tmpl and the runbooks have it.
std::string variable_of(const std::string& label) {
  if (label == "path") return "DIRECTORY";
  std::string upper;
  for (const char c : label)
    upper += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return upper;
}

std::string table_of(const Settings& record) {
  return QualifiedName{record.text("schema"), record.text("table")}.sql();
}

/// The names of one finding.
class KnownNames {
 public:
  KnownNames(const ServerOptions& server, const CommandSubject& subject)
      : server_(server), subject_(subject) {
    for (const auto& [label, value] : subject.labels) add(variable_of(label), value);
    add("SERVER", server.name);
    add("DATABASE", subject.database.empty() ? server.home_database : subject.database);
    if (server.drills) add("DRILLS", server.drills->directory);
  }

  /// Nothing is added if the value is empty or the variable has one.
  void add(const std::string& variable, const std::string& value) {
    if (!value.empty()) names_.emplace(variable, value);
  }

  void add_backups() {
    for (const BackupSource& source : server_.backups) {
      if (source.name != label("source")) continue;
      if (source.directory) add("BACKUPS", source.directory->path);
      if (source.bucket) add("BUCKET", source.bucket->at.text());
      if (source.catalogue) add("CATALOGUE", source.catalogue->file);
      if (!source.table) continue;
      add("HISTORY", source.table->table.sql());
      add("HISTORY_TIME", source.table->time_column);
    }
  }

  void add_copies() {
    for (const ReplicaConnection& replica : server_.replica_connections)
      if (replica.name == label("replica") && replica.database == names_["DATABASE"])
        add("COPY", replica.address);
  }

  void add_logs() {
    const Settings* log = record("audit_logs", "logs", "log");
    if (log == nullptr && has("connections")) log = own("connections").record("log");
    if (log == nullptr) return;
    add("LOG_TABLE", table_of(*log));
    add("LOG_TIME", log->text("time"));
  }

  void add_protections() {
    const Settings* protection = record("protection", "protections", "protection");
    if (protection == nullptr) return;
    add("STATUS_TABLE", table_of(*protection));
    add("VERIFIED_AT", protection->text_or_empty("verified_at"));
  }

  /// An address with a name before the host, or with arguments, may hold a secret.
  void add_endpoints() {
    const Settings* endpoint = record("api_sync", "endpoints", "endpoint");
    if (endpoint == nullptr) return;
    const std::string& url = endpoint->text("url");
    if (url.find_first_of("@?") == std::string::npos) add("URL", url);
  }

  [[nodiscard]] const CommandNames& all() const { return names_; }

 private:
  [[nodiscard]] std::string label(const std::string& name) const {
    const auto found = subject_.labels.find(name);
    return found == subject_.labels.end() ? std::string() : found->second;
  }

  [[nodiscard]] bool has(std::string_view collector) const {
    return std::any_of(server_.collectors.begin(), server_.collectors.end(),
                       [&](const CollectorOptions& one) { return one.spec->name == collector; });
  }

  /// The options of a collector that runs.
  [[nodiscard]] const Settings& own(std::string_view collector) const {
    return std::find_if(server_.collectors.begin(), server_.collectors.end(),
                        [&](const CollectorOptions& one) { return one.spec->name == collector; })
        ->settings;
  }

  /// The record that has the name which the label says. nullptr: there is none.
  [[nodiscard]] const Settings* record(std::string_view collector, std::string_view option,
                                       const std::string& of_label) const {
    const std::string name = label(of_label);
    if (name.empty() || !has(collector)) return nullptr;
    for (const Settings& one : own(collector).records(option))
      if (one.text("name") == name) return &one;
    return nullptr;
  }

  const ServerOptions& server_;
  const CommandSubject& subject_;
  CommandNames names_;
};

/// How psql finds the server: "export PGHOST='db.example' PGDATABASE='shop'". Whoever pastes it
/// logs in under a name of their own.
std::string way_to_server(const ServerOptions& server, const CommandNames& names) {
  std::string variables;
  const std::pair<const char*, std::string> all[] = {
      {"PGHOST", server.host}, {"PGPORT", server.port}, {"PGDATABASE", names.at("DATABASE")}};
  for (const auto& [variable, value] : all)
    if (!value.empty()) variables += fmt::format(" {}={}", variable, in_single_quotes(value));
  return variables.empty() ? variables : fmt::format("export{}\n", variables);
}

/// Without a configuration there is nothing to name.
std::string without_config(std::string_view command, const ReportPlaces& places) {
  std::string text(command);
  const std::size_t at = text.find(kConfigOption);
  if (places.config.empty() && at != std::string::npos) text.erase(at, kConfigOption.size());
  return text;
}

}  // namespace

std::string first_command(const Runbook& runbook, const ServerOptions& server,
                          const ReportPlaces& places, const CommandSubject& subject) {
  KnownNames names(server, subject);
  names.add_backups();
  names.add_copies();
  names.add_logs();
  names.add_protections();
  names.add_endpoints();
  names.add("CONFIG", places.config);
  names.add("INSTANCE", places.instance);
  std::string command;
  for (const std::string_view one : runbook.commands) {
    if (one.empty() || (!command.empty() && !has_all_names(one, names.all()))) continue;
    command = without_config(one, places);
    if (has_all_names(command, names.all())) break;
  }
  const bool asks_server = command.starts_with("psql <<") || command.starts_with("psql -c") ||
                           command.find("-d \"$one\"") != std::string::npos;
  return (asks_server ? way_to_server(server, names.all()) : std::string()) +
         filled_command(command, names.all());
}

}  // namespace pg_integrity
