"""Many at once, slow ones, and what the metrics say about all of it."""
import json
import re
import socket
import threading
import time

from harness import (HOT_TO_SLACK, ZAPIER_SECRET, Sink, change, check, closed_within, demo, equal,
                     event, eventually, in_threads, in_time, raw_connection, raw_head, series,
                     sign_v3, slack_lines, stored)

JSON = {"Content-Type": "application/json"}


def many_clients(world, clients, rounds):
    """Each keeps its connection, and all ask at the same time; every answer must be 200."""
    barrier = threading.Barrier(clients)

    def one(k):
        client = world.client(timeout=30)
        client.request("GET", "/healthz", None)  # connected
        connection = client.connection.sock
        barrier.wait(60)
        for n in range(rounds):
            answer = world.post([change(1 + k, "clicks", str(n))], client=client)
            equal(answer.status, 200, f"client {k}, request {n}")
        check(client.connection.sock is connection, "the connection was kept")
        client.close()
    in_threads([lambda k=k: one(k) for k in range(clients)])


def test_256_keep_alive_clients_are_all_served(world):
    world.configure(world.base().replace("level = debug", "level = info"))
    world.start()
    many_clients(world, 256, 6)
    equal(len(stored(world)), 256 * 6, "events")
    equal(world.metric("funneld_requests_rejected_total", source="hubspot", reason="overload"), 0,
          "nobody was turned away")
    events, commits = (series(world)[f"funneld_commit_events_{what}"] for what in ("sum", "count"))
    equal(events, 256 * 6, "committed")
    check(commits < events, f"many commits were shared: {commits:.0f} for {events:.0f} events")
    world.stop()


test_256_keep_alive_clients_are_all_served.slow = True


def test_64_plain_clients_are_all_served(world):
    world.configure(world.base(tls=False).replace("level = debug", "level = info"))
    world.start()
    many_clients(world, 64, 5)
    equal(len(stored(world)), 64 * 5, "events")
    world.stop()


def test_1000_idle_connections_shut_nobody_out(world):
    world.configure(world.base())
    world.start()
    idle = [socket.create_connection(("127.0.0.1", world.port), 5) for _ in range(1000)]
    try:
        for i in range(5):
            began = time.monotonic()
            equal(world.post([demo(1 + i)]).status, 200, "a normal request")
            took = time.monotonic() - began
            in_time(took < 2, f"in good time: {took:.2f} s")
        equal(world.admin("/readyz").status, 200, "ready")
    finally:
        for s in idle:
            s.close()
    world.stop()


def test_whoever_sends_slowly_is_cut_and_harms_nobody(world):
    world.configure(world.base(server="header_timeout = 1s\nbody_timeout = 1s\nidle_timeout = 1s"))
    world.start()
    body = json.dumps([demo(1)]).encode()
    head = raw_head(fields={**JSON, **sign_v3(body), "Content-Length": str(len(body))})

    def drip(s, data):
        """A byte at a time, so that it is never idle; how long until it was cut."""
        began = time.monotonic()
        s.settimeout(0.1)
        for byte in data:
            if time.monotonic() - began > 5:
                return None
            try:
                s.sendall(bytes([byte]))
                if not s.recv(1):
                    break
            except socket.timeout:
                continue
            except OSError:
                break
        return time.monotonic() - began

    def slow_head():
        with raw_connection(world) as s:
            return drip(s, head)

    def slow_body():
        with raw_connection(world) as s:
            s.sendall(head)
            return drip(s, body)

    def no_handshake():
        with socket.create_connection(("127.0.0.1", world.port)) as s:
            began = time.monotonic()
            return time.monotonic() - began if closed_within(s, 5) else None

    def no_request():
        with raw_connection(world) as s:
            began = time.monotonic()
            return time.monotonic() - began if closed_within(s, 5) else None

    def idle():
        client = world.client()
        equal(world.post([demo(2)], client=client).status, 200, "before it idles")
        began = time.monotonic()
        return time.monotonic() - began if closed_within(client.connection.sock, 5) else None
    kinds = [slow_head, slow_body, no_handshake, no_request, idle]
    for kind, took in zip(kinds, in_threads(kinds)):
        in_time(took is not None, f"{kind.__name__} was never cut")
        check(took > 0.5, f"{kind.__name__} was cut after {took:.1f} s")
        in_time(took < 3, f"{kind.__name__} was cut after {took:.1f} s")
    equal(len(stored(world)), 1, "events")
    equal(world.post([demo(3)]).status, 200, "and others are served")
    world.stop()


def test_a_sender_that_leaves_before_its_answer_harms_nobody(world):
    world.configure(world.base())
    world.start()
    for i in range(50):
        body = json.dumps([demo(1 + i)]).encode()
        with raw_connection(world) as s:
            s.sendall(raw_head(fields={**JSON, **sign_v3(body), "Content-Length": str(len(body))}))
            s.sendall(body)
    eventually(lambda: len(stored(world)) == 50, what="all of them are stored")
    equal(world.post([demo(100)]).status, 200, "the next")
    world.stop()


def test_requests_behind_each_other_on_one_connection_are_answered_in_turn(world):
    world.configure(world.base(tls=False))
    world.start()
    with raw_connection(world) as s:
        for i in range(20):
            body = json.dumps([demo(1 + i)]).encode()
            s.sendall(raw_head(fields={**JSON, **sign_v3(body), "Content-Length": str(len(body))})
                      + body)
        answers = b""
        while answers.count(b"HTTP/1.1 200") < 20:
            piece = s.recv(65536)
            check(piece, "closed early")
            answers += piece
    equal(len(stored(world)), 20, "events")
    world.stop()


# Metrics

CODES = ("200", "400", "401", "405", "411", "413", "415", "503")
REASONS = ("signature", "timestamp", "json", "length", "too_large", "media_type", "method",
           "overload", "disk", "shutdown")
OUTCOMES = ("delivered", "retried", "dead", "superseded", "cancelled")


def test_every_label_combination_starts_at_0(world):
    with Sink() as sink:
        world.configure(world.base() + slack_lines(sink) + HOT_TO_SLACK)
        world.start()
        have = series(world)
        world.stop()
    wanted = {"funneld_commit_seconds_count", "funneld_commit_events_count",
              "funneld_config_restart_required"}
    for source in ("hubspot", "zapier"):
        wanted |= {f'funneld_requests_rejected_total{{source="{source}",reason="{r}"}}'
                   for r in REASONS}
        wanted |= {f'funneld_request_seconds_count{{source="{source}",code="{c}"}}' for c in CODES}
        wanted |= {f'funneld_events_{what}_total{{source="{source}"}}'
                   for what in ("duplicate", "unprocessable")}
        wanted |= {f'funneld_events_received_total{{source="{source}",type="{t}"}}'
                   for t in ("contact.creation", "contact.propertyChange", "contact.merge",
                             "deal.creation", "object.creation", "other")}
    wanted |= {f'funneld_deliveries_total{{connector="slack",outcome="{o}"}}' for o in OUTCOMES}
    wanted |= {f'{name}{{connector="slack"}}' for name in
               ("funneld_delivery_seconds_count", "funneld_queue_depth",
                "funneld_queue_oldest_seconds")}
    wanted |= {f'funneld_leads{{band="{b}"}}' for b in ("cold", "warm", "hot")}
    equal(wanted - set(have), set(), "series that are missing")
    # The rules' own commit is no event, but it is a commit.
    moved = {name for name in wanted - {"funneld_commit_seconds_count"} if have[name] != 0}
    equal(moved, set(), "series that do not start at 0")
    for source in ("hubspot", "zapier"):
        types = [n for n in have
                 if n.startswith(f'funneld_events_received_total{{source="{source}"')]
        equal(len(types), 49, "types: the 48 known ones and other")
    equal(have["funneld_config_reload_success"], 1, "reload")
    builds = [n for n in have if n.startswith("funneld_build_info{")]
    equal([have[n] for n in builds], [1], "build")
    expiry = have["funneld_tls_certificate_expiry_timestamp_seconds"]
    check(1 < (expiry - time.time()) / 3600 < 49, f"expiry: {expiry}")
    for name in ("process_start_time_seconds", "process_resident_memory_bytes",
                 "process_open_fds", "process_cpu_seconds_total"):
        check(have.get(name, 0) > 0, f"{name}: {have.get(name)}")


def test_metrics_count_what_happened(world):
    with Sink() as sink:
        sink.start()
        world.configure(world.base() + slack_lines(sink) + HOT_TO_SLACK)
        world.start()
        before = series(world)
        creation = event("contact.creation", 1)
        equal(world.post([creation, demo(1), change(2, "email", "a@example.com"), 7]).status, 200,
              "post")
        equal(world.post([creation, event("deal.creation", 9)]).status, 200, "post")
        equal(world.post({"email": "zap@example.com"}, path="/webhooks/zapier",
                         headers={"X-Funneld-Secret": ZAPIER_SECRET}).status, 200, "zap")
        equal(world.post([], headers={"X": "y"}).status, 401, "no signature")
        sink.error = "no_text"
        equal(world.post([demo(3)]).status, 200, "post")
        world.all_done()
        after = series(world)
        moved = {name: after[name] - before.get(name, 0) for name in after
                 if name.startswith("funneld_") and "_bucket" not in name and "_sum" not in name
                 and after[name] != before.get(name, 0) and "clock_skew" not in name}
        for name in ("funneld_commit_seconds_count", "funneld_commit_events_count"):
            check(moved.pop(name) >= 4, name)
        received = 'funneld_events_received_total{source="%s",type="%s"}'
        equal(moved, {
            received % ("hubspot", "contact.creation"): 1,
            received % ("hubspot", "contact.propertyChange"): 3,
            received % ("hubspot", "deal.creation"): 1,
            received % ("hubspot", "other"): 1,
            received % ("zapier", "other"): 1,
            'funneld_events_duplicate_total{source="hubspot"}': 1,
            'funneld_events_unprocessable_total{source="hubspot"}': 1,
            'funneld_requests_rejected_total{source="hubspot",reason="signature"}': 1,
            'funneld_request_seconds_count{source="hubspot",code="200"}': 3,
            'funneld_request_seconds_count{source="hubspot",code="401"}': 1,
            'funneld_request_seconds_count{source="zapier",code="200"}': 1,
            'funneld_deliveries_total{connector="slack",outcome="delivered"}': 1,
            'funneld_deliveries_total{connector="slack",outcome="dead"}': 1,
            'funneld_delivery_seconds_count{connector="slack"}': 1,
            'funneld_leads{band="hot"}': 2,
            'funneld_leads{band="cold"}': 2,
        }, "what moved")
        equal(after["funneld_commit_events_sum"], 7, "events in commits")
        sink.stop()
        equal(world.post([demo(4)]).status, 200, "post")
        eventually(lambda: world.metric("funneld_deliveries_total", connector="slack",
                                        outcome="retried") >= 2, what="retried")
        equal(world.metric("funneld_queue_depth", connector="slack"), 1, "depth")
        check(0 < world.metric("funneld_queue_oldest_seconds", connector="slack") < 30, "oldest")
        world.kill()
        world.start()
        equal(world.metric("funneld_leads", band="hot"), 3, "bands are known after a restart")
        equal(world.metric("funneld_queue_depth", connector="slack"), 1, "and the queue")
        world.stop()


def test_the_metrics_page_is_what_prometheus_reads(world):
    world.configure(world.base())
    world.start()
    world.post([demo(1)])
    text = world.admin("/metrics").body.decode()
    check(text.endswith("\n"), "ends with a line end")
    typed, seen = {}, []
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            name, kind = line.split()[2:]
            check(name not in typed, f"{name} is typed twice")
            typed[name] = kind
            continue
        if line.startswith("# HELP "):
            continue
        found = re.fullmatch(r'([a-z_:]+)(\{[a-z_]+="(?:[^"\\]|\\.)*"(,[a-z_]+="(?:[^"\\]|\\.)*")*\})?'
                             r' (-?[0-9.e+-]+|[+]Inf|NaN)', line)
        check(found, f"not a sample: {line!r}")
        base = re.sub("_(bucket|sum|count)$", "", found.group(1))
        name = base if typed.get(base) == "histogram" else found.group(1)
        check(name in typed, f"no type before {line!r}")
        if name not in seen:
            seen.append(name)
        equal(seen[-1], name, "the samples of a family stand together")
    last = {}
    for line in text.splitlines():  # buckets only grow, and the last is the count
        found = re.fullmatch(r'(\w+)_bucket\{(.*?),?le="(.*?)"\} (\S+)', line)
        if found:
            key = found.group(1), found.group(2)
            check(float(found.group(4)) >= last.get(key, 0), f"{line} is less than before")
            last[key] = float(found.group(4))
    have = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    for (name, labels), value in last.items():
        equal(value, float(have[f"{name}_count" + (f"{{{labels}}}" if labels else "")]), name)
    world.stop()
