"""The database in service: what is old goes, copies are whole, damage is seen."""
import contextlib
import os
import signal
import sqlite3
import threading
import time

from harness import (HOT_TO_SLACK, PORTAL, Sink, change, check, demo, equal, errors_of, eventually,
                     in_threads, integrity, log_lines, slack_lines)


def setup(world, store="", more=""):
    world.configure(world.base(tls=False, store=store) + more)
    world.start()


def ids(world):
    return [int(e["id"]) for e in world.run_json("events", "--limit", "100000")]


def send(world, first, n):
    for at in range(first, first + n, 100):
        world.post([change(c, "page", "x" * 400) for c in range(at, min(at + 100, first + n))])


def free_share(world):
    """Of the pages of the database."""
    with contextlib.closing(sqlite3.connect(world.database)) as database:
        free, pages = (database.execute(f"PRAGMA {name}").fetchone()[0]
                       for name in ("freelist_count", "page_count"))
    return free / pages


def test_events_older_than_the_retention_go_and_the_file_shrinks(world):
    setup(world, store="retention = 3s")
    send(world, 1, 3000)
    before = ids(world)
    equal(len(before), 3000, "events")
    size = os.path.getsize(world.database) + os.path.getsize(world.database + "-wal")
    time.sleep(3)
    send(world, 10000, 10)
    kept = eventually(lambda: (lambda now: now if len(now) <= 10 else None)(ids(world)), 30,
                      "old events went")
    check(min(kept) > max(before), "the new ones stayed")
    equal(len(world.run_json("leads", "--limit", "100000")), 3010, "all leads stay")
    equal(world.run_json("leads", "show", f"{PORTAL}:7")[0]["properties"]["page"]["value"],
          "x" * 400, "and so do their properties")
    error = errors_of(world, "score", f"{PORTAL}:7", "--at", "1h")[1]
    check("purged" in error, f"the past that is gone is not invented: {error}")
    eventually(lambda: free_share(world) <= 1 / 8, 30, "what is free was given back")
    world.stop()
    check(os.path.getsize(world.database) < size * 0.6, "the file is smaller")
    equal(integrity(world.database), ["ok"], "integrity")


def count(world):
    with contextlib.closing(sqlite3.connect(world.database)) as database:
        return database.execute("SELECT count(*) FROM event").fetchone()[0]


def test_a_longer_retention_ends_the_purge_that_is_under_way(world):
    long, short = (world.base(tls=False, store=f"retention = {time}") for time in ("90d", "2s"))
    setup(world, store="retention = 90d")
    send(world, 1, 20000)
    time.sleep(2)
    world.configure(short)
    world.daemon.signal(signal.SIGHUP)
    eventually(lambda: count(world) < 20000, 20, "the purge began")
    world.configure(long)
    world.daemon.signal(signal.SIGHUP)
    eventually(lambda: len(log_lines(world, "config.reloaded")) == 2, 10, "the second reload")
    left = count(world)
    check(left > 100, f"{left} events are left")
    time.sleep(1.5)
    check(left - count(world) <= 250, "at most the slice that was under way went after that")
    world.stop()


def test_what_still_waits_for_a_service_outlives_the_retention(world):
    with Sink() as sink:  # down
        setup(world, store="retention = 2s", more=slack_lines(sink) + HOT_TO_SLACK)
        world.post([demo(1)])
        time.sleep(2.5)
        world.post([change(2, "page", "a")])
        time.sleep(2.5)
        world.post([change(3, "page", "a")])
        eventually(lambda: len(ids(world)) == 2, 10, "the event between them went")
        equal(min(ids(world)), 1, "and the one that still waits did not")
        sink.start()
        world.all_done()
        equal(len(sink.messages), 1, "it was told")
        world.post([demo(4)])  # the newest delivery's event stays, for its id
        eventually(lambda: 1 not in ids(world), 10, "then it went")
        world.stop()


def read(path, sql):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return db.execute(sql).fetchall()


def test_a_backup_under_load_holds_what_was_answered_before_it(world):
    setup(world)
    send(world, 1, 2000)
    copy, made = os.path.join(world.folder, "copy.db"), threading.Event()

    def load():
        client, sent = world.client(), 0
        while not made.is_set():
            equal(world.post([change(5000 + sent, "page", "a")], client).status, 200, "answer")
            sent += 1
        client.close()
        return sent

    def backup():
        try:
            return world.run("backup", copy)
        finally:
            made.set()
    sent, said = in_threads([load, backup])
    check(sent > 10, f"{sent} events meanwhile")
    check("verified" in said and copy in said, f"it says so: {said}")
    equal(integrity(copy), ["ok"], "integrity")
    held = {row[0] for row in read(copy, "SELECT id FROM event")}
    check(set(range(1, 2001)) <= held, "all that was answered before it")
    equal(os.stat(copy).st_mode & 0o777, 0o600, "for nobody else")
    equal(sorted(os.listdir(world.folder)),
          sorted(n for n in os.listdir(world.folder) if ".partial" not in n), "nothing left over")
    world.stop()
    alone = world.run_json("backup", os.path.join(world.folder, "alone.db"))[0]
    equal(alone["bytes"], os.path.getsize(alone["file"]), "without a daemon as well")


def test_sigusr2_backs_up_beside_the_database(world):
    setup(world)
    send(world, 1, 10)
    world.daemon.signal(signal.SIGUSR2)
    eventually(lambda: log_lines(world, "backup.done"), 10, "the log line")
    equal(len(read(world.database + ".backup", "SELECT id FROM event")), 10, "events in it")
    world.stop()


def test_a_backup_that_cannot_be_written_says_why_and_the_daemon_goes_on(world):
    setup(world)
    error = errors_of(world, "backup", "/nowhere/copy.db")[1]
    check("/nowhere/copy.db" in error, error)
    error = errors_of(world, "backup", world.database)[1]
    check("the database itself" in error, error)
    send(world, 1, 1)
    check(log_lines(world, "backup.failed"), "it is in the log")
    world.stop()


def test_a_restore_brings_the_backup_back_with_a_new_id_and_keeps_what_was_there(world):
    with Sink() as sink:
        setup(world, more=slack_lines(sink) + HOT_TO_SLACK)
        world.post([demo(1)])
        copy = os.path.join(world.folder, "copy.db")
        world.run("backup", copy)
        before = read(copy, "SELECT value FROM meta WHERE key = 'database_id'")[0][0]
        send(world, 100, 5)
        error = errors_of(world, "restore", copy)[1]
        check("stop it first" in error, error)
        world.stop()
        restored = world.run_json("restore", copy)[0]
        equal(len(ids(world)), 1, "events")
        equal(len(read(restored["kept"], "SELECT id FROM event")), 6, "what was there is kept")
        sink.start()
        world.start()
        world.all_done()
        after = world.run_json("deliveries")[0]
        equal(after["state"], "delivered", "what had waited then is delivered now")
        check(before not in sink.deliveries()[0], "under another database's name")
        world.stop()
        error = errors_of(world, "restore", os.path.join(world.folder, "funneld.conf"))[1]
        check("not a database" in error, error)
        equal(len(ids(world)), 1, "the database is untouched")


def test_damage_is_seen_within_a_minute(world):
    setup(world)
    send(world, 1, 10)
    eventually(lambda: world.metric("funneld_promise_violations") == 0, 10, "all is well")
    time.sleep(2.5)
    equal(world.metric("funneld_promise_violations"), 0, "still")
    world.stop()
    with sqlite3.connect(world.database) as db:
        db.execute("UPDATE event SET body = '{}' WHERE id = 3")
        db.execute("UPDATE lead SET score = score + 1 WHERE id = 4")
    db.close()
    world.start()
    eventually(lambda: world.metric("funneld_promise_violations") == 2, 60, "both are seen")
    said = {(line["table"], line["id"]) for line in log_lines(world, "promise.violated")}
    equal(said, {("event", "3"), ("lead", "4")}, "and logged")
    world.stop()
