#include "exporter/evidence/evidence.h"

#include <algorithm>
#include <utility>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/metric_set.h"
#include "collectors/collector.h"
#include "collectors/options/accept.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/session.h"
#include "collectors/registry.h"
#include "exporter/config/options.h"
#include "exporter/evidence/counters.h"
#include "exporter/evidence/object_update.h"
#include "exporter/evidence/sentence.h"
#include "exporter/evidence/verdict.h"

namespace pg_integrity {

namespace {

/// The first acceptance of the object, that is the newest one.
const AcceptedDamage* accepted_damage(const CollectorEvidence& evidence, const ObjectKey& key) {
  const std::string name = object_name(*evidence.spec, key);
  for (const AcceptedDamage& accepted : evidence.options->accept)
    if (accepted.object == name &&
        (accepted.database.empty() || accepted.database == evidence.id.database))
      return &accepted;
  return nullptr;
}

/// Points samples of an earlier process or configuration to the metrics of this collector. Samples
/// without a matching metric are dropped.
void adopt(std::vector<Sample>& samples, const CollectorEvidence& evidence) {
  for (Sample& sample : samples) {
    const std::size_t labels = sample.labels.size();
    sample.metric = metric_named(*evidence.spec, evidence.own_metrics.get(), sample.metric->name);
    if (sample.metric != nullptr && sample.metric->label_count != labels) sample.metric = nullptr;
  }
  std::erase_if(samples, [](const Sample& sample) { return sample.metric == nullptr; });
}

void note_success(CollectorHealth& health, Instant now) {
  health.attempted = health.success = true;
  health.last_success = now;
  health.last_wait = health.pass_waited;
  health.pass_since.reset();
  health.failed_at.reset();
  health.failure.reset();
}

bool is_red(State state) {
  return state == State::violated || state == State::accepted;
}

/// Whether a series of the object has the table's name in its labels `schema` and `table`.
bool is_about(const Object& object, const QualifiedName& table) {
  const auto has = [](const Sample& sample, std::string_view label, const std::string& value) {
    const auto names = sample.metric->labels();
    const auto found = std::find(names.begin(), names.end(), label);
    return found != names.end() &&
           sample.labels[static_cast<std::size_t>(found - names.begin())] == value;
  };
  return std::any_of(object.samples.begin(), object.samples.end(), [&](const Sample& sample) {
    return has(sample, "schema", table.schema) && has(sample, "table", table.name);
  });
}

/// Lets the series of an object share their texts with its name, or else with each other.
void share_names(Object& object, const ObjectKey& key) {
  for (std::size_t i = 0; i < object.samples.size(); ++i) {
    LabelValues& labels = object.samples[i].labels;
    labels.share(key);
    if (i > 0) labels.share(object.samples[i - 1].labels);
  }
  object.samples.shrink_to_fit();
}

/// Keeps an object that a complete pass did not meet.
void mark_gone(std::shared_ptr<const Object>& object, Instant now) {
  if (object->gone_since) return;
  Object kept = *object;
  kept.gone_since = now;
  object = std::make_shared<const Object>(std::move(kept));
}

}  // namespace

Evidence::Evidence(const Clock& clock, std::vector<std::shared_ptr<const ServerOptions>> servers,
                   News* news)
    : clock_(clock), servers_(std::move(servers)), news_(news) {}

void Evidence::note_change() {
  ++version_;
  if (news_ != nullptr) news_->tell();
}

Evidence::Entry* Evidence::changed(const CollectorId& id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return nullptr;
  found->second.published = nullptr;
  note_change();
  return &found->second;
}

void Evidence::place_declared(Entry& entry, Instant now) {
  CollectorEvidence& evidence = entry.now;
  for (const Sample& sample : evidence.declared) {
    ObjectKey key = object_key(*evidence.spec, *sample.metric, sample.labels);
    if (key.empty()) continue;
    entry.declared.insert(key);
    if (evidence.objects.contains(key)) continue;
    Object object;
    object.trouble = Trouble{Reason::pending, "not looked at yet", now};
    object.configured = true;
    object.accepted = accepted_damage(evidence, key);
    evidence.objects.emplace(std::move(key), std::make_shared<const Object>(std::move(object)));
  }
}

void Evidence::add(const CollectorId& id, const CollectorSpec& spec,
                   std::shared_ptr<const ServerOptions> options, Seconds interval,
                   std::uint64_t fingerprint, const Batch& declared,
                   std::shared_ptr<const MetricSet> own_metrics) {
  const MutexLock lock(mutex_);
  Entry entry;
  entry.now.id = id;
  entry.now.spec = &spec;
  entry.now.own_metrics = std::move(own_metrics);
  entry.now.options = std::move(options);
  entry.now.fingerprint = fingerprint;
  entry.now.declared = declared.samples();
  entry.now.health.started = clock_.now();
  entry.now.health.configured_interval = interval;
  place_declared(entry, clock_.now());
  for (const Event& event : declared.events()) count(entry.counters, event);
  entries_.insert_or_assign(id, std::move(entry));
  note_change();
}

void Evidence::add_database(const std::string& server, const std::string& database,
                            std::optional<bool> up) {
  const MutexLock lock(mutex_);
  up_.try_emplace({server, database}, up);
  note_change();
}

void Evidence::remove_database(const std::string& server, const std::string& database) {
  const MutexLock lock(mutex_);
  std::erase_if(entries_, [&](const auto& entry) {
    return entry.first.server == server && entry.first.database == database;
  });
  up_.erase({server, database});
  note_change();
}

void Evidence::pass_began(const CollectorId& id, Seconds waited) {
  const MutexLock lock(mutex_);
  Entry* entry = changed(id);
  if (entry == nullptr) return;
  CollectorHealth& health = entry->now.health;
  health.pass_since = health.pass_advanced = clock_.now();
  health.pass_waited = waited;
  health.pass_done = health.pass_known = 0;
  entry->excluded_in_pass = 0;
}

void Evidence::pass_at(const CollectorId& id, std::size_t done, std::size_t known) {
  const MutexLock lock(mutex_);
  Entry* entry = changed(id);
  if (entry == nullptr) return;
  CollectorHealth& health = entry->now.health;
  health.pass_done = done;
  health.pass_known = known;
  if (!health.failed_at || done <= *health.failed_at) return;
  health.success = true;
  health.failed_at.reset();
  health.failure.reset();
}

std::optional<std::vector<StateChange>> Evidence::accept(const CollectorId& id, const Batch& batch,
                                                         bool recheck, Era era) {
  const MutexLock lock(mutex_);
  if (era != era_of(id.server)) return std::nullopt;
  Entry* entry = changed(id);
  std::vector<StateChange> changes;
  if (entry == nullptr) return changes;
  CollectorEvidence& evidence = entry->now;
  const Instant now = clock_.now();
  const Judge judge(evidence, now, clock_.unix_now());
  for (const auto& [key, look] : looks_by_object(*evidence.spec, batch)) {
    const auto known = evidence.objects.find(key);
    Object object = known == evidence.objects.end() ? Object{} : *known->second;
    const State before = judge.judge(key, object).state;
    if (known == evidence.objects.end()) object.accepted = accepted_damage(evidence, key);
    apply(look, object, now);
    share_names(object, known == evidence.objects.end() ? key : known->first);
    Judgement after = judge.judge(key, object);
    if (is_red(before) && after.state == State::proven && object.trouble) {
      // What mended one value may have passed over the rest. Older values of the rest prove
      // nothing.
      object.whole_at.reset();
      after = judge.judge(key, object);
    }
    const bool broke = before != State::violated && after.state == State::violated;
    const bool mended = before == State::violated && after.state == State::proven;
    if (broke || mended)
      changes.push_back(
          {object_name(*evidence.spec, key), broke,
           after.broken.empty() ? std::string() : sentence_of(id, after.broken.front())});
    evidence.objects.insert_or_assign(key, std::make_shared<const Object>(std::move(object)));
  }
  for (const ObjectWeight& weight : batch.weights()) {
    const auto found =
        evidence.objects.find(object_key(*evidence.spec, *weight.metric, weight.labels));
    if (found == evidence.objects.end() ||
        (found->second->configured == weight.configured && found->second->size == weight.size))
      continue;
    Object object = *found->second;
    object.configured = object.configured || weight.configured;
    object.size = weight.size;
    found->second = std::make_shared<const Object>(std::move(object));
  }
  if (batch.memory()) evidence.remembered = std::make_shared<const std::string>(*batch.memory());
  if (!recheck) {
    entry->excluded_in_pass += batch.excluded();
    evidence.health.pass_advanced = now;
  }
  return changes;
}

bool Evidence::unchanged(const CollectorId& id, const std::optional<std::set<ObjectKey>>& only,
                         Era era) {
  const MutexLock lock(mutex_);
  if (era != era_of(id.server)) return false;
  Entry* entry = changed(id);
  if (entry == nullptr) return true;
  CollectorEvidence& evidence = entry->now;
  const Instant now = clock_.now();
  for (auto& [key, object] : evidence.objects)
    if (!object->gone_since && (!only || only->contains(key)))
      object = std::make_shared<const Object>(seen_again(*object, now));
  if (!only) note_success(evidence.health, now);
  return true;
}

bool Evidence::pass_complete(const CollectorId& id, Era era) {
  const MutexLock lock(mutex_);
  if (era != era_of(id.server)) return false;
  Entry* entry = changed(id);
  if (entry == nullptr) return true;
  CollectorEvidence& evidence = entry->now;
  const Instant now = clock_.now();
  const Instant began = evidence.health.pass_since.value_or(now);
  const Judge judge(evidence, now, clock_.unix_now());
  for (auto it = evidence.objects.begin(); it != evidence.objects.end();) {
    if (it->second->looked_at >= began) {
      ++it;
    } else if (!entry->declared.contains(it->first)) {
      if (evidence.spec->remembers_red && is_red(judge.judge(it->first, *it->second).state)) {
        mark_gone(it->second, now);
        ++it;
      } else {
        it = evidence.objects.erase(it);
      }
    } else {
      Object object = *it->second;
      object.trouble = Trouble{Reason::missing, "configured, but there is no such object", now};
      it->second = std::make_shared<const Object>(std::move(object));
      ++it;
    }
  }
  evidence.excluded = entry->excluded_in_pass;
  evidence.health.last_full_check = now;
  evidence.health.last_duration = now - began;
  note_success(evidence.health, now);
  return true;
}

bool Evidence::failed(const CollectorId& id, const SourceError& error) {
  const MutexLock lock(mutex_);
  Entry* entry = changed(id);
  if (entry == nullptr) return false;
  CollectorHealth& health = entry->now.health;
  const bool news = !health.attempted || health.success || !health.failure ||
                    health.failure->reason != error.reason();
  health.attempted = true;
  health.success = false;
  health.failed_at = health.pass_since ? health.pass_done : 0;
  health.pass_since.reset();
  health.failure =
      Trouble{error.reason(), error.what(), clock_.now(), error.obstacle(), error.session_lost()};
  return news;
}

void Evidence::record(const CollectorId& id, const std::vector<Event>& events) {
  const MutexLock lock(mutex_);
  const auto entry = entries_.find(id);
  if (entry == entries_.end() || events.empty()) return;
  note_change();
  for (const Event& event : events) count(entry->second.counters, event);
}

bool Evidence::set_up(const std::string& server, const std::string& database, bool up) {
  const MutexLock lock(mutex_);
  const auto known = up_.find({server, database});
  if (known == up_.end() || known->second == up) return false;
  known->second = up;
  note_change();
  return true;
}

void Evidence::set_sessions(const SessionCount& count) {
  const MutexLock lock(mutex_);
  SessionCount& known = sessions_[count.server];
  if (known.server == count.server && known.open == count.open &&
      known.connecting == count.connecting && known.abandoned == count.abandoned)
    return;
  known = count;
  note_change();
}

Answerer Evidence::identify(const std::string& server, const ServerInfo& found) {
  const MutexLock lock(mutex_);
  const Identity identity{found.system_identifier, found.timeline, found.read_at};
  const auto [known, added] = identities_.try_emplace(server, identity);
  if (added || (known->second.system_identifier == found.system_identifier &&
                known->second.timeline == found.timeline))
    return Answerer::known;
  if (found.read_at < known->second.found_at) return Answerer::outdated;
  known->second = identity;
  ++eras_[server];
  for (auto& [id, entry] : entries_) {
    if (id.server != server) continue;
    entry.now.objects.clear();
    entry.now.health.started = clock_.now();
    entry.now.health.success = false;
    entry.now.health.failed_at.reset();
    entry.now.health.failure.reset();
    entry.now.health.last_success.reset();
    entry.now.health.pass_since.reset();
    place_declared(entry, clock_.now());
    entry.published = nullptr;
  }
  note_change();
  return Answerer::another;
}

Era Evidence::era(const std::string& server) const {
  const MutexLock lock(mutex_);
  return era_of(server);
}

Era Evidence::era_of(const std::string& server) const {
  const auto found = eras_.find(server);
  return found == eras_.end() ? 0 : found->second;
}

void Evidence::restore(const CollectorId& id, const std::map<ObjectKey, Object>& objects,
                       bool success, std::optional<Instant> last_success,
                       std::vector<Counter> counters) {
  const MutexLock lock(mutex_);
  Entry* entry = changed(id);
  if (entry == nullptr) return;
  CollectorEvidence& evidence = entry->now;
  for (const auto& [key, recorded] : objects) {
    const auto known = evidence.objects.find(key);
    if (known != evidence.objects.end() && known->second->looked_at > Instant{}) continue;
    const auto object = std::make_shared<Object>(recorded);
    object->looked_at = Instant{};
    object->accepted = accepted_damage(evidence, key);
    adopt(object->samples, evidence);
    share_names(*object, key);
    evidence.objects.insert_or_assign(key, object);
  }
  if (!counters.empty()) entry->counters = std::move(counters);
  if (!evidence.health.attempted) {
    evidence.health.success = success;
    evidence.health.last_success = last_success;
  }
}

void Evidence::restore_memory(const CollectorId& id,
                              std::shared_ptr<const std::string> remembered) {
  const MutexLock lock(mutex_);
  if (Entry* entry = changed(id)) entry->now.remembered = std::move(remembered);
}

void Evidence::restore_start(const CollectorId& id, Instant started) {
  const MutexLock lock(mutex_);
  if (Entry* entry = changed(id)) entry->now.health.started = started;
}

void Evidence::restore_identity(const std::string& server, const std::string& system_identifier,
                                std::uint32_t timeline) {
  const MutexLock lock(mutex_);
  identities_.try_emplace(server, Identity{system_identifier, timeline, Instant{}});
}

std::optional<Evidence::Identity> Evidence::identity(const std::string& server) const {
  const MutexLock lock(mutex_);
  const auto found = identities_.find(server);
  if (found == identities_.end()) return std::nullopt;
  return found->second;
}

std::optional<Sample> Evidence::newest(const CollectorId& id, const MetricInfo& metric,
                                       std::span<const std::string> labels) const {
  const MutexLock lock(mutex_);
  const auto entry = entries_.find(id);
  if (entry == entries_.end()) return std::nullopt;
  const std::vector<std::string> wanted(labels.begin(), labels.end());
  const CollectorEvidence& evidence = entry->second.now;
  const auto object = evidence.objects.find(object_key(*evidence.spec, metric, wanted));
  if (object == evidence.objects.end()) return std::nullopt;
  for (const Sample& sample : object->second->samples)
    if (sample.metric->name == metric.name && sample.labels == wanted) return sample;
  return std::nullopt;
}

std::shared_ptr<const std::string> Evidence::remembered(const CollectorId& id) const {
  const MutexLock lock(mutex_);
  const auto entry = entries_.find(id);
  return entry == entries_.end() ? nullptr : entry->second.now.remembered;
}

std::vector<Sample> Evidence::observed(const CollectorId& id, std::string_view metric) const {
  const MutexLock lock(mutex_);
  std::vector<Sample> samples;
  for (const auto& [other, entry] : entries_) {
    if (other.server != id.server || other.database != id.database) continue;
    for (const auto& [key, object] : entry.now.objects)
      for (const Sample& sample : object->samples)
        if (sample.metric->name == metric) samples.push_back(sample);
  }
  return samples;
}

bool Evidence::is_red_table(const CollectorId& id, const QualifiedName& table) const {
  const MutexLock lock(mutex_);
  for (const auto& [other, entry] : entries_) {
    if (other.server != id.server || other.database != id.database) continue;
    const Judge judge(entry.now, clock_.now(), clock_.unix_now());
    for (const auto& [key, object] : entry.now.objects)
      if (is_about(*object, table) && is_red(judge.judge(key, *object).state)) return true;
  }
  return false;
}

std::vector<Sample> Evidence::violated(const CollectorId& id, const MetricInfo& metric) const {
  const MutexLock lock(mutex_);
  std::vector<Sample> samples;
  const auto entry = entries_.find(id);
  if (entry == entries_.end()) return samples;
  const Judge judge(entry->second.now, clock_.now(), clock_.unix_now());
  for (const auto& [key, object] : entry->second.now.objects)
    if (judge.judge(key, *object).state == State::violated)
      for (const Sample& sample : object->samples)
        if (sample.metric->name == metric.name) samples.push_back(sample);
  return samples;
}

std::vector<ObjectKey> Evidence::to_recheck(const CollectorId& id) const {
  const MutexLock lock(mutex_);
  std::vector<ObjectKey> keys;
  const auto entry = entries_.find(id);
  if (entry == entries_.end()) return keys;
  const Judge judge(entry->second.now, clock_.now(), clock_.unix_now());
  for (const auto& [key, object] : entry->second.now.objects) {
    const Judgement judgement = judge.judge(key, *object);
    if (judgement.state == State::violated && !object->gone_since &&
        std::any_of(judgement.broken.begin(), judgement.broken.end(),
                    [](const Broken& broken) { return !broken.sample->metric->cumulative; }))
      keys.push_back(key);
  }
  return keys;
}

std::shared_ptr<const Snapshot> Evidence::snapshot() const {
  const MutexLock lock(mutex_);
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->version = version_;
  snapshot->servers = servers_;
  for (const auto& [id, entry] : entries_) {
    if (!entry.published) entry.published = std::make_shared<const CollectorEvidence>(entry.now);
    snapshot->collectors.push_back(entry.published);
    if (!entry.counters.empty()) snapshot->counters.emplace(id, entry.counters);
  }
  for (const auto& [name, up] : up_)
    snapshot->databases.push_back({name.first, name.second, up.value_or(false), up.has_value()});
  for (const auto& [server, count] : sessions_) snapshot->sessions.push_back(count);
  return snapshot;
}

std::uint64_t Evidence::version() const {
  const MutexLock lock(mutex_);
  return version_;
}

}  // namespace pg_integrity
