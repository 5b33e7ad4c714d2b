#include "collectors/recovery/catalogue_formats.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "collectors/base/errors.h"
#include "collectors/recovery/archive_header.h"
#include "collectors/recovery/catalogued_backup.h"

namespace pg_integrity {

namespace {

/// A number, or a text that is one. Barman writes both.
std::optional<double> number_in(const JsonValue& object, std::string_view name) {
  const JsonValue* member = object.find(name);
  if (member == nullptr) return std::nullopt;
  const auto* text = std::get_if<std::string>(&member->value);
  if (text == nullptr) return member->number();
  char* end = nullptr;
  const double number = std::strtod(text->c_str(), &end);
  const bool whole = end != text->c_str() && *end == '\0';
  return whole && std::isfinite(number) ? std::optional(number) : std::nullopt;
}

BackupStatus barman_status(const std::string& status) {
  if (status == "DONE") return BackupStatus::success;
  if (status == "FAILED") return BackupStatus::failed;
  const bool running = status == "STARTED" || status == "EMPTY" || status == "SYNCING" ||
                       status == "WAITING_FOR_WALS";
  return running ? BackupStatus::running : BackupStatus::other;
}

const JsonValue& server_of(const JsonValue& document, const std::string& name) {
  const JsonValue::Members& servers = document.members();
  if (name.empty() && servers.size() == 1) {
    const auto& [key, backups] = servers.front();
    return backups;
  }
  const JsonValue* found = name.empty() ? nullptr : document.find(name);
  if (found == nullptr)
    throw SourceError(Reason::missing,
                      "the catalogue has no such server, or several. HINT: name it"
                      " by `server`");
  return *found;
}

CataloguedBackup barman_backup(const JsonValue& backup, const CatalogueReading& reading) {
  const bool incremental = backup.text_or_empty("backup_type") == "incremental";
  const std::string& status = backup.at("status").text();
  CataloguedBackup found{backup.at("backup_id").text(), incremental ? "incr" : "full",
                         barman_status(status)};
  if (found.status != BackupStatus::success) found.why = "Barman says: " + status;
  if (const auto start = name_time(found.name, reading.clock, reading.catalogue.zone))
    found.start = start->earliest;
  if (found.start && found.status == BackupStatus::running)
    found.status = running_or_stuck(reading.kinds, found.kind,
                                    Seconds(reading.clock.unix_now() - *found.start));
  found.stop = number_in(backup, "end_time_timestamp");
  found.size = number_in(backup, "size_bytes");
  return found;
}

}  // namespace

BackupHistory read_barman(const JsonValue& document, const CatalogueReading& reading) {
  BackupHistory found = empty_history(reading.kinds);
  for (const JsonValue& backup : server_of(document, reading.catalogue.name).elements()) {
    const CataloguedBackup one = barman_backup(backup, reading);
    if (one.start)
      add_to(found.kinds, one, reading.clock.unix_now(), reading.list);
    else
      ++found.unrecognised;
  }
  return found;
}

}  // namespace pg_integrity
