"""`make fuzz MINUTES=10 SEED=1 ONLY="incident calendar"`: the fuzzers one after the other, each for its share of the time.

Cases run in a child that writes each into shared memory before it tries it: whatever becomes of the child, the parent
has the case and writes it to a file. Each fault is told once, with its file and how to try that again.
"""

import argparse
import hashlib
import mmap
import multiprocessing
import resource
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from random import SystemRandom

from tests.fuzz.fuzzer import Fuzzer, TooSlowError
from tests.fuzz.mutation import CASE_MOST
from tests.fuzz.targets import fuzzers

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "var" / "fuzz"
TOLD_EVERY = 5.0
STUCK_AFTER = 20.0
"""Seconds without a sign of life after which the child is killed: a case that neither ends nor can be interrupted."""
MEMORY_MOST = 2 * 1024**3
"""Octets of the child's memory; a case that wants more raises MemoryError."""
BATCH = 0.5
"""Seconds after which the child says how far it is."""
HEAD = 16
"""Octets before the case in the shared memory: its number, its length."""
FAULTS_MOST = 20
"""Different faults after which a fuzzer has shown enough."""


@dataclass(frozen=True)
class News:
    """What the child says: cases done since it began, the slowest one (s), and what is wrong with the last (`data`), if
    anything is. `where` tells one fault from another.
    """

    done: int
    slowest: float
    fault: str = ""
    where: str = ""
    data: bytes = b""


def work(fuzzer: Fuzzer, seed: str, first: int, line: Connection, shared: mmap.mmap) -> None:
    """Try cases for ever, from this number on."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MOST, MEMORY_MOST))
    slowest, told = 0.0, time.monotonic()
    number = first
    while True:
        data = fuzzer.case(seed, number)
        shared[:HEAD] = number.to_bytes(8, "little") + len(data).to_bytes(8, "little")
        shared[HEAD : HEAD + len(data)] = data
        number += 1
        try:
            slowest = max(slowest, fuzzer.try_case(data))
        except KeyboardInterrupt:
            return
        except (Exception, TooSlowError) as fault:
            shown = "".join(traceback.format_exception(fault)[-8:])
            line.send(News(number - first, slowest, shown, place_of(fault), data))
            told = time.monotonic()
        if time.monotonic() - told >= BATCH:
            line.send(News(number - first, slowest))
            told = time.monotonic()


def place_of(fault: BaseException) -> str:
    """Its kind, and the innermost line of ours that it came through."""
    frames = traceback.extract_tb(fault.__traceback__)
    ours = [frame for frame in frames if "/tocsin/" in frame.filename] or frames
    if isinstance(fault, TooSlowError):  # where it was interrupted is chance
        ours = ours[:1]
    return f"{type(fault).__name__} at {Path(ours[-1].filename).name}:{ours[-1].lineno}"


class Run:
    """One fuzzer for its share of the time."""

    def __init__(self, fuzzer: Fuzzer, seed: str, seconds: float) -> None:
        self._fuzzer, self._seed = fuzzer, seed
        self._end = time.monotonic() + seconds
        self._done, self._slowest = 0, 0.0
        self._faults: dict[str, Path] = {}
        self._shared = mmap.mmap(-1, HEAD + CASE_MOST)

    def run(self) -> int:
        """The number of different faults."""
        begun = time.monotonic()
        while time.monotonic() < self._end and len(self._faults) < FAULTS_MOST:
            self._child(begun)
        self._progress(begun, end="\n")
        return len(self._faults)

    def _child(self, begun: float) -> None:
        """Follow one child until the time is over, or it is."""
        fork = multiprocessing.get_context("fork")
        ours, theirs = fork.Pipe(duplex=False)
        before = self._done
        child = fork.Process(target=work, args=(self._fuzzer, self._seed, before, theirs, self._shared), daemon=True)
        child.start()
        theirs.close()
        told = heard = time.monotonic()
        while (now := time.monotonic()) < self._end and len(self._faults) < FAULTS_MOST:
            if now - told >= TOLD_EVERY:
                self._progress(begun)
                told = now
            if ours.poll(0.2):
                try:
                    self._hear(ours.recv(), before)
                except EOFError:
                    child.join()
                    self._ended_badly(f"the process died with {child.exitcode}", f"exit {child.exitcode}")
                    return
                heard = now
            elif now - heard >= STUCK_AFTER:
                self._ended_badly(f"no sign of life for {STUCK_AFTER:g} s", f"stuck, {self._done}")
                break
        child.kill()
        child.join()

    def _hear(self, news: News, before: int) -> None:
        self._done, self._slowest = before + news.done, max(self._slowest, news.slowest)
        if news.fault:
            self._keep(news.fault, news.where, news.data)

    def _ended_badly(self, fault: str, where: str) -> None:
        """The case that the child began last was its end."""
        number, length = (int.from_bytes(self._shared[at : at + 8], "little") for at in (0, 8))
        self._done = number + 1
        self._keep(fault, where, self._shared[HEAD : HEAD + length])

    def _keep(self, fault: str, where: str, data: bytes) -> None:
        """Tell of a fault that was not met before, and keep its case."""
        if where in self._faults:
            return
        FOLDER.mkdir(parents=True, exist_ok=True)
        path = FOLDER / f"{self._fuzzer.name}-{hashlib.sha256(data).hexdigest()[:8]}.case"
        path.write_bytes(data)
        self._faults[where] = path
        shown = path.relative_to(ROOT)
        print(
            f"\n{self._fuzzer.name}, case {self._done} of seed {self._seed}: {where}\n{fault}\n"
            f"kept in {shown}; again: make fuzz CASE={shown} ONLY={self._fuzzer.name}",
            flush=True,
        )

    def _progress(self, begun: float, end: str = "\r") -> None:
        passed = max(0.1, time.monotonic() - begun)
        faults = f", {len(self._faults)} FAULTS" if self._faults else ""
        end = end if sys.stdout.isatty() else "\n"
        print(
            f"{self._fuzzer.name:<14}{self._done:>10,} cases {self._done / passed:>8,.0f}/s"
            f"   slowest {self._slowest * 1000:.0f} ms{faults}   ",
            end=end,
            flush=True,
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """1 when something is wrong, else 0."""
    known = fuzzers()
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"which of them: {', '.join(known)}")
    parser.add_argument("--minutes", type=float, default=10.0, help="for all of them together")
    parser.add_argument("--seed", default="", help="the same seed makes the same cases")
    parser.add_argument("--case", type=Path, help="try this one file, and show what happens")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - known.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    chosen = [known[name] for name in options.names] or list(known.values())
    if options.case:
        for fuzzer in chosen:
            seconds = fuzzer.try_case(options.case.read_bytes())
            print(
                f"{fuzzer.name}: nothing is wrong with it; {seconds * 1000:.0f} ms (over {fuzzer.seconds:g} s is wrong)"
            )
        return 0
    seed = options.seed or str(SystemRandom().randrange(10**6))
    print(f"seed {seed}, {len(chosen)} fuzzers, {options.minutes:g} minutes", flush=True)
    share = options.minutes * 60 / len(chosen)
    try:
        faults = sum([Run(fuzzer, seed, share).run() for fuzzer in chosen])
    except KeyboardInterrupt:
        print("\nstopped; what was found so far stands above")
        return 130
    print(f"{faults} faults; their cases are in {FOLDER.relative_to(ROOT)}" if faults else "no faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
