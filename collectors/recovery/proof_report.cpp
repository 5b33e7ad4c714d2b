#include "collectors/recovery/proof_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "collectors/base/errors.h"
#include "collectors/base/units.h"
#include "collectors/options/proof_level.h"

namespace pg_integrity {

namespace {

std::string words_for(const NewestProof& proof, Seconds age) {
  const std::string name = proof.record.path.substr(proof.record.path.rfind('/') + 1);
  std::string text =
      name + " was " + proof.how + " " + format_duration(Seconds(std::floor(age.count()))) + " ago";
  if (!proof.why_sure.empty()) text += ": " + proof.why_sure;
  if (proof.rows > 0) text += ", " + whole_number(proof.rows) + " rows";
  return text;
}

std::string what_would_prove(const ProvedKind& kind, const ReadBackups& read_backups,
                             const std::optional<NowReading>& reading) {
  if (reading)
    return reading->name + " is being read: " + whole_number(reading->bytes) + " of " +
           whole_number(reading->size) + " bytes";
  if (!kind.newest) {
    if (kind.rejected)
      return "the newest, " + kind.rejected->name + ", does not count: " + kind.rejected->why;
    return "there is none to read";
  }
  if (!kind.postponed.empty()) return kind.newest->name + ": " + kind.postponed;
  if (!kind.readable)
    return "it is on a network file system, or is not to be read. HINT: `proof = true` reads it, "
           "and a drill proves more: pg_integrity_exporter drill";
  if (const ReadBackup* known =
          read_backups.of(kind.directory + "/" + kind.newest->name, kind.newest->entry);
      known != nullptr && known->proof.level < ProofLevel::contents)
    return kind.newest->name + ": " + known->how;
  return kind.newest->name + " waits to be read";
}

}  // namespace

std::string whole_number(double value) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.0f", value);
  return digits;
}

void report_proof(const ProvedKind& kind, const ReadBackups& read,
                  const std::vector<ProofRecord>& drills, const std::optional<NowReading>& reading,
                  UnixTime now, Batch& out) {
  using proof_metrics::kAge;
  using proof_metrics::kProved;
  using proof_metrics::kReading;
  const auto proof = newest_proof(kind, read, drills);
  if (!proof && !kind.promised && !kind.newest) return;
  const Seconds age(proof ? std::max(0.0, now - proof->record.checked_at) : 0);
  if (proof) out.set_age(kAge, age, kind.source, kind.kind);
  if (reading && reading->size > 0)
    out.set(kReading, std::min(1.0, reading->bytes / reading->size), kind.source, kind.kind);
  const std::string said = proof ? words_for(*proof, age) : "no backup of it is proved";
  if (proof && now <= proof->until) {
    out.set(kProved, 1, kind.source, kind.kind);
    out.evidence(kProved, said, kind.source, kind.kind);
    return;
  }
  if (kind.promised_age && proof) out.set(kProved, 0, kind.source, kind.kind);
  const std::string why = said + "; " + what_would_prove(kind, read, reading);
  if (kind.promised_age && proof)
    out.evidence(kProved, why, kind.source, kind.kind);
  else
    out.unproven(kProved, Reason::not_proved, why, kind.source, kind.kind);
}

}  // namespace pg_integrity
