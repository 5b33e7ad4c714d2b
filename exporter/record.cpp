#include "exporter/record.h"

namespace pg_integrity {

namespace {

/// FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/: tells configurations apart, protects
/// nothing.
std::uint64_t fnv1a(const std::string& text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1099511628211ULL;
  }
  return hash;
}

}  // namespace

Record record_of(const Evidence& evidence) {
  Record record;
  const auto snapshot = evidence.snapshot();
  for (const auto& server : snapshot->servers)
    if (const auto identity = evidence.identity(server->name))
      record.servers.emplace(server->name, *identity);
  for (const auto& collector : snapshot->collectors) {
    RecordedCollector& kept = record.collectors[collector->id];
    kept.version = collector->spec->version;
    kept.own_metrics = collector->own_metrics;
    kept.fingerprint = collector->fingerprint;
    kept.success = collector->health.success;
    kept.last_success = collector->health.last_success;
    for (const auto& [key, object] : collector->objects)
      if (!object->samples.empty()) kept.objects.emplace(key, *object);
    if (const auto tallies = snapshot->tallies.find(collector->id);
        tallies != snapshot->tallies.end())
      kept.tallies = tallies->second;
  }
  return record;
}

void restore(Evidence& evidence, const Record& record, const CollectorId& id,
             const CollectorSpec& spec, std::uint64_t fingerprint) {
  if (const auto server = record.servers.find(id.server); server != record.servers.end())
    evidence.restore_identity(id.server, server->second.system_identifier, server->second.timeline);
  const auto found = record.collectors.find(id);
  if (found == record.collectors.end() || found->second.version != spec.version ||
      found->second.fingerprint != fingerprint)
    return;
  const RecordedCollector& kept = found->second;
  evidence.restore(id, kept.objects, kept.success, kept.last_success, kept.tallies);
}

std::uint64_t fingerprint_of(const ServerOptions& server, const CollectorOptions& collector) {
  // How often it looks does not change what it saw.
  Settings settings = collector.settings;
  for (const Option& common : kCommonOptions) settings.drop(common.name);
  std::string text = std::to_string(collector.spec->version) + settings.canonical();
  for (const std::string& pattern : server.exclude)
    text += std::to_string(pattern.size()) + ":" + pattern;
  return fnv1a(text);
}

}  // namespace pg_integrity
