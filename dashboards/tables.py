"""Tables: columns of values, columns of names, and where a row leads. See generate.py."""
from panels import NO_CELL, PLAIN, panel, target


def column(name, expression, unit="locale", thresholds=PLAIN, mappings=(), sort=False):
    """A column of a table. `sort`: the rows with the greatest values come first."""
    return {
        "name": name, "expression": expression, "unit": unit, "thresholds": thresholds, "mappings": list(mappings),
        "sort": sort,
    }


# How wide values and names are drawn, in pixels. The names that are not here share what is left.
UNIT_WIDTHS = {"locale": 80, "s": 100, "bytes": 90, "percentunit": 80, "dateTimeAsIso": 160}
NAME_WIDTHS = {"server": 100, "database": 100, "schema": 90}


def width_of(one):
    """Wide enough for the title, and for the longest word of the values."""
    texts = [option["text"] for mapping in one["mappings"] for option in mapping["options"].values()]
    letters = max(map(len, [*texts, one["name"]]))
    return max(UNIT_WIDTHS[one["unit"]], 8 * letters + 28)


def override(name, **properties):
    """`properties`: those of Grafana, with `__` for a dot."""
    return {"matcher": {"id": "byName", "options": name},
            "properties": [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()]}


def value_override(one):
    coloured = one["thresholds"] is not PLAIN or one["mappings"]
    kind = {"type": "color-background", "mode": "basic"} if coloured else {"type": "auto"}
    # A share as small as that of a used sequence would be 4.3e-17 %.
    digits = {"decimals": 1} if one["unit"] == "percentunit" else {}
    return override(
        one["name"], **digits, unit=one["unit"], noValue="–", thresholds=one["thresholds"], mappings=[*one["mappings"], NO_CELL],
        color={"mode": "thresholds"}, custom__cellOptions=kind, custom__width=width_of(one), custom__align="right")


def table(title, description, labels, columns, no_value, to=None, report=None, names=None, hidden=(), links=(), **more):
    """One row for each combination of `labels`. Values come first, then names, so that a narrow screen shows values.

    Each column is an aggregation by these labels and the instance (which links need, and nobody sees), so that their
    rows become one. `to`: a dashboard. `report`: the fragment of the object on the exporter's page, made of label
    names. `names`: further widths of names. `hidden`: labels that only links need.
    """
    grouping = ", ".join(["instance", *labels])
    targets = []
    # Names are texts, whatever they look like. A name that is missing has no words for an empty panel.
    made = panel("table", title, description, targets, no_value, unit="string", **more)
    renamed, overrides = {}, []  # from a query's name of its values to the column's
    for at, one in enumerate(columns):
        ref = chr(ord("A") + at)
        targets.append(target(one["expression"].replace("$labels", grouping), ref=ref, table=True))
        renamed["Value" if len(columns) == 1 else "Value #" + ref] = one["name"]
        overrides.append(value_override(one))
    shown = [label for label in labels if label not in hidden]
    widths = {**NAME_WIDTHS, **(names or {})}
    named = list(links)
    if report is not None:
        fields = ["server", "database", *report] if "database" in labels else ["server", None, *report]
        named.append({"title": "On the report page", "targetBlank": True, "url": report_link(fields)})
    if to:
        named.append({
            "title": "Details", "targetBlank": False,
            "url": "/d/%s?${__url_time_range}&${datasource:queryparam}&var-instance=${__data.fields.instance}"
                   "&var-server=${__data.fields.server}" % to
                   + ("&var-database=${__data.fields.database}" if "database" in labels else ""),
        })
    for label in shown:
        properties = {"noValue": "", "custom__cellOptions": {"type": "auto"}}
        if label in widths and len(shown) > 1:
            properties["custom__width"] = widths[label]
        if label == shown[0] and named:
            properties["links"] = named
        overrides.append(override(label, **properties))
    overrides += [override(label, custom__hidden=True) for label in ["instance", *hidden]]
    made["fieldConfig"]["overrides"] = overrides
    made["fieldConfig"]["defaults"]["custom"] = {
        "align": "left", "filterable": False, "inspect": False, "minWidth": 60}
    made["options"] = {
        "cellHeight": "sm", "showHeader": True, "footer": {"show": False},
        "sortBy": [{"displayName": one["name"], "desc": True} for one in columns if one["sort"]][:1]}
    made["transformations"] = [
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {
            "excludeByName": {"Time": True}, "renameByName": renamed,
            "indexByName": {name: at for at, name in enumerate([*renamed, *shown, "instance", *hidden])}}},
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
