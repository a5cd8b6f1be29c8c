"""tests/e2e/run.py - finds test_*.py, runs each test in a world of its own, says how many passed.

    python3 tests/e2e/run.py --bin build/plain/funneld --sandbox build/plain/funneld-sandbox [NAME...]

--quick leaves out what is marked @slow; --valgrind runs the daemon under valgrind (with --only).
"""
import argparse
import glob
import importlib
import os
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402

VALGRIND = ["valgrind", "-q", "--leak-check=full", "--show-leak-kinds=definite,indirect",
            "--errors-for-leak-kinds=definite,indirect", "--error-exitcode=99"]


def tests(words):
    for path in sorted(glob.glob(os.path.join(os.path.dirname(__file__), "test_*.py"))):
        module = importlib.import_module(os.path.basename(path)[:-3])
        for name, function in list(vars(module).items()):
            if name.startswith("test_") and callable(function):
                if not words or any(w in name or w in module.__name__ for w in words):
                    yield module.__name__, name[5:], function


def run(function, options):
    world = harness.World(options)
    try:
        function(world)
        return None
    except Exception:  # a test fails in any way it likes
        text = traceback.format_exc(limit=-6)
        for process in (world.daemon, world.sandbox):
            if process:
                text += f"\n--- {process.log_path}\n" + process.logged()[-4000:]
        return text
    finally:
        world.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", default="build/plain/funneld")
    parser.add_argument("--sandbox", default="build/plain/funneld-sandbox")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--valgrind", action="store_true")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    options.wrapper = VALGRIND if options.valgrind else []
    passed = failed = 0
    for module, name, function in tests(options.words):
        if options.quick and getattr(function, "slow", False):
            continue
        began = time.monotonic()
        problem = run(function, options)
        passed, failed = passed + (problem is None), failed + (problem is not None)
        print(f"{'ok  ' if problem is None else 'FAIL'} {module[5:]}: {name.replace('_', ' ')}"
              f" ({time.monotonic() - began:.1f} s)", flush=True)
        if problem:
            print(problem, flush=True)
    print(f"{passed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
