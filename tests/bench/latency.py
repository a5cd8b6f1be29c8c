"""tests/bench/latency.py - how long a sender waits at a steady rate, quiet and while chores run.

Open loop: requests are due at a fixed rate and their time counts from then, so that a stall counts
for all that it kept waiting.
"""
import contextlib
import os
import signal
import struct
import threading
import time

from bed import HOT, Daemon, Failure, eventually, number, route, slack, title

RATE, CLIENTS, SECONDS = 5_000, 256, 6
RETENTION_S, OLD = 20, 300_000
CHORES = ("purged", "checkpoints", "backups")
TIMES = ("p50_ms", "p99_ms", "p999_ms", "max_ms")


def daemon_of(bench, name):
    return Daemon(bench, name, connectors=slack("sales", bench.sink), route=route(HOT, ["sales"]))


def at_rate(bench, daemon):
    return daemon.measure(CLIENTS, RATE * SECONDS, rate=RATE)


class Backups:
    """One online backup after the other; the one that goes on at the end is waited for."""

    def __init__(self, daemon):
        self.daemon, self.ending, self.made = daemon, threading.Event(), 0
        self.thread = threading.Thread(target=self.work)

    def done(self):
        return self.daemon.process.logged().count("ev=backup.done")

    def work(self):
        while not self.ending.is_set():
            before = self.done()
            self.daemon.process.signal(signal.SIGUSR2)
            eventually(lambda: self.done() > before, 120, "a backup")
            self.made += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join()


def log_resets(daemon):
    """How often a checkpoint let the write-ahead log begin anew: a counter in its header."""
    with contextlib.suppress(OSError, struct.error):
        with open(daemon.database + "-wal", "rb") as f:
            return struct.unpack(">I", f.read(16)[12:])[0]
    return 0


def purged_to(daemon):
    return daemon.query("SELECT min(id) FROM event")[0][0]


def kept(daemon):
    return daemon.query("SELECT (SELECT count(*) FROM event) + (SELECT count(*) FROM dedupe)")[0][0]


def busy_round(bench, daemon):
    before, resets = kept(daemon), log_resets(daemon)
    with Backups(daemon) as backups:
        result = at_rate(bench, daemon)
    result["purged"] = before + 2 * result["events"] - kept(daemon)
    result["checkpoints"] = log_resets(daemon) - resets
    result["backups"] = backups.made
    missing = [what for what in CHORES if result[what] <= 0]
    if missing:
        raise Failure(f"a busy round without {' and '.join(missing)}")
    return result


def measure(bench):
    quiet = daemon_of(bench, "quiet")
    quiet.fill()
    for _ in bench.rounds("latency, quiet"):
        bench.note(("latency", "quiet"), at_rate(bench, quiet))
    quiet.stop()
    busy = daemon_of(bench, "busy")
    busy.fill(OLD)
    busy.stop()
    time.sleep(RETENTION_S)  # all are too old now: their purge lasts longer than the rounds
    busy.start(store=f"retention = {RETENTION_S}s")
    eventually(lambda: purged_to(busy) > 1, 30, "the purge has begun")
    for _ in bench.rounds("latency, busy"):
        bench.note(("latency", "busy"), busy_round(bench, busy))
    bench.copied = os.path.getsize(busy.database)
    busy.stop()


def line(bench, label, name):
    print(f"  {label:<42}" + "".join(f"{bench.median(name, key):9.2f}" for key in TIMES) + " ms")


def report(bench):
    title(f"Ack latency at {RATE:,} requests/s, open loop, {CLIENTS} connections, {SECONDS} s a round"
          f"\n{'':<44}{'p50':>9}{'p99':>9}{'p99.9':>9}{'max':>9}")
    line(bench, "quiet", ("latency", "quiet"))
    name = ("latency", "busy")
    line(bench, "checkpoints, purge and backup running", name)
    print(f"  meanwhile, in a round: {number(bench.median(name, 'checkpoints'))} resets of the log by "
          f"checkpoints, {number(bench.median(name, 'purged'))} events and dedupe keys purged,\n"
          f"  {number(bench.median(name, 'backups'))} backups of {bench.copied / 1e6:,.0f} MB")


def run(bench):
    measure(bench)
    report(bench)
    for key, most, text in (("p50_ms", 1, "p50"), ("p99_ms", 25, "p99"), ("p999_ms", 100, "p99.9")):
        bench.aim(f"ack at 5,000/s, {text}, chores running", bench.median(("latency", "busy"), key),
                  most=most, unit=" ms")
