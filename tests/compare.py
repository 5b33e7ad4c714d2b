#!/usr/bin/env python3
"""Compares two builds of the program on the demo, and prints every difference.

    tests/compare.py OLD NEW

Names, labels, values, verdicts, exit codes and configuration keys must be the same. Ages, durations and moments only
have to be there, and texts may differ. The exit code is 1 if anything else differs.
"""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
PASSING = re.compile(r"_(seconds|seconds_total|seconds_sum|seconds_bucket)$|^process_|_build_info$|_runs_total$|_count$|"
                     r"exporter_sessions$|_server_info$|connections$|available$")
CONFIGURATIONS = sorted((ROOT / "tests/config").glob("*/*.toml")) + [ROOT / "deploy/demo/exporter.toml"]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def fetch(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return answer.read().decode()


def demo(program):
    """The demo's page and report, once everything has been checked."""
    port = free_port()
    environment = dict(os.environ, EXPORTER=program, LISTEN=f"127.0.0.1:{port}")
    with subprocess.Popen([str(ROOT / "deploy/quickstart.sh")], env=environment, stdout=subprocess.PIPE, text=True,
                          start_new_session=True) as quickstart:
        try:
            for line in quickstart.stdout:
                if line.startswith("Ctrl-C"):
                    break
            else:
                sys.exit(f"{program}: the demo does not come up")
            for _ in range(300):
                document = json.loads(fetch(port, "/report.json"))
                if not any(one["first_pass"] for server in document["servers"] for database in server["databases"]
                           for one in database["collectors"]):
                    break
                time.sleep(1)
            return fetch(port, "/metrics"), document
        finally:
            os.killpg(quickstart.pid, signal.SIGTERM)


def series_of(page):
    """Series -> value, which is left out if it changes with time (PASSING)."""
    found = {}
    for line in page.splitlines():
        if line and not line.startswith("#"):
            series, value = re.sub(r'(revision|system_identifier)="[^"]*"', r"\1", line).rsplit(" ", 1)
            name = series.split("{")[0]
            if name.endswith("_bucket"):
                series = re.sub(r'le="[^"]*"', "le", series)
            found[series] = "" if PASSING.search(name) else value
    return found


def verdicts_of(document):
    """The verdict of the report on each question, collector and object."""
    found = {"overall": document["overall"]}
    for server in document["servers"]:
        for database in server["databases"]:
            where = f"{server['server']}/{database['database']}"
            for question, answer in database["questions"].items():
                found[f"{where} {question}"] = answer["state"]
            for collector in database["collectors"]:
                found[f"{where} {collector['collector']}"] = collector["state"]
                for one in collector["objects"]:
                    found[f"{where} {one['object']}"] = (one["state"], one["reason"])
    return found


def keys_of(program):
    """Every key of the configuration, and every metric with its labels and limits."""
    document = json.loads(subprocess.run([program, "catalogue", "--format", "json"], capture_output=True, text=True,
                                         check=True).stdout)
    found = {}

    def walk(options, way):
        for option in options:
            found[f"key {way}{option['key']}"] = (option["type"], option.get("default"), option.get("required"))
            walk(option.get("members", ()), way + option["key"] + ".")

    walk(document["configuration"], "")
    for metric in document["metrics"]:
        found[f"metric {metric['name']}"] = (metric["type"], tuple(metric["labels"]))
    return found


def codes_of(program):
    """Exit codes of `config check` on every configuration of the tests, and of a few wrong command lines."""
    lines = [["config", "check", "--config", str(path)] for path in CONFIGURATIONS]
    lines += [["--nonsense"], ["check", "--format", "xml"], ["drill", "--config", "/nowhere"], ["--version"]]
    return {" ".join(line).replace(str(ROOT), "."): subprocess.run([program, *line], capture_output=True,
                                                                  check=False).returncode for line in lines}


def compare(what, old, new):
    different = 0
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            different += 1
            print(f"{what}: {key}: {old.get(key, 'not there')} -> {new.get(key, 'not there')}")
    print(f"{what}: {len(old)} compared, {different} differ")
    return different


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    programs = [str(pathlib.Path(one).resolve()) for one in sys.argv[1:]]
    different = compare("exit codes", *map(codes_of, programs)) + compare("catalogue", *map(keys_of, programs))
    (old_page, old_report), (new_page, new_report) = map(demo, programs)
    different += compare("series", series_of(old_page), series_of(new_page))
    different += compare("verdicts", verdicts_of(old_report), verdicts_of(new_report))
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
