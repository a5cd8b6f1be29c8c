"""A past is taken over: out of a file, and out of the CRM with the history of its properties."""
import json
import os
import subprocess
import time

from harness import PORTAL, change, check, equal, eventually
from services import begin, connector, deliveries, finish, post, record, text_of
from test_crm import now

RULES = """[rule demo]
when = event.property == "demo_requested" and event.value == "true"
points = 50
half_life = 3650d
[rule acme]
when = lead.company == "Acme"
points = 15
[route any]
when = score >= -1000
to = log
"""
MAP = "E-mail = email\nFirst = firstname\nFirm = company\nWhen = @at\nBorn = @created_at\n"
HEADER = "E-mail,First,Firm,When,Born\n"


def write(world, name, text):
    path = os.path.join(world.folder, name)
    with open(path, "w") as f:
        f.write(text)
    return path


def rows(n, firm="Acme"):
    return "".join(f"p{i}@example.com,P{i},{firm},2026-01-02,2025-05-01T10:00:00Z\n"
                   for i in range(n))


def run_import(world, *arguments, status=0):
    return json.loads(world.run("import", *arguments, "--json", status=status))


def by_file(world, text, text_of_map=MAP, status=0, name="leads.csv"):
    return run_import(world, "--csv", write(world, name, text), "--map",
                      write(world, "my.map", text_of_map), status=status)


def leads(world):
    return world.run_json("leads", "--limit", "100000")


def lead(world, who):
    return world.run_json("leads", "show", who)[0]


def test_a_file_is_taken_over_by_the_daemon_and_nobody_is_told(world):
    begin(world, "log", RULES)
    got = by_file(world, HEADER + rows(1000))
    equal((got["rows"], got["fresh"], got["known"], got["errors"]), (1000, 1000, 0, 0), "counts")
    equal(len(leads(world)), 1000, "leads")
    p7 = lead(world, "p7@example.com")
    equal((p7["score"], p7["properties"]["company"]["value"]), (15.0, "Acme"), "scored")
    check(p7["properties"]["company"]["at"].startswith("2026-01-02"), p7)
    equal(deliveries(world), [], "nobody was told")
    again = by_file(world, HEADER + rows(1000))
    equal((again["fresh"], again["known"]), (0, 1000), "done again")
    equal(len(world.run_json("events", "--limit", "100000")), 1000, "no event more")
    finish(world)


def test_without_a_daemon_the_command_does_it_itself(world):
    world.configure(text_of(world, "log", RULES))
    got = by_file(world, HEADER + rows(1000))
    equal((got["fresh"], len(leads(world))), (1000, 1000), "taken")
    world.start()
    equal(by_file(world, HEADER + rows(1000))["fresh"], 0, "and the daemon knows it")
    world.run("replay", "--all")
    equal(deliveries(world), [], "nor is anybody told later")
    world.stop()


def test_what_is_newer_stays(world):
    begin(world, "log", RULES)
    by_file(world, HEADER + "a@example.com,A,New,2026-03-01,\n", name="new.csv")
    by_file(world, HEADER + "a@example.com,A,Old,2026-02-01,\n", name="old.csv")
    equal(lead(world, "a@example.com")["properties"]["company"]["value"], "New", "company")
    finish(world)


def test_rows_with_errors_are_named_and_the_others_taken(world):
    begin(world, "log", RULES)
    path = write(world, "odd.csv", HEADER + "a@example.com,A,Acme,2026-01-02,\n"
                 "nobody,B,Acme,2026-01-02,\n" "c@example.com,C,Acme,01/02/2026,\n"
                 "d@example.com,D\n" "e@example.com,E,Acme,,\n" ",F,Acme,2026-01-02,\n")
    done = subprocess.run([world.options.bin, "-c", world.config_path, "import", "--csv", path,
                           "--map", write(world, "my.map", MAP), "--json"], capture_output=True,
                          env=world.env, timeout=60)
    equal(done.returncode, 1, "exit status")
    got = json.loads(done.stdout)
    equal((got["rows"], got["fresh"], got["without_time"], got["errors"]), (6, 1, 1, 4), "counts")
    said = done.stderr.decode()
    for line, words in ((3, "is no e-mail address"), (4, "is no time"), (7, "nobody is named")):
        check(f"odd.csv:{line}: " in said and words in said, f"line {line}: {said}")
    equal(len(leads(world)), 1, "the good one")
    finish(world)


def test_a_dry_run_shows_what_columns_become_and_changes_nothing(world):
    begin(world, "log", RULES)
    path = write(world, "leads.csv", "Record ID,Email,First Name,Visits,Notes\n"
                 "17,a@example.com,Ada,4,x\n")
    shown = world.run("import", "--csv", path, "--dry-run")
    for words in ("Visits", "number", "First Name", "firstname", "@id"):
        check(words in shown, shown)
    proposed = world.run("import", "--csv", path)
    check("Visits = visits" in proposed and "Record ID = @id" in proposed, proposed)
    own = write(world, "my.map", "Record ID = @ignore\nNotes = @ignore\n")
    check("nothing was changed" in world.run("import", "--csv", path, "--map", own, "--dry-run"))
    equal(leads(world), [], "leads")
    odd = write(world, "odd.map", "Vists = visits\n")
    world.run("import", "--csv", path, "--map", odd, status=2)
    finish(world)


def test_rows_without_a_time_are_of_the_files_or_of_one_that_is_said(world):
    begin(world, "log", RULES)
    own = write(world, "my.map", "E-mail = email\n")
    path = write(world, "plain.csv", "E-mail,company\na@example.com,Old\n")
    os.utime(path, (1767225600, 1767225600))

    def take(*more, status=0):
        done = subprocess.run([world.options.bin, "-c", world.config_path, "import", "--csv", path,
                               "--map", own, *more], capture_output=True, env=world.env, timeout=60)
        equal(done.returncode, status, done.stderr.decode())
        return done.stderr.decode()
    for more in ((), ("--dry-run",)):
        said = take(*more)
        check("rows count as of 2026-01-01 00:00:00 UTC, the file's time" in said, said)
    said = take("--at", "2025-12-01")
    check("rows count as of 2025-12-01 00:00:00 UTC\n" in said, said)
    times = [e["occurred_at"][:10] for e in world.run_json("events", "--limit", "10")]
    equal(sorted(times), ["2025-12-01", "2026-01-01"], "two states")
    write(world, "my.map", "E-mail = email\ncompany = @at\n")
    check("a column of this one is @at" in take("--at", "1h", status=2))
    finish(world)


def test_a_dry_run_knows_whose_ids_the_import_would_know(world):
    own, path = write(world, "my.map", "Record ID = @id\nEmail = email\n"), write(
        world, "ids.csv", "Record ID,Email\n17,a@example.com\n")
    world.configure(text_of(world, crm(world), "log", RULES))
    check("0 with errors" in world.run("import", "--csv", path, "--map", own, "--dry-run"))
    world.configure(text_of(world, crm(world).replace(f"portal = {PORTAL}\n", ""), "log", RULES))
    said = world.run("import", "--csv", path, "--map", own, "--dry-run", status=1)
    check("1 with errors" in said, said)
    world.start()
    post(world, [change(7, "note", "a")])
    check("0 with errors" in world.run("import", "--csv", path, "--map", own, "--dry-run"))
    world.stop()


# The CRM

def history(*versions):
    """Newest first, as HubSpot has them."""
    return [{"value": v, "timestamp": at, "sourceType": "CRM_UI"} for at, v in versions][::-1]


def contact(i):
    made = {**record(i, updated="2026-02-01T00:00:00.000Z", email=f"c{i}@example.com",
                     lifecyclestage="customer", demo_requested="true"),
            "createdAt": "2025-01-01T00:00:00.000Z",
            "history": {"lifecyclestage": history(("2025-01-01T00:00:00.000Z", "lead"),
                                                  ("2025-06-01T00:00:00.000Z", "customer")),
                        "email": history(("2025-01-01T00:00:00.000Z", f"c{i}@example.com")),
                        "demo_requested": history(("2025-05-01T00:00:00.000Z", "true"))}}
    return made


def crm(world, **options):
    return connector(world, "crm", portal=str(PORTAL), rate="50/s",
                     properties="email, firstname, company, demo_requested", **options)


def test_all_contacts_come_with_their_history_and_score(world):
    box = world.start_sandbox()
    box.contacts([contact(i) for i in range(1, 121)])
    begin(world, crm(world), "log", RULES)
    got = run_import(world, "--crm")
    equal((got["rows"], got["errors"]), (120, 0), "contacts")
    equal(len(leads(world)), 120, "leads")
    c7 = lead(world, f"{PORTAL}:7")
    equal(c7["properties"]["lifecyclestage"]["value"], "customer", "stage")
    check(c7["score"] > 35, f"what was done in the past is worth something: {c7['score']}")
    past = [e for e in world.run_json("events", "--lead", c7["id"], "--limit", "100")]
    times = sorted(e["occurred_at"][:10] for e in past)
    check(times[:3] == ["2025-01-01", "2025-01-01", "2025-01-01"], times)
    check("2025-05-01" in times and "2025-06-01" in times and "2026-02-01" in times, times)
    equal(deliveries(world), [], "nobody was told")
    again = run_import(world, "--crm")
    equal(again["fresh"], 0, "done again")
    finish(world)


def test_what_the_crm_told_when_it_happened_counts_once(world):
    box = world.start_sandbox()
    box.contacts([contact(7), contact(8), contact(9)])
    begin(world, crm(world), "log", RULES)
    at = 1746057600000  # 2025-05-01
    post(world, [change(7, "demo_requested", "true", at=at),
                 change(8, "demo_requested", "true", at=at + 1),
                 change(9, "demo_requested", "true", at=at + 60000)])
    run_import(world, "--crm")
    for i, times in ((7, 1), (8, 1), (9, 2)):
        rules = [l["rule"] for l in world.run_json("score", f"{PORTAL}:{i}")[0]["lines"]]
        equal(rules.count("demo"), times, f"contact {i}")
    finish(world)


def test_an_import_that_was_killed_goes_on(world):
    box = world.start_sandbox()
    box.contacts([contact(i) for i in range(1, 501)])
    begin(world, crm(world, ).replace("50/s", "2/s"), "log", RULES)
    child = subprocess.Popen([world.options.bin, "-c", world.config_path, "import", "--crm"],
                             env=world.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    eventually(lambda: len(leads(world)) >= 100, 30, "some pages")
    child.kill()
    child.communicate()
    before = len(leads(world))
    check(before < 500, "it was killed in between")
    done = subprocess.run([world.options.bin, "-c", world.config_path, "import", "--crm"],
                          env=world.env, capture_output=True, timeout=60)
    equal(done.returncode, 0, done.stderr.decode())
    check("goes on behind the" in done.stderr.decode(), done.stderr.decode())
    equal(len(leads(world)), 500, "all of them")
    read = int(done.stdout.decode().split()[1])
    check(read <= 450, f"not from the front: {read}")
    finish(world)


def test_the_crm_is_given_the_time_that_it_asks_for(world):
    box = world.start_sandbox()
    box.contacts([contact(i) for i in range(1, 11)])
    world.configure(text_of(world, crm(world), "log", RULES))
    box.fail(service="hubspot", status=429, retry_after="1", times=1)
    began = time.monotonic()
    got = run_import(world, "--crm")
    equal(got["rows"], 10, "contacts")
    check(time.monotonic() - began >= 1, "Retry-After")


def test_without_history_the_present_is_taken(world):
    box = world.start_sandbox()
    box.contacts([contact(i) for i in range(1, 11)])
    world.configure(text_of(world, crm(world), "log", RULES))
    box.fail(service="hubspot", status=400, times=1)
    got = run_import(world, "--crm")
    equal((got["rows"], got["fresh"], got["without_history"]), (10, 10, 10), "one event each")
    equal(len(leads(world)), 10, "leads")


def test_a_token_that_is_not_valid_is_said(world):
    world.start_sandbox()
    world.configure(text_of(world, crm(world, token="wrong"), "log", RULES))
    done = subprocess.run([world.options.bin, "-c", world.config_path, "import", "--crm"],
                          env=world.env, capture_output=True, timeout=60)
    equal(done.returncode, 1, "exit status")
    check("put a new one into the connector's `token`" in done.stderr.decode(), done.stderr)


def test_an_import_while_we_were_away_hides_nothing_of_what_was_missed(world):
    box = world.start_sandbox()
    box.contacts([record(7, firstname="Ada")])
    begin(world, crm(world, catch_up_after="1s"), "log", RULES, enrich=True)
    post(world, [change(7, "note", "a")])
    world.all_done()
    world.stop()
    time.sleep(1.2)
    by_file(world, HEADER + rows(10))
    box.contacts([record(7, updated=now(), firstname="Augusta")])
    world.start()
    eventually(lambda: lead(world, f"{PORTAL}:7")["properties"]["firstname"]["value"] == "Augusta",
               10, "the CRM was asked")
    finish(world)
