"""Webhooks out: any receiver, catch hooks of Zapier's, and whoever subscribes at /hooks."""
import base64
import json
import re

from harness import PORTAL, Client, check, demo, equal, eventually
from services import (CATCH, HOOKS_TOKEN, STANDARD, begin, connector, deliveries, finish, make_hot,
                      person, post, received, requests, route, states, use, text_of, wait_dead,
                      wait_delivered, whole)

SECRET = "whsec_wCwLll4COr7oCPK1SNjVGTqLUim+bzEhpvFuLUGkSbM="
BEFORE = "whsec_ThGV3wIN5Z4NZaM6QnnxGD565OXZgOMJ"
FLAT = {"id", "event", "route", "occurred_at", "lead_id", "crm_id", "email", "name", "firstname",
        "lastname", "company", "jobtitle", "phone", "lifecyclestage", "crm_url", "score",
        "previous_score", "fit", "engagement", "band", "previous_band", "reasons", "probability",
        "probability_reasons", "churn", "churn_reasons", "source",
        "source_event", "source_property", "source_value"}


def signed(box, **options):
    return {"url": box.url + "/in/signed", "secret": SECRET, **options}


# Any receiver

def test_a_signed_message_is_verified_by_a_strict_receiver(world):
    box = world.start_sandbox()
    begin(world, "crm", connector(world, "http", **signed(box)), route("http"))
    post(world, person(7) + [demo(7)])
    delivery = wait_delivered(world, 1)[0]
    got, = received(box)
    equal(got["path"], "/in/signed", "path")
    body = got["body"]
    equal((body["type"], body["data"]["event"]), ("lead.hot", "lead.hot"), "type")
    equal(set(body["data"]), FLAT, "keys")
    check(re.fullmatch(f"[0-9a-f]{{8}}-{delivery['id']}", got["id"]), got["id"])
    equal(body["data"]["id"], got["id"], "the id in the data")
    equal((body["data"]["email"], body["data"]["score"], body["data"]["band"]),
          ("ada@example.com", 60, "hot"), "the lead")
    equal(body["data"]["crm_url"], f"https://app.hubspot.com/contacts/{PORTAL}/record/0-1/7", "link")
    finish(world)


def test_a_rotation_signs_with_both_secrets_until_it_is_over(world):
    box = world.start_sandbox()
    other = "whsec_" + base64.b64encode(b"n" * 32).decode()
    begin(world, connector(world, "http", **signed(box, secret=other, secret_previous=BEFORE)),
          route("http"))
    make_hot(world, 1)
    wait_delivered(world, 1)
    got, = received(box)
    equal(len(got["signatures"].split(" ")), 2, "signatures")
    use(world, text_of(world, connector(world, "http", **signed(box, secret=other)), route("http")))
    make_hot(world, 2)
    dead = wait_dead(world)
    check("HTTP 401" in dead["reason"] and "`secret`" in dead["reason"], dead["reason"])
    finish(world, offences=("no signature fits",))


def test_cloudevents_and_messages_are_bodies_of_their_own(world):
    box = world.start_sandbox()
    begin(world, connector(world, "http", "cloud", **signed(box, format="cloudevents")),
          connector(world, "http", "chat", format="message"), route("cloud, chat"))
    post(world, person(3, firstname="<!channel>\r\nX: y", lastname="") + [demo(3)])
    wait_delivered(world, 2)
    cloud, = received(box, "/in/signed")
    equal(cloud["content_type"], "application/cloudevents+json; charset=utf-8", "media type")
    equal((cloud["body"]["specversion"], cloud["body"]["id"], cloud["body"]["type"]),
          ("1.0", cloud["id"], "lead.hot"), "attributes")
    equal(set(cloud["body"]["data"]), FLAT, "keys")
    chat, = received(box, "/in/open")
    equal(list(chat["body"]), ["text"], "keys of a message")
    check(chat["body"]["text"].startswith("‹!channel›  X: y is hot\n\nScore: 60 "), chat["body"])
    finish(world)


def test_a_lost_answer_is_asked_again_under_the_same_id(world):
    box = world.start_sandbox()
    begin(world, connector(world, "http", **signed(box)), route("http"))
    box.fail(path="/in/", mode="processed_no_answer")
    make_hot(world, 1)
    wait_delivered(world, 1)
    first, second = received(box)
    equal((first["id"], first["again"], second["again"]), (second["id"], False, True), "ids")
    finish(world)


def test_what_may_have_arrived_is_left_alone_where_that_is_wanted(world):
    box = world.start_sandbox()
    begin(world, connector(world, "http", **signed(box, on_ambiguous="drop")), route("http"))
    box.fail(path="/in/", mode="processed_no_answer")
    make_hot(world, 1)
    dead = wait_dead(world)
    check("may have arrived" in dead["reason"], dead["reason"])
    equal(len(received(box)), 1, "messages")
    finish(world)


def test_a_receiver_that_refuses_says_what_to_do(world):
    box = world.start_sandbox()
    begin(world, connector(world, "http"), route("http"))
    for contact, (status, words) in enumerate([(400, "`format`"), (410, "gone for good"),
                                               (301, "it moved"), (422, "`format`")], 1):
        box.fail(path="/in/", mode="status", status=status)
        make_hot(world, contact)
        dead = eventually(lambda n=contact: (lambda d: d[0] if len(d) == n else None)(
            deliveries(world, "--state", "dead")[::-1]), 10, "dead")
        check(f"HTTP {status}" in dead["reason"] and words in dead["reason"], dead["reason"])
    box.fail(path="/in/", mode="status", status=503, times=3)
    make_hot(world, 9)
    equal(wait_delivered(world, 1)[0]["attempts"], 4, "attempts")
    finish(world)


# A catch hook

def test_a_catch_hook_gets_one_flat_object(world):
    box = begin(world, "zap", route("zap"))
    post(world, person(7, company='{"looks":"like JSON"}') + [demo(7)])
    wait_delivered(world, 1)
    got, = received(box)
    equal((got["path"], set(got["body"])), (CATCH, FLAT), "what Zapier got")
    equal(got["body"]["company"], '{"looks":"like JSON"}', "a text stays a text")
    shown = world.run("check")
    check("sandbox" not in shown and "http://127.0.0.1" in shown, f"the hook is no secret: {shown}")
    finish(world)


def test_a_hook_that_is_gone_is_dead_with_what_to_do(world):
    box = begin(world, "zap", route("zap"))
    box.fail(path="/hooks/", mode="status", status=404)
    make_hot(world, 1)
    wait_delivered(world, 1)
    box.fail(path="/hooks/", mode="status", status=410)
    make_hot(world, 2)
    check("catch hook" in wait_dead(world)["reason"], "the reason of a dead one")
    finish(world)


# REST hooks

class Hooks:
    """The app's side of /hooks."""

    def __init__(self, world, token=HOOKS_TOKEN):
        self.world, self.token = world, token

    def ask(self, method, path, body=None, headers=None):
        client = Client(self.world.port, tls=False)
        fields = {"Authorization": f"Bearer {self.token}"} if headers is None else dict(headers)
        if body:
            fields.setdefault("Content-Type", "application/json")
        sent = body if isinstance(body, bytes) else json.dumps(body).encode() if body else b""
        answer = client.request(method, path, sent, fields)
        client.close()
        return answer

    def subscribe(self, target, route="hot-lead", key="target_url", name="event"):
        answer = self.ask("POST", "/hooks", {key: target, name: route})
        equal(answer.status, 201, f"subscribe: {answer.body!r}")
        return answer.json()["id"]

    def refused(self, body, words, status=400):
        answer = self.ask("POST", "/hooks", body)
        equal(answer.status, status, f"{body}: {answer.body!r}")
        equal(answer.headers["Content-Type"], "application/problem+json", "media type")
        check(words in answer.json()["detail"], f"{answer.json()['detail']!r} does not say {words}")


def target(box, zap):
    return box.url + STANDARD + zap + "/"


def test_a_subscriber_hears_of_its_route_until_it_unsubscribes(world):
    box = begin(world, "subscribers", route("subscribers"),
                route("subscribers", name="lead-changed", when="score != score.previous"))
    hooks = Hooks(world)
    ids = [hooks.subscribe(target(box, "a")), hooks.subscribe(target(box, "b"), key="hookUrl"),
           hooks.subscribe(target(box, "c"), "lead-changed", key="targetUrl", name="route")]
    equal(len(set(ids)), 3, "ids")
    equal(hooks.subscribe(target(box, "a"), key="url"), ids[0], "the same again")
    make_hot(world, 1)
    wait_delivered(world, 3)
    equal(sorted(r["path"] for r in received(box)), [STANDARD + z + "/" for z in "abc"], "targets")
    equal(len({r["id"] for r in received(box)}), 3, "each has an id of its own")
    equal({r["body"]["event"] for r in received(box)}, {"lead.hot"}, "event")
    for _ in range(2):  # the second time there is nothing, and that is as well
        answer = hooks.ask("DELETE", f"/hooks/{ids[0]}")
        equal(answer.status, 200, f"unsubscribe: {answer.body!r}")
    for odd in ("undefined", "", "%7Bid%7D", "x" * 500, "sample", "a/b"):
        equal(hooks.ask("DELETE", f"/hooks/{odd}").status, 200, f"unsubscribe {odd!r}")
    make_hot(world, 2)
    wait_delivered(world, 5)
    equal(len(received(box, STANDARD + "a/")), 1, "to whom has unsubscribed")
    finish(world)


def test_410_ends_a_subscription_and_what_waits_for_it(world):
    box = begin(world, connector(world, "subscribers", concurrency=1), route("subscribers"))
    hooks = Hooks(world)
    hooks.subscribe(target(box, "gone"))
    hooks.subscribe(target(box, "stays"))
    box.fail(path=STANDARD + "gone/", mode="status", status=503, times=4)
    box.fail(path=STANDARD + "gone/", mode="status", status=410)
    make_hot(world, 1, 2, 3)
    wait_delivered(world, 3)
    equal({r["path"] for r in received(box)}, {STANDARD + "stays/"}, "who heard it")
    eventually(lambda: sorted(states(world)) == ["cancelled"] * 2 + ["dead"] + ["delivered"] * 3,
               20, "the end of what was for the other")
    dead = wait_dead(world)
    check("HTTP 410" in dead["reason"] and "subscription has ended" in dead["reason"], dead["reason"])
    make_hot(world, 4)
    wait_delivered(world, 4)
    equal(requests(box, STANDARD + "gone/"), 5, "after 410 nothing more goes there")
    finish(world)


def test_unsubscribing_cancels_what_still_waits(world):
    box = begin(world, "subscribers", route("subscribers"))
    hooks = Hooks(world)
    one = hooks.subscribe(target(box, "down"))
    box.fail(path=STANDARD + "down/", mode="status", status=503, times=100000)
    make_hot(world, 1, 2, 3)
    eventually(lambda: requests(box, STANDARD + "down/") >= 1, 10, "an attempt")
    equal(hooks.ask("DELETE", f"/hooks/{one}").status, 200, "unsubscribe")
    eventually(lambda: states(world) == ["cancelled"] * 3, 10, f"cancelled: {states(world)}")
    equal(deliveries(world)[0]["reason"], "the subscription has ended", "reason")
    equal(world.metric("funneld_deliveries_total", connector="subscribers", outcome="cancelled"), 3,
          "metric")
    equal(world.metric("funneld_queue_depth", connector="subscribers"), 0, "depth")
    equal(world.run_json("retry", "--all")[0], {"retried": 0}, "nothing to retry")
    finish(world)


def test_only_who_has_the_token_may_ask(world):
    box = begin(world, "subscribers", route("subscribers"))
    hooks = Hooks(world)
    body = {"target_url": target(box, "a")}
    good = {"Authorization": f"Bearer {HOOKS_TOKEN}"}
    refused = [{}, {"Authorization": "Bearer wrong"}, {"X-Api-Key": "wrong"},
               {"Authorization": HOOKS_TOKEN}, {"Authorization": f"Basic {HOOKS_TOKEN}"},
               {"Authorization": [f"Bearer {HOOKS_TOKEN}"] * 2}, {"X-Api-Key": [HOOKS_TOKEN] * 2},
               {**good, "X-Api-Key": HOOKS_TOKEN}, {"X-Api-Key": HOOKS_TOKEN + "x"},
               {"X-Api-Key": HOOKS_TOKEN[:-1]}, {"X-Api-Key": ""}]
    for method, path in (("POST", "/hooks"), ("DELETE", "/hooks/x"), ("GET", "/hooks/sample")):
        for headers in refused:
            answer = hooks.ask(method, path, body if method == "POST" else None, headers)
            equal(answer.status, 401, f"{method} {path} {headers}: {answer.body!r}")
            check("Bearer" in answer.headers["WWW-Authenticate"], "a challenge")
        for headers in (good, {"X-Api-Key": HOOKS_TOKEN}, {"x-api-key": f" {HOOKS_TOKEN} "}):
            check(hooks.ask(method, path, body if method == "POST" else None, headers).status < 300,
                  f"{method} {path} {headers}")
    check("X-Api-Key" in hooks.ask("POST", "/hooks", body, {}).json()["detail"], "what to send")
    finish(world)


def test_addresses_of_third_parties_reach_no_machine_of_ours(world):
    box = begin(world, connector(world, "subscribers", allow="hooks.zapier.com"),
                route("subscribers"))
    hooks = Hooks(world)
    for url in (box.url + STANDARD + "a/", "https://127.0.0.1/x", "https://localhost/x",
                "https://hooks.zapier.com@127.0.0.1/x", "https://2130706433/x", "https://[::1]/x",
                "https://169.254.169.254/latest/meta-data/", "https://evil.example/x",
                "https://hooks.zapier.com.evil.example/x"):
        hooks.refused({"target_url": url}, "")
    use(world, text_of(world, connector(world, "subscribers", allow="*"), route("subscribers")))
    hooks.refused({"target_url": f"https://127.0.0.1:{box.port}/x"}, "port 443")
    hooks.refused({"target_url": "https://metadata.google.internal/x"}, "on the Internet")
    finish(world)


def test_a_name_that_leads_here_is_blocked_when_it_is_connected(world):
    """Every name under .localhost does, whatever was checked before: as good as a rebound one."""
    box = world.start_sandbox()
    host = f"hooks.localhost:{box.port}"
    begin(world, connector(world, "subscribers", allow=host), route("subscribers"))
    Hooks(world).subscribe(f"https://{host}{STANDARD}a/")
    make_hot(world, 1)
    delivery = eventually(lambda: next((d for d in deliveries(world) if d["attempts"] > 1), None),
                          10, "two attempts")
    equal(delivery["state"], "pending", "state")
    history = whole(world, delivery)["history"]
    equal({(a["status"], a["detail"]) for a in history},
          {(None, "hooks.localhost: blocked: its address is not on the Internet")}, "attempts")
    equal(requests(box, "/"), 0, "requests")
    finish(world)


def test_what_is_wrong_with_a_subscription_is_said(world):
    box = begin(world, "subscribers", "slack", route("subscribers"),
                route("subscribers", name="changed", when="score > 0"),
                route("slack", name="quiet", when="score > 1000"))
    hooks = Hooks(world)
    good = target(box, "a")
    hooks.refused({"target_url": good}, "There are: hot-lead, changed.")
    hooks.refused({"target_url": good, "event": "quiet"}, "There is no route quiet")
    hooks.refused({"target_url": good, "route": "Hot-Lead"}, "There is no route Hot-Lead")
    hooks.refused({"event": "hot-lead"}, "target_url")
    hooks.refused({"event": "hot-lead", "target": good}, "target_url")
    hooks.refused({"event": "hot-lead", "target_url": 5}, "target_url")
    hooks.refused([good], "JSON object")
    hooks.refused(b"{", "JSON object")
    hooks.refused(b"", "JSON object")
    hooks.refused({"event": "hot-lead", "url": "http://hooks.zapier.com/x"}, "https://")
    hooks.refused({"event": "hot-lead", "url": "https://hooks.zapier.com/" + "x" * 3000}, "2048")
    for method, path, allow in (("GET", "/hooks", "POST"), ("PUT", "/hooks", "POST"),
                                ("POST", "/hooks/sample", "GET, HEAD"),
                                ("GET", "/hooks/x", "DELETE"), ("POST", "/hooks/x", "DELETE")):
        answer = hooks.ask(method, path, {} if method != "GET" else None)
        equal((answer.status, answer.headers["Allow"]), (405, allow), f"{method} {path}")
    equal(hooks.ask("POST", "/hooks", b"x=1", {"X-Api-Key": HOOKS_TOKEN, "Content-Type":
          "application/x-www-form-urlencoded"}).status, 415, "a form")
    equal(hooks.ask("POST", "/hooks", b"x" * (2 << 20)).status, 413, "too large")
    equal(hooks.ask("GET", "/hook").status, 404, "another path")
    finish(world)


def test_without_a_token_there_are_no_hooks(world):
    begin(world, "slack", route("slack"))
    for method, path in (("POST", "/hooks"), ("DELETE", "/hooks/x"), ("GET", "/hooks/sample")):
        equal(Hooks(world).ask(method, path).status, 404, f"{method} {path}")
    finish(world)


def test_there_is_a_limit_to_subscriptions(world):
    box = begin(world, connector(world, "subscribers", allow="127.0.0.1", max_subscriptions=2),
                route("subscribers"))
    hooks = Hooks(world)
    first = hooks.subscribe(target(box, "a"))
    hooks.subscribe(target(box, "b"))
    hooks.refused({"target_url": target(box, "c")}, "max_subscriptions", status=409)
    equal(hooks.subscribe(target(box, "a")), first, "one that is there")
    hooks.ask("DELETE", f"/hooks/{first}")
    hooks.subscribe(target(box, "c"))
    finish(world)


def test_the_editors_trial_is_taken_and_never_delivered_to(world):
    begin(world, "subscribers", route("subscribers"))
    hooks = Hooks(world)
    trial = hooks.subscribe("https://hooks.zapier.com/fake-subscription-url")
    make_hot(world, 1)
    equal(hooks.ask("DELETE", f"/hooks/{trial}").status, 200, "unsubscribe")
    equal(deliveries(world), [], "deliveries")
    finish(world)


def test_samples_are_what_is_delivered_newest_first(world):
    box = begin(world, "crm", "subscribers", "slack", route("slack, subscribers"),
                route("slack", name="other", when="score > 0"))
    hooks = Hooks(world)

    def sample(query=""):
        answer = hooks.ask("GET", "/hooks/sample" + query)
        equal((answer.status, answer.headers["Content-Type"]), (200, "application/json"), "sample")
        return answer.json()
    equal(sample(), [], "before there is anything")
    hooks.subscribe(target(box, "a"))
    for contact in range(1, 6):
        post(world, person(contact, firstname=f"n{contact}") + [demo(contact)])
    eventually(lambda: len(received(box)) == 5, 10, "deliveries")
    found = sample("?route=hot-lead")
    equal([s["firstname"] for s in found], ["n5", "n4", "n3"], "samples")
    equal(len({s["id"] for s in found}), 3, "ids")
    equal({frozenset(s) for s in found}, {frozenset(FLAT)}, "keys")
    newest = next(r["body"] for r in received(box) if r["body"]["firstname"] == "n5")
    equal({k: v for k, v in found[0].items() if k != "id"},
          {k: v for k, v in newest.items() if k != "id"}, "the same as was delivered")
    equal([s["route"] for s in sample("?limit=3&event=other")], ["other"] * 3, "by event")
    equal(sample("?route=nothing"), [], "of an unknown route")
    equal([s["route"] for s in sample("?route=hot%2dlead")], ["hot-lead"] * 3, "escaped")
    equal([s["route"] for s in sample("?event=%6Fther&limit=3")], ["other"] * 3, "escaped, by event")
    check({s["route"] for s in sample()} <= {"hot-lead", "other"}, "what the CRM is asked")
    equal(len(sample()), 3, "of any route")
    for query in ("?route=%", "?route=%zz", "?route=%ff", "?route=" + "x" * 300):
        equal(hooks.ask("GET", "/hooks/sample" + query).status, 400, query)
    equal(hooks.ask("HEAD", "/hooks/sample").status, 200, "HEAD")
    finish(world)


def test_subscriptions_survive_a_crash(world):
    box = begin(world, "subscribers", route("subscribers"))
    one = Hooks(world).subscribe(target(box, "a"))
    world.kill()
    world.start()
    equal(Hooks(world).subscribe(target(box, "a")), one, "the same subscription")
    make_hot(world, 1)
    wait_delivered(world, 1)
    finish(world)


def test_an_address_that_subscribed_is_shown_nowhere(world):
    box = begin(world, "subscribers", route("subscribers"))
    secret = "s3cretzaphook"
    Hooks(world).subscribe(target(box, secret))
    box.fail(path=STANDARD, mode="status", status=500, times=2,
             body=f"no such hook {box.url}{STANDARD}{secret}/ or {secret}")
    make_hot(world, 1)
    wait_delivered(world, 1)
    said = (world.daemon.logged() + world.run("deliveries", "show", "1") + world.run("status") +
            world.run("check") + world.admin("/metrics").body.decode())
    check(secret not in said, "the address is in what is said")
    finish(world)
