"""Which names a database lost, as collectors/integrity/INVENTORY.md says it. The memory is the model's own."""
import dataclasses
import fnmatch

from start import PINS

WORDS = {"p": "primary_key", "u": "unique_key", "U": "unique_index", "f": "foreign_key", "c": "check",
         "n": "not_null", "t": "trigger", "T": "table", "S": "sequence"}
TYPES = {"primary_key": "primary_keys", "unique_key": "unique_keys", "unique_index": "indexes",
         "foreign_key": "foreign_keys", "check": "checks", "not_null": "not_nulls", "trigger": "triggers",
         "table": "tables", "sequence": "sequences", "exclusion": "exclusions"}


def named(kind, table, item=""):
    return f"{WORDS[kind]} public.{table}" + (f".{item}" if item else "")


def type_of(name):
    return TYPES[name.split()[0]]


@dataclasses.dataclass
class Known:
    """A table that a pass saw."""
    was_part: bool
    may_be_filled: bool = False    # it may have had a row at some pass
    filled_passes: int = 0         # passes that surely found rows
    lost: bool = False
    items: dict = dataclasses.field(default_factory=dict)   # name -> whether it is lost


class Names:
    """The names that are there and work, or do not."""

    def __init__(self, model):
        self.parts = {table.name for table in model.tables.values() if table.is_part()}
        self.tables = {table.name: {} for table in model.tables.values() if not table.is_part()}
        self.sequences = {one.name: one.table for one in model.sequences.values()}
        for key in model.foreign_keys:
            self.add("f", key.child, key.name, model.is_enforced(key))
        for index in model.indexes:
            if index.kind != "i":
                self.add(index.kind, index.table, index.name, True)
        for check in model.checks:
            self.add("c", check.table, check.name, True)
        for trigger in model.triggers:
            self.add("t", trigger.table, trigger.name, not trigger.off)
        for table in model.tables.values():
            inherited = model.tables[table.inherits].columns if table.inherits else {}
            for column in table.not_null:
                if table.local or column not in inherited:
                    self.add("n", table.name, column, True)

    def add(self, kind, table, item, works):
        if table in self.tables:
            self.tables[table][named(kind, table, item)] = works

    def all(self):
        """Every name, and whether it works."""
        found = {named("S", name): True for name in self.sequences}
        for table, items in self.tables.items():
            found[named("T", table)] = True
            found.update(items)
        return found


class Inventory:
    def __init__(self):
        self.tables = {}
        self.sequences = {}        # name -> [its owner, whether it is lost]
        self.parts = set()
        self.pins = {}

    def update(self, names, counts, may_be_filled, accepted):
        """A pass sees the names. @param counts rows of the tables that could be read"""
        for name, known in list(self.tables.items()):
            if name in names.tables:
                continue
            if name in names.parts or known.was_part or (not known.lost and not known.may_be_filled):
                del self.tables[name]
            else:
                known.lost = True
        for name, items in names.tables.items():
            known = self.tables.setdefault(name, Known(was_part=name in self.parts))
            known.lost = False
            known.may_be_filled |= name in may_be_filled
            known.filled_passes += counts.get(name, 0) > 0
            self.see_items(known, items)
        self.see_sequences(names)
        self.parts = set(names.parts)
        self.forget(accepted)
        self.see_pins(names, accepted)

    @staticmethod
    def see_items(known, items):
        for item in known.items:
            if item not in items or (not items[item] and not item.startswith("foreign_key")):
                known.items[item] = True
        for item, works in items.items():
            if works or item.startswith("foreign_key"):
                known.items[item] = False

    def see_sequences(self, names):
        for name, (owner, lost) in list(self.sequences.items()):
            if name not in names.sequences and owner and owner not in names.tables:
                del self.sequences[name]
            elif name not in names.sequences:
                self.sequences[name][1] = True
        for name, owner in names.sequences.items():
            self.sequences[name] = [owner, False]

    def forget(self, accepted):
        for name in [name for name, known in self.tables.items() if known.lost and named("T", name) in accepted]:
            del self.tables[name]
        for known in self.tables.values():
            for item in [item for item, lost in known.items.items() if lost and item in accepted]:
                del known.items[item]
        for name in [name for name, one in self.sequences.items() if one[1] and named("S", name) in accepted]:
            del self.sequences[name]

    def see_pins(self, names, accepted):
        there = {name for name, works in names.all().items() if works}
        for pin in PINS:
            if "*" in pin:
                matched = {name for name in there if fnmatch.fnmatchcase(name, pin)}
                self.pins[pin] = matched | {name for name in self.pins.get(pin, ()) if name not in accepted}

    def pinned(self, names):
        """Pin -> the number of things that work, and how many there must be."""
        there = {name for name, works in names.all().items() if works}
        return {pin: (sum(fnmatch.fnmatchcase(name, pin) for name in there), max(1, len(self.pins.get(pin, ()))))
                for pin in PINS}

    def losses(self):
        """Type -> names that must be told, and names that may be, since only one pass saw rows of their table."""
        sure, possible = {}, {}
        def add(name, certain=True):
            if not any(fnmatch.fnmatchcase(name, pin) for pin in PINS):
                (sure if certain else possible).setdefault(type_of(name), set()).add(name)
        for table, known in self.tables.items():
            if known.lost:
                add(named("T", table), known.filled_passes > 1)
                continue
            for item, lost in known.items.items():
                if lost:
                    add(item)
        for name, (owner, lost) in self.sequences.items():
            if lost:
                add(named("S", name))
        return sure, possible

    def settle(self, told):
        """Takes over which of the possible losses the exporter told, and which it forgot."""
        _, possible = self.losses()
        for names in possible.values():
            for name in names:
                table = name.split("public.")[1]
                if name in told:
                    self.tables[table].filled_passes = 2
                else:
                    del self.tables[table]
