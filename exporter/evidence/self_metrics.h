// The exporter's metrics of itself and of the health of its collectors. They are on the page from
// the start of the process, whether the database is up or not.
#pragma once

#include <array>

#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"

namespace pg_integrity::self {

// Metrics of the process.
inline constexpr auto kBuildInfo =
    gauge("pg_integrity_build_info", "Always 1; which build this is.", "version", "revision");
inline constexpr auto kReloadSuccessful = gauge(
    "pg_integrity_config_last_reload_successful",
    "1 if the newest attempt to read the configuration succeeded; else the one before is in force.",
    must_be(1).says("The newest reload of the configuration failed, the one before is in force."));
inline constexpr auto kHttpConnections =
    gauge("pg_integrity_http_connections", "Connections that the HTTP server is busy with.");
inline constexpr auto kCertificateExpires = gauge(
    "pg_integrity_tls_certificate_expiry_timestamp_seconds",
    "When the certificate that the HTTP server shows expires, Unix time. Absent without TLS.");

// Metrics of a server (label `server`).
inline constexpr auto kSessions = gauge(
    "pg_integrity_exporter_sessions",
    "Our sessions with the server: open, connecting, or abandoned (cut off at a deadline, and "
    "not yet closed by the server).",
    "state");

// Metrics of a database (labels `server`, `database`).
inline constexpr auto kUp =
    gauge("pg_integrity_up", "1 if the newest attempt to talk to the database succeeded.",
          must_be(1).says("The newest attempt to talk to the database failed, so that nothing "
                          "about it can be proved."));
inline constexpr auto kVerdict = gauge(
    "pg_integrity_verdict",
    "1 for the state that answers the question now, 0 for the others: proven, violated, unproven.",
    "question", "state");

// Metrics of a collector (labels `server` and, unless it is about the whole server, `database`).
inline constexpr auto kObjects = gauge(
    "pg_integrity_objects",
    "Objects by state: proven, violated, unproven, accepted (known damage), observed (not judged), "
    "limited (cannot be checked, and never was), excluded (by configuration).",
    "collector", "state");
inline constexpr auto kUnprovenObjects = gauge(
    "pg_integrity_unproven_objects",
    "What keeps objects from being proven, by reason. A cause counts once, whatever number of "
    "objects it stops. It has no label `collector` if it stops several collectors.",
    "collector", "reason");
inline constexpr auto kGoneObjects = gauge(
    "pg_integrity_gone_objects",
    "Violated objects that have vanished. They stay violated until they are accepted or are back.",
    must_be(0).says(
        "{value} violated {object|objects} of the collector {collector} {has|have} vanished."
        " That repairs nothing."),
    "collector");
inline constexpr auto kAcceptedUntil = gauge(
    "pg_integrity_accepted_until_timestamp_seconds",
    "Until when the damage or the loss of an object is accepted, Unix time. Who accepts it, and"
    " why, is in the report.",
    "collector", "object");
inline constexpr auto kSuccess = gauge(
    "pg_integrity_collector_success",
    "1 if the collector's newest attempt succeeded, or has come further than one that failed.",
    must_be(1).says("The newest attempt of the collector {collector} failed."), "collector");
inline constexpr auto kInterval = gauge(
    "pg_integrity_collector_interval_seconds",
    "Target between complete passes: as configured, or longer where max_load makes a pass longer.",
    "collector");
inline constexpr auto kDuration =
    gauge("pg_integrity_collector_duration_seconds",
          "How long the last complete pass took, rests for max_load included.", "collector");
inline constexpr auto kLastSuccess =
    gauge("pg_integrity_collector_last_success_timestamp_seconds",
          "When the last complete pass ended, Unix time.", "collector");
inline constexpr auto kFullCheckInterval =
    gauge("pg_integrity_collector_full_check_interval_seconds",
          "Longest time that passes are left out because nothing was committed.", "collector");
inline constexpr auto kLastFullCheck =
    gauge("pg_integrity_collector_last_full_check_timestamp_seconds",
          "When the last complete pass ended that was not left out, Unix time.", "collector");
inline constexpr auto kDeadline = gauge(
    "pg_integrity_collector_deadline_timestamp_seconds",
    "When the next complete pass is overdue: three intervals after the last one, or after the "
    "start of the process, Unix time.",
    "collector");
inline constexpr auto kRuns =
    counter("pg_integrity_collector_runs_total",
            "Attempts of the collector, by outcome: success, failure, or unchanged, if it was left "
            "out because nothing was committed.",
            "collector", "outcome");
inline constexpr auto kFailures = counter("pg_integrity_collector_failures_total",
                                          "Failed attempts, by reason.", "collector", "reason");
inline constexpr auto kDatabaseSeconds =
    counter("pg_integrity_collector_database_seconds_total",
            "Time that sessions were busy for the collector.", "collector");
inline constexpr auto kSeriesDropped = gauge(
    "pg_integrity_series_dropped", "Series left out because the cap was reached.",
    must_be(0).says("{value} series of the collector {collector} {is|are} left out of the page."),
    "collector");

inline constexpr std::array<const MetricInfo*, 4> kProcessMetrics{
    &kBuildInfo, &kReloadSuccessful, &kHttpConnections, &kCertificateExpires};
inline constexpr std::array<const MetricInfo*, 1> kServerMetrics{&kSessions};
inline constexpr std::array<const MetricInfo*, 2> kDatabaseMetrics{&kUp, &kVerdict};
inline constexpr std::array<const MetricInfo*, 15> kCollectorMetrics{
    &kObjects,  &kUnprovenObjects,   &kGoneObjects,   &kAcceptedUntil,   &kSuccess,
    &kInterval, &kDuration,          &kLastSuccess,   &kDeadline,        &kRuns,
    &kFailures, &kFullCheckInterval, &kLastFullCheck, &kDatabaseSeconds, &kSeriesDropped};

}  // namespace pg_integrity::self
