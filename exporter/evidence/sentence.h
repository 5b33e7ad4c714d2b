// What is wrong, as a sentence for people. Every expectation has its sentence beside the metric.
// The page, the reports, the log and the alerts all say it. Pure functions. Safe on any thread.
#pragma once

#include <string>

#include "collectors/options/accept.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/evidence/verdict.h"

namespace pg_integrity {

/// A broken expectation of a collector's object:
/// "The newest nightly backup of dumps is 7 d 12 h old, it may be 6 h 30 min old."
std::string sentence_of(const CollectorId& id, const Broken& broken);

/// "accepted until 2026-12-31 by jane: mended with the next release"
std::string sentence_of(const AcceptedDamage& accepted);

}  // namespace pg_integrity
