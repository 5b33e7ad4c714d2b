"""The rows of the table of faults, and what becomes of each."""
import functools
import os
import pathlib
import re
import time
import traceback

from throwaway import Difference

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROWS = {}


class Skipped(Exception):
    """This machine or this account cannot run the row."""


def demand(holds, text):
    if not holds:
        raise Difference(text)


def eventually(look, seconds=30.0, text=None, pause=0.1):
    """Looks again and again until it is true. @return what it saw then, and after how many seconds"""
    began = time.monotonic()
    while True:
        seen = look()
        if seen:
            return seen, time.monotonic() - began
        if time.monotonic() - began > seconds:
            raise Difference(f"after {seconds:.0f} s still not: {text or look.__name__}")
        time.sleep(pause)


class Row:
    """@param work gets a Run and returns what was seen, in a sentence"""

    def __init__(self, number, name, shows, work, root=False, elsewhere=()):
        self.number, self.name, self.shows = number, name, shows
        self.work, self.root, self.elsewhere = work, root, elsewhere

    def result(self, program):
        """@return ok, FAIL, elsewhere or skipped, and the sentence behind it"""
        missing = [test for test in self.elsewhere if not exists(test)]
        if missing:
            return "FAIL", f"there is no such test: {', '.join(missing)}"
        if not self.work:
            return "elsewhere", ", ".join(self.elsewhere)
        if self.root and os.geteuid() != 0:
            return "skipped", "needs root"
        from world import Run

        with Run(program, self.name) as run:
            try:
                return "ok", self.work(run)
            except Skipped as why:
                return "skipped", str(why)
            except Difference as difference:
                return "FAIL", f"{difference}{run.last_words()}"
            except Exception:  # a fault of the row itself must not hide the other rows
                return "FAIL", traceback.format_exc() + run.last_words()


def row(number, name, shows, root=False, also=()):
    """Makes a function a row. @param also tests that prove parts of it, as for elsewhere()"""

    def register(work):
        add(Row(number, name, shows, work, root, also))
        return work

    return register


def elsewhere(number, name, shows, *tests):
    """A row that other tests prove: "Suite.Name" in C++, or a file or folder of tests/."""
    add(Row(number, name, shows, None, elsewhere=tests))


def add(new):
    if new.number in ROWS or any(old.name == new.name for old in ROWS.values()):
        raise ValueError(f"two rows are {new.number} {new.name}")
    ROWS[new.number] = new


@functools.cache
def tests_of_the_sources():
    """The names of all tests in C++."""
    return {
        f"{suite}.{name}"
        for path in (ROOT / "tests").rglob("*_test.cpp")
        for suite, name in re.findall(r"^TEST\w*\(\s*(\w+),\s*(\w+)\s*\)", path.read_text(), re.M)
    }


def exists(test):
    return (ROOT / "tests" / test).exists() if "/" in test else test in tests_of_the_sources()
