"""Steps that damage indexes and heaps, switch triggers off, leave transactions prepared, and maintain tables."""
from steps import REPLICA, Step, step
from steps_rows import changed, filled, inserted, is_ordinary, random_value


def real_indexes(history):
    """Indexes that have entries of their own."""
    return [index for index in history.model.indexes if not history.model.tables[index.table].partitioned]


def set_ready(index, ready):
    return f"UPDATE pg_index SET indisready = {ready}, indisvalid = {ready} WHERE indexrelid = '{index.name}'::regclass"


@step(7)
def rows_without_entries(history):
    """Rows that an index knows nothing of. A unique index then lets the same value in twice."""
    index = history.pick(index for index in real_indexes(history) if index.valid)
    if index is None:
        return None
    table = history.model.tables[index.table]
    blind = [index]
    if index.kind != "i" and history.chance(0.7):
        blind = [one for one in history.model.indexes_of(table.name, "puU") if one.valid]
    statements = [inserted(history, table, 1)]
    known = [history.values(table.name, column) for column in table.columns]
    if index.kind != "i" and known[0] and history.chance(0.7):
        columns = ", ".join(table.columns)
        statements = [f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM ONLY {table.name} LIMIT 1"]
    return Step([REPLICA, *(set_ready(one, "false") for one in blind), *statements,
                 *(set_ready(one, "true") for one in blind)],
                lambda: history.model.doubtful.add(table.name), filled(history, table.name))


@step(2)
def order_of_index(history):
    """The index says that it is sorted the other way."""
    index = history.pick(real_indexes(history))
    if index is None:
        return None
    flipped = " ".join("3" for _ in index.columns)
    plain = " ".join("0" for _ in index.columns)
    return Step([f"UPDATE pg_index SET indoption = CASE WHEN indoption::text = '{plain}' THEN '{flipped}'"
                 f" ELSE '{plain}' END::int2vector WHERE indexrelid = '{index.name}'::regclass"],
                lambda: history.model.doubtful.add(index.table))


@step(2)
def invalid_index(history):
    """An index that a build left behind, or that is valid again."""
    index = history.pick(index for index in real_indexes(history) if index.kind in "Ui")
    if index is None:
        return None
    def effect():
        index.valid = not index.valid
    return Step([f"UPDATE pg_index SET indisvalid = {not index.valid} WHERE indexrelid = '{index.name}'::regclass"],
                effect)


@step(2)
def heap_surgery(history):
    """Rows vanish from the heap, and the indexes still have their entries."""
    table = history.table(lambda table: not table.partitioned)
    return Step([f"SELECT heap_force_kill('{table.name}', (SELECT array_agg(ctid) FROM (SELECT ctid FROM ONLY"
                 f" {table.name} ORDER BY ctid DESC LIMIT 1) k))"], lambda: history.model.doubtful.add(table.name))


@step(1)
def planner(history):
    """The database tells the planner of new sessions to take any index rather than read a heap."""
    return Step([f"ALTER DATABASE {history.database} SET enable_seqscan = {history.pick(('on', 'off'))}"])


@step(3)
def reindex(history):
    index = history.pick(real_indexes(history))
    if index is None:
        return None
    def effect():
        index.valid = True
    return Step([f"REINDEX INDEX {index.name}"], effect)


@step(3)
def maintain(history):
    table = history.table()
    command = history.pick(("VACUUM", "VACUUM FULL", "ANALYZE", "VACUUM (FREEZE, ANALYZE)", "REINDEX TABLE"))
    name = table.name
    def effect():
        if command in ("VACUUM FULL", "REINDEX TABLE"):
            history.model.rebuild_indexes(name, unique=command == "REINDEX TABLE")
    return Step(["--", f"{command} {name}"], effect)


@step(4)
def triggers_off(history):
    table = history.table(lambda table: not table.partitioned)
    return Step([f"ALTER TABLE {table.name} DISABLE TRIGGER ALL"],
                lambda: history.model.switch_triggers(table.name, True))


@step(6)
def triggers_on(history):
    off = {name for key in history.model.foreign_keys for name in key.off}
    off |= {trigger.table for trigger in history.model.triggers if trigger.off}
    name = history.pick(sorted(off))
    if name is None:
        return None
    return Step([f"ALTER TABLE {name} ENABLE TRIGGER ALL"], lambda: history.model.switch_triggers(name, False))


@step(4)
def off_and_on(history):
    """Wrong rows while the triggers were off. Nobody sees that they were."""
    table = history.table(lambda table: not table.partitioned and is_ordinary(table))
    column = history.pick(table.columns)
    work = [changed(history, table, column, random_value(history, table, column)), inserted(history, table, 1),
            f"DELETE FROM {table.name} WHERE ctid IN (SELECT ctid FROM {table.name} LIMIT 1)"]
    return Step([f"ALTER TABLE {table.name} DISABLE TRIGGER ALL", history.pick(work),
                 f"ALTER TABLE {table.name} ENABLE TRIGGER ALL"],
                lambda: history.model.switch_triggers(table.name, False), filled(history, table.name))


@step(3)
def prepare(history):
    """A transaction that stays open, with or without a lock that keeps others from reading."""
    if len(history.model.prepared) >= 2:
        return None
    name = f"p{history.fresh()}"
    table = history.table(lambda table: is_ordinary(table) and not table.partitioned)
    roles = [REPLICA] if history.chance(0.4) else []
    work = history.pick(([inserted(history, table, 2)], [f"DELETE FROM {table.name}"],
                         [f"LOCK TABLE ONLY {table.name} IN ACCESS EXCLUSIVE MODE", inserted(history, table, 1)]))
    locked = {table.name} if len(work) > 1 else set()
    def effect():
        history.model.prepared[name] = locked
    return Step([*roles, *work, f"PREPARE TRANSACTION '{history.database}_{name}'"], effect,
                filled(history, table.name))


@step(5)
def end_prepared(history):
    name = history.pick(history.model.prepared)
    if name is None:
        return None
    end = "COMMIT" if history.chance(0.7) else "ROLLBACK"
    return Step(["--", f"{end} PREPARED '{history.database}_{name}'"], lambda: history.model.prepared.pop(name))
