"""Enrichment: the CRM is asked who a contact is, and what it says is one more event."""
import time

from harness import PORTAL, change, check, demo, equal, event, eventually, in_time
from services import (CRM_READ, begin, connector, deliveries, finish, lead, make_hot, messages,
                      pages, post, record, requests, route, slow, started, states, text_of,
                      use, wait_dead, wait_delivered, wait_requests, whole, zap)

HOT_TO_SLACK = route("slack", wait=True)
SIGNED_UP = """[rule signed-up]
when = event.type == "zapier.event" and event.data.newsletter == "yes"
points = 10
"""
ADA = {"email": "ada@example.com", "firstname": "Ada", "lastname": "Lovelace"}


def enrichments(world, state=None):
    filters = ["--state", state] if state else []
    return deliveries(world, "--connector", "crm", *filters)


def wait_enriched(world, n, timeout=10):
    return eventually(lambda: len(enrichments(world, "delivered")) >= n, timeout, f"{n} answers")


def sent(box):
    """The first line of each message."""
    return [m["text"] for m in messages(box)]


def test_an_unknown_lead_is_asked_about_once(world):
    world.start_sandbox().contacts([record(7, **ADA), record(8, firstname="Grace")])
    box = begin(world, "crm", enrich=True)
    post(world, [event("contact.creation", 7), change(7, "note", "a"), change(7, "note", "b")])
    wait_enriched(world, 1)
    post(world, [change(7, "note", "c"), event("contact.creation", 8)])
    wait_enriched(world, 2)
    equal(requests(box, CRM_READ), 2, "requests: one for each lead")
    equal(len(enrichments(world)), 2, "questions")
    found = lead(world, 7)
    equal(found["properties"]["firstname"]["value"], "Ada", "first name")
    equal(found["properties"]["firstname"]["at"], "2026-01-22T11:39:53.375Z", "its time")
    equal(found["email"], "ada@example.com", "e-mail")
    answer = world.run_json("events", "--lead", f"{PORTAL}:8")[0]
    equal((answer["type"], answer["source"]), ("contact.enriched", "crm"), "the answer is an event")
    asked = world.run_json("events", "show", enrichments(world)[1]["event"])[0]
    equal(answer["request_id"], asked["request_id"], "of the request that made us ask")
    finish(world)


def test_many_leads_are_asked_about_in_few_requests(world):
    contacts = range(1, 251)
    world.start_sandbox().contacts([record(c, firstname=f"N{c}") for c in contacts])
    box = begin(world, "crm", enrich=True)
    box.fail(service="hubspot", status=429, retry_after="1")
    post(world, [event("contact.creation", 1)])
    wait_requests(box, CRM_READ, 1)
    post(world, [event("contact.creation", c) for c in contacts if c > 1])
    wait_enriched(world, 250)
    equal(requests(box, CRM_READ), 1 + 3, "requests: the refused one and 250 at 100 each")
    for c in (1, 100, 250):
        equal(lead(world, c)["properties"]["firstname"]["value"], f"N{c}", "first name")
    finish(world)


def test_a_message_waits_until_the_crm_has_told_who_it_is(world):
    world.start_sandbox().contacts([record(7, **ADA), record(8, firstname="Grace")])
    box = begin(world, "crm", "slack", HOT_TO_SLACK, enrich=True)
    box.fail(service="hubspot", path=CRM_READ, mode="slow", delay_ms=700, times=2)
    make_hot(world, 7, 8)
    began = time.monotonic()
    wait_delivered(world, 2, "--connector", "slack")
    took = time.monotonic() - began
    check(took > 0.5, "not before the answer")
    in_time(took < 5, "right after it, not after 30 s")
    equal(sorted(t.split(" is ")[0] for t in sent(box)), ["Ada Lovelace", "Grace"], "names")
    make_hot(world, 9)  # nobody knows it: found out at once as well
    wait_delivered(world, 3, "--connector", "slack")
    finish(world)


def test_a_route_that_does_not_wait_says_what_is_known(world):
    world.start_sandbox().contacts([record(7, **ADA)])
    box = begin(world, "crm", "slack", route("slack"), enrich=True)
    box.fail(service="hubspot", path=CRM_READ, mode="slow", delay_ms=700)
    make_hot(world, 7)
    wait_delivered(world, 1, "--connector", "slack")
    equal(states(world, "--connector", "crm"), ["pending"], "the CRM has not answered yet")
    check("Ada" not in sent(box)[0], sent(box))
    wait_enriched(world, 1)
    finish(world)


def test_a_contact_that_is_not_there_is_said_and_releases_what_waits(world):
    world.start_sandbox().contacts([record(8, firstname="Grace")])
    begin(world, "crm", "slack", HOT_TO_SLACK, enrich=True)
    make_hot(world, 7, 8)  # one batch: its neighbour is not hurt
    wait_delivered(world, 2, "--connector", "slack", timeout=5)
    dead = wait_dead(world)
    equal((dead["connector"], dead["route"]), ("crm", "enrichment"), "delivery")
    check("no such contact" in dead["reason"], dead["reason"])
    equal(states(world, "--connector", "crm").count("delivered"), 1, "the other one")
    post(world, [change(7, "note", "again")])
    equal(len(enrichments(world)), 2, "not asked again so soon")
    finish(world)


@slow
def test_a_crm_that_is_down_holds_a_message_up_by_thirty_seconds_at_most(world):
    world.start_sandbox().contacts([record(7, **ADA)])
    box = begin(world, connector(world, "crm", backoff="500ms", backoff_max="500ms"), "slack",
                HOT_TO_SLACK, enrich=True)
    box.fail(service="hubspot", status=503, times=1000000)
    began = time.time()
    make_hot(world, 7)
    time.sleep(25)
    equal(len(messages(box)), 0, "messages after 25 s")
    wait_delivered(world, 1, "--connector", "slack", timeout=10)
    waited = messages(box)[0]["received_at"] / 1000 - began
    check(29.5 < waited < 33, f"it waited {waited:.1f} s")
    equal(states(world, "--connector", "crm"), ["pending"], "the CRM is still asked")
    finish(world)


def test_the_crm_back_within_the_thirty_seconds_releases_at_once(world):
    world.start_sandbox().contacts([record(7, **ADA)])
    box = begin(world, "crm", "slack", HOT_TO_SLACK, enrich=True)
    for how in ({"status": 500}, {"status": 503}, {"mode": "drop"}, {"mode": "garbage"},
                {"status": 423}, {"mode": "slow", "delay_ms": 2500}):
        box.fail(service="hubspot", **how)
    make_hot(world, 7)
    wait_delivered(world, 1, "--connector", "slack", timeout=20)
    check(sent(box)[0].startswith("Ada Lovelace is hot"), sent(box))
    finish(world)


def test_retry_after_is_obeyed(world):
    world.start_sandbox().contacts([record(c, firstname="N") for c in (1, 2)])
    box = begin(world, "crm", enrich=True)
    box.fail(service="hubspot", status=429, retry_after="2")
    post(world, [event("contact.creation", 1)])
    wait_requests(box, CRM_READ, 1)
    post(world, [event("contact.creation", 2)])
    wait_enriched(world, 2)
    first, second = [started(whole(world, d)["history"]) for d in enrichments(world)]
    check(first[1] >= first[0] + 2000 and second[0] >= first[0] + 2000, f"{first} {second}")
    equal(requests(box, CRM_READ), 2, "requests")
    finish(world)


def test_a_refusal_keeps_all_that_waits_until_it_is_mended(world):
    world.start_sandbox().contacts([record(7, **ADA), record(8, firstname="Grace")])
    begin(world, connector(world, "crm", token="pat-other"), enrich=True)
    post(world, [event("contact.creation", 7)])
    eventually(lambda: world.metric("funneld_circuit_open", connector="crm") == 1, 10, "it opens")
    asked = enrichments(world)[0]
    check("connector's `token`" in asked["reason"] and "correlation id" in asked["reason"],
          asked["reason"])
    post(world, [event("contact.creation", 8)])
    use(world, text_of(world, "crm", enrich=True))
    wait_enriched(world, 2)
    equal(lead(world, 7)["email"], "ada@example.com", "e-mail")
    equal(states(world, "--connector", "crm"), ["delivered", "delivered"], "nothing was lost")
    finish(world, ["INVALID_AUTHENTICATION"])


def test_a_contact_of_long_ago_is_read_again(world):
    world.start_sandbox().contacts([record(7, phone="1", **ADA)])
    box = begin(world, connector(world, "crm", stale_after="1s"), enrich=True)
    post(world, [event("contact.creation", 7)])
    wait_enriched(world, 1)
    box.contacts([record(7, updated="2026-02-01T00:00:00.000Z", phone="2", lastname="King")])
    post(world, [change(7, "note", "soon")])
    equal(len(enrichments(world)), 1, "fresh enough")
    time.sleep(1)
    post(world, [change(7, "note", "later")])
    wait_enriched(world, 2)
    got = {k: v["value"] for k, v in lead(world, 7)["properties"].items()}
    equal((got["phone"], got["lastname"]), ("2", "King"), "news")
    check(not got.get("firstname"), "what the CRM does not hold any more")
    finish(world)


def test_an_old_record_does_not_overwrite_newer_news(world):
    world.start_sandbox().contacts([record(7, updated="2026-01-22T11:39:53.375Z", **ADA)])
    begin(world, "crm", enrich=True)
    post(world, [change(7, "firstname", "Augusta")])
    wait_enriched(world, 1)
    got = lead(world, 7)["properties"]
    equal((got["firstname"]["value"], got["lastname"]["value"]), ("Augusta", "Lovelace"), "names")
    finish(world)


def test_the_answer_fires_no_engagement_rule_twice(world):
    world.start_sandbox().contacts([record(7, demo_requested="true", jobtitle="Director", **ADA)])
    box = begin(world, connector(world, "crm", stale_after="1s",
                                 properties="email, firstname, demo_requested, jobtitle"),
                "slack", HOT_TO_SLACK, enrich=True)
    make_hot(world, 7)
    wait_enriched(world, 1)
    score = world.run_json("score", f"{PORTAL}:7")[0]
    equal((score["engagement"], score["fit"], score["score"]), (60, 15, 75), "score")
    equal([line["rule"] for line in score["lines"]], ["vip", "demo-request"], "lines")
    time.sleep(1)
    post(world, [change(7, "note", "x")])
    wait_enriched(world, 2)
    equal(world.run_json("score", f"{PORTAL}:7")[0]["score"], 75, "score after a second reading")
    wait_delivered(world, 1, "--connector", "slack")
    equal(len(messages(box)), 1, "one message")
    finish(world)


def test_what_the_crm_tells_can_make_a_lead_hot(world):
    world.start_sandbox().contacts([record(7, jobtitle="Director", **ADA)])
    box = begin(world, connector(world, "crm", properties="email, firstname, jobtitle"), "slack",
                route("slack", "warm", "lead.jobtitle contains 'director' and score >= 15 and "
                      "score.previous < 15").replace("'", '"'), enrich=True)
    post(world, [event("contact.creation", 7)])
    wait_delivered(world, 1, "--connector", "slack")
    check(sent(box)[0].startswith("Ada is "), sent(box))
    finish(world)


def test_a_zapier_lead_becomes_the_crm_contact_of_its_address(world):
    world.start_sandbox().contacts([record(7, jobtitle="Director", **ADA)])
    box = begin(world, connector(world, "crm", properties="email, firstname, lastname, jobtitle"),
                "book", route("book", "all", "score >= 0"), SIGNED_UP, enrich=True)
    zap(world, email="Ada@Example.com ", firstname="ada", event_id="z1", newsletter="yes",
        occurred_at="2026-01-01T00:00:00Z")
    wait_delivered(world, 1, "--connector", "book")
    older = world.run_json("leads", "show", "ada@example.com")[0]
    equal((older["crm_id"], older["score"]), (None, 10), "known by its address only")
    page, = pages(box)

    post(world, [event("contact.creation", 7), demo(7)])  # whose address nobody knows yet
    wait_enriched(world, 1)
    world.all_done()
    joined = world.run_json("leads", "show", f"{PORTAL}:7")[0]
    equal((joined["id"], joined["state"], joined["crm_id"]), (older["id"], "active", "7"),
          "the older one lives on")
    equal(world.run_json("leads", "show", "ada@example.com")[0]["id"], older["id"], "by address")
    merged = [x for x in world.run_json("leads") if x["state"] == "merged"]
    equal([x["merged_into"] for x in merged], [older["id"]], "the other is a signpost")
    score = world.run_json("score", f"{PORTAL}:7")[0]
    equal(round(sum(line["worth"] for line in score["lines"]), 1), score["score"], "lines sum")
    equal((score["fit"], score["engagement"]), (15, 70), "the ledger of both")
    equal(joined["properties"]["newsletter"]["value"], "yes", "what Zapier told")
    kept = [p for p in pages(box) if p["id"] == page["id"]]
    equal(kept[0]["properties"]["Name"], "Ada Lovelace", "its page is kept, and current")
    check(kept[0]["properties"]["CRM"].endswith("/record/0-1/7"), "with the link")
    finish(world)


def test_an_enrichment_in_flight_survives_a_crash(world):
    world.start_sandbox().contacts([record(7, **ADA)])
    box = begin(world, "crm", "slack", HOT_TO_SLACK, enrich=True)
    box.fail(service="hubspot", mode="slow", delay_ms=1500)
    make_hot(world, 7)
    wait_requests(box, CRM_READ, 1)
    world.kill()
    world.start()
    wait_delivered(world, 1, "--connector", "slack")
    check(sent(box)[0].startswith("Ada Lovelace is hot"), sent(box))
    equal(requests(box, CRM_READ), 2, "asked again: reading is harmless")
    finish(world)
