"""A TCP proxy on loopback that misbehaves as it is told."""
import contextlib
import socket
import struct
import threading
import time


class Proxy:
    """@param target the port of 127.0.0.1 that it leads to"""

    def __init__(self, target):
        self.target = target
        self.limit = None  # bytes of an answer after which it resets the connection
        self.pause = 0.0  # seconds before each byte of an answer
        self.resets = 0
        self.other = None  # bytes of an answer, and what is sent instead of them
        self.over = threading.Event()
        self.pairs = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        self.listener.close()
        for pair in self.pairs:
            for end in pair:
                end.close()

    def let_pass(self):
        self.limit, self.pause = None, 0.0

    def reset_after(self, count):
        """Resets each connection once so many bytes of an answer have passed, those of today included."""
        self.resets = 0
        self.limit = count

    def drip(self, pause):
        self.pause = pause

    def replace(self, what, by):
        self.other = (what, by)

    def accept(self):
        while not self.over.is_set():
            with contextlib.suppress(OSError):
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target), timeout=10)
                server.settimeout(None)
                self.pairs.append((client, server))
                threading.Thread(target=self.move, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self.move, args=(server, client, True), daemon=True).start()

    def move(self, source, sink, answers):
        passed, limit = 0, self.limit
        with contextlib.suppress(OSError):
            while part := source.recv(1 << 16):
                if answers and self.limit != limit:
                    passed, limit = 0, self.limit
                if answers and limit is not None and passed + len(part) > limit:
                    sink.sendall(part[: max(0, limit - passed)])
                    self.resets += 1
                    for end in (sink, source):
                        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        end.close()
                    return
                passed += len(part)
                if answers and self.other:
                    part = part.replace(*self.other)
                self.send(sink, part, answers)
        for end in (sink, source):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def send(self, sink, part, answers):
        while answers and self.pause and part:
            time.sleep(self.pause)
            sink.sendall(part[:1])
            part = part[1:]
        sink.sendall(part)
