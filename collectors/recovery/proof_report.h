// Reports what is proved of a kind of backup, and what would prove it. No state; safe on any
// thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/batch.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/recovery/drill_records.h"
#include "collectors/recovery/proof_state.h"
#include "collectors/recovery/read_backups.h"

namespace pg_integrity {

namespace proof_metrics {

constexpr auto kProved =
    gauge("pg_integrity_backup_proved",
          "1 if a backup of the kind was read to its end, or restored by a drill, within "
          "backup_proof_max_age_seconds; 0 if not and `proof_max_age` is set; else absent.",
          must_be(1).says("No {kind} backup of {source} was read to its end or restored within "
                          "`proof_max_age`."),
          "source", "kind");
constexpr auto kMaxAge =
    gauge("pg_integrity_backup_proof_max_age_seconds",
          "How old the newest proof of a kind of backup may be.", "source", "kind");
constexpr auto kAge =
    age("pg_integrity_backup_proof_age_seconds",
        "Seconds since a backup of the kind was last read to its end, or restored "
        "by a drill.",
        Expectation{}, "source", "kind");
constexpr auto kReading =
    gauge("pg_integrity_backup_reading_ratio",
          "How much of a backup of the kind was read, while it is being read.", "source", "kind");
constexpr auto kBytes =
    counter("pg_integrity_backup_read_bytes_total", "Bytes of backups that were read.", "source");

constexpr const MetricInfo* kMetrics[] = {&kProved, &kMaxAge, &kAge, &kReading, &kBytes};

}  // namespace proof_metrics

/// Why a backup that was read without a fault is not proved.
inline constexpr std::string_view kNoDigest =
    "its form is right, but it has no checksums, so damage may keep the form. HINT: note its "
    "digest "
    "when it is taken, `sha256sum FILE > FILE.sha256`, or take it by `drill --record`, or run "
    "drills";

/// The backup of a kind that is being read.
struct NowReading {
  std::string name;
  double bytes = 0;  ///< read so far
  double size = 0;
};

std::string whole_number(double value);

void report_proof(const ProvedKind& kind, const ReadBackups& read,
                  const std::vector<ProofRecord>& drills, const std::optional<NowReading>& reading,
                  UnixTime now, Batch& out);

}  // namespace pg_integrity
