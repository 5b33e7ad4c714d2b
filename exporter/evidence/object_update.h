// Sorts the observations of a step by object, and applies them. Pure functions.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "collectors/base/batch.h"
#include "collectors/base/instant.h"
#include "collectors/collector.h"
#include "exporter/evidence/snapshot.h"

namespace pg_integrity {

/// The observations of one object in one step.
struct Look {
  std::vector<Sample> samples;
  const UnprovenMark* mark = nullptr;  ///< owned by the batch; nullptr if the check succeeded
  std::vector<std::string> lines;
};

/// @return valid for as long as the batch is.
std::map<ObjectKey, Look> looks_by_object(const CollectorSpec& spec, const Batch& batch);

/// Stores the observations of one step in the object. Without a mark they replace all that was
/// known. With a mark they replace only the series that were observed, and the lines if there are
/// any, and the mark is noted as the trouble.
void apply(const Look& look, Object& object, Instant now);

/// The object, with all that its newest look saw counting as seen now.
Object seen_again(Object object, Instant now);

}  // namespace pg_integrity
