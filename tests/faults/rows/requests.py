"""What clients of the HTTP server may try."""
import base64
import resource
import socket
import struct
import threading
import time

import measured
from measured import ask, get
from table import demand, eventually, row
from world import PAGE

LINE = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
CLOSE = b"Connection: close\r\n\r\n"


def status(answer):
    return int(answer.split()[1]) if answer.startswith(b"HTTP/") else None


def nobody(run):
    """An exporter whose database is away: what is tested is its port."""
    world = run.world(started=False)
    world.configure(dsn=f"host={world.work}/socket user=x dbname=x")
    return world, world.serve()


@row(76, "other methods, versions and forms of a request", "I1", also=("Http.OtherMethodsAreNotAllowed",))
def odd_requests(run):
    _, exporter = nobody(run)
    expected = {
        405: [
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n",
            b"PUT /metrics HTTP/1.1\r\nHost: localhost\r\n",
            b"DELETE / HTTP/1.1\r\nHost: localhost\r\n",
            b"TRACE / HTTP/1.1\r\nHost: localhost\r\n",
            b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n",
            b"CONNECT x:1 HTTP/1.1\r\nHost: localhost\r\n",
            b"FROB / HTTP/1.1\r\nHost: localhost\r\n",
        ],
        400: [
            b"GET /metrics\r\n",
            b"GET\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET /metrics HTTP/1.1\r\n",
        ],
    }
    odd = []
    for wanted, requests in expected.items():
        for text in requests:
            seen = status(ask(exporter.port, text + CLOSE)[0])
            if seen not in (wanted, *((400, 404, 501, None) if wanted == 405 else (404, 505, None))):
                odd.append(f"{text[:20]!r}: {seen}")
    preface = status(ask(exporter.port, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")[0])
    demand(preface in (400, 405, 505, None), f"the preface of HTTP/2 gets {preface}")
    demand(not odd, "; ".join(odd))
    methods = {line for line in exporter.page().splitlines() if "FROB" in line}
    demand(not methods, "a method is a label")
    demand(exporter.is_up(), "it does not answer any more")
    return "refused, or hung up on; serving goes on"


@row(
    77,
    "malformed heads and smuggled requests",
    "I1 I4",
    also=(
        "RequestHeads.WhatCanBeUnderstoodInTwoWaysIsRefused",
        "RequestHeads.TooManyHeadersAreRefused",
        "Http.ABodyIsNeverTakenForTheNextRequest",
        "Http.MalformedHeadsAreRefusedAndTheConnectionEnds",
    ),
)
def malformed(run):
    _, exporter = nobody(run)
    heads = {
        "two Hosts": LINE + b"Host: other\r\n\r\n",
        "folded": LINE + b"X: a\r\n b\r\n\r\n",
        "NUL": LINE + b"X: a\0b\r\n\r\n",
        "two lengths": LINE + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
        "negative": LINE + b"Content-Length: -1\r\n\r\n",
        "overflow": LINE + b"Content-Length: 99999999999999999999999\r\n\r\n",
        "both lengths": LINE + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "chunked": LINE + b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n",
        "blank before colon": LINE + b"X : a\r\n\r\n",
        "bad Host": b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        "long line": b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "long header": LINE + b"X: " + b"x" * 20000 + b"\r\n\r\n",
        "many headers": LINE + b"X: 1\r\n" * 5000 + b"\r\n",
    }
    seen = {what: status(ask(exporter.port, text)[0]) for what, text in heads.items()}
    good = [what for what, answer in seen.items() if answer is not None and not 400 <= answer < 500]
    demand(not good, f"{', '.join(good)}: {[seen[what] for what in good]}")
    smuggled = b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for text in (
        LINE + b"Content-Length: %d\r\n\r\n" % len(smuggled) + smuggled,
        LINE + b"Content-Length: 4200\r\n\r\n" + b"x" * 3900 + smuggled * 3,
    ):
        answer = ask(exporter.port, text, 3)[0]
        demand(answer.count(b"HTTP/1.1 ") <= 1, "a body was answered as a request")
    answer = ask(exporter.port, b"GET /-/healthy HTTP/1.1\rHost: localhost\r\r", 8)[0]
    demand(status(answer) in (None, 400, 408), f"CR alone ends a line: {status(answer)}")
    demand(exporter.is_up() and measured.memory(exporter.pid)[1] < 64, "it has suffered")
    return f"{len(heads)} heads are refused, no body is answered"


@row(
    78,
    "slow, silent, idle and hasty clients",
    "I2 I4",
    also=("Http.AScrapeGetsThroughDrippingSilentAndIdleClients", "campaigns/door"),
)
def slow_clients(run):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(8192, hard)), hard))
    world = run.world()
    exporter = world.watched()
    wires = []
    for begin in (LINE + b"X: ", b"", LINE.replace(b"/metrics", b"/-/healthy") + b"\r\n", LINE + b"\r\n"):
        for _ in range(200):
            wire = socket.create_connection(("127.0.0.1", exporter.port), timeout=10)
            wire.sendall(begin)
            wires.append(wire)
    over = threading.Event()

    def hasty():
        # Whoever is slow to send is hung up on once 256 others have come. So the scrapes below must not be too slow.
        while not over.wait(0.002):
            with socket.create_connection(("127.0.0.1", exporter.port), timeout=10) as wire:
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                wire.sendall(LINE + b"\r\n")

    thread = threading.Thread(target=hasty)
    thread.start()
    try:
        taken = sorted(measured.scrape(exporter.port, 60, 0.1))
        connections = float(exporter.value_of("pg_integrity_http_connections"))
    finally:
        over.set()
        thread.join()
        for wire in wires:
            wire.close()
    demand(taken[30] < PAGE and taken[-1] < 1000, f"scrapes in {taken[30]:.0f} ms, at most {taken[-1]:.0f} ms")
    demand(connections > 10, f"http_connections is {connections}")
    demand(measured.memory(exporter.pid)[1] < 64, f"{measured.memory(exporter.pid)[1]:.0f} MiB")
    return f"{len(wires)} of them: scrapes in {taken[30]:.1f} ms, {taken[-1]:.0f} ms at most; {measured.memory(exporter.pid)[1]:.0f} MiB"


@row(
    79,
    "passwords are guessed",
    "I2 I6",
    also=(
        "Passwords.AGoodOneIsRememberedAndABadOneIsNot",
        "Passwords.TheFirst72BytesCount",
        "Passwords.OnlyTheNameWithItsOwnPasswordIsGood",
        "Passwords.WhatCannotBeGoodIsKnownAtOnce",
    ),
)
def guessing(run):
    world = run.world(started=False)
    world.configure(dsn=f"host={world.work}/socket user=x dbname=x")
    (world.work / "web.yml").write_text(
        "basic_auth_users:\n  alice: $2y$10$kr3wSQ3eBv1y4xE3EJ0OUekEScwk78QZ63hI62d2DVI9OyuDlZvlK\n"
    )
    exporter = world.serve(arguments=["--web.config.file", str(world.work / "web.yml")], wait=False)

    def asked(user, password, raw=None):
        secret = raw or base64.b64encode(f"{user}:{password}".encode())
        answer, taken = ask(exporter.port, LINE + b"Authorization: Basic " + secret + b"\r\n" + CLOSE)
        return status(answer), taken

    eventually(lambda: "listening" in exporter.said(), 20, "it listens")
    demand(asked("alice", "test")[0] == 200, "the good password is refused")
    odd = [
        ("alice", "test\0"),
        ("alice", "x" * 5000),
        ("alice:test", ""),
        ("", ""),
        ("ali", "ce:test"),
        ("alice ", "test"),
    ]
    got = [asked(*pair)[0] for pair in odd] + [
        asked("", "", raw)[0] for raw in (b"=", b"%%%", b"YWxpY2U6dGVzdA", b"YWxpY2U=")
    ]
    demand(all(answer in (400, 401, 429, 431) for answer in got[:-2]), f"odd ones get {got}")
    # In turns, so that whatever else the machine does befalls both.
    pairs = [(asked("alice", f"wrong{i}")[1], asked(f"bob{i}", "wrong")[1]) for i in range(21)]
    known, unknown = (sorted(times)[10] for times in zip(*pairs))
    demand(0.5 < known / unknown < 2, f"a known name costs {known:.0f} ms, an unknown one {unknown:.0f} ms")
    over = threading.Event()
    answers = []

    def guess(number):
        while not over.is_set():
            answers.append(asked("alice", f"guess{number}{len(answers)}")[0])

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(1)
        taken = sorted(asked("alice", "test")[1] for _ in range(40))
    finally:
        over.set()
        for thread in threads:
            thread.join()
    demand(set(answers) <= {401, 429}, f"guesses get {set(answers)}")
    demand(taken[20] < PAGE, f"a scrape with the good password takes {taken[20]:.0f} ms")
    return (
        f"a known name costs {known:.0f} ms, an unknown one {unknown:.0f} ms; during {len(answers)} guesses "
        f"({answers.count(429)} times 429) scrapes in {taken[20]:.1f} ms"
    )


@row(80, "other paths", "I1 I6", also=("Http.OtherPathsAreNotFound",))
def other_paths(run):
    _, exporter = nobody(run)
    paths = [
        "/../etc/passwd",
        "/%2e%2e/etc/passwd",
        "/metrics/../../etc/passwd",
        "//etc/passwd",
        "/metrics%2f",
        "/metrics/",
        "/METRICS",
        "/config.toml",
        "/-/reload",
        "/debug/pprof",
        "/%00",
        "/metrics%00.html",
        "/\\..\\x",
        "/;/metrics",
        "http://evil.example/metrics",
    ]
    seen = {path: ask(exporter.port, get(path))[0] for path in paths}
    good = [path for path, answer in seen.items() if status(answer) == 200 and not path.startswith("http")]
    demand(not good and not any(b"root:" in answer for answer in seen.values()), f"answered: {good}")
    demand(status(ask(exporter.port, get("/metrics?x=%00&y[]=1&" + "z" * 2000))[0]) == 200, "a query spoils the page")
    return f"{len(paths)} paths lead nowhere, a query changes nothing"
