#include "exporter/report/acceptable.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "collectors/base/errors.h"
#include "collectors/collector.h"
#include "exporter/evidence/verdict.h"
#include "exporter/report/printable.h"

namespace pg_integrity {

namespace {

/// @return nothing if there is nothing to accept.
std::optional<Acceptable> from(const CollectorEvidence& evidence, const ObjectKey& key,
                               const Object& object, const Judgement& judgement) {
  const bool gone = object.gone_since || judgement.reason == Reason::gone;
  const bool is_limit_of_judged =
      judgement.state == State::unproven && is_limit(judgement.reason) && judgement.broken.empty();
  const bool is_red = judgement.state == State::violated || judgement.state == State::accepted;
  if (!is_red && !is_limit_of_judged && !(judgement.state == State::unproven && gone))
    return std::nullopt;
  Acceptable found{evidence.id, object_name(*evidence.spec, key), 0, gone || is_limit_of_judged};
  for (const Broken& broken : judgement.broken)
    found.distance = std::max(found.distance, std::abs(broken.value - broken.limit));
  return found;
}

}  // namespace

std::vector<Acceptable> acceptable_now(const Snapshot& snapshot, const Clock& clock) {
  std::vector<Acceptable> all;
  for (const auto& evidence : snapshot.collectors) {
    const Judge judge(*evidence, clock.now(), clock.unix_now());
    std::set<std::string> known;
    for (const auto& [key, object] : evidence->objects)
      if (auto found = from(*evidence, key, *object, judge.judge(key, *object))) {
        // Losses have names of their own, so the object that counts them is no change of itself.
        found->is_change = found->is_change && evidence->spec->losses == nullptr;
        known.insert(found->object);
        all.push_back(std::move(*found));
      }
    if (evidence->spec->losses == nullptr || evidence->remembered == nullptr) continue;
    for (const std::string& loss : evidence->spec->losses(*evidence->remembered)) {
      std::string name = std::string(evidence->spec->name) + "/" + loss;
      if (!known.contains(name)) all.push_back({evidence->id, std::move(name), 0, true});
    }
  }
  return all;
}

std::vector<Acceptable> named(const std::vector<Acceptable>& all, const std::string& object,
                              const std::string& server, const std::string& database) {
  std::vector<Acceptable> found;
  std::copy_if(all.begin(), all.end(), std::back_inserter(found), [&](const Acceptable& one) {
    return (one.object == object || printable(one.object) == object) &&
           (server.empty() || one.at.server == server) &&
           (database.empty() || one.at.database.empty() || one.at.database == database);
  });
  return found;
}

}  // namespace pg_integrity
