"""The one shape of a runbook: what is broken, what it costs, the first command, causes, mitigation, how it ends."""
import re

HEADINGS = ["Causes", "Mitigation", "Over"]
HEAD = re.compile(
    r"# (?P<name>\w+)\n\n\*\*Broken:\*\* .+\n\n\*\*Cost:\*\* (?P<cost>.+(?:\n.+)*)\n\n\*\*First:\*\*\n\n"
    r"```sh\n(?P<first>(?:.*\n)+?)```\n")
BLOCK = re.compile(r"^ *```.*\n(?:.*\n)*?^ *```$", re.M)
# Variables of the shell itself, and those that a command sets.
SHELL = {"PATH", "HOME", "PGOPTIONS"}
LONGEST_COST = 40  # words


def variable_of(label):
    """The variable of a label. A shell has its own PATH."""
    return "DIRECTORY" if label == "path" else label.upper()


def variables_of(text):
    """The variables that the commands of a runbook use and do not set."""
    used = set()
    for block in BLOCK.findall(text):
        used |= set(re.findall(r"\$\{?([A-Z][A-Z_]*)", block)) - set(re.findall(r"^ *([A-Z][A-Z_]*)=", block, re.M))
    return used


def other_variables(guide):
    """The variables that are no labels, from the table of the guide."""
    rows = re.findall(r"^\| ((?:`[A-Z_]+` ?)+)\|", guide, re.M)
    return {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}


def names_of_demo(sql):
    """What only the demo has: its tables, its database and its port."""
    return set(re.findall(r'CREATE TABLE "(\w+?)"', sql)) - {"User", "Game"} | {"tovplay", "7777", "created_at"}


def problems(name, text, labels, others, demo, alerts):
    head = HEAD.match(text)
    if not head or head["name"] != name:
        yield "it begins with its name, and with Broken, Cost and First, which is a block of sh that only reads"
        return
    if len(head["cost"].split()) > LONGEST_COST:
        yield "the cost is longer than %d words" % LONGEST_COST
    if re.findall(r"^## (.*)$", text, re.M) != HEADINGS:
        yield "its headings are %s" % ", ".join(HEADINGS)
        return
    causes, mitigation, over = re.split(r"^## .*$", text, flags=re.M)[1:]
    if not re.search(r"^1\. |^\| reason ", causes, re.M):
        yield "its causes are no list"
    if not mitigation.strip() or not over.strip():
        yield "it does not say what to do, or how to know that it is over"
    for info in re.findall(r"^ *```(\S.*)$", text, re.M):
        if info not in ("sh", "sh repairs", "promql"):
            yield "a block of another kind: %s" % info
    for variable in sorted(variables_of(text) - {variable_of(label) for label in labels} - others - SHELL):
        yield "$%s is no label of its alert, and the guide does not explain it" % variable
    for variable in sorted((variables_of(text) & others) - {variable_of(label) for label in labels} - {"CONFIG", "INSTANCE"}):
        if "`%s`" % variable not in text:
            yield "it does not say what $%s is" % variable
    for other in re.findall(r"\((PgIntegrity\w+)\.md\)", text):
        if other not in alerts:
            yield "it refers to %s, which is no alert" % other
    for word in sorted(demo):
        if re.search(r"\b%s\b" % re.escape(word), text):
            yield "it names %s, which only the demo has" % word
