"""Parts of the expressions that several dashboards ask for, and the panels made of them. See generate.py."""
from panels import BAD, BREACH, DATABASE, NOTHING, SERVER, VERDICT, VERDICT_STEPS, ZERO, series, stat, words
from tables import column, table

OVERVIEW, INTEGRITY, RECOVERY = "pg-integrity-overview", "pg-integrity-integrity", "pg-integrity-recovery"
AUDIT, SYNC, HEALTH = "pg-integrity-audit", "pg-integrity-sync", "pg-integrity-exporter"

NOBODY = "UNKNOWN: no exporter answers"
STATE = {"thresholds": VERDICT_STEPS, "mappings": VERDICT}


def worst(metric, scope=DATABASE, more=""):
    """The value of each row of a table, and the greatest one where instances disagree."""
    return "max by ($labels) (%s)" % series(metric, scope, more)


def least(metric, scope=DATABASE, more=""):
    return "min by ($labels) (%s)" % series(metric, scope, more)


def moment(metric, scope=DATABASE):
    """A time, in the milliseconds that Grafana takes."""
    return "1000 * max by ($labels) (%s)" % series(metric, scope)


def kept(value, limit, scope=DATABASE, at_least=False):
    """2 is violated, 1 unproven: there is an objective and no value. 0 is proven."""
    return "max by ($labels) (2 * (%s %s bool %s) or 0 * %s + 1)" % (
        series(value, scope), "<" if at_least else ">", series(limit, scope), series(limit, scope))


def judged(value, limit, unit, scope=DATABASE, at_least=False, name="now"):
    """Three columns: the state, the value and its objective."""
    return [
        column("state", kept(value, limit, scope, at_least), sort=True, **STATE),
        column(name, worst(value, scope), unit),
        column(("least " if at_least else "most ") + name if unit == "locale" else "at least" if at_least else "at most",
               worst(limit, scope), unit)]


def breach(name, metric, scope=DATABASE, sort=False):
    """A column that says NO in red where a metric that should be 1 is not."""
    return column(name, "max by ($labels) (%s < bool 1)" % series(metric, scope), thresholds=ZERO, mappings=BREACH,
                  sort=sort)


def alarm(name, metric, scope=DATABASE, sort=False):
    """A column that says its own name in red where a metric that should be 0 is not."""
    return column(name, worst(metric, scope), thresholds=ZERO, mappings=words({0: ("no", NOTHING), 1: (name.upper(), BAD)}),
                  sort=sort)


def wrong(name, metric, scope=DATABASE, sort=False):
    """A column with a number that should be 0."""
    return column(name, worst(metric, scope), thresholds=ZERO, sort=sort)


def verdict(question=None):
    """2 is violated, 1 unproven, 0 proven. A database that was watched within the day and is no longer on the page
    is unproven."""
    only = 'question="%s"' % question if question else ""

    def state(name):
        return series("verdict", DATABASE, ", ".join(filter(None, [only, 'state="%s"' % name])))

    return (
        "2 * %s or %s or last_over_time(%s[1d]) * 0 + 1 unless %s"
        % (state("violated"), state("unproven"), state("proven"), state("proven")))


def answer(title, question, description, to):
    return stat(title, description, "max(%s)" % verdict(question), NOBODY, to=to, **STATE)


def label(expression, name, text):
    return 'label_replace(%s, "%s", "%s", "", "")' % (expression, name, text)


def findings(kinds):
    """A table of the numbers that must be 0. A kind that nobody watches has no row. Without any there is a row that
    says so, which is no 0.

    `kinds`: pairs of what is counted and the expression, aggregated by instance, server and database.
    """
    every = " or ".join(label(expression, "what", what) for what, expression in kinds)
    none = label("NaN * max by (instance) (%s)" % series("up"), "what", "nothing is judged: no objective is configured")
    return table(
        "What was found", "Numbers that must be 0. What nobody watches is not here.", ["what", "database", "server"],
        [column("found", "max by ($labels) (%s or on () %s)" % (every, none), thresholds=ZERO, sort=True)], NOBODY)


def counted(metric, scope=DATABASE, below=None):
    """For findings(). `below`: count the series that are less, instead of adding them up."""
    value = "%s < bool %s" % (series(metric, scope), below) if below is not None else "abs(%s)" % series(metric, scope)
    return "sum by (instance, server, database) (%s)" % value


def promises(kinds, title, description, no_value, to=None):
    """A table of the objectives of time. One that is not configured has no row.

    `kinds`: what it is, its value, its objective, whether it is a least one, and the labels that name its object.
    """
    def every(expression_of):
        return "max by ($labels) (%s)" % " or ".join(
            label('label_join(%s, "of", " ", %s)' % (
                expression_of(value, limit, at_least), ", ".join('"%s"' % name for name in of)), "what", what)
            for what, value, limit, at_least, of in kinds)

    def state(value, limit, at_least):
        return "(2 * (%s %s bool %s) or 0 * %s + 1)" % (
            series(value, SERVER), "<" if at_least else ">", series(limit, SERVER), series(limit, SERVER))

    return table(
        title, description, ["what", "of", "server"],
        [column("state", every(state), sort=True, **STATE),
         column("now", every(lambda value, limit, at_least: series(value, SERVER)
                             + " and " + series(limit, SERVER)), "s"),
         column("promised", every(lambda value, limit, at_least: series(limit, SERVER)), "s")],
        no_value, to=to, names={"what": 230})


PROMISES = [
    ("age of the newest backup, at most", "backup_age_seconds", "backup_max_age_seconds", False, ("source", "kind")),
    ("what would be lost now, at most", "recovery_point_age_seconds", "recovery_point_objective_seconds", False, ("nothing",)),
    ("time to restore, at most", "restore_drill_duration_seconds", "restore_drill_objective_seconds", False,
     ("source", "kind")),
    ("age of the newest drill, at most", "restore_drill_age_seconds", "restore_drill_max_age_seconds", False,
     ("source", "kind")),
    ("backups go back, at least", "backup_retention_seconds", "backup_retention_min_seconds", True, ("source",)),
    ("age of the list, at most", "backup_catalogue_age_seconds", "backup_catalogue_max_age_seconds", False, ("source",)),
    ("age of the archived log, at most", "wal_archive_age_seconds", "wal_archive_max_age_seconds", False, ("nothing",)),
    ("lag of the standby, at most", "standby_lag_seconds", "standby_lag_max_seconds", False, ("standby",)),
]
