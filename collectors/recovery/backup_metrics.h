// The metrics of the collector of backups. They are constants and not inline. An expectation holds
// the address of one, and under UBSan GCC 12 cannot tell whether the address of an inline variable
// is null.
#pragma once

#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"

namespace pg_integrity::backup_metrics {

constexpr auto kLastSuccess = past_event(
    gauge("pg_integrity_backup_last_success_timestamp_seconds",
          "Time of the newest backup of a kind that counts, Unix time.", "source", "kind"));
constexpr auto kMaxAge = gauge(
    "pg_integrity_backup_max_age_seconds",
    "Objective of backup_age_seconds: schedule plus grace, and an hour for clock changes where "
    "it names times of the day.",
    "source", "kind");
constexpr auto kAge =
    age("pg_integrity_backup_age_seconds",
        "Seconds since the newest known backup of a kind that counts.",
        at_most(kMaxAge).says(
            "The newest {kind} backup of {source} is {value} old, it may be {limit} old."),
        "source", "kind");
constexpr auto kSize =
    past_event(gauge("pg_integrity_backup_last_size_bytes",
                     "Size of the newest backup of a kind that counts.", "source", "kind"));
constexpr auto kSizeRatioMin =
    gauge("pg_integrity_backup_size_ratio_min", "Configured lower limit of backup_size_ratio.",
          "source", "kind");
constexpr auto kSizeRatio = past_event(
    gauge("pg_integrity_backup_size_ratio",
          "Size of the newest backup that counts to the median of up to seven before it.",
          at_least(kSizeRatioMin)
              .says("The newest {kind} backup of {source} has {value} of the usual size, it must "
                    "have at least {limit}."),
          "source", "kind"));
constexpr auto kRoomRatioMin =
    gauge("pg_integrity_backup_room_ratio_min", "Configured lower limit of backup_room_ratio.",
          "source", "kind");
constexpr auto kRoomRatio =
    gauge("pg_integrity_backup_room_ratio",
          "Free bytes where the backups are to the size of the largest of the up to seven newest "
          "that count.",
          at_least(kRoomRatioMin)
              .says("There is room for {value} of the next {kind} backup of {source}, there must "
                    "be room for {limit}."),
          "source", "kind");
constexpr auto kLocationsMin =
    gauge("pg_integrity_backup_locations_min", "Configured lower limit of backup_locations.",
          "source", "kind");
constexpr auto kLocations = gauge(
    "pg_integrity_backup_locations",
    "Places that hold a backup which counts and is not older than backup_max_age_seconds: the "
    "source's own and those of its copies.",
    at_least(kLocationsMin)
        .says("A recent {kind} backup of {source} is in {value} {place|places}, it must be in at "
              "least "
              "{limit}."),
    "source", "kind");
constexpr auto kMissedRuns = past_event(
    gauge("pg_integrity_backup_missed_runs",
          "Scheduled runs since the newest success that did not leave one.",
          must_be(0).says("{value} scheduled {kind} {backup|backups} of {source} failed or did "
                          "not run since the newest success."),
          "source", "kind"));
constexpr auto kInfo = past_event(
    gauge("pg_integrity_backup_info",
          "Always 1; says where the newest backup's time was taken from: table, catalogue, header, "
          "name or mtime.",
          "source", "kind", "time_source"));
constexpr auto kProofLevelMin = gauge(
    "pg_integrity_backup_proof_level_min",
    "Objective of backup_proof_level: what a backup must have reached to count.", "source", "kind");
constexpr auto kProofLevel = past_event(
    gauge("pg_integrity_backup_proof_level",
          "How far the newest backup that counts was proved: 0 on record, 1 plausible, 2 contents "
          "read, 3 decoded, 4 restored, 5 compared.",
          at_least(kProofLevelMin)
              .says("The newest {kind} backup of {source} is proved to level {value}, it must be "
                    "proved to level {limit}."),
          "source", "kind"));
constexpr auto kProofFailed = past_event(gauge(
    "pg_integrity_backup_proof_failed",
    "Backups that are there and that a proof found damaged; only where proofs are recorded.",
    must_be(0).says("{value} {kind} {backup|backups} of {source} {is|are} there and damaged."),
    "source", "kind"));
constexpr auto kLogMissing = past_event(
    gauge("pg_integrity_backup_wal_missing",
          "Base backups that are there and lack a part of the log that they need up to their stop: "
          "it is neither in them nor in `wal_archive`.",
          must_be(0).says("{value} {kind} {backup|backups} of {source} {lacks a part of the log "
                          "that it needs|lack a part of the log that they need}."),
          "source", "kind"));
constexpr auto kProvenAge =
    age("pg_integrity_backup_proven_age_seconds",
        "Age of the newest backup that was looked into: of proof level 2 or more.", Expectation{},
        "source", "kind");
constexpr auto kBackups = gauge("pg_integrity_backups",
                                "Backups on record, by kind and status: success, failed, "
                                "running, stuck (running for too long) or "
                                "other.",
                                "source", "kind", "status");
constexpr auto kUnrecognised =
    gauge("pg_integrity_backup_unrecognised_rows",
          "Rows of the history table that are of no declared and no ignored kind.", "source");
constexpr auto kRetentionMin = gauge("pg_integrity_backup_retention_min_seconds",
                                     "How old the oldest backup must be: `retention`, less one run "
                                     "with its grace, since a rotation has just removed one.",
                                     "source");
constexpr auto kRetention = past_event(gauge(
    "pg_integrity_backup_retention_seconds",
    "Age of the oldest backup that counts and is still there.",
    at_least(kRetentionMin)
        .says("The oldest backup of {source} is {value} old, and backups must reach back {limit}."),
    "source"));
constexpr auto kOldest = past_event(
    gauge("pg_integrity_backup_oldest_timestamp_seconds",
          "Time of the oldest backup that counts and is still there, Unix time.", "source"));
constexpr auto kCatalogueMaxAge = gauge("pg_integrity_backup_catalogue_max_age_seconds",
                                        "Objective of backup_catalogue_age_seconds.", "source");
constexpr auto kCatalogueAge = age(
    "pg_integrity_backup_catalogue_age_seconds",
    "Seconds since the file was written that says which backups there are.",
    at_most(kCatalogueMaxAge)
        .says("The list of backups of {source} was written {value} ago, it may be {limit} old."),
    "source");
constexpr auto kBucketRequests =
    counter("pg_integrity_backup_bucket_requests_total",
            "Requests to the object storage of a source, as they are charged for.", "source");
constexpr auto kBucketBytes =
    counter("pg_integrity_backup_bucket_received_bytes_total",
            "Bytes that the object storage of a source sent, headers included.", "source");
constexpr auto kBucketMaxRequests =
    gauge("pg_integrity_backup_bucket_max_requests",
          "Requests that may be made of the object storage in a day (UTC).", "source");
constexpr auto kBucketMaxBytes =
    gauge("pg_integrity_backup_bucket_max_bytes",
          "Bytes that may be received of the object storage in a day (UTC).", "source");
constexpr auto kRecoveryPointObjective =
    gauge("pg_integrity_recovery_point_objective_seconds",
          "Configured objective of recovery_point_age_seconds.");
constexpr auto kRecoveryPoint =
    age("pg_integrity_recovery_point_age_seconds",
        "Age of the newest provably recoverable point: of what would be lost. A replica never "
        "counts.",
        at_most(kRecoveryPointObjective)
            .says("If the server were lost now, changes of the last {value} would be lost with it, "
                  "at most {limit} may."));

constexpr const MetricInfo* kAll[] = {&kLastSuccess,
                                      &kAge,
                                      &kMaxAge,
                                      &kSize,
                                      &kMissedRuns,
                                      &kInfo,
                                      &kProofLevel,
                                      &kProofLevelMin,
                                      &kProofFailed,
                                      &kLogMissing,
                                      &kProvenAge,
                                      &kBackups,
                                      &kUnrecognised,
                                      &kRetention,
                                      &kRetentionMin,
                                      &kOldest,
                                      &kRecoveryPoint,
                                      &kRecoveryPointObjective,
                                      &kCatalogueAge,
                                      &kCatalogueMaxAge,
                                      &kSizeRatio,
                                      &kSizeRatioMin,
                                      &kRoomRatio,
                                      &kRoomRatioMin,
                                      &kLocations,
                                      &kLocationsMin,
                                      &kBucketRequests,
                                      &kBucketBytes,
                                      &kBucketMaxRequests,
                                      &kBucketMaxBytes};

}  // namespace pg_integrity::backup_metrics
