"""kill -9: what was answered is stored, and what is stored is delivered once."""
import json
import os
import signal
import threading
import time

from harness import (HOT_TO_SLACK, PORTAL, Sink, change, check, demo, equal, eventually, integrity,
                     raw_connection, raw_head, sign_v3, slack_lines, stored)

CONNECTOR = "concurrency = 4"


def setup(world, sink, tls=True, server=""):
    world.configure(world.base(tls=tls, server=server).replace("level = debug", "level = info") +
                    slack_lines(sink, CONNECTOR) + HOT_TO_SLACK)


def check_delivered_once(world, sink, timeout=60):
    """Every delivery is delivered, and each stands in the channel once."""
    world.all_done(timeout)
    rows = world.run_json("deliveries", "--limit", "10000000")
    equal({d["state"] for d in rows} - {"delivered"}, set(), "states")
    said = sink.deliveries()
    equal(len(said), len(set(said)), "no message twice")
    equal({s.rpartition("-")[2] for s in said}, {d["id"].rpartition("-")[2] for d in rows},
          "the messages are those of the deliveries")
    return rows


def test_killed_right_after_the_answer_the_event_is_still_delivered(world):
    with Sink() as sink:  # down
        setup(world, sink)
        world.start()
        answer = world.post([demo(1)])
        world.kill()
        equal((answer.status, answer.json()["accepted"]), (200, 1), "answer")
        equal(integrity(world.database), ["ok"], "integrity")
        world.start()
        equal(world.run_json("leads", "show", f"{PORTAL}:1")[0]["band"], "hot", "it is scored")
        pending = world.run_json("deliveries", "--state", "pending")
        equal(len(pending), 1, "and queued")
        sink.start()
        check_delivered_once(world, sink)
        equal(world.post([demo(1, at=1)]).json()["accepted"], 1, "and it goes on")
        world.stop()


def test_killed_while_a_message_is_on_its_way_it_looks_before_it_posts_again(world):
    with Sink() as sink:
        sink.start()
        setup(world, sink)
        original = sink.post

        def taken_but_not_answered(handler, body):
            original_reply = handler.reply
            handler.reply = lambda value: (world.daemon.signal(signal.SIGKILL),
                                           world.daemon.child.wait(), original_reply(value))
            original(handler, body)
        sink.post = taken_but_not_answered
        world.start()
        equal(world.post([demo(1)]).status, 200, "post")
        world.daemon.child.wait(10)
        sink.post = original
        equal(len(sink.messages), 1, "Slack has it, and the daemon died before it knew")
        world.kill()
        world.start()
        rows = check_delivered_once(world, sink)
        equal(len(rows), 1, "deliveries")
        show = world.run_json("deliveries", "show", rows[0]["id"])[0]
        equal(show["remote_id"], f"C0123456789:{sink.messages[0]['ts']}", "it found the message")
        world.stop()


def test_killed_before_a_message_arrives_it_is_posted(world):
    with Sink() as sink:
        sink.start().hang()
        setup(world, sink)
        world.start()
        equal(world.post([demo(1)]).status, 200, "post")
        eventually(lambda: sink.asked == 1, what="the attempt")
        world.kill()
        sink.recover()
        world.start()
        check_delivered_once(world, sink)
        equal(len(sink.messages), 1, "messages")
        world.stop()


def test_killed_in_the_middle_of_a_request_nothing_half_is_stored(world):
    with Sink() as sink:
        sink.start()
        setup(world, sink)
        world.start()
        equal(world.post([demo(1)]).status, 200, "one before")
        body = json.dumps([demo(i) for i in range(2, 50)]).encode()
        head = raw_head(fields={"Content-Type": "application/json", **sign_v3(body),
                                "Content-Length": str(len(body))})
        for cut in (10, len(head) - 1, len(head), len(head) + len(body) // 2,
                    len(head) + len(body) - 1):
            with raw_connection(world) as s:
                s.sendall((head + body)[:cut])
                time.sleep(0.05)
                world.kill()
            equal(integrity(world.database), ["ok"], "integrity")
            world.start()
            equal(len(stored(world)), 1, f"events after {cut} bytes")
        equal(world.post(json.loads(body)).json()["accepted"], 48, "sent again")
        check_delivered_once(world, sink)
        world.stop()


def is_hot(contact):
    """Some become hot and are told about: fewer than a look for a message in doubt goes through."""
    return contact % 16 == 0


class Sender(threading.Thread):
    """Posts batches of fresh contacts until told to stop, as HubSpot would: what got no 200 is
    sent again after the restart."""

    def __init__(self, world, first):
        super().__init__(daemon=True)
        self.world, self.next = world, first
        self.answered, self.unanswered = set(), None
        self.running = True
        self.failure = None

    def batch(self):
        if self.unanswered:
            return self.unanswered
        size = 1 + self.next % 7
        self.next += size
        return [demo(i) if is_hot(i) else change(i, "note", "warm")
                for i in range(self.next - size, self.next)]

    def run(self):
        client = self.world.client(timeout=5)
        while self.running:
            batch = self.batch()
            try:
                answer = self.world.post(batch, client=client)
            except Exception:  # the daemon was killed
                self.unanswered = batch
                break
            if answer.status not in (200, 503):
                self.failure = f"{answer.status} {answer.body!r}"
                break
            self.unanswered = None if answer.status == 200 else batch
            if answer.status == 200:
                self.answered.update(e["objectId"] for e in batch)
        client.close()


def under_load(world, sink, kills, seconds):
    """Kills it in the middle of work, again and again; returns every contact that was answered."""
    answered, again = set(), []
    for n in range(kills):
        world.start()
        senders = [Sender(world, 1 + 1_000_000 * (4 * n + k)) for k in range(4)]
        for sender, batch in zip(senders, again):
            sender.unanswered = batch
        for sender in senders:
            sender.start()
        time.sleep(seconds * (0.5 + (n * 7 % 10) / 10))
        world.daemon.signal(signal.SIGKILL)
        world.daemon.child.wait()
        for sender in senders:
            sender.running = False
            sender.join(20)
            equal(sender.failure, None, "an answer that is neither 200 nor 503")
            answered |= sender.answered
        again = [s.unanswered for s in senders if s.unanswered]
        world.kill()
        equal(integrity(world.database), ["ok"], f"integrity after kill {n + 1}")
    return answered


def test_killed_20_times_under_load_every_answered_event_is_there_and_delivered_once(world):
    with Sink() as sink:
        sink.start()
        setup(world, sink, tls=False)
        answered = under_load(world, sink, 20, 0.25)
        check(len(answered) > 500, f"there was load: {len(answered)} events")
        world.start()
        leads = world.run_json("leads", "--limit", "10000000")
        there = {int(lead["crm_id"]) for lead in leads}
        equal(answered - there, set(), "answered and lost")
        for lead in leads:
            want = 60 if is_hot(int(lead["crm_id"])) else 0
            equal(lead["score"], want, "each took effect once")
        hot = {lead["id"] for lead in leads if lead["band"] == "hot"}
        rows = check_delivered_once(world, sink, 90)
        equal({d["lead"] for d in rows}, hot, "a delivery for each hot lead")
        equal(len(rows), len(hot), "and one only")
        equal(len(stored(world)), len(leads), "an event for each lead")
        world.stop()


test_killed_20_times_under_load_every_answered_event_is_there_and_delivered_once.slow = True


def test_killed_while_the_service_is_down_the_queue_survives(world):
    with Sink() as sink:  # down
        setup(world, sink, tls=False)
        answered = under_load(world, sink, 3, 0.2)
        world.start()
        depth = eventually(lambda: world.metric("funneld_queue_depth", connector="slack"),
                           what="a queue")
        hot = [contact for contact in answered if is_hot(contact)]
        check(depth >= len(hot) > 4, f"{depth} wait, {len(hot)} were answered")
        sink.start()
        check_delivered_once(world, sink)
        equal(world.metric("funneld_queue_depth", connector="slack"), 0, "queue")
        world.stop()


def test_killed_while_it_starts_for_the_first_time_it_starts_the_second_time(world):
    world.configure(world.base())
    for pause in (0, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05):
        world.start(ready=False)
        time.sleep(pause)
        world.kill()
    if os.path.exists(world.database):
        equal(integrity(world.database), ["ok"], "integrity")
    world.start()
    equal(world.post([demo(1)]).json()["accepted"], 1, "post")
    world.stop()
