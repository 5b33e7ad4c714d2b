#include "collectors/service/api_request.h"

#include "collectors/base/errors.h"
#include "collectors/ports/files.h"
#include "collectors/ports/http.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kMaxSecret = 8192;  // bytes

std::string secret_of(Sources& from, const Endpoint& endpoint) {
  if (endpoint.secret_file.empty()) return {};
  std::string text = from.files().head(endpoint.secret_file, kMaxSecret + 1);
  if (text.size() > kMaxSecret)
    throw SourceError(Reason::config, endpoint.secret_file + " is too long for a secret");
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

}  // namespace

HttpResponse ask_endpoint(Sources& from, const Endpoint& endpoint) {
  HttpRequest request = endpoint.request;
  request.secret = secret_of(from, endpoint);
  HttpResponse answer = from.http().get(request);
  if (answer.status >= 200 && answer.status <= 299) return answer;
  const bool refused = answer.status == 401 || answer.status == 403;
  throw SourceError(refused ? Reason::auth : Reason::http,
                    request.name + " answers with status " + std::to_string(answer.status));
}

}  // namespace pg_integrity
