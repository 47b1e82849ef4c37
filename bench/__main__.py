"""`make bench`: the figures that this version can show, side by side with their baselines.

`python -m bench storm` is the storm alone (11 min), `python -m bench quick` a small one (3 min), five times as fast.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import baseline, large_config, storm
from bench.world import wait, world

TOCSIN = Path(sys.executable).with_name("tocsin")
READERS = 1000
ROUNDS = 5
DROPS = 40
OPEN = 10_000
IDLE_SECONDS = 20.0


def row(name: str, value: str, goal: str, good: bool) -> None:
    """One line of the report."""
    print(f"{name:<60} {value:>24}   {goal:<12} {'ok' if good else 'SHORT'}", flush=True)


def durable_emails() -> None:
    """Mails a second of one update to many readers, recorded before and after, against the libraries alone."""
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(ROUNDS):
        with world(READERS) as here:
            here.start()
            theirs.append(asyncio.run(baseline.emails(here.port, READERS // 2)))
            before = len(here.mails())
            here.declare("many", "sev1")
            wait(lambda before=before, here=here: len(here.mails()) - before >= READERS + 1, 120)
            stamps = [at for at, _ in here.mails()[before:]]
            ours.append(len(stamps) / (max(stamps) - min(stamps)))
    speed, ratio = statistics.median(ours), statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    spread = f"{min(ours):.0f}..{max(ours):.0f}"
    row(f"durable emails/s, {READERS} readers, one relay", f"{speed:.0f} ({spread})", ">= 500", speed >= 500)
    row("S1  ÷ aiosmtplib + EmailMessage + Jinja2, no ledger", f"{ratio:.2f}", ">= 3", ratio >= 3)


def latency() -> None:
    """From the rename of a file to the page accepted by the mail server."""
    with world() as here:
        here.start()
        time.sleep(2)  # a watch needs a moment to begin; what is dropped before is found within a second
        taken: list[float] = []
        for number in range(DROPS):
            before = len(here.mails())
            begun = here.declare(f"drop{number}", "page")
            wait(lambda before=before: len(here.mails()) > before, 30)
            taken.append((here.mails()[before][0] - begun) * 1000)
            time.sleep(0.15)
    taken.sort()
    middle, late = statistics.median(taken), taken[int(len(taken) * 0.99)]
    row("rename -> page accepted, p50 (p99)", f"{middle:.1f} ms ({late:.1f})", "<= 20 ms", middle <= 20)


def many_incidents() -> None:
    """Start, memory and idle processor time with many open incidents."""
    with world() as here:
        for number in range(OPEN):
            (here.incidents / f"incident-{number}.yaml").write_text(f"title: Incident {number}\nseverity: quiet\n")
        bare = baseline.parse(here.incidents)
        first = here.start()
        wait(lambda: len(here.mails()) >= OPEN, 300)
        time.sleep(5)
        memory, cpu = here.resident(), here.cpu()
        time.sleep(IDLE_SECONDS)
        idle = (here.cpu() - cpu) / IDLE_SECONDS * 100
        assert here.daemon is not None
        here.daemon.terminate()
        here.daemon.wait(60)
        again = here.start()
    row(f"start with {OPEN} new files", f"{first:.1f} s", "<= 10 s", first <= 10)
    row(f"start again with {OPEN} known files", f"{again:.1f} s", "<= 10 s", again <= 10)
    row("S7  start ÷ a bare loop that parses the files", f"{first / bare:.2f}", "<= 2", first / bare <= 2)
    row(f"resident with {OPEN} open incidents", f"{memory:.0f} MB", "<= 200 MB", memory <= 200)
    row(f"S9  idle processor time with {OPEN} open, of one core", f"{idle:.2f} %", "<= 2 %", idle <= 2)


def check_of_a_large_config() -> None:
    """`tocsin check`, from the command to its exit: config, templates, and whom every chain reaches for 90 days."""
    taken: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        large_config.write(Path(folder, "config"))
        for _ in range(ROUNDS):
            begun = time.monotonic()
            subprocess.run([TOCSIN, "check"], cwd=folder, check=True, capture_output=True)
            taken.append(time.monotonic() - begun)
    middle = statistics.median(taken)
    row("tocsin check of 200 people, 50 rotations, 50 services", f"{middle:.2f} s", "<= 2 s", middle <= 2)


def storms(size: storm.Size) -> None:
    """What people get in a storm, and how soon."""
    for name, value, goal, good in storm.measure(size):
        row(name, value, goal, good)


if __name__ == "__main__":
    if sys.argv[1:] == ["quick"]:
        storms(storm.QUICK)
    elif sys.argv[1:] == ["storm"]:
        storms(storm.FULL)
    else:
        check_of_a_large_config()
        latency()
        durable_emails()
        many_incidents()
        storms(storm.FULL)
