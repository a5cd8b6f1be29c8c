"""tests/e2e/soak.py - hours of ordinary life: load, retention, backups, reloads, a service that fails.

    make soak SECONDS=28800

Nothing may grow that should not: memory, descriptors and the database level out, no promise is
found broken, nothing is lost: each lead has the newest value of what was answered 200, and each
message arrived once. Prints a line a minute.
"""
import argparse
import contextlib
import os
import random
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import (HOT_TO_SLACK, Sink, World, change, check, demo, equal,  # noqa: E402
                     eventually, in_time, integrity, log_lines, slack_lines)

CONTACTS, SENDERS = 2000, 4
LOOKS_MIN = 8  # fewer say nothing about growth


class Sender(threading.Thread):
    """Posts batches without a break, about its own contacts, every third one twice; a refused one
    again until it is taken, or time is up."""

    def __init__(self, world, number, until):
        super().__init__(daemon=True)
        self.world, self.random, self.until = world, random.Random(number), until
        self.number = number
        self.sent, self.failure = 0, None
        self.unsure = 0  # events that were never answered
        self.newest = {}  # (contact, property): the last time of it, the values that it may have

    def batch(self):
        contact = self.number + SENDERS * self.random.randrange(1, CONTACTS // SENDERS)
        if self.random.random() < 0.1:
            return [demo(contact)]
        return [change(contact, self.random.choice(("page", "company", "phone")),
                       str(self.random.random())) for _ in range(self.random.randrange(1, 20))]

    def is_taken(self, events, client):
        while time.monotonic() < self.until:
            status = self.world.post(events, client).status
            if status == 200:
                return True
            equal(status, 503, "a refusal")
            time.sleep(0.1)
        return False

    def note(self, events, taken):
        for e in events:
            key = e["objectId"], e["propertyName"]
            at, values = self.newest.get(key, (0, set()))
            if taken and e["occurredAt"] > at:
                at, values = e["occurredAt"], set()
            self.newest[key] = at, values | {e["propertyValue"]}

    def turn(self, client):
        events = self.batch()
        taken = self.is_taken(events, client)
        self.note(events, taken)
        if taken:
            self.sent += len(events)
        else:
            self.unsure += len(events)
        if taken and self.random.random() < 1 / 3:
            self.is_taken(events, client)

    def run(self):
        try:
            with contextlib.closing(self.world.client()) as client:
                while time.monotonic() < self.until:
                    self.turn(client)
                    time.sleep(0.005)
        except Exception as e:  # it is told by whoever waits for it
            self.failure = e

    def end(self):
        self.join(60)
        in_time(not self.is_alive(), "a sender did not end")
        if self.failure:
            raise self.failure


def memory_mb(pid):
    with open(f"/proc/{pid}/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def sizes(world):
    return sum(os.path.getsize(world.database + end) for end in ("", "-wal")
               if os.path.exists(world.database + end)) / 1e6


def disturb(world, sink, turn):
    """Something that happens in a life, another one at each turn."""
    if turn % 4 == 0:
        world.daemon.signal(signal.SIGUSR2)
    elif turn % 4 == 1:
        world.daemon.signal(signal.SIGHUP)
    elif turn % 4 == 2:
        sink.hang()
    else:
        sink.recover()


def check_nothing_lost(world, sink, senders):
    """Events are purged: what stays of them is their number, what leads know, who was told."""
    sent, unsure = sum(s.sent for s in senders), sum(s.unsure for s in senders)
    stored = int(world.run_json("events", "--limit", "1")[0]["id"])
    check(sent <= stored <= sent + unsure, f"{stored} events stored, {sent} answered 200")
    leads = {int(lead["crm_id"]): lead["properties"]
             for lead in world.run_json("leads", "--limit", "1000000")}
    hot = 0
    for (contact, name), (at, values) in (item for s in senders for item in s.newest.items()):
        known = leads.get(contact, {}).get(name, {}).get("value")
        check(known in values or not at, f"{name} of {contact}: {known}, not of {values}")
        hot += name == "demo_requested" and at > 0
    told = sink.deliveries()
    equal(len(told), len(set(told)), "messages, each once")
    check(hot <= len(told) <= hot + unsure, f"{len(told)} messages about {hot} hot leads")


def soak(world, seconds, pause=60):
    """Returns what was seen at each turn: (memory, descriptors, database), in MB."""
    with Sink() as sink:
        sink.start()
        world.configure(world.base(store="retention = 10s\ncheckpoint = 1MiB")
                        .replace("level = debug", "level = warn") +
                        slack_lines(sink) + HOT_TO_SLACK)
        world.start()
        pid, until, seen = world.daemon.child.pid, time.monotonic() + seconds, []
        senders = [Sender(world, number, until) for number in range(SENDERS)]
        for sender in senders:
            sender.start()
        while time.monotonic() < until:
            time.sleep(min(pause, max(0.1, until - time.monotonic())))
            disturb(world, sink, len(seen))
            seen.append((memory_mb(pid), descriptors(pid), sizes(world)))
            print(f"{sum(s.sent for s in senders):10} events  {seen[-1][0]:6.1f} MB resident "
                  f"{seen[-1][1]:4} descriptors  {seen[-1][2]:7.1f} MB stored", flush=True)
            equal(world.metric("funneld_promise_violations"), 0, "promises")
        for sender in senders:
            sender.end()
        sink.recover()
        eventually(lambda: world.metric("funneld_queue_depth", connector="slack") == 0, 120,
                   "all is delivered")
        check(log_lines(world, "backup.failed") == [], "every backup was made")
        check_nothing_lost(world, sink, senders)
        world.stop()
        equal(integrity(world.database), ["ok"], "integrity")
        return seen


def check_level(seen):
    """The last quarter against the second: the first is still warming up. What a cache of SQLite's
    holds when it is full is no growth."""
    check(len(seen) >= LOOKS_MIN, f"{len(seen)} looks say nothing about growth")
    quarter = len(seen) // 4
    for what, column, room in (("memory", 0, 1.2), ("descriptors", 1, 1.5), ("database", 2, 1.5)):
        early = max(row[column] for row in seen[quarter:2 * quarter])
        late = max(row[column] for row in seen[-quarter:])
        check(late <= early * room + 16, f"{what} grew from {early} to {late}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", default="build/plain/funneld")
    parser.add_argument("--seconds", type=int, default=3600)
    options = parser.parse_args()
    options.sandbox, options.wrapper = None, []
    world = World(options)
    try:
        check_level(soak(world, options.seconds, max(1, min(60, options.seconds // 24))))
    finally:
        world.close()
    print("it stayed level")


if __name__ == "__main__":
    main()
