"""tests/check/ranks.py - includes point down, and each third-party header stays in its folder.

A folder may include headers of folders of a lower rank, and its own. Two headers rank apart from
their folder: deliver/transport.h is a port below the threads.
"""
import glob
import os
import re
import sys

# route speaks of scores in its conditions and connectors say what routes decided, so the three
# that design 2.1 puts on one line follow each other here; deliver turns a CRM's answer into an
# event, ingest is below it anyway.
RANKS = ["base", "config", "lead", "ingest", "score", "model", "model/xgboost", "route", "connectors", "observe", "store",
         "transport", "store/sqlite", "deliver/curl", "pipeline", "deliver", "http", "report", "app",
         "cli", "main"]
APART = {("pipeline", "deliver"), ("pipeline", "http"), ("deliver", "http"), ("deliver", "pipeline"),
         ("http", "pipeline"), ("http", "deliver"), ("config", "lead"), ("lead", "config")}
FENCES = {"microhttpd.h": "http", "gnutls/": "http", "curl/": "deliver/curl", "sqlite3.h": "store/sqlite",
          "cjson/": "base", "openssl/": "base", "ini.h": "config", "libpq-fe.h": "store/postgres",
          "xgboost/": "model/xgboost"}


def folder_of_file(path):
    if path == "src/main.c":
        return "main"
    inner = path.split("/", 2)[2] if path.startswith("include/") else path.split("/", 1)[1]
    folder = os.path.dirname(inner)
    return "transport" if inner == "deliver/transport.h" else folder


def folder_of_include(name):
    inner = name[len("funneld/"):]
    return "transport" if inner == "deliver/transport.h" else os.path.dirname(inner)


def problems():
    for path in sorted(glob.glob("src/**/*.[ch]", recursive=True) +
                       glob.glob("include/**/*.h", recursive=True)):
        here = folder_of_file(path)
        if here not in RANKS:
            yield f"{path}: no rank for the folder {here}"
            continue
        for number, line in enumerate(open(path), 1):
            match = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
            if not match:
                continue
            name = match.group(1)
            if name.startswith("funneld/"):
                there = folder_of_include(name)
                above = RANKS.index(there) > RANKS.index(here)
                if there != here and (above or (here, there) in APART):
                    yield f"{path}:{number}: {here} may not include {there}"
            for header, fence in FENCES.items():
                if name.startswith(header) and here != fence:
                    yield f"{path}:{number}: <{name}> belongs into src/{fence} alone"


found = list(problems())
for text in found:
    print("     " + text)
sys.exit(1 if found else 0)
