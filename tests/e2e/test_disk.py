"""Real disks that fill up or turn read-only: mounted for one test in a mount namespace of its own,
in which the daemon runs. That needs root, or a kernel that lets users have namespaces."""
import contextlib
import os
import resource
import sqlite3
import subprocess
import time

from harness import (Failure, HOT_TO_SLACK, Sink, change, check, demo, equal, eventually,
                     integrity, log_lines, slack_lines)


class Disk:
    """A file system that only processes of ours see; path is where, outside where we can look."""

    def __init__(self, world, mount):
        self.path = os.path.join(world.folder, "disk")
        os.mkdir(self.path)
        # As root a mount namespace is enough; others need to be root in a user namespace.
        self.user = [] if os.geteuid() == 0 else ["--user"]
        root = ["--map-root-user"] if self.user else []
        self.holder = subprocess.Popen(
            ["unshare", *root, "--mount", "sh", "-ec", f"{mount} '{self.path}'; echo; exec sleep 600"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if not self.holder.stdout.readline():
            said = self.holder.communicate()[1].decode().strip()
            raise Failure(f"this test mounts a disk of its own ({mount}), and this machine does not"
                          f" let it: run it as root, not in an unprivileged container. {said}")
        self.outside = f"/proc/{self.holder.pid}/root{self.path}"
        world.prefix = self.enter()
        world.database = os.path.join(self.path, "funneld.db")

    def enter(self):
        keep = ["--user", "--preserve-credentials"] if self.user else []
        return ["nsenter", "--target", str(self.holder.pid), *keep, "--mount",
                f"--wdns={os.getcwd()}"]

    def run(self, *command):
        done = subprocess.run(self.enter() + list(command), capture_output=True)
        equal(done.returncode, 0, f"{command}: {done.stderr.decode()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.holder.kill()  # and with the last process the mount goes
        self.holder.wait()
        self.holder.stdout.close()
        self.holder.stderr.close()


@contextlib.contextmanager
def disk(world, mount):
    with Disk(world, mount) as d:
        try:
            yield d
        finally:
            if world.daemon:
                world.daemon.kill()  # while its disk is there


SMALL = "mount -t tmpfs -o size=3m,mode=700 none"


def setup(world, more=""):
    world.configure(world.base(tls=False, store="checkpoint = 64KiB") + more)
    world.start()


def notes(first, n=10):
    return [change(c, "note", "x" * 3000) for c in range(first, first + n)]


def fill(world, first):
    """Posts until there is no room; returns the refusal and how many events were taken before."""
    taken = 0
    for _ in range(300):
        answer = world.post(notes(first + taken))
        if answer.status != 200:
            return answer, taken
        taken += 10
    raise Failure("the disk did not fill up")


def test_a_full_disk_answers_503_and_recovers_by_itself_when_there_is_room(world):
    with Sink() as sink, disk(world, SMALL) as d:
        filler = os.path.join(d.outside, "filler")
        with open(filler, "wb") as f:
            f.write(bytes(1 << 20))
        sink.start()
        setup(world, slack_lines(sink) + HOT_TO_SLACK)
        equal(world.post([demo(1)]).status, 200, "before")
        refusal, taken = fill(world, 1000)
        equal((refusal.status, refusal.headers["Retry-After"]), (503, "5"), "a full disk")
        for _ in range(20):
            equal(world.post(notes(500_000)).status, 503, "as long as it is full")
        equal(world.client().request("GET", "/healthz").status, 503, "/healthz")
        equal((world.admin("/livez").status, world.admin("/readyz").status), (200, 503), "health")
        check(world.metric("funneld_requests_rejected_total", source="hubspot", reason="disk") > 20,
              "metric")
        pid = world.daemon.child.pid
        os.unlink(filler)
        eventually(lambda: world.post([demo(2)]).status == 200, 15, "there is room again")
        equal((world.daemon.child.poll(), world.daemon.child.pid), (None, pid), "without a restart")
        # The event was taken before the log was copied back, and that had failed as well.
        eventually(lambda: world.admin("/readyz").status == 200, 5, "/readyz")
        events = world.run_json("events", "--limit", "100000")
        equal(len(events), taken + 2, "exactly what was answered 200")
        world.all_done()
        equal(len(sink.messages), 2, "and each was told once")
        world.stop()
        equal(integrity(os.path.join(d.outside, "funneld.db")), ["ok"], "integrity")


def test_killed_on_a_full_disk_it_starts_again_and_has_everything(world):
    with disk(world, SMALL) as d:
        setup(world)
        refusal, taken = fill(world, 1)
        equal(refusal.status, 503, "full")
        world.kill()
        world.start(ready=False)
        time.sleep(1)
        if world.daemon.child.poll() is None:  # it serves what it can
            equal(world.post(notes(900_000)).status, 503, "still full")
            world.kill()
        else:
            check(world.daemon.child.returncode == 1 and "full" in world.daemon.logged(),
                  f"exit status {world.daemon.child.returncode}; {world.daemon.logged()}")
            world.daemon.kill()
        d.run("mount", "-o", "remount,size=16m", d.path)
        world.start()
        equal(len(world.run_json("events", "--limit", "100000")), taken, "events")
        equal(world.post(notes(900_000)).status, 200, "and it goes on")
        world.stop()
        equal(integrity(os.path.join(d.outside, "funneld.db")), ["ok"], "integrity")


def ends_with_words(world, *words):
    world.start(ready=False)
    equal(world.daemon.wait(10), 1, f"exit status; {world.daemon.logged()}")
    said = [line for line in world.daemon.logged().splitlines() if "level=error" in line]
    for word in words:
        check(any(word in line for line in said), f"{word!r} in {world.daemon.logged()!r}")
    world.daemon.kill()


def test_a_disk_that_is_read_only_at_the_start_is_said_with_exit_status_1(world):
    with disk(world, SMALL) as d:
        setup(world)
        equal(world.post([demo(1)]).status, 200, "post")
        world.stop()
        d.run("mount", "-o", "remount,ro", d.path)
        ends_with_words(world, world.database, "ead-only")
        d.run("mount", "-o", "remount,rw", d.path)
        world.start()
        equal(len(world.run_json("events")), 1, "events")
        world.stop()


def test_a_folder_that_is_missing_or_no_folder_is_said_with_exit_status_1(world):
    for path in ("/nowhere/at/all/funneld.db", "/proc/funneld.db", world.cert + "/funneld.db"):
        world.database = path
        world.configure(world.base(tls=False))
        ends_with_words(world, path)


def test_a_disk_that_turns_read_only_under_it_ends_it_for_a_clean_restart(world):
    image = os.path.join(world.folder, "image")
    with open(image, "wb") as f:
        f.truncate(16 << 20)
    subprocess.run(["/sbin/mkfs.ext4", "-q", "-F", image], check=True)
    with disk(world, f"mount -o loop,errors=remount-ro '{image}'") as d:
        setup(world)
        equal(world.post([demo(1)]).json()["accepted"], 1, "before")
        device = subprocess.run(["findmnt", "-no", "SOURCE", "--task", str(d.holder.pid), d.path],
                                capture_output=True, check=True).stdout.decode().strip()
        # What a broken disk does to ext4: it stops writing at once.
        with open(f"/sys/fs/ext4/{os.path.basename(device)}/trigger_fs_error", "w") as f:
            f.write("a test")
        answer = world.post([demo(2)])
        equal((answer.status, answer.headers["Retry-After"]), (503, "5"), "no promise is made")
        equal(world.daemon.wait(10), 1, "exit status")
        check("disk I/O error" in log_lines(world, "store.failed")[0]["reason"], "the log says why")
        ends_with_words(world, world.database)
        d.run("umount", d.path)
        subprocess.run(["/sbin/e2fsck", "-fy", image], capture_output=True)
        d.run("mount", "-o", "loop", image, d.path)
        world.start()
        equal([e["state"] for e in world.run_json("events")], ["processed"], "what was answered 200")
        equal(world.post([demo(2)]).json()["accepted"], 1, "and it goes on")
        world.stop()


def test_a_file_that_may_not_grow_is_a_disk_that_is_full(world):
    setup(world)
    equal(world.post(notes(1)).status, 200, "before")
    limit = os.path.getsize(world.database + "-wal") + 20_000
    resource.prlimit(world.daemon.child.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    refusal, taken = fill(world, 1000)
    equal((refusal.status, refusal.headers["Retry-After"]), (503, "5"), "no promise is made")
    equal(len(world.run_json("events", "--limit", "100000")), 10 + taken, "what was answered 200")
    resource.prlimit(world.daemon.child.pid, resource.RLIMIT_FSIZE,
                     (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    eventually(lambda: world.post([demo(9999)]).status == 200, 20, "there is room again")
    world.stop()
    with contextlib.closing(sqlite3.connect(world.database)) as database:
        equal(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)], "integrity")
