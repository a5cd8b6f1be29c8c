"""What a sender hears: every line of the answer table, over TLS."""
import base64
import json
import signal
import sqlite3
import time

from harness import (PORTAL, SECRET, ZAPIER_SECRET, change, check, demo, equal, event, eventually,
                     in_threads, in_time, log_lines, raw_answer, raw_connection, raw_head, sign_v1,
                     sign_v2, sign_v3, stored)

JSON = {"Content-Type": "application/json"}


def start(world, server="", hubspot="", store="", admin="", tls=True):
    text = world.base(tls=tls, server=server, hubspot=hubspot, store=store)
    if admin:
        text = text.replace("[store]\n", admin + "[store]\n", 1)
    world.configure(text)
    world.start()


def send(world, body, headers, method="POST", path="/webhooks/hubspot"):
    client = world.client()
    try:
        return client.request(method, path, body, headers)
    finally:
        client.close()


def problem(answer, status):
    """An answer of RFC 9457."""
    equal(answer.status, status, f"status of {answer.body!r}")
    equal(answer.headers["Content-Type"], "application/problem+json", "media type")
    value = answer.json()
    equal(value["status"], status, "status in the body")
    check(value["title"] and value["detail"] and value["type"], f"a whole problem: {value}")
    equal(value["request_id"], answer.headers["X-Request-Id"], "request id")
    return value


def refused(world, reason, source="hubspot"):
    return world.metric("funneld_requests_rejected_total", source=source, reason=reason)


def test_a_stored_batch_is_answered_200(world):
    start(world)
    batch = [event("contact.creation", 1), change(1, "email", "ada@example.com")]
    for sign in (sign_v3, sign_v2, sign_v1):
        batch = [dict(e, occurredAt=e["occurredAt"] + 1) for e in batch]
        body = json.dumps(batch).encode()
        answer = send(world, body, {**JSON, **sign(body)})
        equal(answer.status, 200, sign.__name__)
        equal(answer.headers["Content-Type"], "application/json", "media type")
        reply = answer.json()
        equal(sorted(reply), ["accepted", "duplicates", "request_id", "unprocessable"], "fields")
        equal((reply["accepted"], reply["duplicates"], reply["unprocessable"]), (2, 0, 0), "reply")
        equal(reply["request_id"], answer.headers["X-Request-Id"], "request id")
        check(answer.headers["Retry-After"] is None, "no Retry-After")
    events = stored(world)
    equal(len(events), 6, "events")
    equal(events[-1]["request_id"], reply["request_id"], "request id of the stored event")
    equal(events[-1]["type"], "contact.propertyChange", "type")
    world.stop()


def test_an_empty_batch_and_signed_extras_are_answered_200(world):
    start(world, hubspot="secret_previous = the-old-secret")
    equal(world.post([]).json()["accepted"], 0, "empty batch")
    body = json.dumps([demo(1)]).encode()
    old = sign_v3(body, secret="the-old-secret")
    equal(send(world, body, {**JSON, **old}).status, 200, "previous secret")
    body = json.dumps([demo(2)]).encode()
    charset = {"Content-Type": "application/json; charset=utf-8"}
    equal(send(world, body, {**charset, **sign_v3(body)}).status, 200, "charset")
    body = json.dumps([demo(3)]).encode()
    target = "/webhooks/hubspot?team=eu%20west&x=1"
    answer = send(world, body, {**JSON, **sign_v3(body, target=target)}, path=target)
    equal(answer.status, 200, "query")
    body = json.dumps([demo(4)]).encode()
    ago = int(time.time() * 1000) - 290_000
    answer = send(world, body, {**JSON, **sign_v3(body, timestamp=ago)})
    equal(answer.status, 200, "timestamp just inside 5 minutes")
    equal(len(stored(world)), 4, "events")
    world.stop()


def test_an_odd_element_does_not_fail_its_neighbours(world):
    start(world)
    batch = [change(1, "email", "ada@example.com"), 5, "text", None, [], {},
             {**demo(1), "objectId": "x"}, {**demo(1), "occurredAt": "yesterday"},
             event("company.creation", 77), demo(2)]
    reply = world.post(batch).json()
    equal((reply["accepted"], reply["duplicates"], reply["unprocessable"]), (10, 0, 7), "reply")
    states = [e["state"] for e in stored(world)]
    equal(states, ["processed"] + 7 * ["unprocessable"] + ["unlinked", "processed"], "states")
    for e in stored(world, "--state", "unprocessable"):
        check(e["reason"], f"a reason: {e}")
    whole = world.run_json("events", "show", stored(world)[1]["id"])[0]
    equal(whole["body"], 5, "kept raw")
    again = world.post(batch).json()
    equal((again["accepted"], again["duplicates"]), (0, 10), "the same again")
    equal(world.metric("funneld_events_unprocessable_total", source="hubspot"), 7, "metric")
    world.stop()


def test_what_is_not_the_sources_json_is_answered_400(world):
    start(world)
    bodies = [b"", b"{", b"[", b"[]x", b"nope", b'{"eventId":1}', b'"text"', b"5", b"null",
              b'[{"a":1,"a":2}]', b'["\xff"]', b'["\\ud800"]', b"[" * 65 + b"]" * 65,
              b"[01]", b"[1,]", b"\xef\xbb\xbf[]", b"[NaN]", b'["\x01"]', b"['a']"]
    for body in bodies:
        value = problem(send(world, body, {**JSON, **sign_v3(body)}), 400)
        check(SECRET not in str(value), "no secret")
    equal(stored(world), [], "nothing is stored")
    equal(refused(world, "json"), len(bodies), "metric")
    for body in (b'"text"', b"5", b"[1,", b'{"email":"a@example.com","email":"b@example.com"}'):
        answer = send(world, body, {**JSON, "X-Funneld-Secret": ZAPIER_SECRET},
                      path="/webhooks/zapier")
        problem(answer, 400)
    equal(stored(world), [], "nothing is stored")
    equal(refused(world, "json", "zapier"), 4, "metric")
    world.stop()


def test_a_request_that_does_not_prove_its_sender_is_answered_401(world):
    start(world)
    body = json.dumps([demo(1)]).encode()
    good, other = sign_v3(body), sign_v3(b"[]")
    name, stamp = "X-HubSpot-Signature-v3", "X-HubSpot-Request-Timestamp"
    v2 = sign_v2(body)
    attempts = {
        "nothing": {},
        "wrong": {**good, name: sign_v3(body, secret="wrong")[name]},
        "of another body": {**good, name: other[name]},
        "of another method": sign_v3(body, method="PUT"),
        "of another path": sign_v3(body, target="/webhooks/zapier"),
        "empty": {**good, name: ""},
        "not base64": {**good, name: "!!!"},
        "longer": {**good, name: good[name] + "A"},
        "shorter": {**good, name: good[name][:-1]},
        "other case": {**good, name: good[name].swapcase()},
        "twice": {stamp: good[stamp], name: [good[name], good[name]]},
        "twice, one wrong": {stamp: good[stamp], name: [good[name], other[name]]},
        "v2 wrong": {**v2, "X-HubSpot-Signature": sign_v1(b"x")["X-HubSpot-Signature"]},
        "v2 in capitals": {**v2, "X-HubSpot-Signature": v2["X-HubSpot-Signature"].upper()},
        "v2 said to be v1": {**v2, "X-HubSpot-Signature-Version": "v1"},
        "v1 said to be v2": {**sign_v1(body), "X-HubSpot-Signature-Version": "v2"},
        "v9": {**v2, "X-HubSpot-Signature-Version": "v9"},
        "v2 twice": {**v2, "X-HubSpot-Signature": 2 * [v2["X-HubSpot-Signature"]]},
        "a zap's secret": {"X-Funneld-Secret": ZAPIER_SECRET},
    }
    for what, headers in attempts.items():
        answer = send(world, body, {**JSON, **headers})
        equal(answer.status, 401, what)
        problem(answer, 401)
        check(answer.headers["WWW-Authenticate"], "a challenge")
    equal(stored(world), [], "nothing is stored")
    equal(refused(world, "signature"), len(attempts), "metric")
    check(SECRET not in world.daemon.logged(), "no secret in the log")
    world.stop()


def test_how_far_the_senders_clock_is_away_is_a_metric(world):
    start(world)

    def skew_after(offset_ms, status, secret=SECRET):
        body = json.dumps([demo(1)]).encode()
        stamp = int(time.time() * 1000) + offset_ms
        answer = send(world, body, {**JSON, **sign_v3(body, timestamp=stamp, secret=secret)})
        equal(answer.status, status, "answer")
        return world.metric("funneld_clock_skew_seconds", source="hubspot")
    check(abs(skew_after(0, 200)) < 1, "the same clock")
    check(199 < skew_after(-200_000, 200) < 202, "ours is ahead")
    check(-202 < skew_after(200_000, 200) < -198, "theirs is ahead")
    check(skew_after(0, 401, secret="wrong") < -198, "nobody else may set it")
    world.stop()


def test_a_timestamp_more_than_5_minutes_away_is_answered_401(world):
    start(world)
    body = json.dumps([demo(1)]).encode()
    now = int(time.time() * 1000)
    name = "X-HubSpot-Request-Timestamp"
    attempts = [sign_v3(body, timestamp=t) for t in
                (now - 310_000, now + 310_000, now // 1000, 0, -now, 10 ** 18)]
    missing, twice = sign_v3(body), sign_v3(body)
    del missing[name]
    twice[name] = 2 * [twice[name]]
    attempts += [missing, twice, sign_v3(body, timestamp="soon"), sign_v3(body, timestamp="")]
    for headers in attempts:
        problem(send(world, body, {**JSON, **headers}), 401)
    equal(stored(world), [], "nothing is stored")
    equal(refused(world, "timestamp") + refused(world, "signature"), len(attempts), "metrics")
    check(refused(world, "timestamp") >= 6, "old and early ones are counted as such")
    world.stop()


def test_require_v3_refuses_the_older_signatures(world):
    start(world, hubspot="require = v3")
    body = json.dumps([demo(1)]).encode()
    for sign in (sign_v1, sign_v2):
        problem(send(world, body, {**JSON, **sign(body)}), 401)
    equal(send(world, body, {**JSON, **sign_v3(body)}).status, 200, "v3")
    world.stop()


def test_zaps_prove_themselves_in_three_ways(world):
    start(world)

    def basic(text):
        return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}

    good = [{"X-Funneld-Secret": ZAPIER_SECRET}, {"Authorization": "Bearer " + ZAPIER_SECRET},
            {"Authorization": "bearer " + ZAPIER_SECRET}, basic("anyone:" + ZAPIER_SECRET),
            basic(":" + ZAPIER_SECRET)]
    for i, headers in enumerate(good):
        answer = world.post({"email": f"zap{i}@example.com"}, headers=headers,
                            path="/webhooks/zapier")
        equal((answer.status, answer.json()["accepted"]), (200, 1), str(headers))
    bad = [{}, {"X-Funneld-Secret": ""}, {"X-Funneld-Secret": ZAPIER_SECRET + "x"},
           {"X-Funneld-Secret": 2 * [ZAPIER_SECRET]}, {"Authorization": ZAPIER_SECRET},
           {"Authorization": "Bearer wrong"}, {"Authorization": 2 * ["Bearer " + ZAPIER_SECRET]},
           basic(ZAPIER_SECRET), basic("anyone:wrong"), basic(ZAPIER_SECRET + ":"),
           {"Authorization": "Basic ***"}, {"Authorization": "Digest " + ZAPIER_SECRET},
           {"X-Funneld-Secret": "wrong", "Authorization": "Bearer " + ZAPIER_SECRET},
           {"X-Funneld-Secret": ZAPIER_SECRET, "Authorization": "Bearer wrong"}]
    for headers in bad:
        answer = world.post({"email": "intruder@example.com"},
                            headers=headers or {"X-Nothing": "1"}, path="/webhooks/zapier")
        equal(answer.status, 401, str(headers))
        problem(answer, 401)
    equal(len(stored(world)), len(good), "events")
    equal(refused(world, "signature", "zapier"), len(bad), "metric")
    check(ZAPIER_SECRET not in world.daemon.logged(), "no secret in the log")
    world.stop()


def test_zaps_of_every_shape_become_leads(world):
    start(world)
    secret = {"X-Funneld-Secret": ZAPIER_SECRET}

    def post(value):
        answer = world.post(value, headers=secret, path="/webhooks/zapier")
        equal(answer.status, 200, f"{value}: {answer.body!r}")
        reply = answer.json()
        return reply["accepted"], reply["duplicates"], reply["unprocessable"]

    ada = {"event_id": "e-1", "event_type": "form.submitted", "email": " Ada@Example.com ",
           "occurred_at": "2026-03-01T12:00:00.250Z", "firstname": "Ada", "seats": 12,
           "trial": True, "empty": "", "utm": {"source": "ads", "deep": {"er": 1}}}
    equal(post(ada), (1, 0, 0), "one")
    equal(post(dict(ada, firstname="Changed")), (0, 1, 0), "same event_id")
    lead = world.run_json("leads", "show", "ada@example.com")[0]
    values = {name: p["value"] for name, p in lead["properties"].items()}
    equal(values, {"email": "ada@example.com", "firstname": "Ada", "seats": "12", "trial": "true",
                   "utm__source": "ads", "utm__deep__er": "1"}, "properties")
    equal(lead["properties"]["firstname"]["at"], "2026-03-01T12:00:00.250Z", "time")
    equal((lead["email"], lead["portal_id"], lead["crm_id"]), ("ada@example.com", None, None),
          "keys")

    one = {"email": "bob@example.com", "note": "the same"}
    equal(post(one), (1, 0, 0), "without event_id")
    equal(post(one), (0, 1, 0), "the same body within dedupe_window")
    equal(post(dict(one, note="another")), (1, 0, 0), "another body")
    batch = [{"email": "c@example.com"}, {"email": "d@example.com",
             "occurred_at": 1772366400123}, 7, {"no": "email"}, {"email": "nonsense"},
             {"email": "e@example.com", "occurred_at": "tomorrow"}]
    equal(post(batch), (6, 0, 4), "a batch")
    newest = stored(world)[-6:]
    equal([e["state"] for e in newest], 2 * ["processed"] + 4 * ["unprocessable"], "states")
    equal(newest[1]["occurred_at"], "2026-03-01T12:00:00.123Z", "milliseconds")
    equal(newest[0]["type"], "zapier.event", "default type")
    equal(stored(world)[0]["type"], "form.submitted", "own type")
    equal(world.metric("funneld_events_received_total", source="zapier", type="other"), 9, "metric")
    equal(world.metric("funneld_events_duplicate_total", source="zapier"), 2, "metric")
    world.stop()


def test_unknown_paths_are_answered_404(world):
    start(world)
    for path in ("/", "/webhooks", "/webhooks/hubspot/", "/webhooks/hubspotx", "/Webhooks/hubspot",
                 "/webhooks/%68ubspot", "//webhooks/hubspot", "/metrics", "/livez", "/readyz"):
        for method in ("GET", "POST"):
            problem(send(world, b"", JSON, method, path), 404)
    equal(stored(world), [], "nothing is stored")
    world.stop()


def test_other_methods_are_answered_405_with_allow(world):
    start(world)
    for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"):
        for path in ("/webhooks/hubspot", "/webhooks/zapier"):
            answer = send(world, b"", JSON, method, path)
            equal((answer.status, answer.headers["Allow"]), (405, "POST"), f"{method} {path}")
    for method in ("POST", "PUT", "DELETE"):
        answer = send(world, b"", JSON, method, "/healthz")
        equal((answer.status, answer.headers["Allow"]), (405, "GET, HEAD"), f"{method} /healthz")
        problem(answer, 405)
    equal(refused(world, "method"), 6, "metric")
    world.stop()


def test_a_body_of_unknown_length_is_answered_411(world):
    start(world)
    body = json.dumps([demo(1)]).encode()
    with raw_connection(world) as s:
        s.sendall(raw_head(fields={**JSON, **sign_v3(body)}))
        problem(raw_answer(s), 411)
    equal(refused(world, "length"), 1, "metric")
    equal(stored(world), [], "nothing is stored")
    world.stop()


def chunks(body, size):
    pieces = [body[i:i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"


def test_a_body_over_max_body_is_answered_413(world):
    start(world, server="max_body = 4KiB")
    fits = json.dumps([change(1, "note", "x" * 3000)]).encode()
    fits += b" " * (4096 - len(fits))
    chunked = {**JSON, "Transfer-Encoding": "chunked"}
    equal(send(world, fits, {**JSON, **sign_v3(fits)}).status, 200, "exactly max_body")
    equal(send(world, chunks(fits, 100), {**chunked, **sign_v3(fits)}).json()["duplicates"], 1,
          "exactly max_body in chunks")
    large = fits + b" "
    problem(send(world, large, {**JSON, **sign_v3(large)}), 413)
    problem(send(world, chunks(large, 100), {**chunked, **sign_v3(large)}), 413)
    with raw_connection(world) as s:  # announced only: the answer comes before the body
        s.sendall(raw_head(fields={**JSON, **sign_v3(large), "Content-Length": "100000000"}))
        problem(raw_answer(s), 413)
    with raw_connection(world) as s:  # who asks first hears it first
        s.sendall(raw_head(fields={**JSON, **sign_v3(large), "Content-Length": "5000",
                                   "Expect": "100-continue"}))
        problem(raw_answer(s), 413)
    equal(refused(world, "too_large"), 4, "metric")
    many = json.dumps([demo(i) for i in range(20)]).encode()
    equal(len(stored(world)), 1, "events")
    equal(len(many) <= 4096, False, "this batch is too large as well")
    world.stop()


def test_more_than_max_events_are_answered_413(world):
    start(world, hubspot="max_events = 3")
    problem(world.post([demo(i) for i in range(1, 5)]), 413)
    equal(world.post([demo(i) for i in range(1, 4)]).json()["accepted"], 3, "exactly max_events")
    world.stop()


def test_other_media_types_are_answered_415(world):
    start(world)
    for media in ("text/plain", "application/x-www-form-urlencoded", "text/json"):
        body = b"email=ada"
        problem(send(world, body, {"Content-Type": media, **sign_v3(body)}), 415)
    body = b"\x1f\x8b\x08nonsense"
    problem(send(world, body, {**JSON, "Content-Encoding": "gzip", **sign_v3(body)}), 415)
    equal(refused(world, "media_type"), 4, "metric")
    equal(stored(world), [], "nothing is stored")
    world.stop()


def test_more_bodies_than_memory_is_meant_for_are_answered_503(world):
    start(world, server="max_body = 64MiB\nbody_timeout = 60s", tls=False)
    sockets = [raw_connection(world) for _ in range(3)]

    def fill(s):
        s.sendall(raw_head(fields={**JSON, **sign_v3(b""), "Content-Length": str(64 << 20)}))
        piece = b" " * (1 << 20)
        for _ in range(62):
            s.sendall(piece)
    for s in sockets:
        fill(s)
    sockets[2].sendall(b" " * (2 << 20))
    answer = raw_answer(sockets[2])
    problem(answer, 503)
    equal(answer.headers["Retry-After"], "5", "Retry-After")
    equal(refused(world, "overload"), 1, "metric")
    for s in sockets:
        s.close()
    eventually(lambda: world.post([demo(1)]).status == 200, what="a small one goes through again")
    equal(len(stored(world)), 1, "events")
    world.stop()


class Held:
    """Another program holds SQLite's write lock, so that no commit gets through."""

    def __init__(self, world):
        self.database = sqlite3.connect(world.database, isolation_level=None,
                                        check_same_thread=False)

    def __enter__(self):
        self.database.execute("BEGIN IMMEDIATE")
        return self

    def __exit__(self, *_):
        self.database.execute("ROLLBACK")
        self.database.close()


def test_a_commit_that_does_not_get_through_is_answered_503_in_time(world):
    start(world)
    with Held(world):
        began = time.monotonic()
        answer = world.post([demo(1)])
        took = time.monotonic() - began
    problem(answer, 503)
    equal(answer.headers["Retry-After"], "5", "Retry-After")
    in_time(took < 4.9, f"before HubSpot gives up at 5 s: {took:.1f} s")
    eventually(lambda: world.post([demo(2)]).status == 200, what="the next goes through")
    equal(refused(world, "overload") + refused(world, "disk"), 1, "metric")
    equal(world.admin("/livez").status, 200, "alive")
    world.stop()


def test_a_full_store_answers_503_and_recovers_with_a_larger_max_size(world):
    start(world, store="max_size = 512KiB\ncheckpoint = 64KiB")
    accepted = 0

    def post_some():
        nonlocal accepted
        batch = [change(1000 + accepted + i, "note", "x" * 2000) for i in range(10)]
        answer = world.post(batch)
        if answer.status == 200:
            accepted += 10
        return answer
    answer = eventually(lambda: (lambda a: a if a.status != 200 else None)(post_some()), 30,
                        "the store is full")
    problem(answer, 503)
    equal(answer.headers["Retry-After"], "5", "Retry-After")
    check(refused(world, "disk") >= 1, "metric")
    health = send(world, None, {}, "GET", "/healthz")
    equal((health.status, health.json()), (503, {"status": "fail"}), "/healthz")
    equal(world.admin("/livez").status, 200, "alive: a restart would not help")
    equal(world.admin("/readyz").status, 503, "not ready")
    equal(len(stored(world)), accepted, "exactly what was answered 200 is there")
    # A new rule together with the larger size: neither may wait for the other.
    larger = world.base(store="max_size = 64MiB") + "[rule note]\n" \
        "when = event.property == \"note\"\npoints = 1\n" + 40 * "; a comment\n"
    world.configure(larger)
    running = [True]

    def keep_trying(k):  # senders do not stop while the operator mends it
        client, stored_by_it = world.client(), 0
        while running[0]:
            batch = [change(10_000_000 * k + i, "note", "y" * 2000) for i in range(10)]
            stored_by_it += 10 * (world.post(batch, client=client).status == 200)
        client.close()
        return stored_by_it

    def mend():
        try:
            time.sleep(0.2)
            world.daemon.signal(signal.SIGHUP)
            eventually(lambda: log_lines(world, "config.reloaded") or
                       log_lines(world, "config.rejected"), what="the reload")
            equal(log_lines(world, "config.rejected"), [], "refused")
            eventually(lambda: log_lines(world, "store.recovered"), what="the log says so")
        finally:
            running[0] = False
        return 0
    accepted += sum(in_threads([lambda k=k: keep_trying(k) for k in range(1, 6)] + [mend]))
    equal(world.metric("funneld_config_reload_success"), 1, "reloaded")
    equal(post_some().status, 200, "room again")
    equal(send(world, None, {}, "GET", "/healthz").status, 200, "/healthz")
    equal(world.admin("/readyz").status, 200, "/readyz")
    equal(len(stored(world)), accepted, "events")
    world.stop()


def test_while_it_stops_new_requests_are_answered_503(world):
    start(world, server="shutdown_timeout = 8s")
    keep = [world.client() for _ in range(2)]
    for i, client in enumerate(keep):
        equal(world.post([demo(i + 1)], client=client).status, 200, "before")
    with Held(world):  # the first is in hand for as long as the lock is held
        def late():
            eventually(lambda: log_lines(world, "stop"), what="it stops")
            return world.post([demo(11)], client=keep[1])

        def stop_it():
            time.sleep(0.3)
            world.daemon.signal(signal.SIGTERM)
        in_hand, after, _ = in_threads([lambda: world.post([demo(10)], client=keep[0]), late,
                                        stop_it])
    problem(after, 503)
    equal(after.headers["Retry-After"], "5", "Retry-After")
    equal(after.headers["Connection"], "close", "Connection")
    check(in_hand.status in (200, 503), "the one in hand was answered")
    equal(world.daemon.wait(10), 0, "exit status")


def test_a_request_in_hand_when_it_stops_is_answered(world):
    start(world)
    body = json.dumps([demo(1)]).encode()
    with raw_connection(world) as s:
        s.sendall(raw_head(fields={**JSON, **sign_v3(body), "Content-Length": str(len(body))}))
        s.sendall(body[:10])
        time.sleep(0.3)  # it is with the daemon
        world.daemon.signal(signal.SIGTERM)
        eventually(lambda: log_lines(world, "stop"), what="it stops")
        s.sendall(body[10:])
        answer = raw_answer(s)
    check(answer is not None, "answered")
    equal(answer.status, 200, f"status; {answer.body!r}")
    equal(world.daemon.wait(10), 0, "exit status")
    equal(len(stored(world)), 1, "events")


def test_the_public_health_page_says_only_whether(world):
    start(world)
    answer = send(world, None, {}, "GET", "/healthz")
    equal((answer.status, answer.body), (200, b'{"status":"pass"}'), "GET")
    equal(answer.headers["Content-Type"], "application/json", "media type")
    head = send(world, b"", {}, "HEAD", "/healthz")
    equal((head.status, head.body), (200, b""), "HEAD")
    world.stop()


def test_the_admin_pages_need_no_token_on_loopback(world):
    start(world)
    for path in ("/livez", "/readyz"):
        answer = world.admin(path)
        equal((answer.status, answer.json()["status"]), (200, "pass"), path)
    answer = world.admin("/healthz")
    equal(answer.headers["Content-Type"], "application/health+json", "media type")
    value = answer.json()
    equal(value["status"], "pass", "status")
    check(value["version"] and value["checks"], f"details: {value}")
    answer = world.admin("/metrics")
    equal(answer.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8", "media type")
    equal(world.admin("/webhooks/hubspot").status, 404, "no webhooks there")
    equal(world.admin("/nowhere").status, 404, "unknown")
    world.stop()


def test_a_configured_admin_token_is_asked_for(world):
    world.env["FUNNELD_ADMIN_TOKEN"] = "e2e-admin-token"
    text = world.base().replace(f"[admin]\nlisten = 127.0.0.1:{world.admin_port}\n",
                                f"[admin]\nlisten = 0.0.0.0:{world.admin_port}\n"
                                "token = ${FUNNELD_ADMIN_TOKEN}\n")
    world.configure(text)
    world.start(ready=False)
    good = {"Authorization": "Bearer e2e-admin-token"}

    def up():
        try:
            return world.admin("/readyz", good).status == 200
        except OSError:
            return False
    eventually(up, what="ready")
    for path in ("/livez", "/readyz", "/healthz", "/metrics", "/nowhere"):
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "e2e-admin-token"},
                        {"Authorization": "Bearer "},
                        {"Authorization": 2 * ["Bearer e2e-admin-token"]}):
            answer = world.admin(path, headers)
            equal(answer.status, 401, f"{path} {headers}")
            check(answer.headers["WWW-Authenticate"].startswith("Bearer"), "a challenge")
    equal(world.admin("/metrics", good).status, 200, "/metrics with the token")
    world.run("health")
    check("e2e-admin-token" not in world.daemon.logged(), "no token in the log")
    world.stop()


def test_an_admin_listener_beyond_loopback_needs_a_token(world):
    world.configure(world.base().replace(f"listen = 127.0.0.1:{world.admin_port}",
                                         f"listen = 0.0.0.0:{world.admin_port}"))
    world.run("check", status=2)
    world.run("serve", status=2)
