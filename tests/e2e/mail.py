"""tests/e2e/mail.py - the mail server of a test: mailserver.py, and what it took."""
import email
import email.policy
import glob
import json
import os

from harness import Process, eventually, make_certificate

USER, PASSWORD = "leads@example.com", "s3cret pass word"
HERE = os.path.dirname(os.path.abspath(__file__))


class MailServer(Process):
    def __init__(self, world, mode="starttls", port=0):
        self.folder = os.path.join(world.folder, f"mail-{mode}-{port}")
        os.mkdir(self.folder)
        self.ca, key = (os.path.join(world.folder, "mail." + e) for e in ("crt", "key"))
        if not os.path.exists(self.ca) or mode == "smtps":
            self.ca, key = make_certificate(self.folder if mode == "smtps" else world.folder, "mail")
        super().__init__(["/usr/bin/python3", os.path.join(HERE, "mailserver.py"), self.folder, mode,
                          self.ca, key, USER, PASSWORD, str(port)],
                         os.path.join(self.folder, "log"))
        port = os.path.join(self.folder, "port")
        eventually(lambda: os.path.exists(port), 20, "the mail server's port")
        with open(port) as f:
            self.port = int(f.read())
        self.url = f"{'smtps' if mode == 'smtps' else 'smtp'}://127.0.0.1:{self.port}"

    def plan(self, *steps):
        path = os.path.join(self.folder, "plan.json")
        with open(path + ".test", "w") as f:
            json.dump([dict(zip(("at", "reply", "to"), s)) for s in steps], f)
        os.rename(path + ".test", path)

    def mails(self):
        """What was taken, oldest first."""
        paths = glob.glob(os.path.join(self.folder, "[0-9]*.json"))
        return [json.load(open(p)) for p in sorted(paths, key=lambda p: int(p.split("/")[-1][:-5]))]

    def to(self):
        return [m["to"][0] for m in self.mails()]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


def parsed(mail):
    return email.message_from_string(mail["raw"], policy=email.policy.default)


def part(message, kind):
    return message.get_body((kind,)).get_content().replace("\r\n", "\n")
