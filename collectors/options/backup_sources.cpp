#include "collectors/options/backup_sources.h"

#include <algorithm>

#include "collectors/base/bucket.h"
#include "collectors/base/instant.h"
#include "collectors/base/json_pointer.h"
#include "collectors/base/settings.h"
#include "collectors/base/url.h"
#include "collectors/options/backup_schedule.h"
#include "collectors/options/proof_level.h"

namespace pg_integrity {

std::optional<CatalogueFormat> catalogue_format(const Settings& source) {
  if (source.record("pgbackrest") != nullptr) return CatalogueFormat::pgbackrest;
  if (source.record("barman") != nullptr) return CatalogueFormat::barman;
  if (source.record("catalogue") != nullptr) return CatalogueFormat::pointers;
  return std::nullopt;
}

std::string_view option_of(CatalogueFormat format) {
  switch (format) {
    case CatalogueFormat::pgbackrest:
      return "pgbackrest";
    case CatalogueFormat::barman:
      return "barman";
    case CatalogueFormat::pointers:
      break;
  }
  return "catalogue";
}

std::vector<BackupKind> catalogue_kinds(CatalogueFormat format) {
  if (format == CatalogueFormat::pointers) return {};
  const BackupKind full{"full", {}, {}};
  if (format == CatalogueFormat::barman) return {full, {"incr", {}, {}, {}, {"full"}}};
  return {full, {"diff", {}, {}, {}, {"full"}}, {"incr", {}, {}, {}, {"full", "diff"}}};
}

namespace {

// The defaults of `s3`. A listing of 10,000 objects is 10 requests: 2,880 a day.
constexpr Seconds kBucketTimeout{10};
constexpr Seconds kBucketRefresh{300};
constexpr double kBucketRequests = 20000;
constexpr double kBucketBytes = 1e9;
constexpr std::size_t kMaxBucketEntries = 100000;

/// @param zone the zone of the source.
BackupSchedule schedule_from(const Settings& settings, const std::string& zone) {
  BackupSchedule schedule{settings.maybe_duration("every"), {}, zone};
  for (const std::string& text : settings.texts("at"))
    if (const auto anchor = parse_anchor(text)) schedule.anchors.push_back(*anchor);
  if (schedule.promised())
    schedule.grace = settings.maybe_duration("grace").value_or(schedule.shortest_gap() / 4);
  return schedule;
}

BackupKind kind_from(const Settings& settings, const std::string& name, const std::string& zone) {
  BackupKind kind{name, settings.texts("values"), settings.text_or_empty("pattern"),
                  schedule_from(settings, zone), settings.texts("satisfied_by")};
  if (kind.schedule.promised())
    kind.stuck_after = kind.schedule.longest_gap() + kind.schedule.grace;
  if (const auto configured = settings.maybe_duration("stuck_after"))
    kind.stuck_after = *configured;
  return kind;
}

/// Parses one of the kinds that the source declares.
BackupKind kind_of(const Settings& settings, const Settings& source) {
  const std::string zone = settings.text_or_empty("zone");
  return kind_from(settings, settings.name(), zone.empty() ? source.text("zone") : zone);
}

/// The program's own kinds, with the configured schedules.
std::vector<BackupKind> scheduled_kinds(const Settings& settings, CatalogueFormat format) {
  std::vector<BackupKind> kinds = catalogue_kinds(format);
  for (BackupKind& kind : kinds)
    for (const Settings& record : settings.records("kinds"))
      if (record.name() == kind.name) {
        const BackupKind configured = kind_of(record, settings);
        kind.schedule = configured.schedule;
        kind.stuck_after = configured.stuck_after;
      }
  return kinds;
}

std::optional<JsonPointer> pointer_in(const Settings& record, const char* option) {
  return record.has(option) ? parse_json_pointer(record.text(option)) : std::nullopt;
}

CataloguePointers pointers_from(const Settings& record, const Settings& source) {
  CataloguePointers at;
  at.list = parse_json_pointer(record.text_or_empty("list")).value_or(JsonPointer{});
  at.time = pointer_in(record, "time").value_or(JsonPointer{});
  at.finished = pointer_in(record, "finished");
  at.kind = pointer_in(record, "kind");
  at.status = pointer_in(record, "status");
  at.name = pointer_in(record, "label");
  at.size = pointer_in(record, "size");
  at.success = record.texts("success");
  at.failed = record.texts("failed");
  at.running = record.texts("running");
  at.ignore = source.texts("ignore");
  at.size_unit = record.maybe_number("size_unit").value_or(1);
  return at;
}

/// The name under which the program knows what it backs up. Empty: the only one.
std::string name_in_catalogue(const Settings& record, CatalogueFormat format) {
  if (format == CatalogueFormat::pointers) return {};
  return record.text_or_empty(format == CatalogueFormat::pgbackrest ? "stanza" : "server");
}

BackupCatalogue catalogue_from(const Settings& settings, CatalogueFormat format) {
  const bool pgbackrest = format == CatalogueFormat::pgbackrest;
  const bool pointers = format == CatalogueFormat::pointers;
  const Settings& record = *settings.record(option_of(format));
  return {format,
          record.text_or_empty("file"),
          name_in_catalogue(record, format),
          record.maybe_duration("max_age").value_or(Seconds(2 * 3600)),
          settings.text("zone"),
          record.texts("command"),
          record.maybe_duration("timeout").value_or(Seconds(15)),
          record.maybe_duration("refresh").value_or(Seconds(300)),
          pgbackrest ? record.maybe_number("repository") : std::nullopt,
          pointers ? std::vector<std::string>{} : record.texts("drill_command"),
          pointers ? std::optional(pointers_from(record, settings)) : std::nullopt};
}

/// How the archives of a directory or a bucket are judged.
/// @param path of the directory or the bucket.
ArchiveDirectory archives_from(const Settings& settings, const std::string& path) {
  const ProofLevel usable = proof_level(
      static_cast<int>(settings.maybe_number("usable").value_or(number_of(ProofLevel::plausible))));
  ArchiveDirectory archives{path,
                            settings.number("min_size"),
                            settings.duration("settle"),
                            settings.text("zone"),
                            usable,
                            settings.text_or_empty("database"),
                            settings.text_or_empty("wal_archive"),
                            settings.has("encrypted") && settings.flag("encrypted")};
  if (settings.has("proof")) archives.proof = settings.flag("proof");
  return archives;
}

ArchiveBucket bucket_from(const Settings& settings) {
  Bucket bucket = parse_bucket(settings.text("bucket")).value_or(Bucket{});
  bucket.source = settings.text("name");
  const Settings* given = settings.record("s3");
  const auto duration = [&](std::string_view option, Seconds usual) {
    return given == nullptr ? usual : given->maybe_duration(option).value_or(usual);
  };
  const auto number = [&](std::string_view option, double usual) {
    return given == nullptr ? usual : given->maybe_number(option).value_or(usual);
  };
  bucket.timeout = duration("timeout", kBucketTimeout);
  bucket.refresh = duration("refresh", kBucketRefresh);
  bucket.requests_max = number("requests_per_day", kBucketRequests);
  bucket.bytes_max = number("bytes_per_day", kBucketBytes);
  if (given != nullptr) {
    bucket.endpoint = parse_url(given->text_or_empty("endpoint"));
    bucket.region = given->text_or_empty("region");
    if (given->has("path_style")) bucket.path_style = given->flag("path_style");
    bucket.ca_file = given->text_or_empty("ca_file");
    bucket.credentials_file = given->text_or_empty("credentials_file");
    bucket.profile = given->text_or_empty("profile");
  }
  ArchiveDirectory archives = archives_from(settings, bucket.text());
  archives.max_entries = kMaxBucketEntries;
  return {std::move(bucket), std::move(archives)};
}

BackupSource source_from(const Settings& settings) {
  BackupSource source;
  source.name = settings.text("name");
  source.retention = settings.maybe_duration("retention");
  source.size_ratio_min = settings.maybe_number("size_ratio_min");
  source.continuous = settings.flag("continuous");
  source.room_min = settings.maybe_number("room_min");
  source.location = settings.has("location") ? settings.text("location") : source.name;
  source.copy_of = settings.text_or_empty("copy_of");
  source.locations_min = settings.maybe_number("locations_min");
  source.leaves_out = settings.texts("leaves_out");
  source.proof_max_age = settings.maybe_duration("proof_max_age");
  if (const auto format = catalogue_format(settings)) {
    source.catalogue = catalogue_from(settings, *format);
    source.kinds = scheduled_kinds(settings, *format);
    if (*format != CatalogueFormat::pointers) return source;
  }
  for (const Settings& kind : settings.records("kinds"))
    source.kinds.push_back(kind_of(kind, settings));
  if (source.catalogue) {
    if (source.kinds.empty())
      source.kinds.push_back(kind_from(settings, "full", settings.text("zone")));
    return source;
  }
  if (const Settings* table = settings.record("table")) {
    source.table = HistoryTable{{table->text("schema"), table->text("table")},
                                table->text("time"),
                                table->text("kind"),
                                table->text_or_empty("status"),
                                table->texts("success"),
                                table->texts("failed"),
                                table->texts("running"),
                                settings.texts("ignore"),
                                table->text_or_empty("zone"),
                                table->text_or_empty("finished")};
  } else {
    if (settings.has("bucket"))
      source.bucket = bucket_from(settings);
    else
      source.directory = archives_from(settings, settings.text_or_empty("directory"));
    if (source.kinds.empty())
      source.kinds.push_back(kind_from(settings, "dump", settings.text("zone")));
  }
  return source;
}

}  // namespace

std::vector<BackupSource> backup_sources_from(const Settings& server) {
  std::vector<BackupSource> sources;
  for (const Settings& record : server.records("backups")) {
    sources.push_back(source_from(record));
    const bool proofs = server.record("drills") != nullptr;
    if (auto& directory = sources.back().directory; directory && proofs && !record.has("usable"))
      directory->usable = ProofLevel::contents;
  }
  return sources;
}

}  // namespace pg_integrity
