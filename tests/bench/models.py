"""tests/bench/models.py - what a model in use costs: an event, an explanation, all leads anew.

The model is a blend as training makes it for a large set (300 trees of depth 6 beside a logistic
regression), with random splits; one for each of the two goals.
"""
import json
import math
import os
import random
import re
import struct

from bed import Daemon, answer_of, eventually, number, row, title

TREES, DEPTH = 300, 6
PROPERTIES = ("hs_analytics_num_page_views", "lifecyclestage", "jobtitle", "demo_requested")
KINDS = ("hs_analytics_num_page_views", "hs_email_last_open_date", "lifecyclestage",
         "demo_requested")
RULES = ("demo-request", "page-views", "opened")
RATE, CLIENTS, SECONDS = 5_000, 256, 6


def inputs():
    names = list(PROPERTIES) + ["@fit", "@engagement", "@age.days"]
    for kind in KINDS:
        names += [f"@event.{kind}.count.{w}" for w in ("7d", "30d", "90d")] + [f"@event.{kind}.days"]
    for rule in RULES:
        names += [f"@rule.{rule}.count.30d", f"@rule.{rule}.days"]
    return names


def single(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def tree(number_of, n):
    """A full one: node i has children 2i + 1 and 2i + 2."""
    nodes, inner = 2 ** (DEPTH + 1) - 1, 2 ** DEPTH - 1
    leaf = [i >= inner for i in range(nodes)]
    return {
        "base_weights": [0] * nodes, "categories": [], "categories_nodes": [],
        "categories_segments": [], "categories_sizes": [],
        "default_left": [0 if end else random.randrange(2) for end in leaf], "id": number_of,
        "left_children": [-1 if end else 2 * i + 1 for i, end in enumerate(leaf)],
        "right_children": [-1 if end else 2 * i + 2 for i, end in enumerate(leaf)],
        "parents": [2147483647] + [(i - 1) // 2 for i in range(1, nodes)],
        "loss_changes": [0] * nodes, "split_type": [0] * nodes,
        "split_indices": [0 if end else random.randrange(n) for end in leaf],
        "split_conditions": [single(random.uniform(-0.02, 0.02) if end else random.uniform(0, 10))
                             for end in leaf],
        "sum_hessian": [1000.0 / 2 ** (i + 1).bit_length() for i in range(nodes)],
        "tree_param": {"num_deleted": "0", "num_feature": str(n), "num_nodes": str(nodes),
                       "size_leaf_vector": "0"},
    }


def missing_margin(trees):
    """Of a row that has nothing, added up in single precision as it is walked."""
    sum_of = 0.0
    for t in trees:
        i = 0
        while t["left_children"][i] >= 0:
            i = t["left_children"][i] if t["default_left"][i] else t["right_children"][i]
        sum_of = single(sum_of + t["split_conditions"][i])
    return sum_of


def write_model(folder, goal, name):
    names = inputs()
    n = len(names)
    random.seed(name)
    trees = [tree(i, n) for i in range(TREES)]
    weights = [random.uniform(-0.02, 0.02) for _ in names]
    margin = 0.5 * missing_margin(trees)
    sidecar = {
        "format": "funneld-model", "version": 1, "name": name, "goal": goal, "horizon_ms": 0,
        "trained_at_ms": 1772366400000, "seed": "1", "usable": True, "kind": "blend",
        "verdict": "made for the bench", "rows": 100000, "positive": 50000, "base_rate": 0.5,
        "inputs": [{"name": name, "kind": "number", "sentinels": [], "edges": [],
                    "shares": [1, 0], "weight": 0.1} for name in names],
        "features": n, "base_log_odds": 0,
        "logistic": {"bias": 0, "weight": weights, "mean": [0] * n, "scale": [1] * n,
                     "missing": [0] * n, "low": [None] * n, "high": [None] * n},
        "share": 0.5, "platt": {"a": 1, "b": 0}, "quartiles": [0.2, 0.5, 0.8],
        "samples": [{"at_ms": 0, "cells": [None] * n, "probability": 1 / (1 + math.exp(-margin))}],
    }
    model = {"learner": {
        "attributes": {}, "feature_names": [], "feature_types": [],
        "gradient_booster": {"name": "gbtree", "model": {
            "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": str(TREES),
                                   "size_leaf_vector": "0"},
            "tree_info": [0] * TREES, "trees": trees}},
        "learner_model_param": {"base_score": "5E-1", "boost_from_average": "0", "num_class": "0",
                                "num_feature": str(n), "num_target": "1"},
        "objective": {"name": "binary:logistic", "reg_loss_param": {"scale_pos_weight": "1"}}},
        "version": [1, 7, 0]}
    path = os.path.join(folder, f"{name}.json")
    for where, what in ((path, model), (path + ".sidecar.json", sidecar)):
        with open(where, "w") as f:
            json.dump(what, f)
    return path


def rounds_done(daemon):
    return re.findall(r"ev=rescore\.done leads=(\d+) changed=(\d+) ms=(\d+)", daemon.process.logged())


def swapped(daemon, path):
    """All leads anew, by a model that nobody knows yet."""
    before = len(rounds_done(daemon))
    daemon.command("model", "import", path, "--activate")
    return lambda: eventually(lambda: len(rounds_done(daemon)) > before, 600, "all leads rescored")


def last_round(daemon):
    leads, _, took = map(int, rounds_done(daemon)[-1])
    return {"rate": leads * 1000 / max(1, took), "leads": leads}


def measure_intake(bench, daemon):
    return daemon.measure(CLIENTS, RATE * SECONDS, rate=RATE, contacts=bench.options.leads)


def measure_rescoring(bench, daemon, paths):
    """Each time by another model, so that every lead is another and has to be written."""
    bench.note("intake at rest", measure_intake(bench, daemon))
    wait = swapped(daemon, paths[1])
    bench.note("intake while rescoring", measure_intake(bench, daemon))
    wait()
    bench.note("rescoring beside intake", last_round(daemon))
    swapped(daemon, paths[0])()
    bench.note("rescoring", last_round(daemon))


def run(bench):
    paths = [write_model(bench.folder, "conversion", name) for name in ("one", "other")]
    churn = write_model(bench.folder, "churn", "churn")
    plain, asked = Daemon(bench, "rules"), Daemon(bench, "models")  # nobody is told anything
    for daemon in (plain, asked):
        daemon.fill(bench.options.leads, contacts=bench.options.leads)
    for path in (paths[0], churn):
        swapped(asked, path)()
    for _ in bench.rounds("models"):
        for name, daemon in (("batches, rules", plain), ("batches, models", asked)):
            result = daemon.measure_batches(2 * bench.options.requests,
                                            contacts=bench.options.leads)
            bench.note(name, dict(result, us=1e6 / result["event_rate"]))
        bench.note("intake, rules alone", measure_intake(bench, plain))
        measure_rescoring(bench, asked, paths)
        bench.note("explain", answer_of([bench.tool("explain"), paths[0],
                                         paths[0] + ".sidecar.json"]))
    report(bench)
    plain.stop()
    asked.stop()


def report(bench):
    title(f"Two models of {TREES} trees of depth {DEPTH} and {len(inputs())} inputs; "
          f"{number(bench.median('rescoring', 'leads'))} leads, {bench.options.leads:,} events "
          "before the rounds")
    adds = bench.median("batches, models", "us") - bench.median("batches, rules", "us")
    row("batches by rules, events", bench, "batches, rules", key="event_rate")
    row("batches by rules and both models", bench, "batches, models",
        f"both models add {adds:.1f} us to an event", key="event_rate")
    row("one probability", bench, "explain", key="probability_us", unit=" us")
    row("its reasons in words", bench, "explain", key="explain_us", unit=" us")
    for text, name in (("leads looked at again", "rescoring"),
                       ("the same, from before intake to after", "rescoring beside intake")):
        row(text, bench, name, f"a million in {1e6 / bench.median(name):.0f} s")
    row(f"intake at {RATE:,}/s by rules", bench, "intake, rules alone")
    row("the same by rules and both models", bench, "intake at rest")
    row("the same while leads are looked at again", bench, "intake while rescoring")
