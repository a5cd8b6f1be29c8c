"""tests/e2e/mailserver.py - a real mail server, aiosmtpd, that also refuses on demand.

    /usr/bin/python3 mailserver.py FOLDER starttls|clear|smtps CERT KEY USER PASSWORD PORT

Says its port in FOLDER/port. Each mail becomes FOLDER/N.json: envelope, raw message, whether it
came over TLS. FOLDER/plan.json, read at each command, is a list of {"at": "RCPT", "to": ADDRESS,
"reply": "450 ..."} for MAIL, RCPT and DATA, each used once; "cut" as the reply ends the connection,
after the message was taken. The package is Debian's, so Debian's own python3 runs it.
"""
import asyncio
import json
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

FOLDER, MODE, CERT, KEY, USER, PASSWORD, PORT = sys.argv[1:]


def write(name, value):
    path = os.path.join(FOLDER, name)
    with open(path + ".new", "w") as f:
        json.dump(value, f)
    os.rename(path + ".new", path)


def planned(at, to=None):
    """What stands next in the plan for this command; it is taken out of it."""
    path = os.path.join(FOLDER, "plan.json")
    if not os.path.exists(path):
        return None
    with open(path) as f:
        plan = json.load(f)
    for step in plan:
        if step["at"] == at and step.get("to") in (None, to):
            plan.remove(step)
            write("plan.json", plan)
            return step["reply"]
    return None


class Handler:
    def __init__(self):
        self.mails = 0

    async def handle_MAIL(self, server, session, envelope, address, options):
        reply = planned("MAIL")
        if reply:
            return reply
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        reply = planned("RCPT", address)
        if reply:
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        reply = planned("DATA", envelope.rcpt_tos[0])
        if not reply or reply == "cut":
            self.mails += 1
            write(f"{self.mails}.json", {
                "from": envelope.mail_from, "to": envelope.rcpt_tos, "helo": session.host_name,
                "tls": session.ssl is not None or MODE == "smtps", "user": session.auth_data,
                "raw": envelope.original_content.decode("ascii")})
        if reply == "cut":
            server.transport.abort()
        return reply or "250 2.0.0 queued"


def authenticate(server, session, envelope, mechanism, data):
    good = data.login == USER.encode() and data.password == PASSWORD.encode()
    return AuthResult(success=good, handled=False, auth_data=data.login.decode())


def context():
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERT, KEY)
    return tls


def new_server(handler, loop):
    tls = context() if MODE == "starttls" else None
    return SMTP(handler, loop=loop, hostname="mx.test", tls_context=tls,
                require_starttls=tls is not None, authenticator=authenticate,
                auth_required=True, auth_require_tls=MODE == "starttls")


async def main():
    loop, handler = asyncio.get_running_loop(), Handler()
    server = await loop.create_server(lambda: new_server(handler, loop), "127.0.0.1", int(PORT),
                                      ssl=context() if MODE == "smtps" else None)
    write("port", server.sockets[0].getsockname()[1])
    await server.serve_forever()


asyncio.run(main())
