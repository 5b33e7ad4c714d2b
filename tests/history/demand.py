"""What the exporter must say of a database: its rows, its keys, and what passes before have found.

The rules are those of the READMEs of the collectors. `Memory` is what an exporter must remember of its passes.
"""
import copy
import dataclasses

from inventory import Inventory, Names
from start import LIMITS

STAYS_RED = ("orphans", "duplicates", "row_counts", "constraints", "audit_triggers")


@dataclasses.dataclass
class Demand:
    """One object: the states that are right, and the values that it must have."""
    states: set
    values: dict = dataclasses.field(default_factory=dict)
    lines: dict = dataclasses.field(default_factory=dict)   # of the inventory: "sure" and "possible" names
    absent: bool = False           # it may also be missing


@dataclasses.dataclass
class Red:
    """An object that was violated or accepted at the pass before."""
    uid: int = 0                   # of the key that it was about
    key: object = None             # a foreign key or index, by the names of that pass
    good_rows: bool = False        # nothing is known to be wrong with its rows: its triggers were off


class Memory:
    def __init__(self):
        self.inventory = Inventory()
        self.red = {}
        self.states = {}           # object -> state of the pass before
        self.audit = None          # rows, entries and identity of the audited table
        self.unaudited = 0


class Pass:
    """One complete pass over a database. It demands, and changes the memory.

    @param accepted names of objects that the configuration accepts
    """

    def __init__(self, memory, model, truth, accepted):
        self.memory = copy.deepcopy(memory)
        self.model, self.truth, self.accepted = model, truth, accepted
        self.demands = {}
        self.red = {}
        self.orphans()
        self.duplicates()
        self.constraints()
        self.row_counts()
        self.storage()
        self.audit_triggers()
        self.inventory()
        self.vanished()
        self.memory.red = self.red
        self.memory.states = {
            name: next(iter(one.states)) for name, one in self.demands.items() if len(one.states) == 1}

    def demand(self, name, wrong, values, red=None, state="proven"):
        """An object that a collector checked."""
        if wrong:
            state = "accepted" if name in self.accepted else "violated"
            self.red[name] = red or Red()
        self.demands[name] = Demand({state}, values)

    def unread(self, name):
        """An object whose table is locked: what was known stays, red above all."""
        if name in self.memory.red:
            self.red[name] = self.memory.red[name]
            self.demands[name] = Demand({"accepted" if name in self.accepted else "violated"})
        else:
            known = self.memory.states.get(name)
            self.demands[name] = Demand({known} if known in ("proven", "observed") else {"unproven(lock)"})

    def vanished(self):
        """What was red stays red, whatever became of it, until it is checked again."""
        for name, red in self.memory.red.items():
            if name not in self.demands and name.split("/")[0] in STAYS_RED:
                self.demands[name] = Demand({"accepted" if name in self.accepted else "violated"})
                self.red[name] = red

    def orphans(self):
        for key in self.model.foreign_keys:
            name = f"orphans/public.{key.child}.{key.name}"
            enforced = self.model.is_enforced(key)
            red = Red(key.uid, copy.copy(key))
            if not self.truth.is_readable(key.child, key.parent):
                known = self.memory.red.get(name)
                if enforced and known and known.good_rows:
                    # Nobody has read the rows that came while its triggers were off.
                    self.demands[name] = Demand({"unproven(lock)"})
                elif enforced or name in self.memory.red:
                    self.unread(name)
                else:  # the catalog tells it, which no lock keeps from being read
                    red.good_rows = True   # as far as anybody knows
                    self.demand(name, True, {"foreign_key_enforced": 0}, red)
                continue
            before = self.memory.red.get(name)
            count = self.truth.orphans_of(key)
            if before and (before.uid != key.uid or before.key.parent != key.parent):
                old = self.orphans_of_old(before.key)
                if (old or self.is_hidden(before.key)) and before.uid == key.uid:
                    self.demands[name] = self.renamed_parent(name, count, enforced)
                    self.red[name] = before
                    continue
                if old:
                    count, red = old, before
            red.good_rows = count == 0
            values = {"orphaned_rows": count, "foreign_key_enforced": int(enforced),
                      "foreign_key_validated": int(key.valid)}
            self.demand(name, count > 0 or not enforced, values, red)
        for name, before in self.memory.red.items():
            if name in self.demands or not name.startswith("orphans/"):
                continue
            count = self.orphans_of_old(before.key)
            if count is None:
                continue
            if name in self.accepted:   # nobody asks what became of accepted rows
                self.demands[name] = Demand({"accepted"})
                self.red[name] = before
            else:
                self.demand(name, count > 0, {"orphaned_rows": count}, before)

    def renamed_parent(self, name, count, enforced):
        """A gap of the exporter: if another table has the old name of a red key's parent, it compares with that one."""
        wrong = "accepted" if name in self.accepted else "violated"
        return Demand({wrong} if count > 0 or not enforced else {wrong, "proven"})

    def is_hidden(self, key):
        """There are tables of these names, and a lock keeps everybody from reading them."""
        there = all(name in self.model.tables for name in (key.child, key.parent))
        return there and not self.truth.is_readable(key.child, key.parent, heirs=True)

    def orphans_of_old(self, key):
        """A key that is gone is checked as a declared reference, which includes heirs. None if it cannot be checked."""
        if not (self.model.has_columns(key.child, key.columns) and
                self.model.has_columns(key.parent, key.parent_columns)):
            return None
        if self.model.tables[key.child].part_of or self.model.tables[key.parent].part_of:
            return None
        if not self.truth.is_readable(key.child, key.parent, heirs=True):
            return None
        return self.truth.orphans(key.child, key.columns, key.parent, key.parent_columns, key.full, heirs=True)

    def duplicates(self):
        for index in self.model.indexes:
            if index.kind == "i" or not index.valid:
                continue
            name = f"duplicates/public.{index.table}.{index.name}"
            if not self.truth.is_readable(index.table):
                self.unread(name)
                continue
            count = self.truth.surplus(index.table, index.columns)
            self.demand(name, count > 0, {"duplicate_rows": count}, Red(index.uid, copy.copy(index)))

    def constraints(self):
        for check in self.model.checks:
            name = f"constraints/public.{check.table}.{check.name}"
            if check.valid:
                continue
            if not self.truth.is_readable(check.table):
                self.unread(name)
                continue
            count = self.truth.broken(check)
            self.demand(name, count > 0, {"constraint_broken_rows": count}, Red(check.uid, copy.copy(check)))

    def row_counts(self):
        for table in self.model.tables.values():
            name = f"row_counts/public.{table.name}"
            if table.is_part() and not (table.name in LIMITS and not table.part_of):
                continue
            least = LIMITS.get(table.name)
            if not self.truth.is_readable(table.name, heirs=True):
                if least is not None:
                    self.unread(name)
                else:
                    self.demands[name] = Demand({"observed", "unproven(lock)"})
                continue
            count = self.truth.count(table.name)
            self.demand(name, least is not None and count < least, {"table_rows": count},
                        state="proven" if least is not None else "observed")
        for table in LIMITS:
            name = f"row_counts/public.{table}"
            if name not in self.demands and name not in self.memory.red:
                self.demands[name] = Demand({"unproven(missing)"})

    def storage(self):
        invalid = sum(not index.valid for index in self.model.indexes)
        self.demand("storage/public", invalid > 0, {"invalid_indexes": invalid})
        for sequence in self.model.sequences.values():
            if not sequence.table:
                continue
            name = f"storage/public.{sequence.table}.{sequence.column}"
            if not self.truth.is_readable(sequence.table):
                self.unread(name)
                continue
            behind = self.truth.behind(sequence)
            self.demand(name, behind > 0, {"sequence_behind_values": behind})

    def audit_triggers(self):
        self.audit_trigger()
        name = "audit_triggers/public.orders"
        if "orders" not in self.model.tables:
            if not self.memory.unaudited:
                self.memory.audit = None
            return
        if "audit_log" not in self.model.tables:
            if name in self.memory.red:
                self.unread(name)
            else:
                locked = set() if self.truth.is_readable("orders") else {"unproven(lock)"}
                self.demands[name] = Demand({"unproven(missing)"} | locked)
            return
        if not self.truth.is_readable("orders", "audit_log"):
            self.unread(name)
            return
        rows = self.truth.count("orders", heirs=False)
        entries = sum(about in ("orders", "public.orders") and did == "DELETE"
                      for about, did in self.truth.rows("audit_log", ("of_table", "did")))
        uid = self.model.tables["orders"].uid
        before = self.memory.audit
        if before:
            gone = max(0, before["rows"] - rows)
            logged = entries - before["entries"]
            self.memory.unaudited += max(0, gone - (logged if uid == before["uid"] else max(0, logged)))
        self.memory.audit = {"rows": rows, "entries": entries, "uid": uid}
        values = {"unaudited_deletes": self.memory.unaudited} if before or self.memory.unaudited else {}
        self.demand(name, self.memory.unaudited > 0, values, state="proven" if before else "observed")

    def audit_trigger(self):
        name = "audit_triggers/public.orders.delete"
        if "orders" not in self.model.tables:
            if name in self.memory.red:
                self.unread(name)
            else:
                self.demands[name] = Demand({"unproven(missing)"})
            return
        fires = any(one.table == "orders" and not one.off for one in self.model.triggers)
        self.demand(name, not fires, {"audit_trigger_enabled": int(fires)})

    def inventory(self):
        names = Names(self.model)
        counts = {table: self.truth.count(table) for table in names.tables if self.truth.is_readable(table, heirs=True)}
        accepted = {name.removeprefix("inventory/") for name in self.accepted}
        inventory = self.memory.inventory
        inventory.update(names, counts, self.model.filled, accepted)
        sure, possible = inventory.losses()
        numbers = {"tables": len(names.tables), "sequences": len(self.model.sequences),
                   "foreign_keys": len([key for key in self.model.foreign_keys
                                        if key.child not in names.parts or self.model.tables[key.child].part_of]),
                   "triggers": len([one for one in self.model.triggers if one.table in names.tables])}
        for kind in ("tables", "sequences", "primary_keys", "unique_keys", "foreign_keys", "exclusions", "checks",
                     "not_nulls", "triggers", "indexes"):
            must, may = sure.get(kind, set()), possible.get(kind, set())
            states = {"unproven(gone)"} if must else {"unproven(gone)", "proven"} if may else {"proven"}
            values = {"inventory": numbers[kind]} if kind in numbers else {}
            self.demands[f"inventory/{kind}"] = Demand(states, values, {"sure": must, "possible": may})
        for pin, (there, least) in inventory.pinned(names).items():
            self.demand(f"inventory/{pin}", there < least, {"inventory": there})

    def settle(self, told):
        """Takes over what the exporter made of losses that it may tell or not. @param told the names that it tells"""
        self.memory.inventory.settle(told)
