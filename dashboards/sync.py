"""Endpoints, copies and queries."""
from panels import Folded, dashboard, graph, series
from queries import OVERVIEW, SYNC, answer, breach, counted, findings, judged, moment, worst, wrong
from tables import column, table

ENDPOINT = ["endpoint", "database", "server"]
REPLICA = ["replica", "database", "server"]
QUERY = ["query", "database", "server"]
NO_ENDPOINT, NO_COPY, NO_QUERY = "No endpoint is configured", "No copy is configured", "No query is configured"


def beyond(value, limit):
    return "sum by (instance, server, database) (%s > bool %s)" % (series(value), series(limit))


def found():
    return findings(
        [("endpoints that do not answer", counted("api_up", below=1)),
         ("endpoints that are too slow", beyond("api_slow_ratio", "api_slow_ratio_max")),
         ("rows that endpoints count otherwise", counted("api_row_difference")),
         ("copies that do not answer", counted("replica_up", below=1)),
         ("copies that are too far behind", beyond("replica_lag_seconds", "replica_lag_max_seconds")),
         ("rows that copies have otherwise", counted("replica_row_difference")),
         ("tables whose copy has other content", counted("replica_content_matches", below=1)),
         ("subscriptions that fill for too long",
          beyond("subscription_filling_seconds", "subscription_filling_max_seconds")),
         ("queries that are too slow", beyond("query_slow_ratio", "query_slow_ratio_max"))])


def queries():
    return [
        (6, [
            (24, table(
                "Queries, the worst first", "Slow runs among the last 20, and how many may be.", QUERY,
                [*judged("query_slow_ratio", "query_slow_ratio_max", "percentunit", name="slow"),
                 column("took", worst("query_last_duration_seconds"), "s"),
                 column("slow from", worst("query_objective_seconds"), "s")],
                NO_QUERY, report=["query_latency", "query"])),
        ]),
        (7, [
            (24, graph("Duration of runs", "99 of 100 runs were faster; and from when on a run is slow.",
                       [("histogram_quantile(0.99, sum by (server, database, query, le) (rate(%s[$__rate_interval])))"
                         % series("query_duration_seconds_bucket"), "{{server}} {{database}} {{query}}: 99 %"),
                        ("max by (server, database, query) (%s)" % series("query_objective_seconds"),
                         "{{server}} {{database}} {{query}}: slow")],
                       NO_QUERY, unit="s")),
        ]),
    ]


def endpoints():
    return [
        Folded("Endpoints"),
        (8, [
            (14, table(
                "Endpoints, the worst first", "Whether it answers, how fast, and how it counts.", ENDPOINT,
                [*judged("api_slow_ratio", "api_slow_ratio_max", "percentunit", name="slow"),
                 breach("answers", "api_up"),
                 column("rows", worst("api_rows")),
                 column("open rows", worst("api_unconfirmed_row_difference"))],
                NO_ENDPOINT, report=["api_sync", "endpoint"])),
            (10, table(
                "Counts, the worst first", "Rows by which an endpoint lies above, or below, the tables. No table:"
                " several together.", ["endpoint", "table", "schema", "database", "server"],
                [wrong("rows apart", "api_row_difference", sort=True)],
                "No count is configured", report=["api_sync", "endpoint"], hidden=["schema", "database", "server"])),
        ]),
        (8, [
            (12, graph("Duration of answers", "The newest answer of each endpoint, and from when on it is slow.",
                       [("max by (server, database, endpoint) (%s)" % series("api_request_duration_seconds"),
                         "{{server}} {{database}} {{endpoint}}"),
                        ("max by (server, database, endpoint) (%s)" % series("api_request_duration_max_seconds"),
                         "{{server}} {{database}} {{endpoint}}: slow")],
                       NO_ENDPOINT, unit="s")),
            (12, graph("Failed requests", "By reason; a second try that succeeds is no outage.",
                       [("sum by (server, database, endpoint, reason) (increase(%s[$__rate_interval]))"
                         % series("api_failures_total"), "{{server}} {{database}} {{endpoint}} {{reason}}")],
                       NO_ENDPOINT)),
        ]),
    ]


def copies():
    return [
        Folded("Copies and subscriptions"),
        (6, [
            (24, table(
                "Copies, the worst first", "Whether it answers, and how far it is behind, of what it may.", REPLICA,
                [*judged("replica_lag_seconds", "replica_lag_max_seconds", "s", name="behind"),
                 breach("answers", "replica_up")],
                NO_COPY, report=["replica_sync", "replica"])),
        ]),
        (6, [
            (24, table(
                "Subscriptions, the worst first", "How long the first copy of their tables takes, of what it may.",
                ["subscription", "database", "server"],
                [*judged("subscription_filling_seconds", "subscription_filling_max_seconds", "s", name="fills for"),
                 column("tables to fill", worst("subscription_unfilled_tables"))],
                "No database subscribes", report=["subscriptions", "subscription"])),
        ]),
        (8, [
            (24, table(
                "Tables of copies, the worst first", "Rows more, or less, than the database, that are not on their way;"
                " whether their content is the same. Open: the next look decides.",
                ["table", "schema", *REPLICA],
                [breach("same content", "replica_content_matches", sort=True),
                 wrong("rows apart", "replica_row_difference"),
                 column("open rows", worst("replica_unconfirmed_row_difference"))],
                NO_COPY, report=["replica_sync", "replica", "schema", "table"])),
        ]),
    ]


def sync():
    return dashboard(
        SYNC, "pg_integrity / Sync and latency",
        "Do endpoints, copies and queries answer as promised, and the same as the database?",
        [
            (6, [(6, answer("Does it answer as promised?", "service",
                            "The worst answer of all databases chosen above.", OVERVIEW)),
                 (18, found())]),
            *queries(), *endpoints(), *copies(),
            Folded("Failed runs, and what is accepted"),
            (8, [
                (12, graph("Failed runs", "Runs of queries that failed, by reason.",
                           [("sum by (server, database, query, reason) (increase(%s[$__rate_interval]))"
                             % series("query_failures_total"), "{{server}} {{database}} {{query}} {{reason}}")],
                           NO_QUERY)),
                (12, table(
                    "Accepted until", "Damage and losses that somebody has accepted. The report says who, and why.",
                    ["object", "database", "server"],
                    [column("until", moment("accepted_until_timestamp_seconds"), "dateTimeAsIso", sort=True)],
                    "Nothing is accepted")),
            ]),
        ])
