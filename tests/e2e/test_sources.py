"""The senders that are not HubSpot's app: Zaps with maps and forms, any other, workflows."""
import base64
import hashlib
import hmac
import json
import signal
import subprocess
import time
import urllib.parse

from harness import (PORTAL, ZAPIER_SECRET, change, check, equal, eventually, sign_v1, sign_v2,
                     sign_v3, stored)

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
WHSEC = "whsec_wCwLll4COr7oCPK1SNjVGTqLUim+bzEhpvFuLUGkSbM="

SVIX = f"""[source signups]
type = http
path = /webhooks/signups
signature = standard
secret = {WHSEC}
secret_previous = whsec_ThGV3wIN5Z4NZaM6QnnxGD565OXZgOMJ
map.email = $.data.person['e mail']
map.jobtitle = $.data.person.roles[0]
map.plan = data__plan
map.campaign = 'spring'
"""
BILLING = """[source billing]
type = http
path = /webhooks/billing
signature = hmac-sha512
secret = billing-secret
signature_header = X-Signature
signature_prefix = sha512=
signature_encoding = base64
timestamp_header = X-Time
map.email = $.customer.email
map.event_type = $.kind
map.event_id = $.id
map.occurred_at = $.at
"""
WORKFLOW = """[source nurture]
type = hubspot_workflow
path = /webhooks/nurture
secret = ${HUBSPOT_CLIENT_SECRET}
"""
RULES = """[rule signup]
when = event.type == "signup" and event.data.data__seats >= 10
points = 30
[rule paying]
when = lead.plan == "pro"
points = 20
[rule nurtured]
when = event.type == "workflow.enrolled"
points = 5
"""


def start(world, more):
    world.configure(world.base() + RULES + more)
    world.start()


def send(world, path, body, headers):
    client = world.client()
    try:
        return client.request("POST", path, body, headers)
    finally:
        client.close()


def counts(answer):
    equal(answer.status, 200, f"{answer.body!r}")
    value = answer.json()
    return value["accepted"], value["duplicates"], value["unprocessable"]


def standard(body, message="msg_1", stamp=None, secret=WHSEC):
    stamp = str(int(time.time()) if stamp is None else stamp)
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{message}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {"webhook-id": message, "webhook-timestamp": stamp,
            "webhook-signature": "v1," + base64.b64encode(mac).decode()}


def properties(world, lead):
    [value] = world.run_json("leads", "show", lead)
    return {name: p["value"] for name, p in value["properties"].items()}


def signup(**more):
    person = {"e mail": "Ada@Example.com", "roles": ["director", "founder"], "secret": "not kept"}
    return json.dumps({"type": "signup", "timestamp": "2026-01-02T03:04:05.678901Z",
                       "data": {"person": person, "plan": "pro", "seats": 12}, **more}).encode()


def test_standard_webhooks_of_any_sender_become_leads(world):
    start(world, SVIX)
    path, body = "/webhooks/signups", signup()
    equal(counts(send(world, path, body, {**JSON, **standard(body)})), (1, 0, 0), "first")
    equal(counts(send(world, path, body, {**JSON, **standard(body)})), (0, 1, 0), "the same id")
    other = signup(more=1)
    equal(counts(send(world, path, other, {**JSON, **standard(other)})), (0, 1, 0),
          "whatever the body, an id is one event")
    headers = standard(body, "msg_2", secret="whsec_ThGV3wIN5Z4NZaM6QnnxGD565OXZgOMJ")
    equal(counts(send(world, path, body, {**JSON, **headers})), (1, 0, 0), "the previous secret")
    both = standard(body, "msg_3")
    both["webhook-signature"] = "v1a,AAAA v1,BBBB " + both["webhook-signature"]
    equal(counts(send(world, path, body, {**JSON, **both})), (1, 0, 0), "one of several signatures")

    equal(properties(world, "ada@example.com"),
          {"email": "ada@example.com", "jobtitle": "director", "plan": "pro", "campaign": "spring"},
          "only what the map names")
    first = stored(world)[0]
    equal((first["type"], first["occurred_at"]), ("signup", "2026-01-02T03:04:05.678Z"), "event")
    [score] = world.run_json("score", "ada@example.com")
    equal(score["score"], 3 * 30 + 20 + 15, "rules see type, data and properties")
    [shown] = world.run_json("events", "show", first["id"])
    kept = json.loads(shown["body"]) if isinstance(shown["body"], str) else shown["body"]
    equal(kept["sent"], json.loads(body), "what was sent")
    equal(kept["funneld"]["map"]["email"], "$.data.person['e mail']", "and how it was read")
    equal(world.metric("funneld_events_received_total", source="signups", type="other"), 3, "metric")
    world.stop()


def test_what_is_not_signed_by_standard_webhooks_is_answered_401(world):
    start(world, SVIX)
    path, body, now = "/webhooks/signups", signup(), int(time.time())
    good = standard(body)
    bad = [{}, {**good, "webhook-id": "msg_9"}, {**good, "webhook-timestamp": str(now + 1)},
           {**good, "webhook-signature": good["webhook-signature"][3:]},
           {**good, "webhook-signature": "v2" + good["webhook-signature"][2:]},
           {**good, "webhook-signature": 2 * [good["webhook-signature"]]},
           {**good, "webhook-id": 2 * ["msg_1"]}, standard(body, "msg.1"), standard(b"{}"),
           standard(body, secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
           {**standard(body, stamp=now - 330)}, {**standard(body, stamp=now + 330)},
           {**standard(body, stamp=f"{now}x")}, {**standard(body, stamp=now * 1000)},
           {"Authorization": "Bearer " + WHSEC}]
    bad += [{k: v for k, v in good.items() if k != name} for name in good]
    for headers in bad:
        answer = send(world, path, body, {**JSON, **headers})
        equal(answer.status, 401, str(headers))
    equal(stored(world), [], "nothing is stored")
    total = sum(world.metric("funneld_requests_rejected_total", source="signups", reason=reason)
                for reason in ("signature", "timestamp"))
    equal(total, len(bad), "metric")
    check(WHSEC[6:] not in world.daemon.logged(), "no secret in the log")
    world.stop()


def test_hmacs_of_body_and_timestamp_prove_a_sender(world):
    start(world, BILLING)

    def signed(body, stamp, secret=b"billing-secret"):
        mac = hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha512).digest()
        return {**JSON, "X-Time": stamp, "X-Signature": "sha512=" + base64.b64encode(mac).decode()}

    now = time.time()
    body = json.dumps([{"id": 1, "kind": "invoice.paid", "at": int(now) - 60,
                        "customer": {"email": "bob@example.com"}},
                       {"id": 2, "kind": "invoice.paid", "customer": {"id": 5}}, 7]).encode()
    for stamp in (str(int(now)), str(int(now * 1000))):
        equal(counts(send(world, "/webhooks/billing", body, signed(body, stamp))),
              (3, 0, 2) if len(stamp) == 10 else (0, 3, 0), "seconds, then milliseconds")
    first, second, third = stored(world)
    equal((first["type"], second["state"], third["state"]),
          ("invoice.paid", "unprocessable", "unprocessable"), "events")
    check("email" in second["reason"], second["reason"])
    equal(properties(world, "bob@example.com"), {"email": "bob@example.com"}, "nothing else mapped")
    for headers in (signed(body, str(int(now) - 330)), signed(body, "soon"),
                    signed(body, str(int(now)), b"another"), signed(body + b" ", str(int(now))),
                    {k: v for k, v in signed(body, str(int(now))).items() if k != "X-Time"}):
        equal(send(world, "/webhooks/billing", body, headers).status, 401, str(headers))
    world.stop()


def test_zaps_may_send_forms_and_have_a_map(world):
    text = world.base().replace("secret = ${ZAPIER_WEBHOOK_SECRET}\n",
                                "secret = ${ZAPIER_WEBHOOK_SECRET}\nmap.email = Mail\n"
                                "map.jobtitle = $.Role\nmap.event_type = 'form.sent'\n")
    world.configure(text)
    world.start()
    path, secret = "/webhooks/zapier", {"X-Funneld-Secret": ZAPIER_SECRET}
    pairs = [("Mail", "Zoë@Example.com"), ("Role", "Sales director, <!channel> =HYPERLINK(1)"),
             ("tag", "a"), ("tag", "b"), ("utm[source]", "ads & more"), ("empty", "")]
    body = urllib.parse.urlencode(pairs).encode()
    equal(counts(send(world, path, body, {**FORM, **secret})), (1, 0, 0), "a form")
    equal(counts(send(world, path, body, {**FORM, **secret})), (0, 1, 0), "the same form")
    equal(properties(world, "zoë@example.com"),
          {"email": "zoë@example.com", "jobtitle": "Sales director, <!channel> =HYPERLINK(1)",
           "tag": "a, b", "utm__source": "ads & more"}, "properties")
    equal(stored(world)[0]["type"], "form.sent", "the type is always the same")
    [score] = world.run_json("score", "zoë@example.com")
    equal(score["score"], 15, "a rule reads what the map named")
    nested = json.dumps({"Mail": "bo@example.com", "Role": None, "deep": {"er": True}}).encode()
    equal(counts(send(world, path, nested, {**JSON, **secret})), (1, 0, 0), "JSON")
    equal(properties(world, "bo@example.com"), {"email": "bo@example.com", "deep__er": "true"}, "bo")

    for headers, content, status in (
            (FORM, b"Mail=%FF", 400), (FORM, b"Mail=%", 400), (FORM, b"", 400),
            (FORM, nested, 415), ({"Content-Type": FORM["Content-Type"][:33] + "; charset=utf-7"},
                                  b"a=b", 415),
            ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x--", 415),
            ({"Content-Type": "text/xml"}, b"<a/>", 415), (FORM, b"a&" * 1001, 413)):
        answer = send(world, path, content, {**headers, **secret})
        equal((answer.status, bool(answer.json()["detail"])), (status, True), f"{headers} {content}")
    hubspot = b"a=b"
    equal(send(world, "/webhooks/hubspot", hubspot, {**FORM, **sign_v3(hubspot)}).status, 415,
          "HubSpot sends no forms")
    world.stop()


def enrolled(**more):
    return json.dumps({"portal-id": PORTAL, "vid": 77, "properties":
                       {"email": {"value": "cy@example.com", "versions": []},
                        "jobtitle": {"value": "Art director"}}, **more}).encode()


def test_a_workflow_and_the_app_tell_of_one_contact(world):
    start(world, WORKFLOW)
    path, body = "/webhooks/nurture", enrolled()
    world.post([change(77, "firstname", "Cy")])
    equal(counts(send(world, path, body, {**JSON, **sign_v2(body, target=path)})), (1, 0, 0), "v2")
    equal(counts(send(world, path, body, {**JSON, **sign_v3(body, target=path)})), (0, 1, 0),
          "v3, and the same body")
    again = enrolled(note="another run")
    equal(counts(send(world, path, again, {**JSON, **sign_v3(again, target=path)})), (1, 0, 0),
          "another body is another enrolment")
    [lead] = world.run_json("leads")
    equal((lead["crm_id"], lead["email"]), ("77", "cy@example.com"), "one lead")
    equal(properties(world, f"{PORTAL}:77"), {"firstname": "Cy", "email": "cy@example.com",
                                             "jobtitle": "Art director"}, "properties of both")
    [score] = world.run_json("score", "cy@example.com")
    equal(score["score"], 15 + 2 * 5, "score")
    equal([e["type"] for e in stored(world)[1:]], 2 * ["workflow.enrolled"], "type")
    for headers in ({}, sign_v1(body), {**sign_v2(body), "X-HubSpot-Signature-Version": "v1"},
                    sign_v2(body, target="/webhooks/hubspot"), sign_v2(body, secret="x"),
                    {**sign_v2(body, target=path), "X-HubSpot-Signature-v3": "AAAA"}):
        equal(send(world, path, body, {**JSON, **headers}).status, 401, str(headers))
    for content in (b"[]", b"a=b", b""):
        answer = send(world, path, content, {**JSON, **sign_v2(content, target=path)})
        equal(answer.status, 400, str(content))
    world.stop()


def test_a_workflow_may_show_an_api_key_in_its_address(world):
    start(world, "[source nurture]\ntype = hubspot_workflow\npath = /webhooks/nurture\n"
          "api_key = secret&key\napi_key_query = token\nenrolment = run\n")
    path, body = "/webhooks/nurture", json.dumps({"email": "di@example.com", "run": 1}).encode()
    equal(counts(send(world, path + "?token=secret%26key", body, JSON)), (1, 0, 0), "the key")
    body = json.dumps({"email": "di@example.com", "run": 1, "more": 2}).encode()
    equal(counts(send(world, path + "?x=1&token=secret%26key", body, JSON)), (0, 1, 0), "same run")
    for query in ("", "?token=", "?token=secret&key", "?token=secret%26key&token=secret%26key"):
        equal(send(world, path + query, body, JSON).status, 401, query)
    check("secret%26key" not in world.daemon.logged(), "no key in the log")
    world.stop()


def test_signed_examples_of_every_kind_are_taken(world):
    kinds = {"signups": SVIX.replace("map.email = $.data.person['e mail']\n", ""),
             "nurture": WORKFLOW,
             "keyed": "[source keyed]\ntype = hubspot_workflow\npath = /keyed\napi_key = a&b c\n"
                      "api_key_query = to-ken\n",
             "hooks": "[source hooks]\ntype = http\npath = /hooks-in\nsignature = bearer\n"
                      "secret = $$it's\nsignature_header = X-Api-Key\n",
             "zaps": "[source zaps]\ntype = zapier\npath = /zaps\nsignature = hmac-sha1\n"
                     "secret = k\nsignature_header = X-Sig\ntimestamp_header = X-At\n"}
    start(world, "".join(kinds.values()))
    for name in kinds:
        command = world.run("sign", name, "--url", f"https://localhost:{world.port}")
        done = subprocess.run(["sh", "-c", command.rstrip() + f" --cacert {world.cert}"],
                              capture_output=True, timeout=20)
        head, _, body = done.stdout.decode().partition("\r\n\r\n")
        equal(head.split()[1:2], ["200"], f"{name}: {command} {done.stdout} {done.stderr}")
        value = json.loads(body)
        equal((value["accepted"], value["unprocessable"]), (1, 0), name)
    world.stop()


def test_a_past_score_is_read_by_the_map_of_its_day(world):
    start(world, SVIX)
    body = signup()
    send(world, "/webhooks/signups", body, {**JSON, **standard(body)})
    time.sleep(0.05)
    then = str(int(time.time() * 1000))
    time.sleep(0.05)
    text = open(world.config_path).read()
    world.configure(text.replace("map.jobtitle = $.data.person.roles[0]", "map.jobtitle = $.none")
                    .replace("map.email = $.data.person['e mail']", "map.email = $.mail"))
    world.daemon.signal(signal.SIGHUP)
    eventually(lambda: "config.reloaded" in world.daemon.logged(), what="the reload")
    other = json.dumps({"type": "signup", "mail": "ada@example.com", "data": {"plan": "free"}}).encode()
    equal(counts(send(world, "/webhooks/signups", other, {**JSON, **standard(other, "msg_2")})),
          (1, 0, 0), "by today's map")
    [now] = world.run_json("score", "ada@example.com")
    equal(now["fit"], 15, "the title stays, the plan changed")
    [past] = world.run_json("score", "ada@example.com", "--at", then)
    equal((past["fit"], past["engagement"]), (35, 30), "what was known then")
    world.stop()


def test_mistakes_in_a_map_are_shown_with_a_caret(world):
    world.configure(world.base() + SVIX.replace("map.plan = data__plan", "map.plan = $.data[x].plan")
                    .replace("signature = standard", "signature = hmac-sha256"))
    done = subprocess.run([world.options.bin, "-c", world.config_path, "check"],
                          capture_output=True, env=world.env, timeout=20)
    equal(done.returncode, 2, "exit status")
    text = done.stderr.decode()
    line = open(world.config_path).read().splitlines().index("map.plan = $.data[x].plan") + 1
    check(f'{world.config_path}:{line}: "map.plan": ' in text, text)
    check("\n    $.data[x].plan\n           ^\n" in text, text)
    check("signature_header" in text, text)
