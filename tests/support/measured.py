"""What a process uses, and how fast it answers."""

import pathlib
import re
import socket
import statistics
import time


def memory(pid):
    """Resident MiB of a process, now and at most."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return [int(re.search(rf"{name}:\s+(\d+)", status)[1]) / 1024 for name in ("VmRSS", "VmHWM")]


def descriptors(pid):
    return len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))


def threads(pid):
    return len(list(pathlib.Path(f"/proc/{pid}/task").iterdir()))


def children(pid):
    """The processes that a process started itself."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        found += [int(word) for word in (task / "children").read_text().split()]
    return found


def title(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def ask(port, text, seconds=10.0):
    """Sends bytes, and reads until the other side closes. @return what came, and the milliseconds it took"""
    began = time.monotonic()
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as wire:
        wire.settimeout(seconds)
        try:
            wire.sendall(text)
            while part := wire.recv(1 << 16):
                answer += part
        except (ConnectionResetError, BrokenPipeError):
            pass
    return answer, (time.monotonic() - began) * 1000


def get(path, more=""):
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}\r\n".encode()


def scrape(port, times=20, pause=0.05):
    """Scrapes some times. @return the milliseconds of each; a scrape that fails raises OSError"""
    taken = []
    for _ in range(times):
        answer, milliseconds = ask(port, get("/metrics", "Accept-Encoding: gzip\r\n"))
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise OSError(f"/metrics answers {answer[:60]!r}")
        taken.append(milliseconds)
        time.sleep(pause)
    return taken


def median_scrape(port, times=20):
    return statistics.median(scrape(port, times))
