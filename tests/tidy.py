#!/usr/bin/env python3
"""Runs clang-tidy over the sources that may have changed.

    tests/tidy.py BUILD          sources of collectors/ and exporter/ that changed, or that include a changed header
    tests/tidy.py BUILD --full   every source, also those of tests/

BUILD is a configured build folder that compiles file by file, such as build/dev. A file has changed if it differs
from the merge base with origin/main, or if a commit of the twelve hours before HEAD touches it. In a fresh clone these are
the commits of the newest push. If .clang-tidy has changed, every source is checked. The same
holds outside a git work tree.

With --full, and for a few sources, clang-tidy reads each source alone, and so it also finds a missing #include. Many
sources of a folder are read together, as the builds of everything compile them, in a third of the time.

A source that passed is not read again until one of these changes: the source itself, one of our headers that it
includes, .clang-tidy, the compile command, or the version of clang-tidy. Passed sources are kept in build/tidy.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
PASSED = ROOT / "build/tidy"
RECENT = 12 * 3600  # seconds of commits before HEAD
FEWEST = 120  # sources of collectors/ and exporter/
FEW = 16  # sources that are read alone
GROUP = 8  # sources that are read together
OURS = r"(collectors|exporter|tests)/[a-z0-9_/]+\.(h|cpp)$"


def git(*words):
    """The lines that git prints, or None if it fails."""
    asked = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)
    return asked.stdout.splitlines() if asked.returncode == 0 else None


def all_sources(folders):
    return sorted(str(path.relative_to(ROOT)) for folder in folders for path in (ROOT / folder).rglob("*.cpp")
                  if "no_compile" not in path.parts)


def changed_files():
    """Paths below ROOT, or None outside a git work tree."""
    head = git("log", "-1", "--format=%ct")
    if not head:
        return None
    found = set(git("diff", "--name-only", "HEAD") or []) | set(git("ls-files", "--others", "--exclude-standard") or [])
    base = git("merge-base", "HEAD", "origin/main")
    if base:
        found |= set(git("diff", "--name-only", base[0], "HEAD") or [])
    found |= set(git("log", f"--since={int(head[0]) - RECENT}", "--format=", "--name-only", "-m") or [])
    return found - {""}


class Includes:
    """The includes of our own headers. Every #include names them from the root."""

    def __init__(self):
        self.direct = {}

    def of(self, path):
        if path not in self.direct:
            text = (ROOT / path).read_text() if (ROOT / path).exists() else ""
            self.direct[path] = [name for name in re.findall(r'^#include "([^"]+)"', text, re.M)
                                 if (ROOT / name).exists()]
        return self.direct[path]

    def closure(self, path):
        seen, rest = {path}, [path]
        while rest:
            for name in self.of(rest.pop()):
                if name not in seen:
                    seen.add(name)
                    rest.append(name)
        return seen


def compile_commands(build):
    return {os.path.relpath(os.path.join(one["directory"], one["file"]), ROOT): one["command"]
            for one in json.loads((build / "compile_commands.json").read_text())}


def fingerprint(closure, command, version):
    digest = hashlib.sha256(f"{version}\n{command}\n".encode())
    for path in [".clang-tidy", *sorted(closure)]:
        digest.update(f"{path}\n".encode() + (ROOT / path).read_bytes())
    return digest.hexdigest()


def flags_of(command):
    """The flags of a compile command, without the compiler, the source and the output."""
    words = shlex.split(command)
    words = words[next(i for i, word in enumerate(words) if word.startswith("-")):]
    return words[:words.index("-o")] + [word for word in words[words.index("-o") + 2:] if word.startswith("-") and word != "-c"]


def groups_of(sources, commands, alone):
    """Sources of one folder that are compiled with the same flags."""
    by_flags = {}
    for path in sources:
        by_flags.setdefault((os.path.dirname(path), tuple(flags_of(commands[path]))), []).append(path)
    size = 1 if alone else GROUP
    return [(list(flags), of[at:at + size]) for (_, flags), of in by_flags.items() for at in range(0, len(of), size)]


def tidy(flags, paths):
    """@return the findings of clang-tidy, empty if there are none"""
    read, options = paths[0], []
    if len(paths) > 1:
        group = PASSED / ("group_" + hashlib.sha256("\n".join(paths).encode()).hexdigest()[:16] + ".cpp")
        group.write_text("".join(f'#include "{path}"  // NOLINT(bugprone-suspicious-include)\n' for path in paths))
        read, options = str(group), [f"--header-filter={OURS}"]
    ended = subprocess.run(["clang-tidy", "--quiet", *options, read, "--", *flags], cwd=ROOT, capture_output=True,
                           text=True, check=False)
    return "" if ended.returncode == 0 else f"{' '.join(paths)}:\n{ended.stdout}{ended.stderr}"


def complaint(flags, paths, marks):
    said = tidy(flags, paths)
    if not said:
        for path in paths:
            marks[path].touch()
    return said


def main():
    build, full = ROOT / sys.argv[1], "--full" in sys.argv[2:]
    sources = all_sources(["collectors", "exporter"] + (["tests"] if full else []))
    commands = compile_commands(build)
    unknown = [path for path in sources if path not in commands]
    if unknown or len(sources) < FEWEST:
        print(f"{len(sources)} sources; not compiled in {build}: {', '.join(unknown) or 'none'}")
        return 1
    includes = Includes()
    closures = {path: includes.closure(path) for path in sources}
    changed = None if full else changed_files()
    if changed is not None and ".clang-tidy" not in changed:
        sources = [path for path in sources if closures[path] & changed]
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, text=True, check=True).stdout
    PASSED.mkdir(parents=True, exist_ok=True)
    marks = {path: PASSED / fingerprint(closures[path], commands[path], version) for path in sources}
    rest = [path for path in sources if not marks[path].exists()]
    print(f"{len(closures)} sources, {len(sources)} to be checked, {len(sources) - len(rest)} of them have passed as they are",
          flush=True)
    groups = groups_of(rest, commands, full or len(rest) <= FEW)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
        said = [text for text in workers.map(lambda group: complaint(*group, marks), groups) if text]
    print("\n".join(said))
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
