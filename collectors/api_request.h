// One request to a configured endpoint.
#pragma once

#include "collectors/api_config.h"
#include "collectors/collector.h"

namespace pg_integrity {

/// A success (2xx). The endpoint's secret is read anew.
/// @throws SourceError: auth or http for another status, else as Http::get() and Files::head() do.
HttpResponse ask_endpoint(Sources& from, const Endpoint& endpoint);

/// The endpoint's fault, not ours: it is down then, where else we would not know.
bool says_down(Reason reason);

}  // namespace pg_integrity
