"""The steps of a history. Each says its statements, and how the model changes if they succeed.

A step is made by a function of one of the modules steps_*.py, which gets the history and returns a Step, or None if
there is nothing that it could do now. `@step(WEIGHT)` registers it under its name.
"""
import dataclasses
from typing import Callable

KINDS = {}
REPLICA = "SET LOCAL session_replication_role = replica"


@dataclasses.dataclass
class Step:
    statements: list
    effect: Callable = None
    fills: tuple = ()              # tables that may have rows afterwards


def step(weight):
    def register(function):
        KINDS[function.__name__] = (weight, function)
        return function
    return register


class History:
    """What a step may look at. It must not depend on anything but the seed and what the steps before did."""

    def __init__(self, rng, database, model):
        self.rng = rng
        self.database = database
        self.model = model
        self.rows = {}             # as of the newest pass
        self.red = []              # names of objects that are violated or accepted, as of the newest pass
        self.accepted = set()
        self.graves = {}           # dropped tables
        self.counter = 1000

    def fresh(self):
        self.counter += 1
        return self.counter

    def pick(self, things):
        things = list(things)
        return self.rng.choice(things) if things else None

    def chance(self, share):
        return self.rng.random() < share

    def table(self, test=lambda table: True):
        return self.pick(table for table in self.model.tables.values() if test(table))

    def values(self, table, column):
        """Values that the column of a table had at the newest pass, its partitions included."""
        if table not in self.model.tables or column not in self.model.tables[table].columns:
            return []
        found = []
        for leaf in self.model.leaves(table):
            columns = list(self.model.tables[leaf].columns)
            found += [row[columns.index(column)] for row in self.rows.get(leaf) or () if len(row) == len(columns)]
        return found

    def next(self):
        """A step of a random kind that can be made now."""
        kinds = list(KINDS)
        weights = [KINDS[kind][0] for kind in kinds]
        while True:
            kind = self.rng.choices(kinds, weights)[0]
            made = KINDS[kind][1](self)
            if made is not None:
                return kind, made


def literal(value):
    if value is None:
        return "NULL"
    return str(value) if str(value).lstrip("-").isdigit() else "'" + str(value) + "'"
