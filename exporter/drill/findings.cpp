#include "exporter/drill/findings.h"

#include "exporter/drill/archive_tools.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kNamed = 50;  ///< most reasons in a record

}  // namespace

void DrillFindings::take(const Ended& ended, const std::string& user) {
  const std::size_t before = faults_.size() + doubts_.size();
  for (const RestoreFault& fault : faults_in(ended.errors, user)) {
    objects_lack_here_ = objects_lack_here_ || fault.blame == Blame::objects;
    broke_here_ = broke_here_ || fault.blame == Blame::accident;
    fault.blame == Blame::backup ? fail(fault.what) : doubt(fault.what);
  }
  if (!ended.good() && before == faults_.size() + doubts_.size()) doubt(ended.last_word());
}

void DrillFindings::conclude(DrillRecord& record) {
  if (broke_here_) {
    doubts_.insert(doubts_.end(), faults_.begin(), faults_.end());
    faults_.clear();
  }
  if (!faults_.empty())
    record.outcome = DrillOutcome::failed;
  else if (!doubts_.empty())
    record.outcome = DrillOutcome::unproven;
  else
    record.outcome = DrillOutcome::success;
  for (const auto* reasons : {&faults_, &doubts_})
    for (const std::string& reason : *reasons)
      if (record.reasons.size() < kNamed) record.reasons.push_back(reason);
}

}  // namespace pg_integrity
