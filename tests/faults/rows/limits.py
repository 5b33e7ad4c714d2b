"""The machine has no room, no descriptors, no threads; certificates change or expire."""
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import time

import measured
from table import Skipped, demand, elsewhere, eventually, row
from world import KEY, ROWS


@row(
    94,
    "the disk is full where evidence is kept",
    "I1 I4",
    root=True,
    also=(
        "StateFile.AFullDiskKeepsTheOldFile",
        "StateFile.DamagedForeignAndNewerFilesAreRefused",
        "StateFile.OneThatCannotBeUsedIsNoneAfterOneLine",
    ),
)
def full_disk(run):
    world = run.world()
    state = world.work / "state"
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "pgi", str(state)], check=False).returncode != 0:
        raise Skipped("nothing can be mounted here")
    run.callback(subprocess.run, ["umount", "-l", str(state)], check=False)
    world.own_everything()
    world.program.chmod(0o755)
    with contextlib.suppress(OSError), (state / "filler").open("wb", buffering=0) as filler:
        while filler.write(b"x" * 4096):
            pass
    exporter = world.watched()
    time.sleep(8)
    lines = [line for line in exporter.said().splitlines() if "state" in line and "level=info" not in line]
    demand(1 <= len(lines) <= 2, f"{len(lines)} lines tell it")
    demand(exporter.lives() and exporter.value_of(KEY) == "0", "it does not watch")
    (state / "filler").unlink()
    eventually(
        lambda: any(path.name.endswith(".json") and path.stat().st_size > 0 for path in state.iterdir()),
        90,
        "a file with evidence",
    )
    taken = exporter.ends()
    return (
        f"{len(lines)} line tells it, it watches on, and keeps its evidence once there is room; ends in {taken:.1f} s"
    )


@row(95, "no descriptor is left", "I1 I2 I10", also=("Postgres.WithoutADescriptorOfOurOwnThereIsNoSession",))
def no_descriptors(run):
    world = run.world()
    exporter = world.watched(prefix=["prlimit", "--nofile=48"])
    wires = []
    for _ in range(120):
        with contextlib.suppress(OSError):
            wire = socket.create_connection(("127.0.0.1", exporter.port), timeout=2)
            wire.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: ")
            wires.append(wire)
    time.sleep(1)
    open_now = measured.descriptors(exporter.pid)
    scraped = measured.scrape(exporter.port, 5, 0.2)
    world.psql("INSERT INTO child VALUES (6, 1)")
    goes_on = exporter.wait_for(ROWS, 6, 30)
    for wire in wires:
        wire.close()
    exporter.wait_for('pg_integrity_collector_success{collector="row_counts"}', 1)
    demand(exporter.lives(), "it ended")
    return f"{open_now} descriptors of 48 are open, scrapes in {max(scraped):.0f} ms at most, a new row is counted after {goes_on:.1f} s"


def tasks_of(user):
    """How many threads the account has."""
    count = 0
    for process in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if process.name.isdigit() and process.owner() == user:
                count += len(list((process / "task").iterdir()))
    return count


@row(97, "no thread can be made", "I1", root=True, also=("Door.LimitsOfTheMachineGiveOneLineOrRefuseARequest",))
def no_threads(run):
    world = run.world()
    world.configure()
    seen = []
    for spare in (0, 3, 6, 9, 12, 16, 24):
        # The account is shared, so the bound is so many threads more than it has now.
        exporter = world.serve(prefix=["prlimit", f"--nproc={tasks_of('postgres') + spare}"], wait=False)
        time.sleep(4)
        if exporter.lives():
            answers = exporter.is_up()
            exporter.process.send_signal(signal.SIGTERM)
            eventually(lambda: not exporter.lives(), 10, f"{spare}: its end")
            ended = exporter.process.poll()
            demand(ended in (0, 1), f"{spare} more: it ended with {ended}")
            seen.append(f"{spare}: serves" if answers else f"{spare}: does not listen")
        else:
            ended = exporter.process.poll()
            demand(ended in (1, 3, 71, 126, 127), f"{spare} more: it ended with {ended}: {exporter.said()[-300:]}")
            demand(exporter.said().strip(), f"{spare} more: it said nothing")
            seen.append(f"{spare}: exit {ended}")
        exporter.stop()
    return "threads more than there are: " + ", ".join(seen)


def self_signed(folder, name, days):
    """Makes NAME.pem and NAME.key."""
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            str(days),
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            str(folder / f"{name}.key"),
            "-out",
            str(folder / f"{name}.pem"),
        ],
        check=True,
        capture_output=True,
    )
    for end in ("key", "pem"):
        (folder / f"{name}.{end}").chmod(0o644)


@row(
    82,
    "certificates that are replaced by bad ones",
    "I1",
    also=(
        "Door.PrometheusScrapesWhileCertificateAndPasswordAreReplaced",
        "Door.AWebConfigurationThatCannotBeUsedIsOneLine",
        "Door.LetsInWhoHasCertificateAndPassword",
    ),
)
def bad_certificates(run):
    world = run.world(started=False)
    world.configure(dsn="host=/nowhere dbname=x user=x")
    self_signed(world.work, "server", 30)
    self_signed(world.work, "other", 30)
    (world.work / "web.yml").write_text("tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n")
    exporter = world.serve(arguments=["--web.config.file", str(world.work / "web.yml")], wait=False)
    eventually(lambda: "listening" in exporter.said(), 20, "it listens")
    first = (world.work / "server.pem").read_text()
    trusted = world.work / "trusted.pem"
    trusted.write_text(first)

    def page(ca=trusted):
        return subprocess.run(
            ["curl", "-sS", "--max-time", "10", "--cacert", str(ca), f"https://127.0.0.1:{exporter.port}/metrics"],
            capture_output=True,
            text=True,
            check=False,
        )

    told = page()
    demand(
        "pg_integrity_tls_certificate_expiry_timestamp_seconds" in told.stdout,
        f"the page does not say when it expires: {told.stderr}",
    )
    pem, key = world.work / "server.pem", world.work / "server.key"
    good_key = key.read_text()
    for what, break_it in (
        ("another key", lambda: key.write_text((world.work / "other.key").read_text())),
        ("half a file", lambda: pem.write_text(first[:300])),
        ("no file", pem.unlink),
        ("a file that may not be read", lambda: pem.chmod(0)),
    ):
        break_it()
        exporter.reload()
        eventually(
            lambda: "pg_integrity_config_last_reload_successful 0" in page().stdout,
            20,
            f"{what}: the reload is told as failed",
        )
        if pem.exists():
            pem.unlink()
        pem.write_text(first)
        pem.chmod(0o644)
        key.write_text(good_key)
        exporter.reload()
        eventually(
            lambda: "pg_integrity_config_last_reload_successful 1" in page().stdout, 20, f"{what}: it is good again"
        )
    pem.write_text((world.work / "other.pem").read_text())
    key.write_text((world.work / "other.key").read_text())
    exporter.reload()
    eventually(lambda: page(world.work / "other.pem").returncode == 0, 20, "the new certificate")
    return "four bad ones leave the old one in force, a good one replaces it"


@row(
    119,
    "its secrets in memory, files and lists of processes",
    "I6",
    also=("DrillOf.NoPasswordIsInTheListOfProcesses", "Conninfo.SecretsAreTakenOutOfTexts"),
)
def secrets(run):
    world = run.world(tcp=True)
    secret = "a-Secret-that-nobody-may-see"
    world.psql(f"ALTER ROLE pgintegrity PASSWORD '{secret}'")
    exporter = world.watched(dsn=world.address(more=f"sslmode=disable password={secret}"))
    owner = os.stat(f"/proc/{exporter.pid}/mem").st_uid
    demand(os.geteuid() != 0 or owner == 0, "its memory can be read, or dumped, by its account")
    in_state = [
        path.name
        for path in (world.work / "state").rglob("*")
        if path.is_file() and secret.encode() in path.read_bytes()
    ]
    demand(not in_state, f"the secret is in {in_state}")
    for path in ("/", "/metrics", "/report.json", "/report.md"):
        demand(secret not in exporter.fetch(path), f"the secret is in {path}")
    os.kill(exporter.pid, signal.SIGABRT)
    eventually(lambda: not exporter.lives(), 10, "its end")
    cores = [path for path in world.work.glob("core*")]
    demand(not cores, "it left a core")
    demand(secret not in exporter.said(), "the secret is in the log")
    return "no core, not to be dumped, in no file, page or line"


elsewhere(101, "sanitizers and fuzzing", "I1", "campaigns/sanitizers", "campaigns/races", "campaigns/fuzz")
elsewhere(102, "thousands of random faults", "I3 I4 I7 I10", "campaigns/soak")
elsewhere(
    120,
    "half of the statements that users wrote are wrong",
    "I5",
    "Custom.OneBadQueryDoesNotHideTheOthers",
    "Custom.AQueryThatTakesTooLongIsUnproven",
    "QueryLatency.AnEndlessAnswerIsCutOff",
)
