"""The same facts in any order, in any batches, as often as HubSpot likes: the same lead."""
import random
import time

from harness import PORTAL, change, check, equal, event, in_threads

RULES = """[score]
warm = 20
hot = 50
[group clicks]
max = 12
[rule demo]
when = event.property == "demo_requested" and event.value == "true"
points = 60
[rule click]
when = event.property == "clicks"
points = 5
group = clicks
[rule director]
when = lead.jobtitle contains "director"
points = 15
[rule customer]
when = lead.lifecyclestage == "customer"
points = -20
"""
SHUFFLES = 50


def configure(world):
    text = world.base()
    world.configure(text[:text.index("[score]")].replace("level = debug", "level = info") + RULES)


def facts(start):
    """What happened to one contact, each at its own time."""
    at = iter(range(start, start + 1000 * 1000, 1000))
    history = [event("contact.creation", 7, next(at))]
    for stage in ("subscriber", "lead", "customer", "lead", "opportunity"):
        history.append(change(7, "lifecyclestage", stage, next(at)))
    for title in ("clerk", "Director of Sales", "", "managing director"):
        history.append(change(7, "jobtitle", title, next(at)))
    history += [change(7, "clicks", str(n), next(at)) for n in range(5)]
    history.append(event("contact.deletion", 7, next(at)))
    history.append(change(7, "city", "Graz", next(at)))
    history.append(event("contact.restore", 7, next(at)))
    history += [change(7, "demo_requested", v, next(at)) for v in ("true", "false", "true")]
    history += [change(7, "email", v, next(at)) for v in ("old@example.com", "new@example.com")]
    history.append(change(7, "firstname", "Grace", next(at)))
    history.append(change(7, "firstname", None, next(at)))
    return history


def told(history, portal, rng):
    """As HubSpot may tell it: shuffled, some twice or more with another attempt, in batches."""
    several = [dict(e, portalId=portal, eventId=rng.randrange(1, 1 << 40),
                    attemptNumber=attempt, subscriptionId=rng.randrange(1, 99))
               for e in history for attempt in range(rng.choice((1, 1, 1, 2, 3)))]
    rng.shuffle(several)
    batches = []
    while several:
        n = rng.randrange(1, 11)
        batches.append(several[:n])
        several = several[n:]
    return batches


def tell(world, batches):
    """Returns how many were new."""
    client = world.client()
    fresh = 0
    for batch in batches:
        answer = world.post(batch, client=client)
        equal(answer.status, 200, "status")
        reply = answer.json()
        equal((reply["accepted"] + reply["duplicates"], reply["unprocessable"]), (len(batch), 0),
              "reply")
        fresh += reply["accepted"]
    client.close()
    return fresh


def lead_state(world, portal, contact=7):
    lead = world.run_json("leads", "show", f"{portal}:{contact}")[0]
    for name in ("id", "portal_id"):
        del lead[name]
    return lead


def test_50_orders_end_in_the_same_lead(world):
    configure(world)
    world.start()
    history = facts(int(time.time() * 1000) - 3_600_000)
    portals = [500_000 + seed for seed in range(SHUFFLES)]

    def some(portals):
        for portal in portals:
            batches = told(history, portal, random.Random(portal))
            equal(tell(world, batches), len(history), f"new events of seed {portal}")
    in_threads([lambda: some(portals[0::2]), lambda: some(portals[1::2])])
    world.post([dict(e, portalId=1) for e in history])  # in order, once
    want = lead_state(world, 1)
    values = {name: p["value"] for name, p in want["properties"].items()}
    equal(values, {"lifecyclestage": "opportunity", "jobtitle": "managing director", "clicks": "4",
                   "city": "Graz", "demo_requested": "true", "email": "new@example.com",
                   "firstname": None}, "the newest values")
    equal((want["state"], want["score"], want["band"]), ("active", 147, "hot"), "state, score")
    for portal in portals:
        equal(lead_state(world, portal), want, f"seed {portal}")
    world.stop()


test_50_orders_end_in_the_same_lead.slow = True


def test_two_values_of_one_millisecond_end_the_same_way(world):
    """Ties go by a hash over the fact, portal included: so one portal, and a database for each."""
    configure(world)
    at = int(time.time() * 1000) - 60_000
    history = [change(7, "city", city, at) for city in ("Graz", "Linz", "Wels", "Steyr", "Enns")]
    history += [change(7, "jobtitle", title, at) for title in ("clerk", "director")]
    history += [event("contact.deletion", 7, at), event("contact.restore", 7, at)]
    ends = []
    for seed in range(6):
        world.database = f"{world.folder}/{seed}.db"
        configure(world)
        world.start()
        equal(tell(world, told(history, PORTAL, random.Random(seed))), len(history), "new")
        ends.append(lead_state(world, PORTAL))
        world.stop()
    for lead in ends[1:]:
        equal(lead, ends[0], "lead")
    equal(ends[0]["state"], "deleted", "a deletion wins over a restore of the same time")


def test_a_merge_ends_the_same_way_before_and_after_its_contacts_events(world):
    configure(world)
    world.start()
    start = int(time.time() * 1000) - 600_000
    history = [change(7, "city", "Graz", start), change(7, "jobtitle", "director", start + 3000),
               change(8, "city", "Linz", start + 1000), change(8, "demo_requested", "true", start),
               event("contact.merge", None, start + 5000, primaryObjectId=7, newObjectId=7,
                     mergedObjectIds=[8], numberOfPropertiesMoved=1),
               change(7, "firstname", "Grace", start + 6000)]
    orders = [random.Random(seed).sample(history, len(history)) for seed in range(12)]
    ends = []
    for i, order in enumerate([history] + orders):
        portal = 600_000 + i
        for e in order:
            equal(world.post([dict(e, portalId=portal)]).status, 200, "post")
        lead = lead_state(world, portal)
        ends.append(lead)
        equal(lead["state"], "active", "the winner")
        loser = world.run_json("leads", "--state", "merged", "--limit", "1")[0]
        check(loser["merged_into"], "the other one says where it went")
    values = {name: p["value"] for name, p in ends[0]["properties"].items()}
    equal(values, {"city": "Linz", "jobtitle": "director", "demo_requested": "true",
                   "firstname": "Grace"}, "the newest of both")
    for i, lead in enumerate(ends):
        equal(lead, ends[0], f"order {i}")
    world.stop()


def test_an_event_from_the_future_does_not_win_for_ever(world):
    configure(world)
    world.start()
    now = int(time.time() * 1000)
    equal(world.post([change(7, "city", "Utopia", now + 86_400_000)]).status, 200, "post")
    equal(world.post([change(7, "city", "Graz", int(time.time() * 1000) + 1)]).status, 200, "post")
    equal(lead_state(world, PORTAL)["properties"]["city"]["value"], "Graz", "city")
    world.stop()
