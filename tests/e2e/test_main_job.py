"""The main job: a signed webhook becomes a scored lead in Slack, Notion and Google Sheets."""
from harness import PORTAL, change, check, equal, eventually, event

ROUTE = """[route hot-lead]
when = score >= 50 and score.previous < 50
to = slack, book, log
wait_for = enrichment
"""

ADA = {"id": "267448862446", "updatedAt": "2026-01-22T11:39:53.375Z",
       "properties": {"email": "ada@example.com", "firstname": "Ada", "lastname": "Lovelace",
                      "company": "Analytical Engines", "jobtitle": "Director",
                      "phone": None, "lifecyclestage": "lead"}}


def test_a_signed_webhook_becomes_a_scored_lead_everywhere(world):
    box = world.start_sandbox()
    box.contacts([ADA])
    world.configure(world.base(hubspot="enrich = crm") + world.connectors() + ROUTE)
    world.start()
    answer = world.post([event("contact.creation", 267448862446),
                         change(267448862446, "demo_requested", "true")])
    equal(answer.status, 200, "status")
    reply = answer.json()
    equal((reply["accepted"], reply["duplicates"], reply["unprocessable"]), (2, 0, 0), "reply")
    equal(answer.headers["X-Request-Id"], reply["request_id"], "request id")
    eventually(lambda: len(world.run_json("deliveries", "--state", "delivered")) == 4, 20,
               "four deliveries")

    state = box.state()
    message = str(state["slack"])
    for text in ("Ada Lovelace", "60", "demo request"):
        check(text in message, f"{text} is not in the Slack message: {message}")
    page = str(state["notion"])
    for text in ("Ada Lovelace", "ada@example.com", "hot"):
        check(text.lower() in page.lower(), f"{text} is not in the Notion page: {page}")
    rows = str(state["sheets"])
    for text in ("Delivery ID", "Ada Lovelace", "ada@example.com"):
        check(text in rows, f"{text} is not in the sheet: {rows}")

    lead = world.run_json("leads", "show", f"{PORTAL}:267448862446")[0]
    equal(lead["properties"]["firstname"]["value"], "Ada", "property")
    score = world.run_json("score", "ada@example.com")[0]
    equal(round(sum(line["worth"] for line in score["lines"]), 1), score["score"], "lines sum")
    log = world.daemon.logged()
    check(reply["request_id"] in log, "the request id stands in the log")
    check("ada@example.com" not in log, "no e-mail address in the log")
    world.stop()


def test_the_same_batch_twice_takes_effect_once(world):
    box = world.start_sandbox()
    box.contacts([ADA])
    world.configure(world.base() + world.connectors() + ROUTE.replace("wait_for = enrichment\n", ""))
    world.start()
    batch = [change(267448862446, "demo_requested", "true")]
    equal(world.post(batch).json()["accepted"], 1, "first")
    again = [dict(batch[0], attemptNumber=1, eventId=99999)]
    reply = world.post(again).json()
    equal((reply["accepted"], reply["duplicates"]), (0, 1), "second")
    world.all_done()
    equal(len(box.state()["slack"]["messages"]), 1, "messages")
    world.stop()
