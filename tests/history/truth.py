"""What the rows of a database are worth, computed here from the heaps' own rows. No SQL of the exporter's is used."""
from collections import Counter


class Truth:
    """The rows at one moment, and what the model's keys say about them."""

    def __init__(self, model, subject):
        self.model = model
        tables = {table.name: list(table.columns) for table in model.tables.values() if not table.partitioned}
        self.own = subject.rows(tables)
        self.next_value = subject.sequences([name for name in model.sequences])

    def is_readable(self, *names, heirs=False):
        return not self.model.is_locked(names, heirs)

    def rows(self, table, columns, heirs=False):
        """The rows as tuples of these columns. Every partition belongs to its table."""
        names = self.model.leaves(table) + (self.model.heirs(table) if heirs else [])
        found = []
        for name in names:
            place = [list(self.model.tables[name].columns).index(column) for column in columns]
            found += [tuple(row[i] for i in place) for row in self.own[name]]
        return found

    def count(self, table, heirs=True):
        return len(self.rows(table, (), heirs))

    def orphans(self, child, columns, parent, parent_columns, full, heirs=False):
        parents = set(self.rows(parent, parent_columns, heirs))
        return sum(self.refers(values, full) and (None in values or values not in parents)
                   for values in self.rows(child, columns, heirs))

    @staticmethod
    def refers(values, full):
        """Whether a row needs a parent. A row with some NULLs refers to something under MATCH FULL only."""
        nulls = sum(value is None for value in values)
        return nulls < len(values) if full else nulls == 0

    def orphans_of(self, key):
        return self.orphans(key.child, key.columns, key.parent, key.parent_columns, key.full)

    def surplus(self, table, columns):
        seen = Counter(values for values in self.rows(table, columns) if None not in values)
        return sum(count - 1 for count in seen.values())

    def broken(self, check):
        return sum(value is not None and int(value) < 0 for (value,) in self.rows(check.table, (check.column,)))

    def behind(self, sequence):
        """Values of the sequence that its column has reached already."""
        top = max((int(value) for (value,) in self.rows(sequence.table, (sequence.column,)) if value is not None),
                  default=None)
        following = self.next_value[sequence.name]
        return 0 if top is None else max(0, top - following + 1)
