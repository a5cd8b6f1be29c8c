"""tests/bench/bed.py - what the parts of the bench stand on: tools, daemons, figures, their table."""
import contextlib
import json
import os
import re
import signal
import sqlite3
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from harness import Client, Failure, Process, eventually, free_port, make_certificate  # noqa: E402

SECRET, PUBLIC_URL = "bench-client-secret", "https://hooks.example.com"  # as in pool.h
LEADS = 100_000
BATCH, BATCH_CLIENTS = 100, 16
CHUNK = 1_000_000  # events that one run of the load generator holds in memory

# pool.c's events: half are page views, one in twenty asks for a demo.
CONFIG = """[server]
listen = 127.0.0.1:{port}
public_url = {public_url}
threads = {threads}
{tls}
[admin]
listen = 127.0.0.1:{admin}
[store]
path = {database}
{store}
[source hubspot]
type = hubspot
path = /webhooks/hubspot
secret = {secret}
{connectors}
[score]
warm = 20
hot = 40
[group engagement]
max = 60
[rule demo-request]
when = event.property == "demo_requested" and event.value == "true"
points = 35
half_life = 30d
[rule page-views]
when = event.property == "hs_analytics_num_page_views" and event.value >= 500
points = 2
half_life = 7d
group = engagement
[rule opened]
when = event.property == "hs_email_last_open_date"
points = 1
half_life = 14d
group = engagement
[rule qualified]
when = lead.lifecyclestage == "marketingqualifiedlead"
points = 15
[rule senior]
when = lead.jobtitle contains "director"
points = 10
{route}
"""
HOT = "score >= 40 and score.previous < 40"
EVERY = 'event.type == "contact.propertyChange"'


def slack(name, port, more=""):
    """A connector whose service is at that port; at Slack's own pace unless more says otherwise."""
    return f"[connector {name}]\ntype = slack\nwebhook = http://127.0.0.1:{port}/hook\n{more}\n"


FAST = "rate = 100000/s\nconcurrency = 64\nbackoff = 1ms\nbackoff_max = 10ms"
SLOWEST = "rate = 1/m"  # as good as none while a queue is filled


def route(when, names):
    return f"[route told]\nwhen = {when}\nto = {', '.join(names)}"


def answer_of(argv, timeout=600):
    done = subprocess.run(argv, capture_output=True, timeout=timeout)
    if done.returncode:
        raise Failure(f"{' '.join(argv)}: {done.stderr.decode().strip()}")
    return json.loads(done.stdout)


class Bench:
    """One run: a folder, the programs, what was measured, what was aimed at."""

    def __init__(self, options, folder, stack):
        self.options, self.folder, self.stack = options, folder, stack
        self.cert, self.key = make_certificate(folder)
        self.results, self.aims, self.loops = {}, [], 0
        self._sink = None

    def tool(self, name):
        return os.path.join(self.options.build, "bench", name)

    def spawn(self, argv, log, env=None):
        process = Process(argv, os.path.join(self.folder, log), env)
        self.stack.callback(process.kill)
        return process

    def server(self, argv, name):
        """A program that says where it listens; returns (process, port)."""
        process = self.spawn(argv, f"{name}.log")
        line = process.child.stdout.readline()
        if not line.startswith(b"listening on "):
            raise Failure(f"{name} said {line!r}: {process.logged()[-500:]}")
        return process, int(line.split()[-1])

    @property
    def sink(self):
        if self._sink is None:
            self._sink = self.server([self.tool("sink")], "sink")[1]
        return self._sink

    def ask_sink(self, path):
        client = Client(self.sink, tls=False)
        try:
            return client.request("GET", path).body
        finally:
            client.close()

    def load(self, port, clients, requests, batch=1, tls=False, **more):
        argv = [self.tool("load"), "--port", str(port), "--clients", str(clients),
                "--requests", str(requests), "--batch", str(batch)]
        for name, value in more.items():
            argv += [f"--{name}", str(value)]
        return answer_of(argv + (["--tls", self.cert] if tls else []))

    def loop(self, group):
        """The bare durable loop with that many events a commit."""
        self.loops += 1
        path = os.path.join(self.folder, f"loop-{self.loops}.db")
        result = answer_of([self.tool("limits"), "loop", path, str(group),
                            str(self.options.requests)])
        remove_database(path)
        return result

    def rounds(self, what):
        for number in range(self.options.rounds):
            print(f"  {what}: round {number + 1} of {self.options.rounds} ...", file=sys.stderr,
                  flush=True)
            yield number

    def note(self, name, result):
        self.results.setdefault(name, []).append(result)
        return result

    def values(self, name, key="rate"):
        return [r[key] for r in self.results[name]]

    def median(self, name, key="rate"):
        return statistics.median(self.values(name, key))

    def ratio(self, name, base, key="rate"):
        """The median of the rounds' own ratios: what slows the machine for a while slows both."""
        return statistics.median(a / b for a, b in zip(self.values(name, key),
                                                       self.values(base)))

    def aim(self, text, value, least=None, most=None, unit=""):
        """A figure and what it should be."""
        met = (least is None or value >= least) and (most is None or value <= most)
        bound = f"at least {number(least)}" if most is None else f"at most {number(most)}"
        self.aims.append((text, f"{number(value)}{unit}", f"{bound}{unit}", met))


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}".rstrip("0").rstrip(".")


def title(text):
    print(f"\n{text}")


def row(label, bench, name, more="", key="rate", unit="/s"):
    """Median, least and most of the rounds; times of answers where they were taken."""
    values = bench.values(name, key)
    text = (f"  {label:<42}{number(statistics.median(values)):>9}{unit:<4}"
            f"{f'({number(min(values))} - {number(max(values))})':<21}")
    if "p50_ms" in bench.results[name][0] and key == "rate":
        text += f"{bench.median(name, 'p50_ms'):7.2f} {bench.median(name, 'p99_ms'):7.2f} ms"
    print(f"{text}  {more}".rstrip())


def remove_database(path):
    for suffix in ("", "-wal", "-shm", ".lock", ".sock", ".backup"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path + suffix)


class Daemon:
    """funneld in a folder of its own; `set` what differs from one start to the next."""

    def __init__(self, bench, name, tls=False, database=None, **settings):
        self.bench, self.name, self.tls = bench, name, tls
        self.folder = os.path.join(bench.folder, name)
        os.mkdir(self.folder)
        self.database = database or os.path.join(self.folder, "funneld.db")
        self.config = os.path.join(self.folder, "funneld.conf")
        self.port, self.admin = free_port(), free_port()
        self.settings = dict(threads=1, store="", connectors="", route="")
        self.process = None
        self.start(**settings)

    def start(self, **settings):
        """Returns the seconds until it said that it is ready."""
        self.settings.update(settings)
        tls = f"tls_cert = {self.bench.cert}\ntls_key = {self.bench.key}" if self.tls else ""
        with open(self.config, "w") as f:
            f.write(CONFIG.format(port=self.port, admin=self.admin, database=self.database, tls=tls,
                                  secret=SECRET, public_url=PUBLIC_URL, **self.settings))
        began = time.monotonic()
        self.process = self.bench.spawn([os.path.join(self.bench.options.build, "funneld"), "-c",
                                         self.config], f"{self.name}.log")
        while not self.ready():
            time.sleep(0.003)
            if time.monotonic() > began + 60:
                raise Failure(f"{self.name} is not ready after 60 s")
        return time.monotonic() - began

    def ready(self):
        if self.process.child.poll() is not None:
            raise Failure(f"funneld ended: {self.process.logged()[-2000:]}")
        with contextlib.suppress(OSError):
            return self.ask("/readyz").status == 200

    def stop(self):
        self.process.signal(signal.SIGTERM)
        if self.process.wait(60) != 0:
            raise Failure(f"funneld ended badly: {self.process.logged()[-2000:]}")
        self.process.kill()

    def ask(self, path):
        client = Client(self.admin, tls=False, timeout=60)
        try:
            return client.request("GET", path)
        finally:
            client.close()

    def metric(self, series):
        text = self.ask("/metrics").body.decode()
        return sum(float(v) for v in re.findall(rf"^{re.escape(series)}(?:\{{.*\}})? (\S+)$", text,
                                                re.M))

    def depth(self):
        return self.metric("funneld_queue_depth")

    def command(self, *arguments):
        """Runs a command of funneld; returns (seconds of all of it, what it printed)."""
        argv = [os.path.join(self.bench.options.build, "funneld"), "-c", self.config, *arguments]
        began = time.monotonic()
        done = subprocess.run(argv, capture_output=True, timeout=120)
        took = time.monotonic() - began
        if done.returncode:
            raise Failure(f"{' '.join(arguments)}: {done.stderr.decode().strip()}")
        return took, done.stdout.decode()

    def query(self, sql):
        """Asks the database itself; safe while the daemon runs."""
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True,
                                                timeout=30)) as db:
            return db.execute(sql).fetchall()

    def cpu_seconds(self):
        with open(f"/proc/{self.process.child.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self):
        with open(f"/proc/{self.process.child.pid}/status") as f:
            return int(re.search(r"VmRSS:\s+(\d+) kB", f.read()).group(1)) / 1024

    def wakeups(self):
        """Times that any of its threads went to sleep by itself, so far."""
        tasks = f"/proc/{self.process.child.pid}/task"
        total = 0
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/status") as f:
                total += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", f.read(), re.M)
                             .group(1))
        return total

    def load(self, clients, requests, batch, **more):
        result = self.bench.load(self.port, clients, requests, batch, tls=self.tls, **more)
        if result["requests"] != requests or result["duplicates"]:
            raise Failure(f"{self.name}: {result['requests']} of {requests} requests were taken in "
                          f"time, {result['refused']} refused, {result['duplicates']} duplicates")
        return result

    def fill(self, events=LEADS, batch=BATCH, **more):
        """Batches, as fast as they are taken; returns events a second."""
        began, left = time.monotonic(), events
        while left > 0:
            part = min(left, CHUNK)
            self.load(BATCH_CLIENTS, -(-part // batch), batch, seconds=600, **more)
            left -= part
        return events / (time.monotonic() - began)

    def measure(self, clients, requests, batch=1, **more):
        before = self.metric("funneld_commit_events_sum"), self.metric(
            "funneld_commit_events_count")
        cpu = self.cpu_seconds()
        result = self.load(clients, requests, batch, **more)
        result["cpu_us"] = (self.cpu_seconds() - cpu) * 1e6 / result["events"]
        events = self.metric("funneld_commit_events_sum") - before[0]
        result["group"] = events / max(1, self.metric("funneld_commit_events_count") - before[1])
        result["event_rate"] = result["rate"] * batch
        return result

    def measure_batches(self, events, **more):
        return self.measure(BATCH_CLIENTS, max(BATCH_CLIENTS, events // BATCH), BATCH, **more)
