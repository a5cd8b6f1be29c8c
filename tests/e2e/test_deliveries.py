"""Deliveries: what holds for every service, and for several at once."""
import contextlib
import json
import random
import sqlite3
import time

from harness import (SECRET, ZAPIER_SECRET, change, check, demo, equal, eventually, in_time,
                     integrity, log_lines)
from services import (CRM_READ, HISTORY, PERSON, POST_MESSAGE, VALUES, WEBHOOK, begin, carried,
                      connector, deliveries, finish, make_hot, messages, ms, pages, post, record,
                      requests, retry, route, rows, spaced, started, states, text_of, use,
                      wait_dead, wait_delivered, wait_requests, whole, zap)

ALL = route("slack, book, log")
DOWN = {"times": 1000000}


def by_connector(world, state):
    return sorted(d["connector"] for d in deliveries(world, "--state", state))


# Each for itself

def test_one_broken_service_does_not_delay_the_others(world):
    box = begin(world, connector(world, "slack", timeout="30s"), "book", "log", ALL)
    box.fail(service="slack", mode="slow", delay_ms=20000, **DOWN)  # it hangs
    began = time.monotonic()
    make_hot(world, *range(1, 11))
    wait_delivered(world, 20, timeout=10)
    equal(by_connector(world, "pending"), ["slack"] * 10, "pending")
    in_time(time.monotonic() - began < 8, "in good time")
    equal((len(pages(box)), len(rows(box)) - 1), (10, 10), "pages, rows")
    status = {c["name"]: c for c in world.run_json("status")[0]["connectors"]}
    equal([status[n]["depth"] for n in ("slack", "book", "log")], [10, 0, 0], "queues")
    check(status["slack"]["oldest_seconds"] is not None, "age of the oldest")
    equal(world.metric("funneld_queue_depth", connector="slack"), 10, "metric")
    world.kill()


def test_a_refusing_service_does_not_delay_the_others(world):
    box = begin(world, "slack", "book", "log", ALL)
    box.fail(service="notion", status=500, **DOWN)
    box.fail(service="google", status=500, **DOWN)
    make_hot(world, 1, 2, 3)
    wait_delivered(world, 3)
    equal(by_connector(world, "delivered"), ["slack"] * 3, "delivered")
    equal(by_connector(world, "pending"), ["book"] * 3 + ["log"] * 3, "pending")
    failing = deliveries(world, "--state", "pending")[0]
    eventually(lambda: whole(world, failing)["attempts"] > 1, 10, "attempts go on")
    check("internal_server_error" in whole(world, failing)["reason"], "the last reason is shown")
    box.ask("POST", "/_sandbox/reset")
    wait_delivered(world, 9)
    equal((len(pages(box)), len(rows(box)) - 1), (3, 3), "pages, rows")
    finish(world)


# Giving up, and coming back

def test_a_delivery_that_is_too_old_is_given_up_with_its_last_reason(world):
    box = begin(world, connector(world, "slack", give_up="1s"), connector(world, "book"),
                route("slack, book"))
    box.fail(service="slack", path=POST_MESSAGE, status=200, times=1000000,
             body={"ok": False, "error": "service_unavailable"})
    box.fail(service="notion", status=503, times=12)
    make_hot(world, 1)
    dead = wait_dead(world)
    equal(dead["connector"], "slack", "connector")
    check("service_unavailable" in dead["reason"], dead["reason"])
    check(dead["attempts"] > 1, "it was tried several times")
    history = whole(world, dead)["history"]
    equal([a["verdict"] for a in history], ["retry"] * (len(history) - 1) + ["dead"], "verdicts")
    age = started(history)[-1] - started(history)[0]
    check(900 <= age < 3000, f"given up after {age} ms")
    wait_delivered(world, 1)  # 14 days are not over
    equal(len(pages(box)), 1, "pages")
    finish(world)


def test_what_is_in_doubt_is_looked_at_once_before_it_is_given_up(world):
    box = begin(world, connector(world, "slack", give_up="100ms", settle="300ms"), route("slack"))
    box.fail(service="slack", path=POST_MESSAGE, mode="processed_no_answer")
    make_hot(world, 1)
    wait_delivered(world, 1)  # it was there, old as it is
    box.fail(service="slack", path=POST_MESSAGE, mode="drop")
    box.fail(service="slack", path=POST_MESSAGE, status=429, retry_after="1")
    make_hot(world, 2)
    dead = whole(world, wait_dead(world))
    equal([a["verdict"] for a in dead["history"]], ["ambiguous", "dead"], "verdicts")
    check("rate limit" in dead["reason"], dead["reason"])
    equal((requests(box, HISTORY), len(messages(box))), (2, 1), "looks, messages")
    retry(world, dead["id"])  # it is young again
    wait_delivered(world, 2)
    finish(world)


def test_a_service_that_cannot_be_reached_never_kills_a_delivery(world):
    box = begin(world, "slack", route("slack"))
    use(world, text_of(world, connector(world, "slack", url="http://127.0.0.1:9"), route("slack")))
    make_hot(world, 1)
    eventually(lambda: deliveries(world)[0]["attempts"] > 3, 10, "attempts")
    pending, = deliveries(world)
    equal(pending["state"], "pending", "state")
    check("127.0.0.1" in pending["reason"], f"it says where: {pending}")
    use(world, text_of(world, "slack", route("slack")))
    wait_delivered(world, 1)
    equal(len(messages(box)), 1, "messages")
    finish(world)


def refused(error):
    return {"service": "slack", "path": POST_MESSAGE, "status": 200,
            "body": {"ok": False, "error": error}}


def test_retry_puts_back_what_it_is_told_to(world):
    box = begin(world, "slack", "book", route("slack"), route("book", "b"))
    for error in ("no_text", "invalid_arguments", "invalid_arguments", "metadata_too_large"):
        box.fail(**refused(error))
    box.fail(service="notion", path="/v1/pages", status=400, times=1,
             body={"object": "error", "status": 400, "code": "invalid_json", "message": "no"})
    for n in range(1, 5):
        make_hot(world, n)
        eventually(lambda: "pending" not in states(world), 10, "all final")
    dead = deliveries(world, "--state", "dead")
    equal(len(dead), 5, "dead ones")
    retry(world, "--reason", "invalid_arguments", n=2)
    wait_delivered(world, 5)
    retry(world, "--connector", "book", n=1)
    wait_delivered(world, 6)
    by_reason = {d["reason"].split(";")[0]: d["id"] for d in deliveries(world, "--state", "dead")}
    retry(world, by_reason["no_text"], n=1)
    wait_delivered(world, 7)
    retry(world, "--all", n=1)
    wait_delivered(world, 8)
    retry(world, "--all", n=0)
    world.run("retry", status=2)
    world.run("retry", "--connector", "slak", status=2)
    equal((len(messages(box)), len(pages(box))), (4, 4), "messages, pages")
    equal(world.metric("funneld_deliveries_total", connector="slack", outcome="dead"), 4, "metric")
    finish(world)


def test_retry_of_very_many_holds_up_nobody(world):
    """It goes by parts: events come in between."""
    box = begin(world, "slack", route("slack"))
    box.fail(**refused("no_text"))
    make_hot(world, 1)
    wait_dead(world)
    world.stop()
    columns = ("event, lead, route, connector, state, attempts, created_at, due_at, done_at,"
               " open_attempt_at, wait_until, reason, facts")
    with contextlib.closing(sqlite3.connect(world.database)) as database:
        database.execute(f"INSERT INTO delivery ({columns}) WITH RECURSIVE n(i) AS (SELECT 1 UNION"
                         f" ALL SELECT i + 1 FROM n WHERE i < 50000) SELECT {columns} FROM n,"
                         " delivery")
        database.commit()
    box.fail(service="slack", status=503, **DOWN)
    world.start()
    before = world.metric("funneld_commit_seconds_count")
    retry(world, "--all", n=50001)
    check(world.metric("funneld_commit_seconds_count") - before >= 3, "commits, by whose turn others come")
    equal(world.metric("funneld_queue_depth", connector="slack"), 50001, "what waits")
    world.kill()


def test_retry_works_without_the_daemon(world):
    box = begin(world, "slack", route("slack"))
    box.fail(**refused("no_text"))
    make_hot(world, 1)
    wait_dead(world)
    world.stop()
    retry(world, "--all")
    equal(states(world), ["pending"], "state")
    equal(len(messages(box)), 0, "messages")
    world.start()
    wait_delivered(world, 1)
    finish(world)


# Ends and crashes

def test_the_end_waits_for_what_is_in_flight(world):
    box = begin(world, "slack", route("slack"))
    box.fail(service="slack", path=POST_MESSAGE, mode="slow", delay_ms=700)
    make_hot(world, 1, 2)
    wait_requests(box, POST_MESSAGE, 1)
    world.stop()
    equal(sorted(states(world)), ["delivered", "pending"], "states")
    equal((len(messages(box)), requests(box, HISTORY)), (1, 0), "messages, looks")
    world.start()
    wait_delivered(world, 2)
    equal((len(messages(box)), requests(box, HISTORY)), (2, 0), "messages, looks")
    finish(world)


def test_a_reload_leaves_an_attempt_in_flight_alone(world):
    box = begin(world, "slack", "book", route("slack, book"))
    box.fail(service="slack", path=POST_MESSAGE, mode="slow", delay_ms=1000)
    box.fail(service="notion", path="/v1/pages", mode="slow", delay_ms=1000)
    make_hot(world, 1, 2)
    wait_requests(box, POST_MESSAGE, 1)
    wait_requests(box, "/v1/pages", 1)
    for concurrency in "4", "1":
        use(world, text_of(world, connector(world, "slack", concurrency=concurrency),
                           connector(world, "book", concurrency=concurrency), route("slack, book")))
    wait_delivered(world, 4)
    equal({d["attempts"] for d in deliveries(world)}, {1}, "attempts")
    equal((len(messages(box)), len(pages(box)), requests(box, HISTORY)), (2, 2, 0), "each once")
    finish(world)


def test_what_waits_is_delivered_after_a_crash(world):
    world.start_sandbox()
    for service, path in (("slack", POST_MESSAGE), ("notion", "/v1/")):
        world.sandbox.fail(service=service, path=path, status=429, retry_after="30")
    box = begin(world, "slack", "book", route("slack, book"))
    make_hot(world, *range(1, 21))
    wait_requests(box, POST_MESSAGE, 1)
    wait_requests(box, "/v1/", 1)
    equal(states(world), ["pending"] * 40, "states")
    eventually(lambda: sum(d["attempts"] for d in deliveries(world)) == 2, 10, "both are recorded")
    world.kill()
    world.start()  # that a connector rests is forgotten; when a delivery is due is not
    wait_delivered(world, 38)
    equal(by_connector(world, "pending"), ["book", "slack"], "those that were refused wait")
    equal((len(messages(box)), len(pages(box))), (19, 19), "messages, pages")
    finish(world)


def test_crashes_under_random_failures_lose_and_double_nothing(world):
    dice = random.Random(20260122)
    hasty = {"settle": "1s", "timeout": "1s", "backoff": "10ms", "backoff_max": "50ms"}
    box = begin(world, *(connector(world, n, **hasty) for n in ("slack", "book", "log")), ALL,
                route("slack, log", "note", 'event.property == "note"'))
    kinds = [{"status": 500}, {"status": 503}, {"mode": "drop"}, {"mode": "processed_no_answer"},
             {"mode": "garbage"}, {"mode": "slow", "delay_ms": 1300}]
    leads = 12
    for turn in range(4):
        for _ in range(10):
            box.fail(service=dice.choice(["slack", "notion", "sheets"]), **dice.choice(kinds))
        for c in range(1, leads + 1):
            post(world, [demo(c) if turn == 0 else change(c, "note", f"{turn}")])
        time.sleep(dice.uniform(0.02, 1.5))
        world.kill()
        world.start()
    eventually(lambda: "pending" not in states(world), 40, "all final")
    equal(set(states(world)), {"delivered"}, "states")
    want = {n: sorted(int(d["id"]) for d in deliveries(world, "--connector", n))
            for n in ("slack", "log")}
    equal((len(want["slack"]), len(want["log"])), (leads * 4, leads * 4), "deliveries")
    equal(sorted(int(i.split("-")[1]) for i in carried(box)), want["slack"], "messages, each once")
    equal(sorted(int(r[0].split("-")[1]) for r in rows(box)[1:]), want["log"], "rows, each once")
    equal(len(pages(box)), leads, "pages")
    world.stop()
    equal(integrity(world.database), ["ok"], "the database")


# Rates

def test_every_connector_keeps_its_own_rate(world):
    box = begin(world, connector(world, "slack", rate="10/s"), connector(world, "hook", rate="4/s"),
                connector(world, "book", rate="8/s"), route("slack, hook, book"))
    make_hot(world, *range(1, 7))
    wait_delivered(world, 18, timeout=20)
    for via, step in (("chat.postMessage", 100), ("webhook", 250)):
        spaced([m["received_at"] for m in messages(box) if m["via"] == via], step)
    spaced([ms(p["created_time"]) for p in pages(box)], 250)  # a query and a create for each
    finish(world)


# The log

def test_no_secret_is_ever_logged_or_listed(world):
    key = "c2VjcmV0LWtleS1tYXRlcmlhbA"
    box = begin(world, "crm", "slack", "hook", "book", "log",
                connector(world, "hook", "odd-hook", webhook="http://127.0.0.1:9/services/" + key),
                connector(world, "slack", "odd-slack", token="xoxb-" + key),
                connector(world, "crm", "odd-crm", token="pat-" + key),
                connector(world, "book", "odd-book", token="ntn_" + key),
                route("slack, hook, book, log, odd-hook, odd-slack, odd-book", wait=True),
                enrich=True)
    box.contacts([record(7, **PERSON)])
    for path in (POST_MESSAGE, WEBHOOK, "/v1/pages", VALUES, "/token", CRM_READ):
        for how in ({"mode": "drop"}, {"status": 500}, {"mode": "garbage"}):
            box.fail(path=path, **how)
    post(world, [demo(7)])
    zap(world, email="bob@example.org", demo_requested="true", firstname="Robert")
    world.post([demo(9)], headers={"X-HubSpot-Signature-v3": "bm9wZQ==",
                                   "X-HubSpot-Request-Timestamp": str(int(time.time() * 1000))})
    eventually(lambda: len(deliveries(world, "--state", "delivered")) == 5, 20, "delivered")
    for name, word in (("odd-book", "unauthorized"), ("odd-slack", "invalid_auth")):
        eventually(lambda: word in (deliveries(world, "--connector", name)[0]["reason"] or ""),
                   20, f"a refused token of {name}, which keeps what waits")
    eventually(lambda: deliveries(world, "--connector", "odd-hook")[0]["attempts"], 10, "a try")
    with open(box.credentials) as f:
        private = json.load(f)["private_key"].splitlines()[1]
    told = world.run("deliveries") + world.run("status") + world.run("check")
    for d in deliveries(world):
        told += world.run("deliveries", "show", d["id"], "--json")
    world.stop()
    everything = world.daemon.logged() + told
    for secret in (SECRET, ZAPIER_SECRET, key, "xoxb-", "pat-sandbox", "ntn_", "/services/",
                   "ya29.", private, "BEGIN PRIVATE", "Bearer", "assertion="):
        check(secret not in everything, f"{secret} in {excerpt(everything, secret)}")
    for person_data in ("ada@example.com", "bob@example.org", "Lovelace", "Robert", "7946"):
        check(person_data not in everything, f"{person_data} in {excerpt(everything, person_data)}")


def excerpt(text, word):
    at = text.find(word)
    return text[max(0, at - 200):at + 200]


def test_the_request_id_stands_in_every_line_of_its_way(world):
    world.start_sandbox().contacts([record(7, **PERSON)])
    box = begin(world, "crm", "slack", "book", "log", route("slack, book, log", wait=True),
                enrich=True)
    box.fail(service="slack", path=POST_MESSAGE, status=500)
    request = world.post([demo(7)]).json()["request_id"]
    other = world.post([demo(8)]).json()["request_id"]
    check(request != other, "different ones")
    wait_delivered(world, 7)  # three of each, and one that the CRM knows
    lines = [line for ev in ("delivery.delivered", "delivery.ambiguous", "delivery.retry",
                             "delivery.dead") for line in log_lines(world, ev)]
    mine = [line for line in lines if line.get("req") == request]
    equal(sorted(line["connector"] for line in mine if line["ev"] == "delivery.delivered"),
          ["book", "crm", "log", "slack"], "delivered")
    check(any(line["ev"] == "delivery.ambiguous" or line["ev"] == "delivery.retry"
              for line in lines), "the trouble is logged")
    check(all(line["req"] in (request, other) for line in lines), "no line without")
    known = {d["id"]: d for d in deliveries(world)}
    for line in mine:
        d = known[line["delivery"]]
        equal((line["event"], line["lead"], line["connector"]),
              (d["event"], d["lead"], d["connector"]), "what the line names")
        check(int(line["attempt"]) >= 1 and "status" in line, f"{line}")
    finish(world)
