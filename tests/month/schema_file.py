"""Reads the files of schemas/: SQL in parts, each of which begins with a line `--: PART ARGUMENT…`.

README.md lists the parts.
"""
import dataclasses
import os
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parent / "schemas"
PARTS = ("unpacked", "superuser", "setup", "hourly", "nightly", "weekly", "lock", "loss", "defect")


@dataclasses.dataclass
class SchemaFile:
    name: str
    unpacked: list = dataclasses.field(default_factory=list)  # files of a package, to run before `setup`
    superuser: str = ""
    setup: str = ""
    hourly: str = ""
    nightly: str = ""
    weekly: str = ""
    locked: str = ""       # the table that somebody locks for ten minutes
    losses: list = dataclasses.field(default_factory=list)
    defect: str = ""
    alert: str = ""        # what the defect must raise, and nothing else


def unpacked(package, ends):
    """@return the files of an unpacked Debian package whose paths end so. Its directory differs by version"""
    folder = pathlib.Path(os.environ.get("PG_INTEGRITY_SCHEMAS", "build/schemas")) / package
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    for end in ends:
        matching = [path for path in found if str(path).endswith(end)]
        if not matching:
            raise FileNotFoundError(f"{folder} holds no {end}. tests/run.sh unpacks it")
        yield matching[0]


def read(path):
    schema = SchemaFile(path.stem)
    part = None
    for line in path.read_text().splitlines(keepends=True):
        if line.startswith("--: "):
            part, *arguments = line[4:].split(maxsplit=1 if line.startswith("--: lock ") else -1)
            if part not in PARTS:
                raise ValueError(f"{path}: unknown part {part}")
            if part == "unpacked":
                schema.unpacked = list(unpacked(arguments[0], arguments[1:]))
            elif part == "lock":
                schema.locked = arguments[0].strip()
            elif part == "loss":
                schema.losses.append("")
            elif part == "defect":
                schema.alert = arguments[0]
        elif part == "loss":
            schema.losses[-1] += line
        elif part:
            setattr(schema, part, getattr(schema, part) + line)
    return schema


def read_all():
    return [read(path) for path in sorted(FOLDER.glob("*.sql"))]
