#include "exporter/evidence/causes.h"

#include <algorithm>
#include <tuple>

namespace pg_integrity {

namespace {

/// What tells causes apart, in the order of the report.
struct Key {
  std::string server;
  State state{};
  CauseKind kind{};
  std::string database;
  Reason reason{};
  Obstacle obstacle;
  std::string words;
  std::string collector;  ///< empty: it may stop several

  [[nodiscard]] auto parts() const {
    return std::tie(server, state, kind, database, reason, obstacle, words, collector);
  }
  bool operator<(const Key& other) const { return parts() < other.parts(); }
};
static_assert(State::unproven < State::limited);

/// A failed attempt of a collector that tells why a database is out of reach.
const Trouble* lost_session(const CollectorEvidence& evidence) {
  const CollectorHealth& health = evidence.health;
  return !health.success && health.failure && health.failure->session_lost ? &*health.failure
                                                                           : nullptr;
}

/// Whether the reason is one of a single collector, also if another one says it in the same words.
bool concerns_one_collector(Reason reason) {
  return reason == Reason::pending || reason == Reason::not_configured || reason == Reason::gone ||
         reason == Reason::stale || reason == Reason::missing || reason == Reason::not_proved;
}

/// The causes of one server.
class Causes {
 public:
  Causes(const Snapshot& snapshot, const ServerOptions& server)
      : server_(server.name), home_(server.home_database) {
    for (const DatabaseHealth& database : snapshot.databases)
      if (database.server == server_ && database.tried && !database.up)
        note_unreachable(snapshot, database.database);
  }

  void add(const CollectorEvidence& evidence, const std::vector<Unchecked>& unchecked) {
    const CollectorHealth& health = evidence.health;
    const bool fails = !health.success && health.failure;
    if (fails) {
      Cause& cause = cause_of(key_of_failure(evidence), *health.failure);
      stopped(cause, evidence).whole = true;
    }
    for (const Unchecked& one : unchecked) {
      const bool by_failure = fails && (one.reason == Reason::stale || is_cut_off(evidence, one));
      const Trouble trouble = by_failure ? *health.failure : trouble_of(one);
      const Key key = by_failure ? key_of_failure(evidence) : key_of(evidence, one.state, trouble);
      Cause& cause = cause_of(key, trouble);
      stopped(cause, evidence).objects.push_back(*one.key);
    }
  }

  void append_to(std::vector<Cause>& all) {
    for (auto& [key, entry] : causes_) all.push_back(std::move(entry.cause));
  }

 private:
  struct Entry {
    Cause cause;
    Instant newest{};  ///< when the trouble began whose words the cause has
  };

  [[nodiscard]] Key unreachable(const Trouble& trouble) const {
    return {
        server_, State::unproven, CauseKind::unreachable, {}, trouble.reason, {}, trouble.detail,
        {}};
  }

  /// The words are those of the newest failure, of the database's own collectors if there is one.
  void note_unreachable(const Snapshot& snapshot, const std::string& database) {
    const Trouble* newest = nullptr;
    for (const bool own : {true, false}) {
      for (const auto& evidence : snapshot.collectors)
        if (const Trouble* lost = lost_session(*evidence);
            lost != nullptr && evidence->id.server == server_ &&
            evidence->id.database == (own ? database : std::string()) &&
            (newest == nullptr || lost->since > newest->since))
          newest = lost;
      if (newest != nullptr) break;
    }
    const Trouble unknown{Reason::connect, "the newest attempt to talk to it failed"};
    const Trouble& trouble = newest == nullptr ? unknown : *newest;
    unreachable_.emplace(database, trouble);
    cause_of(unreachable(trouble), trouble).databases.insert(database);
  }

  /// Why the database of a collector is out of reach. A collector of the whole server looks through
  /// one of them.
  /// @return nullptr if it is not.
  [[nodiscard]] const Trouble* unreachable_for(const CollectorId& id,
                                               const Trouble& trouble) const {
    if (!id.database.empty()) {
      const auto found = unreachable_.find(id.database);
      return found == unreachable_.end() ? nullptr : &found->second;
    }
    for (const auto& [database, why] : unreachable_)
      if (why.reason == trouble.reason && why.detail == trouble.detail) return &why;
    return unreachable_.empty() ? nullptr : &unreachable_.begin()->second;
  }

  /// While a database is out of reach, nothing else keeps its objects from being proven. What was
  /// in the way before may be so no more. A loss and a missing configuration need no session.
  [[nodiscard]] bool is_cut_off(const CollectorEvidence& evidence, const Unchecked& one) const {
    const Trouble* lost = lost_session(evidence);
    return lost != nullptr && unreachable_for(evidence.id, *lost) != nullptr &&
           one.state == State::unproven && one.reason != Reason::gone &&
           one.reason != Reason::not_configured;
  }

  [[nodiscard]] Key key_of_failure(const CollectorEvidence& evidence) const {
    const Trouble& trouble = *evidence.health.failure;
    if (trouble.session_lost)
      if (const Trouble* why = unreachable_for(evidence.id, trouble)) return unreachable(*why);
    return key_of(evidence, State::unproven, trouble);
  }

  [[nodiscard]] Key key_of(const CollectorEvidence& evidence, State state,
                           const Trouble& trouble) const {
    const CollectorId& id = evidence.id;
    Key key{server_, state, CauseKind::words, id.database, trouble.reason, {}, {}, {}};
    if (trouble.obstacle) {
      // A collector of the whole server reads tables of the home database.
      if (id.database.empty()) key.database = home_;
      const bool lacks_rights = trouble.reason == Reason::permission;
      key.kind = lacks_rights ? CauseKind::rights : CauseKind::relation;
      if (!lacks_rights) key.obstacle = *trouble.obstacle;
      return key;
    }
    key.words = trouble.detail;
    if (concerns_one_collector(trouble.reason)) key.collector = id.collector;
    return key;
  }

  /// Why the object is not proven. An old value has no trouble of its own.
  static Trouble trouble_of(const Unchecked& one) {
    const auto& own = one.object->trouble;
    if (own && own->reason == one.reason) return *own;
    return {one.reason, one.reason == Reason::missing ? "there is a limit, and no value to compare"
                                                      : "the evidence is too old"};
  }

  Cause& cause_of(const Key& key, const Trouble& trouble) {
    const auto [found, added] = causes_.try_emplace(key);
    auto& [cause, newest] = found->second;
    const bool unreachable = key.kind == CauseKind::unreachable;
    if (added) {
      cause.state = key.state;
      cause.kind = key.kind;
      cause.reason = key.reason;
      cause.server = key.server;
      if (!unreachable) cause.databases.insert(key.database);
    }
    if (added || trouble.since > newest) {
      cause.words = unreachable ? key.words : trouble.detail;
      newest = trouble.since;
    }
    if (trouble.since != Instant{})
      cause.since = std::min(cause.since.value_or(newest), trouble.since);
    if (trouble.obstacle && !unreachable) cause.obstacles.insert(*trouble.obstacle);
    return cause;
  }

  static Stopped& stopped(Cause& cause, const CollectorEvidence& evidence) {
    Stopped& stopped = cause.stops[evidence.id];
    stopped.spec = evidence.spec;
    return stopped;
  }

  const std::string server_;
  const std::string home_;
  std::map<std::string, Trouble> unreachable_;  ///< by database
  std::map<Key, Entry> causes_;
};

}  // namespace

std::size_t Cause::objects() const {
  std::size_t number = 0;
  for (const auto& [id, stopped] : stops) number += stopped.objects.size();
  return number;
}

std::vector<Cause> causes_of(const Snapshot& snapshot, const Verdicts& verdicts) {
  std::vector<Cause> all;
  for (const auto& server : snapshot.servers) {
    Causes causes(snapshot, *server);
    for (const auto& evidence : snapshot.collectors)
      if (evidence->id.server == server->name)
        causes.add(*evidence, verdicts.collectors.at(evidence->id).unchecked);
    causes.append_to(all);
  }
  return all;
}

}  // namespace pg_integrity
