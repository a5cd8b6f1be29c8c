"""Each call that can fail is made to, once: the daemon goes on or ends in order, nothing is lost.

A library preloaded into the real binary (tests/fault/faults.c) counts calls and makes one fail; the
counters are a file that both sides map.
"""
import contextlib
import http.client
import json
import mmap
import os
import random
import re
import signal
import struct
import time

from harness import (HOT_TO_SLACK, Client, Late, Sink, check, demo, equal, eventually, integrity,
                     sign_v3, slack_lines)

BEGAN = int(time.time() * 1000)  # an event told again is the same event
# Calls without which there is no start, and none in service.
AT_START = re.compile("MHD_start_daemon|curl_(global_init|multi_init|multi_setopt)|gnutls_|pthread_")
SOURCE = os.path.join(os.path.dirname(__file__), "..", "fault", "faults.c")


def calls():
    """Their names, in the order of their counters."""
    with open(SOURCE, encoding="utf-8") as f:
        return ["malloc", "MHD_start_daemon"] + re.findall(r"^    X\((\w+),", f.read(), re.M)


class Faults:
    """The daemon of this world with the library in it."""

    def __init__(self, world):
        self.names = calls()
        path = os.path.join(world.folder, "faults")
        with open(path, "wb") as f:
            f.write(bytes(16 * len(self.names)))
        self.file = open(path, "r+b")
        self.counters = mmap.mmap(self.file.fileno(), 0)
        library = os.path.join(os.path.dirname(os.path.abspath(world.options.bin)), "faults.so")
        check(os.path.exists(library), f"there is no {library}")
        world.env.update(LD_PRELOAD=library, FUNNELD_FAULTS=path)

    def at(self, name):
        return 16 * self.names.index(name)

    def arm(self, name, n):
        struct.pack_into("q", self.counters, self.at(name), n)

    def fired(self, name):
        return struct.unpack_from("q", self.counters, self.at(name))[0] == 0

    def seen(self, name):
        return struct.unpack_from("q", self.counters, self.at(name) + 8)[0]


def quick(lines):
    for key, value in (("settle", "50ms"), ("backoff", "5ms"), ("backoff_max", "20ms")):
        lines = re.sub(rf"^{key} = .*$", f"{key} = {value}", lines, flags=re.M)
    return lines


def configure(world, sink, tls=True):
    world.configure(world.base(tls=tls).replace("level = debug", "level = info") +
                    quick(slack_lines(sink)) + HOT_TO_SLACK)


def post(world, contact, patience=10):
    """As a sender does: again until it is answered 200."""
    body = b"[" + json.dumps(demo(contact, at=BEGAN + contact % 1000)).encode() + b"]"
    end = time.monotonic() + patience
    while time.monotonic() < end:
        client = Client(world.port, tls=world.tls, ca=world.cert, timeout=5)
        with contextlib.suppress(OSError, http.client.HTTPException):
            if client.request("POST", "/webhooks/hubspot", body,
                              {"Content-Type": "application/json", **sign_v3(body)}).status == 200:
                client.close()
                return
        client.close()
        time.sleep(0.01)
    raise Late(f"event {contact} was never answered 200")


def check_kept(world, sent):
    """What was answered is stored once and was told once."""
    events = world.run_json("events", "--limit", "100000")
    equal(len([e for e in events if e["source"] == "hubspot"]), len(sent), "events")
    equal(integrity(world.database), ["ok"], "integrity")


def preloaded_off(world):
    return {k: v for k, v in world.env.items() if k != "LD_PRELOAD"}


def test_each_call_of_a_library_fails_once_and_the_daemon_goes_on(world):
    with Sink() as sink:
        sink.start()
        faults = Faults(world)
        configure(world, sink)
        world.start()
        sent, fired = [], set()
        for name in faults.names[2:-1]:  # memory, starting and threads have tests of their own
            for n in range(1, 60):
                faults.arm(name, n)
                sent.append(len(sent) + 1)
                post(world, sent[-1])
                eventually(lambda: len(sink.messages) >= len(sent), 20,
                           f"the message is sent although call {n} of {name} failed")
                equal(world.daemon.child.poll(), None, f"it lives after call {n} of {name}")
                if not faults.fired(name):
                    break
                fired.add(name)
            faults.arm(name, 0)
        silent = {n for n in faults.names[2:-1] if not AT_START.match(n)} - fired
        check(not silent, f"never called: {silent}")
        world.env = preloaded_off(world)
        world.all_done()
        equal(len(sink.messages), len(sent), "each was told once")
        check_kept(world, sent)
        world.stop()


def ended_or_ready(world):
    """The exit status, or None once it serves."""
    def look():
        status = world.daemon.child.poll()
        if status is not None:
            return (status,)
        with contextlib.suppress(OSError, http.client.HTTPException):
            return world.admin("/readyz").status == 200 and (None,)
    return eventually(look, 20, "it ended or serves")[0]


def test_a_start_that_cannot_be_finished_says_so_and_ends(world):
    with Sink() as sink:
        sink.start()
        faults = Faults(world)
        configure(world, sink)
        failed = set()
        for name in faults.names[1:]:
            for n in range(1, 40):
                faults.arm(name, n)
                world.start(ready=False)
                status = ended_or_ready(world)
                if status is None:
                    world.stop()
                else:
                    equal(status, 1, f"exit status when call {n} of {name} failed")
                    check("start.failed" in world.daemon.logged(),
                          f"call {n} of {name}: {world.daemon.logged()}")
                    world.daemon.kill()
                    failed.add(name)
                fired = faults.fired(name)
                faults.arm(name, 0)
                if not fired:
                    break
        silent = {n for n in faults.names if AT_START.match(n)} - failed
        check(not silent, f"a start that goes well without {silent}")


OUT_OF_MEMORY = -signal.SIGABRT
# Ours says it, and so does the arithmetic below GnuTLS, which ends its program.
ABORTED = re.compile("^funneld: |GNU MP: Cannot allocate memory", re.M)
# Libraries that are known to use memory that they did not get; it is then their frame, not ours,
# behind those of the signal.
CARELESS = re.compile(r"faults\.so.*\n.*libc\.so.*\n.*libtasn1\.so")


def survives(world, faults, n):
    """One life in which the n-th allocation fails; *how it ended."""
    faults.arm("malloc", n)
    world.start(ready=False)
    try:
        answered = []
        if ended_or_ready(world) is None:
            for contact in range(3):
                with contextlib.suppress(OSError, http.client.HTTPException, Late):
                    post(world, 1000 * n + contact, patience=1)
                    answered.append(1000 * n + contact)
            with contextlib.suppress(OSError, http.client.HTTPException):
                world.admin("/metrics")
            world.daemon.signal(signal.SIGHUP)
            world.daemon.signal(signal.SIGTERM)
        status = world.daemon.wait()
    finally:
        log = world.daemon.logged()
        world.daemon.kill()
    fine = status == 0 or (status == 1 and re.search(r"level=error|funneld: ", log)) or \
        (status == 2 and "funneld" in log) or (status == OUT_OF_MEMORY and ABORTED.search(log)) or \
        (status == -signal.SIGSEGV and CARELESS.search(log))
    check(fine, f"allocation {n} failed, exit status {status}: {log[-2000:]}")
    return answered, status


def allocations(world, faults):
    """How many there are in such a life."""
    before = faults.seen("malloc")
    survives(world, faults, 0)
    return faults.seen("malloc") - before


def test_whatever_allocation_fails_nothing_that_was_answered_is_lost(world):
    with Sink() as sink:
        sink.start()
        faults = Faults(world)
        configure(world, sink)
        count = int(os.environ.get("FUNNELD_ALLOCATIONS", "60"))
        total = allocations(world, faults)
        chosen = random.Random(1).sample(range(1, total), min(count, total - 1))
        answered, ended = [], 0
        for n in sorted(chosen):
            kept, status = survives(world, faults, n)
            answered += kept
            ended += status != 0
        check(answered and ended, f"{len(answered)} answered, {ended} ended by it")
        world.env = preloaded_off(world)
        stored = {lead["crm_id"] for lead in world.run_json("leads", "--limit", "1000000")}
        check({str(contact) for contact in answered} <= stored, "all that was answered is stored")
        equal(integrity(world.database), ["ok"], "integrity")
        world.start()
        world.all_done()
        world.stop()


for slow in (test_each_call_of_a_library_fails_once_and_the_daemon_goes_on,
             test_a_start_that_cannot_be_finished_says_so_and_ends,
             test_whatever_allocation_fails_nothing_that_was_answered_is_lost):
    slow.slow = True
