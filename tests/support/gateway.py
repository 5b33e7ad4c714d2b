"""A storage with the protocol of S3 that others wrote: versitygw, on a folder. It verifies signatures.

A signer of our own puts the objects there, and a relay between storage and exporter counts and delays.
"""
import contextlib
import datetime
import hashlib
import hmac
import http.client
import json
import os
import re
import socket
import socketserver
import subprocess
import sys
import threading
import time
import urllib.parse

import served

MODULE = "github.com/versity/versitygw"
VERSION = "v1.8.0"
SUM = "h1:au+wI+aybno/STsQiSm35Uu6Q6iK5MWReQxgO6SEMFc="
KEY, SECRET, REGION = "campaign", "a/secret+of=the/campaign", "eu-test-1"


def built(folder):
    """@return the program of the storage. Go builds it once, from the module with that sum."""
    program = folder / "versitygw"
    if program.exists():
        return program
    env = {**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0"}
    asked = subprocess.run(["go", "mod", "download", "-json", f"{MODULE}@{VERSION}"], capture_output=True, text=True,
                           env=env, check=False)
    if asked.returncode != 0 or json.loads(asked.stdout)["Sum"] != SUM:
        sys.exit(f"buckets: FAILED: {MODULE} cannot be had, or is another one: {asked.stdout}{asked.stderr}")
    subprocess.run(["go", "install", f"{MODULE}/cmd/versitygw@{VERSION}"], env=env, check=True)
    return program


def encoded(path):
    return urllib.parse.quote(path, safe="/-_.~")


class Storage:
    """The storage. It keeps its port over all of its lives."""

    def __init__(self, program, folder):
        self.program, self.folder, self.port = program, folder, served.free_port()
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self.accounts = folder.with_name("accounts")
        for needed in (folder, self.accounts):
            needed.mkdir()
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [self.program, "--port", f"127.0.0.1:{self.port}", "--access", KEY, "--secret", SECRET, "--region", REGION,
             "--quiet", "--iam-dir", self.accounts, "posix", self.folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        sys.exit("buckets: FAILED: the storage does not listen")

    def send(self, name):
        self.process.send_signal(name)

    def stop(self):
        self.process.kill()
        self.process.wait()

    def put(self, path, body=b""):
        """Signed as AWS says, by this module alone. @return the status"""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        scope = [now[:8], REGION, "s3", "aws4_request"]
        host, digest = f"127.0.0.1:{self.port}", hashlib.sha256(body).hexdigest()
        signed = "host;x-amz-content-sha256;x-amz-date"
        canonical = "\n".join(["PUT", encoded(path), "", f"host:{host}", f"x-amz-content-sha256:{digest}",
                               f"x-amz-date:{now}", "", signed, digest])
        key = ("AWS4" + SECRET).encode()
        for part in scope:
            key = hmac.new(key, part.encode(), "sha256").digest()
        text = "\n".join(["AWS4-HMAC-SHA256", now, "/".join(scope), hashlib.sha256(canonical.encode()).hexdigest()])
        signature = hmac.new(key, text.encode(), "sha256").hexdigest()
        self.connection.request("PUT", encoded(path), body, {
            "Host": host, "x-amz-content-sha256": digest, "x-amz-date": now,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/{'/'.join(scope)}, SignedHeaders={signed}, "
                             f"Signature={signature}"})
        answer = self.connection.getresponse()
        answer.read()
        return answer.status


class Relay(socketserver.ThreadingTCPServer):
    """Stands before the storage. It counts requests and bytes of answers, and delays answers or lets them stall.

    delay        seconds before each answer
    stall_after  bytes of an answer that are passed on; None: all of them
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, to_port):
        super().__init__(("127.0.0.1", 0), RelayedConnection)
        self.port, self.to_port = self.server_address[1], to_port
        self.delay, self.stall_after, self.requests, self.received = 0.0, None, 0, 0
        self.counting = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def count(self, requests=0, received=0):
        with self.counting:
            self.requests += requests
            self.received += received


class RelayedConnection(socketserver.BaseRequestHandler):
    def handle(self):
        self.passed = 0  # bytes of the present answer
        with socket.create_connection(("127.0.0.1", self.server.to_port)) as storage:
            threading.Thread(target=self.relay_answers, args=(storage,), daemon=True).start()
            with contextlib.suppress(OSError):
                while part := self.request.recv(1 << 16):
                    # A request has no body, so each one begins a line.
                    self.server.count(requests=len(re.findall(rb"(?:^|\n)GET /", part)))
                    self.passed = 0
                    storage.sendall(part)

    def relay_answers(self, storage):
        with contextlib.suppress(OSError):
            while part := storage.recv(1 << 16):
                if self.passed == 0:
                    time.sleep(self.server.delay)
                most = self.server.stall_after
                if most is not None:
                    part = part[:max(0, most - self.passed)]
                self.request.sendall(part)
                self.passed += len(part)
                self.server.count(received=len(part))
            # The exporter sees that the storage ended the connection, if the answer is not to stall.
            if self.server.stall_after is None:
                self.request.shutdown(socket.SHUT_RDWR)
