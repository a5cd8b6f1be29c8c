"""tests/e2e/services.py - what tests of deliveries share: connectors, leads, looks at the sandbox.

The sandbox refuses what a service's contract forbids and notes it, so every test ends with
finish(), which wants the list of such offences empty unless the test provoked them.
"""
import base64
import json
import signal
import subprocess
import time
import urllib.parse
from datetime import datetime

from harness import (PORTAL, ZAPIER_SECRET, Client, change, check, demo, equal, eventually,
                     log_lines)

CHANNEL = "C0123456789"
WEBHOOK = "/services/T00000000/B00000000/sandbox"
DATABASE = "668d797c76fa49349b05ad288df2d136"
SPREADSHEET = "1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms"
CATCH = "/hooks/catch/1234567/sandbox/"
STANDARD = "/hooks/standard/1234567/"
HOOKS_TOKEN = "hooks-token-of-the-tests"
CRM_READ = "/crm/v3/objects/contacts/batch/read"
POST_MESSAGE = "/api/chat.postMessage"
HISTORY = "/api/conversations.history"
VALUES = f"/v4/spreadsheets/{SPREADSHEET}/values/"
HEADER = ["Delivery ID", "Time", "Lead", "Email", "Score", "Band", "Reasons", "CRM"]
HOT = "score >= 50 and score.previous < 50"


def slow(function):
    function.slow = True
    return function


# Configuration

FAST = {"settle": "1s", "backoff": "50ms", "backoff_max": "400ms", "timeout": "2s",
        "rate": "1000/s"}


def connector(world, kind, name=None, **options):
    """A connector to the sandbox: crm, slack, hook, book, log, http, zap or subscribers. An option of
    None is left out."""
    box = world.sandbox or world.start_sandbox()
    url = box.url
    own = {
        "crm": {"type": "hubspot", "token": "pat-sandbox", "url": url},
        "slack": {"type": "slack", "token": "xoxb-sandbox", "channel": CHANNEL, "url": url},
        "hook": {"type": "slack", "webhook": url + WEBHOOK},
        "book": {"type": "notion", "token": "ntn_sandbox", "database": DATABASE, "url": url},
        "log": {"type": "google_sheets", "credentials": f"file:{box.credentials}",
                "token_url": url + "/token", "spreadsheet": SPREADSHEET, "range": "Leads!A:H",
                "url": url},
        "http": {"type": "http", "url": url + "/in/open"},
        "zap": {"type": "zapier", "url": url + CATCH},
        "subscribers": {"type": "rest_hooks", "allow": "hooks.zapier.com, 127.0.0.1"},
    }[kind]
    lines = {**FAST, **own, **options}
    text = "".join(f"{k} = {v}\n" for k, v in lines.items() if v is not None)
    return f"[connector {name or kind}]\n{text}"


def route(to, name="hot-lead", when=HOT, wait=False):
    waits = "wait_for = enrichment\n" if wait else ""
    return f"[route {name}]\nwhen = {when}\nto = {to}\n{waits}"


def begin(world, *sections, enrich=False):
    """A sandbox and a daemon with these sections; returns the sandbox."""
    use(world, text_of(world, *sections, enrich=enrich))
    return world.sandbox or world.start_sandbox()


def text_of(world, *sections, enrich=False):
    made = [s if s.startswith("[") else connector(world, s) for s in sections]
    hooks = any("type = rest_hooks" in s for s in made)
    return world.base(tls=False, server=f"hooks_token = {HOOKS_TOKEN}\n" if hooks else "",
                      hubspot="enrich = crm" if enrich else "") + "\n".join(made)


def use(world, text):
    """Starts the daemon with this configuration, or makes the running one load it."""
    world.configure(text)
    if not world.daemon:
        world.start()
        return
    before = len(log_lines(world, "config.reloaded"))
    world.daemon.signal(signal.SIGHUP)
    eventually(lambda: len(log_lines(world, "config.reloaded")) > before, 10, "reload")


def finish(world, offences=()):
    """Ends the daemon; the only offences in the sandbox are those that hold these words."""
    found = world.sandbox.state()["offences"]
    for word in offences:
        check(any(word in o for o in found), f"no offence {word!r} in {found}")
    equal([o for o in found if not any(w in o for w in offences)], [], "offences")
    world.stop()


# Leads

PERSON = {"email": "ada@example.com", "firstname": "Ada", "lastname": "Lovelace",
          "company": "Analytical Engines", "phone": "+44 20 7946 0000"}


def person(contact, at=None, **properties):
    """The property changes that make a contact this person."""
    return [change(contact, k, v, at) for k, v in {**PERSON, **properties}.items()]


def post(world, events):
    answer = world.post(events)
    equal(answer.status, 200, f"status of the post: {answer.body!r}")
    return answer.json()


def make_hot(world, *contacts):
    """One post: each of the contacts becomes hot."""
    return post(world, [demo(c) for c in contacts])


def zap(world, **properties):
    answer = world.post(properties, headers={"X-Funneld-Secret": ZAPIER_SECRET},
                        path="/webhooks/zapier")
    equal(answer.status, 200, f"status of the post: {answer.body!r}")
    return answer.json()


def lead(world, contact):
    return world.run_json("leads", "show", f"{PORTAL}:{contact}")[0]


def record(contact, updated="2026-01-22T11:39:53.375Z", **properties):
    """A contact as the CRM holds it."""
    return {"id": str(contact), "updatedAt": updated, "properties": properties}


# Deliveries

def deliveries(world, *filters):
    """Oldest first."""
    return world.run_json("deliveries", "--limit", "100000", *filters)[::-1]


def states(world, *filters):
    return [d["state"] for d in deliveries(world, *filters)]


def whole(world, delivery):
    return world.run_json("deliveries", "show", delivery["id"])[0]


def wait_delivered(world, n, *filters, timeout=15):
    """Waits until so many are delivered and returns them, oldest first."""
    def done():
        found = deliveries(world, "--state", "delivered", *filters)
        return found if len(found) >= n else None
    found = eventually(done, timeout, f"{n} deliveries")
    equal(len(found), n, "deliveries")
    return found


def wait_dead(world, *filters):
    """Waits for the first dead delivery."""
    return eventually(lambda: deliveries(world, "--state", "dead", *filters), 10, "a dead one")[0]


def wait_broken(world, name, *words):
    """Waits until the connector's circuit is open; what waits says these words."""
    eventually(lambda: world.metric("funneld_circuit_open", connector=name) == 1, 10,
               f"an open circuit of {name}")
    def reasons():
        return [d["reason"] for d in deliveries(world, "--state", "pending", "--connector", name)
                if d["reason"]]
    reason = eventually(reasons, 10, "what an attempt said")[0]
    for word in words:
        check(word in reason, f"{word} in {reason}")


def closed_again(world, name):
    eventually(lambda: world.metric("funneld_circuit_open", connector=name) == 0, 10,
               f"a closed circuit of {name}")
    equal([d for d in states(world) if d == "dead"], [], "dead ones")


def was_refused(world, delivery, *words):
    """Whether its first attempt ended with these words, and another one got through."""
    first = whole(world, delivery)["history"][0]
    equal(first["verdict"], "retry", "verdict")
    for word in words:
        check(word in first["detail"], f"{word} in {first['detail']}")


def retry(world, *arguments, n=1):
    equal(world.run_json("retry", *arguments)[0], {"retried": n}, "retry")


def ms(text):
    """Milliseconds of a time as we print it."""
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def spaced(times, step):
    """Whether they came at one each step ms; on a busy machine a single one may come late."""
    check(times[-1] - times[0] >= 0.8 * step * (len(times) - 1),
          f"{[b - a for a, b in zip(times, times[1:])]} ms between them, not {step}")


def started(history):
    return [ms(a["at"]) for a in history]


# The sandbox

def requests(box, path):
    """How many requests there were whose path begins so."""
    return sum(n for p, n in box.state()["requests"].items() if p.startswith(path))


def wait_requests(box, path, n):
    eventually(lambda: requests(box, path) >= n, 10, f"{n} requests to {path}")


def messages(box):
    return box.state()["slack"]["messages"]


def carried(box):
    """The delivery id of each message, oldest first."""
    return [m["metadata"]["event_payload"]["delivery"] for m in messages(box)]


def received(box, path=""):
    """What came to hooks and receivers whose path begins so, oldest first."""
    return [r for r in box.state()["hooks"]["received"] if r["path"].startswith(path)]


def pages(box):
    """Those that nobody deleted."""
    return [p for p in box.state()["notion"]["pages"] if not p["in_trash"]]


def rows(box, tab="Leads"):
    """The sheet, with its header."""
    return box.state()["sheets"][tab].get("values", [])


def notion(box, method, path, body):
    """What a person does in Notion."""
    client = Client(box.port, tls=False)
    answer = client.request(method, path, json.dumps(body).encode(),
                            {"Authorization": "Bearer ntn_sandbox", "Notion-Version": "2025-09-03",
                             "Content-Type": "application/json"})
    client.close()
    equal(answer.status, 200, f"{method} {path}: {answer.body!r}")
    return answer.json()


def _segment(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=")


def _google_token(box):
    with open(box.credentials) as f:
        account = json.load(f)
    now = int(time.time())
    claims = {"iss": account["client_email"], "aud": account["token_uri"], "iat": now,
              "exp": now + 600, "scope": "https://www.googleapis.com/auth/spreadsheets"}
    text = b".".join(_segment(json.dumps(v).encode()) for v in ({"alg": "RS256"}, claims))
    key = box.credentials + ".pem"
    with open(key, "w") as f:
        f.write(account["private_key"])
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=text,
                               capture_output=True, check=True).stdout
    form = urllib.parse.urlencode({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
                                   "assertion": (text + b"." + _segment(signature)).decode()})
    client = Client(box.port, tls=False)
    answer = client.request("POST", "/token", form.encode(),
                            {"Content-Type": "application/x-www-form-urlencoded"})
    client.close()
    equal(answer.status, 200, f"token: {answer.body!r}")
    return answer.json()["access_token"]


def _sheet(box, method, target, values):
    client = Client(box.port, tls=False)
    answer = client.request(method, f"{VALUES}Leads!{target}valueInputOption=RAW",
                            json.dumps({"values": values}).encode(),
                            {"Authorization": "Bearer " + _google_token(box),
                             "Content-Type": "application/json"})
    client.close()
    equal(answer.status, 200, f"{method} {target}: {answer.body!r}")


def write_cells(box, cells, values):
    """What a person does in the sheet."""
    _sheet(box, "PUT", cells + "?", values)


def change_tabs(box, *requests):
    """What a person does with the tabs: {"addSheet": …} or {"updateSheetProperties": …}."""
    client = Client(box.port, tls=False)
    answer = client.request("POST", f"/v4/spreadsheets/{SPREADSHEET}:batchUpdate",
                            json.dumps({"requests": requests}).encode(),
                            {"Authorization": "Bearer " + _google_token(box),
                             "Content-Type": "application/json"})
    client.close()
    equal(answer.status, 200, f"tabs: {answer.body!r}")


def add_tab(box, title):
    change_tabs(box, {"addSheet": {"properties": {"title": title}}})


def rename_tab(box, title, sheet=0):
    change_tabs(box, {"updateSheetProperties": {"properties": {"sheetId": sheet, "title": title},
                                                "fields": "title"}})


def append_rows(box, values):
    """What another program does in the sheet."""
    _sheet(box, "POST", "A:H:append?insertDataOption=INSERT_ROWS&", values)
