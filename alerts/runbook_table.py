"""The table by which the report names the runbook and the first commands of what is wrong: a source of the exporter."""
import re

# Alerts with an expression of their own, and the metric of the finding that they are about. The last one is the prefix
# of metrics that the configuration declares.
OTHERS = {"PgIntegrityObjectsLost": "pg_integrity_inventory_lost", "PgIntegrityCustomViolated": "pg_integrity_custom_"}

HEAD = """// Written by alerts/generate.py, from alerts/alerts.yml and the first commands of each runbook.
#include "exporter/report/runbooks.h"

namespace pg_integrity {

namespace {

// clang-format off
constexpr Runbook kRunbooks[] = {
"""
MOST = 4  # commands of a runbook, the size of Runbook::commands
TAIL = """};
// clang-format on

}  // namespace

std::span<const Runbook> all_runbooks() {
  return kRunbooks;
}

}  // namespace pg_integrity
"""


def commands(path):
    """The blocks of the page before its causes, the first one first."""
    head = path.read_text(encoding="utf-8").split("\n## ")[0]
    return [text.rstrip("\n") for text in re.findall(r"^```sh\n(.*?)^```$", head, re.M | re.S)][:MOST]


def quoted(text):
    assert ')sh"' not in text, text
    return 'R"sh(%s)sh"' % text


def source(table, folder):
    """@param folder holds the runbooks"""
    rows = []
    for alert in table.alerts:
        if alert.metric and alert.metric.should_be:
            sides = [side for side in ("above", "below") if side in alert.limits]
            metric, side = alert.metric.name, sides[0] if len(sides) == 1 else ""
        elif alert.name in OTHERS:
            metric, side = OTHERS[alert.name], ""
        else:
            continue
        rows.append('    {"%s", "%s", "%s", {%s}},\n' % (
            metric, side, alert.name, ", ".join(map(quoted, commands(folder / (alert.name + ".md"))))))
    return HEAD + "".join(sorted(rows)) + TAIL
