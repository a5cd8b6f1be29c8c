"""tests/bench/peers.py - what people would use instead, under the same load on the same machine.

Each gets a flow that does the nearest to our work that it can: take a JSON POST, check its HMAC,
write it down, answer. None of them deduplicates, keeps a lead, scores, or waits for the disk. All
stay on 127.0.0.1 and are ended with the bench. npm packages are installed as locked into
build/peers.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from bed import SECRET, Client, Failure, eventually, free_port, row, title

HERE = os.path.dirname(os.path.abspath(__file__))
CLIENTS, SECONDS = 64, 8
N8N_NODE = (20, 19)


def install(bench, name):
    """npm ci into build/peers/NAME unless it is there as locked; returns that folder."""
    source = os.path.join(HERE, "peers", name)
    folder = os.path.join(os.path.dirname(bench.options.build), "peers", name)
    done = os.path.join(folder, "node_modules", ".package-lock.json")
    lock = os.path.join(source, "package-lock.json")
    if not os.path.exists(done) or os.path.getmtime(done) < os.path.getmtime(lock):
        print(f"  installing {name} ...", file=sys.stderr, flush=True)
        os.makedirs(folder, exist_ok=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(os.path.join(source, file), folder)
        env = dict(os.environ)
        if os.path.exists("/usr/include/node/node.h"):  # to build what it has no binary of
            env["npm_config_nodedir"] = "/usr"
        if subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder,
                          env=env).returncode:
            raise Failure(f"npm ci of {name} failed")
        os.utime(done)
    return os.path.abspath(folder)


class Peer:
    """One of them, running; `path` is what it is posted to."""

    def __init__(self, bench, name, argv, path, env=None, ready="/", wait=60):
        self.bench, self.name, self.path = bench, name, path
        self.port = int(env["BENCH_PORT"])
        began = time.monotonic()
        self.process = bench.spawn(argv, f"{name}.log", env)
        eventually(lambda: self.listens(ready), wait, f"{name} answers")
        self.started = time.monotonic() - began

    def listens(self, path):
        if self.process.child.poll() is not None:
            raise Failure(f"{self.name} ended: {self.process.logged()[-2000:]}")
        client = Client(self.port, tls=False, timeout=5)
        try:
            return client.request("GET", path).status < 500
        except OSError:
            return False
        finally:
            client.close()

    def memory_mb(self):
        with open(f"/proc/{self.process.child.pid}/status") as f:
            return int(re.search(r"VmRSS:\s+(\d+) kB", f.read()).group(1)) / 1024

    def measure(self, requests):
        result = self.bench.load(self.port, CLIENTS, requests, seconds=SECONDS, path=self.path)
        if result["refused"]:
            raise Failure(f"{self.name} refused {result['refused']} of {result['requests']}: "
                          f"{self.process.logged()[-2000:]}")
        result["memory"] = self.memory_mb()
        return result

    def stop(self):
        self.process.signal(signal.SIGTERM)
        self.process.wait(60)
        self.process.kill()


def environment(bench, name, **more):
    folder = os.path.join(bench.folder, name)
    os.makedirs(folder, exist_ok=True)
    return folder, dict(os.environ, BENCH_PORT=str(free_port()), HOME=folder,
                        BENCH_FILE=os.path.join(folder, "events.jsonl"), NO_COLOR="1", **more)


def node_red(bench):
    installed = install(bench, "node-red")
    folder, env = environment(bench, "node-red", NODE_ENV="production")
    for file in ("settings.js", "flows.json"):
        shutil.copy(os.path.join(HERE, "peers", "node-red", file), folder)
    binaries = os.path.join(installed, "node_modules", ".bin")
    return Peer(bench, "node-red", [os.path.join(binaries, "node"),
                                    os.path.join(installed, "node_modules", "node-red", "red.js"),
                                    "--userDir", folder, "--settings",
                                    os.path.join(folder, "settings.js"),
                                    os.path.join(folder, "flows.json")], "/bench", env)


def n8n(bench):
    text = subprocess.run(["node", "--version"], capture_output=True).stdout.decode()
    if tuple(int(n) for n in re.findall(r"\d+", text)[:2]) < N8N_NODE:
        raise Failure(f"n8n needs Node 20.19 or newer, this one is {text.strip()}")
    program = os.path.join(install(bench, "n8n"), "node_modules", "n8n", "bin", "n8n")
    folder, env = environment(bench, "n8n", N8N_LISTEN_ADDRESS="127.0.0.1",
                              N8N_DIAGNOSTICS_ENABLED="false", N8N_TEMPLATES_ENABLED="false",
                              N8N_VERSION_NOTIFICATIONS_ENABLED="false",
                              N8N_RUNNERS_ENABLED="false", N8N_HIRING_BANNER_ENABLED="false",
                              NODE_FUNCTION_ALLOW_BUILTIN="crypto", DB_SQLITE_POOL_SIZE="2")
    env.update(N8N_USER_FOLDER=folder, N8N_PORT=env["BENCH_PORT"])
    workflow = os.path.join(HERE, "peers", "n8n", "workflow.json")
    with open(workflow) as f:
        identity = json.load(f)["id"]
    for arguments in (["import:workflow", f"--input={workflow}"],
                      ["update:workflow", f"--id={identity}", "--active=true"]):
        done = subprocess.run(["node", program, *arguments], env=env, capture_output=True,
                              timeout=300)
        if done.returncode:
            raise Failure(f"n8n {arguments[0]}: {(done.stdout + done.stderr).decode()[-2000:]}")
    peer = Peer(bench, "n8n", ["node", program, "start"], "/webhook/bench", env, ready="/healthz",
                wait=180)
    eventually(lambda: peer.listens("/webhook/bench") and "Activated" in printed(peer), 120,
               "n8n's workflow is active")
    return peer


def printed(peer):
    """What it has said on its standard output so far."""
    os.set_blocking(peer.process.child.stdout.fileno(), False)
    peer.said = getattr(peer, "said", b"") + (peer.process.child.stdout.read() or b"")
    return (peer.said + peer.process.logged().encode()).decode("utf-8", "replace")


def webhook(bench):
    folder, env = environment(bench, "webhook")
    hooks = os.path.join(folder, "hooks.json")
    signed = {"match": {"type": "payload-hmac-sha256", "secret": SECRET,
                        "parameter": {"source": "header", "name": "X-Hub-Signature-256"}}}
    with open(hooks, "w") as f:
        json.dump([{"id": "bench", "trigger-rule": signed, "command-working-directory": folder,
                    "execute-command": os.path.join(HERE, "peers", "webhook", "append.sh"),
                    "pass-arguments-to-command": [{"source": "entire-payload"}],
                    "include-command-output-in-response": True}], f)
    return Peer(bench, "webhook", ["webhook", "-hooks", hooks, "-ip", "127.0.0.1", "-port",
                                   env["BENCH_PORT"]], "/hooks/bench", env)


# What each does, and (apart from dedupe, leads and scores, which none has) what it leaves out.
PEERS = (
    ("Node-RED 5.0.7", node_red, 60_000,
     "HMAC, JSON, a line appended to a file without fsync, then answered"),
    ("webhook 2.8.0", webhook, 20_000,
     "HMAC of the body, a shell appends a line without fsync, then answered"),
    ("n8n 1.110.1", n8n, 2_000,
     "HMAC, JSON in a code node; the execution kept in SQLite after the answer"),
)


def run(bench):
    title(f"Peers: single events, {CLIENTS} clients, {SECONDS} s a round at most"
          f"\n{'':<44}{'rate':>11}  (least - most){'':>11}p50     p99")
    for name, start, requests, what in PEERS:
        peer = start(bench)
        peer.measure(max(CLIENTS, requests // 10))  # warms its compiler up
        for _ in bench.rounds(name):
            bench.note(name, peer.measure(requests))
        row(name, bench, name, f"{bench.median(name, 'memory'):.0f} MB, started in "
            f"{peer.started:.1f} s; {what}")
        peer.stop()
