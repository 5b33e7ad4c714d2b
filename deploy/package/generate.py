#!/usr/bin/env python3
"""Writes the man page and the completions of bash and zsh beside this file, from what the program says of itself.

    deploy/package/generate.py PROGRAM
"""
import collections
import pathlib
import re
import subprocess
import sys

NAME = "pg_integrity_exporter"
COLUMN = 30  # where the program's help begins with the words about an option
# Options whose value is a file or directory. The program calls them TEXT.
PATHS = {"--config", "--backup", "--dump", "--work-dir", "--web.config.file", "--config.file"}

Option = collections.namedtuple("Option", "names value choices text required")
Command = collections.namedtuple("Command", "words text usage options commands")


def ask(program, words):
    return subprocess.run([program, *words, "--help"], capture_output=True, text=True, check=True).stdout


def entries(lines):
    """(left, right) of each entry of a section of the help."""
    found = []
    for index, line in enumerate(lines):
        if line.startswith(" " * COLUMN):
            found[-1][1].append(line.strip())
        else:
            # A name that reaches the column has its words on the next line.
            above = index + 1 < len(lines) and lines[index + 1].startswith(" " * COLUMN)
            found.append((line.strip(), []) if above else (line[:COLUMN].strip(), [line[COLUMN:].strip()]))
    return [(left, " ".join(right)) for left, right in found]


def sections(text):
    """Heading -> its lines, which are indented."""
    found = collections.defaultdict(list)
    heading = ""
    for line in text.splitlines():
        if re.match(r"^[A-Z][A-Za-z]+:$", line):
            heading = line[:-1].upper()
        elif line.startswith("  "):
            found[heading].append(line)
    return found


def option_of(left, text):
    required = " REQUIRED" in left
    left = re.sub(r" (REQUIRED|(Excludes|Needs): \S+)", "", left)
    names, _, rest = left.partition(" ")
    rest = re.sub(r"(=\S+| \[[^\]]*\])? *(\.\.\.)?$", "", rest) if rest else ""
    kind, _, limits = rest.partition(":")
    choices = re.findall(r"[^{},]+", limits) if limits.startswith("{") else []
    return Option(names.split(","), kind, choices, text, required)


def command_of(program, words):
    text = ask(program, words)
    parts = sections(text)
    usage = re.search(r"^Usage: (.*)$", text, re.M).group(1).strip()
    options = [option_of(left, right) for left, right in entries(parts["OPTIONS"])]
    commands = [command_of(program, [*words, left.split()[0]]) for left, _ in entries(parts["SUBCOMMANDS"])]
    about = text.strip().splitlines()[0]
    return Command(words, about, usage, options, commands)


def every(command):
    yield command
    for below in command.commands:
        yield from every(below)


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def man_option(option):
    names = ", ".join(f"\\fB{roff(name)}\\fR" for name in option.names)
    value = "|".join(option.choices) or {"TEXT": "value", "INT": "number", "FLOAT": "number"}.get(option.value, option.value)
    said = option.text + (" (required)" if option.required else "")
    named = f" \\fI{roff(value)}\\fR" if value else ""
    return f".TP\n{names}{named}\n{roff(said)}\n"


HEAD = """.\\" Written by deploy/package/generate.py. Do not edit.
.TH PG_INTEGRITY_EXPORTER 1 "" "pg_integrity_exporter" "User Commands"
.SH NAME
pg_integrity_exporter \\- Prometheus exporter for the integrity of PostgreSQL databases
.SH SYNOPSIS
"""

DESCRIPTION = """.SH DESCRIPTION
The program checks whether the data of PostgreSQL databases is intact and whether it could be recovered. It serves the
results as metrics for Prometheus and as a report, each with the age of its evidence. Every answer is proven, violated
or unproven. Without a command it serves.
"""

TAIL = """.SH FILES
.TP
.I /etc/pg_integrity_exporter/config.toml
The configuration, if neither \\-\\-config nor DATA_SOURCE_NAME names another.
.TP
.I /etc/pg_integrity_exporter/accept.d/*.toml
Known damage that is accepted.
.TP
.I /var/lib/pg_integrity_exporter
What the exporter knows, kept across restarts. The records of drills are in its directory drills.
.TP
.I /usr/share/pg_integrity_exporter
Grants, alert rules, runbooks and dashboards.
.SH ENVIRONMENT
.TP
.B DATA_SOURCE_NAME
The connection string of the one server to watch, in place of a configuration.
.TP
.BR PGHOST ", " PGSERVICE ", " PGPASSFILE " ..."
libpq's own variables. They complete each connection string.
.TP
.BR NOTIFY_SOCKET ", " WATCHDOG_USEC
Set by systemd, which is told that the exporter is ready, alive and stopping.
.SH SIGNALS
SIGHUP reads the configuration again. SIGTERM and SIGINT end the program.
.SH SEE ALSO
.BR psql (1),
.BR pg_dump (1),
.BR prometheus (1)
.PP
The reference of all metrics and keys: pg_integrity_exporter catalogue
"""


def man_page(top):
    parts = [HEAD]
    for command in every(top):
        parts.append(f".B {' '.join([NAME, *command.words])}\n"
                     f"{roff(command.usage.split(' ', 1 + len(command.words))[-1])}\n.br\n")
    parts[-1] = parts[-1].removesuffix(".br\n")
    parts += [DESCRIPTION, ".SH OPTIONS\nThese go with every command.\n", *map(man_option, top.options), ".SH COMMANDS\n"]
    for command in list(every(top))[1:]:
        parts.append(f".SS {roff(' '.join(command.words))}\n{roff(command.text)}\n")
        parts += [man_option(option) for option in command.options if option.names != ["-h", "--help"]]
    return "".join([*parts, TAIL])


def own(command, top):
    """The options that may follow a command's words."""
    return command.options + ([] if command is top else [one for one in top.options if "--help" not in one.names])


def bash_completion(top):
    commands = list(every(top))
    lines = [
        "# Completion of pg_integrity_exporter for bash. Written by deploy/package/generate.py. Do not edit.",
        "_pg_integrity_exporter() {",
        "  local current=${COMP_WORDS[COMP_CWORD]} command='' word i",
        "  COMPREPLY=()",
        "  for ((i = 1; i < COMP_CWORD; i++)); do",
        "    word=${COMP_WORDS[i]}",
        "    case \"$command $word\" in"]
    for command in commands[1:]:
        lines.append(f"      '{' '.join(['', *command.words])}') command='{''.join(' ' + word for word in command.words)}' ;;")
    lines += ["    esac", "  done", "  case \"$command ${COMP_WORDS[COMP_CWORD - 1]}\" in"]
    for command in commands:
        before = "".join(" " + word for word in command.words)
        for option in own(command, top):
            for name in option.names:
                if option.choices:
                    lines.append(f"    '{before} {name}') mapfile -t COMPREPLY < <(compgen -W "
                                 f"'{' '.join(option.choices)}' -- \"$current\"); return ;;")
                elif PATHS.intersection(option.names):
                    lines.append(f"    '{before} {name}') mapfile -t COMPREPLY < <(compgen -f -- \"$current\"); return ;;")
                elif option.value:
                    lines.append(f"    '{before} {name}') return ;;")
    lines += ["  esac", "  case \"$command\" in"]
    for command in commands:
        before = "".join(" " + word for word in command.words)
        words = [below.words[-1] for below in command.commands] + [
            name for option in own(command, top) for name in option.names]
        lines.append(f"    '{before}') mapfile -t COMPREPLY < <(compgen -W '{' '.join(words)}' -- \"$current\") ;;")
    lines += ["  esac", "}", "complete -o filenames -F _pg_integrity_exporter pg_integrity_exporter", ""]
    return "\n".join(lines)


def zsh_word(text):
    return re.sub(r"([\[\]:\\])", r"\\\1", text).replace("'", "'\\''")


def zsh_option(option):
    value = ""
    if option.value:
        does = f"({' '.join(option.choices)})" if option.choices else "_files" if PATHS.intersection(option.names) else " "
        value = f":{option.value.lower()}:{does}"
    names = f"({' '.join(option.names)})'{{{','.join(option.names)}}}'" if len(option.names) > 1 else option.names[0]
    return f"'{names}[{zsh_word(option.text)}]{value}'"


def zsh_completion(top):
    lines = [
        "#compdef pg_integrity_exporter",
        "# Completion of pg_integrity_exporter for zsh. Written by deploy/package/generate.py. Do not edit.",
        "_pg_integrity_exporter() {",
        "  local command='' word",
        "  for word in ${words[2,CURRENT-1]}; do",
        "    case \"$command $word\" in"]
    commands = list(every(top))
    for command in commands[1:]:
        lines.append(f"      '{' '.join(['', *command.words])}') command='{''.join(' ' + word for word in command.words)}' ;;")
    lines += ["    esac", "  done", "  case \"$command\" in"]
    for command in commands:
        lines.append(f"    '{''.join(' ' + word for word in command.words)}')")
        if command.commands:
            lines.append("      local -a commands=(" + " ".join(
                f"'{below.words[-1]}:{zsh_word(below.text)}'" for below in command.commands) + ")")
        lines.append("      _arguments -S " + " ".join(zsh_option(option) for option in own(command, top)) + (
            " '*:command:{_describe command commands}'" if command.commands else " '*: : '"))
        lines.append("      ;;")
    lines += ["  esac", "}", "_pg_integrity_exporter \"$@\"", ""]
    return "\n".join(lines)


def main():
    top = command_of(sys.argv[1], [])
    if len(list(every(top))) < 9 or len(top.options) < 4:
        sys.exit("the program's help is not understood")
    folder = pathlib.Path(__file__).parent
    (folder / f"{NAME}.1").write_text(man_page(top), encoding="utf-8")
    (folder / "completion.bash").write_text(bash_completion(top), encoding="utf-8")
    (folder / "completion.zsh").write_text(zsh_completion(top), encoding="utf-8")


if __name__ == "__main__":
    main()
