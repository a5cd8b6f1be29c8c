"""E-mail: the real binary against a real mail server, with TLS, login and trouble."""
import base64
import glob
import json
import os
import secrets
import socketserver
import subprocess
import threading

from harness import check, demo, equal, errors_of, eventually, log_lines
from mail import PASSWORD, USER, MailServer, parsed, part
from services import (begin, deliveries, make_hot, person, post, retry, route, slow, text_of, use,
                      wait_dead, wait_delivered, whole)
from test_faults import Faults

HOT = route("mail")


def section(server, **options):
    lines = {"type": "email", "url": server.url, "ca_file": server.ca, "user": USER,
             "password": "${SMTP_PASSWORD}", "from": "Leads, hot <leads@example.com>",
             "to": "ada@example.org", "timeout": "5s", "rate": "1000/s", "backoff": "50ms",
             "backoff_max": "400ms", **options}
    return "[connector mail]\n" + "".join(f"{k} = {v}\n" for k, v in lines.items() if v is not None)


def start(world, server, *more, **options):
    world.env["SMTP_PASSWORD"] = PASSWORD
    use(world, text_of(world, section(server, **options), *(more or (HOT,))))


# What arrives

def test_a_lead_is_mailed_over_starttls_with_login(world):
    with MailServer(world) as server:
        start(world, server)
        post(world, person(7) + [demo(7)])
        delivery = wait_delivered(world, 1)[0]
        mail, = server.mails()
        equal((mail["from"], mail["to"]), ("leads@example.com", ["ada@example.org"]), "envelope")
        equal((mail["tls"], mail["user"], mail["helo"]), (True, USER, "example.com"), "session")
        message = parsed(mail)
        equal(message.defects, [], "defects")
        equal(message["Subject"], "Ada Lovelace is hot", "subject")
        equal(message["From"].addresses[0].display_name, "Leads, hot", "sender")
        equal(message["Message-ID"], delivery["remote_id"], "remote id")
        equal(message["Auto-Submitted"], "auto-generated", "automatic")
        check(message["Date"].datetime.tzinfo, "a date with its zone")
        equal([p.get_content_type() for p in message.iter_parts()], ["text/plain", "text/html"], "parts")
        check("Company: Analytical Engines\n" in part(message, "plain"), part(message, "plain"))
        check("<td>Analytical Engines</td>" in part(message, "html"), part(message, "html"))
        world.stop()


def test_tls_from_the_first_byte(world):
    with MailServer(world, "smtps") as server:
        start(world, server)
        make_hot(world, 1, 2)
        wait_delivered(world, 2)
        equal([m["tls"] for m in server.mails()], [True, True], "TLS")
        world.stop()


def test_what_a_lead_typed_stays_a_text(world):
    names = {"firstname": "=HYPERLINK(\"http://x\")\r\nBcc: eve@example.com", "lastname": "<!channel>",
             "company": "<script>\r\n.\r\nQUIT\r\n", "jobtitle": "שלום 🦊 & \"x\"",
             "phone": "7" * 10000}
    with MailServer(world) as server:
        start(world, server)
        post(world, person(1, **names) + [demo(1)])
        wait_delivered(world, 1)
        mail, = server.mails()
        message = parsed(mail)
        equal(message.defects, [], "defects")
        equal((message["Bcc"], server.to()), (None, ["ada@example.org"]), "nobody else")
        check(message["Subject"].startswith("=HYPERLINK(\"http://x\")"), message["Subject"])
        check("Job title: שלום 🦊 & \"x\"\n" in part(message, "plain"), part(message, "plain"))
        html = part(message, "html")
        check("<script" not in html and "&lt;script&gt;" in html and "<!channel" not in html, html)
        check(all(len(line) <= 78 for line in mail["raw"].split("\r\n")), "long lines")
        world.stop()


def test_a_message_of_its_own_in_spanish(world):
    own = """[messages]
language = es
[message by-mail]
route = hot-lead
connector = mail
subject = {{lead.company | upper}} {{#lead.phone}}con teléfono{{/lead.phone}} 🔥
text = {{lead.name_full}}: {{score}}
  {{^lead.city}}
  sin ciudad, {{event.time | date}}
  {{/lead.city}}
  .
html = <p>{{lead.company}}</p>
"""
    with MailServer(world) as server:
        start(world, server, HOT, own)
        post(world, person(1, company="Ñandú & Söhne") + [demo(1)])
        wait_delivered(world, 1)
        message = parsed(server.mails()[0])
        equal(message["Subject"], "ÑANDÚ & SÖHNE con teléfono 🔥", "subject")
        lines = part(message, "plain").split("\n")
        equal((lines[0], lines[2:]), ("Ada Lovelace: 60", [".", ""]), "text")
        check(lines[1].startswith("sin ciudad, ") and " de 20" in lines[1], lines[1])
        equal(part(message, "html"), "<p>Ñandú &amp; Söhne</p>\n", "page")
        world.stop()


def test_each_recipient_gets_it_once_whatever_happens_to_others(world):
    with MailServer(world) as server:
        server.plan(("RCPT", "450 4.2.0 greylisted", "bob@example.org"),
                    ("DATA", "451 4.3.0 disk", "eve@example.org"))
        start(world, server, to="ada@example.org, bob@example.org, eve@example.org")
        make_hot(world, 1)
        delivery = wait_delivered(world, 1)[0]
        equal(server.to(), ["ada@example.org", "bob@example.org", "eve@example.org"], "recipients")
        ids = [parsed(m)["Message-ID"] for m in server.mails()]
        equal(delivery["remote_id"].split(" "), ids, "remote ids")
        equal(delivery["attempts"], 2, "attempts")
        for mail in server.mails():
            equal(parsed(mail)["To"], f"<{mail['to'][0]}>" if "<" in parsed(mail)["To"]
                  else mail["to"][0], "nobody sees the others")
        world.stop()


# Trouble

def test_a_mailbox_that_is_gone_is_dead_and_told_after_it_was_mended(world):
    with MailServer(world) as server:
        server.plan(("RCPT", "550 5.1.1 no such user", "bob@example.org"))
        start(world, server, to="ada@example.org, bob@example.org, eve@example.org")
        make_hot(world, 1)
        dead = wait_dead(world)
        check("b...@example.org: 550 5.1.1 no such user" in dead["reason"], dead["reason"])
        equal(server.to(), ["ada@example.org", "eve@example.org"], "the others")
        start(world, server, to="ada@example.org, bobby@example.org, eve@example.org")
        retry(world, dead["id"])
        wait_delivered(world, 1)
        equal(server.to()[2:], ["bobby@example.org"], "and only who was not told")
        check(not any("@example.org" in line.get("reason", "").replace("...@example.org", "")
                      for line in log_lines(world, "delivery.dead")), "no address in the log")
        world.stop()


def test_a_lost_answer_is_repeated_under_the_same_id_or_dropped(world):
    with MailServer(world) as server:
        server.plan(("DATA", "cut", None))
        start(world, server)
        make_hot(world, 1)
        delivery = wait_delivered(world, 1)[0]
        history = whole(world, delivery)["history"]
        equal([a["verdict"] for a in history], ["ambiguous", "delivered"], "verdicts")
        check("no answer came" in history[0]["detail"], history[0]["detail"])
        first, second = (parsed(m)["Message-ID"] for m in server.mails())
        equal(first, second, "the reader's program knows them for one")
        start(world, server, on_ambiguous="drop")
        server.plan(("DATA", "cut", None))
        make_hot(world, 2)
        check("on_ambiguous = drop" in wait_dead(world)["reason"], "reason")
        equal(len(server.mails()), 3, "mails")
        world.stop()


def tried(world, n):
    """The n-th delivery, once it was tried."""
    def look():
        found = deliveries(world)
        return found[n - 1] if len(found) >= n and found[n - 1]["attempts"] else None
    return eventually(look, 20, f"delivery {n} was tried")


def test_a_wrong_password_is_kept_with_advice_until_it_is_mended(world):
    with MailServer(world) as server:
        start(world, server, password="wr0ng-passw0rd", backoff="300ms", backoff_max="60s")
        make_hot(world, 1)
        reason = tried(world, 1)["reason"]
        check("check the connector's `user` and `password` (535" in reason, reason)
        make_hot(world, 2, 3, 4)
        check("wr0ng" not in world.daemon.logged(), "the password is in the log")
        equal(server.mails(), [], "mails")
        start(world, server)
        wait_delivered(world, 4)
        equal(sum(d["attempts"] for d in deliveries(world)) < 10, True, "few logins with it")
        world.stop()


class Parrot(socketserver.StreamRequestHandler):
    """Refuses everything from `self.server.at` on, and repeats what it was told."""

    def handle(self):
        self.wfile.write(b"220 parrot\r\n")
        said = b""
        for line in self.rfile:
            word = line.split()[0] if line.split() else b""
            said += b" " + line.strip()
            if word == self.server.at or (self.server.at == b"LOGIN" and b" " not in line.strip()):
                self.wfile.write(b"550 5.9.9 you said" + said + b"\r\n")
            elif word == b"EHLO":
                kinds = b"LOGIN" if self.server.at == b"LOGIN" else b"PLAIN"
                self.wfile.write(b"250-x\r\n250 AUTH " + kinds + b"\r\n")
            elif word == b"AUTH":
                self.wfile.write(b"334 UGFzc3dvcmQ6\r\n" if self.server.at == b"LOGIN" else b"235 ok\r\n")
            else:
                self.wfile.write(b"250 ok\r\n")


def test_a_password_that_a_server_repeats_is_starred_out(world):
    password = "canary-" + secrets.token_hex(16)
    sought = [password.encode()] + [base64.b64encode(b"x" * pad + password.encode())[4:-4]
                                    for pad in range(3)]
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Parrot) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        use(world, text_of(world, "[connector mail]\ntype = email\nuser = u\nstarttls = off\n"
                           f"url = smtp://127.0.0.1:{server.server_address[1]}\n"
                           f"password = {password}\nfrom = a@example.com\nto = b@example.com\n"
                           "rate = 1000/s\nbackoff = 1h\n", HOT))
        for n, at in enumerate((b"MAIL", b"RCPT", b"AUTH", b"LOGIN"), 1):
            server.at = at
            make_hot(world, n)
            tried(world, n)
            world.stop()  # it would rest for a while
            world.start()
        said = deliveries(world)
        check(all("you said" in d["reason"] for d in said), f"it repeated: {said}")
        text = json.dumps([whole(world, d) for d in said])
        for path in glob.glob(os.path.join(world.folder, "daemon-*.log")):
            text += open(path, encoding="utf-8").read()
        for form in sought:
            check(form.decode() not in text, f"the password is in {text}")
        server.shutdown()
    world.stop()


@slow  # with the plain build alone: the faults come with it
def test_each_call_of_a_library_fails_once_and_the_mail_arrives(world):
    with MailServer(world) as server:
        faults = Faults(world)
        start(world, server, backoff="5ms", backoff_max="20ms")
        sent, fired = 0, set()
        for name in ("pthread_create", "curl_easy_init", "curl_easy_setopt", "curl_slist_append"):
            for n in range(1, 60):
                use(world, text_of(world, section(server, user=USER, backoff="5ms", backoff_max="20ms",
                                                  timeout=f"{5000 + sent}ms", url=server.url,
                                                  **{"from": f"a@{name.replace('_', '-')}{n}.test"}),
                                   HOT))  # another account
                faults.arm(name, n)
                sent += 1
                make_hot(world, sent)
                wait_delivered(world, sent)
                if not faults.fired(name):
                    break
                fired.add(name)
            faults.arm(name, 0)
        equal(len(fired), 4, f"calls that failed: {fired}")
        equal(len(server.mails()), sent, "each was mailed once")
        world.env.pop("LD_PRELOAD")
        world.stop()


def test_a_server_without_starttls_gets_no_password(world):
    with MailServer(world, "clear") as server:
        start(world, server)
        make_hot(world, 1)
        check("the server offers no STARTTLS" in tried(world, 1)["reason"], "reason")
        equal(server.mails(), [], "mails")
        start(world, server, starttls="off", ca_file=None)
        wait_delivered(world, 1)
        equal([m["tls"] for m in server.mails()], [False], "in clear text, to this machine")
        world.stop()


def test_a_wrong_certificate_ends_before_the_login(world):
    with MailServer(world) as server, MailServer(world, "smtps") as other:
        start(world, server, ca_file=other.ca)
        make_hot(world, 1)
        line = eventually(lambda: log_lines(world, "delivery.retry"), 10, "a retry")[0]
        check("certificate" in line["reason"], line["reason"])
        equal(server.mails(), [], "mails")
        start(world, server)
        wait_delivered(world, 1)
        world.stop()


def test_a_server_that_is_not_there_gets_what_waited_when_it_is(world):
    with MailServer(world) as server:
        start(world, server, url="smtp://127.0.0.1:1")
        make_hot(world, 1)
        eventually(lambda: log_lines(world, "delivery.retry"), 10, "a retry")
        start(world, server)
        wait_delivered(world, 1)
        equal(len(server.mails()), 1, "mails")
        world.stop()


def test_a_connection_that_the_server_closed_is_made_anew(world):
    with MailServer(world) as server:
        start(world, server)
        make_hot(world, 1)
        wait_delivered(world, 1)
        port = server.port
        server.kill()
        with MailServer(world, "starttls", port) as again:
            start(world, server)  # the same account
            make_hot(world, 2)
            done = wait_delivered(world, 2)
            equal((len(again.mails()), done[1]["attempts"]), (1, 1), "mails and attempts")
            world.stop()


def test_a_hanging_mail_server_holds_up_neither_slack_nor_the_end(world):
    listener = subprocess.Popen(["/usr/bin/python3", "-c", "import socket, time\n"
                                 "s = socket.create_server(('127.0.0.1', 0))\n"
                                 "print(s.getsockname()[1], flush=True)\ntime.sleep(60)"],
                                stdout=subprocess.PIPE, text=True)
    try:
        port = int(listener.stdout.readline())
        world.env["SMTP_PASSWORD"] = PASSWORD
        mail = ("[connector mail]\ntype = email\nfrom = a@example.com\nto = b@example.com\n"
                f"url = smtp://127.0.0.1:{port}\nstarttls = off\n")
        begin(world, "slack", mail, route("slack, mail"))
        make_hot(world, 1)
        wait_delivered(world, 1, "--connector", "slack")
        world.stop(timeout=12)
    finally:
        listener.kill()
        listener.communicate()


# Configuration

def test_check_explains_what_is_wrong_with_the_section(world):
    world.configure(world.base(tls=False) + """[connector mail]
type = email
url = smtp://mail.example.com:465
starttls = off
user = leads
to = ada@example.org, bob, Ada@example.org
""" + HOT)
    status, said = errors_of(world, "check")
    equal(status, 2, "exit status")
    for words in ("\"from\" is missing", "the recipient \"bob\" has no @",
                  "the recipient Ada@example.org stands there twice", "a user needs a password",
                  "would go to another machine in clear text", "port 465 is encrypted"):
        check(words in said, f"{words!r} in {said}")
