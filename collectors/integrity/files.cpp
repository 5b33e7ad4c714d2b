// Files: how many there are in a directory, by pattern, and how many there should be. Too many
// files are too many even if a part of the directory could not be read. Any other count holds only
// if everything could be read.
#include <algorithm>
#include <set>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/glob.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/ports/files.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/table_scan.h"
#include "collectors/walk.h"

namespace pg_integrity::files {

namespace {

constexpr auto kCountMin = gauge("pg_integrity_file_count_min",
                                 "Configured lower limit of file_count.", "path", "pattern");
constexpr auto kCountMax = gauge("pg_integrity_file_count_max",
                                 "Configured upper limit of file_count.", "path", "pattern");
constexpr auto kCount =
    gauge("pg_integrity_file_count",
          "Regular files that match. Where not all directories could be read it is absent, or what "
          "was found if that is too many already.",
          within(kCountMin, kCountMax)
              .says("{path} holds {value} {file that matches|files that match} {pattern}, it must "
                    "hold {limit}."),
          "path", "pattern");
constexpr auto kBytes = gauge("pg_integrity_file_bytes",
                              "Size of the files of file_count together.", "path", "pattern");

constexpr const MetricInfo* kMetrics[] = {&kCount, &kCountMin, &kCountMax, &kBytes};

constexpr char kWatched[] = "directories";

constexpr std::string_view kIdentity[] = {"path", "pattern"};

constexpr std::size_t kNamed = 5;  ///< files that the report names

constexpr Option kDirectoryOptions[] = {
    {.name = "path", .help = "an absolute path; label `path`", .required = true},
    {.name = "patterns",
     .type = OptionType::texts,
     .help = "globs over file names; each is counted by itself, label `pattern`",
     .required = true},
    {.name = "match_case",
     .type = OptionType::flag,
     .fallback = "false",
     .help = "true: *.avi does not match X.AVI"},
    {.name = "recursive",
     .type = OptionType::flag,
     .fallback = "false",
     .help = "true: the directories below count too; symbolic links are not followed"},
    {.name = "max_depth",
     .type = OptionType::integer,
     .fallback = "16",
     .help = "recursive: a tree of more levels is unproven(too_large)",
     .min = 1,
     .max = 64},
    {.name = "max_entries",
     .type = OptionType::integer,
     .fallback = "100000",
     .help = "more entries than these, of whatever name, are unproven(too_large)",
     .min = 1,
     .max = 10000000},
    {.name = "min_files",
     .type = OptionType::integer,
     .help = "fewer files of a pattern are a violation"},
    {.name = "max_files",
     .type = OptionType::integer,
     .help = "more files of a pattern are a violation; 0: there must be none"}};

constexpr Option kOptions[] = {{.name = "directories",
                                .type = OptionType::records,
                                .help = "the directories, on the exporter's machine",
                                .members = kDirectoryOptions}};

struct WatchedDirectory {
  std::string path;
  std::vector<std::string> patterns;
  bool match_case = false;
  TreeBounds bounds;
  std::optional<double> min_files;
  std::optional<double> max_files;

  [[nodiscard]] bool matches(const std::string& pattern, const std::string& name) const {
    return match_case ? matches_glob(pattern, name) : matches_glob_in_any_case(pattern, name);
  }
  [[nodiscard]] bool matches_any(const std::string& name) const {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const std::string& pattern) { return matches(pattern, name); });
  }
};

WatchedDirectory directory_from(const Settings& record) {
  const bool recursive = record.flag("recursive");
  const auto depth = static_cast<std::size_t>(record.number("max_depth"));
  return {
      record.text("path"),
      record.texts("patterns"),
      record.flag("match_case"),
      {recursive ? depth : 1, recursive, static_cast<std::size_t>(record.number("max_entries"))},
      record.maybe_number("min_files"),
      record.maybe_number("max_files")};
}

class DirectoryFiles final : public Collector {
 public:
  explicit DirectoryFiles(const Settings& settings) {
    for (const Settings& record : settings.records("directories"))
      directories_.push_back(directory_from(record));
    std::sort(directories_.begin(), directories_.end(),
              [](const auto& a, const auto& b) { return key_of(a) < key_of(b); });
  }

  void declare(Batch& out) const override {
    for (const WatchedDirectory& directory : directories_)
      for (const std::string& pattern : directory.patterns) {
        if (directory.min_files) out.set(kCountMin, *directory.min_files, directory.path, pattern);
        if (directory.max_files) out.set(kCountMax, *directory.max_files, directory.path, pattern);
      }
  }

  Progress collect(Sources& from, Batch& out) override {
    return Walk(from, Walk::Pace::singly)
        .each("directories", directories_, key_of, [&](const WatchedDirectory& directory) {
          if (wants_any(from, directory)) look_at(from.files(), directory, out);
        });
  }

 private:
  /// Unique, because no two directories have a pattern and a path in common.
  static std::string key_of(const WatchedDirectory& directory) {
    return walk_key(directory.path, directory.patterns.front());
  }

  static bool wants_any(Sources& from, const WatchedDirectory& directory) {
    return std::any_of(directory.patterns.begin(), directory.patterns.end(),
                       [&](const std::string& pattern) {
                         return from.wants(std::array<std::string, 2>{directory.path, pattern});
                       });
  }

  static void look_at(Files& files, const WatchedDirectory& directory, Batch& out) {
    try {
      const FileTree tree =
          files.tree(directory.path, directory.bounds,
                     [directory](const std::string& name) { return directory.matches_any(name); });
      for (const std::string& pattern : directory.patterns) count(tree, directory, pattern, out);
    } catch (const SourceError& error) {
      for (const std::string& pattern : directory.patterns)
        out.unproven(kCount, error.reason(), error.what(), directory.path, pattern);
    }
  }

  static void count(const FileTree& tree, const WatchedDirectory& directory,
                    const std::string& pattern, Batch& out) {
    double bytes = 0;
    std::vector<std::string> names;
    for (const FileEntry& file : tree.files) {
      // A file at the top has no slash. rfind() then gives npos, and npos + 1 is 0.
      if (!directory.matches(pattern, file.name.substr(file.name.rfind('/') + 1))) continue;
      bytes += file.size;
      names.push_back(file.name);
    }
    const auto found = static_cast<double>(names.size());
    const bool too_many = directory.max_files && found > *directory.max_files;
    const std::string which = too_many ? some_of(std::move(names)) : std::string();
    out.weight(kCount, true, 0, directory.path, pattern);
    if (tree.gap) {
      if (too_many) out.set(kCount, found, directory.path, pattern);
      out.unproven(kCount, tree.gap->reason(),
                   tree.gap->what() + (too_many ? "; found elsewhere: " + which : std::string()),
                   directory.path, pattern);
      return;
    }
    out.set(kCount, found, directory.path, pattern);
    out.set(kBytes, bytes, directory.path, pattern);
    if (too_many) out.evidence(kCount, "found: " + which, directory.path, pattern);
  }

  static std::string some_of(std::vector<std::string> names) {
    std::sort(names.begin(), names.end());
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), kNamed); ++i)
      text += (i == 0 ? "" : ", ") + names[i];
    if (names.size() > kNamed) text += " and " + std::to_string(names.size() - kNamed) + " more";
    return text;
  }

  std::vector<WatchedDirectory> directories_;
};

void check_directory(const Settings& record, Problems& problems) {
  const std::string name = "\"" + record.text("path") + "\" ";
  const auto low = record.maybe_number("min_files");
  const auto high = record.maybe_number("max_files");
  if (!record.text("path").starts_with('/'))
    problems.add(record.place("path"), name + "is no absolute path", "begin it with a slash");
  if (record.texts("patterns").empty())
    problems.add(record.place("patterns"), name + "has no patterns",
                 "count every file: patterns = [\"*\"]");
  if (low && high && *low > *high)
    problems.add(record.place("min_files"), "\"min_files\" is above \"max_files\"");
}

void check(const Configuration& given, Problems& problems) {
  std::set<std::pair<std::string, std::string>> seen;
  for (const Settings& record : given.own.records("directories")) {
    check_directory(record, problems);
    for (const std::string& pattern : record.texts("patterns"))
      if (!seen.emplace(record.text("path"), pattern).second)
        problems.add(record.place("patterns"), "\"" + pattern + "\" is counted twice",
                     "name a path and a pattern together once");
  }
}

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<DirectoryFiles>(given.own);
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{
    .name = "files",
    .summary = "number and size of files in directories, by pattern, against their limits",
    .object_noun = "file pattern",
    .report_section = "Files",
    .question = Question::intact,
    .lane = Lane::quick,
    .scope = Scope::server,
    .depends_on = DependsOn::outside,
    .interval = "5m",
    .deadline = "20s",
    .metrics = kMetrics,
    .identity = kIdentity,
    .options = kOptions,
    .wanted = has_records<kWatched>,
    .wanted_hint = "name the directories: [[server.collectors.files.directories]]",
    .wanted_snippet = R"([[server.collectors.files.directories]]
path = "/srv/uploads"
patterns = ["*.pdf"]
min_files = 1)",
    .check = check,
    .reads = no_reads,
    .make = make};

}  // namespace pg_integrity::files
