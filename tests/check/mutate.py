"""tests/check/mutate.py - breaks the code in one place at a time and looks whether a test sees it.

    python3 tests/check/mutate.py [--mutants N] [--seed S] [FILE...]

For each module named below: every comparison, connective, sign, bound and condition is changed, one
at a time; the file is compiled again, linked in front of the library, and the module's tests are
run, with AddressSanitizer and UBSan, which are tests as well. A mutant that no test notices has survived and is printed. MUTANTS = 0 tries all of them, else
a sample drawn by the seed. Exit status 1 below the share that must be killed.
"""
import argparse
import collections
import concurrent.futures
import os
import random
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build", "address+undefined")
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
WANTED = 0.90
SECONDS = 60  # of one test program; a loop without end counts as seen

PIPELINE = ["pipeline_events", "pipeline_fate", "pipeline_groups", "pipeline_identity",
            "pipeline_life",
            "pipeline_order", "pipeline_outputs", "pipeline_random", "pipeline_scores"]
DELIVERER = ["deliverer", "deliverer_doubt", "deliverer_life", "deliverer_chaos"]
EXPRESSIONS = ["expr", "scorecard", "scorecard_build", "route"]
MODULES = {
    "src/ingest/hubspot_signature.c": ["hubspot_signature", "hubspot"],
    "src/ingest/hubspot_verify.c": ["hubspot_signature", "hubspot"],
    "src/score/expr.c": EXPRESSIONS,
    "src/score/expr_name.c": EXPRESSIONS,
    "src/score/expr_parse.c": EXPRESSIONS,
    "src/score/expr_problem.c": EXPRESSIONS,
    "src/score/expr_scan.c": EXPRESSIONS,
    "src/pipeline/event.c": PIPELINE,
    "src/pipeline/identity.c": PIPELINE,
    "src/pipeline/outputs.c": PIPELINE,
    "src/pipeline/verdict.c": PIPELINE,
    "src/pipeline/writer.c": PIPELINE,
    "src/deliver/dueq.c": ["dueq"] + DELIVERER,
    "src/deliver/verdict.c": DELIVERER,
    "src/connectors/slack_judge.c": ["slack", "slack_verdicts"],
    "src/connectors/notion_judge.c": ["notion", "notion_verdicts"],
    "src/connectors/google_judge.c": ["google_sheets"],
}

# What is found, and what it becomes.
SWAPS = [
    (r"==", ["!="]), (r"!=", ["=="]), (r"<=", ["<", ">"]), (r">=", [">", "<"]),
    (r"(?<![<\-])<(?![<=])", ["<="]), (r"(?<![>\-])>(?![>=])", [">="]),
    (r"&&", ["||"]), (r"\|\|", ["&&"]),
    (r" \+ ", [" - "]), (r" - ", [" + "]), (r" \* ", [" + "]),
    (r"\+\+", ["--"]), (r" \+= ", [" -= "]), (r" -= ", [" += "]), (r" \|= ", [" &= "]),
    (r"(?<=return )true\b", ["false"]), (r"(?<=return )false\b", ["true"]),
    (r"\bRC_OK\b", ["RC_IO"]), (r"(?<![\w.{])0(?![\w.])", ["1"]), (r"(?<![\w.])1(?![\w.])", ["2"]),
    (r"(?<=if \()(?!\!)", ["!"]), (r"(?<=while \()(?!\!)", ["!"]), (r"!(?=[\w(*])", [""]),
]

Mutant = collections.namedtuple("Mutant", "path line text")


def code_of(line):
    """The part of a line that is code: no comment, no text."""
    blank = re.sub(r'"(\\.|[^"\\])*"', lambda m: '"' + " " * (len(m[0]) - 2) + '"', line)
    blank = re.sub(r"'(\\.|[^'\\])'", lambda m: " " * len(m[0]), blank)
    return re.sub(r"/\*.*?\*/", lambda m: " " * len(m[0]), blank)


def is_code(lines):
    """For each line, whether it stands in a function or a table, outside of comments."""
    inside, comment = False, False
    for line in lines:
        starts = line.lstrip()
        if comment or starts.startswith("/*"):
            comment = "*/" not in line
            yield False
            continue
        if line.startswith("{") or line.rstrip().endswith("= {"):
            inside = True
        yield inside and not starts.startswith("#") and "assert(" not in line
        if line.startswith("}"):
            inside = False


def mutants_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        lines = f.read().splitlines()
    for number, (line, code) in enumerate(zip(lines, is_code(lines))):
        if not code:
            continue
        seen = code_of(line)
        for pattern, becomes in SWAPS:
            for match in re.finditer(pattern, seen):
                for new in becomes:
                    changed = line[:match.start()] + new + line[match.end():]
                    if pattern.startswith("(?<=if") or pattern.startswith("(?<=while"):
                        changed = negated(line, match.start())
                    if changed and changed != line:
                        yield Mutant(path, number, changed)


def negated(line, at):
    """The condition that begins at `at`, if it ends in this line, in brackets behind a `!`."""
    depth = 1
    for i in range(at, len(line)):
        depth += {"(": 1, ")": -1}.get(line[i], 0)
        if depth == 0:
            return f"{line[:at]}!({line[at:i]}){line[i:]}"
    return None


def flags(path):
    return [*SANITIZE, "-std=gnu17", "-O1", "-g0", "-w", "-fPIE", "-pthread", "-D_GNU_SOURCE",
            "-DFUNNELD_VERSION=\"0\"", "-I" + os.path.join(ROOT, "include"),
            "-I" + os.path.join(BUILD, "gen"), "-I" + os.path.dirname(os.path.join(ROOT, path))]


def libraries():
    return ("-lmicrohttpd -lgnutls -lcurl -lcjson -lsqlite3 -lssl -lcrypto -linih -lm "
            "-lcmocka").split()


def support():
    folder = os.path.join(BUILD, "tests", "contract")
    return [os.path.join(folder, n) for n in os.listdir(folder)
            if n.endswith(".o") and not n.startswith("test_")]


def run(command, seconds):
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          timeout=seconds, cwd=ROOT).returncode


def fate(mutant):
    """"killed", "survived", or "invalid" where it is no C."""
    with tempfile.TemporaryDirectory(prefix="funneld-mutant-") as folder:
        source = os.path.join(folder, os.path.basename(mutant.path))
        with open(os.path.join(ROOT, mutant.path), encoding="utf-8") as f:
            lines = f.read().splitlines()
        lines[mutant.line] = mutant.text
        with open(source, "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")
        object_file, program = source[:-2] + ".o", os.path.join(folder, "test")
        if run(["gcc", *flags(mutant.path), "-c", "-o", object_file, source], SECONDS):
            return "invalid"
        for test in MODULES[mutant.path]:
            main = os.path.join(BUILD, "tests", "unit", f"test_{test}.o")
            if run(["gcc", *SANITIZE, "-pthread", "-pie", "-o", program, main, object_file, *support(),
                    os.path.join(BUILD, "libfunneld.a"), *libraries()], SECONDS):
                return "invalid"
            try:
                if run([program], SECONDS):
                    return "killed"
            except subprocess.TimeoutExpired:
                return "killed"
    return "survived"


def report(mutant, original):
    print(f"survived  {mutant.path}:{mutant.line + 1}\n    - {original.strip()}\n"
          f"    + {mutant.text.strip()}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mutants", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    chosen = [m for path in options.files or MODULES for m in mutants_of(path)]
    total = len(chosen)
    if options.mutants and options.mutants < total:
        chosen = random.Random(options.seed).sample(chosen, options.mutants)
    counts = collections.defaultdict(collections.Counter)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for mutant, end in zip(chosen, pool.map(fate, chosen)):
            counts[mutant.path][end] += 1
            if end == "survived":
                with open(os.path.join(ROOT, mutant.path), encoding="utf-8") as f:
                    report(mutant, f.read().splitlines()[mutant.line])
    for path, c in sorted(counts.items()):
        valid = c["killed"] + c["survived"]
        print(f"{path:40} {c['killed']:4} of {valid:4} killed")
    killed = sum(c["killed"] for c in counts.values())
    valid = killed + sum(c["survived"] for c in counts.values())
    print(f"{killed} of {valid} mutants killed ({killed / max(valid, 1):.1%}), of {total} that there"
          f" are; seed {options.seed}")
    sys.exit(killed < WANTED * valid or not valid)


if __name__ == "__main__":
    main()
