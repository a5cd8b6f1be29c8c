"""No secret leaves the process: every one is a canary, and every output is searched for it."""
import base64
import http.server
import json
import os
import secrets
import signal
import subprocess
import threading
import time

from harness import Client, check, demo, equal, eventually, sign_v3

KINDS = ("hubspot", "previous", "zapier", "admin", "slack", "webhook", "notion", "crm",
         "hooks", "address", "header", "catch")


class Echo(http.server.BaseHTTPRequestHandler):
    """A service that fails and gives back all that it was sent, in every field of its error."""
    status = 400

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        said = f"{self.path} {dict(self.headers)} {body}"
        answer = json.dumps({"ok": False, "error": said, "message": said, "code": said,
                             "error_description": said, "status": "error", "object": "error",
                             "category": said}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_PATCH = do_PUT = do_POST


def service_account(world):
    key = subprocess.run(["openssl", "genrsa", "2048"], capture_output=True, check=True).stdout
    return {"type": "service_account", "client_email": "a@b.iam.gserviceaccount.com",
            "private_key": key.decode(), "private_key_id": "1", "project_id": "p",
            "token_uri": "https://oauth2.googleapis.com/token"}


def configuration(world, canary, account, url):
    return (world.base(tls=False).replace("${HUBSPOT_CLIENT_SECRET}", canary["hubspot"] +
                                          f"\nsecret_previous = {canary['previous']}")
            .replace("${ZAPIER_WEBHOOK_SECRET}", canary["zapier"])
            .replace("[server]", f"[server]\nhooks_token = {canary['hooks']}")
            .replace("[store]", f"token = {canary['admin']}\n[store]") + f"""
[connector any]
type = http
url = {url}/in/{canary['address']}
secret = {canary['signing']}
header.Authorization = Bearer {canary['header']}
header.X-Key = {canary['header']}
rate = 100/s
backoff = 10ms
backoff_max = 50ms
[connector zap]
type = zapier
url = {url}/hooks/catch/1/{canary['catch']}/
rate = 100/s
backoff = 10ms
backoff_max = 50ms
[connector subscribers]
type = rest_hooks
[connector crm]
type = hubspot
url = {url}
token = {canary['crm']}
[connector bot]
type = slack
url = {url}
token = {canary['slack']}
channel = C0123456789
rate = 100/s
backoff = 10ms
backoff_max = 50ms
[connector hook]
type = slack
webhook = {url}/services/{canary['webhook']}
rate = 100/s
backoff = 10ms
backoff_max = 50ms
[connector book]
type = notion
url = {url}
token = {canary['notion']}
database = 668d797c76fa49349b05ad288df2d136
rate = 100/s
backoff = 10ms
backoff_max = 50ms
[connector log]
type = google_sheets
url = {url}
token_url = {url}/token
credentials = file:{account}
spreadsheet = 1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms
rate = 100/s
backoff = 10ms
backoff_max = 50ms
[rule demo]
when = event.property == "demo_requested"
points = 90
[route hot]
when = score >= 80
to = bot, hook, book, log, any, zap, subscribers
""")


def everything_said(world, token, readable=True):
    """Whatever the daemon and its commands print, answer or write."""
    said = []
    for arguments in (["check"], ["check", "--json"], ["check", "--online"],
                      ["check", "--online", "--json"], ["status"], ["status", "--json"],
                      ["version"], ["events"], ["leads"], ["deliveries", "--json"]):
        done = subprocess.run([world.options.bin, "-c", world.config_path, *arguments],
                              capture_output=True, env=world.env, timeout=30)
        said += [done.stdout, done.stderr]
    for kind in ("events", "deliveries") if readable else ():
        for row in world.run_json(kind, "--limit", "100"):
            said.append(world.run(kind, "show", row["id"]).encode())
            said.append(world.run(kind, "show", row["id"], "--json").encode())
    for path in ("/livez", "/readyz", "/healthz", "/metrics"):
        for headers in ({"Authorization": "Bearer " + token}, {}, {"Authorization": "Bearer x"}):
            said.append(world.admin(path, headers).body)
    return said


def written(world):
    files = [os.path.join(world.folder, name) for name in os.listdir(world.folder)
             if name.startswith("funneld.db") or name.endswith(".log")]
    return [open(path, "rb").read() for path in files if os.path.isfile(path)]


def forms(secret):
    """As it is, and as base64 would carry it."""
    return [secret.encode()] + [base64.b64encode(b"x" * pad + secret.encode())[4:-4]
                                for pad in range(3)]


def test_no_secret_is_in_anything_that_is_printed_answered_or_stored(world):
    canary = {kind: f"canary-{kind}-{secrets.token_hex(16)}" for kind in KINDS}
    canary["signing"] = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    account, account_path = service_account(world), os.path.join(world.folder, "account.json")
    with open(account_path, "w") as f:
        json.dump(account, f)
    sought = [(kind, form) for kind, secret in canary.items() for form in forms(secret)]
    sought += [("key", line.encode()) for line in account["private_key"].splitlines()[1:-1]]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.status = 400
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        world.configure(configuration(world, canary, account_path,
                                      f"http://127.0.0.1:{server.server_address[1]}"))
        world.start(ready=False)  # who asks must have the token
        eventually(lambda: "ev=start " in world.daemon.logged(), what="the start")
        answers = []
        for n, status in enumerate((400, 404, 500, 401, 429)):
            server.status = status
            body = json.dumps([demo(n + 1)]).encode()
            answers.append(send(world, body, canary["hubspot"]))
            equal(answers[-1].status, 200, "answer")
            time.sleep(1)
        eventually(lambda: tried(world) >= {"crm", "bot", "hook", "book", "log", "any", "zap"}, 20,
                   "all were tried")
        answers += hooks_asked(world, canary["hooks"])
        answers += [send(world, b"[]", "wrong"), send(world, b"{", canary["hubspot"])]
        said = everything_said(world, canary["admin"])
        world.daemon.signal(signal.SIGHUP)
        world.daemon.signal(signal.SIGUSR1)
        with open(world.config_path, "a") as f:  # typing errors beside secrets
            f.write(f"[connector odd]\ntype = http\nurl = {canary['address']}\nheader.Host = "
                    f"{canary['header']}\nsecret = {canary['signing'][:-4]}\nsecret_previous = "
                    f"{canary['hooks']}\n[connector worse]\ntype = zapier\nurl = ftp://"
                    f"{canary['catch']}\nheader.X = {canary['header']}\n")
            f.write(f"[connector typo]\ntype = slack\ntokne = {canary['slack']}\n"
                    f"webhook = ftp://{canary['webhook']}\nchannel = \n"
                    f"[source odd]\ntype = hubspot\nsecret = {canary['zapier']} ; {canary['crm']}\n")
        said += everything_said(world, canary["admin"], readable=False)
        world.daemon.signal(signal.SIGHUP)
        eventually(lambda: "config.rejected" in world.daemon.logged(), what="the reload")
        world.stop()
        said += [a.body for a in answers] + written(world)
        for kind, form in sought:
            for text in said:
                at = text.find(form)
                check(at < 0, f"the secret of {kind}: ...{text[max(0, at - 200):at + 100]!r}")
    finally:
        server.shutdown()
        server.server_close()


def send(world, body, secret):
    client = Client(world.port, tls=False)
    try:
        return client.request("POST", "/webhooks/hubspot", body,
                              {"Content-Type": "application/json", **sign_v3(body, secret=secret)})
    finally:
        client.close()


def hooks_asked(world, token):
    client = Client(world.port, tls=False)
    good = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        return [client.request(method, path, b"{", headers) for headers in (good, {}, {
            "X-Api-Key": token + "x"}) for method, path in (("POST", "/hooks"),
                                                            ("DELETE", "/hooks/" + "x" * 9),
                                                            ("GET", "/hooks/sample"))]
    finally:
        client.close()


def tried(world):
    return {d["connector"] for d in world.run_json("deliveries") if d["attempts"]}


def test_the_running_daemon_is_confined_and_leaves_no_core(world):
    world.configure(world.base(tls=False))
    world.start()
    pid = world.daemon.child.pid
    with open(f"/proc/{pid}/status") as f:
        status = dict(line.split(":\t", 1) for line in f.read().splitlines())
    equal((status["Seccomp"], status["NoNewPrivs"]), ("2", "1"), "filter")
    with open(f"/proc/{pid}/limits") as f:
        core = next(line for line in f if line.startswith("Max core file size"))
    equal(core.split()[4:6], ["0", "0"], "core")
    world.stop()
    world.configure(world.base(tls=False, server="confine = no"))
    world.start()
    with open(f"/proc/{world.daemon.child.pid}/status") as f:
        check("Seccomp:\t0" in f.read(), "the switch")
    world.stop()


def test_a_configuration_that_others_can_read_or_write_is_told(world):
    world.configure(world.base(tls=False).replace("${HUBSPOT_CLIENT_SECRET}", "written-out-at-length"))
    os.chmod(world.config_path, 0o644)
    done = subprocess.run([world.options.bin, "-c", world.config_path, "check"],
                          capture_output=True, env=world.env, timeout=30)
    equal(done.returncode, 0, "it works")
    check(b"can read" in done.stderr and b"written-out" not in done.stderr, done.stderr)
    world.start()
    check("config.exposed" in world.daemon.logged(), "and the log says so")
    world.stop()
    os.chmod(world.config_path, 0o640)
    done = subprocess.run([world.options.bin, "-c", world.config_path, "check"],
                          capture_output=True, env=world.env, timeout=30)
    equal(done.stderr, b"", "nobody else can")
    os.chmod(world.config_path, 0o646)
    done = subprocess.run([world.options.bin, "-c", world.config_path, "check"],
                          capture_output=True, env=world.env, timeout=30)
    equal(done.returncode, 2, "anybody could change where leads go")
    check(b"can write" in done.stderr, done.stderr)


def test_a_secret_that_can_be_guessed_is_told(world):
    world.env["HUBSPOT_CLIENT_SECRET"] = "hunter2"
    world.configure(world.base(tls=False))
    done = subprocess.run([world.options.bin, "-c", world.config_path, "check"],
                          capture_output=True, env=world.env, timeout=30)
    equal(done.returncode, 0, "it works")
    check(b"`secret` of [source hubspot]" in done.stderr and b"hunter2" not in done.stderr,
          done.stderr)
    world.start()
    check("config.guessable" in world.daemon.logged(), "and the log says so")
    check("hunter2" not in world.daemon.logged(), "but not which it is")
    world.stop()
