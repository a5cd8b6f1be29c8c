"""check --online: the real binary asks the strict stand-ins whether credentials and targets work."""
import json
import os
import re
import socket
import ssl
import subprocess
import threading

from harness import check, equal, errors_of, free_port
from services import (CHANNEL, DATABASE, HEADER, SPREADSHEET, VALUES, connector, finish, route, slow,
                      text_of, use)
from test_email import PASSWORD, USER, MailServer, section
from test_faults import Faults

OUTPUTS = ["funneld_score", "funneld_band", "funneld_reasons", "funneld_updated"]
MAKING = "/crm/v3/properties/contacts"
ALL = ["crm", "slack", "hook", "book", "log", "http", "zap", "subscribers"]


def box(world):
    return world.sandbox or world.start_sandbox()


def asked(world, *sections, status=0, create=False, enrich=False):
    """What was found: {(connector, what): finding}."""
    world.configure(text_of(world, *sections, enrich=enrich))
    options = ["--create"] if create else []
    answer = json.loads(world.run("check", "--online", "--json", *options, status=status))
    equal((answer["ok"], answer["problems"]), (status == 0, []), "the check as a whole")
    for f in answer["online"]:
        equal(sorted(f), ["connector", "detail", "ok", "state", "type", "what"], "fields")
    return {(f["connector"], f["what"]): f for f in answer["online"]}


def fails(found, *what):
    """Just these fail; returns what is said of the first."""
    equal(sorted(key for key, f in found.items() if f["ok"] is False), sorted(what), "what fails")
    check(all(found[w]["detail"] for w in what), "a detail for each")
    return found[what[0]]["detail"]


def refused(world, says, *sections, what, status=1, **how):
    """One thing of one connector fails, and this is said of it."""
    found = asked(world, *sections, status=status, **how)
    detail = fails(found, what)
    check(says in detail, f"{says!r} is not in {detail!r}")
    return found


def nothing_happened(world):
    state = world.sandbox.state()
    equal(state["slack"]["messages"], [], "messages")
    equal(state["notion"]["pages"], [], "pages")
    equal(state["hubspot"]["writes"], [], "writes")
    equal(state["hooks"]["received"], [], "webhooks")
    equal({tab: cells.get("values", []) for tab, cells in state["sheets"].items()}, {"Leads": []},
          "tabs and their rows")
    check(not os.path.exists(world.database), "a database")
    return state


def end(world, offences=()):
    """Without a daemon; what the sandbox has noted was provoked."""
    found = nothing_happened(world)["offences"]
    for word in offences:
        check(any(word in o for o in found), f"no offence {word!r} in {found}")
    equal([o for o in found if not any(w in o for w in offences)], [], "offences")


# All works

def test_what_works_is_said_and_nothing_is_sent(world):
    routes = route(", ".join(ALL[1:]))
    found = asked(world, *ALL, routes, enrich=True)
    for key in (("crm", "token"), ("crm", "property email"), ("crm", "scope tickets"),
                ("crm", "property name of companies"), ("crm", "property amount of deals"),
                ("crm", "property hs_pipeline_stage of tickets"), ("slack", "token"),
                ("slack", "scope chat:write"), ("slack", f"channel {CHANNEL}"),
                ("hook", "connection"), ("book", "token"), ("book", f"database {DATABASE}"),
                ("book", "property Score"), ("log", "credentials"), ("log", "tab Leads"),
                ("http", "connection"), ("zap", "connection")):
        equal(found[key]["state"], "works", f"state of {key}")
    for key in (("hook", "webhook"), ("book", "writing"), ("log", "writing"), ("http", "receiver"),
                ("zap", "catch hook"), ("subscribers", "subscriptions")):
        equal((found[key]["state"], found[key]["ok"]), ("not asked", None), f"state of {key}")
    check("funneld@sandbox.example" in found["log", "credentials"]["detail"], "the account")
    end(world)


def test_people_get_a_table(world):
    box(world)
    world.configure(text_of(world, "slack", "book", route("slack, book")))
    text = world.run("check", "--online")
    check("is in order" in text, "the plan")
    rows = [line.split() for line in text.partition("\n\nCONNECTOR  WHAT ")[2].splitlines()]
    equal(rows[0][-2:], ["STATE", "DETAIL"], "titles")
    check(["slack", "channel", CHANNEL, "works"] in rows, text)
    check(["book", "property", "Lead", "ID", "works"] in rows, text)
    check(text.endswith("\n14 work, 0 fail, 1 was not asked\n"), text)
    end(world)


def test_wrong_usage_and_a_wrong_configuration(world):
    box(world)
    world.configure(text_of(world, "slack", route("slack")))
    status, said = errors_of(world, "check", "--create")
    equal(status, 2, "--create alone")
    check("--online" in said, said)
    world.configure(text_of(world, "slack", route("nobody")))
    status, said = errors_of(world, "check", "--online")
    equal(status, 2, "a configuration that is wrong")
    check("nobody" in said, said)
    answer = json.loads(world.run("check", "--online", "--json", status=2))
    equal((answer["ok"], answer["online"], len(answer["problems"])), (False, [], 1), "JSON")
    answer = json.loads(world.run("check", "--json", status=2))
    check("online" not in answer, "without --online")
    check("--create" in world.run("check", "--help"), "help")
    equal(world.sandbox.state()["requests"], {}, "requests")
    end(world)


def test_it_works_beside_a_running_daemon(world):
    box(world)
    use(world, text_of(world, "slack", route("slack")))
    answer = json.loads(world.run("check", "--online", "--json"))
    check(all(f["ok"] for f in answer["online"]), f"{answer}")
    finish(world)


# HubSpot

def test_properties_are_made_on_request_only(world):
    box(world)
    sections = ("crm", route("crm"))
    found = asked(world, *sections, status=1)
    detail = fails(found, *(("crm", f"property {name}") for name in OUTPUTS))
    check("check --online --create" in detail and "property.score" in detail, detail)
    check(MAKING not in nothing_happened(world)["requests"], "nothing was made")

    found = asked(world, *sections, create=True)
    equal([found["crm", f"property {name}"]["state"] for name in OUTPUTS], ["created"] * 4, "made")
    equal(world.sandbox.state()["requests"][MAKING], 6, "requests that make one")

    found = asked(world, *sections, create=True)
    equal([found["crm", f"property {name}"]["state"] for name in OUTPUTS], ["works"] * 4, "again")
    found = asked(world, *sections)
    equal([found["crm", f"property {name}"]["state"] for name in OUTPUTS], ["works"] * 4, "looked at")
    equal(found["crm", "scope crm.objects.contacts.write"]["state"], "works", "scope")
    equal(world.sandbox.state()["requests"][MAKING], 6, "requests that make one")
    end(world)


def test_what_hubspot_refuses_is_named(world):
    box(world)
    refused(world, "put a new one into", connector(world, "crm", token="pat-wrong"), route("crm"),
            what=("crm", "token"))
    asked(world, "crm", route("crm"), create=True)
    refused(world, "give it to the private app", connector(world, "crm", token="pat-reader"),
            route("crm"), what=("crm", "scope crm.objects.contacts.write"))
    refused(world, "the private app needs crm.objects.contacts.read",
            connector(world, "crm", token="pat-writer"), route("crm"),
            what=("crm", "scope crm.objects.contacts.read"))
    refused(world, "check the connector's `properties`",
            connector(world, "crm", properties="email, no_such_thing"), route("crm"),
            what=("crm", "property no_such_thing"))
    refused(world, "the token is of the account", connector(world, "crm", portal="7"), route("crm"),
            what=("crm", "portal"))
    end(world, ("INVALID_AUTHENTICATION", "MISSING_SCOPES"))


def test_properties_of_what_leads_follow_are_asked_for(world):
    box(world)
    refused(world, "check the connector's `deal_properties`",
            connector(world, "crm", deal_properties="amount, no_such_thing"), enrich=True,
            what=("crm", "property no_such_thing of deals"))
    found = asked(world, connector(world, "crm", token="pat-deals"), enrich=True)
    equal({what: f["state"] for (_, what), f in found.items() if f["state"] != "works"},
          {"scope crm.objects.companies.read": "not used", "scope tickets": "not used",
           "scope crm.schemas.deals.read": "not known"}, "what does not work")
    equal(found["crm", "scope crm.schemas.deals.read"]["ok"], None, "what is not known")
    end(world, ("MISSING_SCOPES",))


def test_what_does_not_take_a_score_is_named(world):
    box(world)
    asked(world, "crm", route("crm"), create=True)
    world.sandbox.fail(service="hubspot", path=f"{MAKING}/funneld_band", status=200,
                       body={"name": "funneld_band", "type": "enumeration",
                             "options": [{"value": "cold"}, {"value": "hot"}]})
    refused(world, "its options lack warm: add them", "crm", route("crm"),
            what=("crm", "property funneld_band"))
    world.sandbox.fail(service="hubspot", path=f"{MAKING}/funneld_score", status=200,
                       body={"name": "funneld_score", "type": "number", "calculated": True})
    refused(world, "nobody can write", "crm", route("crm"), what=("crm", "property funneld_score"))
    end(world)


def test_where_scopes_are_told_nothing_depends_on_it(world):
    box(world)
    asked(world, "crm", route("crm"), create=True)
    world.sandbox.fail(service="hubspot", path="/oauth/v2/private-apps/get/access-token-info",
                       status=500)
    found = asked(world, "crm", route("crm"))
    equal(found["crm", "scope crm.objects.contacts.write"]["state"], "not known", "scope")
    end(world)


def test_without_the_scope_nothing_is_made(world):
    box(world)
    reader = connector(world, "crm", token="pat-reader")
    detail = fails(asked(world, reader, route("crm"), status=1, create=True),
                   ("crm", "scope crm.schemas.contacts.write"),
                   ("crm", "scope crm.objects.contacts.write"))
    check("crm.schemas.contacts.write" in detail, detail)
    found = asked(world, reader, create=True, enrich=True)
    equal(found["crm", "properties to write"]["state"], "not used", "without a route")
    end(world, ("MISSING_SCOPES",))


def test_a_property_of_another_type_is_named(world):
    box(world).fail(service="hubspot", path=f"{MAKING}/funneld_updated", status=200,
                    body={"name": "funneld_updated", "type": "number"})
    detail = asked(world, "crm", route("crm"), status=1)["crm", "property funneld_updated"]["detail"]
    equal(detail, "it is of type number, not datetime: name another with property.updated", "detail")
    end(world)


# Slack

def test_what_slack_refuses_is_named(world):
    box(world)
    refused(world, "invalid_auth; check the connector's token",
            connector(world, "slack", token="xoxb-wrong"), what=("slack", "token"))
    refused(world, "on_ambiguous = resend", connector(world, "slack", token="xoxb-narrow"),
            what=("slack", "scope channels:history"))
    refused(world, "add it to the app", connector(world, "slack", token="xoxb-reader"),
            what=("slack", "scope chat:write"))
    for channel, code in (("C0PRIVATE00", "not_in_channel"), ("C0ARCHIVED0", "is_archived"),
                          ("C0UNKNOWN00", "channel_not_found")):
        refused(world, f"{code}; check the connector's channel and invite the app to it",
                connector(world, "slack", channel=channel), what=("slack", f"channel {channel}"))
    found = asked(world, connector(world, "slack", mention_owner="yes"))
    equal(found["slack", "scope users:read.email"]["state"], "works", "the scope for mentions")
    refused(world, "missing_scope (needed: users:read.email)",
            connector(world, "slack", token="xoxb-narrow", on_ambiguous="resend",
                      mention_owner="yes"), what=("slack", "scope users:read.email"))
    end(world, ("invalid_auth", "missing_scope", "not_in_channel", "is_archived",
                "channel_not_found"))


def test_a_limit_that_is_used_up_is_said(world):
    box(world).fail(service="slack", path="/api/auth.test", status=429, retry_after=7)
    refused(world, "try again in 7 s", "slack", what=("slack", "token"))
    end(world)


# Notion

def columns(**types):
    return {"object": "data_source", "properties": {
        name.replace("_", " "): {"id": name, "name": name, "type": t, t: {}}
        for name, t in types.items()}}


def test_what_notion_refuses_is_named(world):
    box(world)
    refused(world, "unauthorized", connector(world, "book", token="ntn_wrong"),
            what=("book", "token"))
    other = "0" * 32
    refused(world, "share the database with the integration",
            connector(world, "book", database=other), what=("book", f"database {other}"))
    world.sandbox.fail(service="notion", path="/v1/data_sources/", status=200,
                       body=columns(Who="title", Score="rich_text", Email="number"))
    found = asked(world, "book", status=1)
    fails(found, ("book", "property Lead ID"), ("book", "property Score"))
    check("has no column \"Lead ID\"" in found["book", "property Lead ID"]["detail"], "renamed")
    check("is of type rich_text, expected number" in found["book", "property Score"]["detail"],
          "of another type")
    equal(found["book", "property Email"]["state"], "not used", "one that nobody asked for")
    end(world, ("unauthorized",))


# Google

def test_what_google_refuses_is_named(world):
    box(world)
    with open(world.sandbox.credentials) as f:
        key = json.load(f)
    path = os.path.join(world.folder, "other.json")
    with open(path, "w") as f:
        json.dump({**key, "client_email": "gone@sandbox.example"}, f)
    refused(world, "account not found", connector(world, "log", credentials=f"file:{path}"),
            what=("log", "credentials"))
    refused(world, "check the connector's `spreadsheet`",
            connector(world, "log", spreadsheet="no-such-sheet"),
            what=("log", "spreadsheet no-such-sheet"))
    refused(world, "the tab of `range` is missing or was renamed",
            connector(world, "log", range="Gone!A:H"), what=("log", "tab Gone"))
    world.sandbox.fail(service="sheets", status=403, body={"error": {
        "code": 403, "message": "The caller does not have permission",
        "status": "PERMISSION_DENIED"}})
    refused(world, "share the spreadsheet, as editor, with funneld@sandbox.example", "log",
            what=("log", f"spreadsheet {SPREADSHEET}"))
    world.sandbox.fail(service="sheets", path=VALUES, status=200,
                       body={"range": "Leads!A1:Z1", "majorDimension": "ROWS",
                             "values": [[h for h in HEADER if h != "Delivery ID"]]})
    refused(world, "has no column \"Delivery ID\"", "log",
            what=("log", "column Delivery ID of tab Leads"))
    end(world, ("account not found", "no such spreadsheet", "Unable to parse range"))


def test_every_routes_tab_is_asked_for(world):
    box(world)
    found = asked(world, connector(world, "log", **{"range.hot-lead": "Hot!A:H"}),
                  route("log"), route("log", name="warm-lead"), status=1)
    fails(found, ("log", "tab Hot"))
    equal(found["log", "tab Leads"]["state"], "works", "the other one")
    end(world, ("Unable to parse range",))


# E-mail

def test_a_mail_server_is_logged_into_and_sent_nothing(world):
    world.env["SMTP_PASSWORD"] = PASSWORD
    with MailServer(world) as server:
        found = asked(world, section(server), route("mail"))
        equal({what: f["state"] for (_, what), f in found.items()},
              {"connection": "works", "STARTTLS": "works", "login": "works",
               "sender and recipients": "not asked"}, "what was found")
        refused(world, "`ca_file`", section(server, ca_file=None), what=("mail", "connection"))
        world.env["SMTP_PASSWORD"] = "something wrong"
        detail = refused(world, "check the connector's `user` and `password`", section(server),
                         what=("mail", "login"))["mail", "login"]["detail"]
        check("something" not in detail, detail)
        equal(server.mails(), [], "mails")
    refused(world, "check host and port", section(server), what=("mail", "connection"))


def test_a_mail_server_without_starttls_is_named(world):
    world.env["SMTP_PASSWORD"] = PASSWORD
    with MailServer(world, "clear") as server:
        refused(world, "the server offers no STARTTLS", section(server), what=("mail", "STARTTLS"))
        found = asked(world, section(server, starttls="off"))
        equal(found["mail", "login"]["state"], "works", "in clear text, to this machine")
        equal(server.mails(), [], "mails")
    with MailServer(world, "smtps") as server:
        equal(asked(world, section(server))["mail", "TLS"]["state"], "works", "from the first byte")


# Connections

def test_what_is_not_reached_is_said(world):
    box(world)
    port = free_port()
    refused(world, "check host and port", connector(world, "slack", url=f"http://127.0.0.1:{port}"),
            what=("slack", "connection"))
    refused(world, "check the host in the connector's address",
            connector(world, "http", url="https://no-such-host.invalid/secret-path"),
            what=("http", "connection"))
    refused(world, "check whether TLS is spoken",
            connector(world, "http", url=f"https://127.0.0.1:{world.sandbox.port}/secret-path"),
            what=("http", "connection"))
    refused(world, "check the connector's `ca_file`",
            connector(world, "http", url=f"https://127.0.0.1:{world.sandbox.port}/",
                      ca_file="/no/such/file"), what=("http", "connection"))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.listen()
        refused(world, "`timeout`",
                connector(world, "slack", url=f"http://127.0.0.1:{silent.getsockname()[1]}",
                          timeout="300ms"), what=("slack", "connection"))
    world.sandbox.fail(service="notion", status=503, body="<html>", times=1)
    refused(world, "the service itself has trouble", "book", what=("book", f"database {DATABASE}"))
    world.sandbox.fail(service="notion", status=302, body="", times=1)
    refused(world, "never redirects", "book", what=("book", f"database {DATABASE}"))
    end(world)


class TLSServer:
    """Takes TLS connections with the world's certificate and notes what comes through them."""

    def __init__(self, world):
        self.heard = b""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(world.cert, world.key)
        self.listener = context.wrap_socket(socket.create_server(("127.0.0.1", 0)),
                                            server_side=True)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
                with connection:
                    self.heard += connection.recv(1000)
            except OSError:
                if self.listener.fileno() < 0:
                    return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.close()


def test_a_certificate_that_nobody_trusts_is_named(world):
    box(world)
    own = world.base()
    with TLSServer(world) as server:
        url = f"https://127.0.0.1:{server.port}/not-to-be-shown"
        world.configure(own + connector(world, "http", url=url))
        answer = json.loads(world.run("check", "--online", "--json", status=1))
        check("`ca_file`" in answer["online"][0]["detail"], f"{answer}")
        check("not-to-be-shown" not in json.dumps(answer), "the address")
        world.configure(own + connector(world, "http", url=url, ca_file=world.cert))
        answer = json.loads(world.run("check", "--online", "--json"))
        equal(answer["online"][0]["state"], "works", "with its root")
        equal(server.heard, b"", "bytes of a request")


@slow  # with the plain build alone: the faults come with it
def test_each_call_of_a_library_fails_once_and_it_is_said(world):
    world.env["SMTP_PASSWORD"] = PASSWORD
    with MailServer(world) as server:
        box(world)
        world.configure(text_of(world, "slack", "hook", section(server, user=USER)))
        faults, fired = Faults(world), set()
        for name in (n for n in faults.names if re.match("curl_|pthread_", n)):
            for n in range(1, 400):
                faults.arm(name, n)
                done = subprocess.run([world.options.bin, "-c", world.config_path, "check",
                                       "--online", "--json"], capture_output=True, env=world.env,
                                      timeout=60)
                if not faults.fired(name):
                    equal(done.returncode, 0, f"without a fault: {done.stdout} {done.stderr}")
                    break
                fired.add(name)
                ended(name, n, done)
            faults.arm(name, 0)
        check({"curl_easy_init", "curl_easy_setopt", "curl_multi_init"} <= fired, f"{fired}")
        equal(server.mails(), [], "mails")
        end(world)


def ended(name, n, done):
    """All was found, or it is said what was not."""
    check(done.returncode in (0, 1), f"{name} {n}: {done.returncode} {done.stderr}")
    answer = json.loads(done.stdout)
    bad = [f for f in answer["online"] if f["ok"] is False]
    equal(done.returncode == 1, bool(bad or done.stderr), f"{name} {n}: {answer} {done.stderr}")
    check(all(f["detail"] for f in bad), f"{name} {n}: {bad}")
