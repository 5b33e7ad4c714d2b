"""One history as it is told: its database, its steps so far, and what an exporter must remember of its passes."""
import random

from compare import differences, told_names
from demand import Memory, Pass
from start import first_model
from steps import History
from subject import Subject
from truth import Truth

SHOWN = 14  # steps, and lines, that a difference shows


class Difference(Exception):
    """The exporter says something that is not so."""


class Told:
    """A history, its database, and what an exporter must remember of its passes."""

    def __init__(self, seed, server, database):
        self.database = database
        self.history = History(random.Random(f"{seed}/{database}"), database, first_model())
        self.subject = Subject(server, database)
        self.memory = Memory()
        self.remembered = []               # the memory at the exporter's start, and after each pass since
        self.steps = 0
        self.log = []

    def take_step(self, kinds):
        kind, step = self.history.next()
        self.steps += 1
        error = self.subject.run(step.statements)
        kinds[kind, error is None] += 1
        self.log.append(f"{self.database} step {self.steps} {kind}: {'; '.join(step.statements)};"
                        + (f"  -- {error}" if error else ""))
        if error is None:
            self.history.model.filled |= set(step.fills)
            if step.effect:
                step.effect()

    def compare(self, report, recorded):
        """@param recorded whether the exporter remembers this pass"""
        demanded = Pass(self.memory, self.history.model, self.truth, self.history.accepted)
        found = list(differences(report, self.database, demanded))
        if found:
            more = [f"  and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
            raise Difference("\n".join([*self.log[-SHOWN:], *(f"  {line}" for line in found[:SHOWN]), *more]))
        self.history.red = sorted(demanded.red)
        if recorded:
            demanded.settle(told_names(report, self.database))
            self.memory = demanded.memory
            self.remembered.append(self.memory)

    def read(self):
        self.truth = Truth(self.history.model, self.subject)
        self.history.rows = self.truth.own
