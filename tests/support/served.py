"""The program as it serves, for tests that need more than one command that ends."""
import json
import re
import socket
import subprocess
import urllib.error
import urllib.request


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def labels_of(text):
    return frozenset(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', text))


class Served:
    """A running exporter.

    @param unprivileged puts the change of user before a command
    @param port where it listens; without one it takes a free port
    @param prefix words before the command, such as those of prlimit
    @param arguments words after it
    """

    def __init__(self, unprivileged, program, work, environment, port=None, prefix=(), arguments=()):
        self.port = port or free_port()
        self.log = (work / "exporter.log").open("a")
        self.process = subprocess.Popen(
            [*prefix, *unprivileged([str(program), "serve", "--listen", f"127.0.0.1:{self.port}", "--config",
                                     str(work / "config.toml"), *arguments])],
            env=environment, cwd=work, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def fetch(self, path):
        """@return nothing while it does not listen yet"""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.read().decode()
        except (urllib.error.URLError, OSError):
            return ""

    def page(self):
        return self.fetch("/metrics")

    def report(self):
        return json.loads(self.fetch("/report.json"))

    def value_of(self, series):
        """The value of the first series with this name and at least these labels, as text."""
        name, _, rest = series.partition("{")
        wanted = labels_of(rest)
        for line in self.page().splitlines():
            found = re.match(r"(\w+)(\{.*\})? (\S+)$", line)
            if found and found.group(1) == name and wanted <= labels_of(found.group(2) or ""):
                return found.group(3)
        return None

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
