"""Holds a report of the exporter against what it must say."""
from demand import Pass
from watcher import objects_of, state_of, told_of, values_of

WATCHED = ("orphans/", "duplicates/", "constraints/", "row_counts/", "storage/public", "audit_triggers/", "inventory/")


def is_watched(name):
    return name.startswith(WATCHED) and name != "inventory"


def kind_of(wanted, seen):
    """Which of the two lies it is."""
    def rank(state):
        return 2 if state == "violated" else 1 if state.startswith("unproven") else 0
    highest, lowest = max(map(rank, wanted)), min(map(rank, wanted))
    return "false alarm" if rank(seen) > highest else "false green" if rank(seen) < lowest else "difference"


def differences(report, database, demanded: Pass):
    """@return lines, one for each object that is not as it must be"""
    objects, part = objects_of(report, database)
    for collector in part["collectors"]:
        if collector["failure"]:
            yield f"false alarm: collector {collector['collector']} failed: {collector['failure']}"
    for name, wanted in demanded.demands.items():
        seen = objects.get(name)
        if seen is None:
            if not wanted.absent:
                yield f"{kind_of(wanted.states, 'absent')}: {name} must be {words(wanted.states)}, but is not there"
            continue
        state = state_of(seen)
        if state not in wanted.states:
            yield (f"{kind_of(wanted.states, state)}: {name} must be {words(wanted.states)}, but is {state}"
                   f" {seen['values']} {seen['findings'][:2]} {seen['evidence'][:2]}")
        values = values_of(seen)
        for metric, number in wanted.values.items():
            if metric not in values or float(values[metric]) != number:
                yield f"wrong value: {name} must have {metric} {number}, but has {values.get(metric)}"
        yield from losses(name, wanted, seen)
    for name, seen in objects.items():
        if is_watched(name) and name not in demanded.demands and state_of(seen) != "observed":
            yield f"false alarm: {name} is {state_of(seen)} {seen['values']}, but there is nothing to be said of it"
    yield from answer(part, demanded)


def told_names(report, database):
    """All names that the inventory tells as gone or switched off."""
    objects, _ = objects_of(report, database)
    return {line for name, part in objects.items() if name.startswith("inventory/") for line in told_of(part)}


def losses(name, wanted, seen):
    if not wanted.lines:
        return
    told = told_of(seen)
    for missing in sorted(wanted.lines["sure"] - told):
        yield f"false green: {name} must tell that {missing} is gone; it tells {sorted(told)}"
    for wrong in sorted(told - wanted.lines["sure"] - wanted.lines["possible"]):
        yield f"false alarm: {name} tells that {wrong} is gone"


def answer(part, demanded):
    """The database's answer to the first question is that of its objects."""
    states = [state for one in demanded.demands.values() for state in one.states]
    if any(len(one.states) > 1 for one in demanded.demands.values()):
        return
    wanted = "violated" if "violated" in states else "unproven" if any(
        state.startswith("unproven") for state in states) else "proven"
    seen = part["questions"].get("intact", {}).get("state")
    if seen != wanted:
        yield f"{kind_of({wanted}, seen or 'absent')}: the answer to \"intact\" must be {wanted}, but is {seen}"


def words(states):
    return " or ".join(sorted(states))
