"""Whether the exporter sees everything, and at what cost."""
from panels import BAD, COLLECTOR, FACT, GOOD, SERVER, ZERO, Folded, dashboard, graph, series, stat, steps, words
from queries import HEALTH, NOBODY, breach, worst, wrong
from tables import column, table

COLLECTORS = ["collector", "database", "server"]
YES_OR_NO = {"thresholds": steps((BAD, None), (GOOD, 1)), "mappings": words({0: ("NO", BAD), 1: ("YES", GOOD)})}
PROCESS = 'instance=~"$instance"'
OURS = " and on (job, instance) pg_integrity_build_info"


def zero(title, description, expression):
    return stat(title, description, expression, "UNKNOWN", thresholds=ZERO)


def top():
    build = 'pg_integrity_build_info{instance=~"$instance"}'
    return (3, [
        (4, stat("Does it answer?", "The worst of the instances chosen above, within the day.",
                 "min(%s * 0 + 1 or last_over_time(%s[1d]) * 0 unless %s)" % ((build,) * 3), NOBODY, **YES_OR_NO)),
        (4, stat("Are databases up?", "The worst of those chosen above.", "min(%s)" % series("up"), NOBODY, **YES_OR_NO)),
        (4, zero("Collectors failing", "Whose newest attempt failed.",
                 "sum(%s < bool 1)" % series("collector_success", COLLECTOR))),
        (4, zero("Collectors overdue", "Without a complete pass for three intervals.",
                 "sum(time() > bool %s)" % series("collector_deadline_timestamp_seconds", COLLECTOR))),
        (4, zero("Series left out", "Because the cap was reached; what is left out is still judged.",
                 "sum(%s)" % series("series_dropped", COLLECTOR))),
        (4, stat("Configuration", "Whether the newest reload succeeded; else the one before is in force.",
                 'min(pg_integrity_config_last_reload_successful{instance=~"$instance"})', NOBODY,
                 thresholds=steps((BAD, None), (GOOD, 1)),
                 mappings=words({0: ("REFUSED", BAD), 1: ("IN FORCE", GOOD)}))),
    ])


def collectors():
    passed = series("collector_last_success_timestamp_seconds", COLLECTOR)
    deadline = series("collector_deadline_timestamp_seconds", COLLECTOR)
    return table(
        "Collectors, the latest first",
        "How long ago the last complete pass ended, and when that is too long: after three intervals.", COLLECTORS,
        [column("late", "max by ($labels) (time() > bool %s)" % deadline, thresholds=ZERO,
                mappings=words({0: ("IN TIME", GOOD), 1: ("OVERDUE", BAD)}), sort=True),
         column("passed before", "max by ($labels) (time() - %s)" % passed, "s"),
         column("at most", "max by ($labels) (%s - %s)" % (deadline, passed), "s"),
         breach("succeeds", "collector_success", COLLECTOR),
         column("pass took", worst("collector_duration_seconds", COLLECTOR), "s"),
         column("interval", worst("collector_interval_seconds", COLLECTOR), "s"),
         wrong("series left out", "series_dropped", COLLECTOR)],
        NOBODY, report=["${__data.fields.collector}"])


def health():
    return dashboard(
        HEALTH, "pg_integrity / Exporter health", "Does the exporter see everything, and at what cost?",
        [
            top(),
            (11, [(24, collectors())]),
            "What it costs the database",
            (8, [
                (12, graph("Share of a session's time", "How busy each collector keeps the server; max_load bounds the"
                           " sum.",
                           [("sum by (server, collector) (rate(%s[$__rate_interval]))"
                             % series("collector_database_seconds_total", COLLECTOR), "{{server}} {{collector}}")],
                           NOBODY, unit="percentunit")),
                (12, graph("Our sessions", "Open, connecting, and abandoned: cut off at a deadline, and not yet closed by"
                           " the server.",
                           [("max by (server, state) (%s)" % series("exporter_sessions", SERVER),
                             "{{server}} {{state}}")], NOBODY)),
            ]),
            Folded("Attempts and servers"),
            (8, [(24, graph("Bytes of backups read a second", "By the exporter; proof_rate bounds them.",
                            [("sum by (server, source) (rate(%s[$__rate_interval]))"
                              % series("backup_read_bytes_total", SERVER), "{{server}} {{source}}")],
                            "No backup is read here", unit="bytes"))]),
            (8, [
                (8, graph("Requests to buckets", "Of the object storages of sources, as they are charged for.",
                          [("sum by (server, source) (rate(%s[$__rate_interval]))"
                            % series("backup_bucket_requests_total", SERVER), "{{server}} {{source}}")],
                          "No backup is in a bucket", unit="cps")),
                (8, graph("Bytes from buckets a second", "Headers included.",
                          [("sum by (server, source) (rate(%s[$__rate_interval]))"
                            % series("backup_bucket_received_bytes_total", SERVER), "{{server}} {{source}}")],
                          "No backup is in a bucket", unit="bytes")),
                (8, table("What buckets may cost in a day", "When this is spent, the kinds of the source are unproven.",
                          ["source", "server"],
                          [column("requests", worst("backup_bucket_max_requests", SERVER), sort=True),
                           column("received", worst("backup_bucket_max_bytes", SERVER), "bytes")],
                          "No backup is in a bucket")),
            ]),
            (8, [
                (12, graph("Attempts", "Of all collectors, by outcome.",
                           [("sum by (outcome) (rate(%s[$__rate_interval]))"
                             % series("collector_runs_total", COLLECTOR), "{{outcome}}")], NOBODY, unit="cps")),
                (12, graph("Failures by reason", "Connect and auth: the way to the server. Permission: our rights.",
                           [("sum by (server, collector, reason) (increase(%s[$__rate_interval]))"
                             % series("collector_failures_total", COLLECTOR), "{{server}} {{collector}} {{reason}}")],
                           "No attempt has failed since the exporter began")),
            ]),
            (8, [(24, table(
                "Passes that were not left out, the oldest first",
                "A pass is left out while nothing is committed, but not for longer than the second time.", COLLECTORS,
                [column("full check before", "max by ($labels) (time() - %s)" % series(
                    "collector_last_full_check_timestamp_seconds", COLLECTOR), "s", sort=True),
                 column("at most", worst("collector_full_check_interval_seconds", COLLECTOR), "s")],
                "No pass has ended"))]),
            (8, [
                (12, graph("Clock offset", "The server's clock minus the exporter's; ages are measured by one clock each.",
                           [("max by (server) (%s)" % series("clock_offset_seconds", SERVER), "{{server}}")],
                           "No server has been reached", unit="s")),
                (12, table(
                    "Servers", "What they say of themselves. Two primaries of one cluster are on different timelines.",
                    ["server", "version", "role", "system_identifier"],
                    [column("known", worst("server_info", SERVER), mappings=FACT)], "No server has been reached",
                    names={"version": 90, "role": 90})),
            ]),
            (6, [(24, table(
                "Primaries", "Two servers of one identifier on different timelines go different ways.",
                ["server", "system_identifier", "timeline"],
                [column("primary", worst("server_writable", SERVER), mappings=FACT)], "No server has been reached"))]),
            Folded("The process"),
            (8, [
                (8, graph("Memory", "Resident memory of the process.",
                          [("process_resident_memory_bytes{%s}%s" % (PROCESS, OURS), "{{instance}}")], NOBODY,
                          unit="bytes")),
                (8, graph("CPU", "As a share of one core.",
                          [("rate(process_cpu_seconds_total{%s}[$__rate_interval])%s" % (PROCESS, OURS), "{{instance}}")],
                          NOBODY, unit="percentunit")),
                (8, graph("HTTP connections", "That the exporter's server is busy with.",
                          [('pg_integrity_http_connections{instance=~"$instance"}', "{{instance}}")], NOBODY)),
            ]),
            (5, [
                (18, table("Builds", "Which build each instance is.", ["version", "revision"],
                           [column("instances", 'count by ($labels) (pg_integrity_build_info{instance=~"$instance"})')],
                           NOBODY)),
                (6, stat("Certificate lasts for", "Until the certificate of the port expires; the shortest of all instances.",
                         'min(pg_integrity_tls_certificate_expiry_timestamp_seconds{instance=~"$instance"} - time())',
                         "No TLS", unit="s")),
            ]),
        ])
