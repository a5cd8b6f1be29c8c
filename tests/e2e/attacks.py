"""tests/e2e/attacks.py - what tests of abuse share: raw requests, an honest sender beside the
attack, and whether the daemon is afterwards as it was before."""
import contextlib
import io
import json
import os
import re
import socket
import threading
import time

from harness import change, check, equal, eventually, in_time, raw_answer, raw_connection, sign_v3

HOST = b"Host: hooks.example.com\r\n"
FAST = "header_timeout = 2s\nbody_timeout = 2s\nidle_timeout = 2s\nmax_body = 64KiB"


def begin(world, tls=False, server=FAST):
    world.configure(world.base(tls=tls, server=server).replace("level = debug", "level = error"))
    world.start()


def fields(headers):
    return b"".join(f"{k}: {v}\r\n".encode() for k, v in headers.items())


def signed(body, target="/webhooks/hubspot", **more):
    """Header lines that prove this body, without any that say where it ends."""
    return HOST + fields({"Content-Type": "application/json", **sign_v3(body, target=target), **more})


def request(body, target="/webhooks/hubspot"):
    """A whole honest request."""
    return (f"POST {target} HTTP/1.1\r\n".encode() + signed(body, target) +
            b"Content-Length: %d\r\n\r\n" % len(body) + body)


def exchange(world, data, quiet=5.0):
    """Everything that comes back until the daemon closes; (bytes, whether it closed)."""
    with raw_connection(world) as s:
        with contextlib.suppress(OSError):  # it may close before all is sent
            s.sendall(data)
        return read_all(s, quiet)


def read_all(s, quiet=5.0):
    got = b""
    s.settimeout(quiet)
    try:
        while True:
            piece = s.recv(65536)
            if not piece:
                return got, True
            got += piece
    except socket.timeout:
        return got, False
    except OSError:
        return got, True


def statuses(got):
    """The status of each answer in these bytes, oldest first."""
    return [int(n) for n in re.findall(rb"HTTP/1\.1 (\d{3}) ", got)]


class _Bytes(io.BytesIO):
    """Bytes in the place of a socket, for one answer after the other."""

    def makefile(self, *_):
        return self

    def close(self):
        pass


def answers(got):
    """Each answer in these bytes, oldest first."""
    rest, found = _Bytes(got), []
    while rest.tell() < len(got):
        found.append(raw_answer(rest))
    return found


class Honest(threading.Thread):
    """Sends a signed event twenty times a second, by turns on a kept and on a new connection, and
    wants each answered 200 within a second."""
    _contacts = iter(range(900_000_000, 1 << 40))

    def __init__(self, world, source="127.0.0.1"):
        super().__init__(daemon=True)
        self.world, self.source = world, source
        self.ended = threading.Event()
        self.sent, self.slowest, self.failure = 0, 0.0, None

    def turn(self, kept):
        client = kept if self.sent % 2 else self.world.client(timeout=5)
        began = time.monotonic()
        answer = self.world.post([change(next(self._contacts), "note", "honest")], client=client)
        took = time.monotonic() - began
        self.sent += 1
        self.slowest = max(self.slowest, took)
        equal(answer.status, 200, "an honest sender's status")
        in_time(took < 1, f"an honest sender waited {took:.2f} s")
        if client is not kept:
            client.close()

    def run(self):
        kept = self.world.client(timeout=5)
        try:
            while not self.ended.wait(0.05):
                self.turn(kept)
        except Exception as e:
            self.failure = e
        kept.close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, *_):
        self.ended.set()
        self.join(20)
        if kind is None:
            if self.failure:
                raise self.failure
            check(self.sent > 0, "it did send")


class Footprint:
    """Memory and descriptors of the daemon, to compare with later."""
    SLACK_KB = 8 * 1024  # what is kept for the next time
    TRIMMED_S = 15       # by then it has given back what it does not need

    def __init__(self, world):
        self.pid = world.daemon.child.pid
        with open(f"/proc/{self.pid}/maps") as f:
            maps = f.read()
        # A sanitizer keeps what was freed: only descriptors say something then.
        self.memory_counts = not re.search("lib(asan|tsan)", maps)
        self.files, self.kb = self.open_files(), self.resident_kb()

    def open_files(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def resident_kb(self):
        with open(f"/proc/{self.pid}/status") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    def check_same(self, within=10.0):
        eventually(lambda: self.open_files() <= self.files, within,
                   f"descriptors back to {self.files} (now {self.open_files()})")
        if self.memory_counts:
            eventually(lambda: self.resident_kb() < self.kb + self.SLACK_KB, self.TRIMMED_S,
                       f"memory back to {self.kb} kB (now {self.resident_kb()} kB)")


@contextlib.contextmanager
def attacked(world, within=10.0):
    """An attack goes on inside: meanwhile an honest sender is served, and afterwards all is as
    it was, although the attackers still hold their ends."""
    with Honest(world):
        time.sleep(0.5)  # what is made once is made before it is counted
    before = Footprint(world)
    with Honest(world) as honest:
        yield honest
    before.check_same(within)
    equal(world.admin("/readyz").status, 200, "ready")


def connect(world, receive_buffer=None):
    """A connected socket without TLS, whatever the world has."""
    s = socket.socket()
    if receive_buffer:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    s.settimeout(10)
    s.connect(("127.0.0.1", world.port))
    return s


def close_all(sockets):
    for s in sockets:
        s.close()


def body_of(events):
    return json.dumps(events).encode()
