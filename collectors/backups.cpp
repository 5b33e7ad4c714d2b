// Backups: how old the newest one of each kind is, how many runs of its schedule were missed, and
// how far back the copies reach. A manual backup never hides that the automatic one stopped: each
// kind is judged by itself.
#include <algorithm>
#include <cmath>

#include "collectors/backup_sources.h"
#include "collectors/collector.h"

namespace pg_integrity {

namespace {

constexpr auto kLastSuccess = past_event(
    gauge("pg_integrity_backup_last_success_timestamp_seconds",
          "Time of the newest successful backup of a kind, Unix time.", "source", "kind"));
constexpr auto kMaxAge =
    gauge("pg_integrity_backup_max_age_seconds",
          "Objective of backup_age_seconds: schedule plus grace.", "source", "kind");
constexpr auto kAge = age("pg_integrity_backup_age_seconds",
                          "Seconds since the newest known successful backup of a kind.",
                          at_most(kMaxAge), "source", "kind");
constexpr auto kSize =
    past_event(gauge("pg_integrity_backup_last_size_bytes",
                     "Size of the newest successful backup of a kind.", "source", "kind"));
constexpr auto kMissedRuns =
    past_event(gauge("pg_integrity_backup_missed_runs",
                     "Scheduled runs since the newest success that did not leave one.", must_be(0),
                     "source", "kind"));
constexpr auto kInfo = past_event(
    gauge("pg_integrity_backup_info",
          "Always 1; says where the newest backup's time was taken from: table, header, name "
          "or mtime.",
          "source", "kind", "time_source"));
constexpr auto kBackups = gauge("pg_integrity_backups", "Backups on record, by kind and status.",
                                "source", "kind", "status");
constexpr auto kUnrecognised =
    gauge("pg_integrity_backup_unrecognised_rows",
          "Rows of the history table that are of no declared and no ignored kind.", "source");
constexpr auto kRetentionMin = gauge("pg_integrity_backup_retention_min_seconds",
                                     "Objective of backup_retention_seconds.", "source");
constexpr auto kRetention = past_event(gauge(
    "pg_integrity_backup_retention_seconds",
    "Age of the oldest successful backup that is still there.", at_least(kRetentionMin), "source"));
constexpr auto kOldest = past_event(
    gauge("pg_integrity_backup_oldest_timestamp_seconds",
          "Time of the oldest successful backup that is still there, Unix time.", "source"));

constexpr const MetricInfo* kMetrics[] = {&kLastSuccess, &kAge,          &kMaxAge,  &kSize,
                                          &kMissedRuns,  &kInfo,         &kBackups, &kUnrecognised,
                                          &kRetention,   &kRetentionMin, &kOldest};

constexpr std::string_view kIdentity[] = {"source", "kind"};

constexpr Option kTableOptions[] = {
    {.name = "schema", .fallback = "public", .help = "schema of the history table"},
    {.name = "table", .help = "the history table", .required = true},
    {.name = "time", .help = "column: when the backup was made", .required = true},
    {.name = "kind", .help = "column: which kind it is", .required = true},
    {.name = "status", .help = "column: how it ended; without it every row is a success"},
    {.name = "success", .type = OptionType::texts, .help = "statuses that mean success"},
    {.name = "failed", .type = OptionType::texts, .help = "statuses that mean failure"},
    {.name = "running", .type = OptionType::texts, .help = "statuses that mean not finished yet"},
    {.name = "zone",
     .type = OptionType::zone,
     .help = "IANA zone of the time column, if it has none of its own"}};

constexpr Option kKindOptions[] = {
    {.name = "values",
     .type = OptionType::texts,
     .help = "history table: texts that mean this kind"},
    {.name = "pattern", .help = "directory: glob over the names of this kind's files"},
    {.name = "every",
     .type = OptionType::duration,
     .help = "the schedule; without it this kind is observed, not judged",
     .min = 60},
    {.name = "grace",
     .type = OptionType::duration,
     .help = "how late a backup may be; default: a quarter of `every`"}};

constexpr Option kSourceOptions[] = {
    {.name = "name", .help = "label `source`; unique in the server", .required = true},
    {.name = "table",
     .type = OptionType::record,
     .help = "a table that lists the backups",
     .members = kTableOptions},
    {.name = "directory", .help = "a directory that holds pg_dump archives"},
    {.name = "pattern", .fallback = "*", .help = "directory without `kinds`: glob over file names"},
    {.name = "kinds",
     .type = OptionType::named_records,
     .help = "the kinds of backup; a directory may do without: its one kind is `dump`",
     .members = kKindOptions},
    {.name = "every",
     .type = OptionType::duration,
     .help = "directory without `kinds`: the schedule",
     .min = 60},
    {.name = "grace",
     .type = OptionType::duration,
     .help = "directory without `kinds`: how late a backup may be; default: a quarter of `every`"},
    {.name = "ignore",
     .type = OptionType::texts,
     .help = "history table: texts of the kind column that are no backups"},
    {.name = "retention",
     .type = OptionType::duration,
     .help = "how far back the copies must reach"},
    {.name = "min_size",
     .type = OptionType::size,
     .fallback = "1kB",
     .help = "directory: a smaller file is no backup"},
    {.name = "settle",
     .type = OptionType::duration,
     .fallback = "2m",
     .help = "directory: a file changed within this time is still being written"},
    {.name = "zone",
     .type = OptionType::zone,
     .fallback = "UTC",
     .help = "directory: IANA zone of times in archive headers and file names"}};

constexpr Option kOptions[] = {{.name = "backups",
                                .type = OptionType::records,
                                .help = "where backups are recorded",
                                .members = kSourceOptions,
                                .home = OptionHome::server}};

struct Source {
  std::string name;
  std::vector<BackupKind> kinds;
  std::optional<HistoryTable> table;
  std::optional<ArchiveDirectory> directory;
  std::optional<Seconds> retention;
};

BackupKind kind_from(const Settings& settings, const std::string& name) {
  BackupKind kind{name,
                  settings.texts("values"),
                  settings.text_or_empty("pattern"),
                  settings.maybe_duration("every"),
                  {}};
  if (kind.every) kind.grace = settings.maybe_duration("grace").value_or(*kind.every / 4);
  return kind;
}

Source source_from(const Settings& settings) {
  Source source;
  source.name = settings.text("name");
  source.retention = settings.maybe_duration("retention");
  for (const Settings& kind : settings.records("kinds"))
    source.kinds.push_back(kind_from(kind, kind.name()));
  if (const Settings* table = settings.record("table")) {
    source.table = HistoryTable{{table->text("schema"), table->text("table")},
                                table->text("time"),
                                table->text("kind"),
                                table->text_or_empty("status"),
                                table->texts("success"),
                                table->texts("failed"),
                                table->texts("running"),
                                settings.texts("ignore"),
                                table->text_or_empty("zone")};
  } else {
    source.directory = ArchiveDirectory{settings.text("directory"), settings.number("min_size"),
                                        settings.duration("settle"), settings.text("zone")};
    if (source.kinds.empty()) source.kinds.push_back(kind_from(settings, "dump"));
  }
  return source;
}

class Backups final : public Collector {
 public:
  explicit Backups(const Settings& settings) {
    for (const Settings& record : settings.records("backups"))
      sources_.push_back(source_from(record));
    std::sort(sources_.begin(), sources_.end(),
              [](const Source& a, const Source& b) { return key_of(a) < key_of(b); });
  }

  void declare(Batch& out) const override {
    for (const Source& source : sources_) {
      for (const BackupKind& kind : source.kinds)
        if (kind.every)
          out.set(kMaxAge, (*kind.every + kind.grace).count(), source.name, kind.name);
      if (source.retention) out.set(kRetentionMin, source.retention->count(), source.name);
    }
  }

  Progress collect(Sources& from, Batch& out) override {
    return Walk(from, Walk::Pace::singly)
        .each("sources", sources_, key_of,
              [&](const Source& source) { look_at(from, source, out); });
  }

 private:
  /// Directories first: they can be read while the database is down, which is when they matter
  /// most.
  static std::string key_of(const Source& source) {
    return walk_key(std::string(source.directory ? "directory" : "table"), source.name);
  }

  void look_at(Sources& from, const Source& source, Batch& out) {
    try {
      const BackupHistory history =
          source.directory
              ? archives_.read(from.files(), from.clock(), *source.directory, source.kinds)
              : read_history_table(from.session(), *from.schema(), *source.table, source.kinds);
      for (const BackupKind& kind : source.kinds)
        report_kind(source, kind, history.kinds.at(kind.name), out);
      if (source.table) out.set(kUnrecognised, history.unrecognised, source.name);
      if (source.retention) report_retention(from, source, history, out);
    } catch (const SourceError& error) {
      if (error.session_lost()) throw;
      for (const BackupKind& kind : source.kinds)
        out.unproven(kLastSuccess, error.reason(), error.what(), source.name, kind.name);
      if (source.retention) out.unproven(kRetention, error.reason(), error.what(), source.name);
    }
  }

  static void report_kind(const Source& source, const BackupKind& kind, const KindHistory& history,
                          Batch& out) {
    for (std::size_t i = 0; i < kBackupStatusNames.size(); ++i)
      out.set(kBackups, history.runs[i], source.name, kind.name,
              std::string(kBackupStatusNames[i]));
    if (history.from_the_future > 0)
      out.unproven(kLastSuccess, Reason::clock,
                   "backups on record that lie in the future. HINT: check the clocks and `zone`",
                   source.name, kind.name);
    if (!history.newest) {
      if (kind.every)
        out.unproven(kLastSuccess, Reason::missing,
                     "no successful backup of this kind is on record", source.name, kind.name);
      return;
    }
    const NewestBackup& newest = *history.newest;
    out.set(kLastSuccess, newest.time, source.name, kind.name);
    out.set_age(kAge, newest.age, source.name, kind.name);
    if (newest.size) out.set(kSize, *newest.size, source.name, kind.name);
    out.set(kInfo, 1, source.name, kind.name, newest.time_source);
    if (kind.every)
      out.set(kMissedRuns, std::max(0.0, std::floor((newest.age - kind.grace) / *kind.every)),
              source.name, kind.name);
  }

  /// While a history shorter than the objective grows, nothing is known; when an old copy went
  /// before its time, the objective is missed until the history is long enough again.
  static void report_retention(Sources& from, const Source& source, const BackupHistory& history,
                               Batch& out) {
    std::optional<Seconds> oldest;
    for (const auto& [name, kind] : history.kinds)
      if (kind.oldest_age && (!oldest || *kind.oldest_age > *oldest)) oldest = kind.oldest_age;
    if (!oldest) {
      out.unproven(kRetention, Reason::missing, "no successful backup is on record", source.name);
      return;
    }
    constexpr double kTolerance = 60;  // seconds that two looks at the same copy may differ by
    const UnixTime began = from.clock().unix_now() - oldest->count();
    const auto before = from.previous(kOldest, std::array<std::string, 1>{source.name});
    out.set(kOldest, began, source.name);
    if (*oldest >= *source.retention || (before && began > before->value + kTolerance))
      out.set(kRetention, oldest->count(), source.name);
    else
      out.unproven(kRetention, Reason::pending,
                   "the copies reach back " + format_duration(*oldest) + " of " +
                       format_duration(*source.retention),
                   source.name);
  }

  std::vector<Source> sources_;
  ArchiveReader archives_;
};

void check_source(const Settings& source, Problems& problems) {
  const std::string name = "backup source \"" + source.text("name") + "\"";
  const bool table = source.record("table") != nullptr;
  if (table == source.has("directory"))
    problems.add(source.place(), name + " needs one of `table` and `directory`");
  if (table && source.records("kinds").empty())
    problems.add(source.place(), name + " declares no kinds",
                 "say which texts of the kind column mean what:"
                 " kinds = { auto = { values = [\"Auto\"], every = \"24h\" } }");
  if (!source.records("kinds").empty() && (source.has("every") || source.has("grace")))
    problems.add(source.place(source.has("every") ? "every" : "grace"),
                 name + " has kinds: each of them has a schedule of its own",
                 "move `every` and `grace` into the kinds");
  for (const Settings& kind : source.records("kinds"))
    if (!kind.has(table ? "values" : "pattern"))
      problems.add(kind.place(),
                   "kind \"" + kind.name() + "\" needs `" + (table ? "values" : "pattern") + "`");
  const Settings* history = source.record("table");
  if (history != nullptr && history->has("status") && history->texts("success").empty())
    problems.add(history->place("status"), name + " has a status column and no `success`",
                 "list the texts that mean success: success = [\"success\"]");
}

void check(const Settings& settings, Problems& problems) {
  for (const Settings& source : settings.records("backups")) check_source(source, problems);
}

std::unique_ptr<Collector> make(const Settings& settings, ScanPlan& /*plan*/) {
  return std::make_unique<Backups>(settings);
}

}  // namespace

extern const CollectorSpec kBackupsSpec;
constexpr CollectorSpec kBackupsSpec{
    .name = "backups",
    .summary = "age, missed runs and retention of backups, by source and kind",
    .report_section = "Backups",
    .question = Question::recoverable,
    .lane = Lane::quick,
    .scope = Scope::server,
    .depends_on = DependsOn::tables | DependsOn::time | DependsOn::outside,
    .interval = "1m",
    .deadline = "20s",
    .metrics = kMetrics,
    .identity = kIdentity,
    .options = kOptions,
    .needs = "backups",
    .needs_hint = "say where backups are recorded: [[server.backups]]",
    .check = check,
    .make = make};

}  // namespace pg_integrity
