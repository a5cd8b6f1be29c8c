"""tests/demo/foreseen.py - the model of the demo: what it learns from, and what came of its word."""
import os
import textwrap
import time

import people
import screen
from harness import check
from screen import chapter, explain, say


def learn(world):
    table = os.path.join(world.folder, "past.csv")
    n = people.past(table)
    chapter(2, "It learns", f"from {n} other people of the bank, whose answer is known")
    say("funneld train --csv past.csv --target subscribed=yes:no", "bold")
    began = time.monotonic()
    report = world.run("train", "--csv", table, "--target", "subscribed=yes:no", "--name", "bank")
    took = time.monotonic() - began
    verdict = report.split("\n\n")[1]
    check("beat the base rate" in verdict, f"the model won: {verdict}")
    check("in use for conversion" in report, f"and is used: {report[-200:]}")
    for text in textwrap.wrap(verdict, 84):
        say(text)
    say(f"learnt in {took:.1f} s, and in use: each event now says how likely its lead subscribes")
    explain("What it cannot know: the answers of before are of other years, with other rates.")


def against_what_came(crowd, leads):
    """What it said of each, who was not among those that it learnt from."""
    chance = {p.id: leads[str(p.id)]["probability"] for p in crowd}
    by_chance = sorted(crowd, key=lambda p: chance[p.id])
    quarter, shares = len(crowd) // 4, []
    say("")
    say("By the model, which was not told either: a quarter each, the least likely first", "bold")
    for k in range(4):
        some = by_chance[k * quarter:(k + 1) * quarter]
        told = sum(chance[p.id] for p in some) / len(some)
        shares.append(sum(p.subscribed for p in some) / len(some))
        say(f"said {told:4.1f} %    won {shares[-1]:4.0%}    {screen.bar(shares[-1], 40)}")
    check(shares[3] > 2 * shares[0], f"the likeliest quarter is won more often: {shares}")


def of_score(score):
    """The part of each input, as `funneld score` has it."""
    model, = score["models"]
    chance = model["probability"]
    say(f"{chance:6.1f} %  likely to subscribe, by the model {model['name']}:{model['version']}:",
        "bold")
    parts = sorted(model["parts"], key=lambda p: -abs(p["points"]))[:5]
    screen.table(["Points", "Input", "Value"],
                 [[f"{p['points']:+.1f}", p["input"], str(p["value"])] for p in parts],
                 [7, 28, 30], (0,))
