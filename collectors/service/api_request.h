// One request to a configured endpoint.
#pragma once

#include "collectors/collector.h"
#include "collectors/ports/http.h"
#include "collectors/service/api_config.h"

namespace pg_integrity {

/// A success (2xx). The endpoint's secret is read anew.
/// @throws SourceError: auth or http for another status, else as Http::get() and Files::head() do.
HttpResponse ask_endpoint(Sources& from, const Endpoint& endpoint);

}  // namespace pg_integrity
