"""What a database has, as the steps made it: tables, keys, triggers, sequences. It is never read from the catalog."""
import dataclasses
import itertools

uids = itertools.count(1)


@dataclasses.dataclass
class Table:
    name: str
    columns: dict                  # name -> "int" or "text"
    partitioned: bool = False
    part_of: str = ""              # the partitioned table
    bounds: tuple = ()
    inherits: str = ""
    own_columns: bool = True       # an heir without any is a part of the table that it inherits from
    local: bool = True             # an heir's columns that it inherits are its own, too
    unlogged: bool = False
    not_null: set = dataclasses.field(default_factory=set)
    uid: int = dataclasses.field(default_factory=lambda: next(uids))
    born: str = ""                 # its first name, after which PostgreSQL named the indexes of a partition
    key_names: dict = dataclasses.field(default_factory=dict)   # uid of a key of the partitioned table -> name here

    def __post_init__(self):
        self.born = self.born or self.name

    def is_part(self):
        return bool(self.part_of or (self.inherits and not self.own_columns))


@dataclasses.dataclass
class ForeignKey:
    name: str
    child: str
    columns: tuple
    parent: str
    parent_columns: tuple
    full: bool = False
    valid: bool = True
    off: set = dataclasses.field(default_factory=set)   # tables whose triggers of the key do not fire
    uid: int = dataclasses.field(default_factory=lambda: next(uids))

    def clause(self):
        match = " MATCH FULL" if self.full else ""
        return (f"FOREIGN KEY ({', '.join(self.columns)}) REFERENCES {self.parent} "
                f"({', '.join(self.parent_columns)}){match}")


@dataclasses.dataclass
class Index:
    name: str
    table: str
    columns: tuple
    kind: str                      # p: primary key, u: unique constraint, U: unique index, i: index
    valid: bool = True
    uid: int = dataclasses.field(default_factory=lambda: next(uids))


@dataclasses.dataclass
class Check:
    """column >= 0"""
    name: str
    table: str
    column: str
    valid: bool = True
    uid: int = dataclasses.field(default_factory=lambda: next(uids))


@dataclasses.dataclass
class Trigger:
    name: str
    table: str
    off: bool = False


@dataclasses.dataclass
class Sequence:
    name: str
    table: str = ""                # that owns it
    column: str = ""


class Model:
    """One database."""

    def __init__(self):
        self.tables = {}
        self.foreign_keys = []
        self.indexes = []
        self.checks = []
        self.triggers = []
        self.sequences = {}
        self.filled = set()        # tables that may ever have had a row
        self.prepared = {}         # name of an open prepared transaction -> tables that nobody else may read
        self.doubtful = set()      # tables with indexes that were damaged

    def leaves(self, name):
        """The tables whose rows a statement on the table reads, heirs left out."""
        if self.tables[name].partitioned:
            return sorted(one.name for one in self.tables.values() if one.part_of == name)
        return [name]

    def heirs(self, name):
        return sorted(one.name for one in self.tables.values() if one.inherits == name)

    def locked(self):
        return {name for tables in self.prepared.values() for name in tables}

    def is_locked(self, names, heirs):
        """Whether a prepared transaction keeps others from reading one of the tables."""
        locked = self.locked()
        return any(locked & {name, *self.leaves(name), *(self.heirs(name) if heirs else ())} for name in names)

    def is_plain(self, table):
        """It has neither partitions nor heirs, and is none."""
        return not (table.partitioned or table.part_of or table.inherits or self.heirs(table.name))

    def keys_of(self, table):
        return [key for key in self.foreign_keys if key.child == table]

    def indexes_of(self, table, kinds="puUi"):
        return [index for index in self.indexes if index.table == table and index.kind in kinds]

    def indexes_all(self, kinds):
        return [index for index in self.indexes if index.kind in kinds]

    def is_enforced(self, key):
        return not key.off

    def has_columns(self, table, columns):
        return table in self.tables and all(column in self.tables[table].columns for column in columns)

    def top_tables(self):
        return [table for table in self.tables.values() if not table.part_of]

    # How it changes. Each of these follows statements that succeeded.

    def switch_triggers(self, table, off):
        for key in self.foreign_keys:
            if table in {*self.leaves(key.child), key.child, *self.leaves(key.parent), key.parent}:
                (key.off.add if off else key.off.discard)(table)
        for trigger in self.triggers:
            if trigger.table == table:
                trigger.off = off

    def forget_table(self, name):
        """A table that was dropped with CASCADE."""
        gone = {name, *(one.name for one in self.tables.values() if name in (one.part_of, one.inherits))}
        for one in gone:
            self.tables.pop(one, None)
        self.foreign_keys = [key for key in self.foreign_keys if not gone & {key.child, key.parent}]
        for key in self.foreign_keys:
            key.off -= gone
        for kind in ("indexes", "checks", "triggers"):
            setattr(self, kind, [one for one in getattr(self, kind) if one.table not in gone])
        self.sequences = {key: one for key, one in self.sequences.items() if one.table not in gone}
        self.filled -= gone
        self.doubtful -= gone

    def rename_table(self, old, new):
        table = self.tables.pop(old)
        table.name = new
        self.tables[new] = table
        for one in self.tables.values():
            one.part_of = new if one.part_of == old else one.part_of
            one.inherits = new if one.inherits == old else one.inherits
        for key in self.foreign_keys:
            key.child = new if key.child == old else key.child
            key.parent = new if key.parent == old else key.parent
            key.off = {new if name == old else name for name in key.off}
        for one in (*self.indexes, *self.checks, *self.triggers, *self.sequences.values()):
            one.table = new if one.table == old else one.table
        for names in (self.filled, self.doubtful):
            if old in names:
                names.remove(old)
                names.add(new)

    def rebuild_indexes(self, table, unique):
        """Indexes are built anew. A build that does not check for duplicates leaves unique ones invalid."""
        for index in self.indexes:
            if index.table in {*self.leaves(table), *self.heirs(table)} and (unique or index.kind == "i"):
                index.valid = True

    def referring(self, table):
        """The table and all that refer to it, directly or not."""
        found = {table}
        while True:
            more = {key.child for key in self.foreign_keys if found & {key.parent, *self.leaves(key.parent)}} - found
            if not more:
                return sorted(found)
            found |= more

    def used_by_keys(self, index):
        """Foreign keys that need a unique index."""
        return [key for key in self.foreign_keys
                if key.parent == index.table and set(key.parent_columns) == set(index.columns)]

    def detach(self, name):
        """A partition becomes a table with keys of its own."""
        table = self.tables[name]
        root, table.part_of = table.part_of, ""
        for key in self.keys_of(root):
            own = table.key_names.get(key.uid, key.name)
            self.foreign_keys.append(
                dataclasses.replace(key, name=own, child=name, off=key.off & {name}, uid=next(uids)))
        for key in self.foreign_keys:
            if root in (key.child, key.parent):
                key.off.discard(name)
        for index in self.indexes_of(root, "pu"):
            ending = "pkey" if index.kind == "p" else "_".join(index.columns) + "_key"
            own = table.key_names.get(index.uid, f"{table.born}_{ending}")
            self.indexes.append(Index(own, name, index.columns, index.kind))
        table.not_null |= self.tables[root].not_null

    def attach(self, name, root):
        """A table becomes a partition. Its keys that the partitioned table has as well become parts of those."""
        table = self.tables[name]
        table.part_of, table.born, table.key_names = root, name, {}
        for key in self.keys_of(root):
            for own in self.keys_of(name):
                if own.valid and own.clause() == key.clause():
                    self.foreign_keys.remove(own)
                    key.off |= own.off & {name}
                    table.key_names[key.uid] = own.name
                    break
        for index in self.indexes_of(root, "pu"):
            for own in self.indexes_of(name, "pu"):
                if own.columns == index.columns and own.kind == index.kind:
                    self.indexes.remove(own)
                    table.key_names[index.uid] = own.name
                    break
