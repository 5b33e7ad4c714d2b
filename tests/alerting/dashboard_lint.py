#!/usr/bin/env python3
"""Lints dashboards/*.json for mistakes that Grafana does not report and that stay unseen until they matter. promtool
type-checks the expressions.

    tests/alerting/dashboard_lint.py
"""
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
UNITS = {"short", "s", "bytes", "percentunit", "cps", "dateTimeAsIso"}
# Variables that Grafana itself replaces.
BUILT_IN = {"__all", "__rate_interval", "__url_time_range", "__all_variables", "__data"}
COLUMNS = 24
# Okabe and Ito's colours. Colour-blind people can tell them apart.
COLOURS = {"#009E73", "#D55E00", "#F0E442", "#56B4E9"}


def panels_of(board):
    return [panel for panel in board["panels"] if panel["type"] != "row"]


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
    if len(panels_of(board)) > 25:
        yield "%d panels" % len(panels_of(board))
    ids = [panel["id"] for panel in board["panels"]]
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
        if variable["type"] == "query" and not (
                variable["datasource"] == DATASOURCE and variable["multi"] and variable["includeAll"]
                and variable["allValue"] == ".+" and variable["refresh"] == 2):
            yield "variable %s: data source, multi, all or refresh" % name
        if not re.search(r"\$\{?%s\b" % name, text):
            yield "variable %s is not used" % name
    for used in set(re.findall(r"\$\{?(\w+)", text)):
        if used not in defined and used not in BUILT_IN:
            yield "$%s is not defined" % used


def lint_layout(board):
    """Panels leave no hole and do not overlap. In each row they fill the columns and are equally high."""
    taken = {}
    for panel in board["panels"]:
        at = panel["gridPos"]
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                if (x, y) in taken:
                    yield "%s lies on %s" % (panel["title"], taken[x, y])
                    return
                taken[x, y] = panel["title"]
        if at["x"] < 0 or at["x"] + at["w"] > COLUMNS or at["w"] < 1 or at["h"] < 1:
            yield "%s lies outside of the grid" % panel["title"]
    bottom = max(y for _, y in taken) + 1
    if len(taken) != bottom * COLUMNS:
        yield "there is a hole in the grid"
    for top in {panel["gridPos"]["y"] for panel in board["panels"]}:
        if len({panel["gridPos"]["h"] for panel in board["panels"] if panel["gridPos"]["y"] == top}) > 1:
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
    """Rows of several queries become one only if they have the same labels. Links need their fields."""
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
    names = set(organize["renameByName"].values()) | labels[0]
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
