"""tests/bench/bench.py - how fast funneld keeps events, next to what its parts give at best.

    python3 tests/bench/bench.py --build build/plain [--rounds 5] [--requests 40000]

Measures side by side in one run: a bare libmicrohttpd answer, a bare durable loop (HMAC, JSON,
SQLite's group commit of event and queue row, nothing else), and the daemon with rules, a route and
100,000 leads in its database. What a commit costs depends on how many events share it, so each
figure of the daemon is followed at once by one of the loop with as many events a commit. Every
round does everything once; printed are medians of the rounds, of ratios taken within a round. It
states figures and passes no judgement: load generator and server share this machine.
"""
import argparse
import contextlib
import json
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from harness import Client, Failure, Process, eventually, free_port, make_certificate  # noqa: E402
import http.server  # noqa: E402

SECRET, PUBLIC_URL = "bench-client-secret", "https://hooks.example.com"  # as in pool.h
LEADS = 100_000
CLIENTS = (64, 256)
BATCH, BATCH_CLIENTS = 100, 16
IDLE_SECONDS = 10
GOAL_RATIO, GOAL_MEMORY_MB = 0.3, 40

# pool.c's events: half are page views, one in twenty asks for a demo.
CONFIG = """[server]
listen = 127.0.0.1:{port}
public_url = {public_url}
threads = 1
{tls}
[admin]
listen = 127.0.0.1:{admin}
[store]
path = {folder}/funneld.db
[source hubspot]
type = hubspot
path = /webhooks/hubspot
secret = {secret}
[connector sales]
type = slack
token = xoxb-bench
channel = C0123456789
url = http://127.0.0.1:{sink}
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
[route hot-lead]
when = score >= 40 and score.previous < 40
to = sales
"""


class Sink(http.server.BaseHTTPRequestHandler):
    """Slack, as far as a bench needs it; the lane's 1/s keeps it idle."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b'{"ok":true,"channel":"C0123456789","ts":"1700000000.000100"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def start_sink():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


class Bench:
    def __init__(self, options, folder, stack):
        self.options, self.folder, self.stack = options, folder, stack
        self.cert, self.key = make_certificate(folder)
        self.results = {}
        self.loops = 0

    def tool(self, name):
        return os.path.join(self.options.build, "bench", name)

    def spawn(self, argv, log):
        process = Process(argv, os.path.join(self.folder, log))
        self.stack.callback(process.kill)
        return process

    def bare_http(self, tls):
        more = [self.cert, self.key] if tls else []
        process = self.spawn([self.tool("limits"), "http", *more], "limits.log")
        return int(process.child.stdout.readline().split()[-1])

    def load(self, port, tls, clients, requests, batch=1):
        argv = [self.tool("load"), "--port", str(port), "--clients", str(clients),
                "--requests", str(requests), "--batch", str(batch)]
        return answer_of(argv + (["--tls", self.cert] if tls else []))

    def loop(self, group):
        self.loops += 1
        path = os.path.join(self.folder, f"loop-{self.loops}.db")
        result = answer_of([self.tool("limits"), "loop", path, str(group),
                            str(self.options.requests)])
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path + suffix)
        return result

    def note(self, name, result):
        self.results.setdefault(name, []).append(result)
        return result

    def median(self, name, key="rate"):
        return statistics.median(r[key] for r in self.results[name])


def answer_of(argv):
    done = subprocess.run(argv, capture_output=True, timeout=120)
    if done.returncode:
        raise Failure(f"{' '.join(argv)}: {done.stderr.decode().strip()}")
    return json.loads(done.stdout)


class Daemon:
    def __init__(self, bench, name, sink, tls):
        self.bench, self.tls = bench, tls
        self.folder = os.path.join(bench.folder, name)
        os.mkdir(self.folder)
        self.port, self.admin = free_port(), free_port()
        config = os.path.join(self.folder, "funneld.conf")
        with open(config, "w") as f:
            f.write(CONFIG.format(
                port=self.port, admin=self.admin, folder=self.folder, sink=sink, secret=SECRET,
                public_url=PUBLIC_URL,
                tls=f"tls_cert = {bench.cert}\ntls_key = {bench.key}" if tls else ""))
        self.process = bench.spawn([os.path.join(bench.options.build, "funneld"), "-c", config],
                                   f"{name}.log")
        eventually(self.ready, 20, f"{name} is ready")

    def ready(self):
        if self.process.child.poll() is not None:
            raise Failure(f"funneld ended: {self.process.logged()[-2000:]}")
        with contextlib.suppress(OSError):
            return self.ask("/readyz").status == 200

    def ask(self, path):
        client = Client(self.admin, tls=False)
        try:
            return client.request("GET", path)
        finally:
            client.close()

    def metric(self, series):
        text = self.ask("/metrics").body.decode()
        return float(re.search(rf"^{re.escape(series)} (\S+)$", text, re.M).group(1))

    def commits(self):
        return self.metric("funneld_commit_events_sum"), self.metric("funneld_commit_events_count")

    def queued(self):
        """What waits and what was sent since the fill."""
        return self.metric('funneld_queue_depth{connector="sales"}') - self.at_start

    def cpu_seconds(self):
        with open(f"/proc/{self.process.child.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self):
        with open(f"/proc/{self.process.child.pid}/status") as f:
            return int(re.search(r"VmRSS:\s+(\d+) kB", f.read()).group(1)) / 1024

    def fill(self):
        self.bench.load(self.port, self.tls, BATCH_CLIENTS, LEADS // BATCH + 1, BATCH)
        self.at_start = self.metric('funneld_queue_depth{connector="sales"}')

    def measure(self, clients, requests, batch=1):
        events, groups = self.commits()
        cpu = self.cpu_seconds()
        result = self.bench.load(self.port, self.tls, clients, requests, batch)
        after = self.commits()
        result["cpu_us"] = (self.cpu_seconds() - cpu) * 1e6 / result["events"]
        result["group"] = (after[0] - events) / max(1, after[1] - groups)
        result["event_rate"] = result["rate"] * batch
        return result

    def stop(self):
        self.process.signal(signal.SIGTERM)
        if self.process.wait() != 0:
            raise Failure(f"funneld ended badly: {self.process.logged()[-2000:]}")


def with_loop(bench, name, result):
    """Beside the daemon's figure, that of the loop with as many events a commit, taken just after."""
    result["loop"] = bench.loop(max(1, round(result["group"])))["rate"]
    result["of_loop"] = result["event_rate"] / result["loop"]
    bench.note(name, result)


def measure_all(bench, daemons, ports):
    n = bench.options.requests
    for number in range(bench.options.rounds):
        print(f"  round {number + 1} of {bench.options.rounds} ...", file=sys.stderr, flush=True)
        for tls in (False, True):
            for clients in CLIENTS:
                bench.note(("http", tls, clients), bench.load(ports[tls], tls, clients, n))
        for group in CLIENTS:
            bench.note(("loop", group), bench.loop(group))
        for tls, daemon in daemons.items():
            for clients in CLIENTS:
                with_loop(bench, ("daemon", tls, clients), daemon.measure(clients, n))
            with_loop(bench, ("batch", tls),
                      daemon.measure(BATCH_CLIENTS, max(BATCH_CLIENTS, n // BATCH), BATCH))


def machine(bench):
    with open("/proc/cpuinfo") as f:
        model = re.search(r"model name\s*: (.+)", f.read())
    binary = os.path.join(bench.options.build, "funneld")
    version = subprocess.run([binary, "version"], capture_output=True, check=True).stdout.decode()
    disk = subprocess.run(["stat", "-f", "-c", "%T", bench.folder], capture_output=True,
                          check=True).stdout.decode().strip()
    print(f"{os.cpu_count()} cores, {model.group(1) if model else platform.machine()}, Linux "
          f"{platform.release()}, database on {disk}")
    print("load before: %.2f %.2f %.2f" % os.getloadavg())
    print(", ".join(" ".join(line.split()) for line in version.splitlines() if line.strip()))


WORDS = {False: "plain", True: "TLS  "}


def line(bench, text, name, of=None):
    """One row: rate (median, least and most), answer times, what it is compared with."""
    rates = [r["rate"] for r in bench.results[name]]
    row = f"  {text:<34}{bench.median(name):>9,.0f} /s  ({min(rates):,.0f} - {max(rates):,.0f})"
    row = f"{row:<74}"
    if "p50_ms" in bench.results[name][0]:
        row += f"{bench.median(name, 'p50_ms'):7.2f} {bench.median(name, 'p99_ms'):7.2f} ms"
    if "group" in bench.results[name][0]:
        row += f"{bench.median(name, 'group'):7.0f} {bench.median(name, 'cpu_us'):7.1f} us"
    print(row + ("" if of is None else f"  {of}"))


def ratio(bench, name, base, key="rate"):
    """The median of the rounds' own ratios: what slows the machine for a while slows both."""
    pairs = zip(bench.results[name], bench.results[base])
    return statistics.median(ours[key] / limit["rate"] for ours, limit in pairs)


def report(bench):
    print(f"\nMedians of {bench.options.rounds} rounds, each kind once a round, "
          f"{bench.options.requests:,} requests each"
          f"\n{'':<36}{'rate':>12}  (least - most)"
          f"{'':>18}p50     p99       group  CPU/event")
    print("bare libmicrohttpd, static answer, poll mode, pool of 2")
    for tls in (False, True):
        for clients in CLIENTS:
            line(bench, f"{WORDS[tls]} {clients:>3} clients", ("http", tls, clients))
    print("bare durable loop: HMAC, JSON, SQLite (WAL, FULL) event + queue row, one thread")
    for group in CLIENTS:
        line(bench, f"{group} a commit", ("loop", group))
    print("funneld, durable single events: verified, stored, folded, scored, routed")
    for tls in (False, True):
        for clients in CLIENTS:
            name = ("daemon", tls, clients)
            line(bench, f"{WORDS[tls]} {clients:>3} clients", name,
                 f"{bench.median(name, 'of_loop'):.2f} of the loop, "
                 f"{ratio(bench, name, ('http', tls, clients)):.2f} of the answer; loop with "
                 f"{clients} a commit: {ratio(bench, name, ('loop', clients)):.2f}")
    print(f"funneld, batches of {BATCH} (rate in requests; a group is counted in events)")
    for tls in (False, True):
        name = ("batch", tls)
        line(bench, f"{WORDS[tls]} {BATCH_CLIENTS:>3} clients", name,
             f"{bench.median(name, 'event_rate'):,.0f} events/s, "
             f"{bench.median(name, 'of_loop'):.2f} of the loop")


def conclude(bench, idle_mb, loaded_mb, queued):
    ours = [r for name, rs in bench.results.items() if name[0] in ("daemon", "batch") for r in rs]
    least = min(bench.median(name, "of_loop") for name in bench.results
                if name[0] in ("daemon", "batch"))
    print(f"\nleast ratio to the bare loop   {least:.2f}   (aim: {GOAL_RATIO} or more)")
    print(f"resident after {IDLE_SECONDS} s idle       {idle_mb:.1f} MB (aim: under "
          f"{GOAL_MEMORY_MB} MB); after the load and {IDLE_SECONDS} s more: {loaded_mb:.1f} MB")
    print(f"refused {sum(r['refused'] for r in ours)}, duplicates "
          f"{sum(r['duplicates'] for r in ours)} of {sum(r['requests'] for r in ours):,} requests; "
          f"{queued:,.0f} Slack messages queued for {sum(r['events'] for r in ours):,} events")


def run(options, folder, stack):
    bench = Bench(options, folder, stack)
    print("funneld bench: take the ratios, not the figures; the load generator runs on the same "
          "cores.\nRules and a route are on; each daemon knows "
          f"{LEADS:,} leads before the first round.\nThe daemon has one HTTP thread: of two cores "
          "the writer and the load generator want one.\n")
    machine(bench)
    sink = start_sink()
    ports = {tls: bench.bare_http(tls) for tls in (False, True)}
    daemons = {False: Daemon(bench, "plain", sink, False)}
    time.sleep(IDLE_SECONDS)
    idle_mb = daemons[False].memory_mb()
    daemons[True] = Daemon(bench, "tls", sink, True)
    for daemon in daemons.values():
        daemon.fill()
    measure_all(bench, daemons, ports)
    report(bench)
    time.sleep(IDLE_SECONDS)
    conclude(bench, idle_mb, daemons[False].memory_mb(), sum(d.queued() for d in daemons.values()))
    for daemon in daemons.values():
        daemon.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--build", default="build/plain")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=40_000)
    options = parser.parse_args()
    # Beside the build and not in /tmp, which may be memory: commits shall meet a disk.
    folder = tempfile.mkdtemp(prefix="bench-", dir=options.build)
    try:
        with contextlib.ExitStack() as stack:
            run(options, os.path.abspath(folder), stack)
    except Failure as failure:
        sys.exit(f"bench: {failure}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
