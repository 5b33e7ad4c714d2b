"""Building blocks of Grafana's dashboard JSON: panels, their layout, variables. See generate.py."""

SCHEMA_VERSION = 39  # Grafana 10.3 and later read it
COLUMNS = 24
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}

# Told apart by the colour-blind, too (Okabe and Ito); a word always stands beside a colour.
GOOD, BAD, UNSURE, NEUTRAL = "#009E73", "#D55E00", "#F0E442", "#56B4E9"

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


PLAIN = steps((NEUTRAL, None))
ZERO = steps((BAD, None), (GOOD, 0), (BAD, 1e-9))
ONE = steps((BAD, None), (GOOD, 1))
SHARE = steps((GOOD, None), (UNSURE, 0.8), (BAD, 1))  # of an objective
FLOOR_SHARE = steps((BAD, None), (GOOD, 1))  # at least the objective


def words(texts):
    """Value mappings: {value: (text, colour)}."""
    options = {
        str(value): {"text": text, "color": color, "index": index}
        for index, (value, (text, color)) in enumerate(texts.items())
    }
    return [{"type": "value", "options": options}]


YES = words({0: ("NO", BAD), 1: ("yes", GOOD)})
FACT = words({0: ("no", NEUTRAL), 1: ("yes", NEUTRAL)})
ALARM = words({0: ("no", GOOD), 1: ("YES", BAD)})
VERDICT = words({0: ("PROVEN", GOOD), 1: ("UNPROVEN", UNSURE), 2: ("VIOLATED", BAD)})
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


def panel(kind, title, description, targets, no_value, unit="short", thresholds=PLAIN, mappings=(), **more):
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
    made.update(more)
    return made


def link(title, uid):
    """To a sibling, with the variables and the time that are chosen here."""
    return {"title": title, "url": "/d/%s?${__url_time_range}&${__all_variables}" % uid, "targetBlank": False}


def stat(title, description, expression, no_value, legend="", to=None, **more):
    made = panel("stat", title, description, [target(expression, legend, table=True)], no_value, **more)
    made["targets"][0]["format"] = "time_series"
    made["options"] = {
        "colorMode": "background",
        "graphMode": "none",
        "justifyMode": "center",
        "orientation": "auto",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "textMode": "auto" if legend else "value",
    }
    if to:
        made["links"] = [link("Details", to)]
    return made


def graph(title, description, queries, no_value, **more):
    """`queries`: pairs of expression and legend."""
    targets = [target(expression, legend, chr(ord("A") + at)) for at, (expression, legend) in enumerate(queries)]
    thresholds = more.pop("thresholds", PLAIN)
    made = panel("timeseries", title, description, targets, no_value, thresholds=thresholds, **more)
    made["fieldConfig"]["defaults"]["color"] = {"mode": "palette-classic-by-name"}
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


def column(name, expression, unit="short", thresholds=PLAIN, mappings=(), worst=None):
    """A column of a table. `worst`: "high" or "low" if the table is sorted by it."""
    return {
        "name": name, "expression": expression, "unit": unit, "thresholds": thresholds,
        "mappings": list(mappings), "worst": worst,
    }


def table(title, description, labels, columns, no_value, to=None, report=None, **more):
    """One row for each combination of `labels`, the worst first. Each column is an aggregation by these labels
    and the instance (which links need, and nobody sees), so that their rows become one. `to`: a dashboard; `report`: the fragment of the object on
    the exporter's page, made of label names."""
    grouping = ", ".join(["instance"] + labels)
    targets = []
    made = panel("table", title, description, targets, no_value, **more)
    renamed, overrides, sort = {}, [], []
    for at, one in enumerate(columns):
        ref = chr(ord("A") + at)
        expression = one["expression"].replace("$labels", grouping)
        targets.append(target(expression, ref=ref, table=True))
        renamed["Value" if len(columns) == 1 else "Value #" + ref] = one["name"]
        coloured = one["thresholds"] is not PLAIN or one["mappings"]
        overrides.append({
            "matcher": {"id": "byName", "options": one["name"]},
            "properties": [
                {"id": "unit", "value": one["unit"]},
                {"id": "thresholds", "value": one["thresholds"]},
                {"id": "mappings", "value": one["mappings"]},
                {"id": "color", "value": {"mode": "thresholds"}},
                {"id": "custom.cellOptions",
                 "value": {"type": "color-background", "mode": "basic"} if coloured else {"type": "auto"}},
            ],
        })
        if one["worst"]:
            sort.append({"displayName": one["name"], "desc": one["worst"] == "high"})
    links = []
    if report is not None:
        fields = ["server", "database", *report] if "database" in labels else ["server", None, *report]
        links.append({"title": "On the report page", "targetBlank": True, "url": report_link(fields)})
    if to:
        links.append({
            "title": "Details", "targetBlank": False,
            "url": "/d/%s?${__url_time_range}&${datasource:queryparam}&var-instance=${__data.fields.instance}"
                   "&var-server=${__data.fields.server}" % to
                   + ("&var-database=${__data.fields.database}" if "database" in labels else ""),
        })
    if links:
        overrides.append({
            "matcher": {"id": "byName", "options": labels[-1]},
            "properties": [{"id": "links", "value": links}],
        })
    overrides.append({
        "matcher": {"id": "byName", "options": "instance"},
        "properties": [{"id": "custom.hidden", "value": True}],
    })
    made["fieldConfig"]["overrides"] = overrides
    made["fieldConfig"]["defaults"]["custom"] = {"align": "auto", "filterable": True, "inspect": False}
    made["options"] = {"cellHeight": "sm", "showHeader": True, "sortBy": sort[:1], "footer": {"show": False}}
    order = {name: at for at, name in enumerate(labels + [one["name"] for one in columns])}
    made["transformations"] = [
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {
            "excludeByName": {"Time": True},
            "renameByName": renamed, "indexByName": order}},
    ]
    return made


def report_link(fields):
    """Where the exporter's page shows an object: server, database, collector, names."""
    collector = fields[2]
    parts = [
        "${__data.fields.server}",
        "${__data.fields.database}" if fields[1] else "",
        collector,
        ".2E".join("${__data.fields.%s}" % name for name in fields[3:]),
    ]
    return "http://${__data.fields.instance}/#" + ".2F".join(part for at, part in enumerate(parts) if part or at < 3)


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


def variables():
    return [
        {"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus", "hide": 0,
         "includeAll": False, "multi": False, "options": [], "refresh": 1, "regex": "", "current": {},
         "skipUrlSync": False},
        variable("instance", "Instance", "label_values(pg_integrity_build_info, instance)", ".+"),
        variable("server", "Server", 'label_values(pg_integrity_up{instance=~"$instance"}, server)', ".+"),
        variable("database", "Database",
                 'label_values(pg_integrity_verdict{instance=~"$instance", server=~"$server"}, database)', ".+"),
    ]


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


def dashboard(uid, title, description, rows, more_variables=()):
    """`rows`: a title or a pair of height and panels with their widths, which fill the 24 columns."""
    panels, top = [], 0
    for row in rows:
        if isinstance(row, str):
            panels.append({"type": "row", "title": row, "collapsed": False, "panels": [],
                           "gridPos": {"h": 1, "w": COLUMNS, "x": 0, "y": top}})
            top += 1
            continue
        height, placed = row
        left = 0
        for width, made in placed:
            made["gridPos"] = {"h": height, "w": width, "x": left, "y": top}
            panels.append(made)
            left += width
        assert left == COLUMNS, "%s: a row of %d columns" % (title, left)
        top += height
    for number, made in enumerate(panels, 1):
        made["id"] = number
    return {
        "id": None, "uid": uid, "title": title, "description": description, "tags": ["pg_integrity"],
        "schemaVersion": SCHEMA_VERSION, "version": 1, "editable": False, "graphTooltip": 1, "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"}, "timezone": "utc", "timepicker": {}, "weekStart": "",
        "fiscalYearStartMonth": 0, "liveNow": False,
        "links": [{"type": "dashboards", "title": "pg_integrity", "tags": ["pg_integrity"], "asDropdown": True,
                   "includeVars": True, "keepTime": True, "targetBlank": False, "icon": "external link",
                   "tooltip": "", "url": ""}],
        "annotations": annotations(), "templating": {"list": variables() + list(more_variables)}, "panels": panels,
    }
