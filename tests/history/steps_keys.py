"""Steps that drop, rename, replace and make keys and constraints."""
import dataclasses

from model import Check, ForeignKey, Index, uids
from steps import Step, step


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
    child = history.table(lambda table: "id" in table.columns
                          and not (table.part_of or table.inherits or table.unlogged))
    index = history.pick(index for index in history.model.indexes_all("puU") if index.valid and
                         not (history.model.tables[index.table].part_of or history.model.tables[index.table].unlogged))
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
    table = history.table(lambda table: history.model.is_plain(table) and "int" in table.columns.values())
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
    table = history.table(history.model.is_plain)
    if table is None:
        return None
    column = history.pick(table.columns)
    names = history.model.tables[table.name].not_null
    if column in names:
        return Step([f"ALTER TABLE {table.name} ALTER {column} DROP NOT NULL"], lambda: names.discard(column))
    return Step([f"ALTER TABLE {table.name} ALTER {column} SET NOT NULL"], lambda: names.add(column))
