"""Steps that change rows: those of an application, and those of somebody who goes around the keys."""
from steps import REPLICA, Step, literal, step


def random_value(history, table, column):
    """A value that the table's keys mostly allow."""
    if history.chance(0.1):
        return None
    for key in history.model.foreign_keys:
        if key.child in (table.name, table.part_of) and column in key.columns:
            known = history.values(key.parent, key.parent_columns[key.columns.index(column)])
            if known and not history.chance(0.08):
                return history.pick(sorted(known, key=str))
    if table.columns[column] == "text":
        return history.pick("abcdefgh")
    return history.rng.randint(-1 if history.chance(0.1) else 0, 40)


def random_row(history, table):
    row = {column: random_value(history, table, column) for column in table.columns}
    if "id" in row:
        bounds = table.bounds or ((0, 200) if table.partitioned else (1, 400))
        row["id"] = history.rng.randrange(*bounds)
    for key in history.model.foreign_keys:   # the columns of a composite key come from one parent
        if key.child in (table.name, table.part_of) and len(key.columns) > 1 and not history.chance(0.15):
            parents = list(zip(*(history.values(key.parent, column) for column in key.parent_columns)))
            if parents:
                row.update(zip(key.columns, history.pick(sorted(parents, key=str))))
    return row


def inserted(history, table, count):
    rows = [random_row(history, table) for _ in range(count)]
    values = ", ".join("(" + ", ".join(literal(row[column]) for column in table.columns) + ")" for row in rows)
    return f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES {values}"


def is_ordinary(table):
    return table.name != "audit_log"


def filled(history, name):
    """The tables that a row of this table is in."""
    table = history.model.tables[name]
    return (name, *(history.model.leaves(name)), *filter(None, (table.part_of, table.inherits)))


@step(14)
def insert(history):
    table = history.table(is_ordinary)
    return Step([inserted(history, table, history.rng.randint(1, 3))], fills=filled(history, table.name))


@step(6)
def insert_as_replica(history):
    table = history.table(is_ordinary)
    return Step([REPLICA, inserted(history, table, 1)], fills=filled(history, table.name))


def where(history, table):
    """A condition that meets a few rows that were there at the newest pass."""
    column = "id" if "id" in table.columns else next(iter(table.columns))
    value = history.pick(sorted(set(history.values(table.name, column)), key=str))
    if value is None:
        return f"{column} IS NULL"
    return f"{column} = {literal(value)}"


def changed(history, table, column, value):
    return f"UPDATE {table.name} SET {column} = {literal(value)} WHERE {where(history, table)}"


@step(8)
def update(history):
    table = history.table(is_ordinary)
    column = history.pick(table.columns)
    roles = [REPLICA] if history.chance(0.3) else []
    return Step([*roles, changed(history, table, column, random_value(history, table, column))])


@step(4)
def update_parent_key(history):
    """Moves a key that others may refer to."""
    key = history.pick(history.model.foreign_keys)
    if key is None:
        return None
    column = history.pick(key.parent_columns)
    parent = history.model.tables[key.parent]
    value = history.rng.randrange(0, 200) if parent.columns[column] == "int" else history.pick("ijkl")
    roles = [REPLICA] if history.chance(0.6) else []
    return Step([*roles, changed(history, parent, column, value)])


@step(4)
def null_in_key(history):
    """Under MATCH FULL a row with some NULLs refers to nothing, and is wrong."""
    key = history.pick(history.model.foreign_keys)
    if key is None:
        return None
    child = history.model.tables[key.child]
    column = history.pick(key.columns)
    roles = [REPLICA] if history.chance(0.5) else []
    return Step([*roles, changed(history, child, column, None)])


@step(7)
def delete(history):
    table = history.table(is_ordinary)
    return Step([f"DELETE FROM {table.name} WHERE {where(history, table)}"])


@step(4)
def delete_as_replica(history):
    table = history.table(is_ordinary)
    return Step([REPLICA, f"DELETE FROM {table.name} WHERE {where(history, table)}"])


@step(5)
def delete_audited(history):
    if "orders" not in history.model.tables:
        return None
    roles = [REPLICA] if history.chance(0.25) else []
    return Step([*roles, "DELETE FROM orders WHERE id IN (SELECT id FROM orders ORDER BY id LIMIT 2)"])


@step(2)
def insert_audited(history):
    if "orders" not in history.model.tables:
        return None
    return Step(["INSERT INTO orders (parent_id) SELECT id FROM parent ORDER BY id LIMIT 4"], fills=("orders",))


@step(1)
def forge_log(history):
    """Entries of the log that nobody wrote by the trigger, or that are removed."""
    if "audit_log" not in history.model.tables:
        return None
    if history.chance(0.5):
        return Step(["DELETE FROM audit_log WHERE ctid IN (SELECT ctid FROM audit_log LIMIT 1)"])
    return Step(["INSERT INTO audit_log VALUES ('orders', 'DELETE')"], fills=("audit_log",))


@step(4)
def truncate(history):
    table = history.table(lambda table: table.name != "audit_log" or history.chance(0.2))
    cascade = history.chance(0.3)
    def effect():
        for name in history.model.referring(table.name) if cascade else [table.name]:
            history.model.rebuild_indexes(name, unique=False)
    return Step([f"TRUNCATE {table.name}{' CASCADE' if cascade else ''}"], effect)


@step(3)
def refill(history):
    """Keeps tables from being empty for long."""
    table = history.table(lambda table: is_ordinary(table) and len(history.rows.get(table.name) or ()) < 4)
    if table is None:
        return None
    return Step([inserted(history, table, 4)], fills=filled(history, table.name))


def only(history, name):
    return name if history.model.tables[name].partitioned else f"ONLY {name}"


@step(6)
def repair_orphans(history):
    key = history.pick(key for key in history.model.foreign_keys
                       if f"orphans/public.{key.child}.{key.name}" in history.red)
    if key is None:
        return None
    match = " AND ".join(f"p.{theirs} = c.{ours}" for ours, theirs in zip(key.columns, key.parent_columns))
    needs = (" OR " if key.full else " AND ").join(f"c.{column} IS NOT NULL" for column in key.columns)
    orphan = (f"({needs}) AND NOT EXISTS (SELECT FROM {only(history, key.parent)} p WHERE {match})")
    nulls = ", ".join(f"{column} = NULL" for column in key.columns)
    child = only(history, key.child)
    change = f"DELETE FROM {child}" if history.chance(0.5) else f"UPDATE {child} c SET {nulls}"
    return Step([REPLICA, (change if "SET" in change else change + " c") + f" WHERE {orphan}"])


@step(5)
def repair_duplicates(history):
    index = history.pick(index for index in history.model.indexes
                         if f"duplicates/public.{index.table}.{index.name}" in history.red)
    if index is None:
        return None
    same = " AND ".join(f"a.{column} = b.{column}" for column in index.columns)
    table = only(history, index.table)
    return Step([REPLICA, f"DELETE FROM {table} a USING {table} b WHERE {same}"
                 " AND (a.tableoid, a.ctid) < (b.tableoid, b.ctid)"])


@step(3)
def repair_check(history):
    check = history.pick(history.model.checks)
    if check is None:
        return None
    return Step([REPLICA, f"UPDATE {only(history, check.table)} SET {check.column} = 0 WHERE {check.column} < 0"])
