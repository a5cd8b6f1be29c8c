"""tests/bench/intake.py - durable intake, next to what its parts give at best.

What a commit costs depends on how many events share it, so each figure of the daemon is followed
at once by one of the bare loop with as many events a commit. The bare durable server is the limit
of any webhook intake over HTTP; the loop, that of the disk's path alone.
"""
import os

from bed import BATCH, BATCH_CLIENTS, HOT, Daemon, route, row, slack, title

CLIENTS = (64, 256)
WORDS = {False: "plain", True: "TLS  "}


def with_loop(bench, name, result):
    result["loop"] = bench.loop(max(1, round(result["group"])))["rate"]
    result["of_loop"] = result["event_rate"] / result["loop"]
    bench.note(name, result)


def start_servers(bench):
    limits = bench.tool("limits")
    http, durable, daemons = {}, {}, {}
    for tls in (False, True):
        more = [bench.cert, bench.key] if tls else []
        http[tls] = bench.server([limits, "http", *more], "limit-http")[1]
        path = os.path.join(bench.folder, f"durable-{int(tls)}.db")
        durable[tls] = bench.server([limits, "durable", path, *more], "limit-durable")[1]
        daemons[tls] = Daemon(bench, "tls" if tls else "plain", tls,
                              connectors=slack("sales", bench.sink), route=route(HOT, ["sales"]))
        daemons[tls].fill()
    return http, durable, daemons


def measure(bench):
    n = bench.options.requests
    http, durable, daemons = start_servers(bench)
    for _ in bench.rounds("intake"):
        for tls in (False, True):
            for clients in CLIENTS:
                bench.note(("http", tls, clients), bench.load(http[tls], clients, n, tls=tls))
        for group in CLIENTS:
            bench.note(("loop", group), bench.loop(group))
        for tls, daemon in daemons.items():
            for clients in CLIENTS:
                bench.note(("durable", tls, clients),
                           bench.load(durable[tls], clients, n, tls=tls))
                with_loop(bench, ("single", tls, clients), daemon.measure(clients, n))
            with_loop(bench, ("batch", tls), daemon.measure_batches(n))
    for daemon in daemons.values():
        daemon.stop()


def pairs():
    return [(tls, clients) for tls in (False, True) for clients in CLIENTS]


def report(bench):
    title(f"Durable intake: {bench.options.requests:,} requests a round"
          f"\n{'':<44}{'rate':>11}  (least - most){'':>11}p50     p99")
    print("bare libmicrohttpd, static answer, poll mode, two threads")
    for tls, clients in pairs():
        row(f"{WORDS[tls]} {clients:>3} clients", bench, ("http", tls, clients))
    print("bare durable server: HMAC, JSON, suspended, group commit of event and queue row, resumed")
    for tls, clients in pairs():
        row(f"{WORDS[tls]} {clients:>3} clients", bench, ("durable", tls, clients))
    print("bare durable loop: the same without HTTP, one thread")
    for group in CLIENTS:
        row(f"{group} a commit", bench, ("loop", group))
    print("funneld, durable single events: verified, deduplicated, stored, folded, scored, routed")
    for tls, clients in pairs():
        name = ("single", tls, clients)
        row(f"{WORDS[tls]} {clients:>3} clients", bench, name,
            f"{bench.median(name, 'group'):.0f} a commit, {bench.median(name, 'cpu_us'):.0f} us CPU; "
            f"{bench.ratio(name, ('durable', tls, clients)):.2f} of the durable server, "
            f"{bench.median(name, 'of_loop'):.2f} of the loop with as many a commit, "
            f"{bench.ratio(name, ('http', tls, clients)):.2f} of the bare answer")
    print(f"funneld, batches of {BATCH}, {BATCH_CLIENTS} clients (events)")
    for tls in (False, True):
        name = ("batch", tls)
        row(WORDS[tls], bench, name, f"{bench.median(name, 'of_loop'):.2f} of the loop with as many "
            "a commit", key="event_rate")


def conclude(bench):
    best = {tls: max((("single", tls, c) for c in CLIENTS), key=bench.median)
            for tls in (False, True)}
    bench.aim("single events, plain", bench.median(best[False]), least=25_000, unit="/s")
    bench.aim("single events, TLS", bench.median(best[True]), least=18_000, unit="/s")
    for tls in (False, True):
        bench.aim(f"single events, {WORDS[tls].strip()}, of the bare loop (no HTTP)",
                  bench.median(best[tls], "of_loop"), least=0.5)
        bench.aim(f"single events, {WORDS[tls].strip()}, of the bare durable server",
                  bench.ratio(best[tls], ("durable", *best[tls][1:])), least=0.5)
    bench.aim(f"batches of {BATCH}, 100,000 leads", bench.median(("batch", False), "event_rate"),
              least=40_000, unit=" events/s")


def run(bench):
    measure(bench)
    report(bench)
    conclude(bench)
