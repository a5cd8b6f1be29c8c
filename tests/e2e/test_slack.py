"""Slack: messages by bot token and by incoming webhook, and what becomes of them in trouble."""
import re

from harness import PORTAL, change, check, demo, equal, eventually
from services import (CHANNEL, HISTORY, POST_MESSAGE, WEBHOOK, begin, carried, connector,
                      deliveries, finish, make_hot, messages, person, post, requests, retry, route,
                      spaced, started, text_of, use, wait_dead, wait_delivered, wait_requests,
                      whole)

HOT_TO_SLACK = route("slack")
HOT_TO_HOOK = route("hook")


def shown(message):
    """Every text of the blocks, in order."""
    texts = []

    def collect(node):
        if isinstance(node, dict):
            if isinstance(node.get("text"), str):
                texts.append(node["text"])
            node = list(node.values())
        if isinstance(node, list):
            for item in node:
                collect(item)
    collect(message["blocks"])
    return texts


# What is said

def test_a_message_says_who_why_and_where(world):
    box = begin(world, "crm", "slack", HOT_TO_SLACK)
    post(world, person(7, jobtitle="Director of Engines") + [demo(7)])
    delivery = wait_delivered(world, 1)[0]
    message, = messages(box)
    equal(message["channel"], CHANNEL, "channel")
    equal(delivery["remote_id"], f"{CHANNEL}:{message['ts']}", "remote id")
    equal(message["metadata"]["event_type"], "funneld_lead", "metadata")
    check(re.fullmatch(f"[0-9a-f]{{8}}-{delivery['id']}", carried(box)[0]), f"id {carried(box)}")
    check(message["text"].startswith("Ada Lovelace is hot: score 75 - "), message["text"])
    texts = shown(message)
    equal(texts[0], "Ada Lovelace is hot", "header")
    check("Score\n75 (before: 15)" in texts, f"score in {texts}")
    for label, value in (("E-mail", "ada@example.com"), ("Company", "Analytical Engines"),
                         ("Phone", "+44 20 7946 0000"), ("Job title", "Director of Engines")):
        check(f"{label}\n{value}" in texts, f"{label} in {texts}")
    reasons = next(t for t in texts if "demo request" in t)
    check(reasons.startswith("demo request") and "+60" in reasons and "vip +15" in reasons, reasons)
    button = message["blocks"][-1]["elements"][0]
    equal(button["url"], f"https://app.hubspot.com/contacts/{PORTAL}/record/0-1/7", "CRM link")
    finish(world)


def test_what_a_lead_typed_pings_nobody_and_links_nowhere(world):
    box = begin(world, "slack", HOT_TO_SLACK)
    post(world, person(1, firstname="<!channel> & <https://evil.example|you>", company="a\nb*c*",
                       lastname="@here") + [demo(1)])
    wait_delivered(world, 1)
    said = str(messages(box)[0]["blocks"]) + messages(box)[0]["text"]
    check("&lt;!channel&gt; &amp; &lt;https://evil.example|you&gt;" in said, said)
    check("<!" not in said and "<https" not in said, said)
    check("mrkdwn" not in said, f"all of it is plain text: {said}")
    finish(world)


def test_a_template_replaces_the_message_and_escapes_its_values(world):
    box = begin(world, "crm", "slack", HOT_TO_SLACK, """[message hot-lead]
text = *{{lead.firstname}}* of {{lead.company | "?"}} <{{lead.url}}|CRM>: {{score}} ({{reasons}})
""")
    post(world, [change(3, "firstname", "<!here> & co"), demo(3)])
    wait_delivered(world, 1)
    message, = messages(box)
    link = f"https://app.hubspot.com/contacts/{PORTAL}/record/0-1/3"
    want = f"*&lt;!here&gt; &amp; co* of ? <{link}|CRM>: 60 (demo request +60)"
    equal(message["text"], want, "text")
    equal(message["blocks"][0]["text"], {"type": "mrkdwn", "text": want, "verbatim": True}, "block")
    check(message["metadata"]["event_payload"]["delivery"], "metadata as ever")
    finish(world)


def test_blocks_that_slack_refuses_are_sent_again_as_text(world):
    box = begin(world, "slack", HOT_TO_SLACK)
    box.fail(service="slack", path=POST_MESSAGE, status=200,
             body={"ok": False, "error": "invalid_blocks"})
    make_hot(world, 1)
    delivery = wait_delivered(world, 1)[0]
    equal(delivery["attempts"], 1, "attempts")
    message, = messages(box)
    equal(message["blocks"], None, "blocks")
    check("is hot: score 60 - demo request +60" in message["text"], message["text"])
    finish(world)


# Trouble that passes

def test_every_trouble_that_passes_ends_in_exactly_one_message(world):
    box = begin(world, connector(world, "slack", settle="200ms", timeout="3s"), HOT_TO_SLACK)
    troubles = [
        {"status": 500}, {"status": 503}, {"status": 502, "body": "<html>bad gateway</html>"},
        {"status": 408, "body": ""}, {"mode": "drop"}, {"mode": "garbage"},
        {"mode": "processed_no_answer"}, {"mode": "slow", "delay_ms": 3300},
        {"mode": "processed_status", "status": 500}, {"mode": "processed_status", "status": 503},
        {"mode": "processed_status", "status": 200, "body": {"ok": False, "error": "fatal_error"}},
        {"status": 200, "body": {"ok": False, "error": "service_unavailable"}},
        {"status": 200, "body": {"ok": False, "error": "fatal_error"}},
        {"status": 200, "body": ""},
    ]
    for n, trouble in enumerate(troubles, 1):
        box.fail(service="slack", path=POST_MESSAGE, **trouble)
        make_hot(world, n)
        newest = wait_delivered(world, n)[-1]
        equal(newest["attempts"], 2, f"attempts after {trouble}")
        equal(len(messages(box)), n, f"messages after {trouble}")
    equal(len(set(carried(box))), len(troubles), "each is another one")
    finish(world)


def test_retry_after_is_obeyed(world):
    box = begin(world, "slack", "hook", route("slack, hook"))
    box.fail(service="slack", path=POST_MESSAGE, status=429, retry_after="2")
    box.fail(service="slack", path=WEBHOOK, status=503, retry_after="2")
    make_hot(world, 1)
    wait_requests(box, POST_MESSAGE, 1)
    wait_requests(box, WEBHOOK, 1)
    make_hot(world, 2, 3)  # the whole connector rests
    done = wait_delivered(world, 6)
    equal(requests(box, POST_MESSAGE), 4, "requests of the bot")
    equal(requests(box, WEBHOOK), 4, "requests to the webhook")
    for name, via in (("slack", "chat.postMessage"), ("hook", "webhook")):
        first = whole(world, next(d for d in done if d["connector"] == name))["history"]
        said = [m["received_at"] for m in messages(box) if m["via"] == via]
        check(min(said) >= started(first)[0] + 2000, f"{name}: too early, {first} {said}")
    finish(world)


# Trouble that needs a person

def wait_reason(world, *words):
    """Waits until a delivery waits for this reason."""
    def waits():
        found = [d for d in deliveries(world, "--state", "pending") if d["reason"]]
        return next((d for d in found if all(w in d["reason"] for w in words)), None)
    return eventually(waits, 10, f"one that waits because of {words}")


def test_what_needs_a_person_is_kept_with_advice_until_it_is_mended(world):
    world.start_sandbox()
    for n, (options, word, advice) in enumerate([
            ({"channel": "C0PRIVATE00"}, "not_in_channel", "invite the app"),
            ({"channel": "C0ARCHIVED0"}, "is_archived", "connector's channel"),
            ({"channel": "C0NOWHERE00"}, "channel_not_found", "connector's channel"),
            ({"token": "xoxb-revoked"}, "invalid_auth", "connector's token")], 1):
        broken = text_of(world, connector(world, "slack", **options), HOT_TO_SLACK)
        use(world, broken)
        make_hot(world, n)
        kept = wait_reason(world, word, advice)
        equal(kept["connector"], "slack", "connector")
        check("xoxb" not in kept["reason"], "no token in it")
        use(world, text_of(world, "slack", HOT_TO_SLACK))
        wait_delivered(world, n)
    equal(len(messages(world.sandbox)), 4, "messages")
    finish(world, ["not_in_channel", "is_archived", "channel_not_found", "invalid_auth"])


def test_a_missing_scope_is_named(world):
    box = begin(world, "slack", HOT_TO_SLACK)
    box.fail(service="slack", path=POST_MESSAGE, status=200, times=3,
             body={"ok": False, "error": "missing_scope", "needed": "chat:write"})
    make_hot(world, 1)
    wait_reason(world, "missing_scope (needed: chat:write)")
    wait_delivered(world, 1)
    finish(world)


def test_a_revoked_webhook_keeps_what_waits_for_another_address(world):
    box = begin(world, "hook", HOT_TO_HOOK)
    box.fail(service="slack", path=WEBHOOK, status=404, body="no_service", times=3)
    make_hot(world, 1)
    kept = wait_reason(world, "no_service", "webhook was revoked")
    check("/services/" not in kept["reason"], "the address is a secret")
    wait_delivered(world, 1)
    finish(world)


def test_a_message_that_slack_will_never_take_is_dead(world):
    box = begin(world, "slack", HOT_TO_SLACK)
    box.fail(service="slack", path=POST_MESSAGE, status=200,
             body={"ok": False, "error": "no_text"})
    make_hot(world, 1)
    dead = wait_dead(world)
    equal((dead["reason"], dead["attempts"]), ("no_text", 1), "dead at once")
    retry(world, dead["id"])
    wait_delivered(world, 1)
    finish(world)


# Did it arrive?

def test_a_message_of_unknown_fate_is_looked_for_in_the_history(world):
    box = begin(world, "slack", HOT_TO_SLACK)
    make_hot(world, 1, 2, 3)  # others are there too
    wait_delivered(world, 3)
    equal(requests(box, HISTORY), 0, "nothing was in doubt")
    box.fail(service="slack", path=POST_MESSAGE, mode="processed_no_answer")
    make_hot(world, 4)
    delivery = whole(world, wait_delivered(world, 4)[-1])
    equal(requests(box, HISTORY), 1, "looks")
    equal(len(messages(box)), 4, "messages")
    equal([a["verdict"] for a in delivery["history"]], ["ambiguous", "delivered"], "verdicts")
    equal(delivery["remote_id"], f"{CHANNEL}:{messages(box)[-1]['ts']}", "the message found")
    at = started(delivery["history"])
    check(at[1] >= at[0] + 1000, f"settle is waited for: {at}")

    box.fail(service="slack", path=POST_MESSAGE, mode="drop")  # this one did not arrive
    make_hot(world, 5)
    wait_delivered(world, 5)
    equal(requests(box, HISTORY), 2, "looks")
    equal(len(messages(box)), 5, "messages")
    finish(world)


def test_a_look_that_fails_does_not_end_the_doubt(world):
    box = begin(world, connector(world, "slack", settle="100ms", timeout="3s"), HOT_TO_SLACK)
    box.fail(service="slack", path=POST_MESSAGE, mode="processed_no_answer")
    box.fail(service="slack", path=HISTORY, status=500, times=2)
    box.fail(service="slack", path=HISTORY, mode="slow", delay_ms=3300)
    make_hot(world, 1)
    wait_delivered(world, 1)
    equal(len(messages(box)), 1, "messages")
    equal(requests(box, POST_MESSAGE), 1, "posts")
    equal(requests(box, HISTORY), 4, "looks")
    finish(world)


def test_the_look_goes_through_all_pages_of_the_history(world):
    box = begin(world, "slack", HOT_TO_SLACK)
    box.fail(service="slack", path=POST_MESSAGE, mode="processed_no_answer")
    make_hot(world, 1)
    wait_requests(box, POST_MESSAGE, 1)
    make_hot(world, *range(2, 232))  # behind it in the history
    wait_delivered(world, 231, timeout=20)
    equal(len(messages(box)), 231, "messages")
    equal(requests(box, HISTORY), 3, "pages")
    finish(world)


def test_a_webhook_in_doubt_is_sent_again_unless_told_to_drop(world):
    world.start_sandbox()
    for doubt in (None, "resend", "drop"):
        mode = connector(world, "hook", settle="100ms", on_ambiguous=doubt)
        before = len(messages(world.sandbox))
        use(world, text_of(world, mode, HOT_TO_HOOK))
        world.sandbox.fail(service="slack", path=WEBHOOK, mode="processed_no_answer")
        made = make_hot(world, 1 + len(deliveries(world)))
        equal(made["accepted"], 1, "accepted")
        world.all_done()
        newest = deliveries(world)[-1]
        if doubt == "drop":
            equal(newest["state"], "dead", "state")
            check("may have arrived" in newest["reason"], f"reason {newest}")
            equal(len(messages(world.sandbox)), before + 1, "messages")
        else:
            equal(newest["state"], "delivered", "state")
            equal(len(messages(world.sandbox)), before + 2, "twice: nobody can look")
    finish(world)


def test_a_bot_may_be_told_to_resend_or_drop_as_well(world):
    world.start_sandbox()
    for doubt, state, more in (("resend", "delivered", 2), ("drop", "dead", 1)):
        text = text_of(world, connector(world, "slack", settle="100ms", on_ambiguous=doubt),
                       HOT_TO_SLACK)
        before = len(messages(world.sandbox))
        use(world, text)
        world.sandbox.fail(service="slack", path=POST_MESSAGE, mode="processed_no_answer")
        make_hot(world, 1 + len(deliveries(world)))
        world.all_done()
        equal(deliveries(world)[-1]["state"], state, doubt)
        equal(len(messages(world.sandbox)), before + more, f"messages with {doubt}")
    equal(requests(world.sandbox, HISTORY), 0, "looks")
    finish(world)


def test_after_a_crash_an_open_attempt_is_looked_at_not_repeated(world):
    box = begin(world, "slack", HOT_TO_SLACK)
    box.fail(service="slack", path=POST_MESSAGE, mode="slow", delay_ms=1500)
    make_hot(world, 1)
    wait_requests(box, POST_MESSAGE, 1)  # it is posted, and not answered
    world.kill()
    world.start()
    delivery = wait_delivered(world, 1)[0]
    equal(len(messages(box)), 1, "messages")
    equal(requests(box, POST_MESSAGE), 1, "posts")
    equal(requests(box, HISTORY), 1, "looks")
    equal(delivery["remote_id"], f"{CHANNEL}:{messages(box)[0]['ts']}", "remote id")
    finish(world)


def test_after_a_crash_what_did_not_arrive_is_sent(world):
    box = begin(world, "slack", HOT_TO_SLACK)
    box.fail(service="slack", path=POST_MESSAGE, mode="drop", delay_ms=1500)
    make_hot(world, 1)
    wait_requests(box, POST_MESSAGE, 1)
    world.kill()
    world.start()
    wait_delivered(world, 1)
    equal((len(messages(box)), requests(box, POST_MESSAGE)), (1, 2), "messages, posts")
    finish(world)


# Order and rate

def test_messages_of_one_lead_stay_in_order_whatever_fails(world):
    box = begin(world, connector(world, "slack", settle="50ms", timeout="2s", backoff="10ms",
                                 backoff_max="50ms", concurrency=4),
                route("slack", "note", 'event.property == "note"'), """[message note]
text = {{event.value}}
""")
    troubles = [{"status": 500}, {"mode": "drop"}, {"mode": "processed_no_answer"},
                {"status": 503}, {"mode": "slow", "delay_ms": 2300}, {"mode": "garbage"}]
    for i in range(24):
        box.fail(service="slack", path=HISTORY if i % 4 == 3 else POST_MESSAGE,
                 **troubles[i % len(troubles)])
    leads, each = 5, 8
    for i in range(each):
        post(world, [change(c, "note", f"{c} says {i}") for c in range(1, leads + 1)])
    wait_delivered(world, leads * each, timeout=30)
    said = [m["text"] for m in messages(box)]
    for c in range(1, leads + 1):
        equal([t for t in said if t.startswith(f"{c} says")],
              [f"{c} says {i}" for i in range(each)], f"messages of lead {c}")
    finish(world)


def test_the_rate_is_kept(world):
    box = begin(world, connector(world, "slack", rate="5/s"), HOT_TO_SLACK)
    make_hot(world, *range(1, 8))
    wait_delivered(world, 7)
    at = [m["received_at"] for m in messages(box)]
    equal(len(at), 7, "messages")
    spaced(at, 200)
    finish(world)
