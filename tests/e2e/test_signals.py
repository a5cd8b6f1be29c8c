"""Signals, reloads, certificates, systemd, addresses, and configurations that are wrong."""
import contextlib
import fcntl
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time

from harness import (HOT_TO_SLACK, Process, Sink, change, check, demo, equal, eventually, free_port,
                     in_time, log_lines, make_certificate, raw_connection, slack_lines, stored)

NOTE_RULE = """[rule note]
when = event.property == "note"
points = 7
"""


def with_sink(world, sink, **how):
    world.configure(world.base(**how) + slack_lines(sink) + HOT_TO_SLACK)


def reload(world, text=None):
    """SIGHUP, and waits until it is done."""
    def outcomes():
        return len(log_lines(world, "config.reloaded")) + len(log_lines(world, "config.rejected"))
    before = outcomes()
    if text is not None:
        world.configure(text)
    world.daemon.signal(signal.SIGHUP)
    eventually(lambda: outcomes() > before, what="the reload")
    return world.metric("funneld_config_reload_success")


def ends(world, status, within, number=signal.SIGTERM):
    """Sends the signal and says how long it took to end."""
    began = time.monotonic()
    if number:
        world.daemon.signal(number)
    equal(world.daemon.wait(within + 10), status,
          f"exit status; log: {world.daemon.logged()[-2000:]}")
    took = time.monotonic() - began
    in_time(took <= within, f"it ended after {took:.1f} s, at most {within} s were allowed")


# Stopping

def test_sigterm_and_sigint_end_it_with_status_0(world):
    world.configure(world.base())
    for number in (signal.SIGTERM, signal.SIGINT):
        world.start()
        equal(world.post([demo(number)]).json()["accepted"], 1, "post")
        ends(world, 0, 2, number)
        equal(os.path.exists(world.database + ".sock"), False, "the control socket is gone")
        equal(os.path.exists(world.database + "-wal"), False, "the log is folded in")
    equal(len(stored(world)), 2, "events")


def test_sigterm_ends_it_in_time_though_a_service_never_answers(world):
    with Sink() as sink:
        sink.start().hang()
        world.configure(world.base(server="shutdown_timeout = 2s") +
                        slack_lines(sink).replace("timeout = 2s", "timeout = 600s") + HOT_TO_SLACK)
        world.start()
        equal(world.post([demo(1)]).status, 200, "post")
        eventually(lambda: sink.asked == 1, what="the attempt")
        ends(world, 0, 2.5)
        check(log_lines(world, "stop.attempts_open"), "it says what is left open")
        sink.recover()
        world.start()
        world.all_done()
        equal(len(sink.messages), 1, "messages: it looked, found none and posted")
        world.stop()


def test_sigterm_is_not_held_up_by_idle_connections(world):
    world.configure(world.base())
    world.start()
    clients = [world.client() for _ in range(20)]
    for i, client in enumerate(clients):
        equal(world.post([demo(i + 1)], client=client).status, 200, "post")
    silent = [socket.create_connection(("127.0.0.1", world.port)) for _ in range(20)]
    ends(world, 0, 2)
    for s in silent:
        s.close()


def test_a_slow_sender_does_not_hold_up_the_end(world):
    world.configure(world.base(server="shutdown_timeout = 2s"))
    world.start()
    with raw_connection(world) as s:
        s.sendall(b"POST /webhooks/hubspot HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n"
                  b"Content-Type: application/json\r\n\r\n[")
        time.sleep(0.2)
        ends(world, 0, 2)


def test_a_second_sigterm_ends_it_at_once(world):
    with Sink() as sink:
        sink.start().hang()
        world.configure(world.base(server="shutdown_timeout = 60s") +
                        slack_lines(sink).replace("timeout = 2s", "timeout = 600s") + HOT_TO_SLACK)
        world.start()
        equal(world.post([demo(1)]).status, 200, "post")
        eventually(lambda: sink.asked == 1, what="the attempt")
        world.daemon.signal(signal.SIGTERM)
        eventually(lambda: log_lines(world, "stop"), what="it stops")
        time.sleep(0.3)
        equal(world.daemon.child.poll(), None, "still there")
        ends(world, 1, 1)
        check(log_lines(world, "stop.forced"), "the log says so")
        sink.recover()
        world.start()
        world.all_done()
        equal(len(sink.messages), 1, "messages")
        world.stop()


# Reloading

def test_sighup_puts_a_new_file_in_force(world):
    with Sink() as sink:
        sink.start()
        world.configure(world.base())
        world.start()
        equal(world.post([change(1, "note", "a")]).status, 200, "post")
        equal(world.run_json("leads", "show", "242711451:1")[0]["score"], 0, "no rule yet")
        text = world.base().replace("path = /webhooks/hubspot", "path = /hubspot") + NOTE_RULE + \
            slack_lines(sink) + '[route note]\nwhen = event.property == "note"\nto = slack\n'
        equal(reload(world, text), 1, "metric")
        equal(world.post([change(1, "note", "b")]).status, 404, "old path")
        equal(world.post([change(1, "note", "b")], path="/hubspot").status, 200, "new path")
        world.all_done()
        equal(world.run_json("leads", "show", "242711451:1")[0]["score"], 7, "new rule")
        equal(len(sink.messages), 1, "new route, new connector")
        equal(world.metric("funneld_deliveries_total", connector="slack", outcome="delivered"), 1,
              "metric of a connector that came with the reload")
        world.stop()


def test_a_broken_file_leaves_the_old_one_in_force(world):
    world.configure(world.base() + NOTE_RULE)
    world.start()
    broken = {
        "a typo": world.base() + NOTE_RULE.replace("points", "pionts"),
        "an expression": world.base() + NOTE_RULE.replace("==", "=~"),
        "a section": world.base() + "[ruel x]\npoints = 1\n",
        "a variable": world.base() + "[connector s]\ntype = slack\nwebhook = ${NOT_SET_ANYWHERE}\n",
        "half a line": world.base() + "[rule x",
    }
    for what, text in broken.items():
        equal(reload(world, text), 0, f"metric after {what}")
        rejected = log_lines(world, "config.rejected")[-1]
        equal(rejected["level"], "error", "level")
        check(log_lines(world, "config.problem"), "what is wrong stands in the log")
        equal(world.post([change(1, "note", what)]).status, 200, "still there")
        equal(world.admin("/readyz").status, 200, "still ready")
    os.unlink(world.config_path)
    equal(reload(world), 0, "metric after the file is gone")
    details = world.admin("/healthz").json()["checks"]["config:reload"][0]
    equal(details["status"], "fail", "detailed health")
    equal(reload(world, world.base() + NOTE_RULE), 1, "metric after a good one")
    equal(world.admin("/healthz").json()["checks"]["config:reload"][0]["status"], "pass", "health")
    equal(world.run_json("leads", "show", "242711451:1")[0]["score"], 7 * len(broken), "old rule")
    world.stop()


def certificate_served(world):
    with raw_connection_unchecked(world) as s:
        return ssl.DER_cert_to_PEM_cert(s.getpeercert(binary_form=True))


def raw_connection_unchecked(world):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    s = socket.create_connection(("127.0.0.1", world.port), 10)
    return context.wrap_socket(s, server_hostname="localhost")


def pem(path):
    with open(path) as f:
        return f.read()


def not_after(cert):
    text = subprocess.run(["openssl", "x509", "-in", cert, "-noout", "-enddate"], check=True,
                          capture_output=True).stdout.decode().strip().partition("=")[2]
    return ssl.cert_time_to_seconds(text)


def test_sighup_takes_a_renewed_certificate_and_refuses_a_pair_that_does_not_match(world):
    expiry = "funneld_tls_certificate_expiry_timestamp_seconds"
    world.configure(world.base())
    world.start()
    first = pem(world.cert)
    equal(certificate_served(world), first, "served")
    equal(world.metric(expiry), not_after(world.cert), "metric")
    kept = world.client()
    equal(world.post([demo(1)], client=kept).status, 200, "on a kept connection")

    time.sleep(1.1)  # its expiry must differ
    cert, key = make_certificate(world.folder, "renewed")
    os.replace(cert, world.cert)  # the certificate alone: the key does not match
    equal(reload(world), 0, "metric for a mismatched pair")
    equal(certificate_served(world), first, "the old one is still served")
    check("certificates" in log_lines(world, "config.rejected")[-1]["reason"], "and it says why")

    os.replace(key, world.key)
    equal(reload(world), 1, "metric for the renewed pair")
    second = pem(world.cert)
    check(first != second, "another certificate")
    equal(certificate_served(world), second, "the renewed one is served")
    equal(world.metric(expiry), not_after(world.cert), "metric")
    equal(world.post([demo(2)], client=kept).status, 200, "the kept connection lives on")
    kept.close()

    with open(world.cert, "w") as f:
        f.write("no certificate\n")
    equal(reload(world), 0, "metric for nonsense")
    equal(certificate_served(world), second, "the renewed one is still served")
    world.stop()


def test_what_needs_a_restart_is_said_and_keeps_its_old_value(world):
    world.configure(world.base())
    world.start()
    other = free_port()
    base = world.base()
    changes = {
        "listen": base.replace(f"listen = 127.0.0.1:{world.port}", f"listen = 127.0.0.1:{other}"),
        "threads": base.replace("[admin]", "threads = 3\n[admin]"),
        "path": base.replace(f"path = {world.database}", f"path = {world.folder}/other.db"),
        "TLS": re.sub("tls_.*\n", "", base),
    }
    for what, text in changes.items():
        for turn in ("first", "second"):
            equal(reload(world, text + NOTE_RULE), 1, f"reload of {what}")
            equal(world.metric("funneld_config_restart_required"), 1, f"{what}, {turn} time")
        warning = log_lines(world, "config.restart_required")[-1]
        equal(warning["level"], "warn", "level")
        check(what in warning["key"], f"it says which: {warning}")
        equal(world.post([change(1, "note", what)]).status, 200, "served as before")
        equal(reload(world, base), 1, "back")
        equal(world.metric("funneld_config_restart_required"), 0, "nothing needs a restart now")
    equal(os.path.exists(f"{world.folder}/other.db"), False, "no other database")
    score = world.run_json("leads", "show", "242711451:1")[0]["score"]
    equal(score, 7 * len(changes), "the rest of each file was in force")
    world.stop()


def test_deliveries_of_a_removed_connector_are_held_until_it_is_back(world):
    with Sink() as sink:  # down
        with_sink(world, sink)
        world.start()
        equal(world.post([demo(1), demo(2)]).status, 200, "post")
        equal(len(world.run_json("deliveries", "--state", "pending")), 2, "pending")
        equal(reload(world, world.base()), 1, "removed")
        eventually(lambda: len(world.run_json("deliveries", "--state", "held")) == 2, 5, "held")
        sink.start()
        world.stop()
        world.start()  # a restart changes nothing about it
        equal(len(world.run_json("deliveries", "--state", "held")), 2, "held after a restart")
        equal(sink.asked, 0, "nothing was sent")
        equal(reload(world, world.base() + slack_lines(sink) + HOT_TO_SLACK), 1, "back")
        eventually(lambda: len(world.run_json("deliveries", "--state", "delivered")) == 2, 10,
                   "delivered")
        equal(len(sink.messages), 2, "messages")
        world.stop()


def test_a_paused_connector_waits_through_a_restart_and_loses_nothing(world):
    with Sink() as sink:
        sink.start()
        with_sink(world, sink)
        world.start()
        world.run("pause", "slack")
        equal(world.post([demo(1), demo(2)]).status, 200, "post")
        equal(len(world.run_json("deliveries", "--state", "held")), 2, "held")
        slack = world.run_json("status")[0]["connectors"][0]
        equal((slack["paused"], slack["depth"]), (True, 2), "the status says so")
        world.stop()
        world.run("resume", "slack")  # without a daemon
        equal(len(world.run_json("deliveries", "--state", "pending")), 2, "pending")
        world.run("pause", "slack")
        world.start()
        equal(len(world.run_json("deliveries", "--state", "held")), 2, "held after a restart")
        equal(sink.asked, 0, "nothing was sent")
        world.run("resume", "slak", status=2)
        equal(world.run_json("resume", "slack"),
              [{"connector": "slack", "paused": False}], "resume")
        eventually(lambda: len(world.run_json("deliveries", "--state", "delivered")) == 2, 10,
                   "delivered")
        world.stop()


def test_reloads_under_load_lose_nothing(world):
    with Sink() as sink:
        sink.start()
        with_sink(world, sink)
        world.start()
        text = open(world.config_path).read()
        client = world.client()
        for i in range(30):
            equal(world.post([demo(i + 1)], client=client).status, 200, "post")
            if i % 3 == 0:
                world.configure(text + (NOTE_RULE if i % 2 else ""))
                world.daemon.signal(signal.SIGHUP)
        world.all_done()
        equal(len(sink.messages), 30, "messages")
        equal(len(set(sink.deliveries())), 30, "different ones")
        world.stop()


# Telling

def test_sigusr1_logs_a_summary(world):
    with Sink() as sink:  # down
        with_sink(world, sink)
        world.start()
        world.post([demo(1)])
        world.daemon.signal(signal.SIGUSR1)
        line = eventually(lambda: log_lines(world, "status"), what="the summary")[0]
        equal(line["status"], "pass", "status")
        check(int(line["uptime_seconds"]) >= 0, "uptime")
        line = eventually(lambda: log_lines(world, "status.connector"), what="the queue")[0]
        equal((line["connector"], line["depth"]), ("slack", "1"), "queue")
        world.stop()


class Notified:
    """The socket of systemd's notify protocol."""

    def __init__(self, world, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.messages = []
        self.socket.settimeout(0.05)
        world.env["NOTIFY_SOCKET"] = address.replace("\0", "@")

    def heard(self):
        try:
            while True:
                self.messages.append(self.socket.recv(4096).decode())
        except socket.timeout:
            return self.messages

    def wait_for(self, text, after=0):
        """The index behind the first message from `after` on that has this line."""
        def found():
            for i, m in enumerate(self.heard()[after:]):
                if text in m.split("\n"):
                    return after + i + 1
        return eventually(found, 5, f"{text} in {self.messages}")


def test_systemd_is_told_what_happens(world):
    for address in (world.folder + "/notify", f"\0funneld-e2e-{world.port}"):
        systemd = Notified(world, address)
        world.env["WATCHDOG_USEC"] = "600000"
        world.configure(world.base())
        world.start()
        at = systemd.wait_for("READY=1")
        equal([m for m in systemd.messages[:at - 1] if "WATCHDOG=1" not in m], [], "nothing before")
        at = systemd.wait_for("WATCHDOG=1", at)
        at = systemd.wait_for("WATCHDOG=1", at)
        began = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        reload(world)
        at = systemd.wait_for("RELOADING=1", at)
        stamp = re.search(r"MONOTONIC_USEC=(\d+)", systemd.messages[at - 1])
        check(began <= int(stamp.group(1)) <= began + 5_000_000, "the time of the reload")
        at = systemd.wait_for("READY=1", at)
        reload(world, "[nonsense")
        at = systemd.wait_for("RELOADING=1", at)
        at = systemd.wait_for("READY=1", at)
        world.stop()
        systemd.wait_for("STOPPING=1", at)
        systemd.socket.close()


def test_without_a_watchdog_there_is_no_watchdog_message(world):
    systemd = Notified(world, world.folder + "/notify")
    world.configure(world.base())
    world.start()
    systemd.wait_for("READY=1")
    time.sleep(0.6)
    equal([m for m in systemd.heard() if "WATCHDOG" in m], [], "messages")
    world.stop()
    systemd.socket.close()


# Starting

def test_every_mistake_of_a_configuration_is_told_at_once(world):
    text = f"""[server]
listen = 127.0.0.1:{world.port}
public_ulr = https://hooks.example.com
idle_timeout = 75
[store]
path = {world.database}
[sorce hubspot]
type = hubspot
[source zapier]
type = zapeir
secret = ${{SURELY_NOT_SET}}
[connector sales]
type = slack
token = xoxb-1
channel = C0123456789
[rule demo]
when = event.property = "demo"
points = many
[rule demo]
when = score > 3
points = 1
[route hot]
when = score >= 50
to = sale
"""
    world.configure(text)
    wanted = {  # line: what the message or the hint must hold
        3: "public_url", 4: "idle_timeout", 7: "source", 10: "zapier", 11: "SURELY_NOT_SET",
        17: "use ==", 18: "points",
        19: "rule demo", 24: "sales",
    }
    for command in (["serve"], ["check"], []):
        done = subprocess.run([world.options.bin, "-c", world.config_path, *command],
                              capture_output=True, env=world.env, timeout=20)
        equal(done.returncode, 2, f"exit status of {command}")
        errors = done.stderr.decode()
        for line, word in wanted.items():
            here = re.search(rf"{re.escape(world.config_path)}:{line}: .*(\n    .*)*", errors)
            check(here and word in here.group(0), f"line {line} with {word} in:\n{errors}")
    equal(os.path.exists(world.database), False, "no database was made")
    value = world_json(world, "check", "--json")
    equal(value["ok"], False, "ok")
    lines = {p["line"] for p in value["problems"]}
    check(set(wanted) <= lines, f"lines {lines}")
    for p in value["problems"]:
        equal(sorted(p), ["file", "hint", "key", "line", "message", "section"], "fields")


def world_json(world, *arguments):
    done = subprocess.run([world.options.bin, "-c", world.config_path, *arguments],
                          capture_output=True, env=world.env, timeout=20)
    return json.loads(done.stdout)


def test_a_missing_configuration_file_is_wrong_usage(world):
    errors = subprocess.run([world.options.bin, "-c", world.folder + "/nowhere.conf"],
                            capture_output=True, env=world.env, timeout=20)
    equal(errors.returncode, 2, "exit status")
    check(b"nowhere.conf" in errors.stderr, "it names the file")


def test_the_configuration_may_be_named_in_the_environment(world):
    world.configure(world.base())
    done = subprocess.run([world.options.bin, "check"], capture_output=True, timeout=20,
                          env=dict(world.env, FUNNELD_CONFIG=world.config_path))
    equal(done.returncode, 0, done.stderr.decode())


def test_port_in_the_environment_overrides_the_port(world):
    world.configure(world.base())
    world.port = free_port()  # what the configuration does not say
    world.env["PORT"] = str(world.port)
    world.start()
    equal(world.post([demo(1)]).status, 200, "on PORT")
    world.stop()
    world.env["PORT"] = "http"
    world.start(ready=False)
    equal(world.daemon.wait(5), 1, "exit status for a PORT that is none")
    check("PORT" in world.daemon.logged(), "it says so")


def test_listening_on_all_of_ipv6_serves_ipv4_too(world):
    world.configure(world.base().replace(f"listen = 127.0.0.1:{world.port}",
                                         f"listen = [::]:{world.port}"))
    world.start()
    for host in ("127.0.0.1", "::1"):
        context = ssl.create_default_context(cafile=world.cert)
        with socket.create_connection((host, world.port), 5) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as s:
                s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                answer = b""
                while piece := s.recv(4096):
                    answer += piece
        check(answer.startswith(b"HTTP/1.1 200"), f"{host}: {answer!r}")
    equal(world.post([demo(1)]).status, 200, "post")
    client = re.search(r"request.accepted.* client=(\S+)", world.daemon.logged()).group(1)
    equal(client, "127.0.0.1", "an IPv4 client is shown as such")
    world.stop()


@contextlib.contextmanager
def waiting_for_its_database(world):
    """Starts the daemon while another holds the lock, for as long as the context lasts."""
    world.configure(world.base())
    with open(world.database + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        world.start(ready=False)
        eventually(lambda: "start.waits" in world.daemon.logged(), 10, "it says that it waits")
        yield


def test_a_daemon_waits_for_a_database_that_is_in_use_for_a_while(world):
    with waiting_for_its_database(world):
        pass
    world.wait_ready()
    equal(world.post([demo(1)]).status, 200, "it goes on")
    world.stop()


def test_a_daemon_that_waits_for_its_database_ends_when_it_is_told_to(world):
    with waiting_for_its_database(world):
        ends(world, 0, 5)


def test_a_second_daemon_on_the_same_database_is_refused(world):
    world.configure(world.base())
    world.start()
    port, admin_port = free_port(), free_port()
    path = world.folder + "/second.conf"
    with open(path, "w") as f:
        f.write(world.base().replace(f":{world.port}\n", f":{port}\n")
                .replace(f":{world.admin_port}\n", f":{admin_port}\n"))
    second = Process([world.options.bin, "-c", path, "serve"], world.folder + "/second.log",
                     world.env)
    try:
        equal(second.wait(30), 1, "exit status, after some patience")
        check("in use by another funneld" in second.logged(), f"it says why: {second.logged()}")
    finally:
        second.kill()
    equal(world.post([demo(1)]).status, 200, "the first is not disturbed")
    equal(world.run_json("status")[0]["status"], "pass", "nor its control socket")
    world.stop()


def test_an_address_in_use_is_told_and_leaves_nothing_behind(world):
    world.configure(world.base())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", world.port))
        taken.listen()
        world.start(ready=False)
        equal(world.daemon.wait(5), 1, "exit status")
    check(str(world.port) in world.daemon.logged(), f"it names it: {world.daemon.logged()}")
    world.start()
    world.stop()
