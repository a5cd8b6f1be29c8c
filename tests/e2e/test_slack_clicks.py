"""Slack both ways: buttons and who pressed them, threads, mentions."""
import json

from harness import Client, change, check, demo, equal, errors_of, eventually
from services import (CHANNEL, HISTORY, POST_MESSAGE, begin, connector, deliveries, finish, make_hot,
                      messages, person, post, requests, route, text_of, wait_dead, wait_delivered,
                      wait_requests, whole)

SECRET = "e0f4a1b2c3d4e5f60718293a4b5c6d7e"
BUTTONS = f"""[source buttons]
type = slack
secret = {SECRET}
"""
UPDATE = "/api/chat.update"
LOOKUP = "/api/users.lookupByEmail"
REPLIES = "/api/conversations.replies"
PATH = "/webhooks/slack"


def with_buttons(world, **options):
    return connector(world, "slack", buttons="yes", **options)


def pressed(world, action, **how):
    """The request that Slack sends when somebody presses a button that a message shows."""
    order = {"action": f"funneld_{action}", "secret": SECRET, **how}
    return world.sandbox.ask("POST", "/_sandbox/click", order)


def send(world, click):
    client = world.client()
    try:
        return client.request("POST", PATH, click["body"].encode(), click["headers"])
    finally:
        client.close()


def click(world, action, **how):
    answer = send(world, pressed(world, action, **how))
    equal((answer.status, answer.body), (200, b""), f"answer to {action}")


def the_lead(world, lead="1"):
    return world.run_json("leads", "show", lead)[0]


def said(world, lead="1"):
    return {k: v["value"] for k, v in the_lead(world, lead)["properties"].items()
            if k.startswith("funneld_") and v["value"]}


def updated(box, n=1, at=0):
    """Waits for so many edits of the message and returns it."""
    return eventually(lambda: next((m for m in [messages(box)[at]] if m["edits"] >= n), None), 10,
                      f"{n} edits")


def actions(message):
    return [e["action_id"] for b in message["blocks"] if b["type"] == "actions"
            for e in b["elements"]]


# Buttons

def test_a_click_becomes_an_event_and_the_message_says_who_did_it(world):
    box = begin(world, with_buttons(world), route("slack"), BUTTONS,
                route("slack", "claimed", 'event.type == "slack.claim" and event.data.user == "W0BOB"'),
                """[message claimed]
text = {{lead.funneld_owner_name}} has {{lead.firstname | "it"}}
""")
    post(world, person(1) + [demo(1)])
    first = wait_delivered(world, 1)[0]
    equal(actions(messages(box)[0]), ["funneld_claim", "funneld_snooze", "funneld_not_a_fit"],
          "buttons")

    click(world, "claim", user="W0BOB")
    message = updated(box)
    check("Claimed by <@W0BOB> at 2" in json.dumps(message["blocks"]), message["blocks"])
    check("Score\\n60 (before: 0)" in json.dumps(message["blocks"]), "it says what it said")
    equal(actions(message), ["funneld_snooze", "funneld_not_a_fit"], "what is left to decide")
    equal(message["metadata"]["event_payload"]["delivery"].split("-")[1], first["id"], "metadata")
    equal(said(world), {"funneld_owner": "W0BOB", "funneld_owner_name": "sandbox.user",
                        "funneld_feedback": "claimed", "funneld_feedback_by": "W0BOB"}, "lead")
    newest = world.run_json("events", "--limit", "1")[0]
    equal((newest["source"], newest["type"], newest["lead"]), ("buttons", "slack.claim", "1"),
          "event")
    done = wait_delivered(world, 3)  # the update, and the route of claims
    update = next(d for d in done if d["remote_id"] == first["remote_id"] and d != first)
    equal((update["event"], update["route"]), (newest["id"], "hot-lead"), "the update")
    equal(messages(box)[1]["text"], "sandbox.user has Ada", "the route of claims")
    shown = world.run_json("events", "show", newest["id"])[0]
    check("response_url" not in shown["body"] and "old-token" not in shown["body"], shown["body"])
    finish(world)


def test_a_decision_may_change_and_a_double_click_counts_once(world):
    box = begin(world, with_buttons(world), route("slack"), BUTTONS)
    make_hot(world, 1)
    wait_delivered(world, 1)
    twice = pressed(world, "not_a_fit")
    for _ in range(3):
        equal(send(world, twice).status, 200, "answer")
    message = updated(box, 1)
    check("Not a fit, says <@U0ADA>" in json.dumps(message["blocks"]), message["blocks"])
    equal(actions(message), ["funneld_claim"], "buttons")
    equal(world.metric("funneld_events_duplicate_total", source="buttons"), 2, "duplicates")
    click(world, "claim", user="U0GRACE")
    message = updated(box, 2)
    check("Claimed by <@U0GRACE>" in json.dumps(message["blocks"]), message["blocks"])
    click(world, "snooze")
    message = updated(box, 3)
    check("Snoozed by <@U0ADA> until 2" in json.dumps(message["blocks"]), message["blocks"])
    equal(actions(message), ["funneld_not_a_fit"], "buttons")
    equal((requests(box, POST_MESSAGE), messages(box)[0]["edits"]), (1, 3), "one message")
    equal(said(world)["funneld_feedback"], "claimed", "feedback")
    finish(world)


def test_a_click_that_slack_did_not_sign_changes_nothing(world):
    box = begin(world, with_buttons(world), route("slack"), BUTTONS)
    make_hot(world, 1)
    wait_delivered(world, 1)
    good = pressed(world, "claim")
    old = {**good["headers"], "X-Slack-Request-Timestamp":
           str(int(good["headers"]["X-Slack-Request-Timestamp"]) - 301)}
    forged = {**good["headers"], "X-Slack-Signature": "v0=" + "0" * 64}
    bare = {"Content-Type": good["headers"]["Content-Type"]}
    other = pressed(world, "claim", secret="another")
    for headers, body in ((old, good["body"]), (forged, good["body"]), (bare, good["body"]),
                          (good["headers"], good["body"] + "&x=1"), (other["headers"], other["body"])):
        equal(send(world, {"headers": headers, "body": body}).status, 401, f"{headers}")
    json_type = {**good["headers"], "Content-Type": "application/json"}
    equal(send(world, {"headers": json_type, "body": good["body"]}).status, 415, "as JSON")
    probe = send(world, {"headers": bare, "body": "ssl_check=1&token=x"})
    equal((probe.status, probe.body), (200, b""), "a probe")
    equal(said(world), {}, "lead")
    equal(len(world.run_json("events")), 1, "events")
    equal(send(world, good).status, 200, "the good one")
    updated(box)
    finish(world)


def test_funneld_sign_makes_a_click(world):
    begin(world, with_buttons(world), route("slack"), BUTTONS)
    signed = world.run_json("sign", "buttons", "--url", f"http://127.0.0.1:{world.port}")[0]
    check(signed["url"].endswith(PATH), signed["url"])
    equal(send(world, signed).status, 200, "answer")
    event = world.run_json("events")[0]
    equal((event["type"], event["state"]), ("slack.claim", "unprocessable"), "event")
    check("another database" in event["reason"], event["reason"])
    finish(world)


def test_an_update_is_tried_until_it_is_there(world):
    box = begin(world, with_buttons(world, timeout="1s"), route("slack"), BUTTONS)
    make_hot(world, 1)
    wait_delivered(world, 1)
    for trouble in ({"status": 500}, {"mode": "drop"}, {"mode": "processed_no_answer"},
                    {"status": 429, "retry_after": "1"},
                    {"status": 200, "body": {"ok": False, "error": "update_failed"}}):
        box.fail(service="slack", path=UPDATE, **trouble)
    click(world, "claim")
    done = wait_delivered(world, 2)
    check(whole(world, done[1])["attempts"] >= 5, "attempts: curl itself may repeat one")
    message, = messages(box)
    check("Claimed by" in json.dumps(message["blocks"]), message["blocks"])
    equal(requests(box, HISTORY), 0, "looks: an update may be repeated")
    finish(world)


def test_a_message_that_is_gone_costs_the_click_nothing(world):
    box = begin(world, with_buttons(world), route("slack"), BUTTONS)
    make_hot(world, 1)
    wait_delivered(world, 1)
    last = pressed(world, "claim")
    delete(box, messages(box)[0]["ts"])
    equal(send(world, last).status, 200, "answer")
    check("message_not_found" in wait_dead(world)["reason"], "reason")
    equal(said(world)["funneld_owner"], "U0ADA", "lead")
    finish(world, ["message_not_found"])


def test_after_a_crash_a_click_is_not_lost(world):
    box = begin(world, with_buttons(world), route("slack"), BUTTONS)
    make_hot(world, 1)
    wait_delivered(world, 1)
    box.fail(service="slack", path=UPDATE, mode="drop", times=5)
    click(world, "claim")
    wait_requests(box, UPDATE, 1)
    world.kill()
    world.start()
    eventually(lambda: requests(box, UPDATE) >= 6, 10, "attempts")
    equal(messages(box)[0]["edits"], 1, "edits")
    equal(said(world)["funneld_owner"], "U0ADA", "lead")
    wait_delivered(world, 2)
    finish(world)


# Threads

def delete(box, ts):
    """What a person does in Slack."""
    client = Client(box.port, tls=False)
    answer = client.request("POST", "/api/chat.delete",
                            json.dumps({"channel": CHANNEL, "ts": ts}).encode(),
                            {"Authorization": "Bearer xoxb-sandbox",
                             "Content-Type": "application/json; charset=utf-8"})
    client.close()
    equal(answer.json(), {"ok": True}, "deleted")


EVERY_DEMO = route("slack", "hot-lead", 'event.property == "demo_requested" or event.property == "page"')


def test_what_follows_of_a_lead_answers_in_its_thread(world):
    box = begin(world, with_buttons(world, thread="yes"), EVERY_DEMO, BUTTONS,
                route("slack", "note", 'event.property == "note"'), """[message note]
text = {{event.value}}
""")
    make_hot(world, 1, 2)
    wait_delivered(world, 2)
    post(world, [change(1, "page", "/pricing")])
    wait_delivered(world, 3)
    first = next(m for m in messages(box) if m["ts"] == deliveries(world)[0]["remote_id"].split(":")[1])
    reply = messages(box)[2]
    equal(reply["thread_ts"], first["ts"], "thread")
    check(reply["text"].startswith("HubSpot contact 1 is hot: score 60"), reply["text"])
    equal(actions(reply), [], "no buttons in a thread")
    equal(first["edits"], 1, "the first message is kept current")

    post(world, [change(1, "note", "call back")])
    wait_delivered(world, 4)
    note = messages(box)[3]
    equal((note["thread_ts"], note["text"]), (first["ts"], "call back"), "a note")
    equal(messages(box)[messages(box).index(first)]["edits"], 1, "which replaces nothing")

    click(world, "claim", ts=first["ts"])
    eventually(lambda: said(world).get("funneld_owner"), 10, "owner")
    post(world, [change(1, "page", "/pricing/teams")])
    wait_delivered(world, 6)
    now = next(m for m in messages(box) if m["ts"] == first["ts"])
    check("Claimed by <@U0ADA>" in json.dumps(now["blocks"]), "a refresh keeps who did what")
    finish(world)


def test_a_deleted_thread_begins_anew(world):
    box = begin(world, connector(world, "slack", thread="yes"), EVERY_DEMO)
    make_hot(world, 1)
    wait_delivered(world, 1)
    delete(box, messages(box)[0]["ts"])
    post(world, [change(1, "page", "/a")])
    wait_delivered(world, 2)
    post(world, [change(1, "page", "/b")])
    wait_delivered(world, 3)
    threads = [m["thread_ts"] for m in messages(box)]
    equal(threads, [None, None, messages(box)[1]["ts"]], "threads")
    finish(world, ["thread_not_found"])


def test_a_reply_of_unknown_fate_is_looked_for_in_its_thread(world):
    box = begin(world, connector(world, "slack", thread="yes"), EVERY_DEMO)
    make_hot(world, 1)
    wait_delivered(world, 1)
    box.fail(service="slack", path=POST_MESSAGE, mode="processed_no_answer")
    post(world, [change(1, "page", "/a")])
    wait_delivered(world, 2)
    equal((len(messages(box)), requests(box, REPLIES), requests(box, HISTORY)), (2, 1, 0),
          "messages, looks")
    box.fail(service="slack", path=POST_MESSAGE, mode="drop")
    post(world, [change(1, "page", "/b")])
    wait_delivered(world, 3)
    equal((len(messages(box)), requests(box, REPLIES), requests(box, HISTORY)), (3, 2, 1),
          "messages, looks")
    finish(world)


# Mentions

def test_the_owner_is_mentioned_and_asked_for_once(world):
    box = begin(world, connector(world, "slack", mention_owner="yes",
                                 owner_property="owner_email"), route("slack"))
    for n, owner in enumerate(("grace@sandbox.example", " Grace@Sandbox.example",
                               "nobody@sandbox.example", "gone@sandbox.example"), 1):
        post(world, [change(n, "owner_email", owner), demo(n)])
        wait_delivered(world, n)
    mentioned = ["Owner: <@U0GRACE>" in json.dumps(m["blocks"]) for m in messages(box)]
    equal(mentioned, [True, True, False, False], "mentions")
    equal(requests(box, LOOKUP), 3, "lookups")
    box.fail(service="slack", path=LOOKUP, status=200, times=100,
             body={"ok": False, "error": "missing_scope", "needed": "users:read.email"})
    post(world, [change(9, "owner_email", "ada@sandbox.example"), demo(9)])
    wait_delivered(world, 5)
    check("Owner:" not in json.dumps(messages(box)[4]["blocks"]), "the message goes out without")
    finish(world)


# Floods

def test_a_flood_becomes_a_digest_and_each_is_found_in_it(world):
    box = begin(world, connector(world, "slack", digest="3/2s", settle="200ms"), route("slack"))
    box.fail(service="slack", path=POST_MESSAGE, mode="processed_no_answer")
    make_hot(world, *range(1, 31))
    done = wait_delivered(world, 30, timeout=20)
    digests = [m for m in messages(box) if m["metadata"]["event_type"] == "funneld_digest"]
    check(digests and len(messages(box)) < 10, f"{len(messages(box))} messages")
    check("leads at once" in digests[0]["text"], digests[0]["text"])
    check(requests(box, HISTORY) >= 1, "one was in doubt, and looked for")
    told = []
    for message in messages(box):
        payload = message["metadata"]["event_payload"]
        if "delivery" in payload:
            told.append(int(payload["delivery"].split("-")[1]))
            continue
        numbers = [int(n, 36) for n in payload["deliveries"].split(".")]
        told += [sum(numbers[:i + 1]) for i in range(len(numbers))]
    equal(sorted(told), sorted(int(d["id"]) for d in done), "each is told once")
    for d in done:
        check(any(d["remote_id"] == f"{CHANNEL}:{m['ts']}" for m in messages(box)), f"{d}")
    finish(world)


def test_buttons_and_threads_need_a_token(world):
    world.start_sandbox()
    world.configure(text_of(world, connector(world, "hook", buttons="yes", thread="yes"),
                            route("hook"), BUTTONS))
    status, text = errors_of(world, "check")
    equal(status, 2, "status")
    for words in ("a webhook cannot change a message that somebody answered",
                  "a webhook does not say where a thread begins", "use a token and a channel"):
        check(words in text, text)
