#!/usr/bin/env python3
"""The API behind the report's dashboard, over the database that libpq's environment names.

It lists what is in a table, and claims the total that the report claims. It listens on 127.0.0.1, on the port of the
environment's PORT or on a free one. The port is the one line that it prints, once its session with the database is a
second old: whoever looks from then on finds a session that ConnectionAuditLog should know.
"""
import json
import os
import subprocess
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from threading import Lock
from time import sleep

TOTAL = 544  # "544 rows": nobody has added up the tables since it was written down
TABLES = ("User", "ScheduledSession")  # section 5 of the report
ROWS_OF = "/api/database/table-contents/"


class Psql:
    """One session for all answers: starting a program for each would cost more than the report's 100 ms.

    It ends with its standard input, and so with this process.
    """

    COMMAND = ("psql", "-X", "-q", "-A", "-t")
    END = b"-- end\n"

    def __init__(self):
        self.lock = Lock()
        self.process = None

    def ask(self, sql):
        """What a query prints. OSError: the database does not answer."""
        with self.lock:
            # A session that broke since the last answer is no outage.
            for _ in range(2):
                try:
                    return self.try_once(sql)
                except OSError:
                    self.end()
            raise ConnectionError(sql)

    def try_once(self, sql):
        if self.process is None:
            self.process = subprocess.Popen(self.COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdin.write(f"{sql};\n\\echo {self.END.decode()}".encode())
        self.process.stdin.flush()
        lines = []
        while (line := self.process.stdout.readline()) not in (self.END, b""):
            lines.append(line)
        if line == b"" or not lines:  # psql has ended, or the query has failed
            raise ConnectionError(sql)
        return b"".join(lines)

    def end(self):
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


psql = Psql()


def rows_of(table):
    return psql.ask(f"SELECT coalesce(json_agg(t), '[]') FROM public.\"{table}\" t")


class Api(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/database-viewer":
            self.answer(200, "text/html", b"<!doctype html><title>Database viewer</title>")
        elif self.path == "/api/database/summary":
            self.answer(200, "application/json", json.dumps({"total_rows": TOTAL}).encode())
        elif self.path.startswith(ROWS_OF) and self.path[len(ROWS_OF):] in TABLES:
            try:
                rows = rows_of(self.path[len(ROWS_OF):])
            except OSError:
                return self.answer(503, "text/plain", b"the database does not answer\n")
            self.answer(200, "application/json", rows)
        else:
            self.answer(404, "text/plain", b"not found\n")

    def answer(self, status, content_type, body):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingTCPServer):
    daemon_threads = True


psql.ask("SELECT 1")
sleep(1.1)
with Server(("127.0.0.1", int(os.environ.get("PORT", "0"))), Api) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
