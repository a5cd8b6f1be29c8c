"""tests/e2e/soak.py - hours of ordinary life: load, retention, backups, reloads, a service that fails.

    make soak SECONDS=28800

Nothing may grow that should not: memory, descriptors and the database level out, no promise is
found broken, nothing is lost. Prints a line a minute.
"""
import argparse
import os
import random
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import (HOT_TO_SLACK, Sink, World, change, check, demo, equal,  # noqa: E402
                     eventually, integrity, log_lines, slack_lines)

CONTACTS = 2000


class Sender(threading.Thread):
    """Posts batches without a break, as every third one twice; a refused one again until it is taken."""

    def __init__(self, world, seed, until):
        super().__init__()
        self.world, self.random, self.until = world, random.Random(seed), until
        self.sent = self.problems = 0

    def batch(self):
        contact = self.random.randrange(1, CONTACTS)
        if self.random.random() < 0.1:
            return [demo(contact)]
        return [change(contact, self.random.choice(("page", "company", "phone")),
                       str(self.random.random())) for _ in range(self.random.randrange(1, 20))]

    def run(self):
        client = self.world.client()
        while time.monotonic() < self.until:
            events = self.batch()
            for _ in range(2 if self.sent % 3 == 0 else 1):
                while self.world.post(events, client).status != 200:
                    self.problems += 1
                    time.sleep(0.1)
            self.sent += len(events)
            time.sleep(0.005)
        client.close()


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


def soak(world, seconds, pause=60):
    """Returns what was seen at each turn: (memory, descriptors, database), in MB."""
    with Sink() as sink:
        sink.start()
        world.configure(world.base(store="retention = 10s\ncheckpoint = 1MiB")
                        .replace("level = debug", "level = warn") +
                        slack_lines(sink) + HOT_TO_SLACK)
        world.start()
        pid, until, seen = world.daemon.child.pid, time.monotonic() + seconds, []
        senders = [Sender(world, seed, until) for seed in range(4)]
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
            sender.join()
        sink.recover()
        eventually(lambda: world.metric("funneld_queue_depth", connector="slack") == 0, 120,
                   "all is delivered")
        check(log_lines(world, "backup.failed") == [], "every backup was made")
        world.stop()
        equal(integrity(world.database), ["ok"], "integrity")
        return seen


def check_level(seen):
    """The last quarter against the second: the first is still warming up. What a cache of SQLite's
    holds when it is full is no growth."""
    quarter = len(seen) // 4
    if quarter < 2:
        return
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
