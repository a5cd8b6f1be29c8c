"""Every command, with the daemon running and without it."""
import json
import os
import re
import signal
import stat
import subprocess
import time

from harness import (HOT_TO_SLACK, PORTAL, PUBLIC_URL, ZAPIER_SECRET, Sink, change, check, demo,
                     equal, errors_of, event, eventually, in_time, sign_v1, sign_v2, sign_v3,
                     slack_lines, stored)

EVENT = ["id", "lead", "occurred_at", "reason", "received_at", "request_id", "source", "state",
         "type"]
LEAD = ["band", "churn", "crm_id", "email", "engagement", "fit", "id", "merged_into", "portal_id",
        "probability", "properties", "score", "state"]
DELIVERY = ["attempts", "connector", "done_at", "due_at", "event", "id", "lead", "reason",
            "remote_id", "route", "state"]
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def setup(world, sink, more=""):
    world.configure(world.base() + slack_lines(sink) + HOT_TO_SLACK + more)
    world.start()


def started_or_not(world, look):
    """Commands that only look say the same with the daemon and without it."""
    running = look()
    world.stop()
    equal(look(), running, "without the daemon")
    world.start()
    world.kill()
    equal(look(), running, "after kill -9")


def test_events_leads_and_deliveries_are_listed_and_shown(world):
    with Sink() as sink:
        sink.start()
        setup(world, sink)
        answer = world.post([change(1, "email", "ada@example.com"), demo(1), 5,
                             event("deal.creation", 9)])
        request = answer.json()["request_id"]
        world.all_done()

        def look():
            events = world.run_json("events")
            equal([sorted(e) for e in events], 4 * [EVENT], "fields of events")
            equal([e["state"] for e in events],
                  ["unlinked", "unprocessable", "processed", "processed"], "newest first")
            equal({e["request_id"] for e in events}, {request}, "request")
            for e in events:
                check(isinstance(e["id"], str), "ids are strings")
                check(re.fullmatch(TIME, e["received_at"]), f"a time: {e['received_at']}")
            [lead] = world.run_json("leads")
            equal(sorted(lead), LEAD, "fields of leads")
            equal((lead["email"], lead["portal_id"], lead["crm_id"], lead["score"], lead["band"],
                   lead["state"]),
                  ("ada@example.com", str(PORTAL), "1", 60, "hot", "active"), "lead")
            for name in ("ada@example.com", "ADA@example.com", f"{PORTAL}:1", lead["id"]):
                equal(world.run_json("leads", "show", name), [lead], f"leads show {name}")
            [delivery] = world.run_json("deliveries")
            equal(sorted(delivery), DELIVERY, "fields of deliveries")
            equal((delivery["state"], delivery["attempts"], delivery["route"],
                   delivery["connector"], delivery["lead"]),
                  ("delivered", 1, "hot-lead", "slack", lead["id"]), "delivery")
            [whole] = world.run_json("deliveries", "show", delivery["id"])
            equal(sorted(whole), sorted(DELIVERY + ["history"]), "fields of a delivery")
            equal([sorted(h) for h in whole["history"]], [["answer", "at", "detail", "ended_at", "status", "verdict"]],
                  "history")
            equal((whole["history"][0]["status"], whole["history"][0]["verdict"]),
                  (200, "delivered"), "attempt")
            [whole_event] = world.run_json("events", "show", delivery["event"])
            equal(sorted(whole_event), sorted(EVENT + ["body", "body_sha256", "deliveries", "signature", "committed_at",
                                                "replayed_at", "effects"]),
                  "fields of an event")
            equal(whole_event["body"]["propertyName"], "demo_requested", "its own JSON")
            check(re.fullmatch("[0-9a-f]{64}", whole_event["body_sha256"]), "hash")
            equal([{key: d[key] for key in DELIVERY} for d in whole_event["deliveries"]],
                  [delivery], "its deliveries")
            posted = sink.deliveries()[0]
            equal(posted.rpartition("-")[2], delivery["id"].rpartition("-")[2], "id in Slack")
            equal(world.run_json("deliveries", "show", posted), [whole], "shown by that id")
            for words in (["events"], ["events", "show", events[0]["id"]], ["leads"],
                          ["leads", "show", "ada@example.com"], ["deliveries"],
                          ["deliveries", "show", delivery["id"]]):
                text = world.run(*words)
                check(text and not text.startswith("{"), f"text for people: {text}")
            return events, lead, whole, whole_event
        started_or_not(world, look)


def test_lists_are_filtered_and_paged(world):
    with Sink() as sink:
        sink.start()
        setup(world, sink)
        for i in range(1, 8):
            equal(world.post([demo(i)]).status, 200, "post")
        world.post({"email": "zap@example.com"}, path="/webhooks/zapier",
                   headers={"X-Funneld-Secret": ZAPIER_SECRET})
        world.post([None])
        world.all_done()
        for what, total in (("events", 9), ("leads", 8), ("deliveries", 7)):
            everything = [row["id"] for row in world.run_json(what)]
            equal(len(everything), total, what)
            pages, after = [], []
            while page := world.run_json(what, "--limit", "3", *after):
                pages += [row["id"] for row in page]
                after = ["--after", page[-1]["id"]]
            equal(pages, everything, f"{what} in pages")
            equal(len(world.run_json(what, "--since", "1h")), total, f"{what} of an hour")
            time.sleep(0.01)
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
            equal(world.run_json(what, "--since", now), [], f"{what} of the future")
        equal(len(world.run_json("events", "--source", "zapier")), 1, "--source")
        equal(len(world.run_json("events", "--state", "unprocessable")), 1, "--state")
        equal(len(world.run_json("events", "--lead", f"{PORTAL}:3")), 1, "--lead")
        equal(len(world.run_json("deliveries", "--lead", f"{PORTAL}:3")), 1, "--lead")
        equal(len(world.run_json("deliveries", "--connector", "slack", "--state", "delivered")), 7,
              "--connector --state")
        equal(world.run_json("deliveries", "--state", "dead"), [], "none")
        world.stop()


def test_a_score_is_explained_now_and_then(world):
    with Sink() as sink:
        sink.start()
        setup(world, sink)
        world.post([change(1, "email", "ada@example.com")])
        time.sleep(0.05)
        before = int(time.time() * 1000)
        time.sleep(0.05)
        month_ago = before - 30 * 86_400_000
        world.post([demo(1, at=month_ago), change(1, "jobtitle", "Director of Sales")])
        time.sleep(0.05)
        middle = int(time.time() * 1000)
        time.sleep(0.05)
        world.post([demo(1)])

        def score(*more):
            [value] = world.run_json("score", "ada@example.com", *more)
            equal(sorted(value), ["at", "band", "engagement", "fit", "lead", "lines", "models", "score"],
                  "fields")
            for line in value["lines"]:
                equal(sorted(line), ["event", "group", "occurred_at", "part", "points", "rule",
                                     "why", "worth"], "fields of a line")
            equal(round(sum(line["worth"] for line in value["lines"]), 1), value["score"],
                  "the lines add up")
            equal(round(value["fit"] + value["engagement"], 1), value["score"], "parts add up")
            return value

        def look():
            now = score()
            equal((now["score"], now["fit"], now["engagement"], now["band"]),
                  (105, 15, 90, "hot"), "now: half of a month ago, all of today, the title")
            equal([line["worth"] for line in now["lines"] if line["rule"] == "demo-request"],
                  [30, 60], "half-life")
            then = score("--at", str(middle))
            equal((then["score"], then["band"]), (45, "warm"), "before today's request")
            equal(score("--at", str(before))["score"], 0, "before anything")
            iso = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(middle // 1000))
            equal(score("--at", f"{iso}.{middle % 1000:03d}Z")["score"], 45, "as ISO 8601")
            text = world.run("score", "ada@example.com")
            for word in ("105", "demo-request", "vip", "90"):
                check(word in text, f"{word} in {text}")
            return then["lines"]
        started_or_not(world, look)


def test_a_past_score_follows_the_rules_of_its_time(world):
    with Sink() as sink:
        sink.start()
        setup(world, sink)
        world.post([change(1, "email", "ada@example.com"), change(1, "jobtitle", "Director"),
                    demo(1)])
        time.sleep(0.05)
        before = str(int(time.time() * 1000))
        time.sleep(0.05)  # the reload is in another millisecond
        text = open(world.config_path).read().replace("points = 15", "points = 40") \
            .replace("points = 60", "points = 1")
        world.configure(text)
        world.daemon.signal(signal.SIGHUP)
        eventually(lambda: "config.reloaded" in world.daemon.logged(), what="the reload")
        [now] = world.run_json("score", "ada@example.com")
        equal((now["fit"], now["engagement"]), (40, 60), "the title by today's rule; what fired stays")
        [then] = world.run_json("score", "ada@example.com", "--at", before)
        equal((then["fit"], then["engagement"]), (15, 60), "by the rules of then")
        world.stop()


def test_dead_deliveries_are_put_back(world):
    with Sink() as sink:
        sink.start()
        setup(world, sink)
        sink.error = "no_text"

        def four_dead():
            first = len(stored(world))
            equal(world.post([demo(first + i) for i in range(1, 5)]).status, 200, "post")
            world.all_done()
            dead = world.run_json("deliveries", "--state", "dead")
            equal(len(dead), 4, "dead")
            check("no_text" in dead[0]["reason"], f"reason: {dead[0]['reason']}")
            return [d["id"] for d in dead]

        def retry(*arguments):
            return world.run_json("retry", *arguments)[0]["retried"]
        dead = four_dead()
        for arguments in ([], ["--all", "--connector", "slack"], ["--connector", "nobody"],
                          ["x"], [dead[0], "--reason", "a"]):
            status, text = errors_of(world, "retry", *arguments)
            equal(status, 2, f"retry {arguments}: {text}")
        status, _ = errors_of(world, "retry", dead[0], "999999")
        equal(status, 1, "an id that is not there")
        equal(len(world.run_json("deliveries", "--state", "dead")), 4, "nothing was done")
        equal(retry("--reason", "invalid_arguments"), 0, "another reason")

        sink.error = None
        equal(retry(dead[0]), 1, "by id")
        eventually(lambda: len(sink.messages) == 1, what="one is delivered")
        equal(retry(dead[0]), 0, "it is not dead any more")
        equal(retry("--reason", "no_text", "--connector", "slack"), 3, "by reason")
        eventually(lambda: len(sink.messages) == 4, what="all are delivered")
        world.all_done()
        [show] = world.run_json("deliveries", "show", dead[0])
        equal([h["verdict"] for h in show["history"]], ["dead", "delivered"], "its history")

        sink.error = "no_text"  # and without the daemon
        four_dead()
        world.stop()
        equal(retry("--all"), 4, "without the daemon")
        equal(len(world.run_json("deliveries", "--state", "pending")), 4, "pending")
        sink.error = None
        world.start()
        world.all_done()
        equal(len(sink.messages), 8, "messages")
        equal(len(set(sink.deliveries())), 8, "none twice")
        world.stop()


def through_the_shell(world, *arguments):
    """What the printed command answers, run by sh and curl."""
    command = world.run("sign", *arguments, "--url", f"https://localhost:{world.port}")
    done = subprocess.run(["sh"], input=command.encode(), capture_output=True, timeout=30,
                          env=dict(world.env, CURL_CA_BUNDLE=world.cert))
    equal(done.returncode, 0, f"{command}\n{done.stderr.decode()}")
    head, _, body = done.stdout.decode().partition("\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def test_a_signed_curl_command_works_in_a_shell(world):
    with Sink() as sink:
        sink.start()
        setup(world, sink)
        for source in ("hubspot", "zapier"):
            status, value = through_the_shell(world, source)
            equal((status, value["accepted"], value["unprocessable"]), (200, 1, 0), source)
        path = os.path.join(world.folder, "it's a \"body\" $x.json")
        for version in ("v1", "v2", "v3"):
            with open(path, "w") as f:
                f.write(json.dumps([change(1, "note", f"O'Hara says \"$HOME\" `{version}` \\ é\n")],
                                   ensure_ascii=False))
            status, value = through_the_shell(world, "hubspot", "--version", version,
                                              "--body", path)
            equal((status, value["accepted"]), (200, 1), version)
        [lead] = world.run_json("leads", "show", f"{PORTAL}:1")
        equal(lead["properties"]["note"]["value"], "O'Hara says \"$HOME\" `v3` \\ é\n", "value")
        world.stop()


def test_a_signature_is_the_one_hubspot_would_make(world):
    world.configure(world.base())
    body = json.dumps([demo(1)]).encode()
    with open(world.folder + "/body", "wb") as f:
        f.write(body)
    for version, sign in (("v1", sign_v1), ("v2", sign_v2), ("v3", sign_v3)):
        [value] = world.run_json("sign", "hubspot", "--version", version, "--body",
                                 world.folder + "/body")
        equal(sorted(value), ["body", "headers", "method", "url"], "fields")
        equal((value["method"], value["url"], value["body"]),
              ("POST", PUBLIC_URL + "/webhooks/hubspot", body.decode()), "request")
        stamp = value["headers"].get("X-HubSpot-Request-Timestamp")
        want = sign(body, timestamp=stamp) if version == "v3" else sign(body)
        for name, text in want.items():
            equal(value["headers"].get(name), text, f"{version} {name}")
    status, text = errors_of(world, "sign", "hubspt")
    equal(status, 2, "an unknown source")
    check("hubspot" in text, "it says which there are")
    equal(errors_of(world, "sign", "hubspot", "--version", "v4")[0], 2, "an unknown version")


def test_health_and_status_say_whether_it_runs(world):
    with Sink() as sink:  # down
        setup(world, sink)
        world.run("health")
        world.post([demo(1), demo(2)])
        [value] = world.run_json("status")
        equal(sorted(value), ["config", "connectors", "models", "rescored_percent", "status", "uptime_seconds",
               "version"],
              "fields")
        equal((value["status"], value["config"]["ok"]), ("pass", True), "well")
        [connector] = value["connectors"]
        equal((connector["name"], connector["type"], connector["depth"]), ("slack", "slack", 2),
              "queue")
        check(re.fullmatch(TIME, value["config"]["loaded_at"]), "loaded_at")
        text = world.run("status")
        for word in ("pass", "slack", "hot"):
            check(word in text, f"{word} in {text}")
        good = open(world.config_path).read()
        world.configure("[nonsense]\n")
        world.daemon.signal(signal.SIGHUP)
        eventually(lambda: "config.rejected" in world.daemon.logged(), what="the reload")
        world.configure(good)
        equal(world.run_json("status")[0]["config"]["ok"], False, "a failed reload is told")
        world.stop()
        check(world.run("health", status=1) == "", "health without the daemon")
        done = world.run("status", "--json", status=1)
        value = json.loads(done)
        equal((value["status"], value["connectors"][0]["depth"]), ("down", 2), "without the daemon")
        world.start()
        world.kill()
        world.run("health", status=1)
        equal(json.loads(world.run("status", "--json", status=1))["status"], "down",
              "after kill -9, with its socket left behind")


def test_a_hanging_admin_listener_is_not_healthy(world):
    world.configure(world.base())
    world.start()
    world.daemon.signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        world.run("health", status=1)
        in_time(time.monotonic() - began < 4, "it does not wait for ever")
    finally:
        world.daemon.signal(signal.SIGCONT)
    world.run("health")
    world.stop()


def test_the_control_socket_is_its_owners_alone(world):
    world.configure(world.base())
    world.start()
    for path in (world.database + ".sock", world.database):
        equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, path)
    world.stop()
    other = world.folder + "/ctl"
    world.configure(world.base().replace("[store]", f"socket = {other}\n[store]"))
    world.start()
    equal(stat.S_IMODE(os.stat(other).st_mode), 0o600, other)
    equal(world.run_json("status")[0]["status"], "pass", "by the other socket")
    world.stop()
    long = "/tmp/" + "x" * 110
    world.configure(world.base().replace("[store]", f"socket = {long}\n[store]"))
    status, text = errors_of(world, "check")
    equal(status, 2, "a path over 107 bytes")
    check("107" in text, text)


def test_migrate_prepares_a_database_and_never_touches_one_in_use(world):
    world.configure(world.base())
    world.run("migrate")
    check(os.path.exists(world.database), "there it is")
    world.run("migrate")
    world.start()
    equal(world.post([demo(1)]).status, 200, "post")
    check("running" in world.run("migrate"), "it says that a daemon has it")
    equal(world.post([demo(2)]).status, 200, "post")
    world.stop()
    equal(len(stored(world)), 2, "events")


def test_commands_without_a_database_say_what_is_wrong(world):
    world.configure(world.base())
    for words in (["events"], ["leads"], ["deliveries"], ["score", "a@example.com"],
                  ["retry", "--all"]):
        status, text = errors_of(world, *words)
        equal(status, 1, f"{words}")
        check(world.database in text, f"it names the file: {text}")
    equal(os.path.exists(world.database), False, "and does not make one")
    with open(world.database, "w") as f:
        f.write("this is no database\n" * 100)
    for words in (["events"], ["migrate"], ["serve"]):
        equal(errors_of(world, *words)[0], 1, f"{words} on a file that is none")
    with open(world.database) as f:
        check(f.read().startswith("this is no database"), "the file is left alone")


def test_wrong_usage_is_told_with_a_hint(world):
    with Sink() as sink:
        setup(world, sink)
        wrong = {
            ("evnts",): "events", ("events", "--limt", "5"): "--limit",
            ("events", "--limit", "many"): "limit", ("events", "--state", "dead"): "unprocessable",
            ("events", "show"): "show", ("deliveries", "--since", "soon"): "since",
            ("leads", "show", "ada"): "e-mail", ("score",): "LEAD", ("score", "a", "b"): "",
            ("deliveries", "--connector", "slak"): "slack", ("retry", "--limit", "1"): "limit",
        }
        for words, hint in wrong.items():
            status, text = errors_of(world, *words)
            equal(status, 2, f"{words}: {text}")
            check(hint in text, f"{hint} in {text}")
        missing = {("events", "show", "999"), ("deliveries", "show", "999"),
                   ("leads", "show", "nobody@example.com"), ("score", "999")}
        for words in missing:
            status, text = errors_of(world, *words)
            equal(status, 1, f"{words}: {text}")
        world.stop()


def test_every_command_has_help(world):
    commands = re.findall(r"^  ([a-z]+) ", world.run("--help"), re.M)
    equal(set(commands) >= {"serve", "check", "migrate", "health", "status", "events", "leads",
                            "deliveries", "score", "retry", "sign", "version"}, True, "commands")
    for command in commands:
        text = world.run(command, "--help")
        check(command in text and "usage" in text, f"help of {command}: {text}")


def test_version_names_what_it_is_made_of(world):
    [value] = world.run_json("version")
    for library in ("sqlite", "libmicrohttpd", "gnutls", "libcurl", "openssl", "cjson"):
        check(re.match(r"\d+\.\d+", value["libraries"][library]), f"{library}: {value}")
    check(value["version"] in world.run("version"), "text")


def test_check_prints_what_it_would_do_and_no_secret(world):
    with Sink() as sink:
        world.configure(world.base() + slack_lines(sink) + HOT_TO_SLACK)
        text = world.run("check")
        for word in ("hubspot", "/webhooks/zapier", "slack", "demo-request", "hot-lead",
                     world.database, str(world.port)):
            check(word in text, f"{word} in {text}")
        for secret in ("e2e-client-secret", ZAPIER_SECRET, "xoxb-sandbox"):
            check(secret not in text, f"{secret} in {text}")
        equal(json.loads(world.run("check", "--json")), {"ok": True, "problems": []}, "--json")


def test_the_reference_configuration_is_one_that_works(world):
    reference = world.run("check", "--reference")
    with open(os.path.join(os.path.dirname(__file__), "../../config/funneld.conf")) as f:
        equal(f.read(), reference, "config/funneld.conf is what the tables say")
    for name in set(re.findall(r"^[^;\n]*\$\{(\w+)\}", reference, re.M)):
        world.env[name] = "value"
    world.configure(reference)
    done = subprocess.run([world.options.bin, "-c", world.config_path, "check"],
                          capture_output=True, env=world.env, timeout=20)
    unknown = [line for line in done.stderr.decode().splitlines() if "unknown" in line]
    equal(unknown, [], "every key in it is known")


def test_an_answer_that_cannot_be_written_is_a_failure(world):
    world.configure(world.base())
    world.start()
    world.post([demo(1)])
    with open("/dev/full", "wb") as full:
        done = subprocess.run([world.options.bin, "-c", world.config_path, "events"], stdout=full,
                              stderr=subprocess.PIPE, env=world.env, timeout=20)
    equal(done.returncode, 1, "exit status")
    world.stop()
