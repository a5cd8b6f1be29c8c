"""Models in use are looked after while the daemon runs: what they promised, held against what came."""
import json
import os
import random
import time

import test_train_store
from harness import check, equal, eventually, log_lines

DAY_MS = 86400000
OFTEN = "\n[model]\ncheck_every = 1s\n"


def model_of_products(world):
    """Learnt from a table in which three in four of the products 0 to 3 are won, of the others one;
    and it says that this was 400 days ago."""
    draw = random.Random(1)
    path = os.path.join(world.folder, "past.csv")
    with open(path, "w") as f:
        f.write("product,won\n")
        for _ in range(600):
            product = draw.randrange(7)
            f.write(f"product {product},{int(draw.random() < (0.75 if product < 4 else 0.25))}\n")
    world.run("train", "--csv", path, "--target", "won=1:0", "--name", "products")
    world.run("model", "export", "products", os.path.join(world.folder, "m.json"))
    with open(os.path.join(world.folder, "m.json.sidecar.json")) as f:
        sidecar = json.load(f)
    sidecar.update(trained_at_ms=int(time.time() * 1000) - 400 * DAY_MS)
    with open(os.path.join(world.folder, "m.json.sidecar.json"), "w") as f:
        json.dump(sidecar, f)
    world.run("model", "import", os.path.join(world.folder, "m.json"), "--name", "old")


def as_learnt(product):
    return 0.75 if product < 4 else 0.25


def reversed_(product):
    return 0.1 if product < 4 else 0.9


def ready(world, wins, settings=OFTEN):
    """A store with deals of 500 days, a model of before they were, and the daemon."""
    test_train_store.take_over(world, wins)
    with open(world.config_path, "a") as f:
        f.write(settings)
    model_of_products(world)
    world.run("model", "activate", "old")
    world.start()


def active(world):
    return [f"{m['name']}:{m['version']}" for m in world.run_json("model", "list") if m["active"]]


def test_a_model_that_promises_too_much_and_helps_is_watched(world):
    """The table said what came at all, the goal asks for what comes in 60 days."""
    ready(world, as_learnt)
    seen = eventually(lambda: log_lines(world, "model.drifts"), timeout=20, what="a look at the model")
    check("better than the rate alone" in seen[0]["reason"], seen[0])
    equal(active(world), ["old:1"], "in use")
    equal(world.metric("funneld_model_drift", name="old"), 2, "metric: watch it")
    check(world.metric("funneld_model_matured_leads", name="old") > 1000, "leads whose time is over")
    promised, came = (world.metric(f"funneld_model_{what}_ratio", name="old")
                      for what in ("predicted", "observed"))
    check(0 < came < promised < 1, f"promised {promised}, came {came}")


def test_a_model_of_the_store_itself_holds(world):
    test_train_store.take_over(world, as_learnt)
    with open(world.config_path, "a") as f:
        f.write(OFTEN)
    world.run("train", "--name", "own")
    world.start()
    eventually(lambda: log_lines(world, "model.holds"), timeout=20, what="a look at the model")
    equal(active(world), ["own:1"], "in use")
    equal(world.metric("funneld_model_drift", name="own"), 1, "metric: it holds")


def test_a_model_that_is_worse_than_none_is_taken_out(world):
    ready(world, reversed_)
    changed = eventually(lambda: log_lines(world, "model.changed"), timeout=20,
                         what="another model, or none")
    equal(changed[0]["goal"], "conversion", "of which goal")
    check("worse than none" in changed[0]["reason"], changed[0])
    # the one before it learnt the same, and would have done no better
    equal(active(world), [], "in use")
    equal(world.metric("funneld_model_drift", name="old"), 3, "metric: worse than none")
    eventually(lambda: world.run_json("leads", "--limit", "1")[0]["probability"] is None,
               what="a lead without a probability")


def test_a_challenger_takes_over_where_that_is_wanted(world):
    ready(world, reversed_, OFTEN + "on_drift = retrain\n")
    eventually(lambda: log_lines(world, "model.changed"), timeout=60, what="another model")
    equal(active(world), ["old:2"], "in use")
    check("it takes over" in log_lines(world, "model.contest")[0]["reason"], "the contest")
    eventually(lambda: world.metric("funneld_model_info", name="old", version="2") == 1,
               what="the challenger serves")


def test_only_a_warning_where_that_is_wanted(world):
    ready(world, reversed_, OFTEN + "on_drift = warn\n")
    eventually(lambda: len(log_lines(world, "model.drifts")) > 1, timeout=20, what="two warnings")
    equal(active(world), ["old:1"], "in use")
    equal(log_lines(world, "model.changed"), [], "changes")


def test_no_thread_of_a_library_is_left_by_training(world):
    ready(world, reversed_, OFTEN + "on_drift = retrain\n")
    eventually(lambda: log_lines(world, "model.changed"), timeout=60, what="another model")
    tasks = f"/proc/{world.daemon.child.pid}/task"
    with open(f"/proc/{world.daemon.child.pid}/maps") as f:
        check("libxgboost" in f.read(), "XGBoost was opened in the daemon")
    check(len(os.listdir(tasks)) <= 8, f"threads: {sorted(os.listdir(tasks))}")


def test_the_daemon_stops_while_a_challenger_is_trained(world):
    ready(world, as_learnt, OFTEN + "retrain = 1s\n")
    time.sleep(1.3)
    began = time.monotonic()
    world.stop()
    check(time.monotonic() - began < 6, "it stopped in time")
