"""What a model in use says of leads: in messages, lists and scores; swapped while all goes on."""
import contextlib
import json
import math
import os
import re
import sqlite3
import time

from harness import PORTAL, change, check, equal, eventually, log_lines
from services import begin, finish, messages, post, route, text_of, use, wait_delivered

LIKELY = route("slack", when="probability >= 50")
RISEN = route("slack", when="probability >= 50 and probability.previous < 50")


def number(name, weight):
    return {"name": name, "kind": "number", "sentinels": [], "edges": [], "shares": [1, 0],
            "weight": abs(weight)}


def sidecar(world, name, bias, weights, goal="conversion"):
    """A model by hand: log-odds = bias + the sum of weight * input."""
    n = len(weights)
    model = {
        "format": "funneld-model", "version": 1, "name": name, "goal": goal, "horizon_ms": 0,
        "trained_at_ms": 1772366400000, "seed": "1", "usable": True, "kind": "logistic regression",
        "verdict": "made by hand", "rows": 100, "positive": 50, "base_rate": 0.5,
        "inputs": [number(key, w) for key, w in weights.items()], "features": n,
        "base_log_odds": bias,
        "logistic": {"bias": bias, "weight": list(weights.values()), "mean": [0] * n,
                     "scale": [1] * n, "missing": [0] * n, "low": [None] * n, "high": [None] * n},
        "share": 0, "platt": {"a": 1, "b": 0}, "quartiles": [0.2, 0.5, 0.8],
        "samples": [{"at_ms": 0, "cells": [1] * n,
                     "probability": 1 / (1 + math.exp(-bias - sum(weights.values())))}],
    }
    path = os.path.join(world.folder, name + ".json.sidecar.json")
    trees = os.path.join(world.folder, name + ".json")
    with open(path, "w") as f:
        json.dump(model, f)
    open(trees, "w").close()
    return trees


def put_in_use(world, *made):
    world.run("model", "import", sidecar(world, *made), "--activate")


def in_service(world, name):
    text = world.admin("/metrics").body.decode()
    found = re.search(r'^funneld_model_info{name="%s",version="1"} (\d)$' % name, text, re.M)
    return found and int(found[1])


def percent(log_odds):
    return round(1000 / (1 + math.exp(-log_odds))) / 10


def asked(contact, n=1):
    now = int(time.time() * 1000)
    return [change(contact, "demo_requested", "true", at=now - i) for i in range(n)]


def lead_of(world, contact):
    return world.run_json("leads", "show", f"{PORTAL}:{contact}")[0]


def rescored(world):
    eventually(lambda: world.run_json("status")[0]["rescored_percent"] is None and
               log_lines(world, "rescore.done"), what="all leads rescored")


def test_a_model_speaks_in_messages_lists_and_scores(world):
    box = begin(world, "slack", LIKELY)
    put_in_use(world, "demo", -2.0, {"@event.demo_requested.count.30d": 3.0})
    equal(in_service(world, "demo"), 1, "metric")
    post(world, asked(1) + [change(2, "page", "/home")])
    wait_delivered(world, 1)
    text = json.dumps(messages(box)[0])
    check("73.1 % likely to convert: " in text, text)
    equal(lead_of(world, 1)["probability"], percent(1), "asked for a demo")
    equal(lead_of(world, 2)["probability"], percent(-2), "did not")
    score = world.run_json("score", f"{PORTAL}:1")[0]
    told = score["models"][0]
    equal((told["goal"], told["name"], told["version"], told["probability"]),
          ("conversion", "demo", 1, percent(1)), "score")
    equal((told["parts"][0]["input"], told["parts"][0]["value"]),
          ("@event.demo_requested.count.30d", "1"), "its part")
    total = sum(p["points"] for p in told["parts"])
    check(abs(told["base"] + total - told["probability"]) < 0.2, told)
    check("conversion 73.1 %  by model demo:1" in world.run("score", f"{PORTAL}:1"), "for people")
    finish(world)


def test_a_swap_and_a_restart_look_at_all_leads_again(world):
    begin(world, "slack", LIKELY)
    post(world, [change(c, "page", "/home") for c in range(1, 4)] + asked(4))
    put_in_use(world, "one", -1.0, {"@event.demo_requested.count.30d": 3.0})
    eventually(lambda: lead_of(world, 1)["probability"] == percent(-1), what="the first model")
    equal(lead_of(world, 4)["probability"], percent(2), "counted before there was a model")
    put_in_use(world, "two", 1.0, {"@event.demo_requested.count.30d": 1.0})
    eventually(lambda: lead_of(world, 1)["probability"] == percent(1), what="the second model")
    equal((in_service(world, "one"), in_service(world, "two")), (0, 1), "metrics")
    world.run("model", "rollback")
    eventually(lambda: lead_of(world, 1)["probability"] == percent(-1), what="the first again")
    equal(world.run_json("status")[0]["models"],
          [{"goal": "conversion", "name": "one", "version": 1}], "status")
    world.stop()
    world.start()
    rescored(world)
    post(world, asked(1))
    equal(lead_of(world, 1)["probability"], percent(2), "after a restart")
    equal(world.run("deliveries", "--state", "dead"), "", "deliveries")
    finish(world)


def test_a_rise_is_announced_once_though_it_was_found_by_rescoring(world):
    box = begin(world, "slack", RISEN)
    post(world, asked(1))
    put_in_use(world, "one", -1.0, {"@event.demo_requested.count.30d": 2.0})
    eventually(lambda: lead_of(world, 1)["probability"] == percent(1), what="the first model")
    equal(world.run("deliveries"), "", "rescoring tells nobody")
    post(world, [change(1, "page", "/home")])
    wait_delivered(world, 1)
    put_in_use(world, "two", 1.0, {"@event.demo_requested.count.30d": 2.0})
    eventually(lambda: lead_of(world, 1)["probability"] == percent(3), what="the second model")
    world.stop()
    world.start()
    post(world, [change(1, "page", "/pricing")] + asked(2))
    wait_delivered(world, 2)
    equal(len(messages(box)), 2, "one of each lead")
    told = [d for d in world.run_json("deliveries") if d["lead"] == lead_of(world, 1)["id"]]
    equal(len(told), 1, "deliveries of the first")
    shown = world.run("deliveries", "show", str(told[0]["id"]))
    check(re.search(rf"^probability +{percent(1)} %$", shown, re.M), shown)
    finish(world)


def by_probability(world, *sections):
    text = text_of(world, *sections)
    return text.replace("warm = 20\n", "warm = 20\nbands = probability\n")


def test_without_a_daemon_the_models_are_asked_as_with_one(world):
    use(world, by_probability(world, "slack"))
    put_in_use(world, "one", 0.5, {"@event.demo_requested.count.30d": 3.0})
    post(world, [change(1, "page", "/home"), change(1, "page", "/about")])
    equal(lead_of(world, 1)["band"], "hot", "62.2 %, and no points")
    world.stop()
    world.run("migrate")
    page = '[rule page]\nwhen = event.property == "page"\npoints = 1\n'
    world.configure(by_probability(world, "slack") + page)
    world.run("replay", "--all")
    lead = lead_of(world, 1)
    equal((lead["score"], lead["band"], lead["probability"]), (2, "hot", 62.2), "after a replay")
    rows, own = (os.path.join(world.folder, name) for name in ("rows.csv", "own.map"))
    with open(own, "w") as f:
        f.write("Record ID = @id\nCompany = company\n")
    with open(rows, "w") as f:
        f.write(f"Record ID,Company\n{PORTAL}:1,Acme\n{PORTAL}:2,Acme\n")
    world.run("import", "--csv", rows, "--map", own)
    for contact in 1, 2:
        lead = lead_of(world, contact)
        equal((lead["band"], lead["probability"]), ("hot", 62.2), "after an import")


def test_a_route_by_probability_is_tried_on_the_past(world):
    begin(world, "slack")
    put_in_use(world, "one", -1.0, {"@event.demo_requested.count.30d": 3.0})
    post(world, [change(1, "page", "/home"), change(2, "page", "/home")] + asked(2))
    new = os.path.join(world.folder, "new.conf")
    with open(new, "w") as f:
        f.write(text_of(world, "slack", LIKELY))
    totals = world.run_json("replay", "--config", new)
    equal([t["gained"] for t in totals if t.get("connector") == "slack"], [1], "would be told")
    use(world, text_of(world, "slack", LIKELY))
    equal(world.run_json("replay", "--all")[0]["connectors"], {"slack": 1}, "are told")
    wait_delivered(world, 1)
    finish(world)


def test_a_past_score_is_told_by_the_model_of_that_time(world):
    begin(world, "slack", LIKELY)
    put_in_use(world, "one", -1.0, {"@event.demo_requested.count.30d": 3.0})
    post(world, asked(1))
    then = str(int(time.time() * 1000) + 1)
    put_in_use(world, "two", 1.0, {"@event.demo_requested.count.30d": 1.0})
    post(world, asked(1, 2))
    past = world.run_json("score", f"{PORTAL}:1", "--at", then)[0]["models"][0]
    equal((past["name"], past["probability"]), ("one", percent(2)), "then")
    now = world.run_json("score", f"{PORTAL}:1")[0]["models"][0]
    equal((now["name"], now["probability"]), ("two", percent(4)), "now")
    finish(world)


def churn_of(world, contact):
    models = world.run_json("score", f"{PORTAL}:{contact}")[0]["models"]
    return lead_of(world, contact)["churn"], [m["goal"] for m in models]


def test_who_cannot_leave_has_no_chance_of_it(world):
    begin(world, "slack", '[goal churn]\nwhen = lead.stage == "left"\n'
                          'among = lead.stage == "won"\n')
    put_in_use(world, "leaves", -1.0, {"@event.page.count.30d": 1.0}, "churn")
    post(world, [change(1, "stage", "won"), change(2, "stage", "open")])
    equal(churn_of(world, 1), (percent(-1), ["churn"]), "a customer")
    equal(churn_of(world, 2), (None, []), "no customer")
    check("lead.stage == \"won\"" in world.run("check"), "the plan")
    use(world, text_of(world, "slack", '[goal churn]\nwhen = lead.stage == "left"\n'))
    eventually(lambda: lead_of(world, 2)["churn"] == percent(-1), what="a reload that means all")
    equal(churn_of(world, 2), (percent(-1), ["churn"]), "all")
    finish(world)


def test_a_model_that_cannot_be_read_leaves_the_rules(world):
    begin(world, "slack", LIKELY)
    put_in_use(world, "one", -1.0, {"@event.demo_requested.count.30d": 3.0})
    world.stop()
    database = os.path.join(world.folder, "funneld.db")
    with contextlib.closing(sqlite3.connect(database)) as db, db:
        db.execute("UPDATE model SET sidecar = CAST('{' AS BLOB)")
    world.start()
    equal([line["hint"] for line in log_lines(world, "model.unreadable")], ["rules alone decide"],
          "the log")
    post(world, asked(1))
    equal(lead_of(world, 1)["probability"], None, "by rules alone")
    finish(world)


def test_a_reload_keeps_the_model_that_serves(world):
    begin(world, "slack", LIKELY)
    put_in_use(world, "one", -1.0, {"@event.demo_requested.count.30d": 3.0})
    use(world, text_of(world, "slack", LIKELY) + "[rule page]\nwhen = event.property == \"page\"\n"
                                                 "points = 7\n")
    eventually(lambda: log_lines(world, "config.reloaded"), what="the reload")
    post(world, asked(1) + [change(1, "page", "/home")])
    lead = lead_of(world, 1)
    equal((lead["probability"], lead["score"] >= 7), (percent(2), True), "model and rules")
    finish(world)
