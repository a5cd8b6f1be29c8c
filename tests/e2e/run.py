"""tests/e2e/run.py - finds test_*.py, runs each test in a world of its own, says how many passed.

    python3 tests/e2e/run.py --bin build/plain/funneld --sandbox build/plain/funneld-sandbox [NAME...]

--quick leaves out what is marked @slow, which else runs beside the others; --valgrind runs the
daemon under valgrind. Whole seconds of a shared machine go missing now and then: with --again up to
that many tests that were too late get a second try when all others are done, and are named UNSTEADY
when they pass it. A wrong answer is never forgiven, nor what a sanitizer found.
"""
import argparse
import glob
import importlib
import os
import re
import subprocess
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402

VALGRIND = ["valgrind", "-q", "--leak-check=full", "--show-leak-kinds=definite,indirect",
            "--errors-for-leak-kinds=definite,indirect", "--error-exitcode=99"]
LATE = harness.Late, TimeoutError, subprocess.TimeoutExpired


def tests(words, but):
    for path in sorted(glob.glob(os.path.join(os.path.dirname(__file__), "test_*.py"))):
        module = importlib.import_module(os.path.basename(path)[:-3])
        for name, function in list(vars(module).items()):
            if name.startswith("test_") and callable(function):
                if but and any(w in name or w in module.__name__ for w in but):
                    continue
                if not words or any(w in name or w in module.__name__ for w in words):
                    yield module.__name__, name[5:], function


def run(function, options):
    """None, or (what went wrong, whether it was only late)."""
    world = harness.World(options)
    try:
        function(world)
        return None
    except Exception as e:  # a test fails in any way it likes
        text = traceback.format_exc(limit=-6)
        for process in (world.daemon, world.sandbox):
            if process:
                text += f"\n--- {process.log_path}\n" + process.logged()[-4000:]
        return text, isinstance(e, LATE) and not re.search("Sanitizer|runtime error: ", text)
    finally:
        world.close()


def is_slow(test):
    return getattr(test[2], "slow", False)


def report(test, options, passed="ok  "):
    """Runs one and says what became of it; returns what went wrong, or None."""
    module, name, function = test
    began = time.monotonic()
    problem = run(function, options)
    print(f"{passed if problem is None else 'FAIL'} {module[5:]}: {name.replace('_', ' ')}"
          f" ({time.monotonic() - began:.1f} s)" + (f"\n{problem[0]}" if problem else ""), flush=True)
    return problem


def second_try(results, options):
    """Those of the tests that still fail."""
    failed = [(test, problem) for test, problem in results if problem]
    if len(failed) > options.again or not all(late for _, (_, late) in failed):
        return failed
    return [(test, problem) for test, _ in failed
            if (problem := report(test, options, passed="UNSTEADY"))]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", default="build/plain/funneld")
    parser.add_argument("--sandbox", default="build/plain/funneld-sandbox")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--valgrind", action="store_true")
    parser.add_argument("--again", type=int, default=0, metavar="TESTS")
    parser.add_argument("--but", nargs="*", help="leaves out what has one of these words")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    options.wrapper = VALGRIND if options.valgrind else []
    chosen = [t for t in tests(options.words, options.but) if not (options.quick and is_slow(t))]
    lanes = [[t for t in chosen if not is_slow(t)], *([t] for t in chosen if is_slow(t))]
    done = harness.in_threads([lambda lane=lane: [(t, report(t, options)) for t in lane]
                               for lane in lanes])  # what is slow mostly waits
    results = sum(done, [])
    failed = len(second_try(results, options))
    print(f"{len(results) - failed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed or not results else 0)


if __name__ == "__main__":
    main()
