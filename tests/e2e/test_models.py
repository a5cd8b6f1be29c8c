"""Trained models: kept, listed, shown, used, taken back, exported, measured, and what they predict."""
import csv
import html.parser
import io
import json
import math
import os
import re
import stat
import subprocess

from harness import check, equal, log_lines

GOLDEN = os.path.join(os.path.dirname(__file__), "..", "golden", "model")
ROWS = [["Record ID", "Country", "seats", "trial", "won"],
        ["r1", "DE", "12.5", "Yes", "1"],
        ["r2", "it", "", "no", "0"],
        ["a,\"b\"", "", "999", "perhaps", ""],
        ["r4", "fr ", "3", "true", "0"]]


def setup(world, running):
    world.configure(world.base())
    if running:
        world.start()
    else:
        run(world, "migrate")
    return model_files(world)


def run(world, *arguments, status=0):
    """A command with both of its outputs."""
    done = subprocess.run(world.prefix + [world.options.bin, "-c", world.config_path, *arguments],
                          capture_output=True, env=world.env, timeout=60, text=True)
    equal(done.returncode, status, f"exit status of {arguments}; {done.stdout} {done.stderr}")
    return done


def run_lines(world, *arguments):
    return [json.loads(line) for line in run(world, *arguments, "--json").stdout.splitlines()]


def model_files(world, file="m.json", **changes):
    with open(os.path.join(GOLDEN, "sidecar.json")) as f:
        sidecar = json.load(f)
    with open(os.path.join(GOLDEN, "trees.json")) as f:
        trees = f.read()
    sidecar.update(changes)
    path = os.path.join(world.folder, file)
    with open(path, "w") as f:
        f.write(trees)
    with open(path + ".sidecar.json", "w") as f:
        json.dump(sidecar, f)
    return path


def table(world, rows=ROWS, name="t.csv"):
    path = os.path.join(world.folder, name)
    with open(path, "w", newline="") as f:
        csv.writer(f).writerows(rows)
    return path


def models(world):
    return [(m["name"], m["version"], m["active"]) for m in world.run_json("model", "list")]


def kept_used_and_taken_back(world, running):
    path = setup(world, running)
    equal(models(world), [], "none yet")
    check("funneld model activate main:1" in run(world, "model", "import", path).stdout,
          "it says how to use it")
    equal(models(world), [("main", 1, False)], "kept")
    run(world, "model", "import", path, "--activate")
    run(world, "model", "import", path, "--name", "other")
    equal(models(world), [("other", 1, False), ("main", 2, True), ("main", 1, False)], "in use")
    check("other:1 is in use" in run(world, "model", "activate", "other").stdout, "says so")
    equal([m for m in models(world) if m[2]], [("other", 1, True)], "one at a time")
    check("main:2 is in use" in run(world, "model", "rollback").stdout, "back")
    check("rules alone" in run(world, "model", "rollback").stdout, "and back")
    check("could go back" in run(world, "model", "rollback", status=1).stderr, "to the end")
    check("no model nobody" in run(world, "model", "activate", "nobody", status=1).stderr, "missing")
    run(world, "model", "rollback", "--goal", "churn", status=1)
    equal([n for n in os.listdir(world.folder) if ".model-" in n or ".part" in n], [], "left behind")


def test_models_are_kept_used_and_taken_back_by_the_daemon(world):
    kept_used_and_taken_back(world, True)
    used = log_lines(world, "model.used")
    equal(len(used), 4, "in the log")
    equal((used[1]["name"], used[1]["reason"]), ("other", "activated"), "in the log")


def test_models_are_kept_used_and_taken_back_without_a_daemon(world):
    kept_used_and_taken_back(world, False)


def test_a_model_that_did_not_win_is_used_by_force_alone(world):
    setup(world, True)
    path = model_files(world, usable=False, verdict="no better than the base rate")
    out = run(world, "model", "import", path, "--activate")
    check("not in use: no better than the base rate" in out.stdout, out.stdout)
    equal(models(world), [("main", 1, False)], "kept")
    failed = run(world, "model", "activate", "main", status=1)
    check("no better than the base rate" in failed.stderr and "--force" in failed.stderr,
          failed.stderr)
    equal(models(world), [("main", 1, False)], "as before")
    run(world, "model", "activate", "main", "--force")
    equal(models(world), [("main", 1, True)], "by force")


def test_a_model_goes_out_and_comes_back_as_it_was(world):
    path = setup(world, False)
    run(world, "model", "import", path)
    out = os.path.join(world.folder, "out.json")
    run(world, "model", "export", "main:1", out)
    for end in ("", ".sidecar.json"):
        with open(path + end) as a, open(out + end) as b:
            equal(a.read(), b.read(), "the same text")
    run(world, "model", "import", out, "--name", "again")
    run(world, "model", "export", "nobody", out, status=1)


def test_a_report_goes_through_a_pipe_and_a_link_stays_one(world):
    run(world, "model", "import", setup(world, False))
    pipe, link, page = (os.path.join(world.folder, n) for n in ("pipe", "link", "page.html"))
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE, text=True)
    run(world, "model", "show", "--html", pipe)
    check("</html>" in reader.communicate(timeout=20)[0], "all of it came through")
    check(stat.S_ISFIFO(os.stat(pipe).st_mode), "it is a pipe still")
    with open(page, "w") as f:
        f.write("before")
    os.symlink(page, link)
    run(world, "model", "show", "--html", link)
    check(os.path.islink(link) and os.path.getsize(page) > 1000, "what it leads to was written")


def test_what_a_killed_command_left_is_swept(world):
    path = setup(world, True)
    world.stop()
    left = world.database + ".model-12345.trees"
    for name in (left, path + ".mine"):
        with open(name, "w") as f:
            f.write("{}")
    world.start()
    check(not os.path.exists(left), "it is gone")
    check(os.path.exists(path + ".mine"), "nothing else is")


def test_the_model_of_the_readme_is_one(world):
    setup(world, False)
    with open(os.path.join(os.path.dirname(__file__), "..", "..", "README.md")) as f:
        [sidecar] = re.findall(r'^```json\n(\{"format": "funneld-model".*?)^```$', f.read(), re.M | re.S)
    path = os.path.join(world.folder, "own.json")
    for name, text in ((path, ""), (path + ".sidecar.json", sidecar)):
        with open(name, "w") as f:
            f.write(text)
    run(world, "model", "import", path, "--activate")
    equal(models(world), [("by-hand", 1, True)], "in use")
    for key in json.loads(sidecar):
        with open(path + ".sidecar.json", "w") as f:
            json.dump({k: v for k, v in json.loads(sidecar).items() if k != key}, f)
        run(world, "model", "import", path, status=1)


def test_files_that_are_no_model_say_what_is_wrong(world):
    path = setup(world, True)
    for name, changes, says in (
            ("a", {"features": 9}, "\"features\""),
            ("b", {"samples": []}, "\"samples\""),
            ("c", {"platt": {"a": 2, "b": 0}}, "sample row 1: the model says"),
            ("d", {"share": 0}, "no share"),
            ("e", {"format": "pickle"}, "not one of a funneld model")):
        failed = run(world, "model", "import", model_files(world, name, **changes), status=1)
        check(says in failed.stderr, failed.stderr)
    with open(path, "r+") as f:
        f.truncate(1000)
    check("the trees" in run(world, "model", "import", path, status=1).stderr, "cut")
    os.remove(path + ".sidecar.json")
    check("sidecar.json" in run(world, "model", "import", path, status=1).stderr, "missing")
    equal(models(world), [], "nothing of it is kept")


def inputs(**changes):
    """The golden model's, some of them called otherwise."""
    with open(os.path.join(GOLDEN, "sidecar.json")) as f:
        found = json.load(f)["inputs"]
    return [dict(i, name=changes.get(i["name"], i["name"])) for i in found]


def test_a_model_about_things_that_no_lead_has_waits_to_be_chosen(world):
    path = setup(world, True)
    lead = table(world, [["email", "country"], ["ann@example.com", "DE"]], "lead.csv")
    renamed = os.path.join(world.folder, "map")
    with open(renamed, "w") as f:
        f.write("email = email\ncountry = country\n")
    out = run(world, "import", "--csv", lead, "--map", renamed)
    equal(len(world.run_json("leads")), 1, f"leads; {out.stdout} {out.stderr}")
    out = run(world, "model", "import", path)
    check("3 of its 5 inputs: seats, trial, signed_up" in out.stderr and "--map" in out.stderr, out.stderr)
    sample = os.path.join(os.path.dirname(__file__), "..", "data", "bank_sample.csv")
    out = run(world, "train", "--csv", sample, "--target", "y=yes:no", "--name", "bank")
    check("job" in out.stderr and "no lead has" in out.stderr, out.stderr)
    equal(models(world), [("bank", 1, False), ("main", 1, False)], "kept, not in use")
    failed = run(world, "model", "import",
                 model_files(world, "n.json", inputs=inputs(seats="@event.nothing")), status=1)
    check("@event.nothing" in failed.stderr, failed.stderr)
    later = run(world, "model", "import", model_files(world, "l.json", trained_at_ms=int(4e12)), status=1)
    check("future" in later.stderr, later.stderr)


def test_nothing_of_a_foreign_model_moves_the_terminal(world):
    setup(world, False)
    for n, changes in enumerate(({"verdict": "\x1b[2Jgone"}, {"kind": "\x9b2J"}, {"name": "\x1b]0;x\x07"},
                                 {"inputs": inputs(seats="\x1b[2J")})):
        failed = run(world, "model", "import", model_files(world, f"{n}.json", **changes), status=1)
        check("out of range" in failed.stderr, failed.stderr)
    asked = run(world, "model", "activate", "\x1b[2Jx", status=1)
    check("\x1b" not in asked.stderr and "?[2Jx" in asked.stderr, asked.stderr)


def test_rows_of_a_table_are_predicted(world):
    path = setup(world, False)
    run(world, "predict", "--csv", table(world), status=1)
    run(world, "model", "import", path)
    out = run(world, "predict", "--csv", table(world), "--id", "Record ID")
    check(out.stdout.startswith("id,probability\n"), "the header")
    rows = list(csv.reader(io.StringIO(out.stdout)))[1:]
    equal([r[0] for r in rows], ["r1", "r2", "a,\"b\"", "r4"], "ids")
    chances = [float(r[1]) for r in rows]
    check(all(0 < p < 1 for p in chances) and len(set(chances)) == 4, f"chances: {chances}")
    equal(out.stderr.count("\n"), 1, "what is missing is said once")
    check("lacks 2 of the model's 5 columns" in out.stderr and "signed_up" in out.stderr,
          out.stderr)
    numbered = run(world, "predict", "--csv", table(world), "--model", "main:1").stdout
    equal([r[0] for r in csv.reader(io.StringIO(numbered))][1:], ["1", "2", "3", "4"], "numbers")
    equal([float(r[1]) for r in list(csv.reader(io.StringIO(numbered)))[1:]], chances, "the same")
    failed = run(world, "predict", "--csv", table(world), "--id", "nope", status=2)
    check("no column nope" in failed.stderr, failed.stderr)
    run(world, "predict", "--csv", os.path.join(world.folder, "none.csv"), status=1)
    run(world, "predict", status=2)


def test_a_map_says_which_column_is_which_property(world):
    path = setup(world, False)
    run(world, "model", "import", path)
    plain = run(world, "predict", "--csv", table(world)).stdout
    renamed = [["Record ID", "Land", "Country", "trial", "won"]] + [
        [r[0], r[1], r[2], r[3], r[4]] for r in ROWS[1:]]
    mapped = os.path.join(world.folder, "map")
    with open(mapped, "w") as f:
        f.write("; of another CRM\nLand = country\nCountry = seats\n")
    file = table(world, renamed, "renamed.csv")
    equal(run(world, "predict", "--csv", file, "--map", mapped).stdout, plain, "by the map")
    check(run(world, "predict", "--csv", file).stdout != plain, "without it")
    with open(mapped, "a") as f:
        f.write("Nowhere = trial\n")
    failed = run(world, "predict", "--csv", file, "--map", mapped, status=2)
    check("line 4" in failed.stderr and "Nowhere" in failed.stderr, failed.stderr)


def test_a_table_is_learnt_and_foretold(world):
    setup(world, False)
    sample = os.path.join(os.path.dirname(__file__), "..", "data", "bank_sample.csv")
    with open(sample) as f:
        rows = list(csv.reader(f))
    run(world, "train", "--csv", sample, "--target", "y=yes:no", "--name", "bank")
    [(name, version, _)] = models(world)
    equal((name, version), ("bank", 1), "kept")
    predicted = list(csv.reader(io.StringIO(run(world, "predict", "--csv", sample).stdout)))
    equal(len(predicted), len(rows), "a line for each row")
    chances = [float(p) for _, p in predicted[1:]]
    outcomes = [r[rows[0].index("y")] == "yes" for r in rows[1:]]
    loss = -sum(math.log(p if y else 1 - p) for p, y in zip(chances, outcomes)) / len(outcomes)
    [found] = run_lines(world, "model", "evaluate", "--csv", sample, "--target", "y=yes:no")
    check(abs(found["log_loss"] - loss) < 1e-6, f"{found['log_loss']}, by hand {loss}")
    rate = sum(outcomes) / len(outcomes)
    check(loss < -rate * math.log(rate) - (1 - rate) * math.log(1 - rate), "better than the base")
    page = os.path.join(world.folder, "r.html")
    run(world, "model", "show", "bank", "--html", page)
    with open(page) as f:
        equal(Page(f.read()).open, [], "all tags are closed")


def test_the_active_model_predicts_unless_another_is_named(world):
    path = setup(world, False)
    run(world, "model", "import", path, "--activate")
    other = model_files(world, "o.json", name="other", usable=False,
                        **shifted(world))
    run(world, "model", "import", other)
    by_active = run(world, "predict", "--csv", table(world)).stdout
    equal(run(world, "predict", "--csv", table(world), "--model", "main").stdout, by_active, "active")
    check(run(world, "predict", "--csv", table(world), "--model", "other").stdout != by_active,
          "one that did not win predicts all the same")


def shifted(world):
    """The same model, whose log-odds are one higher: its sample rows say so."""
    with open(os.path.join(GOLDEN, "sidecar.json")) as f:
        sidecar = json.load(f)
    platt = dict(sidecar["platt"])
    platt["b"] += 1
    [sample] = sidecar["samples"]
    p = sample["probability"]
    odds = p / (1 - p) * math.e
    return {"platt": platt, "samples": [dict(sample, probability=odds / (1 + odds))]}


def test_a_model_is_measured_on_rows_whose_outcome_is_known(world):
    path = setup(world, False)
    run(world, "model", "import", path)
    [found] = world.run_json("model", "evaluate", "main", "--csv", table(world), "--target", "won=1")
    equal((found["rows"], found["positive"], found["left_out"]), (3, 1, 1), "rows")
    rows = list(csv.reader(io.StringIO(run(world, "predict", "--csv", table(world)).stdout)))[1:]
    chances = [float(r[1]) for r in rows]
    loss = -(math.log(chances[0]) + math.log(1 - chances[1]) + math.log(1 - chances[3])) / 3
    check(abs(found["log_loss"] - loss) < 1e-6, f"log loss {found['log_loss']}, by hand {loss}")
    better = (chances[0] > chances[1]) + (chances[0] > chances[3])
    equal(found["auc"], better / 2, "AUC")
    shown = run(world, "model", "evaluate", "--csv", table(world), "--target", "won=1:0").stdout
    for word in ("AUC", "PR AUC", "log loss", "Brier", "ECE", "lift", "a perfect model"):
        check(word in shown, f"{word} is not in {shown}")
    run(world, "model", "evaluate", "--csv", table(world), "--target", "won=7", status=0)
    run(world, "model", "evaluate", "--csv", table(world), "--target", "won", status=2)
    run(world, "model", "evaluate", "--csv", table(world), "--target", "lost=1", status=2)


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            check(name not in ("src", "href") and not name.startswith("on"), f"{tag} {name}")
            check(value is None or "nan" not in value, f"{tag} {name} {value}")
        if tag not in ("meta", "rect", "line", "circle", "polyline", "polygon", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        if self.open:
            equal(self.open.pop(), tag, "what ends")

    def handle_data(self, data):
        self.text += data


def test_a_report_is_shown_and_written_as_a_page(world):
    path = setup(world, False)
    run(world, "model", "import", path)
    shown = run(world, "model", "show", "main").stdout
    check(shown.startswith("main:1 - conversion within 90 days, not in use\n"), shown)
    check(max(map(len, shown.splitlines())) < 200, "lines stay short")
    check("bands = probability: about" in shown and "bands = quartile: about" in shown, shown)
    page_file = os.path.join(world.folder, "r.html")
    run(world, "model", "show", "--html", page_file)
    with open(page_file) as f:
        text = f.read()
    page = Page(text)
    equal(page.open, [], "all tags are closed")
    check("script" not in page.tags and "img" not in page.tags, "nothing runs, nothing is loaded")
    check(page.tags.count("figure") >= 7, f"charts: {page.tags.count('figure')}")
    check("<b>id</b>" in page.text, "a hostile name is text")
    check(not re.search(r"https?:|url\(|@import", text), "no other place")
    [sidecar] = [json.loads(run(world, "model", "show", "--json").stdout)]
    equal(sidecar["name"], "main", "JSON")
    run(world, "model", "show", "nobody", status=1)
    run(world, "model", "nonsense", status=2)
