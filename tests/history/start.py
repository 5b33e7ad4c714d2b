"""The schema that every history begins with, as SQL and as a model, and the exporter's configuration."""
from model import Check, ForeignKey, Index, Model, Sequence, Table, Trigger

SQL = """
CREATE EXTENSION IF NOT EXISTS pg_surgery;
CREATE TABLE parent (id int CONSTRAINT parent_pkey PRIMARY KEY, a int, b text, qty int,
  CONSTRAINT parent_ab UNIQUE (a, b));
CREATE TABLE child (id int CONSTRAINT child_pkey PRIMARY KEY,
  parent_id int CONSTRAINT child_parent REFERENCES parent, a int, b text, n int,
  CONSTRAINT child_ab FOREIGN KEY (a, b) REFERENCES parent (a, b) MATCH FULL);
CREATE TABLE link (id int CONSTRAINT link_pkey PRIMARY KEY, a int, b text,
  CONSTRAINT link_ab FOREIGN KEY (a, b) REFERENCES parent (a, b));
CREATE INDEX child_parent_index ON child (parent_id);
CREATE TABLE node (id int CONSTRAINT node_pkey PRIMARY KEY, up int CONSTRAINT node_up REFERENCES node, qty int);
CREATE TABLE area (id int CONSTRAINT area_pkey PRIMARY KEY, n int) PARTITION BY RANGE (id);
CREATE TABLE area_1 PARTITION OF area FOR VALUES FROM (0) TO (100);
CREATE TABLE area_2 PARTITION OF area FOR VALUES FROM (100) TO (200);
CREATE TABLE visit (id int CONSTRAINT visit_pkey PRIMARY KEY, area_id int CONSTRAINT visit_area REFERENCES area);
CREATE TABLE site (id int CONSTRAINT site_pkey PRIMARY KEY,
  parent_id int CONSTRAINT site_parent REFERENCES parent, n int) PARTITION BY RANGE (id);
CREATE TABLE site_1 PARTITION OF site FOR VALUES FROM (0) TO (100);
CREATE TABLE site_2 PARTITION OF site FOR VALUES FROM (100) TO (200);
CREATE UNIQUE INDEX site_1_n ON site_1 (n);
CREATE TABLE base (id int CONSTRAINT base_pkey PRIMARY KEY, parent_id int CONSTRAINT base_parent REFERENCES parent);
CREATE TABLE heir (extra int) INHERITS (base);
CREATE TABLE twin () INHERITS (base);
CREATE SEQUENCE orders_id_seq;
CREATE TABLE orders (id int CONSTRAINT orders_pkey PRIMARY KEY DEFAULT nextval('orders_id_seq'),
  parent_id int CONSTRAINT orders_parent REFERENCES parent);
ALTER SEQUENCE orders_id_seq OWNED BY orders.id;
CREATE TABLE audit_log (of_table text, did text);
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS
  $$BEGIN INSERT INTO public.audit_log VALUES (TG_TABLE_NAME, TG_OP); RETURN NULL; END$$;
CREATE TRIGGER audit AFTER DELETE ON orders FOR EACH ROW EXECUTE FUNCTION audit();
CREATE UNLOGGED TABLE scratch (id int, n int);
CREATE SEQUENCE tickets;
INSERT INTO parent SELECT i, i, chr(96 + i), i FROM generate_series(1, 8) i;
INSERT INTO child SELECT i, i, i, chr(96 + i), i FROM generate_series(1, 8) i;
INSERT INTO link SELECT i, i, chr(96 + i) FROM generate_series(1, 8) i;
INSERT INTO node SELECT i, nullif(i - 1, 0), i FROM generate_series(1, 8) i;
INSERT INTO area SELECT 30 * i, i FROM generate_series(1, 6) i;
INSERT INTO visit SELECT i, 30 * i FROM generate_series(1, 6) i;
INSERT INTO site SELECT 30 * i, i, i FROM generate_series(1, 6) i;
INSERT INTO base SELECT i, i FROM generate_series(1, 4) i;
INSERT INTO heir SELECT i, i, i FROM generate_series(5, 6) i;
INSERT INTO twin SELECT i, i FROM generate_series(7, 8) i;
INSERT INTO orders (parent_id) SELECT 1 + i % 8 FROM generate_series(1, 20) i;
INSERT INTO scratch SELECT i, i FROM generate_series(1, 5) i;
ALTER TABLE node ADD CONSTRAINT node_qty CHECK (qty >= 0) NOT VALID;
"""

PINS = ["table public.orders", "foreign_key public.child.*", "trigger public.orders.audit", "table public.stock"]
LIMITS = {"parent": 3, "orders": 2}
COLLECTORS = ("row_counts", "inventory", "orphans", "duplicates", "constraints", "storage", "audit_triggers")
OTHERS = ("amcheck", "connections", "freshness", "privileges", "query_latency", "sequence_use", "server", "wal")

DEFINITIONS = {
    "parent": {"id": "int", "a": "int", "b": "text", "qty": "int"},
    "child": {"id": "int", "parent_id": "int", "a": "int", "b": "text", "n": "int"},
    "link": {"id": "int", "a": "int", "b": "text"},
    "node": {"id": "int", "up": "int", "qty": "int"},
    "area": {"id": "int", "n": "int"},
    "visit": {"id": "int", "area_id": "int"},
    "site": {"id": "int", "parent_id": "int", "n": "int"},
    "base": {"id": "int", "parent_id": "int"},
    "orders": {"id": "int", "parent_id": "int"},
    "audit_log": {"of_table": "text", "did": "text"},
    "scratch": {"id": "int", "n": "int"},
}


def first_model():
    model = Model()
    for name, columns in DEFINITIONS.items():
        model.tables[name] = Table(name, dict(columns), partitioned=name in ("area", "site"),
                                   unlogged=name == "scratch")
        if "id" in columns and name != "scratch":
            model.tables[name].not_null.add("id")
            model.indexes.append(Index(f"{name}_pkey", name, ("id",), "p"))
    for root in ("area", "site"):
        for number in (1, 2):
            model.tables[f"{root}_{number}"] = Table(
                f"{root}_{number}", dict(DEFINITIONS[root]), part_of=root, bounds=(100 * number - 100, 100 * number))
    heirs = dict(DEFINITIONS["base"])
    model.tables["heir"] = Table("heir", {**heirs, "extra": "int"}, inherits="base", local=False, not_null={"id"})
    model.tables["twin"] = Table("twin", heirs, inherits="base", own_columns=False, local=False, not_null={"id"})
    model.indexes += [Index("parent_ab", "parent", ("a", "b"), "u"), Index("site_1_n", "site_1", ("n",), "U"),
                      Index("child_parent_index", "child", ("parent_id",), "i")]
    for child, name, columns, parent, referenced in (
            ("child", "child_parent", ("parent_id",), "parent", ("id",)),
            ("node", "node_up", ("up",), "node", ("id",)),
            ("visit", "visit_area", ("area_id",), "area", ("id",)),
            ("site", "site_parent", ("parent_id",), "parent", ("id",)),
            ("base", "base_parent", ("parent_id",), "parent", ("id",)),
            ("orders", "orders_parent", ("parent_id",), "parent", ("id",))):
        model.foreign_keys.append(ForeignKey(name, child, columns, parent, referenced))
    for child in ("child", "link"):
        model.foreign_keys.append(
            ForeignKey(f"{child}_ab", child, ("a", "b"), "parent", ("a", "b"), full=child == "child"))
    model.checks.append(Check("node_qty", "node", "qty", valid=False))
    model.triggers.append(Trigger("audit", "orders"))
    model.sequences = {"orders_id_seq": Sequence("orders_id_seq", "orders", "id"), "tickets": Sequence("tickets")}
    model.filled = set(model.tables)
    return model


def configuration(dsn, folder, databases, accepted):
    """@param accepted pairs of a database and the name of an object that the configuration accepts"""
    lines = [f'state_dir = "{folder}/state"', "[[server]]", 'name = "history"', f'dsn = "{dsn}"',
             f"databases = [{', '.join(f'{name!r}' for name in databases)}]", "max_load = 1",
             f"max_sessions = {len(databases) + 1}",
             f"expect = {{ objects = [{', '.join(f'{pin!r}' for pin in PINS)}] }}"]
    lines += [f'collectors.{name}.interval = "1h"' for name in COLLECTORS]
    lines += [f"collectors.{name}.enabled = false" for name in OTHERS]
    lines += ['collectors.inventory.learn_after = "0s"']
    for database in databases:
        for table, least in LIMITS.items():
            lines += ["[[server.collectors.row_counts.limits]]", f"database = {database!r}",
                      f"table = {table!r}", f"min_rows = {least}"]
        lines += ["[[server.collectors.audit_triggers.audited]]", f"database = {database!r}",
                  "tables = ['public.orders']", "function = 'public.audit'",
                  "log = { table = 'audit_log', about = 'of_table', event = 'did', deletes = ['DELETE'] }"]
    for database, name in sorted(accepted):
        lines += ["[[server.accept]]", f"database = {database!r}", f"object = {name!r}", "at_most = 100000",
                  "until = 2100-01-01", "reason = 'the history accepts it'"]
    return "\n".join(lines) + "\n"
