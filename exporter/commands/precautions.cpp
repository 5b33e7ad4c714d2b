#include "exporter/commands/precautions.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <regex>

#include "exporter/config/conninfo.h"

namespace pg_integrity {

namespace {

bool anybody_may_read(const std::string& path) {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 && (facts.st_mode & S_IROTH) != 0;
}

bool has_password(const ConnectionOptions& connection) {
  try {
    return !visible(connection.dsn, "").password.empty();
  } catch (const ConfigError&) {
    return false;
  }
}

class Precautions {
 public:
  explicit Precautions(std::string config_path) : config_path_(std::move(config_path)) {}

  void look_at(const std::string& of, const ConnectionOptions& connection) {
    static const std::regex kVariable(R"(\$\{\w+\})");
    if (std::regex_search(connection.dsn, kVariable))
      lines_.push_back(
          fmt::format("dsn of {}: \"${{…}}\" is taken as it is written. HINT: name a file by"
                      " dsn_file, or use ~/.pgpass",
                      of));
    if (!connection.dsn_file.empty())
      look_at_file("dsn_file " + connection.dsn_file, connection.dsn_file);
    else if (!config_path_.empty() && !said_ && has_password(connection))
      said_ = look_at_file("the configuration holds a password, and", config_path_);
  }

  std::vector<std::string> lines() {
    if (::geteuid() == 0)
      lines_.emplace_back(
          "running as root. HINT: it needs no rights but to read backups; give it a user");
    return std::move(lines_);
  }

 private:
  bool look_at_file(const std::string& what, const std::string& path) {
    if (!anybody_may_read(path)) return false;
    lines_.push_back(
        fmt::format("{} can be read by everybody on this machine. HINT: chmod o= {}", what, path));
    return true;
  }

  const std::string config_path_;
  bool said_ = false;
  std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> precautions(const Options& options, const std::string& config_path) {
  Precautions found(config_path);
  for (const ServerOptions& server : options.servers) {
    found.look_at(server.name, server.connection);
    for (const ReplicaConnection& replica : server.replica_connections)
      found.look_at(server.name + "/" + replica.name, replica.connection);
  }
  return found.lines();
}

}  // namespace pg_integrity
