"""What a throwaway PostgreSQL of a test needs: its programs, its account, its environment."""
import os
import pathlib
import pwd
import sys


def postgres_bin():
    named = os.environ.get("PG_INTEGRITY_POSTGRES_BIN")
    if named:
        return pathlib.Path(named)
    found = [path for path in pathlib.Path("/usr/lib/postgresql").glob("*/bin") if (path / "postgres").exists()]
    if not found:
        sys.exit("error: no PostgreSQL server is installed")
    return max(found, key=lambda path: int(path.parent.name))


def unprivileged(command):
    """Makes a command of root run as postgres. PostgreSQL refuses to run as root, and a dump's functions are not ours."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--", *command]


def clean_environment(**more):
    """Leaves out libpq's variables of the caller, so that they name no server here."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG") and name != "DATA_SOURCE_NAME"}
    return {**kept, "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"] + ":/usr/sbin", **more}


def own_everything(folder):
    """Gives a folder and all in it to the account that `unprivileged` runs commands as."""
    folder.chmod(0o755)
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, user.pw_uid, user.pw_gid)
