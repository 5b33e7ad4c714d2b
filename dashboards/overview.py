"""The dashboard that people begin with."""
from panels import (
    BAD, COLLECTOR, GOOD, NOTHING, SEVERITY, VERDICT, VERDICT_STEPS, ZERO, Folded, dashboard, found, graph,
    series, stat, steps, timeline, words)
from queries import HEALTH, INTEGRITY, NOBODY, OVERVIEW, RECOVERY, STATE, SYNC, answer, breach, label, verdict, worst
from tables import column, table

RUNBOOK = {"title": "Runbook", "targetBlank": True, "url": "${runbooks}/${__data.fields.alertname}.md"}
REPORT = {"title": "On the report page", "targetBlank": True, "url": "http://${__data.fields.instance}/"}


def firing(more):
    return 'ALERTS{alertname=~"PgIntegrity.+", alertname!="PgIntegrityWatchdog", alertstate="firing", instance=~"$instance|",' \
        ' server=~"$server|"%s}' % more


def alerts():
    # The watchdog fires always, so that this row says that the rules are loaded.
    calm = label('0 * ALERTS{alertname="PgIntegrityWatchdog", alertstate="firing"} - 1', "alertname", "Nothing is firing")
    return table(
        "What is firing", "Alerts by rule, the most severe first. The name leads to the runbook and to the report page.",
        ["alertname", "server", "database"],
        [column("severity", "max by ($labels) (2 * %s or %s or 0 * %s or on () %s)" % (
            firing(', severity="critical"'), firing(', severity="warning"'), firing(', severity="info"'), calm),
            mappings=SEVERITY, thresholds=steps((NOTHING, None)), sort=True),
         column("alerts", "count by ($labels) (%s)" % firing(', severity!="none"'))],
        "UNKNOWN: no rules are loaded, since PgIntegrityWatchdog does not fire", links=[RUNBOOK, REPORT])


def unproven():
    nothing = label("0 * max by (instance) (%s)" % series("up"), "reason", "nothing")
    return table(
        "What could not be proved, and why",
        "Causes by reason, each once. One without a collector stops several. Not configured and pending page nobody.",
        ["reason", "collector", "database", "server"],
        [column("causes found", "max by ($labels) (%s > 0 or on () %s)" % (
            series("unproven_objects", COLLECTOR), nothing), thresholds=found("unproven"), sort=True)],
        NOBODY, to=HEALTH)


def overview():
    return dashboard(
        OVERVIEW, "pg_integrity / Validation overview",
        "Is the data intact? Could we get it back? When was each of these last proved?",
        [
            (3, [
                (5, answer("Is the data intact?", "intact",
                           "The worst answer of all databases chosen above. Violated: the last look that succeeded"
                           " broke an expectation. Unproven: nobody could look, or too long ago.", INTEGRITY)),
                (5, answer("Could we get it back?", "recoverable",
                           "The worst answer of all databases chosen above: backups of every kind, their age, missed"
                           " runs, retention, proofs; the recovery point; restore drills.", RECOVERY)),
                (5, answer("Does it answer?", "service",
                           "The worst answer of all databases chosen above: endpoints, queries, copies.", SYNC)),
                (5, stat("When was that last proved?",
                         "How long ago the most overdue collector ended its last full pass."
                         " Whether that is too long says the panel beside it.",
                         "max(time() - %s)" % series("collector_last_success_timestamp_seconds", COLLECTOR),
                         "NEVER: no look was completed", unit="s", decimals=0, to=HEALTH)),
                (4, stat("Is a proof overdue?",
                         "Collectors that have not completed a look within three intervals; the deadline is"
                         " exported.",
                         "max(time() > bool %s)" % series("collector_deadline_timestamp_seconds", COLLECTOR),
                         NOBODY, thresholds=ZERO, mappings=words({0: ("IN TIME", GOOD), 1: ("OVERDUE", BAD)}),
                         to=HEALTH)),
            ]),
            (7, [
                (12, alerts()),
                (12, table(
                    "Answers by database", "A database that vanished within the day is unproven.",
                    ["database", "server"],
                    [column(title, "max by ($labels) (%s)" % verdict(question), sort=question == "intact", **STATE)
                     for title, question in (("intact", "intact"), ("recoverable", "recoverable"), ("answers", "service"))]
                    + [breach("reachable", "up")], NOBODY, to=INTEGRITY)),
            ]),
            (7, [
                (12, table(
                    "Objects by collector, the worst first",
                    "Violated objects stay until somebody has looked again and found them repaired.",
                    ["collector", "database", "server"],
                    [column(state, worst("objects", COLLECTOR, 'state="%s"' % state), sort=state == "violated",
                            thresholds=found(state)) for state in ("violated", "unproven", "proven")],
                    NOBODY, to=INTEGRITY)),
                (12, unproven()),
            ]),
            Folded("Over time"),
            (8, [
                (24, timeline("Answers", "The three answers of each database, as they were.",
                              "max by (server, database, question) (%s)" % verdict(),
                              "{{server}} {{database}} {{question}}", NOBODY, VERDICT, VERDICT_STEPS)),
            ]),
            (8, [
                (24, graph("Objects by state",
                           "What the answers rest on. A line that drops without a deployment is a finding of its"
                           " own: something is no longer looked at.",
                           [("sum by (state) (%s)" % series("objects", COLLECTOR), "{{state}}")], NOBODY, states=True)),
            ]),
        ], runbooks=True)
