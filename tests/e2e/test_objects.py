"""Companies, deals and tickets: what happens to them reaches the leads that have them."""
from harness import PORTAL, check, equal, event, eventually
from services import (begin, connector, deliveries, finish, lead, messages, post, record, requests,
                      wait_delivered, wait_requests)

DEALS = "/crm/v3/objects/deals/batch/read"
OF_DEALS = "/crm/v4/associations/deals/contacts/batch/read"
ADA = {"email": "ada@example.com", "firstname": "Ada", "lastname": "Lovelace"}
WON = """[rule big]
when = lead.deal_amount >= 1000
points = 30

[route won]
when = event.type == "deal.propertyChange" and lead.deal_stage == "closedwon"
to = slack
"""


def deal(number, contacts=(), **properties):
    return {"kind": "deals", "id": str(number), "properties": properties,
            "contacts": [str(c) for c in contacts], "updatedAt": "2026-01-22T11:39:53.375Z"}


def changed(kind, number, name, value):
    return event(f"{kind}.propertyChange", number, propertyName=name, propertyValue=value)


def facts(world, contact):
    properties = lead(world, contact)["properties"]
    return {n: p["value"] for n, p in properties.items()
            if n.startswith(("deal", "company_")) and p["value"]}


def wait_read(world, n):
    eventually(lambda: len(deliveries(world, "--connector", "crm", "--state", "delivered")) >= n,
               15, f"{n} answers")


def test_a_deals_stage_makes_a_route_fire_for_its_contact(world):
    box = world.start_sandbox()
    box.contacts([record(7, **ADA)])
    box.objects([deal(90, [7], dealname="Engine", dealstage="new", amount="1200")])
    begin(world, "crm", "slack", WON, enrich=True)
    post(world, [event("deal.creation", 90)])
    wait_read(world, 2)  # the deal, and then the contact that nobody knew
    equal((requests(box, DEALS), requests(box, OF_DEALS)), (1, 1), "requests")
    found = lead(world, 7)
    equal(found["properties"]["firstname"]["value"], "Ada", "who it is")
    equal(found["score"], 30, "score")
    equal(facts(world, 7), {"deal_amount": "1200", "deal_id": "90", "deal_name": "Engine",
                            "deal_stage": "new", "deals": "1"}, "what it knows of its deal")
    post(world, [changed("deal", 90, "dealstage", "closedwon")])
    wait_delivered(world, 1, "--connector", "slack")
    check("Ada Lovelace" in messages(box)[0]["text"], "the message is about the contact")
    equal(facts(world, 7)["deal_stage"], "closedwon", "stage")
    told = world.run_json("events", "--lead", f"{PORTAL}:7", "--limit", "1")[0]
    equal((told["type"], told["source"], told["state"]),
          ("deal.propertyChange", "hubspot", "processed"), "the lead's own event")
    finish(world)


def test_score_at_knows_what_the_deal_was_then(world):
    begin(world, "slack", WON)
    link = event("deal.associationChange", None, associationType="DEAL_TO_CONTACT",
                 fromObjectId=90, toObjectId=7, associationRemoved=False)
    post(world, [link, changed("deal", 90, "amount", "1200")])
    then = world.run_json("events", "--limit", "1")[0]["received_at"]
    post(world, [changed("deal", 90, "amount", "5")])
    who = f"{PORTAL}:7"
    equal(world.run_json("score", who)[0]["score"], 0, "now")
    equal(world.run_json("score", who, "--at", then)[0]["score"], 30, "then")
    finish(world)


def test_events_of_nobodys_object_are_unlinked_until_somebody_has_it(world):
    begin(world, "slack", WON)
    post(world, [changed("company", 5, "industry", "BANKING"), event("contact.creation", 7)])
    unlinked = world.run_json("events", "--state", "unlinked")
    equal([e["type"] for e in unlinked], ["company.propertyChange"], "unlinked")
    post(world, [event("contact.associationChange", None, associationType="CONTACT_TO_COMPANY",
                       fromObjectId=7, toObjectId=5, associationRemoved=False)])
    equal(facts(world, 7).get("company_industry"), "BANKING", "industry")
    post(world, [event("contact.privacyDeletion", 7)])
    equal(lead(world, 7)["properties"], {}, "nothing is left of an erased person")
    finish(world)


def test_a_deal_that_is_gone_or_refused_is_dead_with_a_reason(world):
    box = begin(world, "crm", "slack", WON, enrich=True)
    post(world, [event("deal.creation", 90)])
    dead = eventually(lambda: deliveries(world, "--connector", "crm", "--state", "dead"), 15,
                      "a dead one")
    check("no such deal" in dead[0]["reason"], dead[0]["reason"])
    equal(dead[0]["lead"], None, "it is of no lead")
    box.fail(service="hubspot_objects", status=403, times=1)
    post(world, [event("ticket.creation", 91)])
    wait_requests(box, "/crm/v3/objects/tickets/batch/read", 1)
    reasons = eventually(lambda: [d["reason"] for d in deliveries(world, "--connector", "crm",
                                                                  "--state", "dead")][1:], 15,
                         "the refused one")
    check("scope" in reasons[0] and "tickets" in reasons[0], reasons[0])
    finish(world)


def test_a_token_without_the_scope_for_deals_reads_contacts_all_the_same(world):
    box = world.start_sandbox()
    box.contacts([record(7, **ADA)])
    box.objects([deal(90, [7], dealname="Engine")])
    begin(world, connector(world, "crm", token="pat-reader"), "slack", WON, enrich=True)
    post(world, [event("deal.creation", 90), event("contact.creation", 7)])
    dead = eventually(lambda: deliveries(world, "--connector", "crm", "--state", "dead"), 15,
                      "a dead one")
    check("the private app needs crm.objects.deals.read" in dead[0]["reason"], dead[0]["reason"])
    wait_read(world, 1)
    equal(lead(world, 7)["properties"]["firstname"]["value"], "Ada", "who it is")
    finish(world, ("MISSING_SCOPES",))
