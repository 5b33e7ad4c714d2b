#include "exporter/report/report_causes.h"
#include "exporter/evidence/spoken.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "collectors/base/errors.h"
#include "exporter/evidence/verdict.h"
#include "exporter/report/printable.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kMostNamed = 3;
constexpr std::string_view kHint = "HINT: ";

/// "a", "a and b", "a, b and c"
std::string joined(const std::vector<std::string>& texts) {
  std::string text;
  for (std::size_t i = 0; i < texts.size(); ++i)
    text += (i == 0 ? "" : i + 1 == texts.size() ? " and " : ", ") + texts[i];
  return text;
}

/// "a, b, c and 4 more"
std::string first_of(std::vector<std::string> names) {
  if (names.size() > kMostNamed) {
    const std::size_t more = names.size() - kMostNamed;
    names.resize(kMostNamed);
    names.push_back(grouped(more) + " more");
  }
  return joined(names);
}

/// A message in two parts: what it says, and its hint, which may be empty.
std::pair<std::string, std::string> without_hint(const std::string& words) {
  const std::size_t at = words.find(kHint);
  if (at == std::string::npos) return {words, {}};
  const std::string said = words.substr(0, at);
  return {said.substr(0, said.find_last_not_of(" .;") + 1), words.substr(at)};
}

/// What a cause says: what is in the way, and further words.
struct Said {
  std::string title;
  std::string words;
};

std::string databases_text(const std::set<std::string>& databases) {
  const std::vector<std::string> names(databases.begin(), databases.end());
  return names.size() == 1 ? "database " + names.front() : "the databases " + first_of(names);
}

Said of_rights(const Cause& cause, const std::string& place) {
  std::vector<std::string> names;
  for (const Obstacle& obstacle : cause.obstacles) names.push_back(obstacle.relation.display());
  const auto sequences = static_cast<std::size_t>(
      std::count_if(cause.obstacles.begin(), cause.obstacles.end(),
                    [](const Obstacle& obstacle) { return obstacle.is_sequence; }));
  std::vector<std::string> kinds;
  if (names.size() > sequences) kinds.push_back(counted(names.size() - sequences, "table"));
  if (sequences > 0) kinds.push_back(counted(sequences, "sequence"));
  return {fmt::format("the role {} may not read {}{} ({})", cause.obstacles.begin()->role,
                      joined(kinds), place, first_of(names)),
          "HINT: `pg_integrity_exporter grants` prints the rights that it needs"};
}

Said of_relation(const Cause& cause, const std::string& place) {
  const std::string name = cause.obstacles.begin()->relation.display() + place;
  switch (cause.reason) {
    case Reason::lock:
      return {name + " is locked", cause.words};
    case Reason::timeout:
      return {name + " was not read in time", cause.words};
    case Reason::too_large:
      return {name + " is too large", cause.words};
    default:
      const auto [said, hint] = without_hint(cause.words);
      const bool names_it = said.find(cause.obstacles.begin()->relation.display()) < said.size();
      return {names_it && place.empty() ? said : fmt::format("{}: {}", name, said), hint};
  }
}

Said of_words(const Cause& cause, const std::string& place) {
  const auto [said, hint] = without_hint(cause.words);
  return {said + (place.empty() ? "" : " (" + place.substr(4) + ")"), hint};
}

Said said_by(const Cause& cause, bool several_databases) {
  const bool placed = several_databases && !cause.databases.begin()->empty();
  const std::string place = placed ? " of " + databases_text(cause.databases) : "";
  switch (cause.kind) {
    case CauseKind::unreachable:
      return {fmt::format("{} {} out of reach", databases_text(cause.databases),
                          cause.databases.size() == 1 ? "is" : "are"),
              cause.words};
    case CauseKind::rights:
      return of_rights(cause, place);
    case CauseKind::relation:
      return of_relation(cause, place);
    case CauseKind::words:
      break;
  }
  return of_words(cause, place);
}

/// "2 foreign keys and 1 row count are unproven". A cause that names nothing names its objects.
std::string kept_by(const Cause& cause) {
  std::map<std::string_view, std::size_t> kinds;
  std::vector<std::string> names;
  std::vector<std::string> failing;
  for (const auto& [id, stopped] : cause.stops) {
    if (stopped.whole) failing.push_back(id.collector);
    if (!stopped.objects.empty()) kinds[stopped.spec->object_noun] += stopped.objects.size();
    for (const ObjectKey& key : stopped.objects) names.push_back(object_name(*stopped.spec, key));
  }
  const std::size_t objects = names.size();
  std::vector<std::string> parts;
  if (cause.kind == CauseKind::words) {
    if (objects > 0) parts.push_back(first_of(names));
  } else {
    for (const auto& [noun, number] : kinds) parts.push_back(counted(number, noun));
  }
  std::string text;
  if (!failing.empty()) {
    const bool one = failing.size() == 1;
    text = cause.kind == CauseKind::words
               ? (one ? "the collector " : "the collectors ") + first_of(failing)
               : counted(failing.size(), "collector");
    text += one ? " checks nothing" : " check nothing";
  }
  if (parts.empty()) return text;
  if (!text.empty()) text += ", ";
  return fmt::format("{}{} {} {}", text, joined(parts), objects == 1 ? "is" : "are",
                     name_of(cause.state));
}

ReportStopped stopped_entry(const CollectorId& id, const Stopped& stopped) {
  ReportStopped entry{id.database, id.collector, stopped.whole, {}};
  for (const ObjectKey& key : stopped.objects)
    entry.objects.push_back(object_name(*stopped.spec, key));
  return entry;
}

}  // namespace

ServerCauses::ServerCauses(const std::vector<Cause>& all, const std::string& server, bool several)
    : several_(several) {
  for (const Cause& cause : all) {
    if (cause.server != server) continue;
    for (const auto& [id, stopped] : cause.stops) {
      if (stopped.whole) failures_.emplace(id, causes_.size());
      for (const ObjectKey& key : stopped.objects)
        objects_.emplace(std::pair(id, key), causes_.size());
    }
    causes_.push_back(&cause);
  }
}

std::optional<std::size_t> ServerCauses::of(const CollectorId& id, const ObjectKey& key) const {
  const auto found = objects_.find({id, key});
  return found == objects_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::size_t> ServerCauses::of_failure(const CollectorId& id) const {
  const auto found = failures_.find(id);
  return found == failures_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<ReportCause> ServerCauses::entries(const std::string& server,
                                               const Clock& clock) const {
  std::vector<ReportCause> entries;
  for (const Cause* cause : causes_) {
    const auto [title, words] = said_by(*cause, several_);
    ReportCause entry;
    // No object's anchor begins so.
    entry.anchor = fmt::format(".cause.2F{}.2F{}", server, entries.size());
    entry.state = cause->state;
    entry.reason = cause->reason;
    entry.unreachable = cause->kind == CauseKind::unreachable;
    entry.title = title;
    entry.keeps = kept_by(*cause);
    entry.words = words;
    if (cause->since) entry.since = clock.to_unix(*cause->since);
    entry.databases.assign(cause->databases.begin(), cause->databases.end());
    for (const Obstacle& obstacle : cause->obstacles)
      entry.relations.push_back(obstacle.relation.display());
    for (const auto& [id, stopped] : cause->stops)
      entry.stops.push_back(stopped_entry(id, stopped));
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace pg_integrity
