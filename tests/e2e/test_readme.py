"""README.md: its commands run, its configuration is correct, and it names only what there is.

Above every ```sh block stands a comment that says how it is tried: `<!-- test: run -->` is run here,
`read` needs root, another machine or minutes, so its words are checked only, `config` is for the
configuration of the README. Every ```ini block is part of one configuration, in their order;
`<!-- test: instead -->` marks one that takes the place of the section of the same name.
"""
import os
import re
import shlex
import shutil
import subprocess

from harness import check, equal
from services import slow

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BLOCK = re.compile(r"^(?:<!-- test: (\w+) -->\n)?```(\w+)\n(.*?)^```$", re.M | re.S)
PATH = re.compile(r"(?<![\w./])(?:src|include|tests|config|migrations)/[\w./-]*\w")
VENDORS = {"client_email", "object_not_found", "channel_not_found", "event_id", "event_type",
           "occurred_at", "demo_requested", "hs_object_id", "target_url", "rest_hooks",
           "missing_scope", "not_in_channel", "is_archived", "invalid_auth", "token_revoked",
           "no_service", "message_not_found", "restricted_action", "users_not_found",
           "account_inactive", "not_a_fit", "restricted_resource", "missing_version",
           "invalid_request_url", "rate_limited", "validation_error", "disabled_client"}


def readme():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as f:
        return f.read()


def blocks(language):
    """(how it is tried, text) of each block in this language."""
    return [(how, text) for how, lang, text in BLOCK.findall(readme()) if lang == language]


def spans():
    """Everything in `code type` outside of blocks."""
    prose = BLOCK.sub("", readme())
    return [s.replace("\n", " ") for s in re.findall(r"`([^`]+)`", prose)]


def commands():
    """Each command line as words, those of `code type` included."""
    lines = [line for _, text in blocks("sh") for line in text.replace("\\\n", " ").splitlines()]
    for line in lines + spans():
        for command in re.split(r"\s+\|\s+", line):
            if re.match(r"(sudo |docker |make\b|(\S*/)?funneld )", command):
                yield shlex.split(command)


def make_run_configuration(world):
    """What `make run` writes, on ports of this test."""
    with open(os.path.join(ROOT, "tests", "check", "run.sh"), encoding="utf-8") as f:
        text = re.search(r"<<CONF\n(.*?)^CONF$", f.read(), re.M | re.S).group(1)
    text = text.replace("\\$", "$").replace("$folder", world.folder)
    text = text.replace("127.0.0.1:8443", f"127.0.0.1:{world.port}")
    text = text.replace("http://127.0.0.1:8450", world.sandbox.url)
    return text + f"[admin]\nlisten = 127.0.0.1:{world.admin_port}\n"


def in_this_world(world, text):
    text = text.replace("build/funneld", shlex.quote(os.path.abspath(world.options.bin)))
    text = text.replace("build/run/funneld.conf", shlex.quote(world.config_path))
    text = text.replace("build/run/", shlex.quote(world.folder) + "/")
    return text.replace("127.0.0.1:8444", f"127.0.0.1:{world.admin_port}")


def run_block(world, text):
    done = subprocess.run(["bash", "-eo", "pipefail", "-c", in_this_world(world, text)], cwd=ROOT,
                          env=world.env, capture_output=True, text=True, timeout=60)
    equal(done.returncode, 0, f"exit status of\n{text}{done.stdout}{done.stderr}")
    return done.stdout


def test_every_block_of_commands_says_how_it_is_tried(world):
    for how, text in blocks("sh"):
        check(how in ("run", "read", "config"), f"no <!-- test: ... --> above\n{text}")
    check(any(how == "run" for how, _ in blocks("sh")), "some are run")


def test_commands_run_as_written(world):
    world.tls = False
    world.env["HUBSPOT_CLIENT_SECRET"] = "local-secret"
    world.start_sandbox()
    world.configure(make_run_configuration(world))
    world.start()
    outputs = [run_block(world, text) for how, text in blocks("sh") if how == "run"]
    check('{"accepted":1,"duplicates":0,"unprocessable":0,' in outputs[0], outputs[0])
    check("demo" in outputs[1] and "85" in outputs[1], f"the score: {outputs[1]}")
    world.stop()


@slow
def test_the_demo_holds(world):
    options = world.options
    done = subprocess.run(["/usr/bin/python3", os.path.join(ROOT, "tests", "demo", "demo.py"), "--bin",
                           options.bin, "--sandbox", options.sandbox],
                          capture_output=True, text=True, timeout=120)
    equal(done.returncode, 0, f"exit status of the demo: {done.stdout[-1500:]} {done.stderr[-1500:]}")
    check("All of it held." in done.stdout, done.stdout[-500:])


def sections(text):
    """[kind name] and what follows, in order."""
    return re.findall(r"^(\[[^\]]+\]\n)(.*?)(?=^\[|\Z)", text, re.M | re.S)


def with_instead(text, other):
    replaced = dict(sections(other))
    check(all(head in dict(sections(text)) for head in replaced), "it replaces a section")
    return "".join(head + replaced.get(head, body) for head, body in sections(text))


def in_this_folder(world, text):
    shutil.copy(world.cert, os.path.join(world.folder, "fullchain.pem"))
    shutil.copy(world.key, os.path.join(world.folder, "privkey.pem"))
    for there in ("/etc/funneld/tls/", "/etc/funneld/", "/var/lib/funneld/"):
        text = text.replace(there, world.folder + "/")
    return text


def test_configuration_is_correct(world):
    world.start_sandbox()
    whole = "".join(text for how, text in blocks("ini") if how != "instead")
    others = [text for how, text in blocks("ini") if how == "instead"]
    for name in re.findall(r"\$\{(\w+)\}", whole + "".join(others)):
        world.env[name] = "made-up-for-a-test"
    world.env["SIGNUPS_WEBHOOK_SECRET"] = "whsec_wCwLll4COr7oCPK1SNjVGTqLUim+bzEhpvFuLUGkSbM="
    world.env["SLACK_WEBHOOK_URL"] = "https://hooks.slack.com/services/T00000000/B00000000/made-up"
    world.env["ZAPIER_HOOK_URL"] = "https://hooks.zapier.com/hooks/catch/1234567/made-up/"
    world.env["WAREHOUSE_URL"] = "https://warehouse.example.com/leads"
    world.env["WAREHOUSE_SECRET"] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    with open(world.sandbox.credentials, encoding="utf-8") as f:
        world.env["GOOGLE_SHEETS_KEY"] = f.read()
    for text in [whole] + [with_instead(whole, other) for other in others]:
        world.configure(in_this_folder(world, text))
        answer = world.run_json("check")[0]
        equal((answer["ok"], answer["problems"]), (True, []), "check")


def test_secrets_may_be_credentials_of_systemd(world):
    in_file = set(re.findall(r"file:\$\{CREDENTIALS_DIRECTORY\}/([a-z-]+)", readme()))
    check(in_file, "README.md tells how the unit's credentials are read")
    world.env["CREDENTIALS_DIRECTORY"] = world.folder
    for name in in_file:
        with open(os.path.join(world.folder, name), "w", encoding="utf-8") as f:
            f.write("made-up-for-a-test\n")
        world.configure("[server]\npublic_url = https://hooks.example.com\n[source hubspot]\n"
                        f"type = hubspot\nsecret = file:${{CREDENTIALS_DIRECTORY}}/{name}\n")
        equal(world.run_json("check")[0]["problems"], [], name)


def test_files_and_targets_exist(world):
    text = readme()
    named = set(PATH.findall(text)) | {t for t in re.findall(r"\]\(([^)#]+)\)", text)
                                       if "://" not in t}
    for path in sorted(named):
        check(os.path.exists(os.path.join(ROOT, path)), f"README.md names {path}: it is not there")
    with open(os.path.join(ROOT, "Makefile"), encoding="utf-8") as f:
        targets = set(" ".join(re.findall(r"^\.PHONY:(.*)$", f.read(), re.M)).split())
    for words in commands():
        if words[0] == "make":
            check({w for w in words[1:] if "=" not in w} <= targets, f"{words}: no such target")


def funneld_words(words):
    """Behind the program's name: `docker exec NAME funneld status` -> [status]."""
    if words[:2] == ["docker", "exec"] or words[:2] == ["sudo", "env"]:
        words = words[3:]
    if not words or os.path.basename(words[0]) != "funneld":
        return None
    words = words[1:]
    return words[2:] if words[:1] == ["-c"] else words


def test_commands_and_options_exist(world):
    known = world.run("--help")
    seen = 0
    for words in commands():
        rest = funneld_words(words)
        if not rest or rest[0].startswith("-"):
            continue
        seen += 1
        check(re.search(rf"^  {re.escape(rest[0])} ", known, re.M), f"{words}: no such command")
        help_text = world.run(rest[0], "--help")
        for word in rest[1:]:
            if word.startswith("--"):
                check(f"{word} " in help_text or f"{word}\n" in help_text,
                      f"{words}: no such option")
    check(seen > 10, f"only {seen} commands were found")


def test_keys_and_metrics_exist(world):
    reference = world.run("check", "--reference")
    keys = set(re.findall(r"^;?(property\.|[a-z_]+).* = ", reference, re.M))
    with open(os.path.join(ROOT, "include/funneld/observe/metrics.h"), encoding="utf-8") as f:
        metrics = set(re.findall(r'"(funneld_\w+)"', f.read()))
    properties = set()
    for path in ("include/funneld/lead/feedback.h", "src/connectors/hubspot.c"):
        with open(os.path.join(ROOT, path), encoding="utf-8") as f:
            properties |= set(re.findall(r'"(funneld_\w+)"', f.read()))
    for span in spans():
        key = re.match(r"(property\.|[a-z_]+).* = ", span)
        if key:
            check(key[1] in keys, f"`{span}`: no such key")
        elif span.startswith("funneld_"):
            check(span in metrics | properties, f"`{span}`: no such metric or property")
        elif re.fullmatch(r"[a-z]+(_[a-z]+)+", span) and span not in VENDORS:
            check(span in keys, f"`{span}`: neither a key nor a word of a vendor")
        elif re.fullmatch(r"\[[a-z]+( NAME)?\]", span):
            check(f"\n[{span[1:-1].split()[0]}" in reference, f"`{span}`: no such section")
    named = " ".join(spans())
    for metric in metrics:
        check(metric in named, f"README.md does not name the metric {metric}")
