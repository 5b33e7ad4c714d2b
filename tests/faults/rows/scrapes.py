"""Scrapes: their forms, many at once, and one before anything is known."""
import socket
import subprocess
import threading
import time

import measured
from measured import ask, get
from table import demand, row

from .requests import nobody, status


@row(
    83,
    "compression, HEAD, several requests on a connection, forms of the page",
    "I2",
    also=(
        "Http.ServesItCompressedToWhoeverTakesThat",
        "AcceptsGzip.FollowsTheQualities",
        "Http.HeadIsGetWithoutTheBody",
        "Http.OneConnectionServesSeveralRequests",
        "Http.RequestsInOnePieceAreAnsweredOneAfterTheOther",
        "Http.EachAnswerIsAsLongAsItSays",
    ),
)
def forms(run):
    _, exporter = nobody(run)
    wanted = [
        "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "application/openmetrics-text",
        "text/html",
        "*/*;q=0",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily",
    ]
    for accept in wanted:
        answer = ask(exporter.port, get("/metrics", f"Accept: {accept}\r\n"))[0]
        demand(
            status(answer) == 200 and b"Content-Type: text/plain; version=0.0.4" in answer,
            f"Accept: {accept} gets {answer[:100]!r}",
        )
    promtool = subprocess.run(
        ["promtool", "check", "metrics"], input=exporter.page(), text=True, capture_output=True, check=False
    )
    demand(promtool.returncode == 0, f"promtool: {promtool.stdout}{promtool.stderr}")
    return "the text format for every Accept; promtool finds nothing"


@row(
    84,
    "fifty scrapes at once",
    "I2 I3",
    also=("Load.NoScrapeMakesTheDatabaseDoAnything", "Http.ManyScrapesAtOnceAllGetTheWholePage"),
)
def many_scrapes(run):
    world = run.world()
    exporter = world.watched(fast=())
    count = "SELECT sum(xact_commit) FROM pg_stat_database WHERE datname = 'subject'"

    def commits(seconds):
        before = int(world.psql(count, "postgres"))
        time.sleep(seconds)
        return int(world.psql(count, "postgres")) - before

    quiet = commits(6)
    over, taken = threading.Event(), []

    def scrapes():
        while not over.is_set():
            taken.extend(measured.scrape(exporter.port, 1, 0.02))

    threads = [threading.Thread(target=scrapes) for _ in range(50)]
    for thread in threads:
        thread.start()
    busy = commits(6)
    over.set()
    for thread in threads:
        thread.join()
    demand(busy <= quiet + 40, f"{quiet} commits in 6 s have become {busy} during {len(taken)} scrapes")
    return f"{len(taken)} scrapes in 6 s, the database's commits {quiet} before and {busy} during them"


@row(85, "a scrape before the first pass", "I7")
def before_the_first_pass(run):
    world = run.world(started=False)
    # A server that is there and does not answer.
    (world.work / "socket").mkdir(exist_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    run.callback(listener.close)
    listener.bind(str(world.work / "socket/.s.PGSQL.5432"))
    (world.work / "socket/.s.PGSQL.5432").chmod(0o777)
    listener.listen()
    world.configure()
    exporter = world.serve()
    page = exporter.page()
    ready = status(ask(exporter.port, get("/-/ready"))[0])
    demand('pg_integrity_up{server="subject",database="subject"} 0' in page, "pg_integrity_up is not 0")
    demand(
        "pg_integrity_table_rows" not in page and "pg_integrity_orphaned_rows" not in page,
        "rows are shown that nobody counted",
    )
    demand(
        exporter.value_of('pg_integrity_collector_success{collector="orphans"}') != "1",
        "a pass is said to have succeeded",
    )
    demand(
        exporter.value_of('pg_integrity_verdict{question="intact",state="proven"}') == "0", "it is said to be proven"
    )
    demand(ready == 503, f"/-/ready answers {ready}")
    return "200 with up 0, nothing proven and no rows; not ready"
