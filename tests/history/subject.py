"""A database of the throwaway server: a session that makes its history, and a reader of its rows."""
import re
import subprocess

from throwaway import clean_environment, unprivileged

MARK = "@history@"
SESSION = """
\\set VERBOSITY terse
SET lock_timeout = '80ms'; SET client_min_messages = error; SET max_parallel_workers_per_gather = 0;
SET enable_seqscan = on; SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off;
"""


class Subject:
    """One psql that stays. Its statements scan heaps, whatever the indexes say."""

    def __init__(self, server, database):
        self.command = unprivileged(["psql", "-X", "-q", "-A", "-t", "-d", server.dsn("postgres", database)])
        self.psql = None
        self.log = []

    def connect(self):
        self.psql = subprocess.Popen(self.command, env=clean_environment(), stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)
        self.ask(SESSION)

    def close(self):
        if self.psql:
            self.psql.stdin.close()
            self.psql.wait(10)
            self.psql.stdout.close()
            self.psql = None

    def ask(self, text):
        """@return the lines that psql prints for some statements"""
        self.psql.stdin.write(f"{text}\n\\echo {MARK}\n")
        self.psql.stdin.flush()
        lines = []
        for line in self.psql.stdout:
            if line.rstrip("\n") == MARK:
                return lines
            lines.append(line.rstrip("\n"))
        raise RuntimeError("psql ended: " + " / ".join(lines[-3:]))

    def run(self, statements):
        """Runs statements until one fails, in one transaction unless they say otherwise. @return the first error"""
        alone = statements[0].startswith("--")  # statements that run in no transaction
        text = "\n".join(f"{statement};\n\\echo {MARK}:ERROR :LAST_ERROR_MESSAGE".replace(f"{MARK}:", f"{MARK} :")
                         for statement in statements[1 if alone else 0:])
        lines = self.ask(text if alone else f"BEGIN;\n{text}\nCOMMIT;")
        for line in lines:
            if found := re.match(rf"{MARK} true (.*)", line):
                return found.group(1)
        return None

    def rows(self, tables):
        """The rows of the tables' own heaps, None if a table is locked. @param tables name -> columns"""
        lines = self.ask("\n".join(f"\\echo {MARK} {table}\nCOPY {table} ({', '.join(columns)}) TO STDOUT;"
                                   for table, columns in tables.items()))
        found, name, rows = {}, None, []
        for line in lines:
            if line.startswith(MARK):
                name, rows = line.split()[1], []
                found[name] = rows
            elif line.startswith("ERROR:"):
                found[name] = None
            else:
                rows.append(tuple(None if value == "\\N" else value for value in line.split("\t")))
        return found

    def sequences(self, names):
        """The next value of each sequence."""
        lines = self.ask("\n".join(f"SELECT last_value + is_called::int FROM {name};" for name in names))
        return dict(zip(names, map(int, lines)))
