"""tests/bench/deliveries.py - a queue drained to a fast local sink, and one event's way through.

Drained is a queue that was filled before, copied and begun anew each round. The bare curl_multi
loop posts one of the same bodies to the same sink over as many connections; it writes nothing
down, where the daemon commits that each attempt began and how it ended.
"""
import json
import os
import shutil
import statistics
import time

from bed import (EVERY, FAST, SECRET, SLOWEST, Client, Daemon, answer_of, eventually, number,
                 remove_database, route, row, slack, title)
from harness import change, sign_v3

CONNECTIONS = 64
LANES = (1, 4)
SAMPLES, PAUSE_S = 100, 0.02


def connectors(bench, lanes, how):
    return "\n".join(slack(f"lane-{i}", bench.sink, how) for i in range(lanes))


def told(when, lanes):
    return route(when, [f"lane-{i}" for i in range(lanes)])


def counted(bench):
    return json.loads(bench.ask_sink("/count"))


def fill(bench, lanes):
    """A database with that many deliveries that wait, over all lanes; returns (path, how many)."""
    events = bench.options.deliveries // lanes
    daemon = Daemon(bench, f"fill-{lanes}", connectors=connectors(bench, lanes, SLOWEST),
                    route=told(EVERY, lanes))
    daemon.fill(events)
    waiting = int(daemon.depth())
    daemon.stop()
    return daemon.database, waiting


def drain(bench, lanes, number_, database):
    """Returns the rate from the first message to the last."""
    path = os.path.join(bench.folder, "drained.db")
    shutil.copy(database, path)
    bench.ask_sink("/reset")
    daemon = Daemon(bench, f"drain-{lanes}-{number_}", database=path,
                    connectors=connectors(bench, lanes, FAST), route=told(EVERY, lanes))
    cpu = daemon.cpu_seconds()
    waiting = bench.waiting[lanes]
    eventually(lambda: counted(bench)["posts"] >= waiting - lanes, 300, "the queue is drained")
    eventually(lambda: daemon.depth() == 0, 60, "all is written down")
    count = counted(bench)
    result = {"rate": (count["posts"] - 1) * 1e6 / (count["last_us"] - count["first_us"]),
              "cpu_us": (daemon.cpu_seconds() - cpu) * 1e6 / count["posts"],
              "twice": count["posts"] - daemon.metric("funneld_delivery_seconds_count")}
    daemon.stop()
    remove_database(path)
    return result


def bare(bench):
    body = os.path.join(bench.folder, "body.json")
    with open(body, "wb") as f:
        f.write(bench.ask_sink("/body"))
    bench.body_bytes = os.path.getsize(body)
    argv = [bench.tool("limits"), "send", f"http://127.0.0.1:{bench.sink}/hook", body,
            str(bench.options.deliveries), str(CONNECTIONS)]
    return answer_of(argv)


def one_message(bench, client):
    """Milliseconds from when the event is sent to when its message is there."""
    before = counted(bench)["posts"]
    event = change(1 + before, "hs_analytics_num_page_views", "7")
    body = json.dumps([event]).encode()
    headers = dict(sign_v3(body, secret=SECRET), **{"Content-Type": "application/json"})
    began = time.monotonic()
    answer = client.request("POST", "/webhooks/hubspot", body, headers)
    assert answer.status == 200, answer.body
    eventually(lambda: counted(bench)["posts"] > before, 20, "a message")
    return (counted(bench)["last_us"] / 1e6 - began) * 1e3


def way_through(bench, daemon):
    client = Client(daemon.port, tls=False)
    taken = []
    for _ in range(SAMPLES):
        time.sleep(PAUSE_S)
        taken.append(one_message(bench, client))
    client.close()
    cuts = statistics.quantiles(taken, n=100)
    return {"p50_ms": statistics.median(taken), "p99_ms": cuts[98], "max_ms": max(taken)}


def measure(bench):
    databases = {}
    bench.waiting = {}
    for lanes in LANES:
        databases[lanes], bench.waiting[lanes] = fill(bench, lanes)
    for n in bench.rounds("deliveries"):
        for lanes in LANES:
            bench.note(("drain", lanes), drain(bench, lanes, n, databases[lanes]))
        bench.note("curl", bare(bench))
    daemon = Daemon(bench, "through", connectors=connectors(bench, 1, "rate = 1000/s\nconcurrency = 8"),
                    route=told(EVERY, 1))
    for _ in bench.rounds("one event's way"):
        bench.note("through", way_through(bench, daemon))
    daemon.stop()


def report(bench):
    title(f"Deliveries to a local sink: {bench.options.deliveries:,} messages of "
          f"{bench.body_bytes:,} bytes a round, {CONNECTIONS} connections a lane")
    row("bare curl_multi loop", bench, "curl")
    for lanes in LANES:
        name = ("drain", lanes)
        row(f"funneld, {lanes} connector{'s' if lanes > 1 else ''}", bench, name,
            f"{bench.ratio(name, 'curl'):.2f} of the bare loop, {bench.median(name, 'cpu_us'):.0f} us "
            f"CPU each, {number(sum(bench.values(name, 'twice')))} sent twice")
    print(f"  event in to message out, idle machine     p50 {bench.median('through', 'p50_ms'):.2f}  "
          f"p99 {bench.median('through', 'p99_ms'):.2f}  max {bench.median('through', 'max_ms'):.2f} ms")


def conclude(bench):
    best = max(LANES, key=lambda lanes: bench.median(("drain", lanes)))
    bench.aim(f"deliveries, {best} connector{'s' if best > 1 else ''}",
              bench.median(("drain", best)), least=10_000, unit="/s")
    bench.aim("deliveries, of the bare curl_multi loop", bench.ratio(("drain", best), "curl"),
              least=0.4)
    bench.aim("event in to message out, p50", bench.median("through", "p50_ms"), most=5, unit=" ms")
    bench.aim("event in to message out, p99", bench.median("through", "p99_ms"), most=25, unit=" ms")


def run(bench):
    measure(bench)
    report(bench)
    conclude(bench)
