"""A sample of each fuzzer's cases in every run of the tests, and that a fuzzer finds what is wrong."""

import re
import time
from pathlib import Path

import pytest

from tests.fuzz import __main__ as runner
from tests.fuzz.fuzzer import Fuzzer, TooSlowError, bounded
from tests.fuzz.targets import NAMES, fuzzers

SEED = "sample"


@pytest.mark.filterwarnings("default:Using both 'count' and 'until':DeprecationWarning")
@pytest.mark.parametrize("name", NAMES)
def test_a_sample(name: str) -> None:
    """The corpus is fine, and so are some cases made of it, the same in each run."""
    fuzzer = fuzzers()[name]
    for number in range(fuzzer.sample):
        data = fuzzer.case(SEED, number)
        try:
            fuzzer.try_case(data)
        except (Exception, TooSlowError) as fault:
            fault.add_note(f"case {number} of {name}: {data!r}")
            raise


def test_cases_are_the_same_again() -> None:
    """A seed and a number make one case, another seed another."""
    fuzzer = Fuzzer("any", [b"one two three\nfour five six\n" * 20], lambda _data: None)
    cases = [fuzzer.case("1", number) for number in range(1, 50)]
    assert cases == [fuzzer.case("1", number) for number in range(1, 50)]
    assert len(set(cases)) > 40
    assert cases != [fuzzer.case("2", number) for number in range(1, 50)]


def test_a_case_that_does_not_end_is_ended() -> None:
    """Also where a library swallows every exception."""

    def go_on() -> None:
        while True:
            try:
                sum(range(1000))
            except Exception:
                continue

    begun = time.process_time()
    with pytest.raises(TooSlowError), bounded(0.05):
        go_on()
    assert time.process_time() - begun < 0.3


def bad(data: bytes) -> None:
    """A reader with three flaws."""
    if b"raise" in data:
        raise ValueError("never raise")
    if b"die" in data:
        import os

        os._exit(3)
    while b"hang" in data:
        pass


@pytest.mark.parametrize(
    ("word", "told"), [("raise", "ValueError at test_fuzz.py"), ("die", "exit 3"), ("hang", "TooSlowError")]
)
def test_what_is_wrong_is_told_and_kept(
    word: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A case that raises, ends the process or never ends is in a file that the message names."""
    monkeypatch.setattr(runner, "ROOT", tmp_path)
    monkeypatch.setattr(runner, "FOLDER", tmp_path / "kept")
    monkeypatch.setattr(runner, "FAULTS_MOST", 1)
    fuzzer = Fuzzer("bad", [b"fine", word.encode()], bad, seconds=0.05)
    assert runner.Run(fuzzer, "1", 20).run() == 1
    said = capsys.readouterr().out
    assert f"bad, case 2 of seed 1: {told}" in said
    kept = re.search(r"kept in (\S+);", said)
    assert kept is not None
    assert (tmp_path / kept[1]).read_bytes() == word.encode()
