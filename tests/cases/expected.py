"""What a case expects: the steps of its file `expected`, and how each is compared with what the program says.

README.md describes the format for people who write a case.
"""
import dataclasses
import fnmatch
import json
import shlex
import time


@dataclasses.dataclass
class Step:
    """One command, and the indented lines below it."""
    text: str
    expected: list = dataclasses.field(default_factory=list)


def steps_of(path):
    steps = []
    for line in path.read_text().splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0].isspace():
            if not steps:
                raise ValueError(f"{path}: an expectation without a step")
            steps[-1].expected.append(line.strip())
        else:
            steps.append(Step(line.strip()))
    if not any(step.expected for step in steps):
        raise ValueError(f"{path}: it expects nothing")
    return steps


def values_of(part):
    """Series -> number. Reports of format 1 have one text a value, for example "orphaned_rows 3"."""
    return dict((one["series"], one["value"]) if isinstance(one, dict) else one.split(" ", 1) for one in part["values"])


def same_number(seen, wanted):
    return seen is not None and abs(float(seen) - float(wanted)) <= 1e-9 * max(1.0, abs(float(wanted)))


class Expectations:
    """Compares lines of `expected` with a command that has ended, or with a program that serves."""

    def __init__(self, seen):
        self.seen = seen
        self.report = None

    def differences(self, lines):
        for line in lines:
            words = shlex.split(line)
            judge = getattr(self, "expect_" + words[0], None)
            difference = judge(*words[1:]) if judge else "unknown expectation"
            if difference:
                yield f"{line}: {difference}"

    # Of a command that has ended.

    def expect_exit(self, status):
        if self.seen.returncode != int(status):
            said = (self.seen.stderr.strip().splitlines() or [""])[-1]
            return f"it is {self.seen.returncode}" + (f" ({said})" if said else "")
        return None

    def output(self):
        return " ".join((self.seen.stdout + " " + self.seen.stderr).split())

    def expect_says(self, text):
        return None if text in self.output() else "it does not"

    def expect_silent(self, text):
        return f"it says \"{text}\"" if text in self.output() else None

    def expect_lines(self, text, number):
        seen = sum(text in line for line in self.seen.stdout.splitlines())
        return None if seen == int(number) else f"there are {seen}"

    # Of the report that `run check` prints as JSON.

    def parts(self, kind):
        """databases, collectors or objects of the report."""
        if self.report is None:
            self.report = json.loads(self.seen.stdout)
        databases = [database for server in self.report["servers"] for database in server["databases"]]
        if kind == "database":
            return databases
        collectors = [collector for database in databases for collector in database["collectors"]]
        return collectors if kind == "collector" else [one for each in collectors for one in each["objects"]]

    def expect_causes(self, number):
        causes = [cause for server in json.loads(self.seen.stdout)["servers"] for cause in server.get("causes", ())
                  if cause["state"] == "unproven" and cause["reason"] != "not_configured"]
        told = "; ".join(f"{cause['title']}: {cause['keeps']}" for cause in causes)
        return None if len(causes) == int(number) else f"there are {len(causes)}: {told}"

    def named(self, kind, name):
        try:
            return [part for part in self.parts(kind) if fnmatch.fnmatchcase(str(part[kind]), name)]
        except json.JSONDecodeError:
            return []

    def state_differs(self, kind, name, state, reason):
        found = self.named(kind, name)
        if state == "absent":
            return f"it is there, {found[0]['state']}" if found else None
        if not found:
            return "it is not in the report"
        for part in found:
            told = f"{part['state']}({part['reason']})" if part.get("reason") else part["state"]
            if part["state"] != state or (reason and part.get("reason") != reason):
                return f"{part[kind]} is {told}"
        return None

    def expect_object(self, name, state, reason=None):
        return self.state_differs("object", name, state, reason)

    def expect_collector(self, name, state):
        return self.state_differs("collector", name, state, None)

    def expect_question(self, name, state):
        seen = {database["questions"].get(name, {}).get("state") for database in self.named("database", "*")}
        return None if seen - {None} == {state} else f"it is {', '.join(sorted(filter(None, seen))) or 'not asked'}"

    def expect_value(self, name, metric, number):
        found = self.named("object", name)
        if not found:
            return "the object is not in the report"
        seen = [values_of(part).get(metric) for part in found]
        return None if all(same_number(value, number) for value in seen) else f"it is {seen[0]}"

    def expect_finding(self, name, text):
        found = [line for part in self.named("object", name) for line in part["findings"] + part["evidence"]]
        return None if any(text in line for line in found) else f"found: {'; '.join(found) or 'nothing'}"

    # Of a program that serves; each is waited for.

    @staticmethod
    def waited_for(look, number):
        """@return what is seen in the end, if it is not the number"""
        deadline = time.monotonic() + 60
        while True:
            seen = look()
            if same_number(seen, number):
                return None
            if time.monotonic() > deadline:
                return "there is none" if seen is None else f"it is {seen}"
            time.sleep(0.5)

    def expect_metric(self, series, number):
        return self.waited_for(lambda: self.seen.value_of(series), number)

    def expect_page(self, text, number):
        return self.waited_for(lambda: self.seen.fetch("/").count(text), number)
