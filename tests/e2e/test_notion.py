"""Notion: one page per lead, made once and kept current, whatever Notion and people do."""
from harness import PORTAL, change, check, demo, equal, event, eventually
from services import (DATABASE, begin, closed_again, connector, deliveries, finish, lead, make_hot,
                      ms, notion, pages, person, post, requests, route, started, states, text_of,
                      use, wait_broken, wait_delivered, wait_requests, was_refused, whole)

DATABASES, SOURCES = "/v1/databases/", "/v1/data_sources/"
SOURCE = SOURCES + "b55c9c91-384d-452b-81db-d1ef79372b75"
PAGES = "/v1/pages"
HOT_TO_BOOK = route("book")
ALWAYS = route("book", "every-note", 'event.property == "note"')


def note(contact, text):
    return change(contact, "note", text)


def query_path():
    return SOURCE + "/query"


def schema(box, changes):
    """The data source as Notion shows it, but for these columns: {name: new name, type or None}."""
    types = {"Name": "title", "Lead ID": "rich_text", "Score": "number", "Email": "email",
             "Band": "select", "Reasons": "rich_text", "CRM": "url", "Updated": "date"}
    ids = {"Name": "title", "Lead ID": "LDid", "Score": "%3AScr", "Email": "EmAl",
           "Band": "BnD%5D", "Reasons": "ReSn", "CRM": "CrMu", "Updated": "UpDt"}
    columns = {}
    for name, kind in types.items():
        new = changes.get(name, {})
        if new is None:
            continue
        shown, kind = new.get("name", name), new.get("type", kind)
        columns[shown] = {"id": ids[name], "name": shown, "type": kind, kind: {}}
    box.fail(service="notion", path=SOURCE, method="GET", status=200,
             body={"object": "data_source", "id": SOURCE[-36:], "properties": columns})


# The page

def test_a_page_holds_who_the_lead_is_and_what_it_is_worth(world):
    box = begin(world, "crm", "book", HOT_TO_BOOK)
    long_name = "Analytical Engines " + "x" * 3000
    post(world, person(7, jobtitle="Director", company=long_name) + [demo(7)])
    delivery = wait_delivered(world, 1)[0]
    page, = pages(box)
    equal(delivery["remote_id"], page["id"], "remote id")
    got = page["properties"]
    check(float(got.pop("Score")) == 75, "score")
    updated = got.pop("Updated")
    check(abs(ms(updated["start"]) - ms(page["created_time"])) < 2000, f"updated {updated}")
    reasons = got.pop("Reasons")
    check("demo request +60" in reasons and "vip +15" in reasons, reasons)
    check(got.pop("Lead ID").endswith("-" + delivery["lead"]), "the key is our own id of the lead")
    equal(got, {"Name": "Ada Lovelace", "Email": "ada@example.com", "Band": "hot",
                "CRM": f"https://app.hubspot.com/contacts/{PORTAL}/record/0-1/7",
                "Status": "Active"}, "columns")
    finish(world)


def test_a_page_is_made_once_and_updated_then(world):
    box = begin(world, "book", ALWAYS)
    post(world, [note(1, "first"), demo(2)])
    wait_delivered(world, 1)
    equal(pages(box)[0]["properties"]["Score"], 0, "score")
    queries = requests(box, query_path())
    post(world, [demo(1), change(1, "email", "new@example.com"), note(1, "second")])
    wait_delivered(world, 2)
    page, = pages(box)
    equal((page["edits"], float(page["properties"]["Score"])), (1, 60.0), "edits, score")
    equal((page["properties"]["Band"], page["properties"]["Email"]), ("hot", "new@example.com"), "")
    equal(requests(box, query_path()), queries, "the page is known: no query")
    equal([requests(box, DATABASES), requests(box, SOURCE) - queries], [1, 1], "schema reads")
    equal(len({d["remote_id"] for d in deliveries(world)}), 1, "one page")
    world.stop()
    world.start()  # it is remembered on disk
    post(world, [note(1, "third"), note(2, "another lead")])
    wait_delivered(world, 4)
    equal(sorted(p["edits"] for p in pages(box)), [0, 2], "edits")
    finish(world)


def test_a_page_that_is_there_already_is_found_by_its_lead_id(world):
    box = begin(world, "book", ALWAYS)
    post(world, [note(1, "a")])
    wait_delivered(world, 1)
    key = pages(box)[0]["properties"]["Lead ID"]
    notion(box, "PATCH", f"{PAGES}/{pages(box)[0]['id']}", {"in_trash": True})
    made = notion(box, "POST", PAGES, {
        "parent": {"data_source_id": SOURCE[-36:]},
        "properties": {"Lead ID": {"rich_text": [{"text": {"content": key}}]},
                       "Name": {"title": [{"text": {"content": "restored by hand"}}]}}})
    post(world, [note(1, "b")])
    equal(wait_delivered(world, 2)[-1]["remote_id"], made["id"], "the one that a person made")
    equal(pages(box)[0]["properties"]["Name"] != "restored by hand", True, "it is kept current")
    finish(world)


def test_a_page_that_a_person_deleted_is_made_anew(world):
    box = begin(world, "book", ALWAYS)
    post(world, [note(1, "a")])
    first = wait_delivered(world, 1)[0]["remote_id"]
    notion(box, "PATCH", f"{PAGES}/{first}", {"in_trash": True})
    post(world, [note(1, "b")])
    second = wait_delivered(world, 2)[-1]
    check(second["remote_id"] != first, "another page")
    equal(second["attempts"], 1, "within one attempt")
    post(world, [note(1, "c")])
    equal(wait_delivered(world, 3)[-1]["remote_id"], second["remote_id"], "from now on that one")
    equal([p["edits"] for p in pages(box)], [1], "edits")
    finish(world)


def test_a_lead_deleted_in_the_crm_is_not_written_of_any_more(world):
    box = begin(world, "book", route("book", "all", "score >= 0"))
    post(world, [note(1, "a")])
    wait_delivered(world, 1)
    post(world, [event("contact.deletion", 1)])
    equal(lead(world, 1)["state"], "deleted", "state")
    post(world, [note(1, "late")])
    world.all_done()
    equal(pages(box)[0]["edits"], 0, "edits")
    finish(world)


# Columns

def test_columns_that_do_not_fit_are_named(world):
    box = begin(world, "book", HOT_TO_BOOK)
    for n, (changes, words) in enumerate([
            ({"Lead ID": None}, ['no column "Lead ID"', "rich_text", "property.lead_id"]),
            ({"Score": None}, ['no column "Score"', "number", "property.score"]),
            ({"Score": {"type": "rich_text"}}, ['"Score" is of type rich_text', "number"]),
            ({"Score": {"name": "Points"}}, ["of that type there are: Points"])], 1):
        schema(box, changes)
        make_hot(world, n)
        # Then the person has mended it: the sandbox shows its own schema.
        was_refused(world, wait_delivered(world, n)[-1], *words)
        use(world, text_of(world, "book", HOT_TO_BOOK))  # forget the schema
    finish(world)


def test_a_column_that_nobody_asked_for_may_be_of_another_type(world):
    world.start_sandbox()
    schema(world.sandbox, {"Band": {"type": "multi_select"}, "CRM": {"type": "rich_text"}})
    box = begin(world, "book", HOT_TO_BOOK)
    make_hot(world, 1)
    equal(wait_delivered(world, 1)[0]["attempts"], 1, "attempts")
    equal(pages(box)[0]["properties"]["Band"], "", "left out")
    finish(world)


def test_columns_may_have_other_names_or_be_missing(world):
    changes = {"Score": {"name": "Points"}, "Name": {"name": "Who"}, "Email": None, "Band": None}
    world.start_sandbox()
    schema(world.sandbox, changes)
    box = begin(world, connector(world, "book", **{"property.score": "Points"}), HOT_TO_BOOK)
    post(world, person(1) + [demo(1)])
    wait_delivered(world, 1)
    got = pages(box)[0]["properties"]
    equal((float(got["Score"]), got["Name"]), (60.0, "Ada Lovelace"), "score and title")
    equal((got["Email"], got["Band"]), ("", ""), "columns that are not there")
    finish(world)


def test_a_column_renamed_by_a_person_is_written_all_the_same(world):
    box = begin(world, "book", ALWAYS)
    post(world, [note(1, "a")])
    wait_delivered(world, 1)
    # Notion knows columns by their id; only a column that is gone makes us read the schema again.
    box.fail(service="notion", path=PAGES, status=400, body={
        "object": "error", "status": 400, "code": "validation_error",
        "message": "%3AScr is not a property that exists."})
    schema(box, {"Score": None})
    post(world, [note(1, "b")])
    was_refused(world, wait_delivered(world, 2)[-1], 'no column "Score"', "property.score")
    finish(world)


def test_a_second_data_source_keeps_everything_until_one_is_named(world):
    box = begin(world, "book", ALWAYS)
    post(world, [note(1, "a")])
    wait_delivered(world, 1)
    two = {"object": "database", "id": DATABASE,
           "data_sources": [{"id": SOURCE[-36:], "name": "Leads"},
                            {"id": "0" * 8 + SOURCE[-28:], "name": "Archive"}]}
    box.fail(service="notion", path=DATABASES, status=200, times=1000, body=two)
    post(world, [note(1, "b")])
    wait_delivered(world, 2)  # which one it is we knew before
    use(world, text_of(world, "book", ALWAYS))
    post(world, [note(1, "c"), note(2, "a"), note(3, "a")])
    wait_broken(world, "book", "several data sources", "data_source = NAME", "Leads, Archive")
    use(world, text_of(world, connector(world, "book", data_source="Leads"), ALWAYS))
    wait_delivered(world, 5)
    closed_again(world, "book")
    equal(len(pages(box)), 3, "pages")
    finish(world)


# Trouble

def test_every_trouble_that_passes_ends_in_one_page(world):
    box = begin(world, connector(world, "book", settle="100ms"), ALWAYS)
    troubles = [{"status": 500}, {"status": 502}, {"status": 503}, {"status": 504},
                {"status": 409}, {"status": 403, "body": "<html>edge</html>", "retry_after": "1"},
                {"mode": "drop"}, {"mode": "garbage"}, {"mode": "processed_no_answer"},
                {"mode": "slow", "delay_ms": 2300}, {"mode": "processed_status", "status": 500},
                {"mode": "processed_status", "status": 504},
                {"mode": "processed_status", "status": 502, "body": "<html>edge</html>"}]
    for n, trouble in enumerate(troubles, 1):
        for method, path in (("POST", PAGES), ("PATCH", PAGES + "/"), ("POST", query_path())):
            box.fail(service="notion", path=path, method=method, **trouble)
        post(world, [note(n, "first")])
        wait_delivered(world, 2 * n - 1)
        equal(len(pages(box)), n, f"pages after {trouble} of the create")
        post(world, [demo(n), note(n, "second")])
        wait_delivered(world, 2 * n)
        equal([float(p["properties"]["Score"]) for p in pages(box)], [60.0] * n,
              f"scores after {trouble} of the update")
    finish(world)


def test_trouble_while_the_schema_is_read_passes_too(world):
    world.start_sandbox()
    for path in (DATABASES, SOURCE):
        for how in ({"status": 500}, {"mode": "drop"}, {"mode": "garbage"}):
            world.sandbox.fail(service="notion", path=path, method="GET", **how)
    box = begin(world, "book", HOT_TO_BOOK)
    make_hot(world, 1)
    wait_delivered(world, 1)
    equal(requests(box, SOURCE), 3 + 1 + 1, "schema read in vain, read, page looked for")
    equal(len(pages(box)), 1, "pages")
    finish(world)


def test_retry_after_is_obeyed(world):
    box = begin(world, "book", HOT_TO_BOOK)
    make_hot(world, 1)
    wait_delivered(world, 1)
    box.fail(service="notion", path=query_path(), status=429, retry_after="2")
    box.fail(service="notion", path=PAGES, method="POST", status=529, retry_after="1")
    before = requests(box, "/v1/")
    make_hot(world, 2)
    wait_requests(box, "/v1/", before + 1)
    make_hot(world, 3)
    wait_delivered(world, 3)
    made = [ms(p["created_time"]) for p in pages(box)]
    first = started(whole(world, deliveries(world)[1])["history"])[0]
    check(min(made[1:]) >= first + 3000, f"before both waits were over: {first}, {made}")
    equal(requests(box, "/v1/") - before, 3 + 4, "requests, of which three in vain")
    finish(world)


def test_what_a_person_must_mend_keeps_everything_until_then(world):
    world.start_sandbox()
    for n, (options, words) in enumerate([
            ({"token": "ntn_other"}, ["unauthorized", "the connector's token"]),
            ({"database": "0" * 32}, ["object_not_found", "share the database"]),
            ({"data_source": "Archive"}, ["no data source Archive", "Leads"])], 1):
        use(world, text_of(world, connector(world, "book", **options), HOT_TO_BOOK))
        make_hot(world, *range(10 * n, 10 * n + 5))
        wait_broken(world, "book", *words)
        use(world, text_of(world, "book", HOT_TO_BOOK))
        wait_delivered(world, 5 * n)
        closed_again(world, "book")
    equal(len(pages(world.sandbox)), 15, "pages")
    finish(world, ["unauthorized"])


def test_a_database_that_is_shared_again_is_written_to_again(world):
    box = begin(world, "book", ALWAYS)
    post(world, [note(1, "a")])
    wait_delivered(world, 1)
    absent = {"object": "error", "status": 404, "code": "object_not_found", "message": "Could not "
              "find data_source. Make sure it is shared with your integration."}
    box.fail(service="notion", path="/v1/", status=404, body=absent, times=24)
    post(world, [note(n, "b") for n in range(1, 21)])
    wait_broken(world, "book", "share the database with the integration")
    post(world, [note(n, "c") for n in range(1, 21)])
    eventually(lambda: "pending" not in states(world), 15, "all done")
    closed_again(world, "book")
    equal(len(pages(box)), 20, "pages")
    finish(world)


# The log

def logged(world, **options):
    return begin(world, connector(world, "book", log="yes", settle="100ms", **options), ALWAYS)


def each_once(world, box, contact=0):
    """Each delivery has its line on the page, at its end the id; returns the lines."""
    lines = pages(box)[contact]["lines"]
    done = [d["id"] for d in deliveries(world) if d["state"] == "delivered"]
    equal([line.rsplit("-", 1)[1] for line in lines], [f"{i}]" for i in done], f"in {lines}")
    return lines


def test_the_log_says_what_was_delivered(world):
    box = logged(world)
    post(world, [note(1, "a")])
    wait_delivered(world, 1)
    post(world, [demo(1), note(1, "b")])
    wait_delivered(world, 2)
    post(world, [note(1, "c")])
    wait_delivered(world, 3)
    first, second, _ = each_once(world, box)
    check(" UTC - Score 0 (cold) [" in first, first)
    check(" UTC - Score 60 (hot): demo request +60 [" in second, second)
    at = world.run_json("events", "show", deliveries(world)[1]["event"])[0]["occurred_at"]
    check(second.startswith(at[:10] + " " + at[11:16]), f"{second} at {at}")
    finish(world)


def test_no_trouble_writes_a_line_twice(world):
    box = logged(world)
    post(world, [note(1, "first")])
    wait_delivered(world, 1)
    troubles = [{"mode": "processed_no_answer"}, {"mode": "drop"}, {"status": 500},
                {"mode": "processed_status", "status": 504}, {"mode": "garbage"},
                {"status": 409}, {"mode": "slow", "delay_ms": 2300}]
    for n, trouble in enumerate(troubles, 2):
        box.fail(service="notion", path="/v1/blocks/", method="PATCH", **trouble)
        box.fail(service="notion", path="/v1/blocks/", method="GET", status=502)
        post(world, [note(1, f"note {n}")])
        wait_delivered(world, n)
        equal(len(each_once(world, box)), n, f"lines after {trouble}")
    finish(world)


def test_after_a_crash_an_open_line_is_not_written_again(world):
    box = logged(world)
    post(world, [note(1, "first")])
    wait_delivered(world, 1)
    for n, mode in enumerate(("slow", "drop"), 2):
        box.fail(service="notion", path="/v1/blocks/", method="PATCH", mode=mode, delay_ms=1500)
        appends = requests(box, "/v1/blocks/")
        post(world, [note(1, f"note {n}")])
        wait_requests(box, "/v1/blocks/", appends + 2)  # read, append
        world.kill()
        world.start()
        wait_delivered(world, n)
        each_once(world, box)
    finish(world)


def test_a_full_log_takes_no_more_lines(world):
    box = logged(world, log_max="3")
    for n in range(1, 6):
        post(world, [note(1, f"note {n}")])
        wait_delivered(world, n)
    equal(len(pages(box)[0]["lines"]), 3, "lines")
    equal(pages(box)[0]["edits"], 4, "the columns are kept current")
    finish(world)


def test_a_create_of_unknown_fate_makes_no_second_page(world):
    box = begin(world, "book", ALWAYS)
    box.fail(service="notion", path=PAGES, method="POST", mode="processed_no_answer")
    post(world, [note(1, "a")])
    delivery = whole(world, wait_delivered(world, 1)[0])
    page, = pages(box)
    equal(delivery["remote_id"], page["id"], "remote id")
    equal([a["verdict"] for a in delivery["history"]], ["ambiguous", "delivered"], "verdicts")
    at = started(delivery["history"])
    check(at[1] >= at[0] + 1000, f"settle is waited for: {at}")
    finish(world)


def test_after_a_crash_an_open_create_makes_no_second_page(world):
    box = begin(world, "book", HOT_TO_BOOK)
    for n, mode in enumerate(("slow", "drop"), 1):
        box.fail(service="notion", path=PAGES, method="POST", mode=mode, delay_ms=1500)
        creates = requests(box, PAGES)
        make_hot(world, n)
        wait_requests(box, PAGES, creates + 1)
        world.kill()
        world.start()
        wait_delivered(world, n)
        equal(len(pages(box)), n, f"pages after {mode}")
    finish(world)


# Folding

def test_what_happens_while_notion_is_down_becomes_one_request_a_lead(world):
    box = begin(world, "book", ALWAYS)
    post(world, [note(1, "before")])
    wait_delivered(world, 1)
    box.fail(service="notion", path="/v1/", status=503, retry_after="2")
    before = requests(box, "/v1/")
    post(world, [note(1, "down")])
    wait_requests(box, "/v1/", before + 1)
    for i in range(20):
        post(world, [note(1, f"meanwhile {i}"), note(2, f"another {i}")])
    post(world, [demo(1), note(1, "last")])
    eventually(lambda: "pending" not in states(world), 10, "all done")
    equal(requests(box, "/v1/") - before, 1 + 1 + 2, "the refused one, one patch, query and create")
    equal([p["edits"] for p in pages(box)], [1, 0], "edits")
    equal(float(pages(box)[0]["properties"]["Score"]), 60.0, "the newest state")
    done = states(world)
    equal((done.count("delivered"), done.count("superseded")), (3, 40), "states")
    equal(world.metric("funneld_deliveries_total", connector="book", outcome="superseded"), 40, "")
    finish(world)
