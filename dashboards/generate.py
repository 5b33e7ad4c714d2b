#!/usr/bin/env python3
"""Writes the dashboards beside this file. No threshold is in here. Panels show values against the objectives that
the exporter exports from its configuration.

    dashboards/generate.py
"""
import json
import pathlib

from audit import audit
from health import health
from integrity import integrity
from overview import overview
from recovery import recovery
from sync import sync

DASHBOARDS = (overview, integrity, recovery, audit, sync, health)


def main():
    directory = pathlib.Path(__file__).parent
    for make in DASHBOARDS:
        made = make()
        text = json.dumps(made, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        (directory / (made["uid"] + ".json")).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
