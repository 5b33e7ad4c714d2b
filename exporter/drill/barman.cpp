#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "collectors/base/errors.h"
#include "collectors/base/json_value.h"
#include "collectors/recovery/archive_header.h"
#include "exporter/drill/repositories.h"
#include "exporter/drill/repository_program.h"

namespace pg_integrity {

namespace {

/// Barman writes numbers as texts.
double number_in(const JsonValue& object, std::string_view name) {
  const JsonValue& member = object.at(name);
  const auto* text = std::get_if<std::string>(&member.value);
  return text == nullptr ? member.number() : std::strtod(text->c_str(), nullptr);
}

class Barman final : public Repository {
 public:
  Barman(const BackupCatalogue& catalogue, Children& children,
         const std::optional<Account>& account, const Json& json, const Clock& clock,
         std::vector<std::string> base)
      : json_(json),
        clock_(clock),
        catalogue_(catalogue),
        server_(catalogue.name),
        program_(children, account, options_of(std::move(base))) {}

  std::vector<RepositoryBackup> backups() override {
    const JsonValue document = json_.read(
        program_.output({"-f", "json", "list-backups", server_.empty() ? "all" : server_}));
    if (server_.empty() && document.members().size() != 1)
      throw SourceError(Reason::missing, "there are several servers. HINT: name one by `server`");
    std::vector<RepositoryBackup> found;
    for (const auto& [server, listed] : document.members()) {
      if (server_.empty()) server_ = server;
      if (server != server_) continue;
      for (const JsonValue& backup : listed.elements()) {
        if (backup.at("status").text() != "DONE") continue;
        const std::string id = backup.at("backup_id").text();
        const auto start = name_time(id, clock_, catalogue_.zone);
        const double stop = number_in(backup, "end_time_timestamp");
        found.push_back(
            {id, start ? start->earliest : stop, stop, {}, number_in(backup, "size_bytes")});
      }
    }
    std::sort(found.begin(), found.end(),
              [](const auto& a, const auto& b) { return a.stop < b.stop; });
    return found;
  }

  UnixTime newest_archived(const RepositoryBackup& backup) override {
    std::istringstream lines(
        program_.output({"list-files", server_, backup.label, "--target", "wal"}));
    UnixTime newest = 0;
    struct stat facts {};
    for (std::string path; std::getline(lines, path);)
      if (::stat(path.c_str(), &facts) == 0)
        newest = std::max(newest, static_cast<UnixTime>(facts.st_mtime));
    if (newest == 0)
      throw SourceError(Reason::missing,
                        "nobody knows how far the archive reaches: its files are not on this "
                        "machine. HINT: --target-time");
    return newest;
  }

  /// Barman copies all WAL since the backup into pg_wal.
  Fetched fetch(const RepositoryBackup& backup, std::optional<UnixTime> /*target*/,
                const WorkDirectory& work) override {
    const Ended ended = program_.run({"recover", server_, backup.label, work.data()});
    if (!ended.good()) {
      const std::string words = words_of(ended);
      const bool lacks = words.find("No such file") != std::string::npos ||
                         words.find("not found") != std::string::npos ||
                         words.find("missing") != std::string::npos;
      throw SourceError(lacks ? Reason::decode : Reason::io, "barman says: " + words);
    }
    return {{}, "latest"};
  }

 private:
  /// The command up to Barman's own command.
  std::vector<std::string> options_of(std::vector<std::string> command) {
    const auto verb = std::find_if(command.begin(), command.end(), [](const std::string& word) {
      return word == "list-backups" || word == "list-backup";
    });
    if (verb != command.end() && verb + 1 != command.end() && server_.empty() &&
        *(verb + 1) != "all")
      server_ = *(verb + 1);
    command.erase(verb, command.end());
    const auto format = std::find(command.begin(), command.end(), "-f");
    if (format != command.end() && format + 1 != command.end()) command.erase(format, format + 2);
    return without(std::move(command), {}, {"--format"});
  }

  const Json& json_;
  const Clock& clock_;
  const BackupCatalogue& catalogue_;
  std::string server_;
  RepositoryProgram program_;
};

}  // namespace

std::unique_ptr<Repository> open_barman(const BackupCatalogue& catalogue, Children& children,
                                        const std::optional<Account>& account, const Json& json,
                                        const Clock& clock, const std::vector<std::string>& base) {
  return std::make_unique<Barman>(catalogue, children, account, json, clock, base);
}

}  // namespace pg_integrity
