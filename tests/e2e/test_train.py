"""Trained from a table to served: what the bank's people of before say of those of now."""
import csv
import io
import os
import random
import signal
import subprocess
import time

from harness import check, equal, eventually

DATA = os.path.join(os.path.dirname(__file__), "..", "data")
PAST, NOW = os.path.join(DATA, "bank_past.csv"), os.path.join(DATA, "bank_sample.csv")
MAP = "campaign = calls\npoutcome = last_outcome\npdays = @ignore\n; and so on\n"
TRAIN = ["--csv", PAST, "--target", "y=yes:no", "--name", "bank"]


def ready(world):
    world.configure(world.base())
    world.run("migrate")


def map_file(world, text=MAP):
    path = os.path.join(world.folder, "bank.map")
    with open(path, "w") as f:
        f.write(text)
    return path


def predicted(world, *arguments):
    rows = csv.DictReader(io.StringIO(world.run("predict", "--csv", NOW, *arguments)))
    return [float(r["probability"]) for r in rows]


def better_than_chance(probabilities):
    """Of a pair of somebody who subscribed and somebody who did not, how often the first has more."""
    with open(NOW, newline="") as f:
        outcomes = [r["y"] == "yes" for r in csv.DictReader(f)]
    yes = [p for p, y in zip(probabilities, outcomes) if y]
    no = [p for p, y in zip(probabilities, outcomes) if not y]
    pairs = [(a > b) + 0.5 * (a == b) for a in yes for b in no]
    return sum(pairs) / len(pairs)


def test_people_of_before_say_something_of_those_of_now(world):
    ready(world)
    shown = world.run("train", *TRAIN)
    check("beat the base rate" in shown, f"it says that it won: {shown[:300]}")
    check("in use for conversion" in shown, f"it is used: {shown[-300:]}")
    found = predicted(world)
    equal(len(found), 400, "rows predicted")
    check(better_than_chance(found) > 0.65, f"AUC {better_than_chance(found):.3f}")


def test_the_same_table_gives_the_same_bytes(world):
    ready(world)
    texts = []
    for _ in range(2):
        world.run("train", *TRAIN)
        path = os.path.join(world.folder, "out.json")
        world.run("model", "export", "bank", path)
        with open(path, "rb") as f:
            texts.append(f.read())
    check(texts[0] == texts[1] and len(texts[0]) > 100, "the same trees")


def test_a_map_gives_columns_the_names_that_leads_have(world):
    ready(world)
    world.run("train", *TRAIN, "--map", map_file(world))
    shown = world.run("model", "show", "bank")
    check("calls" in shown and "last_outcome" in shown, f"mapped names are inputs: {shown}")
    check("poutcome" not in shown and "pdays" not in shown, f"the others are not: {shown}")
    with_map, without = predicted(world, "--map", map_file(world)), predicted(world)
    check(with_map != without, "without the map a table lacks what the model calls by other names")
    check(better_than_chance(with_map) > 0.65, f"AUC {better_than_chance(with_map):.3f}")


def test_two_columns_of_one_name_are_refused(world):
    ready(world)
    path = map_file(world, "poutcome = job\n")
    done = subprocess.run([world.options.bin, "-c", world.config_path, "train", *TRAIN, "--map",
                           path], capture_output=True, env=world.env, text=True, timeout=60)
    equal(done.returncode, 2, "exit status")
    check("would both be job" in done.stderr, done.stderr)


def repeated(world, leads, rows):
    """Deals that stand there several times, with outcomes by the toss of a coin."""
    chance = random.Random(7)
    path = os.path.join(world.folder, "deals.csv")
    with open(path, "w", newline="") as f:
        table = csv.writer(f)
        table.writerow(["deal", "amount", "score", "won"])
        for lead in range(leads):
            values = [f"d{lead}", chance.randrange(10 ** 6) / 100, chance.random()]
            won = chance.choice(["yes", "no"])
            for _ in range(rows):
                table.writerow([*values, won])
    return path


def test_rows_of_one_id_do_not_tell_each_others_outcome(world):
    ready(world)
    done = subprocess.run([world.options.bin, "-c", world.config_path, "train", "--csv",
                           repeated(world, 300, 4), "--target", "won=yes:no", "--id", "deal",
                           "--name", "deals"], capture_output=True, env=world.env, text=True,
                          timeout=120)
    equal(done.returncode, 0, f"exit status: {done.stderr}")
    check("1200 rows of 300 ids" in done.stderr, f"it says that ids repeat: {done.stderr}")
    check("no better than the base rate" in done.stdout, f"nothing is learnt: {done.stdout[:600]}")


def refused(world, *arguments):
    done = subprocess.run([world.options.bin, "-c", world.config_path, "train", "--csv", PAST,
                           *arguments], capture_output=True, env=world.env, text=True, timeout=60)
    check(done.returncode != 0, f"it is refused: {done.stdout[:200]}")
    return done.stderr


def test_what_is_mistyped_is_said_before_any_work(world):
    ready(world)
    said = refused(world, "--target", "y=Ja")
    check('no row\'s y is "Ja"; it has' in said and "yes" in said, said)
    check('no row\'s y is "nein"' in refused(world, "--target", "y=yes:nein"), "the other value")
    check("colon" in refused(world, "--target", "y=yes", "--name", "a:b"), "a name with a colon")
    many = ",".join(f"c{i}" for i in range(1001))
    check("more than 1000" in refused(world, "--target", "y=yes", "--exclude", many), "names")


def test_a_training_that_is_killed_changes_nothing(world):
    ready(world)
    world.run("train", *TRAIN)
    before = world.run_json("model", "list")
    for end in (signal.SIGKILL, signal.SIGINT):
        at_work = subprocess.Popen([world.options.bin, "-c", world.config_path, "train", *TRAIN],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env=world.env)
        time.sleep(0.5)
        at_work.send_signal(end)
        check(at_work.wait(timeout=10) != 0, f"it ended by {end}")
        equal(world.run_json("model", "list"), before, "models")
    equal(len(predicted(world)), 400, "and the one in use still predicts")


def test_training_while_the_daemon_runs_puts_the_model_to_work(world):
    world.configure(world.base())
    world.start()
    world.run("train", *TRAIN)
    eventually(lambda: world.metric("funneld_model_info", name="bank", version="1") == 1,
               what="the metric of the model")
    threads = os.listdir(f"/proc/{world.daemon.child.pid}/task")
    names = [open(f"/proc/{world.daemon.child.pid}/task/{t}/comm").read() for t in threads]
    check(len(threads) < 12, f"no pool of threads has grown: {names}")
