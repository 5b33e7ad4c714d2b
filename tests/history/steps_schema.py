"""Steps that drop, rename, make and move tables and keys."""
import dataclasses

from model import Check, ForeignKey, Index, Sequence, Table, Trigger, uids
from start import DEFINITIONS
from steps import Step, step
from steps_rows import inserted

PARTITIONS = {"area": range(0, 400, 100), "site": range(0, 400, 100)}


def is_plain(table):
    """It has neither partitions nor heirs, and is none."""
    return not (table.partitioned or table.part_of or table.inherits or table.name == "base")


@step(2)
def drop_table(history):
    table = history.table(lambda table: not table.part_of and (table.name != "parent" or history.chance(0.2)))
    if len(history.model.tables) < 9:
        return None
    def effect():
        if is_plain(table) or table.name == "base":
            history.graves[table.name] = dict(table.columns)
        history.model.forget_table(table.name)
    return Step([f"DROP TABLE {table.name} CASCADE"], effect)


def created(history, name, columns, key=True):
    """The statements that make a table, and how the model changes."""
    index = f"{name}_pkey{history.fresh()}" if history.chance(0.5) else f"{name}_pkey"
    primary = key and "id" in columns
    lines = [f"{column} {kind}" for column, kind in columns.items()]
    if primary:
        lines.append(f"CONSTRAINT {index} PRIMARY KEY (id)")
    def effect():
        history.model.tables[name] = Table(name, dict(columns), not_null={"id"} if primary else set())
        if primary:
            history.model.indexes.append(Index(index, name, ("id",), "p"))
        history.graves.pop(name, None)
    return [f"CREATE TABLE {name} ({', '.join(lines)})"], effect


@step(6)
def recreate_table(history):
    name = history.pick(sorted(name for name in history.graves if name not in history.model.tables))
    if name is None:
        return None
    statements, effect = created(history, name, history.graves[name], key=history.chance(0.8))
    if history.chance(0.6):
        statements.append(inserted(history, Table(name, history.graves[name]), 4))
    if name == "orders" and history.chance(0.8):
        statements.append("CREATE TRIGGER audit AFTER DELETE ON orders FOR EACH ROW EXECUTE FUNCTION audit()")
        without, effect = effect, lambda: (without(), history.model.triggers.append(Trigger("audit", "orders")))
    return Step(statements, effect, (name,))


@step(2)
def make_table(history):
    """A table that comes for a while."""
    name = history.pick(name for name in ("staging", "stock", "extra") if name not in history.model.tables)
    if name is None:
        return None
    columns = {"id": "int", "parent_id": "int", "n": "int"}
    statements, effect = created(history, name, columns, key=history.chance(0.5))
    if history.chance(0.5):
        statements.append(inserted(history, Table(name, columns), 3))
        return Step(statements, effect, (name,))
    return Step(statements, effect)


@step(2)
def rename_table(history):
    table = history.table()
    old = table.name
    new = old.removesuffix("_old") if old.endswith("_old") else old + "_old"
    def effect():
        history.model.rename_table(old, new)
    return Step([f"ALTER TABLE {old} RENAME TO {new}"], effect)


@step(1)
def swap_table(history):
    """A new table takes the name of one that stays."""
    table = history.table(is_plain)
    if table is None or table.name.endswith("_old"):
        return None
    old, new = table.name, table.name + "_old"
    statements, made = created(history, old, table.columns)
    if history.chance(0.5):
        statements.append(inserted(history, table, 3))
    def effect():
        history.model.rename_table(old, new)
        made()
    return Step([f"ALTER TABLE {old} RENAME TO {new}", *statements], effect, (old, new))


@step(3)
def drop_key(history):
    key = history.pick(history.model.foreign_keys)
    if key is None:
        return None
    return Step([f"ALTER TABLE {key.child} DROP CONSTRAINT {key.name}"], lambda: history.model.foreign_keys.remove(key))


@step(2)
def rename_key(history):
    key = history.pick([*history.model.foreign_keys, *history.model.indexes_all("pu")])
    if key is None:
        return None
    table = key.child if isinstance(key, ForeignKey) else key.table
    if history.model.tables[table].partitioned:
        return None   # PostgreSQL leaves the names of the partitions' keys as they are
    old = key.name
    new = old.removesuffix("_r") if old.endswith("_r") else old + "_r"
    def effect():
        key.name = new
    return Step([f"ALTER TABLE {table} RENAME CONSTRAINT {old} TO {new}"], effect)


ENDINGS = {"p": "primary", "u": "key", "U": "unique", "i": "index"}
KEY_NAMES = ("parent", "ab", "up", "area", "n")


@step(7)
def add_key(history):
    """A foreign key, often of a name that another one had, and often without a look at the rows."""
    child = history.table(lambda table: not (table.part_of or table.inherits) and table.name not in ("audit_log", "scratch"))
    index = history.pick(index for index in history.model.indexes_all("puU") if index.valid and
                         not history.model.tables[index.table].part_of and not history.model.tables[index.table].unlogged)
    if child is None or index is None or len(history.model.keys_of(child.name)) > 3:
        return None
    parent = history.model.tables[index.table]
    columns = []
    for theirs in index.columns:
        fitting = [one for one, kind in child.columns.items() if kind == parent.columns[theirs] and one not in columns
                   and one != "id"]
        if not fitting:
            return None
        columns.append(theirs if theirs in fitting and history.chance(0.7) else history.pick(fitting))
    name = f"{child.name}_{history.pick(KEY_NAMES)}"
    if any(key.name == name for key in history.model.keys_of(child.name)):
        return None
    key = ForeignKey(name, child.name, tuple(columns), parent.name, index.columns,
                     full=history.chance(0.4), valid=child.partitioned or history.chance(0.3))
    valid = "" if key.valid else " NOT VALID"
    return Step([f"ALTER TABLE {child.name} ADD CONSTRAINT {name} {key.clause()}{valid}"],
                lambda: history.model.foreign_keys.append(key))


@step(3)
def replace_key(history):
    """A key of the same name over other columns, in one transaction."""
    key = history.pick(history.model.foreign_keys)
    if key is None or len(key.columns) > 1:
        return None
    child, parent = history.model.tables[key.child], history.model.tables[key.parent]
    kind = parent.columns[key.parent_columns[0]]
    column = history.pick(one for one, its in child.columns.items() if its == kind and one not in ("id", *key.columns))
    if column is None:
        return None
    new = dataclasses.replace(key, columns=(column,), valid=child.partitioned, off=set(), uid=next(uids))
    def effect():
        history.model.foreign_keys.remove(key)
        history.model.foreign_keys.append(new)
    return Step([f"ALTER TABLE {key.child} DROP CONSTRAINT {key.name}",
                 f"ALTER TABLE {key.child} ADD CONSTRAINT {key.name} {new.clause()}"
                 + ("" if new.valid else " NOT VALID")], effect)


@step(2)
def validate_key(history):
    things = [(key.child, key) for key in history.model.foreign_keys if not key.valid]
    things += [(check.table, check) for check in history.model.checks if not check.valid]
    found = history.pick(things)
    if found is None:
        return None
    table, thing = found
    def effect():
        thing.valid = True
    return Step([f"ALTER TABLE {table} VALIDATE CONSTRAINT {thing.name}"], effect)


@step(3)
def drop_unique(history):
    """A unique key or an index."""
    index = history.pick(index for index in history.model.indexes
                         if not history.model.used_by_keys(index) or history.chance(0.1))
    if index is None:
        return None
    def effect():
        history.model.indexes.remove(index)
    if index.kind in "Ui":
        return Step([f"DROP INDEX {index.name}"], effect)
    return Step([f"ALTER TABLE {index.table} DROP CONSTRAINT {index.name}"], effect)


@step(4)
def add_unique(history):
    table = history.table(lambda table: table.name != "audit_log")
    column = history.pick(table.columns)
    kind = history.pick("uUUii") if not table.partitioned else "i"
    columns = (column,)
    if kind != "i" and "id" in table.columns and not history.model.indexes_of(table.name, "p") and history.chance(0.7):
        kind, columns = "p", ("id",)
        if table.part_of or table.inherits:
            return None
    name = f"{table.name}_{'_'.join(columns)}_{ENDINGS[kind]}"
    if any(index.name.startswith(name) for index in history.model.indexes):
        return None
    def effect():
        history.model.indexes.append(Index(name, table.name, columns, kind))
        if kind == "p":
            history.model.tables[table.name].not_null |= set(columns)
    if kind in "Ui":
        unique = "UNIQUE " if kind == "U" else ""
        return Step([f"CREATE {unique}INDEX {name} ON {table.name} ({', '.join(columns)})"], effect)
    words = "PRIMARY KEY" if kind == "p" else "UNIQUE"
    return Step([f"ALTER TABLE {table.name} ADD CONSTRAINT {name} {words} ({', '.join(columns)})"], effect)


@step(3)
def add_check(history):
    table = history.table(lambda table: is_plain(table) and "int" in table.columns.values())
    if table is None:
        return None
    column = history.pick(one for one, kind in table.columns.items() if kind == "int")
    name = f"{table.name}_{column}_check"
    if any(check.name == name for check in history.model.checks):
        return None
    return Step([f"ALTER TABLE {table.name} ADD CONSTRAINT {name} CHECK ({column} >= 0) NOT VALID"],
                lambda: history.model.checks.append(Check(name, table.name, column, False)))


@step(1)
def drop_check(history):
    check = history.pick(history.model.checks)
    if check is None:
        return None
    return Step([f"ALTER TABLE {check.table} DROP CONSTRAINT {check.name}"], lambda: history.model.checks.remove(check))


@step(2)
def not_null(history):
    table = history.table(is_plain)
    if table is None:
        return None
    column = history.pick(table.columns)
    names = history.model.tables[table.name].not_null
    if column in names:
        return Step([f"ALTER TABLE {table.name} ALTER {column} DROP NOT NULL"], lambda: names.discard(column))
    return Step([f"ALTER TABLE {table.name} ALTER {column} SET NOT NULL"], lambda: names.add(column))


@step(2)
def audit_trigger(history):
    if "orders" not in history.model.tables:
        return None
    found = [one for one in history.model.triggers if one.table == "orders"]
    if not found:
        return Step(["CREATE TRIGGER audit AFTER DELETE ON orders FOR EACH ROW EXECUTE FUNCTION audit()"],
                    lambda: history.model.triggers.append(Trigger("audit", "orders")))
    if history.chance(0.4):
        return Step(["DROP TRIGGER audit ON orders"], lambda: history.model.triggers.remove(found[0]))
    def effect():
        found[0].off = not found[0].off
    return Step([f"ALTER TABLE orders {'ENABLE' if found[0].off else 'DISABLE'} TRIGGER audit"], effect)


@step(3)
def sequence(history):
    name = history.pick(sorted(history.model.sequences))
    if name is None or history.chance(0.2):
        if "tickets" in history.model.sequences:
            return Step(["DROP SEQUENCE tickets"], lambda: history.model.sequences.pop("tickets"))
        def effect():
            history.model.sequences["tickets"] = Sequence("tickets")
        return Step(["CREATE SEQUENCE tickets"], effect)
    return Step([f"SELECT setval('{name}', {history.pick((1, 5, 500))})"])


@step(3)
def make_partition(history):
    root = history.pick(name for name in PARTITIONS if name in history.model.tables)
    if root is None:
        return None
    low = history.pick(PARTITIONS[root])
    name = f"{root}_{history.fresh()}"
    if any(one.part_of == root and one.bounds[0] == low for one in history.model.tables.values()):
        return None
    def effect():
        history.model.tables[name] = Table(name, dict(history.model.tables[root].columns), part_of=root,
                                           bounds=(low, low + 100))
    return Step([f"CREATE TABLE {name} PARTITION OF {root} FOR VALUES FROM ({low}) TO ({low + 100})"], effect)


@step(1)
def drop_partition(history):
    table = history.table(lambda table: table.part_of)
    if table is None:
        return None
    return Step([f"DROP TABLE {table.name}"], lambda: history.model.forget_table(table.name))


@step(2)
def detach_partition(history):
    table = history.table(lambda table: table.part_of)
    if table is None:
        return None
    return Step([f"ALTER TABLE {table.part_of} DETACH PARTITION {table.name}"],
                lambda: history.model.detach(table.name))


@step(3)
def attach_partition(history):
    table = history.table(lambda table: table.bounds and not table.part_of)
    root = table and history.pick(name for name in PARTITIONS if table.name.startswith(name + "_"))
    if root is None or root not in history.model.tables or not history.model.tables[root].partitioned:
        return None
    low, high = table.bounds
    return Step([f"ALTER TABLE {root} ATTACH PARTITION {table.name} FOR VALUES FROM ({low}) TO ({high})"],
                lambda: history.model.attach(table.name, root))


@step(4)
def remake_partitioned(history):
    name = history.pick(name for name in PARTITIONS if name not in history.model.tables)
    if name is None:
        return None
    index, part = f"{name}_pkey{history.fresh()}", f"{name}_{history.fresh()}"
    columns = DEFINITIONS[name]
    def effect():
        history.model.tables[name] = Table(name, dict(columns), partitioned=True, not_null={"id"})
        history.model.tables[part] = Table(part, dict(columns), part_of=name, bounds=(0, 100))
        history.model.indexes.append(Index(index, name, ("id",), "p"))
    lines = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    return Step([f"CREATE TABLE {name} ({lines}, CONSTRAINT {index} PRIMARY KEY (id)) PARTITION BY RANGE (id)",
                 f"CREATE TABLE {part} PARTITION OF {name} FOR VALUES FROM (0) TO (100)"], effect)


@step(2)
def inheritance(history):
    """An heir is made, dropped, or stands alone."""
    if "base" not in history.model.tables:
        return None
    base = history.model.tables["base"]
    name = history.pick(("heir", "twin"))
    if name not in history.model.tables:
        own = {"extra": "int"} if name == "heir" else {}
        inherited = base.not_null
        def effect():
            history.model.tables[name] = Table(name, {**base.columns, **own}, inherits="base", own_columns=bool(own),
                                               local=False, not_null=set(inherited))
        columns = "extra int" if own else ""
        return Step([f"CREATE TABLE {name} ({columns}) INHERITS (base)"], effect)
    heir = history.model.tables[name]
    if not heir.inherits and history.model.keys_of(name):
        return None
    if not heir.inherits:
        def joins():
            heir.inherits = "base"
        return Step([f"ALTER TABLE {name} INHERIT base"], joins)
    def leaves():
        heir.inherits, heir.local = "", True
    return Step([f"ALTER TABLE {name} NO INHERIT base"], leaves)
