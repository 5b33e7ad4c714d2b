#include "collectors/recovery/backup_catalogue.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/json_value.h"
#include "collectors/options/backups.h"
#include "collectors/options/proof_level.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/files.h"
#include "collectors/ports/json.h"
#include "collectors/ports/processes.h"
#include "collectors/recovery/archive_header.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kMaxCatalogue = std::size_t{16} << 20;
constexpr double kAheadAtMost = 60;  // seconds that a clock may be ahead of ours

/// A number, or a text that is one. Barman writes both.
std::optional<double> number_of(const JsonValue& object, std::string_view name) {
  const JsonValue* member = object.find(name);
  if (member == nullptr) return std::nullopt;
  const auto* text = std::get_if<std::string>(&member->value);
  if (text == nullptr) return member->number();
  char* end = nullptr;
  const double number = std::strtod(text->c_str(), &end);
  const bool whole = end != text->c_str() && *end == '\0';
  return whole && std::isfinite(number) ? std::optional(number) : std::nullopt;
}

void count(KindHistory& kind, BackupStatus status) {
  ++kind.runs[static_cast<std::size_t>(status)];
}

/// Adds a backup that its program calls finished.
void add_finished(KindHistory& kind, UnixTime now, UnixTime start, UnixTime stop,
                  std::optional<double> size) {
  count(kind, BackupStatus::success);
  if (start > now + kAheadAtMost || stop > now + kAheadAtMost) {
    ++kind.from_the_future;
    return;
  }
  kind.add(
      {start, Seconds(now - start), size, "catalogue", ProofLevel::on_record, Seconds(now - stop)},
      ProofLevel::on_record);
}

/// Whether the archive that belongs to a backup holds its WAL from its start to its stop. WAL
/// segments sort by name in the order in which they are written.
bool has_its_wal(const JsonValue& archives, const JsonValue& backup) {
  const JsonValue& wanted = backup.at("archive");
  const JsonValue& of = backup.at("database");
  return std::any_of(
      archives.elements().begin(), archives.elements().end(), [&](const JsonValue& archive) {
        const JsonValue& database = archive.at("database");
        const auto same = [&](const char* name) {
          return database.maybe_number(name) == of.maybe_number(name);
        };
        const std::string min = archive.text_or_empty("min");
        return same("id") && same("repo-key") && !min.empty() && min <= wanted.at("start").text() &&
               archive.text_or_empty("max") >= wanted.at("stop").text();
      });
}

/// The bytes that the backup added to the repository.
std::optional<double> size_of(const JsonValue& backup) {
  const JsonValue& repository = backup.at("info").at("repository");
  const auto delta = repository.maybe_number("delta");
  return delta ? delta : repository.maybe_number("size");
}

/// The stanza of that name. Without a name, the only one.
const JsonValue& stanza_of(const JsonValue& document, const std::string& name) {
  const JsonValue::Elements& stanzas = document.elements();
  const auto found = std::find_if(stanzas.begin(), stanzas.end(), [&](const JsonValue& one) {
    return name.empty() ? stanzas.size() == 1 : one.at("name").text() == name;
  });
  if (found == stanzas.end())
    throw SourceError(Reason::missing,
                      "the catalogue has no such stanza, or several. HINT: name it"
                      " by `stanza`");
  return *found;
}

/// Status codes of a stanza, and of a stanza in one repository. See pgBackRest's
/// command/info/info.c.
enum class StanzaStatus : std::uint8_t {
  ok = 0,
  missing_path = 1,
  no_backups = 2,
  missing_data = 3,
  mixed = 4,
  other_database = 5,
  other = 99,
};

/// Why a status keeps backups from being known, in pgBackRest's own words.
std::optional<SourceError> trouble_of(const JsonValue& status) {
  const std::string words = "pgBackRest says: " + status.text_or_empty("message");
  switch (static_cast<StanzaStatus>(static_cast<int>(status.at("code").number()))) {
    case StanzaStatus::ok:
    case StanzaStatus::no_backups:
    case StanzaStatus::mixed:
      return std::nullopt;
    case StanzaStatus::missing_path:
    case StanzaStatus::missing_data:
      return SourceError(Reason::missing, words + ". HINT: pgbackrest stanza-create");
    case StanzaStatus::other_database:
      return SourceError(Reason::config, words + ". HINT: pgbackrest stanza-upgrade");
    case StanzaStatus::other:
      break;
  }
  return SourceError(Reason::io, words);
}

std::string name_of_repository(double key) {
  return "repository " + std::to_string(static_cast<int>(key));
}

/// Adds a backup to the histories of its source and, if there are several, of its repository.
void add_pgbackrest(const JsonValue& stanza, const JsonValue& backup, UnixTime now,
                    std::map<std::string, KindHistory>& kinds) {
  KindHistory& kind = kinds.at(backup.at("type").text());
  const JsonValue* damaged_pages = backup.find("error");
  const JsonValue& timestamp = backup.at("timestamp");
  if (damaged_pages != nullptr && damaged_pages->flag())
    count(kind, BackupStatus::failed);
  else if (!has_its_wal(stanza.at("archive"), backup))
    count(kind, BackupStatus::other);
  else
    add_finished(kind, now, timestamp.at("start").number(), timestamp.at("stop").number(),
                 size_of(backup));
}

BackupHistory read_pgbackrest(const JsonValue& document, UnixTime now,
                              const BackupCatalogue& catalogue,
                              const std::vector<BackupKind>& kinds) {
  const JsonValue& stanza = stanza_of(document, catalogue.name);
  if (const auto trouble = trouble_of(stanza.at("status"))) throw *trouble;
  BackupHistory found = empty_history(kinds);
  const std::optional<double>& only = catalogue.repository;
  std::size_t repositories = 0;
  if (const JsonValue* listed = stanza.find("repo"); listed != nullptr)  // since pgBackRest 2.32
    for (const JsonValue& one : listed->elements()) {
      const double key = one.at("key").number();
      if (only && key != *only) continue;
      ++repositories;
      found.repositories[name_of_repository(key)] = {found.kinds, trouble_of(one.at("status"))};
    }
  if (only && repositories == 0)
    throw SourceError(Reason::missing, "pgBackRest has no " + name_of_repository(*only));
  for (const JsonValue& backup : stanza.at("backup").elements()) {
    const double key = backup.at("database").maybe_number("repo-key").value_or(1);
    if (only && key != *only) continue;
    if (!found.kinds.contains(backup.at("type").text())) {
      ++found.unrecognised;
      continue;
    }
    add_pgbackrest(stanza, backup, now, found.kinds);
    if (const auto in = found.repositories.find(name_of_repository(key));
        in != found.repositories.end())
      add_pgbackrest(stanza, backup, now, in->second.kinds);
  }
  if (repositories == 1) {
    if (const auto trouble = found.repositories.begin()->second.trouble) throw *trouble;
    found.repositories.clear();
  }
  return found;
}

BackupStatus barman_status(const std::string& status) {
  if (status == "DONE") return BackupStatus::success;
  if (status == "FAILED") return BackupStatus::failed;
  const bool running = status == "STARTED" || status == "EMPTY" || status == "SYNCING" ||
                       status == "WAITING_FOR_WALS";
  return running ? BackupStatus::running : BackupStatus::other;
}

/// @param running the time since the backup began.
BackupStatus running_or_stuck(const std::vector<BackupKind>& kinds, const std::string& kind,
                              Seconds running) {
  const bool stuck = std::any_of(kinds.begin(), kinds.end(), [&](const BackupKind& one) {
    return one.name == kind && running > one.stuck_after;
  });
  return stuck ? BackupStatus::stuck : BackupStatus::running;
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

BackupHistory read_barman(const JsonValue& document, const Clock& clock,
                          const BackupCatalogue& catalogue, const std::vector<BackupKind>& kinds) {
  BackupHistory found = empty_history(kinds);
  for (const JsonValue& backup : server_of(document, catalogue.name).elements()) {
    const bool incremental = backup.text_or_empty("backup_type") == "incremental";
    const std::string name = incremental ? "incr" : "full";
    KindHistory& kind = found.kinds[name];
    const BackupStatus status = barman_status(backup.at("status").text());
    const auto start = name_time(backup.at("backup_id").text(), clock, catalogue.zone);
    if (!start)
      ++found.unrecognised;
    else if (status == BackupStatus::running)
      count(kind, running_or_stuck(kinds, name, Seconds(clock.unix_now() - start->earliest)));
    else if (status != BackupStatus::success)
      count(kind, status);
    else
      add_finished(kind, clock.unix_now(), start->earliest,
                   number_of(backup, "end_time_timestamp").value_or(start->earliest),
                   number_of(backup, "size_bytes"));
  }
  return found;
}

}  // namespace

CatalogueFile read_catalogue_file(Files& files, const BackupCatalogue& catalogue) {
  FileEnds ends = files.ends(catalogue.file, kMaxCatalogue + 1, 0);
  if (ends.head.size() > kMaxCatalogue)
    throw SourceError(Reason::too_large, catalogue.file + " is larger than a catalogue");
  return {std::move(ends.head), Seconds(std::max(0.0, ends.file.read_at - ends.file.modified))};
}

const std::string& CatalogueProgram::ask(Processes& processes, const Clock& clock,
                                         const BackupCatalogue& catalogue) {
  const Instant now = clock.now();
  if (answer_ && now - asked_at_ < catalogue.refresh) return *answer_;
  answer_.reset();
  answer_ = processes.output({catalogue.command, catalogue.timeout, kMaxCatalogue});
  asked_at_ = now;
  return *answer_;
}

BackupHistory read_catalogue(const Json& json, const Clock& clock, const BackupCatalogue& catalogue,
                             const std::string& text, const std::vector<BackupKind>& kinds) {
  const JsonValue document = json.read(text);
  return catalogue.format == CatalogueFormat::pgbackrest
             ? read_pgbackrest(document, clock.unix_now(), catalogue, kinds)
             : read_barman(document, clock, catalogue, kinds);
}

}  // namespace pg_integrity
