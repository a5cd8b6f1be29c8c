"""Events processed again, what another configuration would have done, and receipts."""
import base64
import hashlib
import json
import os
import sqlite3
import time

from harness import (PORTAL, ZAPIER_SECRET, change, check, demo, equal, eventually, integrity, log_lines, sign_v2)
from services import (POST_MESSAGE, begin, connector, deliveries, finish, lead, make_hot, messages,
                      pages, person, post, record, route, text_of, use, wait_dead, wait_delivered,
                      whole, zap)

MORE = "[rule pricing]\nwhen = event.property == \"page\"\npoints = 25\n"
BOOK = route("book", "hot-book")


def replay(world, *arguments, status=0):
    out = world.run("replay", *arguments, "--json", status=status)
    return json.loads(out) if out else None


def sums(answer, *names):
    return tuple(answer[n] for n in names)


def receipt(world, event):
    return world.run_json("events", "show", event)[0]


# Replay

def test_a_new_route_is_told_of_what_was_there(world):
    box = begin(world, "slack", "book", route("slack"))
    make_hot(world, 1, 2, 3)
    wait_delivered(world, 3)
    use(world, text_of(world, "slack", "book", route("slack"), BOOK))
    dry = replay(world, "--since", "1h", "--dry-run")
    equal(sums(dry, "dry_run", "asked", "deliveries"), (True, 3, 3), "dry run")
    equal(dry["connectors"], {"book": 3}, "by connector")
    equal(len(deliveries(world)), 3, "deliveries after a dry run")
    real = replay(world, "--since", "1h")
    equal(sums(real, "deliveries", "failed"), (3, 0), "replay")
    wait_delivered(world, 6)
    equal((len(messages(box)), len(pages(box))), (3, 3), "messages, pages")
    again = replay(world, "--since", "1h")
    equal(sums(again, "asked", "fired", "leads", "deliveries"), (3, 0, 0, 0), "done again")
    told = replay(world, "1", "--again")
    equal(told["connectors"], {"book": 1, "slack": 1}, "told again")
    wait_delivered(world, 8)
    equal((len(messages(box)), len(pages(box))), (4, 3), "messages, pages")
    finish(world)


def test_new_rules_fire_without_a_daemon_as_with_one(world):
    box = begin(world, "slack", route("slack"))
    post(world, person(1) + [change(1, "page", "pricing"), change(2, "page", "pricing")])
    world.stop()
    text = text_of(world, "slack", route("slack", when="score >= 25 and score.previous < 25"))
    world.configure(text + MORE)
    answer = replay(world, "--lead", f"{PORTAL}:1")
    equal(sums(answer, "fired", "deliveries"), (1, 1), "one lead")
    answer = replay(world, "--all")
    equal(sums(answer, "fired", "deliveries"), (1, 1), "all")
    equal(sums(replay(world, "--all"), "fired", "leads", "deliveries"), (0, 0, 0), "done again")
    world.start()
    wait_delivered(world, 2)
    equal(sorted(m["metadata"]["event_payload"]["delivery"][-2:] for m in messages(box)),
          ["-1", "-2"], "messages")
    equal(lead(world, 1)["score"], 25, "score")
    equal(integrity(world.database), ["ok"], "integrity")
    finish(world)


def test_what_was_not_understood_is_taken_up_when_it_is(world):
    box = begin(world, "slack", route("slack"))
    post(world, [change(7, "page", "x")])
    world.stop()
    body = json.dumps(demo(7), separators=(",", ":"))
    with sqlite3.connect(world.database) as db:  # as a release that did not know it kept it
        db.execute("INSERT INTO event (id, source, type, state, reason, occurred_at, received_at,"
                   " request_id, body, body_sha256) VALUES (90, 'hubspot', 'odd', 1, 'unknown', ?,"
                   " ?, 'r', ?, ?)", (*[int(time.time() * 1000) - 5000] * 2, body,
                                      hashlib.sha256(body.encode()).digest()))
    db.close()
    world.start()
    odd = world.run_json("events", "--state", "unprocessable")
    equal([e["id"] for e in odd], ["90"], "not understood")
    answer = replay(world, "--state", "unprocessable")
    equal(sums(answer, "taken", "left", "fired", "deliveries"), (1, 0, 1, 1), "replay")
    wait_delivered(world, 1)
    shown = receipt(world, "90")
    equal((shown["state"], shown["type"], shown["reason"]),
          ("processed", "contact.propertyChange", None), "its state")
    check(shown["replayed_at"] > shown["received_at"], "it took effect later")
    equal(shown["effects"]["rules"][0]["rule"], "demo-request", "what fired")
    equal(lead(world, 7)["score"], 60, "score")
    equal(json.loads(body)["objectId"], 7, "the sender")
    equal(world.post([json.loads(body)]).json()["duplicates"], 1, "said again")
    equal(len(messages(box)), 1, "messages")
    equal(len(log_lines(world, "replay.slice")), 1, "in the log")
    finish(world)


def test_replay_says_what_is_wrong_with_the_question(world):
    begin(world, "slack", route("slack"))
    for wrong in ([], ["17", "--all"], ["1", "--since", "2h"], ["--all", "--since", "2h"],
                  ["--state", "odd"], ["--source", "zapierr"], ["--since", "yesterday"],
                  ["--since", "1h", "--until", "2h"], ["x"], ["--all", "--limit", "3"],
                  ["--config", world.config_path, "--again"], ["--config", world.config_path, "1"],
                  ["--config", "/nowhere.conf"]):
        world.run("replay", *wrong, status=2)
    world.run("replay", "4711", status=1)
    world.run("replay", "--lead", "nobody@example.com", status=1)
    finish(world)


# What another configuration would have done

def test_a_changed_configuration_is_tried_on_the_past(world):
    box = begin(world, "slack", "book", route("slack"))
    post(world, person(1) + [demo(1), change(2, "page", "pricing"), change(3, "page", "home")])
    zap(world, email="eve@example.com", event_type="form.submitted")
    wait_delivered(world, 1)
    before = open(world.database, "rb").read()
    other = os.path.join(world.folder, "new.conf")
    with open(other, "w") as f:
        f.write(text_of(world, "slack", "book", route("book", when="score >= 25 and"
                                                      " score.previous < 25")) + MORE
                .replace('"page"', '"page" and event.value == "pricing"'))
    lines = world.run_json("replay", "--config", other)
    leads = {l["lead"]: l for l in lines if "lead" in l}
    totals = {l["connector"]: l for l in lines if "connector" in l}
    equal(totals["slack"], {"connector": "slack", "before": 1, "after": 0, "gained": 0, "lost": 1},
          "slack")
    equal(totals["book"], {"connector": "book", "before": 0, "after": 2, "gained": 2, "lost": 0},
          "book")
    equal(len(leads), 2, f"leads that would be another: {leads}")
    one, two = (leads[lead(world, n)["id"]] for n in (1, 2))
    equal((one["score_before"], one["score_after"]), (60, 60), "the first")
    equal([(g["route"], g["connector"], g["deliveries"]) for g in one["gained"] + one["lost"]],
          [("hot-lead", "book", 1), ("hot-lead", "slack", 1)], "what the first would be told of")
    equal((two["score_before"], two["score_after"], two["band_before"], two["band_after"]),
          (0, 25, "cold", "warm"), "the second")
    equal(two["lost"], [], "lost")
    text = world.run("replay", "--config", other, "--limit", "1")
    check("2 of 4 leads would be another" in text and "and 1 more" in text, text)
    check("cold -> warm" in world.run("replay", "--config", other), "bands")
    equal(world.run_json("replay", "--config", other, "--since", "2100-01-01T00:00:00Z",
                         "--until", "2100-01-02T00:00:00Z"), [], "a period without events")
    equal(world.run_json("replay", "--config", world.config_path),
          [{"connector": "slack", "before": 1, "after": 1, "gained": 0, "lost": 0}],
          "nothing changes")
    equal(len(messages(box)), 1, "nothing was sent")
    equal(open(world.database, "rb").read(), before, "the database")
    finish(world)


def test_a_new_map_is_tried_on_the_bodies_of_then(world):
    begin(world, "slack", "book", route("slack"))
    zap(world, email="eve@example.com", event_type="form.submitted", work="Acme")
    text = text_of(world, "slack", "book", route("slack"))
    rule = '[rule acme]\nwhen = lead.company == "Acme"\npoints = 25\n'
    mapped = text.replace("type = zapier\n", "type = zapier\nmap.company = $.work\n") + rule
    other = os.path.join(world.folder, "new.conf")
    with open(other, "w") as f:
        f.write(mapped)
    (eve,) = [l for l in world.run_json("replay", "--config", other) if "lead" in l]
    equal((eve["score_before"], eve["score_after"]), (0, 25), "read by the new map")
    world.configure(mapped)
    answer = replay(world, "--all")
    equal(sums(answer, "leads", "fired"), (0, 0), "what it was when it came, it is")
    finish(world)


# Receipts

def test_the_receipt_of_an_event_that_made_a_lead_hot(world):
    box = begin(world, connector(world, "crm", properties="email, jobtitle"), "slack", "book", "log",
                route("slack, book, log", wait=True), enrich=True)
    box.contacts([record("1", email="ada@example.com", jobtitle="director")])
    make_hot(world, 1)
    wait_delivered(world, 4)
    shown = receipt(world, "1")
    equal(shown["signature"], "v3", "signature")
    check(shown["received_at"] <= shown["committed_at"] <= shown["deliveries"][0]["done_at"],
          f"commit time: {shown}")
    equal(shown["replayed_at"], None, "not replayed")
    text = json.dumps(shown["body"], separators=(", ", ": "))
    equal(shown["body_sha256"], hashlib.sha256(text.encode()).hexdigest(), "hash")
    effects = shown["effects"]
    equal([(p["name"], p["before"], p["after"]) for p in effects["properties"]],
          [("demo_requested", None, "true")], "properties")
    equal([(r["rule"], r["points"]) for r in effects["rules"]], [("demo-request", 60)], "rules")
    equal([effects[k] for k in ("score_before", "score_after", "band_before", "band_after")],
          [0, 60, "cold", "hot"], "score")
    made = {d["connector"]: d for d in shown["deliveries"]}
    equal(sorted(made), ["book", "crm", "log", "slack"], "deliveries")
    check(all(d["history"][-1]["verdict"] == "delivered" for d in made.values()), "attempts")
    equal(made["book"]["link"], "https://www.notion.so/" + pages(box)[0]["id"].replace("-", ""),
          "page")
    check(made["crm"]["link"].endswith(f"/contacts/{PORTAL}/record/0-1/1"), "contact")
    check(made["slack"]["remote_id"].startswith("C0123456789:"), "message")
    check("Leads!" in made["log"]["remote_id"], f"row: {made['log']}")
    enriched = receipt(world, "2")
    equal((enriched["type"], enriched["signature"]), ("contact.enriched", None), "from the CRM")
    equal(sorted(p["name"] for p in enriched["effects"]["properties"]), ["email", "jobtitle"],
          "what the CRM said")
    equal((enriched["effects"]["score_before"], enriched["effects"]["score_after"]), (60, 75),
          "fit")
    text = world.run("events", "show", "1")
    for words in ("signature    v3", "committed    ", "60.0 (hot), before 0.0 (cold)",
                  "demo_requested", "demo-request", "https://www.notion.so/", "delivered"):
        check(words in text, f"{words!r} in\n{text}")
    finish(world)


def test_the_receipt_says_how_each_sender_proved_itself(world):
    begin(world, "slack", route("slack"))
    one = [change(1, "page", "a")]
    equal(world.post(one, headers=sign_v2(json.dumps(one).encode())).status, 200, "v2")
    zap(world, email="eve@example.com")
    login = base64.b64encode(f"anybody:{ZAPIER_SECRET}".encode()).decode()
    for n, given in enumerate((f"Bearer {ZAPIER_SECRET}", f"Basic {login}")):
        answer = world.post({"email": "eve@example.com", "n": n}, path="/webhooks/zapier",
                            headers={"Authorization": given})
        equal(answer.status, 200, given)
    equal([receipt(world, str(n))["signature"] for n in (1, 2, 3, 4)],
          ["v2", "secret", "bearer", "basic"], "signatures")
    finish(world)


def test_the_receipt_shows_what_was_then_and_not_what_is_now(world):
    begin(world, "slack", route("slack"))
    post(world, [change(1, "jobtitle", "director")])
    post(world, [demo(1)])
    post(world, [change(1, "jobtitle", "clerk")])
    text = world.base(tls=False).replace("points = 60", "points = 10")
    use(world, text + connector(world, "slack") + route("slack"))
    post(world, [demo(1, at=int(time.time() * 1000) + 1)])
    first, second, third, fourth = (receipt(world, str(n))["effects"] for n in (1, 2, 3, 4))
    equal((first["score_before"], first["score_after"]), (0, 15), "first")
    equal((second["score_before"], second["score_after"]), (15, 75), "second")
    equal((third["score_before"], third["score_after"]), (75, 60), "third")
    equal([(p["name"], p["before"], p["after"]) for p in third["properties"]],
          [("jobtitle", "director", "clerk")], "what changed")
    equal((fourth["score_after"], fourth["rules"][0]["points"]), (70, 10), "fourth")
    finish(world)


def test_the_receipt_of_what_is_erased_or_not_there(world):
    begin(world, "slack", route("slack"))
    post(world, [change(1, "page", "a")])
    post(world, [{**change(1, "x", "y"), "subscriptionType": "contact.privacyDeletion"}])
    post(world, [{"eventId": 1}])
    shown = receipt(world, "1")
    equal((shown["body"], shown["effects"]), (None, None), "erased")
    check("the lead was erased" in world.run("events", "show", "1"), "it says so")
    check("changed no lead" in world.run("events", "show", "3"), "unprocessable")
    world.run("events", "show", "4711", status=1)
    finish(world)


def test_what_a_delivery_died_of_is_shown(world):
    box = begin(world, "slack", connector(world, "book"), route("slack"))
    answer = {"ok": False, "error": "invalid_arguments", "token": "xoxb-sandbox",
              "more": "\u001b[31m" + "\u20ac" * 1500}
    box.fail(service="slack", path=POST_MESSAGE, status=200, body=answer)
    make_hot(world, 1)
    dead = whole(world, wait_dead(world))
    kept = dead["history"][-1]["answer"]
    check(kept.startswith('{"') and "invalid_arguments" in kept, f"the answer: {kept[:200]}")
    check(2000 < len(kept.encode()) <= 2048 and "\ufffd" not in kept, "2 KiB, no half characters")
    check("xoxb" not in kept and "*" * 8 in kept, "no secret")
    text = world.run("deliveries", "show", dead["id"])
    check("invalid_arguments" in text and "\x1b" not in text, "printed safely")
    world.run("retry", dead["id"])
    wait_delivered(world, 1)
    history = whole(world, dead)["history"]
    equal([bool(a["answer"]) for a in history], [True, False], "of what ended it alone")
    post(world, [{**change(1, "x", "y"), "subscriptionType": "contact.privacyDeletion"}])
    equal([a["answer"] for a in whole(world, dead)["history"]], [None, None], "after an erasure")
    equal(integrity(world.database), ["ok"], "integrity")
    finish(world)


def test_retry_and_the_list_of_what_is_dead_take_the_same_filters(world):
    box = begin(world, "slack", "book", route("slack"), route("slack", "b"), BOOK)
    box.fail(service="slack", path=POST_MESSAGE, status=200, times=4,
             body={"ok": False, "error": "invalid_arguments"})
    make_hot(world, 1, 2)
    eventually(lambda: len(deliveries(world, "--state", "dead")) == 4, 10, "dead ones")
    for filters, n in ((["--route", "b"], 2), (["--reason", "INVALID_ARG"], 4), (["--reason", "x"], 0),
                       (["--lead", f"{PORTAL}:1"], 2), (["--since", "1h"], 4),
                       (["--since", "2100-01-01T00:00:00Z"], 0)):
        equal(len(deliveries(world, "--state", "dead", *filters)), n, f"{filters}")
    for filters, n in ((["--since", "2100-01-01T00:00:00Z"], 0),
                       (["--lead", f"{PORTAL}:1", "--route", "b"], 1), (["--route", "b"], 1),
                       (["--lead", f"{PORTAL}:1"], 1), (["--since", "1h"], 1)):
        equal(world.run_json("retry", *filters)[0], {"retried": n}, f"{filters}")
    wait_delivered(world, 6)
    finish(world)
