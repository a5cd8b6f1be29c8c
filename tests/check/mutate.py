"""tests/check/mutate.py - breaks the code in one place at a time and looks whether a test sees it.

    python3 tests/check/mutate.py [--mutants N] [--seed S] [--jobs N] [FILE...]

For each module named below: every comparison, connective, sign, bound and condition is changed, one
at a time; the file is compiled again, linked in front of the library, and the module's tests are
run, with AddressSanitizer and UBSan, which are tests as well. A mutant that no test notices has
survived and is printed. N = 0 tries all of them, else a sample drawn by the seed.

Not counted is what changes nothing that anybody could see: a mutant from which the optimizer makes
the same code, and those that equivalent.txt names: `file<TAB>line<TAB>mutated line<TAB>reason`. A
name that fits no mutant any more is an error. Exit status 1 below the share that must be killed.
"""
import argparse
import collections
import concurrent.futures
import functools
import os
import random
import re
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build", "address+undefined")
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
WANTED = 0.90
SECONDS = 60  # of a compiler, and of a test program while nothing is changed
# Of one with a mutant, if that is more than ten times as long as without; a loop without end counts
# as seen, and so does endless memory.
MUTANT_SECONDS = 5
ENVIRONMENT = {**os.environ, "ASAN_OPTIONS": "hard_rss_limit_mb=2000"}

PIPELINE = ["pipeline_" + name for name in
            ("events", "fate", "groups", "identity", "damage", "life", "outputs", "verdicts",
             "scores", "refusals", "order", "random")]
DELIVERER = ["deliverer", "deliverer_doubt", "deliverer_life", "deliverer_clock",
             "deliverer_chaos"]
NOTION = ["notion", "notion_verdicts", "notion_log"]
GOOGLE = ["google_sheets", "google_size", "google_token", "google_upsert"]
EXPRESSIONS = ["expr", "expr_bounds", "scorecard", "scorecard_build", "route"]
MODULES = {
    "src/ingest/hubspot_signature.c": ["hubspot", "hubspot_signature"],
    "src/ingest/hubspot_verify.c": ["hubspot"],
    "src/ingest/path.c": ["mapping", "workflow"],
    "src/ingest/mapping.c": ["mapping", "http_source", "form", "zapier_event"],
    "src/ingest/envelope.c": ["mapping", "http_source", "workflow"],
    "src/ingest/mapped_request.c": ["http_source", "form", "zapier_event"],
    "src/ingest/form.c": ["form", "workflow"],
    "src/ingest/proof.c": ["proof", "zapier"],
    "src/ingest/proof_check.c": ["proof"],
    "src/ingest/workflow.c": ["workflow"],
    "src/ingest/workflow_event.c": ["workflow"],
    "src/ingest/workflow_verify.c": ["workflow"],
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
    "src/connectors/slack_judge.c": ["slack", "slack_verdicts", "slack_thread", "slack_look"],
    "src/connectors/notion_failure.c": NOTION,
    "src/connectors/notion_judge.c": NOTION,
    "src/connectors/notion_log.c": NOTION,
    "src/connectors/google_failure.c": GOOGLE,
    "src/connectors/google_judge.c": GOOGLE,
    "src/connectors/google_sheets.c": GOOGLE,
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


def decides_once(line, at):
    """A condition of one comparison: to negate it is to swap its sign, which is done as well."""
    condition = line[at:]
    return len(re.findall(r"==|!=", condition)) == 1 and not re.search(r"&&|\|\|", condition)


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
                    if pattern.startswith(("(?<=if", "(?<=while")):
                        changed = (None if decides_once(seen, match.start())
                                   else negated(line, match.start()))
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
                          timeout=seconds, cwd=ROOT, env=ENVIRONMENT).returncode


def optimized(path, lines, folder):
    """What the optimizer makes of these lines; None where they are no C."""
    source = os.path.join(folder, os.path.basename(path))
    with open(source, "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")
    command = ["gcc", *[f for f in flags(path) if f not in (*SANITIZE, "-O1")], "-O2", "-c", "-o",
               source + ".o", source]
    if run(command, SECONDS):
        return None
    with open(source + ".o", "rb") as f:
        return f.read()


def equivalents():
    """{(path, line, mutated line): reason}"""
    with open(os.path.join(ROOT, "tests/check/equivalent.txt"), encoding="utf-8") as f:
        rows = [line.rstrip("\n").split("\t") for line in f if line.strip() and line[0] != "#"]
    return {(path, line, mutated): reason for path, line, mutated, reason in rows}


def name_of(mutant, sources):
    return mutant.path, sources[mutant.path][mutant.line].strip(), mutant.text.strip()


def limits_of(tests):
    """How long each of these programs may run, which pass while nothing is changed."""
    limits = {}
    for test in sorted(tests):
        began = time.monotonic()
        if run([os.path.join(BUILD, "unit", f"test_{test}")], SECONDS):
            sys.exit(f"test_{test} fails with nothing changed")
        limits[test] = max(MUTANT_SECONDS, 10 * (time.monotonic() - began))
    return limits


def fate(limits, mutant):
    """"killed", "survived", "same" code, or "invalid" where it is no C."""
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
                if run([program], limits[test]):
                    return "killed"
            except subprocess.TimeoutExpired:
                return "killed"
        with open(os.path.join(ROOT, mutant.path), encoding="utf-8") as f:
            original = optimized(mutant.path, f.read().splitlines(), folder)
        return "same" if optimized(mutant.path, lines, folder) == original else "survived"


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
    sources = {}
    for path in MODULES:
        with open(os.path.join(ROOT, path), encoding="utf-8") as f:
            sources[path] = f.read().splitlines()
    named = equivalents()
    every = [m for path in MODULES for m in mutants_of(path)]
    stale = set(named) - {name_of(m, sources) for m in every}
    for path, line, mutated in sorted(stale):
        print(f"equivalent.txt names what is no mutant: {path}: {line} -> {mutated}")
    chosen = [m for m in every if name_of(m, sources) not in named and
              m.path in (options.files or MODULES)]
    total = len(chosen)
    if options.mutants and options.mutants < total:
        chosen = random.Random(options.seed).sample(chosen, options.mutants)
    limits = limits_of({test for m in chosen for test in MODULES[m.path]})
    counts = collections.defaultdict(collections.Counter)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for mutant, end in zip(chosen, pool.map(functools.partial(fate, limits), chosen)):
            counts[mutant.path][end] += 1
            if end == "survived":
                report(mutant, sources[mutant.path][mutant.line])
    for path, c in sorted(counts.items()):
        valid = c["killed"] + c["survived"]
        print(f"{path:40} {c['killed']:4} of {valid:4} killed")
    killed = sum(c["killed"] for c in counts.values())
    valid = killed + sum(c["survived"] for c in counts.values())
    print(f"{killed} of {valid} mutants killed ({killed / max(valid, 1):.1%}), of {total} that there"
          f" are beside {len(named)} named as equivalent; seed {options.seed}")
    failed = bool(stale or killed < WANTED * valid or not valid)
    print(f"{killed} passed, {(valid - killed or 1) if failed else 0} failed")
    sys.exit(failed)


if __name__ == "__main__":
    main()
