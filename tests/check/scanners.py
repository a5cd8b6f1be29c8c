"""tests/check/scanners.py - what the well-known scanners say of the running daemon, on 127.0.0.1.

    python3 tests/check/scanners.py [--quick] [--bin build/plain/funneld]

slowhttptest (slow heads, slow bodies, ranges, slow reading) must never report the service as
unavailable, and an honest sender beside it is answered 200 within a second; sslscan and testssl.sh
must find no old protocol, no weak cipher and no known vulnerability. --quick: sslscan and one short
slow mode.
"""
import argparse
import csv
import json
import os
import subprocess
import sys
import traceback
import xml.etree.ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from attacks import Footprint, Honest  # noqa: E402
from harness import World, check, equal  # noqa: E402

# Mode, path, connections, seconds, and what else it needs.
SLOW = {
    "slow heads": ("-H", "/healthz", 2000, 40, ["-i", "5"]),
    "slow bodies": ("-B", "/healthz", 2000, 40, ["-i", "5", "-s", "8192", "-t", "POST"]),
    "slow bodies that nobody signed": ("-B", "/webhooks/hubspot", 2000, 40,
                                       ["-i", "5", "-t", "POST", "-f", "application/json"]),
    "ranges": ("-R", "/healthz", 2000, 40, ["-a", "5", "-b", "3000"]),
    "slow reading": ("-X", "/healthz", 2000, 40, ["-k", "10", "-n", "5", "-w", "10", "-y", "20"]),
}
QUICK = {"slow heads": ("-H", "/healthz", 600, 20, ["-i", "5"])}

# testssl.sh's severities, from the worst; LOW and below are remarks.
SEVERE = ("FATAL", "CRITICAL", "HIGH", "MEDIUM")
# What it thinks of our certificate, which is one for this test, and of what needs other hosts.
NOT_OURS = ("cert_", "DNS_CAArecord", "OCSP", "scanProblem", "engine_problem", "optimal_proto")


def run(*argv, timeout=900):
    """Its output; it must say so when it could not do its work."""
    done = subprocess.run(argv, capture_output=True, timeout=timeout, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout.decode("utf-8", "replace") + done.stderr.decode()


def slow(world, name, mode, path, connections, seconds, options):
    prefix = os.path.join(world.folder, name.replace(" ", "-"))
    before = Footprint(world)
    with Honest(world) as honest:
        _, said = run("slowhttptest", mode, "-c", str(connections), "-r", str(connections // 5),
                      "-l", str(seconds), "-p", "1", "-g", "-o", prefix, *options,
                      "-u", f"https://127.0.0.1:{world.port}{path}", timeout=seconds + 60)
    with open(prefix + ".csv") as f:
        rows = list(csv.DictReader(f))
    check(len(rows) > 1, f"{name}: it did nothing: {said}")
    # The column counts the connections: none of them where the probe got no answer.
    column = [c for c in rows[0] if "vailable" in c][0]
    down = [row for row in rows if float(row[column]) == 0]
    check(not down, f"{name}: reported unavailable {len(down)} of {len(rows)} times: {down[:3]}")
    before.check_same(40)
    print(f"ok   slowhttptest: {name}, {connections} connections for {rows[-1]['Seconds']} s; the"
          f" honest sender waited {1000 * honest.slowest:.0f} ms at most", flush=True)


def sslscan(world):
    _, said = run("sslscan", "--xml=-", "--no-colour", f"127.0.0.1:{world.port}")
    test = xml.etree.ElementTree.fromstring(said[said.index("<?xml"):]).find("ssltest")
    on = {(p.get("type"), p.get("version")) for p in test.iter("protocol") if p.get("enabled") == "1"}
    equal(on, {("tls", "1.2"), ("tls", "1.3")}, "protocols")
    ciphers = list(test.iter("cipher"))
    check(len(ciphers) > 3, f"it saw ciphers: {said}")
    weak = [c.get("cipher") for c in ciphers if int(c.get("bits")) < 128 or
            c.get("strength") in ("weak", "medium", "null", "anonymous")]
    equal(weak, [], "weak ciphers")
    equal([c for c in test.iter("compression") if c.get("supported") == "1"], [], "compression")
    equal([h.get("sslversion") for h in test.iter("heartbleed") if h.get("vulnerable") != "0"], [],
          "heartbleed")
    insecure = [r for r in test.iter("renegotiation")
                if r.get("supported") == "1" and r.get("secure") != "1"]
    equal(insecure, [], "insecure renegotiation")
    print(f"ok   sslscan: TLS 1.2 and 1.3, {len(ciphers)} ciphers, none weak", flush=True)


def testssl(world):
    path = os.path.join(world.folder, "testssl.json")
    _, said = run("testssl", "--quiet", "--color", "0", "--warnings", "batch", "--nodns", "none",
                  "--ip", "127.0.0.1", "--jsonfile", path, "-p", "-s", "-f", "-P", "-U", "-g",
                  f"localhost:{world.port}")
    with open(path) as f:
        found = json.load(f)
    check(len(found) > 40, f"it did its work: {said}")
    bad = [f"{x['id']}: {x['severity']}: {x['finding']}" for x in found
           if x["severity"] in SEVERE and not x["id"].startswith(NOT_OURS)]
    equal(bad, [], "findings of testssl.sh")
    print(f"ok   testssl.sh: {len(found)} findings, none of them {' or '.join(SEVERE)}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", default="build/plain/funneld")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    options.wrapper = []
    tests = {"sslscan": sslscan}
    if not options.quick:
        tests["testssl"] = testssl
    for name, what in (QUICK if options.quick else SLOW).items():
        tests[name] = lambda world, name=name, what=what: slow(world, name, *what)
    passed = failed = 0
    world = World(options)
    try:
        world.configure(world.base(tls=True).replace("level = debug", "level = error"))
        world.start()
        for name, test in tests.items():
            if options.words and name not in options.words:
                continue
            try:
                test(world)
                passed += 1
            except Exception:  # it fails in any way it likes
                print(f"FAIL {name}\n{traceback.format_exc(limit=-3)}", flush=True)
                failed += 1
        world.stop()
    finally:
        world.close()
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
