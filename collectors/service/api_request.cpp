#include "collectors/service/api_request.h"

#include <algorithm>

#include "collectors/base/errors.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/files.h"
#include "collectors/ports/http.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kMaxSecret = 8192;  // bytes
/// Whoever wishes for more is asked again all the same.
constexpr Seconds kLongestRest{3600};

std::string secret_of(Sources& from, const Endpoint& endpoint) {
  if (endpoint.secret_file.empty()) return {};
  std::string text = from.files().head(endpoint.secret_file, kMaxSecret + 1);
  if (text.size() > kMaxSecret)
    throw SourceError(Reason::config, endpoint.secret_file + " is too long for a secret");
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

/// Notes the wish of an answer with status 429 or 503.
void note_wish(const HttpResponse& answer, const std::string& text, Instant now, Rest& rest) {
  if ((answer.status != 429 && answer.status != 503) || answer.retry_after.count() <= 0) return;
  rest.until = now + std::min(answer.retry_after, kLongestRest);
  rest.answer = text;
}

}  // namespace

HttpResponse ask_endpoint(Sources& from, const Endpoint& endpoint, Rest& rest) {
  if (from.clock().now() < rest.until) throw SourceError(Reason::http, rest.answer);
  HttpRequest request = endpoint.request;
  request.secret = secret_of(from, endpoint);
  HttpResponse answer = from.http().get(request);
  if (answer.status >= 200 && answer.status <= 299) return answer;
  const bool refused = answer.status == 401 || answer.status == 403;
  const std::string text = request.name + " answers with status " + std::to_string(answer.status);
  note_wish(answer, text, from.clock().now(), rest);
  throw SourceError(refused ? Reason::auth : Reason::http, text);
}

}  // namespace pg_integrity
