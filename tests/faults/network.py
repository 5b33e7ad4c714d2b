"""A network namespace behind a pair of interfaces, whose cable can be cut without either side noticing."""
import itertools
import os
import subprocess

from table import Skipped

numbers = itertools.count(os.getpid() % 200)
NOBODY = "02:00:00:00:00:99"  # a hardware address that nobody has


def ip(*words, space=None):
    prefix = ["ip", "-n", space] if space else ["ip"]
    return subprocess.run([*prefix, *words], check=True, capture_output=True, text=True).stdout


class Namespace:
    """`here` is the address on this side, `there` the one inside. `prefix` runs a command inside."""

    def __init__(self):
        number = next(numbers) % 250
        self.name = f"pgi{os.getpid()}x{number}"
        self.outer, self.inner = f"pgi{number}a", f"pgi{number}b"
        self.here, self.there = f"10.213.{number}.1", f"10.213.{number}.2"
        self.prefix = ["ip", "netns", "exec", self.name]

    def __enter__(self):
        try:
            ip("netns", "add", self.name)
            ip("link", "add", self.outer, "type", "veth", "peer", "name", self.inner, "netns", self.name)
        except (OSError, subprocess.CalledProcessError) as why:
            self.__exit__()
            raise Skipped(f"there are no network namespaces here: {why}") from why
        ip("addr", "add", f"{self.here}/30", "dev", self.outer)
        ip("addr", "add", f"{self.there}/30", "dev", self.inner, space=self.name)
        ip("link", "set", self.outer, "up")
        ip("link", "set", self.inner, "up", space=self.name)
        ip("link", "set", "lo", "up", space=self.name)
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "link", "del", self.outer], capture_output=True, check=False)
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True, check=False)

    def neighbours(self, *words):
        ip("neigh", words[0], self.there, *words[1:], "dev", self.outer)
        ip("neigh", words[0], self.here, *words[1:], "dev", self.inner, space=self.name)

    def cut(self):
        """From now on every packet is sent, and none arrives."""
        self.neighbours("replace", "lladdr", NOBODY, "nud", "permanent")

    def mend(self):
        self.neighbours("del")
