"""Floods and stalls: while each goes on an honest sender is answered 200 within a second, and
afterwards memory and descriptors are what they were, though the attackers have not let go."""
import contextlib
import json
import os
import random
import socket
import sqlite3
import subprocess
import threading
import time

from attacks import (FAST, HOST, Footprint, attacked, begin, body_of, close_all, connect, exchange,
                     read_all, request, signed, statuses)
from harness import (check, closed_within, demo, equal, eventually, in_threads, in_time, raw_answer,
                     raw_connection, raw_head, sign_v3, stored)

POST = b"POST /webhooks/hubspot HTTP/1.1\r\n"


def repeat(seconds, *actions):
    """Each action again and again, each in a thread of its own."""
    end = time.monotonic() + seconds

    def one(action):
        while time.monotonic() < end:
            action()
    in_threads([lambda a=a: one(a) for a in actions])


def test_header_floods_are_cut(world):
    begin(world)
    body = body_of([demo(1)])
    length = b"Content-Length: %d\r\n\r\n" % len(body)
    floods = {
        "many": POST + signed(body) + b"A: b\r\n" * 20_000 + length + body,
        "many of one name": POST + signed(body) + b"Cookie: a=b\r\n" * 10_000 + length + body,
        "large": POST + signed(body) + b"X-A: " + b"a" * 400_000 + b"\r\n" + length + body,
        "large name": POST + signed(body) + b"X" * 400_000 + b": a\r\n" + length + body,
        "many without value": POST + signed(body) + b":\r\n" * 20_000 + length + body,
        "arguments": b"POST /webhooks/hubspot?" + b"&" * 15_000 + b" HTTP/1.1\r\n" + signed(body) +
                     length + body,
    }

    def send(name):
        got, closed = exchange(world, floods[name])
        check(closed, f"{name}: not closed: {got[:300]!r}")
        check(all(n in (400, 401, 414, 431) for n in statuses(got)), f"{name}: {got[:300]!r}")

    def endless():
        with connect(world) as s:
            began, sent = time.monotonic(), 0
            s.sendall(POST + HOST + b"X-Endless: ")
            with contextlib.suppress(OSError):
                while time.monotonic() - began < 5:
                    s.sendall(b"a" * 4096)
                    sent += 4096
            check(sent < 16 << 20, f"{sent} bytes of one header went through")
    with attacked(world):
        repeat(2, endless, *(lambda name=name: send(name) for name in floods))
    check(all(lead["crm_id"] != "1" for lead in world.run_json("leads", "--limit", "1000")),
          "an event of it is stored")
    world.stop()


def drip(sockets, data, seconds):
    """A byte on each now and then, so that none is ever idle."""
    end, at = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for s in sockets:
            with contextlib.suppress(OSError):
                s.send(data[at:at + 1] or b"a")
        at += 1
        time.sleep(0.2)


def test_slow_heads_and_slow_bodies_are_cut(world):
    begin(world)
    body = body_of([demo(1)])
    head = POST + signed(body) + b"Content-Length: %d\r\n\r\n" % len(body)
    chunked = POST + signed(body) + b"Transfer-Encoding: chunked\r\n\r\n"
    with attacked(world):
        heads = [connect(world) for _ in range(150)]
        bodies = [connect(world) for _ in range(150)]
        for i, s in enumerate(bodies):
            s.sendall(chunked if i % 2 else head)
        drip(heads + bodies, b"POST /webhooks/hubspot HTTP/1.1\r\nX: ", 3.5)
        for s in heads + bodies:
            in_time(closed_within(s, 2), "a slow one was not cut")
    close_all(heads + bodies)
    world.stop()


def test_who_never_reads_the_answers_is_cut(world):
    begin(world)
    health = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
    with attacked(world, within=30):  # what was taken before is answered first
        deaf = [connect(world, receive_buffer=4096) for _ in range(10)]

        def ask(s):
            s.settimeout(4)
            with contextlib.suppress(OSError):
                for _ in range(200):
                    s.sendall(health * 100)
        in_threads([lambda s=s: ask(s) for s in deaf])
        time.sleep(3)  # longer than body_timeout
    for s in deaf:  # what had been on its way is there, and then the end
        check(read_all(s, 5)[1], "one was not cut")
    close_all(deaf)
    world.stop()


def test_connections_that_say_nothing_are_cut(world):
    begin(world, tls=True)
    hello = (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(32))
    with attacked(world):
        silent = [connect(world) for _ in range(300)]
        begun = [connect(world) for _ in range(300)]
        for s in begun:
            s.sendall(hello)
        shut = [connect(world) for _ in range(100)]
        for s in shut:  # half of it is closed, and the other half waits
            s.shutdown(socket.SHUT_WR)
        plain = [connect(world) for _ in range(100)]
        for s in plain:  # HTTP where TLS is spoken
            s.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
        for s in silent + begun + shut + plain:
            in_time(closed_within(s, 6), "one was not cut")
    close_all(silent + begun + shut + plain)
    world.stop()


def test_what_a_crowd_needed_goes_back(world):
    begin(world, tls=True, server="header_timeout = 60s")
    with attacked(world):
        usual = Footprint(world).resident_kb()
        crowd = [raw_connection(world) for _ in range(1000)]
        for s in crowd:
            s.sendall(POST + HOST)
        time.sleep(0.5)
        grown = Footprint(world).resident_kb() - usual
        check(grown > Footprint.SLACK_KB, f"a crowd needs memory: {grown} kB")
        close_all(crowd)
    world.stop()


def test_connections_that_come_and_go_harm_nobody(world):
    begin(world, tls=True)

    def come_and_go():
        connect(world).close()

    def reset():
        s = connect(world)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        s.sendall(b"\x16\x03\x01")
        s.close()

    def leave_in_the_middle():
        with raw_connection(world) as s:
            s.sendall(POST + HOST)
    with attacked(world):
        repeat(3, come_and_go, reset, leave_in_the_middle)
    world.stop()


def test_garbage_harms_nobody(world):
    begin(world)
    chance = random.Random(20240601)
    signed_event = demo(1)
    whole = request(body_of([signed_event]))

    def mutant():
        data = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(data))
            kind = chance.randrange(4)
            if kind == 0:
                data[at] = chance.randrange(256)
            elif kind == 1:
                del data[at:at + chance.randint(1, 20)]
            elif kind == 2:
                data[at:at] = chance.choice([b"\r\n", b"\n", b"\0", b" ", b":", b"\r", b"\x80", b","])
            else:
                data[at:at] = data[at:at + chance.randint(1, 60)]
        with connect(world) as s:
            with contextlib.suppress(OSError):
                s.sendall(bytes(data))
                s.shutdown(socket.SHUT_WR)
            got = read_all(s, 4)[0]
        check(all(n in (200, 400, 401, 404, 405, 411, 413, 414, 415, 431, 500, 505)
                  for n in statuses(got)), f"{bytes(data)!r}: {got!r}")
    with attacked(world):
        repeat(3, mutant)
    world.stop()
    with contextlib.closing(sqlite3.connect(world.database)) as database:
        kept = [row[0] for row in database.execute("SELECT body FROM event")]
    others = {text for text in kept if '"honest"' not in text}
    check(others <= {json.dumps(signed_event)}, f"only what was signed is stored: {others}")


def test_forged_signatures_from_one_address_leave_room_for_the_others(world):
    begin(world, server="max_body = 64MiB\nbody_timeout = 30s")
    forged = {"Content-Type": "application/json", **sign_v3(b"", secret="forged"),
              "Content-Length": str(64 << 20)}
    with contextlib.ExitStack() as open_ones:
        greedy = [open_ones.enter_context(raw_connection(world)) for _ in range(4)]
        for s in greedy:
            s.sendall(raw_head(fields=forged))
            for _ in range(60):
                s.sendall(b" " * (1 << 20))
        large = body_of([demo(1)]).ljust(20 << 20)
        other = open_ones.enter_context(
            socket.create_connection(("127.0.0.1", world.port), 15, ("127.0.0.2", 0)))
        other.sendall(request(large))
        equal(raw_answer(other).status, 200, "somebody else")
    equal(len(stored(world)), 1, "events")
    world.stop()


# TLS

def s_client(world, *options, stdin=b"", pause=0.0, times=1, timeout=20):
    """What `openssl s_client` says that is told these bytes so many times."""
    child = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{world.port}",
                              "-servername", "localhost", *options], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def tell():
        with contextlib.suppress(OSError):
            time.sleep(0.3)  # the handshake comes first
            for _ in range(times):
                child.stdin.write(stdin)
                child.stdin.flush()
                time.sleep(pause)
            child.stdin.close()
    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        said = child.stdout.read()
        return said, child.wait(timeout)
    finally:
        child.kill()
        child.wait()
        teller.join()


OLD = "DEFAULT:@SECLEVEL=0"


def test_old_versions_of_tls_and_weak_ciphers_are_refused(world):
    begin(world, tls=True)
    for options in (["-tls1", "-cipher", OLD], ["-tls1_1", "-cipher", OLD],
                    ["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"],
                    ["-tls1_2", "-cipher", "aNULL:@SECLEVEL=0"],
                    ["-tls1_2", "-cipher", "eNULL:@SECLEVEL=0"],
                    ["-tls1_2", "-cipher", "PSK:@SECLEVEL=0", "-psk", "00"]):
        said, status = s_client(world, *options)
        check(status != 0 and b"Cipher is (NONE)" in said, f"{options}: {said.decode()}")
    for options in (["-tls1_2"], ["-tls1_3"]):
        said, status = s_client(world, *options)
        equal(status, 0, f"{options}: {said.decode()}")
    world.stop()


def test_renegotiations_and_key_updates_harm_nobody(world):
    begin(world, tls=True, server=FAST.replace("idle_timeout = 2s", "idle_timeout = 60s"))

    def renegotiate():
        s_client(world, "-tls1_2", "-legacy_renegotiation", stdin=b"R\n", pause=0.005, times=100)

    def update_keys():
        said, _ = s_client(world, "-tls1_3", stdin=b"K\n", pause=0.002, times=500)
        check(b"KEYUPDATE" in said, f"it did: {said[-300:]!r}")  # GnuTLS ends it after eight
    with attacked(world, within=15):
        repeat(2, renegotiate, renegotiate, update_keys, update_keys)
    said, _ = s_client(world, "-tls1_2", "-legacy_renegotiation", stdin=b"R\n", times=3, pause=0.2)
    check(b"RENEGOTIATING" in said, f"it did: {said.decode()}")
    world.stop()


def test_early_data_is_not_taken(world):
    begin(world, tls=True)
    session = os.path.join(world.folder, "session.pem")
    early = os.path.join(world.folder, "early.bin")
    body = body_of([demo(1)])
    with open(early, "wb") as f:
        f.write(request(body))
    health = b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    s_client(world, "-tls1_3", "-ign_eof", "-sess_out", session, stdin=health)
    said, _ = s_client(world, "-tls1_3", "-ign_eof", "-sess_in", session, "-early_data", early,
                       stdin=health)
    check(b"Early data was accepted" not in said, f"early data was accepted: {said.decode()}")
    equal(stored(world), [], "it could be replayed, so nothing of it is stored")
    world.stop()


def test_handshakes_without_end_harm_nobody(world):
    begin(world, tls=True)
    contact = iter(range(1, 1 << 30))

    def shake():
        with contextlib.suppress(OSError):
            raw_connection(world, timeout=5).close()

    def one_request_each():
        client = world.client()
        equal(world.post([demo(next(contact))], client=client).status, 200, "status")
        client.close()
    with attacked(world):
        repeat(3, shake, shake, one_request_each)
    eventually(lambda: world.admin("/readyz").status == 200, what="ready")
    world.stop()
