"""tests/bench/rest.py - what it costs when nothing happens, and what stays of what happened."""
import os
import sqlite3
import time

from bed import (EVERY, HOT, Daemon, eventually, number, route, row, slack, title)

IDLE_S, CLIENTS = 10, 64


def run_rest(bench):
    daemon = Daemon(bench, "rest", threads=2, connectors=slack("sales", bench.sink),
                    route=route(HOT, ["sales"]))
    time.sleep(IDLE_S)
    for _ in bench.rounds("at rest"):
        before = daemon.wakeups()
        time.sleep(IDLE_S)
        bench.note("wakeups", {"rate": (daemon.wakeups() - before) / IDLE_S})
        bench.note("resident", {"rate": daemon.memory_mb()})
    title(f"At rest, as configured by default, {IDLE_S} s a round")
    row("resident", bench, "resident", unit=" MB")
    row("wake-ups of all threads", bench, "wakeups")
    bench.aim("at rest: resident", bench.median("resident"), most=24, unit=" MB")
    bench.aim("at rest: wake-ups", bench.median("wakeups"), most=10, unit="/s")
    daemon.stop()


# Growth

def tables(path):
    """Bytes of each table and index of a database that nobody has open."""
    db = sqlite3.connect(path)
    sizes = dict(db.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))
    db.close()
    return sizes


def grown(bench, name, **settings):
    """A known number of single events over known leads; returns (bytes posted, bytes by table)."""
    daemon = Daemon(bench, name, connectors=slack("sales", bench.sink, "rate = 100000/s\n"
                                                  "concurrency = 64"), **settings)
    daemon.fill()
    eventually(lambda: daemon.depth() == 0, 120, "nothing waits")
    daemon.stop()
    before = tables(daemon.database)
    daemon.start()
    posted = daemon.measure(CLIENTS, bench.options.requests)["body_bytes"]
    eventually(lambda: daemon.depth() == 0, 120, "nothing waits")
    daemon.stop()
    after = tables(daemon.database)
    return daemon, posted, {t: after[t] - before.get(t, 0) for t in after}


def show_growth(label, posted, growth):
    total = sum(growth.values())
    print(f"  {label}: {total / posted:.2f} bytes for each byte of a body ({posted / 1e6:.1f} MB "
          "posted)")
    for table, size in sorted(growth.items(), key=lambda item: -item[1]):
        if size > 0.005 * posted:
            print(f"    {table:<28}{size / posted:6.2f}")
    return total / posted


def pages(daemon):
    return daemon.query("PRAGMA page_count")[0][0]


def purge(daemon):
    """Returns (bytes before, bytes after) of the file once all events are past their retention; the
    newest stays, and that of the newest delivery, for their ids."""
    before = os.path.getsize(daemon.database)
    daemon.start(store="retention = 2s")
    many = pages(daemon)
    eventually(lambda: daemon.query("SELECT count(*) FROM event")[0][0] <= 2, 300, "a purge")
    eventually(lambda: pages(daemon) < many, 120, "room that is given back")
    while pages(daemon) < many:  # a little at a time
        many = pages(daemon)
        time.sleep(3)
    daemon.stop()
    return before, os.path.getsize(daemon.database)


def run_growth(bench):
    title("Growth of the database by single events of known leads, and after a purge")
    daemon, posted, growth = grown(bench, "grown", route=route(HOT, ["sales"]))
    plain = show_growth("hardly any message", posted, growth)
    before, after = purge(daemon)
    print(f"  all events purged: {before / 1e6:.1f} MB before, {after / 1e6:.1f} MB after")
    daemon, posted, growth = grown(bench, "grown-sent", route=route(EVERY, ["sales"]))
    show_growth("a message for each event, delivered", posted, growth)
    bench.aim("growth, of the bytes posted", plain, most=2)
    bench.aim("size after a purge of all, of before", after / before, most=0.5)
