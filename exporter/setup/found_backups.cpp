#include "exporter/setup/found_backups.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <system_error>

#include "collectors/base/errors.h"
#include "exporter/io/files.h"

namespace pg_integrity {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostEntries = 20000;  ///< of a directory
constexpr std::size_t kMostTimes = 30;       ///< files that tell the schedule
constexpr std::size_t kLargestConfig = std::size_t{1} << 20;
constexpr std::string_view kEndings[] = {".dump",    ".pgdump",  ".backup",  ".sql",
                                         ".sql.gz",  ".sql.zst", ".dump.gz", ".sql.xz",
                                         ".sql.bz2", ".dump.zst"};
constexpr double kHour = 3600;
constexpr double kUsualHours[] = {1, 2, 3, 4, 6, 8, 12, 24, 48, 168, 720};

/// The longest ending of a dump that the name has; empty if it has none.
std::string_view ending_of(const std::string& name) {
  std::string_view longest;
  for (const std::string_view ending : kEndings)
    if (name.size() > ending.size() && name.ends_with(ending) && ending.size() > longest.size())
      longest = ending;
  return longest;
}

/// The usual time between two files, rounded to what people configure.
Seconds time_between(std::vector<fs::file_time_type> times) {
  std::sort(times.begin(), times.end());
  if (times.size() > kMostTimes)
    times.erase(times.begin(), times.end() - static_cast<std::ptrdiff_t>(kMostTimes));
  std::vector<double> hours;
  for (std::size_t i = 1; i < times.size(); ++i)
    hours.push_back(Seconds(times[i] - times[i - 1]).count() / kHour);
  if (hours.empty()) return Seconds(0);
  std::nth_element(hours.begin(), hours.begin() + static_cast<std::ptrdiff_t>(hours.size() / 2),
                   hours.end());
  const double median = hours[hours.size() / 2];
  double best = kUsualHours[0];
  for (const double usual : kUsualHours)
    if (std::abs(usual - median) < std::abs(best - median)) best = usual;
  return Seconds(best * kHour);
}

void find_dumps(const fs::path& directory, std::vector<FoundDumps>& found) {
  std::map<std::string_view, std::vector<fs::file_time_type>> by_ending;
  std::error_code error;
  std::size_t seen = 0;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    if (++seen > kMostEntries) break;
    std::error_code of_entry;
    const std::string_view ending = ending_of(at->path().filename().string());
    if (ending.empty() || !at->is_regular_file(of_entry) || of_entry) continue;
    const auto time = at->last_write_time(of_entry);
    if (!of_entry) by_ending[ending].push_back(time);
  }
  for (auto& [ending, times] : by_ending) {
    const std::size_t files = times.size();
    found.push_back(
        {directory.string(), "*" + std::string(ending), files, time_between(std::move(times))});
  }
}

std::vector<std::string> sections_of_file(const fs::path& path) {
  std::vector<std::string> sections;
  std::string text;
  try {
    text = contents_of(path.string(), kLargestConfig);
  } catch (const SourceError&) {
    return sections;
  }
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    const std::size_t close = line.find(']');
    if (line.starts_with('[') && close != std::string::npos)
      sections.push_back(line.substr(1, close - 1));
    at = end + 1;
  }
  return sections;
}

bool is_program(const std::string& root, const std::string& name) {
  return ::access((root + "/usr/bin/" + name).c_str(), X_OK) == 0 ||
         ::access((root + "/usr/local/bin/" + name).c_str(), X_OK) == 0;
}

void add_new(std::vector<std::string>& list, std::string name) {
  if (std::find(list.begin(), list.end(), name) == list.end()) list.push_back(std::move(name));
}

void find_pgbackrest(const std::string& root, FoundBackups& found) {
  for (const char* path : {"/etc/pgbackrest.conf", "/etc/pgbackrest/pgbackrest.conf"})
    for (const std::string& section : sections_of_file(root + path)) {
      const std::string stanza = section.substr(0, section.find(':'));  // "main:archive-push"
      if (!stanza.empty() && stanza != "global") add_new(found.stanzas, stanza);
    }
  found.pgbackrest = is_program(root, "pgbackrest");
}

void find_barman(const std::string& root, FoundBackups& found) {
  std::vector<fs::path> paths{root + "/etc/barman.conf", root + "/etc/barman/barman.conf"};
  std::error_code error;
  for (const char* directory : {"/etc/barman.d", "/etc/barman/barman.d"})
    for (fs::directory_iterator at(root + directory, error), end; !error && at != end;
         at.increment(error))
      if (at->path().extension() == ".conf") paths.push_back(at->path());
  std::sort(paths.begin(), paths.end());
  for (const fs::path& path : paths)
    for (std::string& section : sections_of_file(path))
      if (section != "barman") add_new(found.barman_servers, std::move(section));
  found.barman = is_program(root, "barman");
}

}  // namespace

std::vector<std::string> usual_directories() {
  return {"/var/backups",
          "/var/lib/postgresql/backups",
          "/var/lib/postgresql/backup",
          "/backup",
          "/backups",
          "/srv/backup",
          "/srv/backups",
          "/mnt/backup",
          "/mnt/backups",
          "/opt/backups"};
}

FoundBackups find_backups(const std::vector<std::string>& directories, const std::string& root) {
  FoundBackups found;
  find_pgbackrest(root, found);
  find_barman(root, found);
  for (const std::string& directory : directories) {
    find_dumps(directory, found.dumps);
    std::vector<fs::path> below;
    std::error_code error;
    for (fs::directory_iterator at(directory, error), end; !error && at != end;
         at.increment(error)) {
      std::error_code of_entry;
      if (below.size() < kMostEntries && at->is_directory(of_entry) && !of_entry)
        below.push_back(at->path());
    }
    std::sort(below.begin(), below.end());
    for (const fs::path& one : below) find_dumps(one, found.dumps);
  }
  return found;
}

}  // namespace pg_integrity
