// One request to a configured endpoint.
#pragma once

#include <string>

#include "collectors/base/instant.h"
#include "collectors/collector.h"
#include "collectors/ports/http.h"
#include "collectors/service/api_config.h"

namespace pg_integrity {

/// The wish of an endpoint that has answered with status 429 or 503 to be left alone for a while.
struct Rest {
  Instant until{};
  std::string answer;  ///< what it has answered, for messages
};

/// Returns a success (2xx). The endpoint's secret is read anew, up to 8,192 bytes.
/// @param rest what the endpoint wished last. Before it is over, it is not asked.
/// @throws SourceError: auth for status 401 or 403, http for any other and during its rest, config
/// for a longer secret, else as Http::get() and Files::head() do.
HttpResponse ask_endpoint(Sources& from, const Endpoint& endpoint, Rest& rest);

}  // namespace pg_integrity
