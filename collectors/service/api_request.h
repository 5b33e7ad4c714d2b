// One request to a configured endpoint.
#pragma once

#include "collectors/collector.h"
#include "collectors/ports/http.h"
#include "collectors/service/api_config.h"

namespace pg_integrity {

/// Returns a success (2xx). The endpoint's secret is read anew, up to 8,192 bytes.
/// @throws SourceError: auth for status 401 or 403, http for any other, config for a longer secret,
/// else as Http::get() and Files::head() do.
HttpResponse ask_endpoint(Sources& from, const Endpoint& endpoint);

}  // namespace pg_integrity
