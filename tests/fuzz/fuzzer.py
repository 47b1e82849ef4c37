"""What a fuzzer is: a corpus, and what must hold for every case made of it."""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from types import FrameType

from tests.fuzz.mutation import Mutator

CASE_SECONDS = 1.0
"""Processor time that a case may take, if its fuzzer names no other."""


class TooSlowError(BaseException):
    """A case took too long. No library's `except Exception` may swallow it."""


@dataclass(frozen=True)
class Fuzzer:
    """One reader under attack. `check` raises whatever is wrong with a case, which may take so many `seconds` of
    processor time; `sample` are the cases that `make test` tries.
    """

    name: str
    corpus: Sequence[bytes]
    check: Callable[[bytes], None]
    tokens: Sequence[bytes] = ()
    sample: int = 200
    seconds: float = CASE_SECONDS
    mutator: Mutator = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "mutator", Mutator(self.corpus, self.tokens))

    def case(self, seed: str, number: int) -> bytes:
        """The case of this number, the same for the same seed; the corpus itself comes first."""
        if number < len(self.corpus):
            return self.corpus[number]
        return self.mutator.case(Random(f"{seed} {self.name} {number}"))

    def try_case(self, data: bytes) -> float:
        """How long a case took, in seconds of processor time. Raises what is wrong with it."""
        begun = time.process_time()
        with bounded(self.seconds):
            self.check(data)
        return time.process_time() - begun


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Raise TooSlowError once so much processor time is used up, and each 100 ms after that."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise TooSlowError(f"over {seconds:g} s")

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, seconds, 0.1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
