"""Steps that drop, rename, make and move tables, with their partitions, heirs, triggers and sequences."""
from model import Index, Sequence, Table, Trigger
from start import DEFINITIONS
from steps import Step, step
from steps_rows import inserted

PARTITIONS = {"area": range(0, 400, 100), "site": range(0, 400, 100)}


@step(2)
def drop_table(history):
    table = history.table(lambda table: not table.part_of and (table.name != "parent" or history.chance(0.2)))
    if len(history.model.tables) < 9:
        return None
    def effect():
        if history.model.is_plain(table) or table.name == "base":
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
    table = history.table(history.model.is_plain)
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
    if any(check.table == "base" for check in history.model.checks):
        return None   # an heir would have it, too
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
