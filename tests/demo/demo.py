"""tests/demo/demo.py - `make demo`: the real daemon, signed webhooks, stand-ins for the services.

    python3 tests/demo/demo.py --bin build/funneld --sandbox build/funneld-sandbox

Everything listens on 127.0.0.1 and lives in a temporary folder that is gone afterwards. The demo
checks what it shows: when anything does not hold it says so and exits 1.
"""
import argparse
import collections
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "e2e")]
import foreseen  # noqa: E402
import harness  # noqa: E402
import mail  # noqa: E402
import people  # noqa: E402
import screen  # noqa: E402
from harness import check, equal, eventually  # noqa: E402
from screen import chapter, explain, line, say  # noqa: E402
from sent import age, field_of, plain, rows_of, slack_lines, unescape  # noqa: E402

KILL_AFTER = 8  # batches
PACE = 0.06     # s between batches, so that an eye can follow
SLACK_RETRY_AFTER = 3
ZAPIER_SECRET = "the-demo-s-secret-for-zapier"


def now_ms():
    return int(time.time() * 1000)


class Demo:
    def __init__(self, options):
        options.wrapper = []
        self.world = harness.World(options)
        self.world.tls = True
        self.world.config_path = os.path.join(HERE, "funneld.conf")
        self.mail = None
        self.crowd = people.people()
        self.began = time.monotonic()

    # 1

    def start(self):
        chapter(1, "Start", "nothing leaves this machine")
        w = self.world
        box = w.start_sandbox()
        self.mail = mail.MailServer(w)
        w.env.update(DEMO_ZAPIER_SECRET=ZAPIER_SECRET, DEMO_MAIL=self.mail.url,
                     DEMO_MAIL_CA=self.mail.ca, DEMO_MAIL_PASSWORD=mail.PASSWORD)
        w.env.update(DEMO_PORT=str(w.port), DEMO_ADMIN_PORT=str(w.admin_port), DEMO_CERT=w.cert,
                     DEMO_KEY=w.key, DEMO_DATABASE=w.database, DEMO_SANDBOX=box.url,
                     DEMO_CREDENTIALS="file:" + box.credentials)
        day_ago = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - 86400))
        box.contacts([p.contact(day_ago) for p in self.crowd])
        say(f"stand-ins   Slack, Notion, Google Sheets, Zapier, HubSpot's CRM: {box.url}")
        say(f"mail        a mail server that wants TLS and a login: {self.mail.url}")
        w.run("check")
        say("check       tests/demo/funneld.conf is correct")
        w.start()
        say(f"funneld     https://localhost:{w.port}, with a certificate made a moment ago")

    # 3

    def send_all(self):
        chapter(3, "Events come in", f"about {len(self.crowd)} people, as HubSpot sends them: "
                "signed, in no order, some twice")
        batches, self.facts = people.batches(self.crowd, now_ms())
        self.accepted = self.duplicates = 0
        client = self.world.client()
        for number, batch in enumerate(batches, 1):
            self.send(number, batch, client)
            if number == KILL_AFTER:
                client.close()
                self.kill()
            time.sleep(PACE)
        self.send_again(batches[0], client)
        self.send_forged(batches[0], client)
        equal(self.accepted, self.facts, "events accepted")
        self.send_sign_ups(client)
        client.close()

    def post(self, batch, client, **how):
        began = time.monotonic()
        answer = self.world.post(batch, client=client, **how)
        return answer, f"{(time.monotonic() - began) * 1000:5.1f} ms"

    def send(self, number, batch, client):
        answer, took = self.post(batch, client)
        equal(answer.status, 200, f"answer to batch {number}")
        reply = answer.json()
        self.accepted += reply["accepted"]
        self.duplicates += reply["duplicates"]
        equal(reply["accepted"] + reply["duplicates"], len(batch), f"events of batch {number}")
        known = f"{reply['duplicates']:6} known already" if reply["duplicates"] else ""
        say(f"batch {number:2}     {len(batch):3} events   200  {took}   {reply['accepted']:3} new"
            f"{known}")

    def send_again(self, batch, client):
        again = [dict(note, eventId=note["eventId"] + 5000, attemptNumber=1) for note in batch]
        answer, took = self.post(again, client)
        reply = answer.json()
        equal((answer.status, reply["accepted"], reply["duplicates"]), (200, 0, len(batch)),
              "answer to the first batch, sent again")
        say(f"batch  1     {len(batch):3} events   200  {took}     0 new"
            f"{reply['duplicates']:6} known already: sent again as a whole", "blue")

    def send_forged(self, batch, client):
        body = json.dumps(batch).encode()
        headers = harness.sign_v3(body, secret="not the secret")
        answer, took = self.post(batch, client, headers=headers)
        equal(answer.status, 401, "answer to a batch with a wrong signature")
        say(f"forged       {len(batch):3} events   401  {took}     0 new, signed with another "
            "secret", "yellow")

    def send_sign_ups(self, client):
        """A Zap knows no ids of HubSpot: who it is about is said by the address."""
        forms = list(people.sign_ups(self.crowd, now_ms()))
        for expected in ((len(forms), 0), (0, len(forms))):
            answer, took = self.post(forms, client, path="/webhooks/zapier",
                                     headers={"X-Funneld-Secret": ZAPIER_SECRET})
            equal(answer.status, 200, "answer to the Zap")
            reply = answer.json()
            equal((reply["accepted"], reply["duplicates"]), expected, "sign-ups of the Zap")
            note = "a form's Zap: sign-ups for a webinar" if reply["accepted"] else \
                f"{reply['duplicates']:3} known already: Zapier played it again"
            say(f"Zapier       {len(forms):3} events   200  {took}   {reply['accepted']:3} new, {note}",
                "blue")
        self.facts += len(forms)

    def kill(self):
        began = time.monotonic()
        self.world.kill()
        self.order_trouble()
        self.world.start()
        took = (time.monotonic() - began) * 1000
        stored = len(self.world.run_json("events", "--source", "hubspot", "--limit", "100000"))
        equal(stored, self.accepted, "events stored after kill -9")
        say(f"kill -9      and started again, {took:.0f} ms; all {self.accepted} events answered "
            "so far are there", "red")
        say(f"trouble      Slack will answer 429 \"come back in {SLACK_RETRY_AFTER} s\"; Google "
            "will add rows and", "yellow")
        say("             then hang up before it answers", "yellow")

    def order_trouble(self):
        box = self.world.sandbox
        box.fail(service="slack", path="/api/chat.postMessage", mode="status", status=429,
                 retry_after=SLACK_RETRY_AFTER, times=1)
        box.fail(service="sheets", method="POST", mode="processed_no_answer", times=1)

    # 4

    def deliver(self):
        chapter(4, "Messages go out", "Slack takes one a second; nobody else waits for it")
        self.slack_shown, self.counts_shown, self.counts_due = 0, None, 0
        end = time.monotonic() + 45
        while True:
            waiting = self.deliveries("--state", "pending")
            self.state = self.world.sandbox.state()
            self.progress(last=not waiting)
            if not waiting:
                return
            check(time.monotonic() < end, f"still waiting: {waiting[:3]}")
            time.sleep(0.1)

    def progress(self, last):
        messages = self.state["slack"]["messages"]
        for message in messages[self.slack_shown:]:
            self.tell("Slack", unescape(message["text"]), "green")
        self.slack_shown = len(messages)
        counts = f"{len(self.state['notion']['pages'])} pages in Notion, " \
                 f"{len(rows_of(self.state))} rows in Google Sheets"
        if counts != self.counts_shown and (last or time.monotonic() > self.counts_due):
            self.tell("others", counts)
            self.counts_shown, self.counts_due = counts, time.monotonic() + 0.8

    def tell(self, service, text, colour=None):
        clock = time.strftime("%H:%M:%S")
        say(f"{clock}  {screen.paint(service.ljust(7), colour)}  {screen.cut(text, 68)}")

    def deliveries(self, *options):
        return self.world.run_json("deliveries", *options, "--limit", "100000")

    # 5

    def leads(self):
        chapter(5, "Leads by band", "and who of them the bank won later; funneld was not told")
        w = self.world
        leads = {l["crm_id"]: l for l in w.run_json("leads", "--limit", "100000")}
        equal(len(leads), len(self.crowd), "leads")
        won, bands, now = collections.Counter(), collections.Counter(), now_ms()
        for person in self.crowd:
            lead = leads[str(person.id)]
            want = person.score(now)
            check(abs(lead["score"] - want) < 0.2,
                  f"{lead['email']}: score {lead['score']}, worked out by hand {want:.2f}")
            bands[lead["band"]] += 1
            won[lead["band"]] += person.subscribed
        for band, colour in (("hot", "red"), ("warm", "yellow"), ("cold", "blue")):
            n = bands[band]
            share = won[band] / n if n else 0
            say(f"{screen.paint(band.ljust(5), colour)}{n:4} leads   {won[band]:3} won "
                f"({share:4.0%})  {screen.paint(screen.bar(share, 40), colour)}")
        explain("The rules were written with an eye on this data: a picture, not a forecast.")
        foreseen.against_what_came(self.crowd, leads)
        self.bands, self.by_email = bands, {l["email"]: l for l in leads.values()}
        self.hot = {l["email"] for l in leads.values() if l["band"] == "hot"}
        self.order_did_not_matter()

    def order_did_not_matter(self):
        for person in self.crowd[::20]:
            shown = self.world.run_json("leads", "show", person.email)[0]
            equal(shown["properties"]["calls"]["value"], person.row["campaign"],
                  f"the newest number of calls to {person.email}")

    # 6

    def slack(self):
        messages = self.state["slack"]["messages"]
        ids = [m["metadata"]["event_payload"]["delivery"] for m in messages]
        equal(len(set(ids)), len(messages), "Slack messages with a delivery of their own")
        equal(sorted(i.rpartition("-")[2] for i in ids),
              sorted(d["id"] for d in self.delivered("sales-slack")), "messages and deliveries")
        equal(self.hot - {self.email_in(m) for m in messages}, set(), "hot leads without a message")
        self.best = max(messages, key=lambda m: self.by_email[self.email_in(m)]["score"])
        chapter(6, "Slack", f"{len(messages)} messages, one when a lead becomes hot; for instance")
        screen.box(slack_lines(self.best["blocks"]), "#sales", 74, "dim")

    def email_in(self, message):
        email = field_of(message["blocks"], "E-mail")
        check(email in self.by_email, f"the Slack message has the address of a lead, not {email!r}")
        return email

    def notion(self):
        pages = self.state["notion"]["pages"]
        check(len({p["properties"]["Lead ID"] for p in pages}) == len(pages), "one page a lead")
        for page in pages:
            lead = self.by_email[page["properties"]["Email"]]
            check(lead["band"] != "hot" or lead["score"] == page["properties"]["Score"],
                  f"{lead['email']} has {lead['score']}, its page {page['properties']}")
        email = self.email_in(self.best)
        found = [p["properties"] for p in pages if p["properties"]["Email"] == email]
        equal(len(found), 1, f"Notion pages of {email}")
        chapter(7, "Notion", f"{len(pages)} pages, one a lead, kept up to date; the same lead's")
        for name, value in found[0].items():
            if value not in (None, ""):
                say(f"{name:8}  {screen.cut(plain(value), 72)}")

    def sheets(self):
        rows = rows_of(self.state)
        ids = [r[0] for r in rows]
        equal(len(set(ids)), len(ids), "rows with a delivery of their own")
        done = self.delivered("lead-log")
        equal(len(rows), len(done), "rows and deliveries to Google Sheets")
        check(len(rows) >= self.bands["hot"] + self.bands["warm"], "a row for each warm lead")
        chapter(8, "Google Sheets", f"{len(rows)} rows, no delivery twice")
        shown = [[r[1][:16].replace("T", " "), r[2], r[4], r[5], r[6]] for r in rows[:5]]
        screen.table(["Time", "Lead", "Score", "Band", "Reasons"], shown, [16, 15, 5, 4, 38], (2,))
        say(f"{screen.DOTS} and {len(rows) - 5} more", "dim")

    def delivered(self, connector):
        return self.deliveries("--connector", connector, "--state", "delivered")

    # 9

    def zapier(self):
        """What was under way at kill -9 may come twice, with the same id: Zapier cannot be asked."""
        objects = list({o["id"]: o for o in self.state["hooks"]["received"]}.values())
        chapter(9, "Zapier", f"{len(objects)} Zaps started by a catch hook, one flat object a hot lead")
        self.one_for_each_hot("follow-up", [o["id"] for o in objects])
        email = self.email_in(self.best)
        body, = [o["body"] for o in objects if o["body"]["email"] == email]
        for key in ("id", "event", "email", "score", "band", "reasons"):
            say(f"{key:8}  {screen.cut(body[key], 72)}")

    def one_for_each_hot(self, connector, ids):
        """As many as Slack was told of, each once."""
        equal(sorted(i.rpartition("-")[2] for i in ids),
              sorted(d["id"] for d in self.delivered(connector)), f"deliveries of {connector}")
        equal(len(ids), len(self.delivered("sales-slack")), f"{connector} and Slack are told the same")

    # 10

    def email(self):
        """As with Zapier: the same Message-ID then."""
        mails = list({m["Message-ID"]: m for m in map(mail.parsed, self.mail.mails())}.values())
        chapter(10, "E-mail", f"{len(mails)} mails, over TLS and with a login; the same lead's")
        equal(sorted(m["Message-ID"] for m in mails),
              sorted(d["remote_id"] for d in self.delivered("sales-mail")), "mails and deliveries")
        equal(len(mails), len(self.delivered("sales-slack")), "mail and Slack are told the same")
        email = self.email_in(self.best)
        shown, = [m for m in mails if email in mail.part(m, "plain")]
        lines = [(f"{name}: {shown[name]}", "dim") for name in ("From", "To", "Subject")]
        text = [l for l in mail.part(shown, "plain").splitlines() if l.strip()]
        screen.box(lines + text, "sales@example.org", 74, "dim")

    # 11

    def explain_score(self):
        email = self.email_in(self.best)
        chapter(11, "Why?", f"funneld score {email}")
        score = self.world.run_json("score", email)[0]
        lines = score["lines"]
        equal(round(sum(l["worth"] for l in lines), 1), score["score"], "the lines' sum")
        shown = [[f"{l['worth']:+.1f}", l["part"], l["why"], f"{l['points']:+g}" if l["rule"] else "",
                  age(score["at"], l["occurred_at"])] for l in lines]
        screen.table(["Worth", "Part", "Why", "Points", "Happened"], shown, [6, 11, 34, 6, 14],
                     (0, 3))
        say(f"{score['score']:6.1f}  {score['band']}, the sum of these lines", "bold")
        foreseen.of_score(score)

    # 12

    def trouble(self):
        chapter(12, "What went wrong on the way", "and did no harm")
        self.told = 0
        self.attempts("sales-slack", 429, "Slack")
        self.attempts("lead-log", None, "Sheets")
        equal(self.told, 2, "failures that left a trace")
        dead = self.world.run_json("deliveries", "--state", "dead")
        equal(dead, [], "dead deliveries")
        equal(self.state["offences"], [], "requests that the services' contracts forbid")

    def attempts(self, connector, status, name):
        """Prints the history of the first delivery that did not go through at once."""
        for delivery in sorted(self.delivered(connector), key=lambda d: int(d["id"])):
            shown = self.world.run_json("deliveries", "show", delivery["id"])[0]
            history = shown["history"]
            if len(history) < 2 or (status and status not in [h["status"] for h in history]):
                continue
            say(f"{name}: funneld deliveries show {delivery['id']}", "bold")
            for h in history:
                what = h["detail"] or f"as {delivery['remote_id']}"
                say(f"  {h['at'][11:23]}  {h['verdict']:10} {screen.cut(what, 60)}")
            self.told += 1
            return

    # 13

    def metrics(self):
        chapter(13, "Metrics", f"http://127.0.0.1:{self.world.admin_port}/metrics, since the "
                "restart")
        w = self.world
        names = [("funneld_events_duplicate_total", {"source": "hubspot"}),
                 ("funneld_requests_rejected_total", {"source": "hubspot", "reason": "signature"}),
                 ("funneld_deliveries_total", {"connector": "sales-slack", "outcome": "delivered"}),
                 ("funneld_deliveries_total", {"connector": "lead-log", "outcome": "delivered"}),
                 ("funneld_queue_depth", {"connector": "sales-slack"}),
                 ("funneld_leads", {"band": "hot"}), ("funneld_leads", {"band": "warm"})]
        got = {}
        for name, labels in names:
            value = w.metric(name, **labels)
            check(value is not None, f"the metric {name} {labels} is there")
            text = name + "{" + ",".join(f'{k}="{v}"' for k, v in labels.items()) + "}"
            got[text] = value
            say(f"{text:74} {value:7g}")
        for band in ("hot", "warm"):
            equal(got[f'funneld_leads{{band="{band}"}}'], self.bands[band], f"metric: {band} leads")
        equal(got['funneld_requests_rejected_total{source="hubspot",reason="signature"}'], 1,
              "metric: rejected requests")

    def finish(self):
        self.world.stop()
        line()
        say(f"All of it held. {self.facts} events, {len(self.crowd)} leads, "
            f"{time.monotonic() - self.began:.0f} s. The daemon was stopped and ended well.", "green")

    def run(self):
        line("funneld: webhooks in; Slack, Notion, Google Sheets, Zapier and e-mail told", "bold")
        self.start()
        foreseen.learn(self.world)
        self.send_all()
        self.deliver()
        self.leads()
        self.slack()
        self.notion()
        self.sheets()
        self.zapier()
        self.email()
        self.explain_score()
        self.trouble()
        self.metrics()
        self.finish()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", default="build/funneld")
    parser.add_argument("--sandbox", default="build/funneld-sandbox")
    options = parser.parse_args()
    for path in (options.bin, options.sandbox):
        if not os.access(path, os.X_OK):
            sys.exit(f"demo: {path} is not there: run make first")
    demo = Demo(options)
    try:
        demo.run()
    except (harness.Failure, OSError, KeyError, ValueError) as problem:
        line()
        say(f"The demo failed: {problem}", "red")
        if demo.world.daemon:
            print(demo.world.daemon.logged()[-3000:], file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        if demo.mail:
            demo.mail.kill()
        demo.world.close()


if __name__ == "__main__":
    main()
