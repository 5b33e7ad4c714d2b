#include "exporter/evidence/evidence_section.h"

#include <charconv>
#include <cstdint>
#include <string>
#include <utility>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/json_value.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/metric_rules.h"
#include "collectors/base/metric_set.h"
#include "collectors/collector.h"
#include "collectors/registry.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/io/json_reader.h"
#include "exporter/io/json_writer.h"

namespace pg_integrity {

namespace {

constexpr const KnownSection& kEvidence = kStateSections[0];
static_assert(kEvidence.name == "evidence");
constexpr const KnownSection& kInventory = kStateSections[1];
static_assert(kInventory.name == "inventory");

using Members = JsonValue::Members;

JsonValue to_json(const std::vector<std::string>& texts) {
  JsonValue::Elements elements;
  for (const std::string& text : texts) elements.push_back({text});
  return {std::move(elements)};
}

JsonValue to_json(const Sample& sample, const Clock& clock) {
  Members members{{"metric", {std::string(sample.metric->name)}},
                  {"labels", to_json(sample.labels)},
                  {"observed_at", {clock.to_unix(sample.observed_at)}}};
  if (sample.metric->type == MetricType::age)
    members.push_back({"since", {clock.to_unix(sample.since)}});
  else
    members.push_back({"value", {sample.value}});
  return {std::move(members)};
}

JsonValue to_json(const Trouble& trouble, const Clock& clock) {
  Members members{{"reason", {std::string(name_of(trouble.reason))}},
                  {"detail", {trouble.detail}},
                  {"since", {clock.to_unix(trouble.since)}}};
  if (trouble.obstacle) {
    const auto& [relation, is_sequence, role] = *trouble.obstacle;
    members.push_back({"obstacle",
                       {Members{{"schema", {relation.schema}},
                                {"name", {relation.name}},
                                {"is_sequence", {is_sequence}},
                                {"role", {role}}}}});
  }
  return {std::move(members)};
}

JsonValue to_json(const ObjectKey& key, const Object& object, const Clock& clock) {
  JsonValue::Elements samples;
  for (const Sample& sample : object.samples) samples.push_back(to_json(sample, clock));
  Members members{{"key", to_json(key)},
                  {"samples", {std::move(samples)}},
                  {"configured", {object.configured}},
                  {"size", {object.size}},
                  {"lines", to_json(object.lines)}};
  if (object.whole_at) members.push_back({"whole_at", {clock.to_unix(*object.whole_at)}});
  if (object.trouble) members.push_back({"trouble", to_json(*object.trouble, clock)});
  if (object.gone_since) members.push_back({"gone_since", {clock.to_unix(*object.gone_since)}});
  return {std::move(members)};
}

JsonValue to_json(const CollectorId& id, const SavedCollector& collector, const Clock& clock) {
  JsonValue::Elements objects;
  for (const auto& [key, object] : collector.objects)
    objects.push_back(to_json(key, object, clock));
  Members members{{"server", {id.server}},
                  {"database", {id.database}},
                  {"collector", {id.collector}},
                  {"version", {static_cast<double>(collector.version)}},
                  // Written as text, because many programs read a JSON number as a double.
                  {"fingerprint", {std::to_string(collector.fingerprint)}},
                  {"success", {collector.success}},
                  {"objects", {std::move(objects)}}};
  if (collector.last_success)
    members.push_back({"last_success", {clock.to_unix(*collector.last_success)}});
  return {std::move(members)};
}

std::vector<std::string> texts_from(const JsonValue& value) {
  std::vector<std::string> texts;
  for (const JsonValue& element : value.elements()) texts.push_back(element.text());
  return texts;
}

std::uint64_t fingerprint_from(const std::string& digits) {
  std::uint64_t fingerprint = 0;
  const char* end = digits.data() + digits.size();
  if (std::from_chars(digits.data(), end, fingerprint).ptr != end)
    throw SourceError(Reason::decode, "a fingerprint is no number");
  return fingerprint;
}

/// The metric that a sample names. If the spec does not have it, the configuration may declare it.
/// The configuration is not known here, so `own` gets a placeholder for it.
const MetricInfo* metric_of(const JsonValue& recorded, const CollectorSpec& spec, MetricSet& own) {
  const std::string& name = recorded.at("metric").text();
  const std::size_t labels = recorded.at("labels").elements().size();
  if (const MetricInfo* known = metric_named(spec, &own, name)) return known;
  if (labels > kMaxLabels || recorded.find("value") == nullptr) return nullptr;
  return &own.add(name, {}, std::vector<std::string>(labels), {});
}

Trouble trouble_from(const JsonValue& entry, const RecordedTimes& times) {
  const auto reason = reason_named(entry.at("reason").text());
  Trouble trouble{reason.value_or(Reason::stale), entry.at("detail").text(),
                  times.past(entry.at("since").number())};
  if (const JsonValue* obstacle = entry.find("obstacle"))
    trouble.obstacle = Obstacle{{obstacle->at("schema").text(), obstacle->at("name").text()},
                                obstacle->at("is_sequence").flag(),
                                obstacle->at("role").text()};
  return trouble;
}

Object object_from(const JsonValue& entry, const CollectorSpec& spec, MetricSet& own,
                   const RecordedTimes& times) {
  Object object;
  object.configured = entry.at("configured").flag();
  object.size = entry.at("size").number();
  object.lines = texts_from(entry.at("lines"));
  for (const JsonValue& recorded : entry.at("samples").elements()) {
    Sample sample;
    sample.metric = metric_of(recorded, spec, own);
    if (sample.metric == nullptr) continue;
    // JSON has no infinite number. Such a value is observed anew and must not cost the others.
    if (sample.metric->type != MetricType::age && recorded.find("value") == nullptr) continue;
    sample.labels = texts_from(recorded.at("labels"));
    if (sample.labels.size() != sample.metric->label_count) continue;
    sample.observed_at = times.look(recorded.at("observed_at").number());
    if (sample.metric->type == MetricType::age)
      sample.since = times.since(recorded.at("since").number());
    else
      sample.value = recorded.at("value").number();
    object.samples.push_back(std::move(sample));
  }
  if (const auto whole_at = entry.maybe_number("whole_at")) object.whole_at = times.look(*whole_at);
  if (const auto gone = entry.maybe_number("gone_since")) object.gone_since = times.past(*gone);
  if (const JsonValue* trouble = entry.find("trouble"))
    object.trouble = trouble_from(*trouble, times);
  return object;
}

SavedCollector collector_from(const JsonValue& entry, const CollectorSpec& spec,
                              const RecordedTimes& times) {
  SavedCollector collector;
  collector.version = static_cast<int>(entry.at("version").number());
  collector.fingerprint = fingerprint_from(entry.at("fingerprint").text());
  collector.success = entry.at("success").flag();
  const auto last_success = entry.maybe_number("last_success");
  if (last_success && !times.clock_was_set_back())
    collector.last_success = times.past(*last_success);
  const auto own = std::make_shared<MetricSet>();
  for (const JsonValue& object : entry.at("objects").elements())
    collector.objects.emplace(texts_from(object.at("key")), object_from(object, spec, *own, times));
  collector.own_metrics = own;
  return collector;
}

}  // namespace

StateSection section_of(const SavedEvidence& saved, const Clock& clock) {
  StateSection section{std::string(kEvidence.name), kEvidence.version, {}};
  Members servers;
  for (const auto& [name, identity] : saved.servers)
    servers.push_back({name,
                       {Members{{"system_identifier", {identity.system_identifier}},
                                {"timeline", {static_cast<double>(identity.timeline)}}}}});
  section.content = R"({"servers":)";
  append_json({std::move(servers)}, section.content);
  section.content += R"(,"collectors":[)";
  // Collectors are written one at a time, because all of them as values take far more memory than
  // as text.
  bool first = true;
  for (const auto& [id, collector] : saved.collectors) {
    if (!std::exchange(first, false)) section.content += ',';
    append_json(to_json(id, collector, clock), section.content);
  }
  section.content += "]}";
  return section;
}

SavedEvidence evidence_from(const StateSection& section, const RecordedTimes& times) {
  const JsonValue content = SaxJson().read(section.content);
  SavedEvidence saved;
  for (const auto& [name, identity] : content.at("servers").members())
    saved.servers[name] = {identity.at("system_identifier").text(),
                           static_cast<std::uint32_t>(identity.at("timeline").number()),
                           {}};
  for (const JsonValue& entry : content.at("collectors").elements()) {
    const CollectorId id{entry.at("server").text(), entry.at("database").text(),
                         entry.at("collector").text()};
    if (const CollectorSpec* spec = collector_named(id.collector))
      saved.collectors.emplace(id, collector_from(entry, *spec, times));
  }
  return saved;
}

StateSection memory_section_of(const SavedEvidence& saved) {
  StateSection section{std::string(kInventory.name), kInventory.version, "["};
  for (const auto& [id, collector] : saved.collectors) {
    if (!collector.remembered) continue;
    if (section.content.size() > 1) section.content += ',';
    append_json({Members{{"server", {id.server}},
                         {"database", {id.database}},
                         {"collector", {id.collector}},
                         {"text", {*collector.remembered}}}},
                section.content);
  }
  section.content += "]";
  return section;
}

std::vector<StateSection> sections_of(const SavedEvidence& saved, const Clock& clock) {
  return {section_of(saved, clock), memory_section_of(saved)};
}

void add_memory(const StateSection& section, SavedEvidence& saved) {
  std::map<CollectorId, std::shared_ptr<const std::string>> memories;
  const JsonValue content = SaxJson().read(section.content);
  for (const JsonValue& entry : content.elements()) {
    const CollectorId id{entry.at("server").text(), entry.at("database").text(),
                         entry.at("collector").text()};
    if (collector_named(id.collector) != nullptr)
      memories[id] = std::make_shared<const std::string>(entry.at("text").text());
  }
  for (const auto& [id, text] : memories) saved.collectors[id].remembered = text;
}

std::shared_ptr<const SavedEvidence> evidence_on_record(const SavedState& state,
                                                        const Clock& clock) {
  auto saved = std::make_shared<SavedEvidence>();
  read_section(state, kEvidence.name, [&](const StateSection& section) {
    *saved = evidence_from(section, RecordedTimes(state.saved_at, clock));
  });
  read_section(state, kInventory.name,
               [&](const StateSection& section) { add_memory(section, *saved); });
  return saved;
}

}  // namespace pg_integrity
