#include "exporter/evidence/saved_evidence.h"

#include <fmt/format.h>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/metric.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/registry.h"
#include "exporter/config/options.h"
#include "exporter/evidence/snapshot.h"

namespace pg_integrity {

namespace {

/// FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/. It tells configurations apart but gives no
/// protection against forgery.
std::uint32_t fnv1a(const std::string& text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 16777619U;
  }
  return hash;
}

/// The object has values, or a reason why there are none. An object that is merely pending is left
/// out, because it will be pending again.
bool is_worth_keeping(const Object& object) {
  return !object.samples.empty() || (object.trouble && object.trouble->reason != Reason::pending);
}

/// The objects with learned values, reduced to these values.
std::map<ObjectKey, Object> learned_only(const std::map<ObjectKey, Object>& objects) {
  std::map<ObjectKey, Object> learned;
  for (const auto& [key, object] : objects) {
    Object part;
    for (const Sample& sample : object.samples)
      if (sample.metric->learned) part.samples.push_back(sample);
    if (part.samples.empty()) continue;
    part.trouble = Trouble{Reason::pending, "not looked at since the options were changed",
                           part.samples.front().observed_at};
    part.configured = object.configured;
    part.size = object.size;
    learned.emplace(key, std::move(part));
  }
  return learned;
}

}  // namespace

std::optional<bool> SavedEvidence::was_up(const std::string& server,
                                          const std::string& database) const {
  const auto found = up.find({server, database});
  return found == up.end() ? std::nullopt : std::optional(found->second);
}

SavedEvidence saved_evidence_of(const Evidence& evidence) {
  SavedEvidence saved;
  const auto snapshot = evidence.snapshot();
  for (const auto& server : snapshot->servers)
    if (const auto identity = evidence.identity(server->name))
      saved.servers.emplace(server->name, *identity);
  for (const auto& collector : snapshot->collectors) {
    SavedCollector& kept = saved.collectors[collector->id];
    kept.version = collector->spec->version;
    kept.own_metrics = collector->own_metrics;
    kept.remembered = collector->remembered;
    kept.fingerprint = collector->fingerprint;
    kept.success = collector->health.success;
    kept.last_success = collector->health.last_success;
    kept.started = collector->health.started;
    for (const auto& [key, object] : collector->objects)
      if (is_worth_keeping(*object)) kept.objects.emplace(key, *object);
    if (const auto counters = snapshot->counters.find(collector->id);
        counters != snapshot->counters.end())
      kept.counters = counters->second;
  }
  for (const DatabaseHealth& database : snapshot->databases)
    if (database.tried)
      saved.up.emplace(std::pair(database.server, database.database), database.up);
  return saved;
}

void restore(Evidence& evidence, const SavedEvidence& saved, const CollectorId& id,
             const CollectorSpec& spec, std::uint64_t fingerprint) {
  if (const auto server = saved.servers.find(id.server); server != saved.servers.end())
    evidence.restore_identity(id.server, server->second.system_identifier, server->second.timeline);
  const auto found = saved.collectors.find(id);
  if (found == saved.collectors.end()) return;
  const SavedCollector& kept = found->second;
  if (kept.started) evidence.restore_start(id, *kept.started);
  if (kept.remembered) evidence.restore_memory(id, kept.remembered);
  if (kept.version != spec.version) return;
  if (kept.fingerprint == fingerprint)
    evidence.restore(id, kept.objects, kept.success, kept.last_success, kept.counters);
  else if (kept.fingerprint >> 32U == fingerprint >> 32U)
    evidence.restore(id, learned_only(kept.objects), false, std::nullopt, {});
}

std::uint64_t fingerprint_of(const ServerOptions& server, const CollectorOptions& collector) {
  std::string objects = fmt::format("{};", collector.spec->version);
  for (const std::string& pattern : server.exclude)
    objects += fmt::format("{}:{}", pattern.size(), pattern);
  std::string options = collector.depends_on;
  // A collector of the whole server reads in the database of the DSN, so its answers depend on
  // which one that is.
  if (collector.spec->scope == Scope::server) options += ";" + server.home_database;
  return std::uint64_t{fnv1a(objects)} << 32U | fnv1a(options);
}

}  // namespace pg_integrity
