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

/// Applies a look to an object. A look without a mark replaces all that was known. A look with a
/// mark replaces only the series that it observed, and notes the trouble.
void apply(const Look& look, Object& object, Instant now);

}  // namespace pg_integrity
