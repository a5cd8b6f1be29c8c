"""tests/check/coverage.py BUILD [FILE...] - reads what gcc counted: lines of src, branches of some.

Exit status 1 below the shares that are wanted. A line or branch that only a broken kernel or a full
memory could reach is named in unreachable.txt: `file<TAB>text of the line<TAB>reason`; a name that
fits nothing any more is an error as well, and so is one for what a test has reached after all.
With FILEs, or `modules` for those whose branches count, only these are looked at.
"""
import collections
import fnmatch
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LINES_WANTED = 0.95
BRANCHES_OF = ["src/ingest/hubspot_signature.c", "src/ingest/hubspot_verify.c", "src/score/expr*.c",
               "src/pipeline/*.c", "src/deliver/dueq.c", "src/deliver/verdict.c",
               "src/connectors/*_judge.c"]


def unreachable():
    names = collections.defaultdict(dict)
    with open(os.path.join(ROOT, "tests/check/unreachable.txt"), encoding="utf-8") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                path, text, reason = line.rstrip("\n").split("\t")
                names[path][text] = reason
    return names


def fits(path, patterns):
    return any(fnmatch.fnmatch(path, p) for p in patterns)


def counted(build, patterns):
    """{path: {line: (count, [branch counts])}}, of all programs together; 0 where none ran it."""
    files = collections.defaultdict(dict)
    for folder, _, names in os.walk(os.path.join(build, "src")):
        for name in (n for n in names if n.endswith(".gcno")):
            source = os.path.relpath(os.path.join(folder, name[:-5] + ".c"), build)
            if not fits(source, patterns):
                continue
            out = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities",
                                  os.path.join(folder, name)], capture_output=True, check=True,
                                 cwd=ROOT).stdout
            for file in json.loads(out)["files"] if out else ():
                if not file["file"].startswith("src/"):
                    continue
                for line in file["lines"]:
                    files[file["file"]][line["line_number"]] = (
                        line["count"], [b["count"] for b in line.get("branches", ())])
    return files


def main():
    build, patterns = sys.argv[1], sys.argv[2:] or ["src/*"]
    if patterns == ["modules"]:
        patterns = BRANCHES_OF
    names, used = unreachable(), set()
    folders = collections.defaultdict(lambda: [0, 0])
    branches, open_branches, open_lines = [0, 0], [], []
    for path, lines in sorted(counted(build, patterns).items()):
        with open(os.path.join(ROOT, path), encoding="utf-8") as f:
            source = [""] + f.read().splitlines()
        for number, (count, taken) in sorted(lines.items()):
            text = source[number].strip()
            with_branches = fits(path, BRANCHES_OF) and "assert(" not in text
            if text in names[path]:
                if not count or with_branches and not all(taken):
                    used.add((path, text))
                continue
            folder = folders[os.path.dirname(path)]
            folder[0] += count > 0
            folder[1] += 1
            if not count:
                open_lines.append(f"{path}:{number}: {text}")
            elif with_branches:
                branches[0] += sum(t > 0 for t in taken)
                branches[1] += len(taken)
                if not all(taken):
                    ways = "".join("+" if t else "-" for t in taken)
                    open_branches.append(f"{path}:{number}: [{ways}] {text}")
    for line in open_lines:
        print("not run     " + line)
    for line in open_branches:
        print("one way     " + line)
    for folder, (run, total) in sorted(folders.items()):
        print(f"{folder:24} {run:5} of {total:5} lines  {run / total:6.1%}")
    run, total = (sum(f[i] for f in folders.values()) for i in (0, 1))
    stale = [f"{p}: {t}" for p in names for t in names[p]
             if (p, t) not in used and fits(p, patterns)]
    for name in stale:
        print(f"unreachable.txt names what is not there, or was reached: {name}")
    print(f"{run} of {total} lines ({run / total:.1%}, wanted {LINES_WANTED:.0%}); of the named "
          f"modules {branches[0]} of {branches[1]} branches, {len(open_branches)} lines go one way")
    sys.exit(bool(stale or run < LINES_WANTED * total or open_branches))


if __name__ == "__main__":
    main()
