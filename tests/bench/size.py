"""tests/bench/size.py - a million events that wait, and millions that are stored."""
import json
import os
import shutil
import time

from bed import (EVERY, HOT, LEADS, SECRET, Client, Daemon, free_port, number, remove_database,
                 route, row, slack, title)
from harness import change, sign_v3

WAITING, STORED = 1_000_000, 1_000_000
EMAILS = 20_000
CLIENTS = 64


def milliseconds(call):
    began = time.monotonic()
    call()
    return (time.monotonic() - began) * 1e3


def noted(bench, name, value):
    bench.note(name, {"rate": value})


# A service that refuses, and a million messages for it

def refusing(bench, name, **settings):
    return Daemon(bench, name, connectors=slack("down", free_port()), route=route(EVERY, ["down"]),
                  **settings)


def measure_copy(bench, name, database):
    """The intake of what the database was before there was anything that waits."""
    path = os.path.join(bench.folder, "empty.db")
    shutil.copy(database, path)
    daemon = refusing(bench, name, database=path)
    result = daemon.measure(CLIENTS, bench.options.requests)
    daemon.stop()
    remove_database(path)
    return result


def restart(bench, daemon):
    daemon.stop()
    noted(bench, "ready", daemon.start() * 1e3)
    noted(bench, "status", daemon.command("status")[0] * 1e3)
    noted(bench, "metrics", milliseconds(lambda: daemon.ask("/metrics")))


def run_waiting(bench):
    known = Daemon(bench, "known")
    known.fill()  # the leads are known; without a route nothing waits
    known.stop()
    full = refusing(bench, "waiting")
    full.fill(WAITING)
    waiting = full.depth()
    for n in bench.rounds("waiting"):
        bench.note("intake, empty", measure_copy(bench, f"empty-{n}", known.database))
        restart(bench, full)
        bench.note("intake, waiting", full.measure(CLIENTS, bench.options.requests))
        noted(bench, "memory", full.memory_mb())
    title(f"{number(waiting)} messages wait for a service that refuses; {LEADS:,} leads")
    row(f"intake, nothing waits, {CLIENTS} clients", bench, "intake, empty")
    row(f"intake, {WAITING:,} wait", bench, "intake, waiting",
        f"{bench.ratio('intake, waiting', 'intake, empty'):.2f} of the store where nothing waits")
    row("start to ready", bench, "ready", unit=" ms")
    row("funneld status, the whole command", bench, "status", unit=" ms")
    row("GET /metrics", bench, "metrics", unit=" ms")
    row("resident after the intake", bench, "memory", unit=" MB")
    bench.aim("1 million waiting: intake, of a store where nothing waits",
              bench.ratio("intake, waiting", "intake, empty"), least=0.9)
    bench.aim("1 million waiting: resident", bench.median("memory"), most=64, unit=" MB")
    bench.aim("1 million waiting: start to ready", bench.median("ready"), most=300, unit=" ms")
    full.stop()


# Millions stored

def give_emails(daemon):
    """The e-mail addresses of some leads, as HubSpot tells them."""
    client = Client(daemon.port, tls=False)
    for first in range(1, EMAILS, 100):
        events = [change(contact, "email", f"lead{contact}@example.com")
                  for contact in range(first, first + 100)]
        body = json.dumps(events).encode()
        headers = dict(sign_v3(body, secret=SECRET), **{"Content-Type": "application/json"})
        assert client.request("POST", "/webhooks/hubspot", body, headers).status == 200
    client.close()


def looks(events, leads):
    """What people ask, from the newest to the oldest; (name, is a look-up, command)."""
    middle = str(events // 2)
    return (("event by id", True, ("events", "show", middle)),
            ("lead by id", True, ("leads", "show", str(leads // 2))),
            ("lead by portal:id", True, ("leads", "show", "242711451:4711")),
            ("lead by e-mail", True, ("leads", "show", f"lead{EMAILS // 2}@example.com")),
            ("score by e-mail", True, ("score", f"lead{EMAILS // 2}@example.com")),
            ("events, first page", False, ("events",)),
            ("events, page in the middle", False, ("events", "--after", middle)),
            ("events, last page", False, ("events", "--after", "51")),
            ("leads, first page", False, ("leads",)),
            ("leads, page in the middle", False, ("leads", "--after", str(leads // 2))),
            ("leads, last page", False, ("leads", "--after", "51")),
            ("funneld version: nothing but a process", False, ("version",)))


def stored(bench, events):
    small = Daemon(bench, "leads", connectors=slack("sales", bench.sink),
                   route=route(HOT, ["sales"]))
    small.fill()
    large = Daemon(bench, "stored", connectors=slack("sales", bench.sink),
                   route=route(HOT, ["sales"]))
    give_emails(large)
    filled = large.fill(events)
    leads = large.query("SELECT max(id) FROM lead")[0][0]
    questions = looks(events, leads)
    for _ in bench.rounds(f"{events:,} stored"):
        for name, daemon in (("batches, few", small), ("batches, many", large)):
            bench.note(name, daemon.measure_batches(2 * bench.options.requests))
        for name, _, command in questions:
            noted(bench, name, large.command(*command)[0] * 1e3)
    title(f"{events:,} events stored (through the daemon in batches, {number(filled)}/s); database "
          f"{os.path.getsize(large.database) / 1e9:.2f} GB; the time of a whole command")
    row(f"batches over {LEADS:,} leads, events", bench, "batches, few", key="event_rate")
    row(f"the same with {events:,} stored", bench, "batches, many",
        f"{bench.ratio('batches, many', 'batches, few'):.2f}", key="event_rate")
    for name, _, _ in questions:
        row(name, bench, name, unit=" ms")
    slowest = max((name for name, lookup, _ in questions if lookup), key=bench.median)
    bench.aim(f"batches with {events:,} stored", bench.median("batches, many", "event_rate"),
              least=40_000, unit=" events/s")
    bench.aim(f"{events:,} stored: slowest look-up ({slowest})", bench.median(slowest), most=20,
              unit=" ms")
    for what in ("events", "leads"):
        pages = [bench.median(name) for name, _, _ in questions if name.startswith(f"{what}, ")]
        bench.aim(f"{events:,} stored: dearest page of {what}, of the cheapest",
                  max(pages) / min(pages), most=2)
    small.stop()
    large.stop()


def run_stored(bench):
    stored(bench, STORED)


def run_large(bench):
    stored(bench, bench.options.large)
