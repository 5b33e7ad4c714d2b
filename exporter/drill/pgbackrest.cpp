#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include "collectors/base/errors.h"
#include "collectors/base/json_value.h"
#include "exporter/drill/repositories.h"
#include "exporter/drill/repository_program.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kSegmentName = 24;  ///< eight digits of the timeline, and sixteen
constexpr std::size_t kTimelineName = 8;
constexpr std::string_view kHexadecimal = "0123456789ABCDEF";

struct Archived {
  std::string name;  ///< of the segment
  UnixTime time = 0;
};

bool is_hexadecimal(std::string_view text) {
  return text.find_first_not_of(kHexadecimal) == std::string_view::npos;
}

/// The place of a segment in the log, whatever its timeline.
std::string place_of(const std::string& segment) {
  return segment.substr(kTimelineName);
}

/// The timelines that a history file names as those before it.
std::set<unsigned long> parents_in(const std::string& history) {
  std::set<unsigned long> found;
  std::istringstream lines(history);
  for (std::string line; std::getline(lines, line);)
    if (!line.empty() && line.front() != '#') found.insert(std::strtoul(line.c_str(), nullptr, 10));
  return found;
}

class PgBackRest final : public Repository {
 public:
  PgBackRest(const BackupCatalogue& catalogue, Children& children,
             const std::optional<Account>& account, const Json& json,
             const std::vector<std::string>& base)
      : json_(json),
        program_(children, account,
                 without(base, {"info"}, {"--output", "--stanza", "--log-level"})),
        catalogue_(catalogue) {
    for (const std::string& word : base)
      if (word.starts_with("--stanza=")) stanza_ = word.substr(std::string("--stanza=").size());
    if (!catalogue.name.empty()) stanza_ = catalogue.name;
  }

  std::vector<RepositoryBackup> backups() override {
    const JsonValue document = json_.read(program_.output({"info", "--output=json"}));
    std::vector<RepositoryBackup> found;
    for (const JsonValue& stanza : document.elements()) {
      if (stanza_.empty() && document.elements().size() == 1) stanza_ = stanza.at("name").text();
      if (stanza.at("name").text() != stanza_) continue;
      for (const JsonValue& backup : stanza.at("backup").elements()) take(stanza, backup, found);
    }
    if (stanza_.empty())
      throw SourceError(Reason::missing, "there are several stanzas. HINT: name one by `stanza`");
    std::sort(found.begin(), found.end(),
              [](const auto& a, const auto& b) { return a.stop < b.stop; });
    return found;
  }

  UnixTime newest_archived(const RepositoryBackup& backup) override {
    const auto archived = archive_of(backup);
    if (archived.empty()) throw SourceError(Reason::missing, "no WAL of the backup is archived");
    return std::max_element(archived.begin(), archived.end(),
                            [](const auto& a, const auto& b) { return a.time < b.time; })
        ->time;
  }

  Fetched fetch(const RepositoryBackup& backup, std::optional<UnixTime> target,
                const WorkDirectory& work) override {
    const auto& [key, archive] = of_.at(backup.label);
    const std::vector<std::string> place{"--stanza=" + stanza_,
                                         "--repo=" + key,
                                         "--pg1-path=" + work.data(),
                                         "--log-level-file=off",
                                         "--log-level-console=off",
                                         "--log-level-stderr=warn",
                                         "--lock-path=" + work.copy() + "/lock"};
    std::vector<std::string> restore = place;
    restore.insert(restore.end(),
                   {"--set=" + backup.label, "--type=none",
                    "--tablespace-map-all=" + work.copy() + "/tablespaces", "restore"});
    const Ended ended = program_.run(restore);
    if (!ended.good()) throw SourceError(blame(ended), "pgbackrest says: " + words_of(ended));
    Fetched fetched{work.copy() + "/wal", "current"};
    program_.make_folder(fetched.wal);
    const auto get = [&](const std::string& name) {
      std::vector<std::string> words = place;
      words.insert(words.end(),
                   {"--no-archive-async", "archive-get", name, fetched.wal + "/" + name});
      return program_.run(words).good();
    };
    for (const Archived& one : until(archive_of(backup), target))
      if (!get(one.name))
        throw SourceError(Reason::decode, one.name + " cannot be got from the archive");
    fetched.timeline = newest_timeline(backup, fetched.wal, get);
    return fetched;
  }

 private:
  struct Place {
    std::string key;      ///< of the repository
    std::string archive;  ///< its folder, such as "15-1"
  };

  void take(const JsonValue& stanza, const JsonValue& backup,
            std::vector<RepositoryBackup>& found) {
    const JsonValue& database = backup.at("database");
    const double key = database.maybe_number("repo-key").value_or(1);
    if (catalogue_.repository && key != *catalogue_.repository) return;
    if (const JsonValue* damaged = backup.find("error"); damaged != nullptr && damaged->flag())
      return;
    std::string archive;
    for (const JsonValue& one : stanza.at("archive").elements())
      if (one.at("database").maybe_number("id") == database.maybe_number("id") &&
          one.at("database").maybe_number("repo-key").value_or(1) == key)
        archive = one.at("id").text();
    const std::string label = backup.at("label").text();
    const JsonValue& time = backup.at("timestamp");
    found.push_back({label, time.at("start").number(), time.at("stop").number(),
                     backup.at("archive").at("start").text(),
                     backup.at("info").maybe_number("size").value_or(0)});
    of_.insert_or_assign(label, Place{fmt::format("{:.0f}", key), archive});
  }

  /// The archived segments from the backup's first one on, of all timelines that follow its own.
  std::vector<Archived> archive_of(const RepositoryBackup& backup) {
    const auto& [key, folder] = of_.at(backup.label);
    const JsonValue listed =
        json_.read(program_.output({"repo-ls", "archive/" + stanza_ + "/" + folder, "--recurse",
                                    "--repo=" + key, "--output=json"}));
    std::vector<Archived> found;
    histories_.clear();
    for (const auto& [path, facts] : listed.members()) {
      const std::string name = path.substr(path.rfind('/') + 1);
      if (name.size() == kTimelineName + std::string(".history").size() &&
          name.ends_with(".history"))
        histories_.insert(name);
      // A checksum follows the segment's name. What follows a dot is no segment.
      if (name.size() <= kSegmentName || name[kSegmentName] != '-' ||
          !is_hexadecimal(name.substr(0, kSegmentName)))
        continue;
      const std::string segment = name.substr(0, kSegmentName);
      if (place_of(segment) >= place_of(backup.first_segment) &&
          segment.substr(0, kTimelineName) >= backup.first_segment.substr(0, kTimelineName))
        found.push_back({segment, facts.at("time").number()});
    }
    std::sort(found.begin(), found.end(), [](const Archived& a, const Archived& b) {
      return std::pair(place_of(a.name), a.name) < std::pair(place_of(b.name), b.name);
    });
    return found;
  }

  /// Segments up to the first one that came into the archive after the target.
  static std::vector<Archived> until(std::vector<Archived> archived,
                                     std::optional<UnixTime> target) {
    if (!target) return archived;
    const auto later = std::find_if(archived.begin(), archived.end(), [&](const Archived& one) {
      return one.time > *target + 1;  // times in the archive are whole seconds
    });
    if (later != archived.end()) archived.erase(later + 1, archived.end());
    return archived;
  }

  /// The newest timeline that began on the backup's own one. Histories come along, since the server
  /// reads them, too.
  [[nodiscard]] std::string newest_timeline(
      const RepositoryBackup& backup, const std::string& wal,
      const std::function<bool(const std::string&)>& get) const {
    const std::string own = backup.first_segment.substr(0, kTimelineName);
    std::string newest = "current";
    for (const std::string& history : histories_) {
      if (history.substr(0, kTimelineName) <= own || !get(history)) continue;
      std::ifstream file(std::filesystem::path(wal) / history);
      const std::string text{std::istreambuf_iterator<char>(file), {}};
      if (parents_in(text).contains(std::strtoul(own.c_str(), nullptr, 16)))
        newest = std::to_string(std::strtoul(history.c_str(), nullptr, 16));
    }
    return newest;
  }

  /// A file of the set that is missing or damaged is the backup's fault. All else is ours: `info`
  /// has just read the repository.
  static Reason blame(const Ended& ended) {
    const std::string words = words_of(ended);
    // Checksum, invalid file, format, missing file: see pgBackRest's src/build/error/error.yaml.
    for (const char* code : {"[026]", "[028]", "[029]", "[055]"})
      if (words.find(code) != std::string::npos) return Reason::decode;
    return Reason::io;
  }

  const Json& json_;
  RepositoryProgram program_;
  const BackupCatalogue& catalogue_;
  std::string stanza_;
  std::map<std::string, Place> of_;  ///< by the backup's label
  std::set<std::string> histories_;  ///< names of history files
};

}  // namespace

std::unique_ptr<Repository> open_pgbackrest(const BackupCatalogue& catalogue, Children& children,
                                            const std::optional<Account>& account, const Json& json,
                                            const std::vector<std::string>& base) {
  return std::make_unique<PgBackRest>(catalogue, children, account, json, base);
}

}  // namespace pg_integrity
