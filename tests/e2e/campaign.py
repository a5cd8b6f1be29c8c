"""tests/e2e/campaign.py - kill -9 again and again under load, and an oracle that looks for one lie.

    python3 tests/e2e/campaign.py [--kills 1000] [--seed N] [--bin build/plain/funneld]

Producers send signed events over kept connections, alone and in batches, out of order, some of
them twice, and write down in a file what was answered 200. Meanwhile the daemon is killed with
SIGKILL at random moments, some of them in its start or during a backup, and started again at once;
checkpoints, retention and deliveries are going on all the time. Every 50 kills producers pause, and
what they wrote down is compared with the database, read by Python's sqlite3, and with what the
stand-in for Slack was told. A failure prints the seed and keeps the folder.
"""
import argparse
import collections
import contextlib
import http.client
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import sys
import threading
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import (Failure, Process, Sink, World, change, check, equal,  # noqa: E402
                     eventually, integrity, sign_v3, slack_lines)

KEPT_S = 40          # what is older may be purged
LONG = 500           # kills, in which that and a backup do happen
REPEATED_S = 4       # how long after its answer a request may be told again
PRODUCERS = 4
DEMO, FORM, CUSTOMER = 60, 3, 5

RULES = f"""[score]
warm = 20
hot = 50
[rule demo]
when = event.property == "demo"
points = {DEMO}
[rule form]
when = event.property == "form"
points = {FORM}
[rule customer]
when = lead.stage == "customer"
points = {CUSTOMER}
[route ring]
when = event.property == "ring"
to = slack
[message ring]
text = {{{{event.value}}}}
"""


class Facts:
    """What was sent and what was answered, by (contact, property, time)."""

    def __init__(self, folder):
        self.lock = threading.Lock()
        self.sent = set()
        self.answered = {}  # when first
        self.values = {}
        self.file = open(os.path.join(folder, "answered.jsonl"), "w")

    @staticmethod
    def key(event):
        return event["objectId"], event["propertyName"], event["occurredAt"]

    def sending(self, batch):
        with self.lock:
            for event in batch:
                self.sent.add(self.key(event))
                self.values[self.key(event)] = event["propertyValue"]

    def was_answered(self, batch, answer):
        with self.lock:
            self.file.write(json.dumps([answer, [self.key(e) for e in batch]]) + "\n")
            for event in batch:
                self.answered.setdefault(self.key(event), time.time())


class Producer(threading.Thread):
    """One connection. What got no 200 is sent again until it does."""

    def __init__(self, campaign, number):
        super().__init__(daemon=True)
        self.campaign, self.number = campaign, number
        self.chance = random.Random(f"{campaign.options.seed}/{number}")
        self.connection = None
        self.fresh = 0
        self.recent = collections.deque(maxlen=20)
        self.idle = threading.Event()
        self.failure = None

    def make_event(self):
        self.fresh += 1
        contact = self.number * 1_000_000 + 1 + self.chance.randrange(max(1, self.fresh // 4))
        name = self.chance.choice(["note", "note", "stage", "form", "demo", "ring"])
        value = {"stage": self.chance.choice(["lead", "customer"]), "demo": "true",
                 "ring": f"r{self.number}-{self.fresh}"}.get(name, f"v{self.fresh}")
        # A time of its own, up to a minute ago: the newest is not the one that comes last.
        at = int(time.time() * 1000) - self.chance.randrange(60_000)
        event = change(contact, name, value, at)
        return self.make_event() if Facts.key(event) in self.campaign.facts.sent else event

    def next_batch(self):
        if self.recent and self.chance.random() < 0.15:
            when, batch = self.chance.choice(self.recent)
            if time.time() - when < REPEATED_S:
                return [dict(e, eventId=e["eventId"] + 10 ** 9, attemptNumber=1) for e in batch]
        size = 1 if self.chance.random() < 0.6 else self.chance.randint(2, 12)
        batch = {Facts.key(e): e for e in (self.make_event() for _ in range(size))}
        return list(batch.values())

    def post(self, batch):
        """The answer, or None where there was none."""
        body = json.dumps(batch).encode()
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.campaign.world.port,
                                                             timeout=10)
            self.connection.request("POST", "/webhooks/hubspot", body,
                                    {"Content-Type": "application/json", **sign_v3(body)})
            answer = self.connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            return None
        if answer.status == 503:
            return None
        equal(answer.status, 200, f"status; {text!r}")
        return json.loads(text)

    def deliver(self, batch):
        known = sum(Facts.key(e) in self.campaign.facts.answered for e in batch)
        self.campaign.facts.sending(batch)
        while (answer := self.post(batch)) is None:
            if self.campaign.over.is_set():
                return
            time.sleep(0.005)
        equal(answer["accepted"] + answer["duplicates"], len(batch), "events of the answer")
        check(answer["duplicates"] >= known, f"{known} were answered before: {answer}")
        self.campaign.facts.was_answered(batch, answer)
        self.recent.append((time.time(), batch))

    def run(self):
        try:
            while not self.campaign.over.is_set():
                if self.campaign.paused.is_set():
                    self.idle.set()
                    time.sleep(0.01)
                    continue
                self.idle.clear()
                self.deliver(self.next_batch())
                time.sleep(0.004)
        except Exception as e:
            self.failure = e
        self.idle.set()


class Campaign:
    def __init__(self, options):
        self.options = options
        self.world = World(options)
        self.sink = Sink().start()
        self.facts = Facts(self.world.folder)
        self.chance = random.Random(options.seed)
        self.paused, self.over = threading.Event(), threading.Event()
        self.heard = 0  # messages that were checked
        self.rung = collections.Counter()
        self.kills = collections.Counter()
        base = self.world.base(tls=False, store=f"retention = {KEPT_S}s\ncheckpoint = 64KiB")
        self.world.configure(base.partition("[score]")[0].replace("level = debug", "level = warn") +
                             RULES + slack_lines(self.sink, "concurrency = 4"))
        self.producers = [Producer(self, n) for n in range(1, PRODUCERS + 1)]

    def start(self):
        # One log for all of them; each start is a process of its own.
        argv = [self.options.bin, "-c", self.world.config_path, "serve"]
        self.world.daemon = Process(argv, os.path.join(self.world.folder, "daemon.log"),
                                    self.world.env)

    def kill(self, n):
        """At a random moment after a start; now and then so late that it purges and has a backup."""
        if n % 100 == 25:
            self.kills["in the retention"] += 1
            self.world.wait_ready()
            self.world.daemon.signal(signal.SIGUSR2)
            time.sleep(5 + self.chance.random())
            equal(self.world.metric("funneld_promise_violations"), 0, "what its own audit found")
        elif self.chance.random() < 0.25:
            self.kills["in the start"] += 1
            time.sleep(self.chance.random() * 0.08)
        else:
            self.world.wait_ready()
            time.sleep(self.chance.random() * 0.25)
            if self.chance.random() < 0.3:
                self.kills["in a backup"] += 1
                self.world.daemon.signal(signal.SIGUSR2)
                time.sleep(self.chance.random() * 0.05)
        equal(self.world.daemon.child.poll(), None, "the daemon ended by itself")
        self.world.kill()

    # The oracle

    def quiet(self):
        """Nobody sends, everything that was sent is answered, and nothing waits to be delivered."""
        self.paused.set()
        self.world.wait_ready()
        for p in self.producers:
            check(p.idle.wait(30), "a producer got no answer in 30 s")
            if p.failure:
                raise p.failure
        with self.database() as db:
            eventually(lambda: db.execute("SELECT count(*) FROM delivery WHERE state = 0")
                       .fetchone() == (0,), 60, "every delivery is final")

    @contextlib.contextmanager
    def database(self):
        db = sqlite3.connect(f"file:{self.world.database}?mode=ro", uri=True, isolation_level=None)
        try:
            yield db
        finally:
            db.close()

    def check_events(self, db):
        oldest = time.time() - KEPT_S + 15  # it may have been stored well before its answer
        kept = collections.Counter()
        for (text,) in db.execute("SELECT body FROM event"):
            kept[Facts.key(json.loads(text))] += 1
        must = {k for k, when in self.facts.answered.items() if when > oldest}
        lost = must - set(kept)
        check(not lost, f"{len(lost)} answered 200 and lost, such as {sorted(lost)[:3]}")
        twice = [k for k, n in kept.items() if n > 1]
        check(not twice, f"{len(twice)} stored twice, such as {twice[:3]}")
        check(set(kept) <= self.facts.sent, "an event that nobody sent")
        return len(must)

    def expected(self):
        """{contact: (score, ledger's points, {property: newest value})}"""
        newest, points = collections.defaultdict(dict), collections.Counter()
        for contact, name, at in self.facts.answered:
            newest[contact][name] = max(newest[contact].get(name, 0), at)
            points[contact] += {"demo": DEMO, "form": FORM}.get(name, 0)
        leads = {}
        for contact, times in newest.items():
            values = {n: self.facts.values[contact, n, at] for n, at in times.items()}
            fit = CUSTOMER if values.get("stage") == "customer" else 0
            leads[contact] = points[contact] + fit, points[contact], values
        return leads

    @staticmethod
    def properties(blob):
        """What stands in a lead's row: lengths of name and value and the time, which may be missing,
        each with a colon behind it, then name, value and a key of 24 bytes."""
        found, at = {}, 0
        while at < len(blob):
            head = re.compile(rb"(\d+):(\d+):(\d*):").match(blob, at)
            name = head.end() + int(head.group(1))
            value = name + int(head.group(2))
            found[blob[head.end():name].decode()] = blob[name:value].decode()
            at = value + 24
        return found

    def check_leads(self, db):
        points = dict(db.execute("SELECT lead, sum(points) FROM ledger GROUP BY lead"))
        found = {}
        for row, contact, score, blob in db.execute(
                "SELECT id, crm_id, score, properties FROM lead"):
            check(contact not in found, f"two leads of contact {contact}")
            found[contact] = score / 10, points.get(row, 0) / 10, self.properties(blob)
        expected = self.expected()
        equal(set(found), set(expected), "leads")
        for contact, want in expected.items():
            equal(found[contact], want, f"score, ledger and newest values of {contact}")

    def check_messages(self):
        new = self.sink.messages[self.heard:]
        self.heard += len(new)
        self.rung.update(m["text"] for m in new)
        twice = [text for text, n in self.rung.items() if n > 1]
        check(not twice, f"{len(twice)} messages came twice, such as {twice[:3]}")
        wanted = {self.facts.values[k] for k in self.facts.answered if k[1] == "ring"}
        missing, odd = wanted - set(self.rung), set(self.rung) - wanted
        check(not missing, f"{len(missing)} were never delivered, such as {sorted(missing)[:3]}")
        check(not odd, f"messages of nothing that was answered: {sorted(odd)[:3]}")

    def check_database(self, db):
        equal(db.execute("SELECT count(*) FROM delivery WHERE state <> 2").fetchone(), (0,),
              "deliveries that are not delivered")
        equal(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)], "integrity")
        if os.path.exists(self.world.database + ".backup"):
            equal(integrity(self.world.database + ".backup"), ["ok"], "integrity of the backup")

    def check_all(self):
        self.quiet()
        with self.database() as db:
            db.execute("BEGIN")
            fresh = self.check_events(db)
            self.check_leads(db)
            self.check_messages()
            self.check_database(db)
        self.paused.clear()
        return fresh

    def run(self):
        began = checked = time.monotonic()
        self.start()
        self.world.wait_ready()
        for p in self.producers:
            p.start()
        for n in range(1, self.options.kills + 1):
            self.kill(n)
            self.start()
            late = time.monotonic() - checked > KEPT_S / 2 - 5  # before it may be purged
            if n % 50 == 0 or n == self.options.kills or late:
                fresh = self.check_all()
                checked = time.monotonic()
                took = checked - began
                print(f"     {n} kills, {took:.0f} s: {len(self.facts.answered)} events answered"
                      f" ({fresh} looked up), {self.heard} messages", flush=True)
        self.over.set()
        for p in self.producers:
            p.join(20)
        self.world.stop()
        with self.database() as db:
            purged = db.execute("SELECT min(id) FROM event").fetchone()[0] - 1
        if self.options.kills >= LONG:
            check(purged > 0, "nothing was purged")
            check(os.path.exists(self.world.database + ".backup"), "no backup was made")
        seconds = time.monotonic() - began
        what = ", ".join(f"{n} {name}" for name, n in self.kills.items())
        print(f"ok   {self.options.kills} kills ({what}) in {seconds:.0f} s,"
              f" {self.options.kills / seconds:.1f} a second; {len(self.facts.answered)} events,"
              f" {purged} of them purged, {self.heard} messages; nothing lost, nothing twice")

    def close(self, keep):
        self.over.set()
        self.sink.stop()
        self.facts.file.close()
        if keep:
            kept = self.world.folder + "-kept"
            if self.world.daemon:
                self.world.daemon.kill()
            shutil.copytree(self.world.folder, kept)
            print(f"     the folder is kept: {kept}")
        self.world.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", default="build/plain/funneld")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1 << 32)
    print(f"     seed {options.seed}", flush=True)
    campaign, failed = Campaign(options), True
    try:
        campaign.run()
        failed = False
    except Exception as e:  # it fails in any way it likes
        print(f"FAIL seed {options.seed}: {e}" if isinstance(e, Failure) else traceback.format_exc())
    finally:
        campaign.close(failed)
    print(f"{int(not failed)} passed, {int(failed)} failed")
    sys.exit(failed)


if __name__ == "__main__":
    main()
