#include "exporter/evidence/object_update.h"

#include <algorithm>

#include "collectors/base/instant.h"
#include "collectors/collector.h"

namespace pg_integrity {

namespace {

bool same_series(const Sample& a, const Sample& b) {
  return a.metric->name == b.metric->name && a.labels == b.labels;
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
    object.trouble = Trouble{look.mark->reason, look.mark->detail,
                             known ? object.trouble->since : look.mark->observed_at};
  }
  object.gone_since.reset();
  object.looked_at = now;
}

}  // namespace pg_integrity
