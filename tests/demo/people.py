"""tests/demo/people.py - rows of the bank's campaign as people, and what HubSpot would tell of them.

Names and addresses are made up, from a fixed seed; ages, jobs and outcomes are the data set's.
"""
import csv
import itertools
import math
import os
import random

PORTAL = 242711451
FIRST_ID = 267448862000  # HubSpot's ids are above 2^32
BATCH = 100
DAY_MS = 86400000
DATA = os.path.join(os.path.dirname(__file__), "..", "data")
SAMPLE, PAST = os.path.join(DATA, "bank_sample.csv"), os.path.join(DATA, "bank_past.csv")

GIVEN = ("Ada Ben Chloe Dario Elif Finn Greta Hugo Ines Jonas Kira Luca Mara Nils Olga Pavel Rosa "
         "Sami Tessa Umar Vera Wanda Yara Zeno").split()
FAMILY = ("Abel Brandt Cardoso Duarte Ekholm Ferreira Gomes Hansen Ivanov Jansen Keller Lopes "
          "Moreira Novak Okafor Pinto Quint Rossi Silva Teixeira Urban Vidal Weber Zimmer").split()


class Person:
    def __init__(self, number, row, rng):
        self.id = FIRST_ID + number
        self.row = row
        self.first, self.last = rng.choice(GIVEN), rng.choice(FAMILY)
        self.email = f"{self.first}.{self.last}.{number}@example.com".lower()
        self.subscribed = row["y"] == "yes"
        self.times = {}  # of the events that count, by property

    def contact(self, at_text):
        """The CRM's record; `unknown` is how the data set says that a value is missing."""
        known = {k: v if v != "unknown" else None for k, v in self.row.items()}
        return {"id": str(self.id), "updatedAt": at_text, "properties": {
            "email": self.email, "firstname": self.first, "lastname": self.last,
            "age": known["age"], "job": known["job"], "education": known["education"],
            "default": known["default"]}}

    def score(self, now):
        """What funneld.conf makes of it, worked out once more by other code."""
        r, lines = self.row, []
        lines.append(20 if int(r["age"]) >= 60 else 0)
        lines.append({"student": 20, "retired": 10, "admin.": 5, "management": 5}.get(r["job"], 0))
        lines.append(8 if r["education"] == "university.degree" else 0)
        lines.append(5 if r["default"] == "no" else 0)
        lines.append(-10 if int(r["campaign"]) > 5 else 0)
        points = {("last_campaign", "success"): (45, 180), ("last_campaign", "failure"): (10, 90),
                  ("reached_on", "cellular"): (12, 60)}
        engagement = 0
        for (name, value), (worth, days) in points.items():
            if self.told(name) == value:
                engagement += worth * math.pow(0.5, (now - self.times[name]) / (days * DAY_MS))
        return sum(lines) + min(engagement, 50) + self.webinar_worth(now)

    def webinar_worth(self, now):
        at = self.times.get("webinar")
        return 0 if at is None else 12 * math.pow(0.5, (now - at) / (30 * DAY_MS))

    def told(self, name):
        value = self.row[{"last_campaign": "poutcome", "reached_on": "contact"}[name]]
        return None if value == "nonexistent" else value


def past(path):
    """The bank's people of before, as its CRM would export them; returns how many there are."""
    columns = {"age": "age", "job": "job", "education": "education", "default": "default",
               "campaign": "calls", "poutcome": "last_campaign", "contact": "reached_on",
               "y": "subscribed"}
    missing = ("unknown", "nonexistent")
    with open(PAST, newline="") as f:
        rows = [{new: "" if r[old] in missing else r[old] for old, new in columns.items()}
                for r in csv.DictReader(f)]
    with open(path, "w", newline="") as f:
        table = csv.DictWriter(f, columns.values())
        table.writeheader()
        table.writerows(rows)
    return len(rows)


def people():
    with open(SAMPLE, newline="") as f:
        rows = list(csv.DictReader(f))
    rng = random.Random(20081105)
    return [Person(n, row, rng) for n, row in enumerate(rows, 1)]


class Notes:
    """Makes HubSpot's notifications; the ids of their events count up."""

    def __init__(self):
        self.ids = itertools.count(3816279340)

    def note(self, person, kind, at, **more):
        return {"eventId": next(self.ids), "subscriptionId": 4578255, "portalId": PORTAL,
                "appId": 19635961, "occurredAt": at, "subscriptionType": kind, "attemptNumber": 0,
                "objectId": person.id, "changeSource": "INTEGRATION", **more}

    def change(self, person, at, name, value):
        person.times[name] = at
        return self.note(person, "contact.propertyChange", at, propertyName=name,
                         propertyValue=value)

    def again(self, note):
        """The same fact, told once more: only the ids around it differ."""
        return {**note, "eventId": next(self.ids), "attemptNumber": note["attemptNumber"] + 1}


def story(person, notes, now, rng):
    """What happened to one person, over the last three weeks."""
    at = now - rng.randrange(3 * DAY_MS, 21 * DAY_MS)
    yield notes.note(person, "contact.creation", at, changeFlag="CREATED")
    if person.told("last_campaign"):
        yield notes.change(person, at + 1000, "last_campaign", person.told("last_campaign"))
    calls = int(person.row["campaign"])
    for call in range(max(1, calls - 1), calls + 1):
        at += rng.randrange(3600000, DAY_MS)
        yield notes.change(person, at, "calls", str(call))
    yield notes.change(person, at + 60000, "reached_on", person.told("reached_on"))


def sign_ups(crowd, now):
    """What a Zap sends when a form is filled in: every twentieth signs up for a webinar."""
    for number, person in enumerate(crowd[::20], 1):
        person.times["webinar"] = now - number * 60000
        yield {"submission": {"id": f"form-{number}", "at": person.times["webinar"]},
               "person": {"mail": person.email.upper(), "name": person.first},
               "webinar": "Deposits in plain words"}


def batches(crowd, now):
    """(batches of 100 as HubSpot might send them, number of different facts): in no order, and
    every thirtieth notification comes again some batches later."""
    rng, notes = random.Random(20101105), Notes()
    facts = [n for person in crowd for n in story(person, notes, now, rng)]
    rng.shuffle(facts)
    queue = list(facts)
    for i, fact in enumerate(facts):
        if i % 30 == 29:
            queue.insert(min(len(queue), i + rng.randrange(BATCH, 4 * BATCH)), notes.again(fact))
    return [queue[i:i + BATCH] for i in range(0, len(queue), BATCH)], len(facts)
