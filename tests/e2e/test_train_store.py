"""From files of a CRM to a trained model: imported twice, as it began and as it ended."""
import random
import subprocess
from datetime import datetime, timedelta, timezone

from harness import check, equal
from services import text_of
from test_import import by_file, write

GOAL = """[goal conversion]
when = lead.stage == "won"
horizon = 60d
"""
BEGAN = "Deal = email\nEngaged = @at\nAgent = agent\nProduct = product\nStage = stage\nClosed = @ignore\n"
ENDED = "Deal = email\nClosed = @at\nStage = stage\nAgent = @ignore\nProduct = @ignore\nEngaged = @ignore\n"
HEADER = "Deal,Agent,Product,Engaged,Closed,Stage\n"


def deals(n, wins):
    """As a CRM exports them: those still open have no close date."""
    draw = random.Random(7)
    today = datetime.now(timezone.utc)
    began, ended = [], []
    for i in range(n):
        product = draw.randrange(7)
        engaged = today - timedelta(days=draw.randrange(1, 500))
        closed = engaged + timedelta(hours=draw.randrange(30, 120 * 24))
        open_ = closed > today
        stage = "open" if open_ else "won" if draw.random() < wins(product) else "lost"
        row = (f"d{i}@example.com,agent {draw.randrange(30)},product {product},"
               f"{engaged:%Y-%m-%d},{'' if open_ else f'{closed:%Y-%m-%d %H:%M}'}")
        began.append(f"{row},open\n")
        ended.append(f"{row},{stage}\n")
    return HEADER + "".join(began), HEADER + "".join(ended)


def take_over(world, wins, n=1500):
    world.configure(text_of(world, "log", GOAL))
    began, ended = deals(n, wins)
    equal(by_file(world, began, BEGAN, name="began.csv")["fresh"], n, "began")
    got = by_file(world, ended, ENDED, name="ended.csv")
    check(got["without_time"] > 50 and got["fresh"] + got["without_time"] == n, got)
    return got


def train(world, *arguments, status=0):
    done = subprocess.run([world.options.bin, "-c", world.config_path, "train", *arguments],
                          env=world.env, capture_output=True, timeout=120)
    equal(done.returncode, status, done.stderr.decode())
    return done.stdout.decode(), done.stderr.decode()


def test_what_nothing_foretells_is_not_claimed(world):
    take_over(world, lambda product: 0.6)
    out, said = train(world)
    check("no better than the base rate" in out, out)
    check("is not known yet" in said and "left out stage: the goal itself is told by it" in said,
          said)


def test_what_something_foretells_is_found(world):
    take_over(world, lambda product: 0.75 if product < 4 else 0.25)
    out, _ = train(world, "--horizon", "60d", "--name", "deals")
    check("product" in out and "no better than the base rate" not in out, out)
    models = world.run_json("model", "list")
    equal((models[0]["name"], models[0]["active"]), ("deals", True), "in use")


def test_a_past_that_is_too_short_is_said(world):
    world.configure(text_of(world, "log", GOAL))
    by_file(world, "E\nada@example.com\n", "E = email\n", name="one.csv")
    _, said = train(world, status=1)
    check("no rows whose outcome is known" in said and "all events of a file" in said, said)
    train(world, "--goal", "churn", status=2)
    train(world, "--horizon", "soon", status=2)
    train(world, "--target", "a=b", status=2)
