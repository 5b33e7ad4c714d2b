"""Building blocks of Grafana's dashboard JSON: panels, their layout, variables. See generate.py."""

SCHEMA_VERSION = 39  # Grafana 10.3 and later read it
COLUMNS = 24
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}

# A state has one colour everywhere, and a word beside it. The colour-blind can tell the colours apart, too (Okabe and
# Ito's, but for red and amber, which must not be taken for each other).
GOOD, BAD, UNSURE = "#009E73", "#CC3311", "#FFB300"
STATES = {
    "violated": BAD, "unproven": UNSURE, "proven": GOOD, "accepted": "#0072B2", "limited": "#56B4E9",
    "observed": "#999999", "excluded": "#CC79A7"}
NEUTRAL = "#56B4E9"
NOTHING = "transparent"

# Which series a dashboard shows: of the server alone, of a database, and of collectors, of which some are
# about the whole server and have no database.
SERVER = 'instance=~"$instance", server=~"$server"'
DATABASE = SERVER + ', database=~"$database"'
COLLECTOR = SERVER + ', database=~"$database|"'


def series(metric, scope=DATABASE, more=""):
    return "pg_integrity_%s{%s%s}" % (metric, scope, ", " + more if more else "")


def steps(*pairs):
    """Thresholds: pairs of colour and the value from which it counts, the first from minus infinity."""
    return {"mode": "absolute", "steps": [{"color": color, "value": value} for color, value in pairs]}


def found(state):
    """Thresholds of a number that must be 0: nothing is calm, anything else has the colour of the state."""
    return steps((STATES[state], None), (NOTHING, 0), (STATES[state], 1e-9))


PLAIN = steps((NEUTRAL, None))
ZERO = steps((BAD, None), (GOOD, 0), (BAD, 1e-9))


def words(texts):
    """Value mappings: {value: (text, colour)}."""
    options = {
        str(value): {"text": text, "color": color, "index": index}
        for index, (value, (text, color)) in enumerate(texts.items())
    }
    return [{"type": "value", "options": options}]


# A cell to which a query has no value. Without this it would have the words for an empty panel and the first colour.
NO_CELL = {"type": "special", "options": {"match": "null+nan", "result": {"text": "–", "color": NOTHING, "index": 99}}}
# Of numbers that are 1 where something is not as it should be, so that the worst sort first.
BREACH = words({0: ("YES", GOOD), 1: ("NO", BAD)})
FACT = words({0: ("no", NOTHING), 1: ("yes", NOTHING)})
VERDICT = words({0: ("PROVEN", GOOD), 1: ("UNPROVEN", UNSURE), 2: ("VIOLATED", BAD)})
SEVERITY = words({-1: ("NONE", GOOD), 0: ("INFO", NEUTRAL), 1: ("WARNING", UNSURE), 2: ("CRITICAL", BAD)})
VERDICT_STEPS = steps((GOOD, None), (UNSURE, 1), (BAD, 2))


def target(expression, legend="", ref="A", table=False):
    return {
        "datasource": DATASOURCE,
        "editorMode": "code",
        "exemplar": False,
        "expr": expression,
        "format": "table" if table else "time_series",
        "instant": table,
        "legendFormat": legend or "__auto",
        "range": not table,
        "refId": ref,
    }


def panel(kind, title, description, targets, no_value, unit="locale", thresholds=PLAIN, mappings=(), decimals=None, **more):
    made = {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "interval": "1m",
        "targets": targets,
        "fieldConfig": {
            "defaults": {
                "unit": unit,
                "noValue": no_value,
                "color": {"mode": "thresholds"},
                "thresholds": thresholds,
                "mappings": list(mappings),
            },
            "overrides": [],
        },
        "options": {},
        "links": [],
    }
    if decimals is not None:
        made["fieldConfig"]["defaults"]["decimals"] = decimals
    made.update(more)
    return made


def link(title, uid):
    """To a sibling, with the variables and the time that are chosen here."""
    return {"title": title, "url": "/d/%s?${__url_time_range}&${__all_variables}" % uid, "targetBlank": False}


def stat(title, description, expression, no_value, legend="", to=None, **more):
    made = panel("stat", title, description, [target(expression, legend, table=True)], no_value, **more)
    made["targets"][0]["format"] = "time_series"
    made["options"] = {
        "colorMode": "background_solid",  # a gradient would turn red into orange
        "graphMode": "none",
        "justifyMode": "center",
        "orientation": "auto",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "textMode": "auto" if legend else "value",
    }
    if to:
        made["links"] = [link("Details", to)]
    return made


def graph(title, description, queries, no_value, states=False, **more):
    """`queries`: pairs of expression and legend. `states`: the lines are called like states and have their colours."""
    targets = [target(expression, legend, chr(ord("A") + at)) for at, (expression, legend) in enumerate(queries)]
    thresholds = more.pop("thresholds", PLAIN)
    made = panel("timeseries", title, description, targets, no_value, thresholds=thresholds, **more)
    made["fieldConfig"]["defaults"]["color"] = {"mode": "palette-classic-by-name"}
    if states:
        made["fieldConfig"]["overrides"] = [
            {"matcher": {"id": "byName", "options": state},
             "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": color}}]}
            for state, color in STATES.items()]
    made["fieldConfig"]["defaults"]["custom"] = {
        "drawStyle": "line",
        "lineInterpolation": "stepAfter",
        "lineWidth": 2,
        "fillOpacity": 0,
        "showPoints": "never",
        "spanNulls": False,
        "thresholdsStyle": {"mode": "off" if thresholds is PLAIN else "dashed"},
    }
    made["options"] = {
        "legend": {"displayMode": "table", "placement": "right", "showLegend": True, "calcs": ["lastNotNull"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return made


def timeline(title, description, expression, legend, no_value, mappings, thresholds, **more):
    made = panel(
        "state-timeline", title, description, [target(expression, legend)], no_value,
        mappings=mappings, thresholds=thresholds, **more
    )
    made["fieldConfig"]["defaults"]["custom"] = {"fillOpacity": 80, "lineWidth": 0, "spanNulls": False}
    made["options"] = {
        "mergeValues": True,
        "showValue": "auto",
        "alignValue": "left",
        "rowHeight": 0.9,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return made


def variable(name, label, query, all_value, **more):
    made = {
        "type": "query", "name": name, "label": label, "datasource": DATASOURCE,
        "definition": query, "query": {"query": query, "refId": name, "qryType": 1},
        "includeAll": True, "multi": True, "allValue": all_value,
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "refresh": 2, "sort": 1, "hide": 0, "regex": "", "options": [], "skipUrlSync": False,
    }
    made.update(more)
    return made


def variables(runbooks):
    """@param runbooks: with the address of the runbooks, which the watchdog's alert tells"""
    made = [
        {"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus", "hide": 0,
         "includeAll": False, "multi": False, "options": [], "refresh": 1, "regex": "", "current": {},
         "skipUrlSync": False},
        variable("instance", "Instance", "label_values(pg_integrity_build_info, instance)", ".+"),
        variable("server", "Server", 'label_values(pg_integrity_up{instance=~"$instance"}, server)', ".+"),
        variable("database", "Database",
                 'label_values(pg_integrity_verdict{instance=~"$instance", server=~"$server"}, database)', ".+"),
    ]
    if runbooks:
        made.append(variable(
            "runbooks", "Runbooks", 'label_values(ALERTS{alertname="PgIntegrityWatchdog"}, pg_integrity_runbooks)', None,
            includeAll=False, multi=False, hide=2, current={}))
    return made


def annotations():
    return {"list": [
        {"builtIn": 1, "datasource": {"type": "grafana", "uid": "-- Grafana --"}, "enable": True, "hide": True,
         "iconColor": NEUTRAL, "name": "Annotations & Alerts", "type": "dashboard"},
        {"datasource": DATASOURCE, "enable": True, "hide": False, "iconColor": BAD, "name": "Alerts",
         "expr": 'ALERTS{alertname=~"PgIntegrity.+", alertname!="PgIntegrityWatchdog", alertstate="firing",'
                 ' instance=~"$instance|", server=~"$server|"}',
         "titleFormat": "{{alertname}}", "textFormat": "{{severity}} {{server}} {{database}}", "step": "1m",
         "useValueForTime": False},
    ]}


class Folded(str):
    """The title of a row that is collapsed until somebody opens it."""


def placed(rows, name):
    """Panels of rows on Grafana's grid of 24 columns. See dashboard()."""
    panels, top, folded = [], 0, None
    for row in rows:
        if isinstance(row, str):
            made = {"type": "row", "title": str(row), "collapsed": isinstance(row, Folded), "panels": [],
                    "gridPos": {"h": 1, "w": COLUMNS, "x": 0, "y": top}}
            panels.append(made)
            folded = made["panels"] if made["collapsed"] else None
            top += 1
            below = top
            continue
        height, side_by_side = row
        left = 0
        for width, made in side_by_side:
            made["gridPos"] = {"h": height, "w": width, "x": left, "y": top if folded is None else below}
            (panels if folded is None else folded).append(made)
            left += width
        assert left == COLUMNS, "%s: a row of %d columns" % (name, left)
        # Panels of a collapsed row take no room until it is opened.
        if folded is None:
            top += height
        else:
            below += height
    return panels


def flat(panels):
    """The panels, each before those that its row hides."""
    return [one for made in panels for one in [made, *made.get("panels", ())]]


def dashboard(uid, title, description, rows, runbooks=False):
    """`rows`: a title, or a pair of height and panels with their widths, which fill the 24 columns."""
    panels = placed(rows, title)
    for number, made in enumerate(flat(panels), 1):
        made["id"] = number
    return {
        "id": None, "uid": uid, "title": title, "description": description, "tags": ["pg_integrity"],
        "schemaVersion": SCHEMA_VERSION, "version": 1, "editable": False, "graphTooltip": 1, "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"}, "timezone": "utc", "timepicker": {}, "weekStart": "",
        "fiscalYearStartMonth": 0, "liveNow": False,
        "links": [{"type": "dashboards", "title": "pg_integrity", "tags": ["pg_integrity"], "asDropdown": True,
                   "includeVars": True, "keepTime": True, "targetBlank": False, "icon": "external link",
                   "tooltip": "", "url": ""}],
        "annotations": annotations(), "templating": {"list": variables(runbooks)}, "panels": panels,
    }
