#!/usr/bin/env python3
"""Holds the rooms of the house: who may include whom, where each library is used, what every room must have.

    tests/contract/house.py          checks everything; exit 1 with one line a fault
    tests/contract/house.py --draw   prints the arrows between the rooms as they are

The one table of rooms and arrows is the list of pg_integrity_room() lines in CMakeLists.txt.
"""
import collections
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("collectors", "exporter")

# Files outside of any room's folder, by stem.
TOP_FILES = {
    "collectors/collector": "collectors/contract",
    "collectors/walk": "collectors/contract",
    "collectors/registry": "collectors",
    "exporter/main": "exporter",
    "exporter/version": "exporter/version",
}

# Where the headers of each library may be included: one file a role.
LIBRARIES = {
    "bzlib.h": {"exporter/decoding/unpacked.cpp"},
    "CLI/": {"exporter/commands/cli.cpp"},
    "crypt.h": {"exporter/http/passwords.cpp"},
    "curl/": {"exporter/io/http_exchange.cpp"},
    "date/": {"exporter/io/clock.cpp"},
    "event2/": {"exporter/http/connection.cpp", "exporter/http/loop.cpp"},
    "expat.h": {"exporter/buckets/listing.cpp"},
    "httplib.h": {"exporter/http/router.cpp"},
    "libpq-fe.h": {"exporter/config/conninfo.cpp", "exporter/postgres/login.cpp"},
    "lz4frame.h": {"exporter/decoding/unpacked.cpp"},
    "lzma.h": {"exporter/decoding/unpacked.cpp"},
    "nlohmann/": {
        "exporter/commands/backup_overview_json.cpp", "exporter/commands/catalogue.cpp",
        "exporter/drill/record_files.cpp", "exporter/evidence/state_file.cpp",
        "exporter/io/json_reader.cpp", "exporter/io/json_writer.cpp", "exporter/report/json.cpp"},
    "openssl/": {
        "exporter/decoding/conversation.cpp", "exporter/history/digest.cpp", "exporter/http/connection.cpp",
        "exporter/http/passwords.cpp", "exporter/http/tls_context.cpp", "exporter/io/file_digest.cpp"},
    "pqxx/": {"exporter/postgres/guarded_read.h", "exporter/postgres/pqxx_session.cpp"},
    "prometheus/": {"exporter/metrics/metric_families.cpp"},
    "spdlog/": {"exporter/io/logging.cpp"},
    "toml++/": {"exporter/config/toml.cpp"},
    "yaml-cpp/": {"exporter/config/web_config.cpp"},
    "zlib.h": {
        "exporter/buckets/bucket_files.cpp", "exporter/decoding/unpacked.cpp", "exporter/io/files.cpp",
        "exporter/metrics/page.cpp"},
    "zstd.h": {"exporter/decoding/unpacked.cpp"},
}

# Libraries that any source file of exporter/ may use, with the target that its room links.
LIBRARIES_OF_ALL = {"fmt/": "fmt::fmt"}

# Headers of the operating system that collectors/ uses beside the standard library.
SYSTEM_HEADERS_OF_COLLECTORS = {"fnmatch.h"}

# How threads wait and lock: by exporter/io/condition.h and exporter/io/mutex.h, which clang checks. Nobody looks
# again and again. Each exception says at its place why it is one.
WAITS = {
    r"\bsleep_(?:for|until)\b|\b(?:usleep|nanosleep|sigtimedwait)\b": {"exporter/postgres/session_socket.cpp"},
    r"\bcondition_variable\b": {"exporter/io/condition.h"},
    r"\bstd::(?:timed_|shared_|recursive_)?mutex\b": {
        "collectors/postgres/schema_cache.h", "collectors/postgres/table_scan.h", "exporter/io/condition.h",
        "exporter/io/mutex.h"},
}

# The beginning of a function in an unnamed namespace.
HIDDEN_FUNCTION = (r"^(?!\s|//|#|template|return|using|namespace|struct|class|enum|\})"
                   r"[\w:<>,&*\[\] ]+?[\s&*](\w+)\(")

TOP_LEVEL = {
    "CHANGELOG.md", "CMakeLists.txt", "CMakePresets.json", "CONTRIBUTING.md", "LICENSE", "README.md", "SECURITY.md",
    "alerts", "collectors", "dashboards", "deploy", "exporter", "tests"}

PAGE = 130  # lines of a room's README


class House:
    """A checkout, read once."""

    def __init__(self, root):
        self.root = root
        self.rooms = {}  # room -> (what it may include and passes on, what it may include and hides)
        self.twice = []
        for line in re.findall(r"^pg_integrity_room\(([^)]*)\)", (root / "CMakeLists.txt").read_text(), re.M):
            names = line.split()
            hidden = names.index("HIDES") if "HIDES" in names else len(names)
            if names[0] in self.rooms:
                self.twice.append(names[0])
            else:
                self.rooms[names[0]] = (names[1:hidden], names[hidden + 1:])
        self.sources = sorted(
            str(path.relative_to(root)) for folder in FOLDERS for path in (root / folder).rglob("*")
            if path.suffix in (".h", ".cpp"))
        self.includes = [(source, what, quote == '"') for source in self.sources for quote, what in re.findall(
            r'^#include ([<"])([^>"]+)[>"]', (root / source).read_text(), re.M)]

    def room_of(self, path):
        stem = path.rsplit(".", 1)[0]
        return TOP_FILES.get(stem) or stem.rsplit("/", 1)[0]

    def listing(self, room):
        """The CMakeLists.txt of a room, empty if it has none."""
        path = self.root / room / "CMakeLists.txt"
        return path.read_text() if path.exists() else ""

    def passed_on(self, room):
        """What includes of this room bring along, the room itself included."""
        seen = {room}
        for below in self.rooms.get(room, ((), ()))[0]:
            seen |= self.passed_on(below)
        return seen

    def reach(self, room):
        """The rooms whose headers this room may include."""
        seen = self.passed_on(room)
        for hidden in self.rooms.get(room, ((), ()))[1]:
            seen |= self.passed_on(hidden)
        if room.startswith("exporter"):
            seen.add("exporter/version")
        return seen | (self.reach("exporter/commands") if room == "exporter" else set())

    def arrows(self):
        """(room, room) -> [(file, included file)], between different rooms."""
        found = collections.defaultdict(list)
        for source, what, ours in self.includes:
            if ours and self.room_of(source) != self.room_of(what):
                found[self.room_of(source), self.room_of(what)].append((source, what))
        return found

    def tracked(self):
        """How many sources git knows, or None outside a work tree."""
        asked = subprocess.run(
            ["git", "-C", str(self.root), "ls-files", "--", *(f"{folder}/*{suffix}" for folder in FOLDERS
                                                              for suffix in (".h", ".cpp"))],
            capture_output=True, text=True, check=False)
        return len(asked.stdout.split()) if asked.returncode == 0 else None


def check_table(house):
    for room in house.twice:
        yield f"CMakeLists.txt: {room} has two lines"
    known = set()
    for room, (passed, hidden) in house.rooms.items():
        for below in passed + hidden:
            if below not in known:
                yield f"CMakeLists.txt: {room} names {below} before its own line: a circle, or a room that is not there"
        known.add(room)
    if len(house.rooms) < 15:
        yield f"CMakeLists.txt: only {len(house.rooms)} rooms were found"


def check_files(house):
    tracked = house.tracked()
    if len(house.sources) < (tracked if tracked is not None else 300):
        yield f"only {len(house.sources)} sources were seen, of {tracked}"
    for source in house.sources:
        room = house.room_of(source)
        if room not in house.rooms and room not in ("exporter", "exporter/version"):
            yield f"{source}: no room. HINT: move it into a folder that CMakeLists.txt lists"
            continue
        if not source.endswith(".cpp") or room in ("collectors", "exporter"):
            continue
        stem = source.rsplit("/", 1)[1][:-4]
        if not re.search(rf"^  {stem}(\.cpp)?$", house.listing(room), re.M):
            yield f"{source}: not built. HINT: list it in {room}/CMakeLists.txt"


def check_arrows(house):
    for (room, other), files in sorted(house.arrows().items()):
        if other not in house.reach(room):
            for source, what in files:
                yield f"{source} includes {what}: {room} may not include {other}"


def check_circles(house):
    """Within a room, too: no header leads back to itself."""
    below = collections.defaultdict(set)
    for source, what, ours in house.includes:
        if ours and source.endswith(".h"):
            below[source].add(what)
    done = set()

    def visit(header, way):
        if header in way:
            return " -> ".join(way[way.index(header):] + [header])
        if header in done:
            return None
        for other in sorted(below[header]):
            circle = visit(other, way + [header])
            if circle:
                return circle
        done.add(header)
        return None

    for header in sorted(below):
        circle = visit(header, [])
        if circle:
            yield "headers include each other: " + circle
            return


def check_libraries(house):
    seen = collections.defaultdict(set)
    for source, what, ours in house.includes:
        for library in LIBRARIES:
            if not ours and what.startswith(library):
                seen[library].add(source)
        if source.startswith("collectors/") and not ours and (
                re.search(r"[./]", what) and what not in SYSTEM_HEADERS_OF_COLLECTORS):
            yield f"{source} includes <{what}>: collectors/ uses the standard library only"
    for library, files in LIBRARIES.items():
        for source in sorted(seen[library] ^ files):
            yield f"{library}: {source} " + ("may not use it" if source in seen[library] else "does not use it any more")
    for library, target in LIBRARIES_OF_ALL.items():
        users = {source for source, what, ours in house.includes if not ours and what.startswith(library)}
        for header in sorted(source for source in users if source.endswith(".h")):
            yield f"{library}: {header} is a header. HINT: a room links it PRIVATE, so only sources use it"
        rooms = {house.room_of(source) for source in users}
        linked = {room for room in house.rooms if target in house.listing(room)}
        for room in sorted(rooms ^ linked):
            yield f"{room}/CMakeLists.txt: {target} " + ("is missing" if room in rooms else "is not used any more")


def check_waits(house):
    for pattern, files in WAITS.items():
        seen = {source for source in house.sources if re.search(
            pattern, re.sub(r"//.*|^#include.*", "", (house.root / source).read_text(), flags=re.M))}
        for source in sorted(seen ^ files):
            yield f"{source}: " + (f"{pattern} is not how threads wait and lock here. HINT: exporter/io/README.md"
                                   if source in seen else f"{pattern} is not in it any more")


def check_references(house):
    """Debian 13's compiler refuses these, and Debian 12's does not."""
    for source in house.sources:
        for found in re.findall(r"const [\w:]+& \w+ = \w+\[\w+\]\.\w+\(", (house.root / source).read_text()):
            yield f"{source}: {found} may refer to a part of a temporary. HINT: name the element first"


def check_names(house):
    """Sources of a room may be compiled together. A function of one of them would then take calls of another."""
    known = {}
    for source in house.sources:
        if not source.endswith(".cpp"):
            continue
        text = re.sub(r'R"\(.*?\)"', "", (house.root / source).read_text(), flags=re.S)
        space = re.search(r"^namespace pg_integrity::(\w+) \{", text, re.M)
        hidden = re.findall(r"^namespace \{\n(.*?)^\}  // namespace\n", text, re.S | re.M)
        for name in re.findall(HIDDEN_FUNCTION, "".join(hidden), re.M):
            key = house.room_of(source), space and space[1], name
            if known.setdefault(key, source) != source:
                yield f"{source}: {known[key]} has a {name}(), too. HINT: give them different names"


def check_types(house):
    """Two types of one name in one namespace are one type to the linker, which takes the members of either for both."""
    known = {}
    for source in house.sources:
        if not source.endswith(".h"):
            continue
        text = (house.root / source).read_text()
        space = re.search(r"^namespace (pg_integrity(?:::\w+)*) \{", text, re.M)
        for name in re.findall(r"^(?:struct|class|enum class) (\w+)\b[^;\n]*\{$", text, re.M):
            key = space and space[1], name
            if known.setdefault(key, source) != source:
                yield f"{source}: {known[key]} has a type {name}, too. HINT: give them different names"


def check_readmes(house):
    for room in house.rooms:
        if not (house.root / room).is_dir():
            continue
        readme = house.root / room / "README.md"
        if not readme.exists():
            yield f"{room}: no README.md"
        elif len(readme.read_text().splitlines()) > PAGE:
            yield f"{room}/README.md is longer than a page"


def check_tests(house):
    """tests/ mirrors the rooms."""
    for folder in FOLDERS:
        for test in sorted((house.root / "tests" / folder).rglob("*_test.cpp")):
            room = str(test.parent.relative_to(house.root / "tests"))
            if room not in house.rooms:
                yield f"{test.relative_to(house.root)}: there is no room {room}"


def check_top_level(house):
    there = {path.name for path in house.root.iterdir() if not path.name.startswith(".") and path.name != "build"}
    for name in sorted(there ^ TOP_LEVEL):
        yield f"{name}: " + ("not agreed at the top level" if name in there else "missing at the top level")
    if len((house.root / "exporter/main.cpp").read_text().splitlines()) > 40:
        yield "exporter/main.cpp: it parses, calls and returns; all else belongs into a room"


CHECKS = [check_table, check_files, check_arrows, check_circles, check_libraries, check_waits, check_references,
          check_names, check_types, check_readmes, check_tests, check_top_level]


def draw(house):
    arrows = house.arrows()
    for room in list(house.rooms) + ["exporter"]:
        files = [source for source in house.sources if house.room_of(source) == room]
        print(f"{room} ({len(files)} files)")
        for (from_room, to_room), includes in sorted(arrows.items()):
            if from_room == room:
                mark = "" if to_room in house.reach(room) else "   NOT ALLOWED"
                print(f"  -> {to_room} {len(includes)}{mark}")


def main():
    house = House(ROOT)
    if sys.argv[1:] == ["--draw"]:
        draw(house)
        return 0
    faults = [fault for check in CHECKS for fault in check(house)]
    for fault in faults:
        print(fault, file=sys.stderr)
    if not faults:
        print(f"{len(house.sources)} sources, {len(house.rooms)} rooms, {len(house.arrows())} arrows: as agreed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
