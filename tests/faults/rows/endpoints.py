"""An API that is slow, silent, endless or wrong."""
import gzip
import http.server
import json
import threading
import time

import measured
from table import demand, elsewhere, eventually, row
from world import HEADROOM

UP = 'pg_integrity_api_up{endpoint="api"}'


class Api:
    """@param answer a function that gets the handler of a request"""

    def __init__(self, answer):
        outer = self
        self.answer, self.over, self.asked = answer, threading.Event(), 0

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.asked += 1
                try:
                    outer.answer(self)
                except OSError:
                    pass
                self.close_connection = True

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()


def says(status, body=b"", more=()):
    def answer(handler):
        handler.send_response(status)
        for name, value in (("Content-Length", str(len(body))), ("Content-Type", "application/json"), *more):
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def watched(run, answer):
    world = run.world()
    api = Api(answer)
    run.callback(api.close)
    exporter = world.watched(
        "[[server.collectors.api_sync.endpoints]]",
        'name = "api"',
        f'url = "http://127.0.0.1:{api.port}/children"',
        'tables = ["public.child"]',
        'timeout = "1s"',
        fast=("server", "row_counts", "orphans", "api_sync"),
    )
    return api, exporter


COUNT = says(200, json.dumps(list(range(5))).encode())


def hangs(api_over):
    return lambda handler: api_over.wait(60)


@row(
    70,
    "an API that refuses, fails or asks for patience",
    "I5 I8",
    also=(
        "ApiSyncOf.WhoRefusesUsIsAskedOnce",
        "ApiSyncOf.ACertificateOfNobodysIsAViolation",
        "HttpClientOf.CertificatesAreVerified",
        "HttpClientOf.WhoSpeaksNoTlsIsATlsError",
    ),
)
def refusing(run):
    api, exporter = watched(run, COUNT)
    difference = 'pg_integrity_api_row_difference{endpoint="api"}'
    exporter.wait_for(difference, 0)
    seen = []
    for status in (401, 403, 404, 429, 500, 503):
        patience = status in (429, 503)
        api.answer = says(status, b"no", [("Retry-After", "8")] if patience else [])
        exporter.wait_for(UP, 0)
        before, shown = api.asked, exporter.value_of(difference)
        demand(shown in (None, "0"), f"{status}: a difference of {shown} is computed")
        if patience:
            time.sleep(5)
            seen.append(f"{api.asked - before} requests in 5 s after a {status} with Retry-After: 8")
            demand(api.asked == before, seen[-1])
        api.answer = COUNT
        exporter.wait_for(UP, 1, 60)
    demand(exporter.value_of('pg_integrity_collector_success{collector="orphans"}') == "1", "other collectors suffer")
    return "six statuses are down without a difference; " + ", ".join(seen)


@row(
    71,
    "an API that hangs, drips, never ends, or sends a bomb",
    "I2 I4 I5",
    also=(
        "HttpClientOf.WhatTricklesMeetsTheDeadlineOfTheWhole",
        "HttpClientOf.AnEndlessBodyIsCut",
        "ApiSyncOf.ATricklingAnswerIsDownAndSlow",
        "ApiSyncOf.AnEndlessAnswerIsUnproven",
    ),
)
def endless(run):
    api, exporter = watched(run, COUNT)
    exporter.wait_for(UP, 1)
    bomb = gzip.compress(bytes(1 << 28))

    def drips(handler):
        handler.send_response(200)
        handler.end_headers()
        while not api.over.wait(0.3):
            handler.wfile.write(b" ")

    def never_ends(handler):
        handler.send_response(200)
        handler.end_headers()
        while not api.over.is_set():
            handler.wfile.write(b"[" * 65536)

    def long_head(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not api.over.is_set():
            handler.wfile.write(b"X-More: " + b"x" * 65536 + b"\r\n")

    good = 'pg_integrity_objects{collector="api_sync",state="proven"}'
    slowest = 0.0
    for answer in (hangs(api.over), drips, never_ends, long_head, says(200, bomb, [("Content-Encoding", "gzip")])):
        exporter.wait_for(UP, 1, 60)
        api.answer = answer
        eventually(
            lambda: exporter.value_of(UP) == "0"
            or exporter.failed("api_sync", "limit")
            or int(exporter.value_of('pg_integrity_objects{collector="api_sync",state="unproven"}') or 0) > 0,
            20,
            f"a finding, {exporter.value_of(good)}",
        )
        slowest = max(slowest, measured.median_scrape(exporter.port))
        memory = measured.memory(exporter.pid)[1]
        demand(memory < HEADROOM, f"{memory:.0f} MiB")
        demand(exporter.value_of('pg_integrity_collector_success{collector="row_counts"}') == "1", "row_counts suffers")
        api.answer = COUNT
    demand(slowest < 50, f"scrapes took {slowest:.0f} ms")
    back = exporter.wait_for(UP, 1, 60)
    return f"scrapes in {slowest:.1f} ms, {memory:.0f} MiB at most, good again after {back:.1f} s"


elsewhere(
    74,
    "an API whose table changes meanwhile",
    "I7",
    "ApiSyncOf.ABusyWriterRaisesNoDifference",
    "ApiSyncOf.WhatIsInFlightIsNoDifference",
    "ApiSyncOf.CountsAboveAndThenBelowAreNeitherEqualNorWrong",
)
