"""What the machine does to a running daemon: names that do not resolve, no descriptors left, a
clock that jumps."""
import json
import os
import resource
import subprocess
import time

from attacks import Footprint, Honest, connect, read_all
from harness import (HOT_TO_SLACK, Failure, Sink, check, demo, equal, eventually, in_time,
                     log_lines, sign_v3, slack_lines)
from services import slow

ELSEWHERE = """[connector elsewhere]
type = slack
token = xoxb-sandbox
channel = C0123456789
url = https://slack.invalid
backoff = 50ms
backoff_max = 400ms
timeout = 2s
rate = 1000/s
[route too]
when = score >= 50 and score.previous < 50
to = elsewhere
"""


def test_a_name_that_does_not_resolve_delays_only_its_own_lane(world):
    with Sink() as sink:
        sink.start()
        world.configure(world.base(tls=False) + slack_lines(sink) + HOT_TO_SLACK + ELSEWHERE)
        world.start()
        for contact in range(1, 21):
            began = time.monotonic()
            equal(world.post([demo(contact)]).status, 200, "post")
            eventually(lambda: len(sink.messages) == contact, 5, "the message")
            in_time(time.monotonic() - began < 3, "the other lane waits for it")
        stuck = eventually(lambda: [d for d in world.run_json("deliveries", "--connector",
                                                              "elsewhere") if d["attempts"] >= 3],
                           30, "it is tried again")
        equal({d["state"] for d in stuck}, {"pending"}, "and not given up")
        show = world.run_json("deliveries", "show", stuck[0]["id"])[0]
        check("resolve" in show["history"][0]["detail"].lower(), f"the reason: {show['history'][0]}")
        equal(len(sink.messages), 20, "messages")
        equal(world.admin("/readyz").status, 200, "ready")
        world.stop()


def test_without_descriptors_it_refuses_and_recovers(world):
    with Sink() as sink:
        sink.start()
        world.configure(world.base(tls=False) + slack_lines(sink) + HOT_TO_SLACK)
        world.start()
        kept = world.client(timeout=5)
        for contact in (1, 2, 3):
            equal(world.post([demo(contact)], client=kept).status, 200, "before")
        world.all_done()
        before = Footprint(world)
        pid, limits = before.pid, resource.prlimit(before.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (before.open_files() + 12, limits[1]))
        crowd = [connect(world) for _ in range(200)]
        time.sleep(0.5)
        equal(world.daemon.child.poll(), None, "alive")
        for contact in range(10, 20):  # whoever is connected is served
            equal(world.post([demo(contact)], client=kept).status, 200, "a kept connection")
        for s in crowd:
            s.close()
        with Honest(world):
            time.sleep(1)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        world.all_done(30)
        equal(len(set(sink.deliveries())), 13, "every message")
        equal(len(sink.messages), 13, "and none twice")
        equal(world.admin("/readyz").status, 200, "ready")
        kept.close()
        before.check_same()
        world.stop()


def test_with_no_descriptor_at_all_nothing_is_lost(world):
    with Sink() as sink:
        world.configure(world.base(tls=False) + slack_lines(sink) + HOT_TO_SLACK)
        world.start()
        kept = world.client(timeout=5)
        equal(world.post([demo(1)], client=kept).status, 200, "before")
        pid = world.daemon.child.pid
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (8, limits[1]))
        sink.start()
        for contact in range(2, 30):
            equal(world.post([demo(contact)], client=kept).status, 200, "a kept connection")
        with connect(world) as s:
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            used = cpu_seconds(pid)
            equal(read_all(s, 2)[0], b"", "nobody new is served")
        check(cpu_seconds(pid) - used < 0.5, "it does not spin while it cannot accept")
        words = [w for w in log_lines(world, "http.limit") if w["level"] == "warn"]
        check(1 <= len(words) < 20, f"the log says so, not without end: {len(words)} lines")
        equal(sink.messages, [], "no message can leave")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        world.all_done(30)
        equal(len(sink.messages), 29, "every message, once there are descriptors again")
        with Honest(world):
            time.sleep(1)
        equal(world.daemon.child.poll(), None, "alive")
        kept.close()
        world.stop()


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


HOUR, DAY = 3600, 86400


class Clock:
    """The daemon's wall clock, by libfaketime; the steady one is left alone."""

    def __init__(self, world):
        found = subprocess.run(["sh", "-c", "ls /usr/lib/*/faketime/libfaketimeMT.so.1"],
                               capture_output=True).stdout.decode().split()
        if not found:
            raise Failure("libfaketime is missing: tests/check/deps.sh test")
        self.path = os.path.join(world.folder, "clock")
        self.offset = 0
        self.jump(0)
        world.env.update(LD_PRELOAD=found[0], FAKETIME_TIMESTAMP_FILE=self.path, FAKETIME_NO_CACHE="1",
                         FAKETIME_DONT_FAKE_MONOTONIC="1", FAKETIME_DONT_RESET="1")

    def jump(self, seconds):
        self.offset += seconds
        with open(self.path + ".new", "w") as f:
            f.write(f"{self.offset:+d}\n")
        os.rename(self.path + ".new", self.path)

    def now_ms(self):
        return int((time.time() + self.offset) * 1000)

    def post(self, world, event):
        body = json.dumps([event]).encode()
        return world.post([event], headers=sign_v3(body, timestamp=self.now_ms()))


@slow  # and with libfaketime before it no sanitizer starts
def test_a_clock_that_jumps_loses_nothing_and_stops_nothing(world):
    clock = Clock(world)
    with Sink() as sink:  # down
        world.configure(world.base(tls=False, store="retention = 90d") + slack_lines(sink) +
                        HOT_TO_SLACK)
        world.start()
        contact = 0
        # Even beyond give_up.
        for jump in (0, 2 * HOUR, -3 * HOUR, 10 * DAY, -20 * DAY, 10 * DAY + HOUR, -5 * HOUR,
                     30 * DAY, -30 * DAY):
            clock.jump(jump)
            contact += 1
            event = demo(contact, at=clock.now_ms())
            eventually(lambda: clock.post(world, event).status == 200, 5, f"taken after {jump} s")
            if jump:
                old = sign_v3(json.dumps([event]).encode(), timestamp=clock.now_ms() - jump * 1000)
                equal(world.post([event], headers=old).status, 401, "signed by the clock before")
            time.sleep(0.3)
            equal(world.admin("/livez").status, 200, f"alive after {jump} s")
        sink.start()
        world.all_done(20)
        equal(len(sink.messages), contact, "each message once")
        equal(len(set(sink.deliveries())), contact, "each message once")
        clock.jump(200 * DAY)
        time.sleep(6)  # the first round of the retention
        clock.jump(-200 * DAY)
        equal(len(world.run_json("events")), contact, "a clock that jumped purges nothing")
        equal(clock.post(world, demo(99, clock.now_ms())).status, 200, "and it goes on")
        eventually(lambda: len(sink.messages) == contact + 1, 10, "the last message")
        world.stop()
        clock.jump(200 * DAY)  # nor does one that is wrong from the start
        world.start()
        time.sleep(6)
        equal(len(world.run_json("events")), contact + 1, "events")
        event = demo(100, clock.now_ms())
        equal(clock.post(world, event).status, 200, "an event by the wrong clock")
        world.stop()
        world.start()  # what it says now agrees with the newest event
        time.sleep(6)
        equal(len(world.run_json("events")), contact + 2, "events after a restart")
        world.stop()
