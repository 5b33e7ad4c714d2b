#include "collectors/recovery/recovery_point.h"

#include <utility>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/recovery/backup_metrics.h"

namespace pg_integrity {

using backup_metrics::kRecoveryPoint;
using backup_metrics::kRecoveryPointObjective;

void RecoveryPoint::declare(Batch& out) const {
  if (objective_) out.set(kRecoveryPointObjective, objective_->count());
}

void RecoveryPoint::begin() {
  newest_.reset();
  of_.clear();
  failure_.reset();
}

void RecoveryPoint::add(Sources& from, const std::string& source, const BackupHistory& history,
                        Batch& out) {
  bool newer = false;
  for (const auto& [name, kind] : history.kinds) {
    if (!kind.newest) continue;
    std::string of = "newest backup that counts: of kind ";
    of.append(name).append(", source ").append(source);
    if (take(from.clock().now() - kind.newest->age, std::move(of))) newer = true;
  }
  if (newer && is_newer_than_known(from)) report(from, out);
}

void RecoveryPoint::add(Sources& from, std::optional<Instant> archived, Batch& out) {
  if (!archived)
    add(SourceError(Reason::pending, "how far the archived log leads is not known yet"));
  else if (take(*archived, "archived log, from a base backup that counts") &&
           is_newer_than_known(from))
    report(from, out);
}

bool RecoveryPoint::take(Instant point, std::string of) {
  if (newest_ && point <= *newest_) return false;
  newest_ = point;
  of_ = std::move(of);
  return true;
}

void RecoveryPoint::add(const SourceError& failure) {
  if (!failure_) failure_ = failure;
}

void RecoveryPoint::conclude(Sources& from, Batch& out) const {
  const bool met = newest_ && objective_ && from.clock().now() - *newest_ <= *objective_;
  if (newest_ && (!failure_ || met || is_newer_than_known(from))) report(from, out);
  if (!objective_ || met) return;
  if (failure_)
    out.unproven(kRecoveryPoint, failure_->reason(), failure_->what());
  else if (!newest_)
    out.unproven(kRecoveryPoint, Reason::missing, "no backup that counts is on record");
}

bool RecoveryPoint::is_newer_than_known(Sources& from) const {
  const auto known = from.previous(kRecoveryPoint, std::array<std::string, 0>{});
  return known && *newest_ > known->since;
}

void RecoveryPoint::report(Sources& from, Batch& out) const {
  out.set_age(kRecoveryPoint, from.clock().now() - *newest_);
  out.evidence(kRecoveryPoint, of_);
}

}  // namespace pg_integrity
