"""The server is there, and does not let the exporter in: slots, passwords, pg_hba.conf, TLS, poolers."""
import os
import pathlib
import signal
import subprocess
import time

from proxy import Proxy
from served import free_port
from table import demand, elsewhere, eventually, row
from throwaway import hand_over, unprivileged
from world import KEY, ROWS, SUCCESS

PASSWORD = "a-Secret-that-nobody-may-see"


def reload_server(world, hba=None):
    if hba:
        (world.server.data / "pg_hba.conf").write_text(f"local all all trust\n{hba}\n")
    world.psql("SELECT pg_reload_conf()")
    time.sleep(0.2)


def end_sessions(world):
    for pid in world.server.backends():
        os.kill(pid, signal.SIGTERM)


def shows_no_secret(exporter, secret=PASSWORD):
    """Looks where a secret might be: log, pages, command line."""
    places = {
        "the log": exporter.said(),
        "its command line": pathlib.Path(f"/proc/{exporter.pid}/cmdline").read_text(),
        **{path: exporter.fetch(path) for path in ("/metrics", "/", "/report.json", "/report.md")},
    }
    shown = [place for place, text in places.items() if secret in text]
    demand(not shown, f"the secret is in {', '.join(shown)}")


@row(10, "no slot is free", "I8 I10", also=("Pool.PausesGrowWithJitterToTheirLimit",))
def no_slot(run):
    world = run.world("max_connections = 8\nsuperuser_reserved_connections = 2\nlog_line_prefix = 'by %u: '\n")
    exporter = world.watched()
    takers = subprocess.Popen(
        unprivileged(
            [
                "bash",
                "-c",
                f"""for i in $(seq 30); do
        psql -X -q -d '{world.dsn("postgres")}' -c 'select pg_sleep(600)' >/dev/null 2>&1 & done; wait""",
            ]
        ),
        env=world.environment,
        start_new_session=True,
    )
    run.callback(takers.wait)
    run.callback(os.killpg, takers.pid, signal.SIGTERM)
    time.sleep(1)
    end_sessions(world)
    exporter.wait_for("pg_integrity_up", 0)
    time.sleep(12)
    tries = world.server_log.read_text(errors="replace").count("by pgintegrity: FATAL:  remaining connection slots")
    demand(1 <= tries <= 8, f"{tries} attempts within 12 s")
    said = [line for line in exporter.said().splitlines() if "out of reach" in line]
    demand(len(said) == 1 and 'reason="connect"' in said[0], f"it says {said}")
    os.killpg(takers.pid, signal.SIGTERM)
    world.server.stop()
    world.server.start()
    back = exporter.wait_for(SUCCESS, 1)
    return f"connect, one line, {tries} attempts in 12 s, back {back:.1f} s after there were slots"


@row(11, "password wrong, expired, login forbidden", "I6 I8")
def refused_logins(run):
    world = run.world(tcp=True)
    world.psql(f"ALTER ROLE pgintegrity PASSWORD '{PASSWORD}'")
    reload_server(world, "host all all 127.0.0.1/32 scram-sha-256")
    exporter = world.watched(dsn=world.address(more=f"sslmode=disable password={PASSWORD}"))
    seen = []
    for what, breaks, mends in (
        ("wrong", "PASSWORD 'another'", f"PASSWORD '{PASSWORD}'"),
        ("expired", "VALID UNTIL '2001-01-01'", "VALID UNTIL 'infinity'"),
        ("NOLOGIN", "NOLOGIN", "LOGIN"),
    ):
        before = world.server_log.read_text(errors="replace").count("FATAL")
        world.psql(f"ALTER ROLE pgintegrity {breaks}")
        end_sessions(world)
        exporter.wait_for("pg_integrity_up", 0)
        demand(exporter.failed("server", "auth"), f"{what}: no failure is counted as auth")
        time.sleep(6)
        tries = world.server_log.read_text(errors="replace").count("FATAL") - before
        demand(tries <= 8, f"{what}: {tries} attempts in 6 s")
        world.psql(f"ALTER ROLE pgintegrity {mends}")
        seen.append(f"{what} auth, {tries} attempts in 6 s, back after {exporter.wait_for(SUCCESS, 1, 45):.1f} s")
    shows_no_secret(exporter)
    return "; ".join(seen) + "; the password is shown nowhere"


@row(12, "password rotated in its file", "I6 I10", also=("Conninfo.AFileIsReadAnewEachTime",))
def rotated_password(run):
    world = run.world(tcp=True)
    world.psql("ALTER ROLE pgintegrity PASSWORD 'first'")
    reload_server(world, "host all all 127.0.0.1/32 scram-sha-256")
    secret = world.work / "dsn"
    secret.write_text(world.address(more="sslmode=disable password=first"))
    hand_over(world.work)
    world.program.chmod(0o755)
    world.configure()
    config = world.work / "config.toml"
    config.write_text(
        "\n".join(
            f'dsn_file = "{secret}"' if line.startswith("dsn =") else line for line in config.read_text().splitlines()
        )
    )
    exporter = world.serve()
    exporter.wait_for(ROWS, 5)
    world.psql(f"ALTER ROLE pgintegrity PASSWORD '{PASSWORD}'")
    end_sessions(world)
    exporter.wait_for("pg_integrity_up", 0)
    secret.write_text(world.address(more=f"sslmode=disable password={PASSWORD}"))
    back = exporter.wait_for(SUCCESS, 1, 45)
    shows_no_secret(exporter)
    return f"taken from the file without a restart, good again after {back:.1f} s"


def certificate(world, name, address):
    """Makes NAME.pem, which signs itself, and NAME.key in the server's folder."""
    world.execute(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            f"/CN={name}",
            "-addext",
            f"subjectAltName={address}",
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.pem",
        ]
    )
    return world.work / f"{name}.pem", world.work / f"{name}.key"


@row(13, "pg_hba.conf, encryption required, wrong CA, wrong name", "I8")
def hba_and_tls(run):
    world = run.world(tcp=True)
    good, key = certificate(world, "good", "IP:127.0.0.1")
    wrong, _ = certificate(world, "other", "IP:127.0.0.1")
    named, named_key = certificate(world, "named", "DNS:elsewhere.example")
    world.psql(f"ALTER SYSTEM SET ssl_cert_file = '{good}'")
    world.psql(f"ALTER SYSTEM SET ssl_key_file = '{key}'")
    world.psql("ALTER SYSTEM SET ssl = on")
    reload_server(world, "hostssl all all 127.0.0.1/32 trust")
    verify = f"sslmode=verify-full sslrootcert={good}"
    exporter = world.watched(dsn=world.address(more=verify))
    seen = []

    def try_with(what, more, reason, words):
        world.configure(dsn=world.address(more=more))
        exporter.reload()
        end_sessions(world)
        eventually(
            lambda: exporter.failed("server", reason) and words in exporter.said(),
            20,
            f"{what}: {reason} with the words {words}",
        )
        seen.append(f"{what}: {reason}")
        world.configure(dsn=world.address(more=verify))
        exporter.reload()
        exporter.passes("server", 2)

    try_with("encryption required", "sslmode=disable", "auth", "no encryption")
    try_with("another CA", f"sslmode=verify-full sslrootcert={wrong}", "tls", "certificate verify failed")
    world.psql(f"ALTER SYSTEM SET ssl_cert_file = '{named}'")
    world.psql(f"ALTER SYSTEM SET ssl_key_file = '{named_key}'")
    reload_server(world)
    end_sessions(world)
    both = world.work / "both.pem"
    both.write_text(good.read_text() + named.read_text())
    verify = f"sslmode=verify-ca sslrootcert={both}"
    try_with("another name", f"sslmode=verify-full sslrootcert={both}", "tls", "does not match host name")
    reload_server(world, "host all all 127.0.0.1/32 reject")

    def is_rejected():
        end_sessions(world)
        return "pg_hba.conf rejects connection" in exporter.said()
    eventually(is_rejected, 20, "the words of the server about pg_hba.conf")
    exporter.wait_for("pg_integrity_up", 0)
    return "; ".join(seen) + "; pg_hba.conf in the server's words"


def pooled(run, mode, size):
    world = run.world(tcp=True)
    reload_server(world, "host all all 127.0.0.1/32 trust")
    port = free_port()
    config = world.work / "pgbouncer.ini"
    config.write_text(
        f"[databases]\nsubject = host=127.0.0.1 port={world.server.port}\n[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        f"pool_mode = {mode}\ndefault_pool_size = {size}\n".replace("subject = ", "subject = user=pgintegrity ")
    )
    pooler = subprocess.Popen(
        unprivileged(["pgbouncer", "-q", str(config)]), env=world.environment, stderr=subprocess.DEVNULL
    )
    run.callback(pooler.wait)
    run.callback(pooler.kill)
    return world, pooler, world.address(port=port, more="sslmode=disable")


@row(
    15,
    "PgBouncer that pools transactions",
    "I9 I10",
    also=(
        "Load.AnApplicationBehindTheSamePoolKeepsWriting",
        "Postgres.AStatementPoolIsNamed",
        "cases/24-statement-pooling",
    ),
)
def transaction_pool(run):
    world, pooler, dsn = pooled(run, "transaction", 1)
    exporter = world.watched(dsn=dsn)
    # One server connection is shared: what the exporter sets must not stay on it.
    asked = (
        "SELECT current_setting('statement_timeout'), current_setting('lock_timeout'), current_setting('search_path'), "
        "current_setting('transaction_read_only'), current_setting('row_security')"
    )
    plain = world.psql(asked, user="pgintegrity")
    for _ in range(30):
        through = world.execute(["psql", "-X", "-q", "-At", "-d", dsn, "-c", asked]).stdout
        demand(through == plain, f"the pool's connection has {through.strip()}, not {plain.strip()}")
    pooler.send_signal(signal.SIGSTOP)
    exporter.wait_for("pg_integrity_up", 0, 60)
    fast = exporter.page_is_fast()
    pooler.send_signal(signal.SIGCONT)
    back = exporter.wait_for(SUCCESS, 1, 60)
    return f"nothing of it stays on the shared connection; a pooler that stands still: {fast}, good again after {back:.1f} s"


@row(109, "a pooler that restarts", "I10")
def pooler_restarts(run):
    world, pooler, dsn = pooled(run, "transaction", 2)
    exporter = world.watched(dsn=dsn)
    pooler.kill()
    pooler.wait()
    exporter.wait_for("pg_integrity_up", 0)
    demand(exporter.value_of(KEY) == "0", "evidence was lost")
    again = subprocess.Popen(
        unprivileged(["pgbouncer", "-q", str(world.work / "pgbouncer.ini")]),
        env=world.environment,
        stderr=subprocess.DEVNULL,
    )
    run.callback(again.wait)
    run.callback(again.kill)
    return f"good again {exporter.wait_for(SUCCESS, 1):.1f} s after it is back"


@row(110, "a proxy that says nothing at all", "I2 I3")
def silent_proxy(run):
    world = run.world(tcp=True)
    proxy = run.enter_context(Proxy(world.server.port))
    proxy.drip(3600)
    world.configure(dsn=world.address(port=proxy.port))
    exporter = world.serve()
    eventually(lambda: exporter.failed("server", "timeout"), 40, "the server's collector fails as timeout")
    fast = exporter.page_is_fast()
    proxy.let_pass()
    return f"timeout; {fast}; ends in {exporter.ends():.1f} s"


elsewhere(
    111,
    "servers that speak another language",
    "I8",
    "German.ServersGiveTheSameReasonsAsEnglishOnes",
    "cases/22-server-that-speaks-german",
    "ServerErrors.EverySqlstateHasAReason",
)
elsewhere(
    112,
    "one database refuses, the others do not",
    "I5",
    "Pool.NoRefusalOfOneDatabaseHoldsBackTheOthers",
    "cases/21-one-database-refuses",
)
