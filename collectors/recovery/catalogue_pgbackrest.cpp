#include "collectors/recovery/catalogue_formats.h"

#include <algorithm>

#include "collectors/base/errors.h"
#include "collectors/recovery/catalogued_backup.h"

namespace pg_integrity {

namespace {

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

CataloguedBackup pgbackrest_backup(const JsonValue& stanza, const JsonValue& backup) {
  const JsonValue& timestamp = backup.at("timestamp");
  CataloguedBackup found{backup.text_or_empty("label"), backup.at("type").text()};
  found.start = timestamp.at("start").number();
  found.stop = timestamp.at("stop").number();
  found.size = size_of(backup);
  const JsonValue* damaged_pages = backup.find("error");
  if (damaged_pages != nullptr && damaged_pages->flag()) {
    found.status = BackupStatus::failed;
    found.why = "it holds damaged pages. HINT: pgbackrest info --set=LABEL names them";
  } else if (!has_its_wal(stanza.at("archive"), backup)) {
    found.status = BackupStatus::other;
    found.why = "its log from start to stop is not in the archive";
  }
  return found;
}

}  // namespace

BackupHistory read_pgbackrest(const JsonValue& document, const CatalogueReading& reading) {
  const BackupCatalogue& catalogue = reading.catalogue;
  const JsonValue& stanza = stanza_of(document, catalogue.name);
  if (const auto trouble = trouble_of(stanza.at("status"))) throw *trouble;
  BackupHistory found = empty_history(reading.kinds);
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
    CataloguedBackup one = pgbackrest_backup(stanza, backup);
    const UnixTime now = reading.clock.unix_now();
    if (const auto in = found.repositories.find(name_of_repository(key));
        in != found.repositories.end()) {
      add_to(in->second.kinds, one, now);
      if (repositories > 1) one.name += " in " + in->first;
    }
    add_to(found.kinds, one, now, reading.list);
  }
  if (repositories == 1) {
    if (const auto trouble = found.repositories.begin()->second.trouble) throw *trouble;
    found.repositories.clear();
  }
  return found;
}

}  // namespace pg_integrity
