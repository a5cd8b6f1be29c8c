"""tests/bench/bench.py - how fast funneld is, next to what its parts give at best.

    python3 tests/bench/bench.py --build build/plain [--rounds 5] [--parts intake,latency,...]

Everything that is compared is measured side by side in one run: every round does everything once,
printed are medians of the rounds, ratios are taken within a round. Load generator, services and
daemon share the machine: take the ratios, not the figures. Parts:

    intake       durable single events and batches against the bare limits
    latency      at 5,000 requests/s in an open loop, quiet and while chores run
    deliveries   a queue to a fast sink against a bare curl_multi loop; one event's way through
    waiting      a million messages that wait: intake, memory, start
    stored       a million events stored: batches, look-ups, pages
    rest         memory and wake-ups when nothing happens
    model        what a model in use adds to an event, an explanation, all leads looked at again
    growth       bytes in the database for a byte posted, by table; after a purge
    large        as stored, with --large events (10 million); only when asked for
    peers        Node-RED, n8n and webhook under the same load; only when asked for
"""
import argparse
import contextlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time

import deliveries
import intake
import latency
import models
import peers
import rest
import size
from bed import LEADS, Bench, Failure

PARTS = {"intake": intake.run, "latency": latency.run, "deliveries": deliveries.run,
         "waiting": size.run_waiting, "stored": size.run_stored, "rest": rest.run_rest,
         "growth": rest.run_growth, "model": models.run, "large": size.run_large, "peers": peers.run}
ONLY_WHEN_ASKED = ("large", "peers")


def machine(bench):
    with open("/proc/cpuinfo") as f:
        model = re.search(r"model name\s*: (.+)", f.read())
    binary = os.path.join(bench.options.build, "funneld")
    version = subprocess.run([binary, "version"], capture_output=True, check=True).stdout.decode()
    disk = subprocess.run(["stat", "-f", "-c", "%T", bench.folder], capture_output=True,
                          check=True).stdout.decode().strip()
    print(f"{os.cpu_count()} cores, {model.group(1) if model else platform.machine()}, Linux "
          f"{platform.release()}, database on {disk}")
    print(", ".join(" ".join(line.split()) for line in version.splitlines() if line.strip()))


def conclude(bench):
    if not bench.aims:
        return
    width = max(len(aim[0]) for aim in bench.aims)
    print(f"\nAims{'':<{width}}measured")
    for text, value, bound, met in bench.aims:
        print(f"  {text:<{width}}  {value:<18} {bound:<24} {'met' if met else 'MISSED'}")


def run(options, folder, stack):
    bench = Bench(options, folder, stack)
    print(f"funneld bench: medians of {options.rounds} rounds; load and server share the machine: "
          "take the ratios.\nRules and a route are on and 100,000 leads known; one HTTP thread, "
          "because of two cores the\nwriter and the load generator want one.\n")
    machine(bench)
    for name in options.parts:
        began = time.monotonic()
        before = os.getloadavg()[0]
        PARTS[name](bench)
        print(f"  ({name}: {time.monotonic() - began:.0f} s; load average {before:.1f} before, "
              f"{os.getloadavg()[0]:.1f} after)", flush=True)
    conclude(bench)


def parts_of(text):
    names = re.split(r"[ ,]+", text.strip())
    for name in names:
        if name not in PARTS:
            raise argparse.ArgumentTypeError(f"{name} is none of {' '.join(PARTS)}")
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--build", default="build/plain")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--parts", type=parts_of,
                        default=[name for name in PARTS if name not in ONLY_WHEN_ASKED])
    parser.add_argument("--requests", type=int, default=40_000, help="of a round of intake")
    parser.add_argument("--deliveries", type=int, default=100_000, help="in a queue to be drained")
    parser.add_argument("--leads", type=int, default=LEADS, help="of the part model")
    parser.add_argument("--large", type=int, default=10_000_000, help="events of the part large")
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
