#!/usr/bin/env python3
"""Lints dashboards/*.json for mistakes that Grafana does not report and that stay unseen until they matter. promtool
type-checks the expressions.

    tests/alerting/dashboard_lint.py
"""
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import promql

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
# The units in use here, all of which Grafana knows.
UNITS = {"locale", "string", "s", "bytes", "percentunit", "cps", "dateTimeAsIso"}
# Variables that Grafana itself replaces.
BUILT_IN = {"__all", "__rate_interval", "__url_time_range", "__all_variables", "__data"}
COLUMNS = 24
# The colours of the states, and no others. Colour-blind people can tell them apart.
COLOURS = {"#CC3311", "#FFB300", "#009E73", "#0072B2", "#56B4E9", "#999999", "#CC79A7"}
WORDS = {
    "VIOLATED": "#CC3311", "CRITICAL": "#CC3311", "OVERDUE": "#CC3311", "NO": "#CC3311", "UNPROVEN": "#FFB300",
    "WARNING": "#FFB300", "PROVEN": "#009E73", "YES": "#009E73", "IN TIME": "#009E73"}
# How many panels a dashboard shows before somebody opens a row, and how many it has.
OPEN, PANELS = 12, 25
PICTURE = 150_000  # bytes
WORLDS = ("shop", "broken", "standby")  # of tests/drawing, beside the demo


def flat(board):
    """Everything on the grid, each row before the panels that it hides."""
    return [one for panel in board["panels"] for one in [panel, *panel.get("panels", ())]]


def panels_of(board):
    return [panel for panel in flat(board) if panel["type"] != "row"]


def substituted(expression):
    """The expression as Grafana sends it with everything chosen."""
    return re.sub(r"\$\{?(\w+)\}?", lambda found: "5m" if found[1] == "__rate_interval" else ".+", expression)


def lint_board(board):
    if board["id"] is not None:
        yield "its id is of one Grafana"
    if not re.fullmatch(r"pg-integrity-[a-z]+", board["uid"]) or len(board["uid"]) > 40:
        yield "no stable uid: %s" % board["uid"]
    if not 39 <= board["schemaVersion"] <= 42:
        yield "schemaVersion %s" % board["schemaVersion"]
    if board["editable"] or not board["title"] or not board["description"] or "pg_integrity" not in board["tags"]:
        yield "editable, or without title, description or tag"
    if board["timezone"] != "utc" or board["refresh"] != "1m" or board["graphTooltip"] != 1:
        yield "timezone, refresh or shared crosshair"
    for left_over in ("__inputs", "__requires", "gnetId"):
        if left_over in board:
            yield "%s breaks provisioning" % left_over
    if not any(link["type"] == "dashboards" and link["includeVars"] and link["keepTime"]
               and link["tags"] == ["pg_integrity"] for link in board["links"]):
        yield "no links to its siblings with variables and time"
    if not any("ALERTS{" in one.get("expr", "") for one in board["annotations"]["list"]):
        yield "alerts are not annotated"
    shown = [panel for panel in board["panels"] if panel["type"] != "row"]
    if len(panels_of(board)) > PANELS or len(shown) > OPEN:
        yield "%d panels, %d of them shown" % (len(panels_of(board)), len(shown))
    ids = [panel["id"] for panel in flat(board)]
    if len(set(ids)) != len(ids):
        yield "two panels have one id"


def lint_variables(board):
    defined = {variable["name"]: variable for variable in board["templating"]["list"]}
    text = json.dumps(board, sort_keys=True)
    for name in ("datasource", "instance", "server", "database"):
        if name not in defined:
            yield "no variable %s" % name
    for name, variable in defined.items():
        if not variable["label"]:
            yield "variable %s has no label" % name
        if name == "runbooks":
            if "PgIntegrityWatchdog" not in variable["definition"] or variable["datasource"] != DATASOURCE:
                yield "the address of the runbooks is not the one that the watchdog tells"
        elif variable["type"] == "query" and not (
                variable["datasource"] == DATASOURCE and variable["multi"] and variable["includeAll"]
                and variable["allValue"] == ".+" and variable["refresh"] == 2):
            yield "variable %s: data source, multi, all or refresh" % name
        if not re.search(r"\$\{?%s\b" % name, text):
            yield "variable %s is not used" % name
    for used in set(re.findall(r"\$\{?(\w+)", text)):
        if used not in defined and used not in BUILT_IN:
            yield "$%s is not defined" % used


def lint_layout(board):
    """Panels leave no hole and do not overlap, with the rows collapsed as they are and in each of these rows."""
    yield from lint_grid(board["panels"], 0)
    for row in board["panels"]:
        if row["type"] != "row":
            continue
        if row["collapsed"] != bool(row["panels"]):
            yield "row %s: an open row hides no panels, and a collapsed one hides some" % row["title"]
        if row["panels"]:
            yield from lint_grid(row["panels"], row["gridPos"]["y"] + 1)


def lint_grid(panels, first):
    """In each row panels fill the columns and are equally high. The grid begins at the line `first`."""
    taken = {}
    for panel in panels:
        at = panel["gridPos"]
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                if (x, y) in taken:
                    yield "%s lies on %s" % (panel["title"], taken[x, y])
                    return
                taken[x, y] = panel["title"]
        if at["x"] < 0 or at["x"] + at["w"] > COLUMNS or at["w"] < 1 or at["h"] < 1:
            yield "%s lies outside of the grid" % panel["title"]
    lines = max(y for _, y in taken) + 1 - first
    if min(y for _, y in taken) != first or len(taken) != lines * COLUMNS:
        yield "there is a hole in the grid"
    for top in {panel["gridPos"]["y"] for panel in panels}:
        if len({panel["gridPos"]["h"] for panel in panels if panel["gridPos"]["y"] == top}) > 1:
            yield "panels of one row are not equally high"


def lint_panel(panel):
    defaults = panel["fieldConfig"]["defaults"]
    if not panel["title"] or len(panel["description"]) < 10:
        yield "no title or description"
    if panel["datasource"] != DATASOURCE or any(one["datasource"] != DATASOURCE for one in panel["targets"]):
        yield "its data source is not the variable"
    if not panel["targets"] or len({one["refId"] for one in panel["targets"]}) != len(panel["targets"]):
        yield "no target, or two of one name"
    if panel.get("interval") != "1m":
        yield "no minimum interval"
    if not defaults.get("noValue"):
        yield "nothing is said where there is nothing: never green"
    if defaults.get("unit") not in UNITS:
        yield "unit %s" % defaults.get("unit")
    if not defaults.get("thresholds", {}).get("steps") or "mode" not in defaults.get("color", {}):
        yield "thresholds or colour are left to Grafana's defaults"
    if panel["type"] == "table" and not panel["options"].get("sortBy") and len(panel["targets"]) > 1:
        yield "not sorted"
    for mapping in re.findall(r'"color": "(#\w+)", "index": \d+, "text": "([^"]*)"', json.dumps(panel, sort_keys=True)):
        if WORDS.get(mapping[1], mapping[0]) != mapping[0]:
            yield "%s is %s, and elsewhere %s" % (mapping[1], mapping[0], WORDS[mapping[1]])
    for colour in set(re.findall(r"#[0-9A-Fa-f]{6}", json.dumps(panel))) - COLOURS:
        yield "a colour that not all can tell: %s" % colour
    for one in panel["targets"]:
        if re.search(r"\b(rate|irate|increase)\(", one["expr"]):
            if "[$__rate_interval]" not in one["expr"]:
                yield "a rate without $__rate_interval"
        elif "_total{" in one["expr"]:
            yield "a counter without a rate"
        if "$instance" not in one["expr"]:
            yield "it does not ask for the chosen instance"
        for label in re.findall(r"\{\{(\w+)\}\}", one["legendFormat"]):
            labels = promql.result_labels(one["expr"])
            if labels is not None and label not in labels:
                yield "its legend has a label that its result has not: %s" % label
    yield from lint_table(panel)


def lint_table(panel):
    """Rows of several queries become one only if they have the same labels. Links need their fields. What the panel
    says when it is empty, and how it shows numbers, is not for its cells: each column says that itself."""
    if panel["type"] != "table":
        return
    labels = [promql.result_labels(one["expr"]) for one in panel["targets"]]
    if None in labels or any(one != labels[0] for one in labels):
        yield "its columns are of different labels"
        return
    organize = [one["options"] for one in panel["transformations"] if one["id"] == "organize"][0]
    values = {"Value"} if len(labels) == 1 else {"Value #" + one["refId"] for one in panel["targets"]}
    if set(organize["renameByName"]) != values:
        yield "not every value has a name"
    values = set(organize["renameByName"].values())
    if panel["fieldConfig"]["defaults"]["unit"] != "string":
        yield "its names may be shown as numbers"
    own = {one["matcher"]["options"]: {each["id"]: each["value"] for each in one["properties"]}
           for one in panel["fieldConfig"]["overrides"]}
    for name in sorted(values | labels[0]):
        if "noValue" not in own.get(name, {}) and "custom.hidden" not in own.get(name, {}):
            yield "a cell of %s without a value has the words for an empty panel" % name
    for name in sorted(values):
        if own.get(name, {}).get("unit") not in UNITS - {"string"} or not any(
                one["type"] == "special" for one in own[name].get("mappings", ())):
            yield "%s has no unit, or a cell without a value has the colour of a state" % name
    names = values | labels[0]
    for override in panel["fieldConfig"]["overrides"]:
        if override["matcher"]["options"] not in names:
            yield "an override of no field: %s" % override["matcher"]["options"]
    for field in re.findall(r"__data\.fields\.(\w+)", json.dumps(panel)):
        if field not in labels[0]:
            yield "a link to no field: %s" % field


def lint_links(board, uids):
    for uid in re.findall(r"/d/([a-z-]+)", json.dumps(board)):
        if uid not in uids:
            yield "a link to no dashboard: %s" % uid


def lint(boards):
    """Pairs of a dashboard's file and a problem in it."""
    uids = [board["uid"] for board in boards.values()]
    if len(set(uids)) != len(uids):
        yield "dashboards", "two have one uid"
    for name, board in boards.items():
        if name != board["uid"] + ".json":
            yield name, "is not called like its uid"
        for check in (lint_board, lint_variables, lint_layout):
            for problem in check(board):
                yield name, problem
        for problem in lint_links(board, uids):
            yield name, problem
        for panel in panels_of(board):
            for problem in lint_panel(panel):
                yield name, "%s: %s" % (panel["title"], problem)


def lint_pictures(folder):
    """Pairs of a file and a problem. The pictures are small, and drawn from the dashboards as they are."""
    pictures = folder / "pictures"
    drawn_from = (pictures / "drawn-from").read_text().splitlines()
    for line in drawn_from:
        drawn, name = line.split()
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != drawn:
            yield name, "its pictures are stale: run tests/campaign dashboards --pictures"
    names = {line.split()[1][len("pg-integrity-"):-len(".json")] for line in drawn_from}
    expected = {"%s-%s.png" % (name, mode) for name in names for mode in ("light", "dark")}
    expected |= {"%s-%s.png" % (name, world) for name in ("overview", "page") for world in WORLDS}
    found = {path.name: path.stat().st_size for path in pictures.glob("*.png")}
    for name in sorted(expected ^ set(found)) if names else ["drawn-from"]:
        yield "pictures", "%s is missing, or drawn from no dashboard" % name
    for name in sorted(found):
        if found[name] >= PICTURE:
            yield "pictures", "%s has %d bytes" % (name, found[name])


def type_check(boards):
    """The output of promtool about all expressions, each pasted as a rule. Empty if all are good."""
    rules, number = [], 0
    for board in boards.values():
        expressions = [one["expr"] for panel in panels_of(board) for one in panel["targets"]]
        expressions += [one["expr"] for one in board["annotations"]["list"] if "expr" in one]
        for expression in expressions:
            number += 1
            rules.append({"record": "panel:expression:%d" % number, "expr": substituted(expression)})
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"groups": [{"name": "panels", "rules": rules}]}, file)
        file.flush()
        done = subprocess.run(["promtool", "check", "rules", "--lint=none", file.name], capture_output=True, text=True)
    return done.stderr if done.returncode else ""


def read_boards():
    return {path.name: json.loads(path.read_text()) for path in sorted((ROOT / "dashboards").glob("*.json"))}


def main():
    boards = read_boards()
    problems = ["%s: %s" % found for found in lint(boards)]
    problems += ["%s: %s" % found for found in lint_pictures(ROOT / "dashboards")]
    refused = type_check(boards)
    if refused:
        problems.append(refused)
    for problem in problems:
        print("dashboard lint: " + problem, file=sys.stderr)
    print("%d dashboards, %d panels, %d problems" % (
        len(boards), sum(len(panels_of(board)) for board in boards.values()), len(problems)))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
