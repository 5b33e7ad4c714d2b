#include <algorithm>
#include <charconv>

#include "collectors/base/errors.h"
#include "collectors/base/glob.h"
#include "collectors/base/json_pointer.h"
#include "collectors/recovery/catalogue_formats.h"
#include "collectors/recovery/catalogue_time.h"
#include "collectors/recovery/catalogued_backup.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kLongestText = 200;

/// The value that a pointer leads to; nullptr if there is none or it is null.
const JsonValue* value_at(const JsonValue& document, const JsonPointer& pointer) {
  const JsonValue* at = &document;
  for (const std::string& step : pointer) {
    const JsonValue* next = nullptr;
    if (const auto* members = std::get_if<JsonValue::Members>(&at->value)) {
      const auto found = std::find_if(members->begin(), members->end(),
                                      [&](const auto& member) { return member.first == step; });
      if (found != members->end()) next = &found->second;
    } else if (const auto* elements = std::get_if<JsonValue::Elements>(&at->value)) {
      std::size_t index = 0;
      const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
      if (error == std::errc() && end == step.data() + step.size() && index < elements->size())
        next = &(*elements)[index];
    }
    if (next == nullptr) return nullptr;
    at = next;
  }
  return std::holds_alternative<std::monostate>(at->value) ? nullptr : at;
}

const JsonValue* value_at(const JsonValue& document, const std::optional<JsonPointer>& pointer) {
  return pointer ? value_at(document, *pointer) : nullptr;
}

/// A text, a whole number or a truth value as text; empty for anything else.
std::string text_at(const JsonValue& document, const std::optional<JsonPointer>& pointer) {
  const JsonValue* value = value_at(document, pointer);
  if (value == nullptr) return {};
  if (const auto* text = std::get_if<std::string>(&value->value))
    return text->substr(0, kLongestText);
  if (const auto* truth = std::get_if<bool>(&value->value)) return *truth ? "true" : "false";
  if (const auto* number = std::get_if<double>(&value->value)) {
    std::string digits = std::to_string(*number);
    return digits.substr(0, digits.find(".000000"));
  }
  return {};
}

bool has_text(const std::vector<std::string>& texts, const std::string& text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

BackupStatus pointed_status(const CataloguePointers& at, const std::string& text) {
  if (!at.status || has_text(at.success, text)) return BackupStatus::success;
  if (has_text(at.failed, text)) return BackupStatus::failed;
  return has_text(at.running, text) ? BackupStatus::running : BackupStatus::other;
}

bool means(const BackupKind& kind, const std::string& text) {
  return has_text(kind.values, text) || (!kind.pattern.empty() && matches_glob(kind.pattern, text));
}

/// The declared kind of a text; nullptr if there is none. Without a pointer there is one alone.
const BackupKind* pointed_kind(const CataloguePointers& at, const std::vector<BackupKind>& kinds,
                               const std::string& text) {
  if (!at.kind) return kinds.empty() ? nullptr : &kinds.front();
  const auto found = std::find_if(kinds.begin(), kinds.end(),
                                  [&](const BackupKind& kind) { return means(kind, text); });
  return found == kinds.end() ? nullptr : &*found;
}

[[noreturn]] void refuse(std::string what, const char* option) {
  what += ". HINT: print what the command prints, and see to `";
  throw SourceError(Reason::decode, what + option + "` of `catalogue`");
}

const JsonValue::Elements& backups_in(const JsonValue& document, const CataloguePointers& at) {
  const JsonValue* list = value_at(document, at.list);
  const auto* elements = list == nullptr ? nullptr : std::get_if<JsonValue::Elements>(&list->value);
  if (elements == nullptr) refuse("the catalogue has no array where `list` leads", "list");
  return *elements;
}

CataloguedBackup pointed_backup(const JsonValue& entry, const BackupKind& kind, std::size_t number,
                                const CatalogueReading& reading) {
  const CataloguePointers& at = *reading.catalogue.pointers;
  const std::string status = text_at(entry, at.status);
  CataloguedBackup backup{text_at(entry, at.name), kind.name, pointed_status(at, status)};
  if (backup.name.empty()) backup.name = "backup " + std::to_string(number);
  if (backup.status != BackupStatus::success)
    backup.why = status.empty() ? "it has no status" : "its status is " + status;
  if (const JsonValue* time = value_at(entry, at.time))
    backup.start = catalogue_time(*time, reading.clock, reading.catalogue.zone);
  if (!backup.start && backup.status == BackupStatus::success)
    refuse("backup " + std::to_string(number) + " of the catalogue has no time that can be read",
           "time");
  if (const JsonValue* time = value_at(entry, at.finished))
    backup.stop = catalogue_time(*time, reading.clock, reading.catalogue.zone);
  if (backup.start && backup.stop) backup.stop = std::max(*backup.start, *backup.stop);
  if (const JsonValue* size = value_at(entry, at.size))
    backup.size = catalogue_size(*size, at.size_unit);
  if (backup.start && backup.status == BackupStatus::running)
    backup.status = running_or_stuck(reading.kinds, kind.name,
                                     Seconds(reading.clock.unix_now() - *backup.start));
  return backup;
}

}  // namespace

BackupHistory read_by_pointers(const JsonValue& document, const CatalogueReading& reading) {
  const CataloguePointers& at = *reading.catalogue.pointers;
  BackupHistory found = empty_history(reading.kinds);
  std::size_t number = 0;
  for (const JsonValue& entry : backups_in(document, at)) {
    ++number;
    if (!std::holds_alternative<JsonValue::Members>(entry.value))
      refuse("entry " + std::to_string(number) + " of the catalogue is no object", "list");
    const std::string text = text_at(entry, at.kind);
    if (const BackupKind* kind = pointed_kind(at, reading.kinds, text))
      add_to(found.kinds, pointed_backup(entry, *kind, number, reading), reading.clock.unix_now(),
             reading.list);
    else if (!has_text(at.ignore, text))
      ++found.unrecognised;
  }
  return found;
}

}  // namespace pg_integrity
