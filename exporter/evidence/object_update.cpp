#include "exporter/evidence/object_update.h"

#include <algorithm>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/collector.h"

namespace pg_integrity {

namespace {

bool same_series(const Sample& a, const Sample& b) {
  return a.metric->name == b.metric->name && a.labels == b.labels;
}

/// The relation that was in the way. If the server did not tell which, it is the table that the
/// mark is about. Tables of a copy are others.
std::optional<Obstacle> obstacle_of(const UnprovenMark& mark) {
  if (mark.obstacle || !is_about_table(mark.reason)) return mark.obstacle;
  Obstacle table;
  const auto names = mark.metric->labels();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == "replica") return std::nullopt;
    if (names[i] == "schema") table.relation.schema = mark.labels[i];
    if (names[i] == "table") table.relation.name = mark.labels[i];
  }
  return table.relation.name.empty() ? std::nullopt : std::optional(table);
}

}  // namespace

std::map<ObjectKey, Look> looks_by_object(const CollectorSpec& spec, const Batch& batch) {
  std::map<ObjectKey, Look> looks;
  for (const Sample& sample : batch.samples())
    looks[object_key(spec, *sample.metric, sample.labels)].samples.push_back(sample);
  for (const UnprovenMark& mark : batch.unproven_marks())
    looks[object_key(spec, *mark.metric, mark.labels)].mark = &mark;
  for (const EvidenceLine& line : batch.evidence_lines())
    if (const auto found = looks.find(object_key(spec, *line.metric, line.labels));
        found != looks.end())
      found->second.lines.push_back(line.text);
  return looks;
}

void apply(const Look& look, Object& object, Instant now) {
  if (look.mark == nullptr) {
    object.samples = look.samples;
    object.trouble.reset();
    object.whole_at = now;
    object.lines = look.lines;
  } else {
    for (const Sample& sample : look.samples) {
      std::erase_if(object.samples, [&](const Sample& old) { return same_series(old, sample); });
      object.samples.push_back(sample);
    }
    if (!look.lines.empty()) object.lines = look.lines;
    const bool known = object.trouble && object.trouble->reason == look.mark->reason;
    object.trouble =
        Trouble{look.mark->reason, look.mark->detail,
                known ? object.trouble->since : look.mark->observed_at, obstacle_of(*look.mark)};
  }
  object.gone_since.reset();
  object.looked_at = now;
}

Object seen_again(Object object, Instant now) {
  for (Sample& sample : object.samples)
    if (!object.trouble || sample.observed_at >= object.trouble->since) sample.observed_at = now;
  if (!object.trouble) object.whole_at = now;
  object.looked_at = now;
  return object;
}

}  // namespace pg_integrity
