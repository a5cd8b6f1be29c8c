"""tests/e2e/harness.py - runs the real binary and talks to it like its senders and services do.

Python, because the judge must not share code with the judged: HTTP, TLS, HMAC and JSON come from
another implementation. Everything stays on 127.0.0.1 and in a temporary folder per test.
"""
import atexit
import base64
import contextlib
import hashlib
import hmac
import http.client
import http.server
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

SECRET = "e2e-client-secret"
ZAPIER_SECRET = "e2e-zapier-secret"
PUBLIC_URL = "https://hooks.example.com"
PORTAL = 242711451

signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # on the way out all worlds are closed


class Failure(AssertionError):
    pass


class Late(Failure):
    """Something took too long, which a busy machine may be to blame for."""


def check(condition, message="check failed"):
    if not condition:
        raise Failure(message)


def in_time(condition, message):
    if not condition:
        raise Late(message)


def equal(got, want, what=""):
    if got != want:
        raise Failure(f"{what}: got {got!r}, want {want!r}")


def eventually(condition, timeout=10.0, what="condition"):
    """Polls until condition() is true and returns its value."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Late(f"{what} did not come true within {timeout} s")
        time.sleep(0.02)


_given, _giving = set(), threading.Lock()


def free_port():
    """Never one twice: whoever got it may not listen there yet."""
    with _giving:
        while True:
            with socket.socket() as s:
                s.bind(("127.0.0.1", 0))
                port = s.getsockname()[1]
            if port not in _given:
                _given.add(port)
                return port


def make_certificate(folder, name="tls", common_name="localhost"):
    """A self-signed certificate by the openssl command; returns (certificate, key)."""
    cert, key = os.path.join(folder, name + ".crt"), os.path.join(folder, name + ".key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", f"/CN={common_name}", "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    return cert, key


# HubSpot's signatures, written from its documentation

def sign_v3(body, method="POST", target="/webhooks/hubspot", timestamp=None, secret=SECRET):
    stamp = str(int(time.time() * 1000) if timestamp is None else timestamp)
    source = method.encode() + (PUBLIC_URL + target).encode() + body + stamp.encode()
    digest = hmac.new(secret.encode(), source, hashlib.sha256).digest()
    return {"X-HubSpot-Signature-v3": base64.b64encode(digest).decode(),
            "X-HubSpot-Request-Timestamp": stamp}


def sign_v2(body, method="POST", target="/webhooks/hubspot", secret=SECRET):
    source = secret.encode() + method.encode() + (PUBLIC_URL + target).encode() + body
    return {"X-HubSpot-Signature": hashlib.sha256(source).hexdigest(),
            "X-HubSpot-Signature-Version": "v2"}


def sign_v1(body, secret=SECRET):
    return {"X-HubSpot-Signature": hashlib.sha256(secret.encode() + body).hexdigest(),
            "X-HubSpot-Signature-Version": "v1"}


_event_ids = iter(range(1, 1 << 40))


def change(contact, name, value, at=None, **more):
    """One contact.propertyChange event."""
    event = {"eventId": next(_event_ids), "subscriptionId": 4578255, "portalId": PORTAL,
             "appId": 19635961, "occurredAt": int(time.time() * 1000) if at is None else at,
             "subscriptionType": "contact.propertyChange", "attemptNumber": 0,
             "objectId": contact, "propertyName": name, "propertyValue": value,
             "changeSource": "CRM_UI"}
    event.update(more)
    return event


def event(kind, contact, at=None, **more):
    """One event without a property, as contact.creation."""
    e = {"eventId": next(_event_ids), "subscriptionId": 1, "portalId": PORTAL, "appId": 1,
         "occurredAt": int(time.time() * 1000) if at is None else at, "subscriptionType": kind,
         "attemptNumber": 0, "changeSource": "CRM"}
    if contact is not None:
        e["objectId"] = contact
    e.update(more)
    return e


_certificate = None  # one is enough for all worlds


def copy_certificate(folder):
    """The same as make_certificate(folder), without the wait for new keys."""
    global _certificate
    if _certificate is None:
        with tempfile.TemporaryDirectory(prefix="funneld-e2e-") as once:
            _certificate = [open(path, "rb").read() for path in make_certificate(once)]
    paths = os.path.join(folder, "tls.crt"), os.path.join(folder, "tls.key")
    for path, content in zip(paths, _certificate):
        with open(path, "wb") as f:
            f.write(content)
    return paths


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Client:
    """One keep-alive connection."""

    def __init__(self, port, tls=True, ca=None, timeout=15):
        self.port, self.tls, self.ca, self.timeout = port, tls, ca, timeout
        self.connection = None

    def _connect(self):
        if self.tls:
            context = ssl.create_default_context(cafile=self.ca)
            return http.client.HTTPSConnection("localhost", self.port, timeout=self.timeout,
                                               context=context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)

    def request(self, method, target, body=b"", headers=None):
        if self.connection is None:
            self.connection = self._connect()
        try:
            self.connection.putrequest(method, target)
            fields = dict(headers or {})
            if body is not None and method != "GET" and "Transfer-Encoding" not in fields:
                fields.setdefault("Content-Length", str(len(body)))
            for name, value in fields.items():
                for one in value if isinstance(value, list) else [value]:
                    self.connection.putheader(name, one)
            self.connection.endheaders(body if body and method != "GET" else None)
            r = self.connection.getresponse()
            return Answer(r.status, r.headers, r.read())
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None


class Process:
    """A child of ours, ended only by its own id."""

    def __init__(self, argv, log, env=None):
        self.log_path = log
        self.log = open(log, "ab")
        self.child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=self.log, env=env)

    def signal(self, number):
        self.child.send_signal(number)

    def wait(self, timeout=20):
        try:
            return self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Late("the process did not end in time") from None

    def kill(self):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        self.log.close()
        self.child.stdout.close()

    def logged(self):
        with open(self.log_path, "rb") as f:
            return f.read().decode("utf-8", "replace")


_credentials = None  # of Google's service account; a new key takes a while


def copy_credentials(binary, folder):
    global _credentials
    path = os.path.join(folder, "service-account.json")
    if _credentials is None:
        subprocess.run([binary, "--make-credentials", path], check=True, capture_output=True)
        with open(path, "rb") as f:
            _credentials = f.read()
    with open(path, "wb") as f:
        f.write(_credentials)
    return path


class Sandbox(Process):
    """The stand-ins for Slack, Notion, Google and HubSpot's CRM."""

    def __init__(self, binary, folder):
        self.credentials = copy_credentials(binary, folder)
        super().__init__([binary, "--port", "0", "--credentials", self.credentials],
                         os.path.join(folder, "sandbox.log"))
        line = self.child.stdout.readline().decode()
        if not line.startswith("listening on "):
            raise Failure(f"the sandbox said {line!r}: {self.logged()}")
        self.port = int(line.split()[-1])
        self.url = f"http://127.0.0.1:{self.port}"

    def ask(self, method, path, value=None):
        body = b"" if value is None else json.dumps(value).encode()
        client = Client(self.port, tls=False)
        answer = client.request(method, path, body, {"Content-Type": "application/json"})
        client.close()
        check(answer.status == 200, f"sandbox {path}: {answer.status} {answer.body!r}")
        return json.loads(answer.body) if answer.body else None

    def state(self):
        return self.ask("GET", "/_sandbox/state")

    def fail(self, **how):
        self.ask("POST", "/_sandbox/fail", how)

    def contacts(self, contacts):
        self.ask("POST", "/_sandbox/contacts", contacts)

    def objects(self, objects):
        self.ask("POST", "/_sandbox/objects", objects)


class World:
    """A folder, a certificate, a configuration, a daemon, a sandbox."""

    def __init__(self, options):
        self.options = options
        self._folder = tempfile.TemporaryDirectory(prefix="funneld-e2e-")
        self.folder = self._folder.name
        atexit.register(self.close)  # before the folder's own end
        self.config_path = os.path.join(self.folder, "funneld.conf")
        self.database = os.path.join(self.folder, "funneld.db")
        self.port, self.admin_port = free_port(), free_port()
        self.daemon = None
        self.sandbox = None
        self.prefix = []  # what runs the binary, such as nsenter
        self.cert, self.key = copy_certificate(self.folder)
        self.env = dict(os.environ, HUBSPOT_CLIENT_SECRET=SECRET, ZAPIER_WEBHOOK_SECRET=ZAPIER_SECRET)
        self.env.pop("PORT", None)
        self.starts = 0

    # configuration

    def base(self, tls=True, server="", store="", hubspot=""):
        tls_lines = f"tls_cert = {self.cert}\ntls_key = {self.key}\n" if tls else ""
        self.tls = tls
        return f"""[server]
listen = 127.0.0.1:{self.port}
public_url = {PUBLIC_URL}
{tls_lines}{server}
[admin]
listen = 127.0.0.1:{self.admin_port}
[store]
path = {self.database}
{store}
[log]
level = debug
[source hubspot]
type = hubspot
path = /webhooks/hubspot
secret = ${{HUBSPOT_CLIENT_SECRET}}
{hubspot}
[source zapier]
type = zapier
path = /webhooks/zapier
secret = ${{ZAPIER_WEBHOOK_SECRET}}
[score]
warm = 20
hot = 50
[rule demo-request]
when = event.property == "demo_requested" and event.value == "true"
points = 60
half_life = 30d
[rule vip]
when = lead.jobtitle contains "director"
points = 15
"""

    def connectors(self, settle="1s", backoff="50ms", more=""):
        s = self.sandbox
        common = f"settle = {settle}\nbackoff = {backoff}\nbackoff_max = 1s\ntimeout = 2s\nrate = 1000/s\n{more}"
        return f"""[connector crm]
type = hubspot
token = pat-sandbox
url = {s.url}
{common}
[connector slack]
type = slack
token = xoxb-sandbox
channel = C0123456789
url = {s.url}
{common}
[connector book]
type = notion
token = ntn_sandbox
database = 668d797c76fa49349b05ad288df2d136
url = {s.url}
{common}
[connector log]
type = google_sheets
credentials = file:{s.credentials}
token_url = {s.url}/token
spreadsheet = 1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms
range = Leads!A:H
url = {s.url}
{common}
"""

    def configure(self, text):
        with open(self.config_path, "w") as f:
            f.write(text)

    # processes

    def start_sandbox(self):
        self.sandbox = Sandbox(self.options.sandbox, self.folder)
        return self.sandbox

    def start(self, ready=True):
        self.starts += 1
        argv = self.prefix + self.options.wrapper + [self.options.bin, "-c", self.config_path, "serve"]
        self.daemon = Process(argv, os.path.join(self.folder, f"daemon-{self.starts}.log"), self.env)
        if ready:
            self.wait_ready()
        return self.daemon

    def wait_ready(self, timeout=30):
        def ready():
            if self.daemon.child.poll() is not None:
                raise Failure(f"funneld ended at start: {self.daemon.logged()[-3000:]}")
            with contextlib.suppress(OSError, http.client.HTTPException):
                return self.admin("/readyz").status == 200
        eventually(ready, timeout, "funneld is ready")

    def stop(self, timeout=20):
        self.daemon.signal(signal.SIGTERM)
        status = self.daemon.wait(timeout)
        equal(status, 0, f"exit status at SIGTERM; log: {self.daemon.logged()[-3000:]}")
        self.daemon.kill()

    def kill(self):
        self.daemon.signal(signal.SIGKILL)
        self.daemon.child.wait()
        self.daemon.kill()

    # talking to it

    def client(self, **how):
        return Client(self.port, tls=self.tls, ca=self.cert, **how)

    def admin(self, path, headers=None):
        client = Client(self.admin_port, tls=False)
        try:
            return client.request("GET", path, headers=headers)
        finally:
            client.close()

    def metric(self, name, /, **labels):
        """The value of one series, None when there is none."""
        want = {f'{k}="{v}"' for k, v in labels.items()}
        for line in self.admin("/metrics").body.decode().splitlines():
            if line.startswith("#"):
                continue
            series, value = line.rsplit(" ", 1)
            base, _, rest = series.partition("{")
            if base == name and want == set(filter(None, rest.rstrip("}").split(","))):
                return float(value)
        return None

    def post(self, events, client=None, headers=None, path="/webhooks/hubspot"):
        body = json.dumps(events).encode()
        own = client or self.client()
        fields = {"Content-Type": "application/json", **(headers or sign_v3(body, target=path))}
        try:
            return own.request("POST", path, body, fields)
        finally:
            if client is None:
                own.close()

    def run(self, *arguments, status=0, stdin=None):
        """A command of the binary; returns its output."""
        done = subprocess.run(self.prefix + [self.options.bin, "-c", self.config_path, *arguments],
                              capture_output=True, env=self.env, timeout=60, input=stdin)
        equal(done.returncode, status,
              f"exit status of {arguments}; {done.stdout.decode()} {done.stderr.decode()}")
        return done.stdout.decode()

    def run_json(self, *arguments):
        return [json.loads(line) for line in self.run(*arguments, "--json").splitlines()]

    def all_done(self, timeout=20):
        """Every delivery is final."""
        def done():
            return not self.run_json("deliveries", "--state", "pending", "--limit", "1")
        eventually(done, timeout, "every delivery is final")

    def close(self):
        atexit.unregister(self.close)
        for process in (self.daemon, self.sandbox):
            if process:
                process.kill()
        self._folder.cleanup()


# A small stand-in for Slack, for tests about the daemon rather than about Slack

class _SinkHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits for the client's delayed ACK

    def log_message(self, *_):
        pass

    def reply(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.sink.post(self, body)

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        self.server.sink.history(self, query)


class _SinkServer(http.server.ThreadingHTTPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, *arguments):
        self.open = set()
        super().__init__(*arguments)

    def process_request(self, request, client_address):
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self.open.discard(request)
        super().shutdown_request(request)

    def close_connections(self):
        for connection in list(self.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request, client_address):
        """A daemon that was killed leaves half requests and closed sockets behind."""
        if not isinstance(sys.exc_info()[1], (OSError, json.JSONDecodeError)):
            super().handle_error(request, client_address)


class Sink:
    """chat.postMessage and conversations.history in this process. Down until start()."""

    def __init__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.lock = threading.Lock()
        self.messages = []    # every message that was taken, oldest first
        self.asked = 0        # posts that came in, whatever became of them
        self.error = None     # a code that every post is refused with
        self.released = threading.Event()  # clear: posts get no answer
        self.released.set()
        self.server = None

    def start(self):
        self.server = _SinkServer(("127.0.0.1", self.port), _SinkHandler)
        self.server.sink = self
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self):
        self.released.set()
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server.close_connections()  # else kept ones would go on being served
        self.server = None

    def hang(self):
        """From now on a post is read and never answered."""
        self.released.clear()

    def recover(self):
        """Posts are answered again; those that hang are closed without a word."""
        self.released.set()

    def post(self, handler, body):
        with self.lock:
            self.asked += 1
            number = self.asked
        if not self.released.is_set():
            self.released.wait()
            handler.close_connection = True
            return
        if self.error:
            handler.reply({"ok": False, "error": self.error})
            return
        ts = f"{time.time():.3f}{number % 1000:03d}"
        with self.lock:
            self.messages.append({"ts": ts, "text": body.get("text", ""),
                                  "metadata": body["metadata"], "body": body})
        handler.reply({"ok": True, "channel": body["channel"], "ts": ts})

    def history(self, handler, query):
        start = int(query.get("cursor", ["0"])[0])
        limit = int(query["limit"][0])
        with self.lock:
            newest_first = self.messages[::-1]
        page = [{k: m[k] for k in ("ts", "text", "metadata")}
                for m in newest_first[start:start + limit]]
        more = start + limit < len(newest_first)
        handler.reply({"ok": True, "messages": page, "has_more": more,
                       "response_metadata": {"next_cursor": str(start + limit) if more else ""}})

    def deliveries(self):
        """The delivery id of each message, oldest first."""
        with self.lock:
            return [m["metadata"]["event_payload"]["delivery"] for m in self.messages]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def slack_lines(sink, more=""):
    """A connector `slack` that posts to the sink."""
    return f"""[connector slack]
type = slack
token = xoxb-sandbox
channel = C0123456789
url = {sink.url}
settle = 200ms
backoff = 50ms
backoff_max = 400ms
timeout = 2s
rate = 10000/s
{more}
"""


HOT_TO_SLACK = """[route hot-lead]
when = score >= 50 and score.previous < 50
to = slack
"""


def demo(contact, at=None, **more):
    """The event that makes a contact hot: one delivery by HOT_TO_SLACK."""
    return change(contact, "demo_requested", "true", at, **more)


# Below HTTP

def raw_connection(world, timeout=15):
    """A connected socket, TLS where the world has it."""
    s = socket.create_connection(("127.0.0.1", world.port), timeout)
    if not world.tls:
        return s
    context = ssl.create_default_context(cafile=world.cert)
    return context.wrap_socket(s, server_hostname="localhost")


def raw_head(method="POST", target="/webhooks/hubspot", fields=()):
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in (fields.items() if fields else ())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def raw_answer(s):
    """The next answer on a socket; None when it was closed without one."""
    answer = http.client.HTTPResponse(s)
    try:
        answer.begin()
        return Answer(answer.status, answer.headers, answer.read())
    except (http.client.BadStatusLine, ConnectionError, ssl.SSLEOFError):
        return None


def closed_within(s, seconds):
    """Whether the other side closes within that time; what it sends before is read away."""
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            s.settimeout(max(0.01, end - time.monotonic()))
            if not s.recv(65536):
                return True
    except socket.timeout:
        return False
    except OSError:
        return True
    return False


def errors_of(world, *arguments):
    """(exit status, standard error) of a command that fails; it prints no answer."""
    done = subprocess.run([world.options.bin, "-c", world.config_path, *arguments],
                          capture_output=True, env=world.env, timeout=60)
    equal(done.stdout, b"", f"standard output of {arguments}")
    return done.returncode, done.stderr.decode()


def stored(world, *arguments):
    """Every event, oldest first."""
    return world.run_json("events", "--limit", "10000000", *arguments)[::-1]


def log_lines(world, ev):
    """The daemon's log lines with this ev=, as dictionaries."""
    lines = []
    for line in world.daemon.logged().splitlines():
        fields = dict(re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)', line))
        if fields.get("ev") == ev:
            lines.append({k: v.strip('"') for k, v in fields.items()})
    return lines


def series(world):
    """Every series of /metrics: {'name{a="b"}': value}."""
    all_of_them = {}
    for line in world.admin("/metrics").body.decode().splitlines():
        if line and not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            check(name not in all_of_them, f"{name} stands twice in /metrics")
            all_of_them[name] = float(value)
    return all_of_them


def integrity(database):
    """What SQLite's own check says about a copy of the database as it lies there."""
    with tempfile.TemporaryDirectory(prefix="funneld-e2e-copy-") as folder:
        for suffix in ("", "-wal"):
            if os.path.exists(database + suffix):
                shutil.copy(database + suffix, os.path.join(folder, "copy.db" + suffix))
        connection = sqlite3.connect(os.path.join(folder, "copy.db"))
        try:
            return [row[0] for row in connection.execute("PRAGMA integrity_check")]
        finally:
            connection.close()


def in_threads(functions):
    """Runs them at once; returns their values, raises the first failure."""
    results, failures = [None] * len(functions), []

    def work(i):
        try:
            results[i] = functions[i]()
        except BaseException as e:
            failures.append(e)
    threads = [threading.Thread(target=work, args=(i,), daemon=True)
               for i in range(len(functions))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failures:
        raise failures[0]
    return results
