#include "exporter/evidence/state_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <system_error>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/metric_rules.h"
#include "collectors/base/metric_set.h"
#include "collectors/collector.h"
#include "collectors/ports/clock.h"
#include "collectors/registry.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/io/atomic_file.h"
#include "exporter/io/logging.h"

namespace pg_integrity {

namespace {

using nlohmann::json;

constexpr int kFormat = 1;
constexpr const char* kFileName = "/evidence.json";
constexpr Seconds kClockTolerance{10};          ///< clocks are adjusted by a little all the time
constexpr Seconds kUndated{365.0 * 24 * 3600};  ///< older than anything that counts as recent

[[noreturn]] void refuse(const std::string& path, int error) {
  throw SourceError(Reason::io, path + ": " + std::generic_category().message(error));
}

/// The metric that a sample names. One that the spec does not have may be declared by the
/// configuration, which is not known here: `own` keeps its place.
const MetricInfo* metric_of(const json& recorded, const CollectorSpec& spec, MetricSet& own) {
  const auto name = recorded.at("metric").get<std::string>();
  const std::size_t labels = recorded.at("labels").size();
  if (const MetricInfo* known = metric_named(spec, &own, name)) return known;
  if (labels > kMaxLabels || !recorded.contains("value")) return nullptr;
  return &own.add(name, {}, std::vector<std::string>(labels), {});
}

json to_json(const Object& object, const ObjectKey& key, const Clock& clock) {
  json samples = json::array();
  for (const Sample& sample : object.samples) {
    json entry{{"metric", std::string(sample.metric->name)},
               {"labels", sample.labels},
               {"observed_at", clock.to_unix(sample.observed_at)}};
    if (sample.metric->type == MetricType::age)
      entry["since"] = clock.to_unix(sample.since);
    else
      entry["value"] = sample.value;
    samples.push_back(std::move(entry));
  }
  json entry{{"key", key},
             {"samples", std::move(samples)},
             {"configured", object.configured},
             {"size", object.size},
             {"lines", object.lines}};
  if (object.whole_at) entry["whole_at"] = clock.to_unix(*object.whole_at);
  if (object.trouble)
    entry["trouble"] = {{"reason", std::string(name_of(object.trouble->reason))},
                        {"detail", object.trouble->detail},
                        {"since", clock.to_unix(object.trouble->since)}};
  return entry;
}

json to_json(const SavedEvidence& saved, const Clock& clock) {
  json servers = json::object();
  for (const auto& [name, identity] : saved.servers)
    servers[name] = {{"system_identifier", identity.system_identifier},
                     {"timeline", identity.timeline}};
  json collectors = json::array();
  for (const auto& [id, collector] : saved.collectors) {
    json objects = json::array();
    for (const auto& [key, object] : collector.objects)
      objects.push_back(to_json(object, key, clock));
    json entry{{"server", id.server},
               {"database", id.database},
               {"collector", id.collector},
               {"version", collector.version},
               {"fingerprint", collector.fingerprint},
               {"success", collector.success},
               {"objects", std::move(objects)}};
    if (collector.last_success) entry["last_success"] = clock.to_unix(*collector.last_success);
    collectors.push_back(std::move(entry));
  }
  return {{"format", kFormat},
          {"saved_at", clock.unix_now()},
          {"servers", std::move(servers)},
          {"collectors", std::move(collectors)}};
}

/// Recorded wall-clock times as moments of this process.
class RecordedTimes {
 public:
  RecordedTimes(UnixTime saved_at, const Clock& clock) : clock_(clock) {
    const Seconds ahead(saved_at - clock.unix_now());
    if (ahead > kClockTolerance) set_back_ = ahead;
  }

  [[nodiscard]] bool clock_was_set_back() const { return set_back_ > Seconds(0); }

  /// The beginning of something that grows older: at least as long ago as when it was recorded.
  [[nodiscard]] Instant since(const json& recorded) const {
    return clock_.from_unix(recorded.get<double>()) - set_back_;
  }

  /// As since(), and never later than now.
  [[nodiscard]] Instant past(const json& recorded) const {
    return std::min(since(recorded), clock_.now());
  }

  /// When somebody looked.
  [[nodiscard]] Instant look(const json& recorded) const {
    return clock_was_set_back() ? past(recorded) - kUndated : past(recorded);
  }

 private:
  const Clock& clock_;
  Seconds set_back_{0};
};

Object object_from(const json& entry, const CollectorSpec& spec, MetricSet& own,
                   const RecordedTimes& times) {
  Object object;
  object.configured = entry.at("configured").get<bool>();
  object.size = entry.at("size").get<double>();
  object.lines = entry.at("lines").get<std::vector<std::string>>();
  for (const json& recorded : entry.at("samples")) {
    Sample sample;
    sample.metric = metric_of(recorded, spec, own);
    if (sample.metric == nullptr) continue;
    sample.labels = recorded.at("labels").get<std::vector<std::string>>();
    if (sample.labels.size() != sample.metric->label_count) continue;
    sample.observed_at = times.look(recorded.at("observed_at"));
    if (sample.metric->type == MetricType::age)
      sample.since = times.since(recorded.at("since"));
    else
      sample.value = recorded.at("value").get<double>();
    object.samples.push_back(std::move(sample));
  }
  if (entry.contains("whole_at")) object.whole_at = times.look(entry.at("whole_at"));
  if (entry.contains("trouble")) {
    const json& trouble = entry.at("trouble");
    const auto reason = reason_named(trouble.at("reason").get<std::string>());
    object.trouble =
        Trouble{reason.value_or(Reason::stale), trouble.at("detail").get<std::string>(),
                times.past(trouble.at("since"))};
  }
  return object;
}

SavedEvidence record_from(const json& state, const Clock& clock) {
  const RecordedTimes times(state.at("saved_at").get<double>(), clock);
  if (times.clock_was_set_back())
    log(LogLevel::warning, "the clock was set back: recorded evidence is of unknown age, thus old");
  SavedEvidence saved;
  for (const auto& [name, identity] : state.at("servers").items())
    saved.servers[name] = {identity.at("system_identifier").get<std::string>(),
                           identity.at("timeline").get<std::uint32_t>()};
  for (const json& entry : state.at("collectors")) {
    const CollectorId id{entry.at("server").get<std::string>(),
                         entry.at("database").get<std::string>(),
                         entry.at("collector").get<std::string>()};
    const CollectorSpec* spec = collector_named(id.collector);
    if (spec == nullptr) continue;
    SavedCollector& collector = saved.collectors[id];
    collector.version = entry.at("version").get<int>();
    collector.fingerprint = entry.at("fingerprint").get<std::uint64_t>();
    collector.success = entry.at("success").get<bool>();
    if (entry.contains("last_success") && !times.clock_was_set_back())
      collector.last_success = times.past(entry.at("last_success"));
    const auto own = std::make_shared<MetricSet>();
    for (const json& object : entry.at("objects"))
      collector.objects.emplace(object.at("key").get<ObjectKey>(),
                                object_from(object, *spec, *own, times));
    collector.own_metrics = own;
  }
  return saved;
}

}  // namespace

void save_state(const std::string& directory, const SavedEvidence& saved, const Clock& clock) {
  const std::string path = directory + kFileName;
  // Names of a database may be no UTF-8: then they are written with replacement characters, and
  // their objects are looked at anew after a restart.
  replace_file(path, to_json(saved, clock).dump(-1, ' ', false, json::error_handler_t::replace));
}

SavedEvidence load_state(const std::string& directory, const Clock& clock) {
  const std::string path = directory + kFileName;
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) {
    if (errno == ENOENT) return {};
    refuse(path, errno);
  }
  if (!S_ISREG(facts.st_mode)) throw SourceError(Reason::io, path + ": not a regular file");
  std::ifstream file(path);
  if (!file) refuse(path, errno == 0 ? EIO : errno);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  try {
    const json state = json::parse(text);
    if (state.at("format").get<int>() != kFormat)
      throw SourceError(Reason::decode, path + ": written by another version");
    return record_from(state, clock);
  } catch (const json::exception&) {
    throw SourceError(Reason::decode, path + ": damaged");
  }
}

std::shared_ptr<const SavedEvidence> evidence_on_record(const std::string& directory,
                                                        const Clock& clock) {
  try {
    return std::make_shared<const SavedEvidence>(load_state(directory, clock));
  } catch (const SourceError& error) {
    log(LogLevel::warning, "recorded evidence is not used", {{"error", error.what()}});
    return nullptr;
  }
}

}  // namespace pg_integrity
