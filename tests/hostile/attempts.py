"""Reads the attempts of a hostile role from attempts/*.sql. README.md beside this file explains their form."""
import dataclasses
import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parent / "attempts"
SECTIONS = ("owner", "superuser", "toml", "later", "swapped", "held", "recorded", "proof")

# What each attempt finds in its own schema: tell() notes a call where no rollback takes it back.
PRELUDE = """
CREATE FUNCTION tell() RETURNS void LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN RAISE LOG 'called: {s} by % in %', session_user, current_database(); END $$;
CREATE FUNCTION evil(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.tell(); RETURN $1; END $$;
CREATE FUNCTION evil(int, int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.tell(); RETURN $1; END $$;
"""


@dataclasses.dataclass
class Attempt:
    """One way to have a function called. `steps` are pairs of a section's name and its text."""
    name: str
    group: str
    steps: list = dataclasses.field(default_factory=list)
    waiting: str = "%"  # how the statement looks that a held lock waits for

    def text(self, section):
        return "\n".join(text for name, text in self.steps if name == section)

    def has(self, section):
        return any(name == section for name, _ in self.steps)

    @property
    def swaps(self):
        """Whether it is only made once the exporter runs."""
        return any(self.has(section) for section in ("later", "swapped", "held", "recorded"))

    def filled(self, text, database, socket):
        """Braces around other words are part of SQL."""
        return text.replace("{s}", self.name).replace("{database}", database).replace("{socket}", str(socket))


def parsed(path):
    attempts = []
    section, lines = None, []

    def close():
        if section and "".join(lines).strip():
            attempts[-1].steps.append((section, "\n".join(lines).strip() + "\n"))
        lines.clear()

    for line in path.read_text().splitlines():
        head = re.fullmatch(r"--- (\w+)", line)
        mark = re.fullmatch(r"--(\w+)(?: (.+))?", line)
        if head:
            close()
            attempts.append(Attempt(head.group(1), path.stem.split("-", 1)[1]))
            section = "owner"
        elif mark and attempts:
            close()
            section = mark.group(1)
            if section not in SECTIONS:
                raise ValueError(f"{path.name}: {line}")
            attempts[-1].waiting = mark.group(2) or attempts[-1].waiting
        else:
            lines.append(line)
    close()
    return attempts


def all_attempts():
    attempts = [attempt for path in sorted(FOLDER.glob("*.sql")) for attempt in parsed(path)]
    for attempt in attempts:
        if not attempt.has("proof"):
            raise ValueError(f"{attempt.name} has no proof")
    if len({attempt.name for attempt in attempts}) != len(attempts):
        raise ValueError("two attempts have one name")
    return attempts
