#!/usr/bin/env python3
"""Divides the durations of the shipped alert rules and of the program's sources by one factor.

    tests/month/scale.py FACTOR FOLDER    writes FOLDER/rules and FOLDER/source

README.md beside this file says why, and scale_test.py holds that nothing else changes.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE_FOLDERS = ("exporter", "collectors")
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

# Rooms that an exporter without backups, drills and copies does not use while it serves.
UNUSED = ("exporter/buckets/", "exporter/drill/", "exporter/commands/", "collectors/recovery/", "collectors/options/")

# Durations that bound the work of a machine. The machine is no faster, so they stay as they are.
KEPT = {
    "exporter/io/http_client.cpp": ("kGrace",),
    "exporter/io/condition.cpp": ("kLongestNap",),
    "exporter/io/line_writer.cpp": ("kForFlush",),
    "exporter/io/sandbox.h": ("60",),   # of an example
    "exporter/http/router.cpp": ("kPageLasts",),
    "exporter/commands/reading_in_time.cpp": ("kForConfiguration", "kForAcceptances", "kForStateDir"),
    "exporter/commands/web_access.cpp": ("kForWebFiles",),
    "exporter/io/child_decoder.cpp": ("kLongestTurn", "10", "5"),
    "exporter/io/child_process.cpp": ("kLongestPoll", "kBlindNap", "0.1", "10"),
    "exporter/postgres/login.cpp": ("kShortestTimeout", "kLongestPoll"),
    "exporter/postgres/pqxx_session.cpp": ("kGrace", "5"),
    "exporter/postgres/session_pool.h": ("connect_timeout",),
    "exporter/postgres/server_timeouts.h": ("kServerNotices",),
    "exporter/postgres/session_pool.cpp": ("kPoll",),
    "exporter/postgres/session_socket.cpp": ("kUntraceable", "kBetweenGone"),
    "exporter/scheduler/scheduler.cpp": ("kCancelPatience",),
    "exporter/scheduler/server_run.cpp": ("10",),
    "exporter/config/config.cpp": ("kCopyDeadline",),
    # Clocks of machines differ by this, and the clock is that of the machine.
    "exporter/evidence/recorded_times.cpp": ("kClockTolerance",),
    # The state is written at every orderly end, too. Only such ends happen here.
    "exporter/evidence/state_keeper.h": ("kBetweenSaves",),
    "exporter/evidence/state_keeper.cpp": ("kPatience",),
    "collectors/service/api_sync.cpp": ("kPause",),
    "collectors/service/table_comparison.cpp": ("kPause",),
    "collectors/service/replica_sync.cpp": ("kSecondTry",),
    "collectors/service/replica_link.cpp": ("kPoll",),
    "collectors/service/api_config.h": ("timeout",),
    "exporter/scheduler/step_sources.cpp": ("kStepShare",),
}
KEPT_OPTIONS = ("deadline", "objective")

# Pauses that are there to save work. They are divided as far as the processors allow, in seconds.
LEAST = {
    ("exporter/metrics/publisher.cpp", "kBetweenBodies"): 0.1,
    ("exporter/postgres/session_pool.h", "first_retry"): 0.02,
    ("collectors/postgres/schema_cache.cpp", "kLifetime"): 0.5,
}

# Durations that no type tells from other numbers.
OTHERS = (
    ("collectors/integrity/inventory_losses.cpp", r"(?P<name>constexpr UnixTime kOneEvent) = (?P<number>600)(?=;)"),
    ("collectors/postgres/table_scan.cpp", r"(?P<name>interval) '(?P<text>1 minute)'"),
)

DURATION = r"\d+(?:ms|[smhdw])"
TYPED = re.compile(r"\bSeconds (?P<name>\w+)\{(?P<number>[0-9.' *]*[1-9][0-9.' *]*)\}"
                   r"|\bSeconds\((?P<bare>[0-9.' *]*[1-9][0-9.' *]*)\)")
INSIDE = r'(?:"(?:[^"\\]|\\.)*"|[^"{}])*?'
OPTION = re.compile(r'\{\s*\.name = "(?P<option>\w+)",' + INSIDE + r"\.type = OptionType::duration," + INSIDE + r"\}")
OPTION_PART = re.compile(r"\.(?:fallback = \"(?P<text>" + DURATION + r")\"|(?:min|max) = (?P<number>[0-9.' *]+))")
INTERVAL = re.compile(r"\.interval = \"(?P<text>" + DURATION + r")\"")

RULE_PART = re.compile(r"(?P<before>(?:^|[{,\s])(?:for|keep_firing_for|interval): |\[|:|\boffset )"
                       r"(?P<text>" + DURATION + r")(?=[\s\],}:)]|$)", re.M)


def seconds_of(text):
    amount, unit = re.fullmatch(r"(\d+)([a-z]+)", text).groups()
    return int(amount) * UNITS[unit]


def divided_text(text, factor):
    """A duration as Prometheus and the program's configuration write it, in whole milliseconds."""
    milliseconds = seconds_of(text) * 1000 / factor
    if milliseconds != round(milliseconds):
        raise ValueError(f"{text} divided by {factor} is no whole number of milliseconds")
    return f"{round(milliseconds)}ms"


def divisor(path, name, number, factor):
    least = LEAST.get((path, name))
    return factor if least is None else min(factor, eval_product(number) / least)


def eval_product(text):
    product = 1.0
    for part in text.replace("'", "").split("*"):
        product *= float(part)
    return product


def scaled_source(path, text, factor):
    """@return the text of a source file with its durations divided, and how many these are"""
    if path.startswith(UNUSED):
        return text, 0
    kept = KEPT.get(path, ())
    count = 0

    def typed(found):
        nonlocal count
        name, number = found["name"], found["number"] or found["bare"]
        if (name or number.strip()) in kept:
            return found[0]
        count += 1
        return found[0].replace(number, f"{number} / {float(divisor(path, name, number, factor))!r}")

    def option_part(found):
        nonlocal count
        count += 1
        if found["text"]:
            return found[0].replace(found["text"], divided_text(found["text"], factor))
        return found[0].replace(found["number"], f"{found['number'].strip()} / {float(factor)!r}")

    def option(found):
        if found["option"] in KEPT_OPTIONS or found["option"] in kept:
            return found[0]
        return OPTION_PART.sub(option_part, found[0])

    def other(found):
        nonlocal count
        count += 1
        if found.groupdict().get("number"):
            return found[0].replace(found["number"], f"{found['number']} / {float(factor)!r}")
        return found[0].replace(found["text"], f"{1 / factor!r} minute")

    text = INTERVAL.sub(option_part, OPTION.sub(option, TYPED.sub(typed, text)))
    for where, pattern in OTHERS:
        if where == path:
            text = re.sub(pattern, other, text)
    return text, count


def scaled_rules(text, factor):
    """@return the text of a file of rules with its durations divided, and how many these are"""
    return RULE_PART.subn(lambda found: found["before"] + divided_text(found["text"], factor), text)


def sources():
    """(path within the checkout, text) of the files that durations may be in"""
    for folder in SOURCE_FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".cpp", ".h"):
                yield str(path.relative_to(ROOT)), path.read_text()


def write_if_changed(path, text):
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def write_all(factor, folder):
    for rules in sorted((ROOT / "alerts").glob("*.rules.yml")):
        write_if_changed(folder / "rules" / rules.name, scaled_rules(rules.read_text(), factor)[0])
    tree = folder / "source"
    tree.mkdir(parents=True, exist_ok=True)
    for entry in ROOT.iterdir():
        if entry.name not in (*SOURCE_FOLDERS, "build", ".git") and not (tree / entry.name).exists():
            (tree / entry.name).symlink_to(entry)
    for folder_name in SOURCE_FOLDERS:
        for path in (ROOT / folder_name).rglob("*"):
            if path.is_file() and path.suffix not in (".cpp", ".h", ".md"):
                write_if_changed(tree / path.relative_to(ROOT), path.read_text())
    for path, text in sources():
        write_if_changed(tree / path, scaled_source(path, text, factor)[0])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip())
    write_all(int(sys.argv[1]), pathlib.Path(sys.argv[2]))
