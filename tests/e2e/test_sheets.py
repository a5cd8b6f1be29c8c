"""Google Sheets: a row per delivery, in batches, at most once, whatever leads type."""
import time

from harness import PORTAL, change, check, demo, equal, eventually
from services import (HEADER, VALUES, add_tab, append_rows, begin, carried, closed_again, connector,
                      deliveries, finish, lead, make_hot, person, post, rename_tab, requests, route,
                      rows, started, states, text_of, use, wait_broken, wait_delivered,
                      wait_requests, was_refused, whole, write_cells)

HOT_TO_LOG = route("log")
ALWAYS = route("log", "every-note", 'event.property == "note"')
APPEND = VALUES + "%27Leads%27%21A%3AH:append"
FIRST_ROW = VALUES + "%27Leads%27%211%3A1"


def ids(box):
    """The first column, without the header."""
    return [r[0] for r in rows(box)[1:]]


def rest(box, seconds):
    """The next request makes the whole connector rest: what is posted now waits."""
    box.fail(service="sheets", path="/v4/", status=429, retry_after=str(seconds))


# Rows

def test_the_header_is_written_and_a_row_says_who_why_and_where(world):
    box = begin(world, "crm", "slack", "log", route("log, slack"))
    post(world, person(7, jobtitle="Director") + [demo(7)])
    done = wait_delivered(world, 2)
    header, row = rows(box)
    equal(header, HEADER, "header")
    got = dict(zip(header, row))
    delivery = next(d for d in done if d["connector"] == "log")
    prefix = carried(box)[0].split("-")[0]  # the database's id, as Slack was told
    equal(got["Delivery ID"], f"{prefix}-{delivery['id']}", "id")
    equal(delivery["remote_id"], "Leads!A2", "remote id")
    event = world.run_json("events", "show", delivery["event"])[0]
    equal(got["Time"], event["occurred_at"], "time")
    equal([got[k] for k in ("Lead", "Email", "Score", "Band")],
          ["Ada Lovelace", "ada@example.com", 75, "hot"], "who")
    check("demo request +60" in got["Reasons"] and "vip +15" in got["Reasons"], got["Reasons"])
    equal(got["CRM"], f"https://app.hubspot.com/contacts/{PORTAL}/record/0-1/7", "CRM")
    finish(world)


def test_columns_are_found_by_their_header_and_others_are_left_alone(world):
    world.start_sandbox()
    write_cells(world.sandbox, "A1:F1", [["Owner", "score", "Delivery ID", "", "Email ", "Lead"]])
    write_cells(world.sandbox, "A2:F2", [["Grace", 1, "x-1", "note", "old@example.com", "Old"]])
    box = begin(world, "log", HOT_TO_LOG)
    post(world, person(1) + [demo(1)])
    delivery = wait_delivered(world, 1)[0]
    equal(rows(box)[:2], [["Owner", "score", "Delivery ID", "", "Email ", "Lead"],
                          ["Grace", 1, "x-1", "note", "old@example.com", "Old"]], "as it was")
    row = rows(box)[2]
    equal([row[0], row[1], row[3:]], ["", 60, ["", "ada@example.com", "Ada Lovelace"]], "row")
    check(row[2].endswith("-" + delivery["id"]), "delivery id in its column")
    finish(world)


def test_what_looks_like_a_formula_stays_text(world):
    box = begin(world, "log", HOT_TO_LOG)
    typed = ['=HYPERLINK("https://evil.example","x")', "+1+2", "-1", "@SUM(A1)", "'quoted",
             "0012", "1e5", "TRUE", '"a"\tb']
    for n, text in enumerate(typed, 1):
        post(world, [change(n, "firstname", text), demo(n)])
    wait_delivered(world, len(typed))
    equal(sorted(r[2] for r in rows(box)[1:]), sorted(typed), "cells")  # strings, not numbers
    finish(world)  # the sandbox refuses valueInputOption=USER_ENTERED


def test_rows_travel_in_batches(world):
    box = begin(world, connector(world, "log", batch="40"), HOT_TO_LOG)
    make_hot(world, 1000)
    wait_delivered(world, 1)
    rest(box, 1)
    before = requests(box, "/v4/")
    make_hot(world, 1001)
    wait_requests(box, "/v4/", before + 1)
    make_hot(world, *range(1, 101))
    wait_delivered(world, 102)
    equal(requests(box, "/v4/") - before - 1, 3, "appends for 101 rows")
    wanted = {d["id"] for d in deliveries(world)}
    equal(sorted(i.split("-")[1] for i in ids(box)), sorted(wanted), "each once")
    for d in deliveries(world):
        row = rows(box)[int(d["remote_id"].removeprefix("Leads!A")) - 1]
        equal(row[0].split("-")[1], d["id"], "the remote id is its row")
    finish(world)


def test_the_newest_events_of_a_lead_do_not_fold_in_a_log(world):
    box = begin(world, "log", route("log", "note", 'event.property == "note"'))
    rest(box, 1)
    for i in range(5):
        post(world, [change(1, "note", str(i))])
    wait_delivered(world, 5)
    equal(sorted(ids(box), key=lambda i: int(i.split("-")[1])), ids(box), "in order")
    equal(len(ids(box)), 5, "rows")
    finish(world)


# Trouble

def test_a_refused_token_is_renewed_within_the_attempt(world):
    box = begin(world, "log", HOT_TO_LOG)
    make_hot(world, 1)
    wait_delivered(world, 1)
    equal(requests(box, "/token"), 1, "tokens")
    box.fail(service="sheets", path="/v4/", status=401)
    make_hot(world, 2)
    equal(wait_delivered(world, 2)[-1]["attempts"], 1, "attempts")
    equal((requests(box, "/token"), len(ids(box))), (2, 2), "tokens, rows")
    box.fail(service="sheets", path="/v4/", status=401, times=2)
    make_hot(world, 3)
    was_refused(world, wait_delivered(world, 3)[-1], "a new access token is refused as well")
    finish(world)


def test_every_trouble_that_passes_ends_in_exactly_one_row(world):
    box = begin(world, connector(world, "log", settle="100ms", timeout="3s"), HOT_TO_LOG)
    troubles = [{"status": 500}, {"status": 502}, {"status": 503}, {"status": 504},
                {"mode": "drop"}, {"mode": "garbage"}, {"mode": "processed_no_answer"},
                {"mode": "slow", "delay_ms": 3300}, {"status": 200, "body": "{}"},
                {"status": 408}, {"mode": "processed_status", "status": 500},
                {"mode": "processed_status", "status": 503}]
    for n, trouble in enumerate(troubles, 1):
        box.fail(service="sheets", method="POST", **trouble)
        make_hot(world, n)
        wait_delivered(world, n)
        equal(len(ids(box)), n, f"rows after {trouble}")
    equal(len(set(ids(box))), len(troubles), "each is another one")
    finish(world)


def test_trouble_before_the_first_row_passes_too(world):
    world.start_sandbox()
    for method, path in (("POST", "/token"), ("GET", FIRST_ROW), ("PUT", "/v4/")):
        for how in ({"status": 500}, {"mode": "processed_no_answer"}, {"mode": "garbage"}):
            world.sandbox.fail(path=path, method=method, **how)
    box = begin(world, "log", HOT_TO_LOG)
    make_hot(world, 1, 2)
    wait_delivered(world, 2)
    equal((rows(box)[0], len(rows(box))), (HEADER, 3), "header once, rows")
    finish(world)


def test_retry_after_is_obeyed(world):
    box = begin(world, "log", HOT_TO_LOG)
    make_hot(world, 1)
    wait_delivered(world, 1)
    before = requests(box, "/v4/")
    box.fail(service="sheets", path="/v4/", status=429, retry_after="2")
    make_hot(world, 2)
    wait_requests(box, "/v4/", before + 1)
    make_hot(world, 3)
    done = wait_delivered(world, 3)
    at = started(whole(world, done[1])["history"])
    check(at[1] >= at[0] + 2000, f"too early: {at}")
    equal(requests(box, "/v4/") - before, 2, "requests: the refused one, one for both")
    other = started(whole(world, done[2])["history"])
    check(other[0] >= at[0] + 2000, "the whole connector rested")
    finish(world)


def test_what_a_person_must_mend_keeps_everything_until_then(world):
    box = begin(world, "log", HOT_TO_LOG)
    forbidden = {"error": {"code": 403, "message": "The caller does not have permission",
                           "status": "PERMISSION_DENIED"}}
    box.fail(service="sheets", path="/v4/", status=403, body=forbidden)
    make_hot(world, 1)
    was_refused(world, wait_delivered(world, 1)[0], "share the spreadsheet",
                "funneld@sandbox.example")

    box.fail(path="/token", status=400, body={"error": "invalid_grant",
                                              "error_description": "Invalid JWT Signature."})
    use(world, text_of(world, "log", HOT_TO_LOG))  # a new session has no token
    make_hot(world, 2)
    was_refused(world, wait_delivered(world, 2)[-1], "Invalid JWT Signature", "make a new one")

    for n, (options, word) in enumerate([
            ({"range": "Leeds!A:H"}, "the tab of `range` is missing or was renamed"),
            ({"spreadsheet": "1" + "x" * 43}, "check the connector's `spreadsheet`")], 3):
        use(world, text_of(world, connector(world, "log", **options), HOT_TO_LOG))
        make_hot(world, n)
        wait_broken(world, "log", word)
        use(world, text_of(world, "log", HOT_TO_LOG))
        wait_delivered(world, n)
        closed_again(world, "log")
    equal(len(ids(box)), 4, "rows")
    finish(world, ["Unable to parse range", "no such spreadsheet"])


def test_a_renamed_tab_opens_the_circuit_and_the_old_name_drains_it(world):
    box = begin(world, "log", HOT_TO_LOG)
    make_hot(world, 1)
    wait_delivered(world, 1)
    rename_tab(box, "Old leads")
    make_hot(world, *range(2, 32))
    wait_broken(world, "log", "Unable to parse range", "give it its name back")
    before = requests(box, "/v4/")
    make_hot(world, *range(32, 62))
    time.sleep(1)
    check(requests(box, "/v4/") - before < 20, "it is probed, not bombarded")
    equal(len(rows(box, "Old leads")), 2, "rows")
    rename_tab(box, "Leads")
    wait_delivered(world, 61)
    closed_again(world, "log")
    equal(len(set(ids(box))), 61, "each once")
    finish(world, ["Unable to parse range"])


def test_a_header_without_the_key_keeps_everything_until_it_has_it(world):
    world.start_sandbox()
    write_cells(world.sandbox, "A1:B1", [["Name", "Score"]])
    box = begin(world, "log", HOT_TO_LOG)
    make_hot(world, 1)
    wait_broken(world, "log", 'no column "Delivery ID"')
    equal(rows(box), [["Name", "Score"]], "nothing was written")
    write_cells(box, "C1", [["Delivery ID"]])
    wait_delivered(world, 1)
    equal(len(rows(box)), 2, "rows")
    finish(world)


# Tabs of routes

def test_a_route_may_have_a_tab_of_its_own(world):
    world.start_sandbox()
    add_tab(world.sandbox, "Hot leads")
    log = connector(world, "log", **{"range.hot-lead": "Hot leads!A:H", "batch": "50"})
    box = begin(world, log, HOT_TO_LOG, ALWAYS)
    rest(box, 1)
    make_hot(world, 1000)
    wait_requests(box, "/v4/", 1)
    for n in range(1, 41):
        post(world, [change(n, "note", "a"), demo(n)])
    before = requests(box, "/v4/")
    wait_delivered(world, 81)
    hot, all_of_them = rows(box, "Hot leads"), rows(box)
    equal((hot[0], all_of_them[0]), (HEADER, HEADER), "a header in each")
    equal((len(hot), len(all_of_them)), (42, 41), "rows")
    routes = {d["id"]: d["route"] for d in deliveries(world)}
    equal({routes[r[0].split("-")[1]] for r in hot[1:]}, {"hot-lead"}, "routes of the one")
    equal({routes[r[0].split("-")[1]] for r in all_of_them[1:]}, {"every-note"}, "and the other")
    check(requests(box, "/v4/") - before < 12, "in batches")
    finish(world)


# A row for each lead

UPSERT = {"mode": "upsert", "settle": "100ms"}


def table(box):
    """{lead id: row as a dictionary}; each lead has one."""
    header, *found = rows(box)
    equal(header, HEADER + ["Lead ID"], "header")
    made = {r[8]: dict(zip(header, r)) for r in found if len(r) == 9}
    equal(len(made), len(found), "one row a lead")
    return made


def row_of(world, box, contact):
    number = lead(world, contact)["id"]
    return next(r for key, r in table(box).items() if key.split("-")[1] == number)


def test_a_leads_row_is_kept_current(world):
    box = begin(world, connector(world, "log", **UPSERT), ALWAYS)
    post(world, [change(n, "note", "a") for n in range(1, 11)])
    wait_delivered(world, 10)
    first = deliveries(world)
    post(world, person(3) + [demo(3), change(3, "note", "b")])
    post(world, [change(11, "note", "a")])
    done = wait_delivered(world, 12)
    equal(len(table(box)), 11, "leads")
    row = row_of(world, box, 3)
    equal((row["Score"], row["Band"], row["Lead"]), (60, "hot", "Ada Lovelace"), "row")
    last = next(d for d in done if d["id"] == row["Delivery ID"].split("-")[1])
    same = next(d for d in first if d["lead"] == last["lead"])
    equal(last["remote_id"], same["remote_id"], "the row is the same")
    equal(row_of(world, box, 4)["Score"], 0, "others")
    finish(world)


def test_rows_are_found_wherever_people_put_them(world):
    box = begin(world, connector(world, "log", **UPSERT), ALWAYS)
    for n in range(1, 4):
        post(world, [change(n, "note", "a")])
        wait_delivered(world, n)
    header, *found = rows(box)
    write_cells(box, "A1:K5", [header + ["Owner"], ["note", *[""] * 9], *[
        r + ["Grace"] for r in found[::-1]]])
    post(world, [demo(1), change(1, "note", "b")])
    wait_delivered(world, 4)
    after = rows(box)
    equal([r[9] for r in after[2:]], ["Grace"] * 3, "what people wrote")
    equal([r[4] for r in after[2:]], [0, 0, 60], "scores")
    finish(world)


def test_rows_in_doubt_are_made_once(world):
    box = begin(world, connector(world, "log", **UPSERT), ALWAYS)
    troubles = [{"mode": "processed_no_answer"}, {"mode": "drop"}, {"status": 503},
                {"mode": "processed_status", "status": 500}, {"mode": "garbage"}]
    for n, trouble in enumerate(troubles, 1):
        box.fail(service="sheets", method="POST", **trouble)
        post(world, [change(n, "note", "a"), change(100 + n, "note", "a")])
        wait_delivered(world, 4 * n - 2)
        equal(len(table(box)), 2 * n, f"rows after {trouble} of the append")
        box.fail(service="sheets", method="POST", **trouble)
        post(world, [demo(n), change(n, "note", "b"), demo(100 + n), change(100 + n, "note", "b")])
        wait_delivered(world, 4 * n)
        equal([r["Score"] for r in table(box).values()], [60] * 2 * n, f"{trouble} of the update")
    finish(world)


def test_after_a_crash_a_lead_has_one_row(world):
    box = begin(world, connector(world, "log", **UPSERT), ALWAYS)
    for n, mode in enumerate(("slow", "drop"), 1):
        box.fail(service="sheets", method="POST", mode=mode, delay_ms=1500)
        appends = requests(box, APPEND)
        post(world, [change(n, "note", "a")])
        wait_requests(box, APPEND, appends + 1)
        world.kill()
        world.start()
        wait_delivered(world, n)
        equal(len(table(box)), n, f"rows after {mode}")
    finish(world)


def test_what_happens_while_google_is_down_becomes_one_row_a_lead(world):
    box = begin(world, connector(world, "log", **UPSERT), ALWAYS)
    post(world, [change(1, "note", "a")])
    wait_delivered(world, 1)
    rest(box, 1)
    before = requests(box, "/v4/")
    post(world, [change(1, "note", "b")])
    wait_requests(box, "/v4/", before + 1)
    for i in range(20):
        post(world, [change(1, "note", f"c{i}"), change(2, "note", f"d{i}")])
    post(world, [demo(2), change(2, "note", "last")])
    eventually(lambda: "pending" not in states(world), 10, "all done")
    equal((len(table(box)), row_of(world, box, 2)["Score"]), (2, 60), "rows, the newest state")
    done = states(world)
    equal((done.count("delivered"), done.count("superseded")), (3, 40), "states")
    finish(world)


# Did they arrive?

def test_rows_of_unknown_fate_are_looked_for(world):
    box = begin(world, "log", HOT_TO_LOG)
    make_hot(world, *range(1, 6))
    wait_delivered(world, 5)
    box.fail(service="sheets", method="POST", mode="processed_no_answer")
    make_hot(world, *range(11, 31))
    done = wait_delivered(world, 25)
    equal(len(ids(box)), 25, "rows")
    equal(len(set(ids(box))), 25, "each once")
    first = whole(world, done[5])
    equal([a["verdict"] for a in first["history"]], ["ambiguous", "delivered"], "verdicts")
    at = started(first["history"])
    check(at[1] >= at[0] + 1000, f"settle is waited for: {at}")
    for d in done:
        row = rows(box)[int(d["remote_id"].removeprefix("Leads!A")) - 1]
        equal(row[0].split("-")[1], d["id"], "the remote id is its row")
    finish(world)


def test_the_look_goes_through_a_long_sheet(world):
    world.start_sandbox()
    append_rows(world.sandbox, [["Delivery ID"]] + [[f"x-{i}"] for i in range(25999)])
    box = begin(world, "log", HOT_TO_LOG)
    box.fail(service="sheets", method="POST", mode="processed_no_answer")
    make_hot(world, 1)
    equal(wait_delivered(world, 1)[0]["remote_id"], "Leads!A26001", "remote id")
    equal(len(rows(box)), 26001, "rows")
    finish(world)


def test_of_a_batch_in_doubt_only_the_missing_rows_are_appended(world):
    box = begin(world, "log", HOT_TO_LOG)
    make_hot(world, 1)
    wait_delivered(world, 1)
    prefix = ids(box)[0].split("-")[0]
    rest(box, 1)
    make_hot(world, *range(11, 21))
    box.fail(service="sheets", method="POST", mode="drop")
    waiting = [d["id"] for d in deliveries(world, "--state", "pending")]
    wait_requests(box, APPEND, 3)
    # Half of them came another way: as if the service had been cut off in the middle.
    write_cells(box, "A3:A7", [[f"{prefix}-{i}"] for i in waiting[:5]])
    wait_delivered(world, 11)
    equal(len(ids(box)), 11, "rows")
    equal(len(set(ids(box))), 11, "each once")
    finish(world)


def test_after_a_crash_an_open_append_makes_no_second_row(world):
    box = begin(world, "log", HOT_TO_LOG)
    for n, mode in enumerate(("slow", "drop"), 1):
        box.fail(service="sheets", method="POST", mode=mode, delay_ms=1500)
        appends = requests(box, APPEND)
        make_hot(world, n)
        wait_requests(box, APPEND, appends + 1)
        world.kill()
        world.start()
        wait_delivered(world, n)
        equal(len(ids(box)), n, f"rows after {mode}")
    finish(world)
