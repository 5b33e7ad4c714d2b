// What a step saw, object by object, and what becomes of an object by it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "collectors/base/batch.h"
#include "collectors/base/instant.h"
#include "collectors/collector.h"
#include "exporter/evidence/snapshot.h"

namespace pg_integrity {

/// What a step saw of one object.
struct Look {
  std::vector<Sample> samples;
  const UnprovenMark* mark = nullptr;  ///< of the batch
  std::vector<std::string> lines;
};

/// @return valid for as long as the batch is.
std::map<ObjectKey, Look> looks_by_object(const CollectorSpec& spec, const Batch& batch);

/// A good look replaces what was known; a bad one leaves it, but for the series that were seen.
void apply(const Look& look, Object& object, Instant now);

}  // namespace pg_integrity
