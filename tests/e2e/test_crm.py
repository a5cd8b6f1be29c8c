"""HubSpot is told what its contacts are worth; and asked what changed while we were away."""
import json
import time
from datetime import datetime, timezone

from harness import PORTAL, Client, change, check, demo, equal, event, eventually, log_lines
from services import (begin, connector, deliveries, finish, lead, make_hot, post, record, requests,
                      retry, route, states, text_of, use, wait_dead, wait_delivered, wait_requests,
                      whole, zap)
from test_chances import put_in_use

UPDATE = "/crm/v3/objects/contacts/batch/update"
SEARCH = "/crm/v3/objects/contacts/search"
ADA = {"email": "ada@example.com", "firstname": "Ada", "lastname": "Lovelace"}
OUTPUTS = {"funneld_score": "number", "funneld_band": "string", "funneld_reasons": "string",
           "funneld_updated": "datetime"}
ANY_CHANGE = """[rule any]
when = event.type == "contact.propertyChange"
points = 1
"""
ALWAYS = route("crm", "tell", "score >= -1000")


def make_properties(box, properties=None):
    """What a person does in HubSpot, or `check --online --create`."""
    client = Client(box.port, tls=False)
    for name, kind in (properties or OUTPUTS).items():
        body = {"groupName": "contactinformation", "name": name, "label": name, "type": kind,
                "fieldType": "number" if kind == "number" else "text"}
        answer = client.request("POST", "/crm/v3/properties/contacts", json.dumps(body).encode(),
                                {"Authorization": "Bearer pat-sandbox",
                                 "Content-Type": "application/json"})
        equal(answer.status, 201, f"property {name}: {answer.body!r}")
    client.close()


def hubspot(box):
    return box.state()["hubspot"]


def written(box, contact):
    """What the contact's properties are now, as far as we wrote them."""
    return {w["property"]: w["value"] for w in hubspot(box)["writes"] if w["id"] == str(contact)}


def told(world, state=None):
    filters = ["--state", state] if state else []
    return [d for d in deliveries(world, "--connector", "crm", *filters)
            if d["route"] not in ("enrichment", "catch-up")]


def wait_told(world, n, timeout=10):
    eventually(lambda: len(told(world, "delivered")) == n, timeout, f"{n} told")


def prepare(world, *contacts, properties=None):
    box = world.start_sandbox()
    make_properties(box, properties)
    box.contacts([record(c, firstname=f"N{c}") for c in contacts])
    return box


def now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_a_contact_is_told_what_it_is_worth(world):
    box = prepare(world, 7)
    begin(world, "crm", route("crm"))
    make_hot(world, 7)
    wait_told(world, 1)
    got = written(box, 7)
    equal((got["funneld_score"], got["funneld_band"]), ("60", "hot"), "score and band")
    equal(got["funneld_reasons"], "demo request +60", "reasons")
    check(got["funneld_updated"].startswith("20"), got)
    equal(told(world)[0]["remote_id"], "7", "the record")
    finish(world)


def test_only_what_changed_is_written(world):
    box = prepare(world, 7)
    begin(world, "crm", ALWAYS)
    post(world, [change(7, "note", "a")])
    wait_told(world, 1)
    for text in "bcd":
        post(world, [change(7, "note", text)])
        world.all_done()
    equal(hubspot(box)["updates"], 1, "updates")
    equal(len([d for d in told(world) if d["state"] == "delivered"]), 4, "delivered all the same")
    shown = whole(world, told(world)[-1])["history"][-1]
    check("nothing has changed" in shown["detail"], shown)
    make_hot(world, 7)
    eventually(lambda: hubspot(box)["updates"] == 2, 10, "news are written")
    finish(world)


def test_a_burst_is_written_in_batches_and_one_bad_contact_hurts_no_other(world):
    contacts = range(1, 251)
    box = prepare(world, *contacts)
    box.contacts([{**record(77), "poison": True}, {**record(99), "archived": True}])
    begin(world, "crm", ALWAYS)
    world.run("pause", "crm")
    post(world, [change(c, "note", "a") for c in contacts])
    world.run("resume", "crm")
    eventually(lambda: len(told(world, "delivered")) == 248, 20, "the others are written")
    dead = {d["lead"]: d["reason"] for d in told(world, "dead")}
    equal(sorted(dead), sorted([lead(world, 77)["id"], lead(world, 99)["id"]]), "dead ones")
    check("deleted or merged" in dead[lead(world, 99)["id"]], dead)
    check("the whole batch is refused" in dead[lead(world, 77)["id"]], dead)
    check(hubspot(box)["updates"] < 35, f"requests: {hubspot(box)['updates']}")
    finish(world)


def test_properties_may_have_other_names(world):
    box = prepare(world, 7, properties={"lead_score": "number", "tier": "string"})
    begin(world, connector(world, "crm", **{"property.score": "lead_score", "property.band": "tier",
                                            "property.reasons": "", "property.updated": ""}),
          route("crm"))
    make_hot(world, 7)
    wait_told(world, 1)
    equal(written(box, 7), {"lead_score": "60", "tier": "hot"}, "written")
    finish(world)


def test_a_lead_with_an_address_only_is_written_by_it(world):
    box = prepare(world)
    box.contacts([record(7, **ADA)])
    begin(world, "crm", ALWAYS)
    zap(world, email="Ada@example.com", event_id="z1", occurred_at="2026-01-01T00:00:00Z")
    wait_told(world, 1)
    equal(written(box, 7)["funneld_band"], "cold", "band")
    zap(world, email="nobody@example.com", event_id="z2", occurred_at="2026-01-01T00:00:00Z")
    check("no contact with this address" in wait_dead(world)["reason"], "the reason")
    finish(world)


def test_a_missing_property_stops_the_connector_until_somebody_makes_it(world):
    box = world.start_sandbox()
    box.contacts([record(7)])
    begin(world, connector(world, "crm", backoff="200ms", backoff_max="300ms"), route("crm"))
    make_hot(world, 7)
    eventually(lambda: world.metric("funneld_circuit_open", connector="crm") == 1, 10, "it opens")
    pending = told(world)[0]
    equal(pending["state"], "pending", "it is kept")
    check("the property is missing" in pending["reason"], pending["reason"])
    make_properties(box)
    wait_told(world, 1)
    equal(written(box, 7)["funneld_band"], "hot", "band")
    finish(world)


def test_what_a_model_says_goes_where_there_is_a_property_and_is_cleared_after_it(world):
    box = prepare(world, 7)
    begin(world, "crm", ALWAYS)
    put_in_use(world, "one", -1.0, {"@event.demo_requested.count.30d": 3.0})
    post(world, [change(7, "note", "a")])
    wait_told(world, 1)
    reason = log_lines(world, "delivery.delivered")[-1]["reason"]
    check("without funneld_probability" in reason, reason)
    equal(written(box, 7)["funneld_band"], "cold", "all else")
    answer = json.loads(world.run("check", "--online", "--json", status=1))
    equal([f["what"] for f in answer["online"] if f["state"] == "fails"],
          ["property funneld_probability"], "check --online")
    make_properties(box, {"funneld_probability": "number"})
    post(world, [change(7, "note", "b")])
    eventually(lambda: written(box, 7).get("funneld_probability") == "26.9", what="written")
    world.run("model", "rollback")
    post(world, [change(7, "note", "c")])
    eventually(lambda: written(box, 7)["funneld_probability"] == "", what="cleared")
    finish(world)


def test_asking_and_telling_share_the_lane_and_no_request(world):
    contacts = range(1, 61)
    box = prepare(world, *contacts)
    box.fail(service="hubspot", status=503)
    begin(world, "crm", ALWAYS, enrich=True)
    world.run("pause", "crm")
    post(world, [change(c, "note", "a") for c in contacts])
    world.run("resume", "crm")
    world.all_done()
    equal(set(states(world, "--connector", "crm")), {"delivered", "superseded"}, "states")
    for c in (1, 60):
        equal(lead(world, c)["properties"]["firstname"]["value"], f"N{c}", "asked")
        equal(written(box, c)["funneld_band"], "cold", "told")
    finish(world)


def test_a_loop_with_hubspot_dies_at_the_first_turn(world):
    """Every change scores, every score is written, and HubSpot tells of every write."""
    box = prepare(world, 7)
    begin(world, "crm", ANY_CHANGE, ALWAYS)
    post(world, [change(7, "note", "a")])
    seen = turns = 0
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < 1.5 and turns < 20:
        writes = hubspot(box)["writes"]
        if len(writes) > seen:
            # changeSource says nothing that could be relied on
            post(world, [change(7, w["property"], w["value"], changeSource="CRM_UI")
                         for w in writes[seen:]])
            seen, turns, quiet_since = len(writes), turns + 1, time.monotonic()
        time.sleep(0.05)
    equal((turns, hubspot(box)["updates"]), (1, 1), "turns and updates")
    events = world.run_json("events", "--lead", f"{PORTAL}:7")
    equal([e["type"] for e in events].count("contact.propertyChange"), 5, "the echoes are stored")
    equal({e["state"] for e in events}, {"processed"}, "and no trouble")
    equal(lead(world, 7)["score"], 1, "score")
    check(not any(p in OUTPUTS for p in lead(world, 7)["properties"]), "nothing of ours is folded in")
    past = world.run_json("score", f"{PORTAL}:7", "--at", now())[0]
    equal(past["score"], 1, "neither in the past")
    finish(world)


# Catch-up

def catch_ups(world):
    return [d for d in deliveries(world, "--connector", "crm") if d["route"] == "catch-up"]


def away(world, box, contacts, seconds=1.3):
    """The daemon is down while these change."""
    world.stop()
    time.sleep(seconds)
    box.contacts(contacts)
    world.start()


def crm(world, **options):
    return connector(world, "crm", **{"catch_up_after": "1s", **options})


def test_what_changed_while_we_were_away_is_folded_in(world):
    box = prepare(world, 7, 8)
    box.contacts([record(7, jobtitle="Clerk", **ADA)])
    begin(world, crm(world, properties="email, firstname, lastname, jobtitle"), "slack",
          route("slack", "vips", 'score >= 15 and score.previous < 15'), enrich=True)
    post(world, [event("contact.creation", 7)])
    world.all_done()
    away(world, box, [record(7, now(), jobtitle="Director", **ADA),
                      record(9, now(), jobtitle="Director", email="new@example.com")])
    eventually(lambda: [d["state"] for d in catch_ups(world)] == ["delivered"], 10, "it is done")
    equal(lead(world, 7)["properties"]["jobtitle"]["value"], "Director", "the known one")
    equal(lead(world, 9)["email"], "new@example.com", "one that was made meanwhile")
    wait_delivered(world, 2, "--connector", "slack")  # judged and routed as by any other news
    found = world.run_json("events", "--lead", f"{PORTAL}:9")
    equal([(e["type"], e["source"]) for e in found], [("contact.recovered", "crm")], "events")
    begun = world.run_json("events", "show", catch_ups(world)[0]["event"])[0]
    equal((begun["type"], begun["state"]), ("catch-up.started", "unlinked"), "why it was asked")
    equal(begun["body"]["portalId"], PORTAL, "account")
    check("since" in begun["body"] and "until" in begun["body"], begun)
    past = world.run_json("score", f"{PORTAL}:9", "--at", now())[0]
    equal(past["score"], 15, "the past is rebuilt from it")
    equal(requests(box, "/crm/v3/objects/contacts/batch/read"), 1, "nobody is asked about twice")
    finish(world)


def test_thousands_come_page_by_page_and_a_crash_costs_one(world):
    box = prepare(world, 7)
    begin(world, crm(world, portal=PORTAL), enrich=True)
    post(world, [event("contact.creation", 7)])
    world.all_done()
    world.stop()
    time.sleep(1.3)
    one = now()  # more than a page in one millisecond
    box.contacts([record(c, one, firstname=f"N{c}") for c in range(1000, 1250)])
    box.contacts([record(c, now(), firstname=f"N{c}") for c in range(2000, 2150)])
    box.fail(service="hubspot", path=SEARCH, mode="slow", delay_ms=1, times=2)
    box.fail(service="hubspot", path=SEARCH, mode="slow", delay_ms=1500)
    world.start()
    wait_requests(box, SEARCH, 3)
    world.kill()
    world.start()
    eventually(lambda: catch_ups(world)[0]["state"] == "delivered", 20, "it is done")
    for c in (1000, 1249, 2000, 2149):
        equal(lead(world, c)["properties"]["firstname"]["value"], f"N{c}", "first name")
    equal(len(world.run_json("leads", "--limit", "1000")), 401, "leads")
    history = whole(world, catch_ups(world)[0])["history"]
    equal({a["verdict"] for a in history}, {"more", "delivered"}, "each page is an attempt")
    check(requests(box, SEARCH) <= len(history) + 1, "one page was asked for twice")
    finish(world)


def test_a_crm_that_is_down_is_asked_later(world):
    box = prepare(world, 7)
    begin(world, crm(world), enrich=True)
    post(world, [event("contact.creation", 7)])
    world.all_done()
    for status in (503, 500, 423):
        box.fail(service="hubspot", path=SEARCH, status=status)
    away(world, box, [record(7, now(), firstname="Late")])
    eventually(lambda: lead(world, 7)["properties"]["firstname"]["value"] == "Late", 15, "late")
    eventually(lambda: [d["state"] for d in catch_ups(world)] == ["delivered"], 10, "it is done")
    finish(world)


def test_a_short_outage_needs_no_catch_up(world):
    box = prepare(world, 7)
    begin(world, crm(world, catch_up_after="1h"), enrich=True)
    post(world, [event("contact.creation", 7)])
    world.all_done()
    away(world, box, [record(7, now(), firstname="Late")])
    time.sleep(0.5)
    equal((catch_ups(world), requests(box, SEARCH)), ([], 0), "catch-ups and searches")
    finish(world)


def test_it_can_be_switched_off_and_needs_a_past_and_a_source(world):
    box = prepare(world, 7)
    begin(world, crm(world), enrich=True)  # a first start
    equal(catch_ups(world), [], "without a past")
    post(world, [event("contact.creation", 7)])
    world.all_done()
    world.configure(text_of(world, crm(world, catch_up="no"), enrich=True))
    away(world, box, [])
    world.configure(text_of(world, crm(world)).replace("[rule", "[rule", 1)
                    .replace("secret = ${HUBSPOT_CLIENT_SECRET}",
                             "secret = ${HUBSPOT_CLIENT_SECRET}\nenrich = none"))
    away(world, box, [])
    time.sleep(0.5)
    equal((catch_ups(world), requests(box, SEARCH)), ([], 0), "catch-ups and searches")
    finish(world)


def test_whose_contacts_they_are_must_be_clear(world):
    box = prepare(world, 7)
    begin(world, crm(world), enrich=True)
    post(world, [event("contact.creation", 7), event("contact.creation", 8, portalId=PORTAL + 1)])
    world.all_done()
    away(world, box, [])
    check(log_lines(world, "catch_up.impossible"), "it says why there is none")
    equal(catch_ups(world), [], "catch-ups")
    world.configure(text_of(world, crm(world, portal=PORTAL), enrich=True))
    away(world, box, [])
    eventually(lambda: len(catch_ups(world)) == 1, 10, "it is configured")
    world.all_done()
    finish(world)
