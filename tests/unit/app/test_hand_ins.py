"""What machines hand in survives its way through the ledger, and what is none is no hand-in."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.adapters.files.folder_memory import REWRITTEN_FROM, FileFolderMemory
from tocsin.app.hand_ins.borne_out import as_handed_in
from tocsin.app.hand_ins.hand_in import (
    HELD_MOST,
    FilesGone,
    FileVersion,
    HandIn,
    MachineNotice,
    SentFromMemory,
    SentStep,
    arrival_of,
    hand_in_of,
    held_after,
)
from tocsin.domain.delivery import Accepted, Attempt, Uncertain
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.people import Channel
from tocsin.ports.folder import RememberedFile

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
PLAIN = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VERSIONS = st.builds(
    FileVersion, PLAIN, PLAIN, PLAIN, st.binary(max_size=60), st.none() | st.binary(max_size=60),
    st.lists(PLAIN, max_size=3).map(tuple), PLAIN,
)  # fmt: skip
GONE = st.builds(FilesGone, PLAIN, st.lists(PLAIN, max_size=3).map(tuple), PLAIN, PLAIN, st.booleans())
WORDS = st.builds(
    OperatorNotice, st.sampled_from(Trouble), PLAIN, PLAIN, st.booleans(), st.none() | st.just(AT), PLAIN, PLAIN
)
NOTICES = st.builds(MachineNotice, PLAIN, WORDS, st.booleans())
VERSION = FileVersion("b", "pay", "pay.yaml", b"title: x\n", b"title: y\n", ("1", "2"))


COUNTS = st.none() | st.integers(0, 9)
STEPS = st.builds(SentStep, PLAIN, st.integers(0, 9), PLAIN, st.just(Channel.SMS), PLAIN, COUNTS, COUNTS)
TRIES = st.builds(
    Attempt, st.just(""), PLAIN, st.just(0), st.just(Channel.SMS), PLAIN, st.just(AT),
    st.builds(Accepted, PLAIN) | st.builds(Uncertain, PLAIN), st.just(AT), possible_duplicate=PLAIN, provider=PLAIN,
)  # fmt: skip
SENT = st.builds(SentFromMemory, PLAIN, STEPS, TRIES)


@given(VERSIONS | GONE | NOTICES | SENT)
def test_what_is_handed_in_comes_back_whole(hand_in: HandIn) -> None:
    """P9: every field of it."""
    assert hand_in_of(arrival_of(hand_in, AT)) == hand_in


def test_the_same_version_has_the_same_name_and_another_another() -> None:
    """P9: handed in twice after a kill it counts once; there and back and there again are three."""
    assert arrival_of(VERSION, AT).ref == arrival_of(VERSION, AT.replace(hour=11)).ref
    others = [
        replace(VERSION, machine="c"),
        replace(VERSION, incident="net"),
        replace(VERSION, data=b"title: z\n"),
        replace(VERSION, held=("1", "2", "1")),
    ]
    refs = {arrival_of(version, AT).ref for version in (VERSION, *others)}
    assert len(refs) == 5


def test_a_file_that_goes_to_and_fro_hands_in_something_new_each_time() -> None:
    """P9: also after more contents than are handed in; and it is known that it held what it held lately."""
    held, refs = ("0",), set()
    for number in range(5 * HELD_MOST):
        version = replace(VERSION, data=b"title: %d\n" % (number % 2), held=held)
        refs.add(ref := arrival_of(version, AT).ref)
        held = held_after(held, version.digest)
        remembered = RememberedFile(version.file, version.incident, version.digest, version.data, held)
        assert arrival_of(as_handed_in("b", remembered), AT).ref == ref
        assert held_after(held, version.digest) == held
        assert len(held) <= HELD_MOST
        assert held[-1] == version.digest
    assert len(refs) == 5 * HELD_MOST


@pytest.mark.parametrize(
    "change",
    [{"data": "no base64"}, {"data": "eA=="}, {"held": [1]}, {"incident": None}, {"before": 7}, {"file": ["pay.yaml"]}],
)
def test_what_is_no_version_is_a_plain_error(change: dict[str, object]) -> None:
    """P9: it is set aside and told, and holds up nobody."""
    arrival = arrival_of(VERSION, AT)
    spoilt = replace(arrival, body=json.dumps(json.loads(arrival.body) | change))
    with pytest.raises(ValueError, match=r"."):
        hand_in_of(spoilt)


def test_the_memory_of_a_folder_outlives_the_process(tmp_path: Path) -> None:
    """P9: the newest line of an incident counts, of this folder alone, and a torn one is passed over."""
    path = tmp_path / "var" / "folder-memory"
    memory = FileFolderMemory(path, tmp_path / "incidents")
    assert memory.load() == {}
    first = RememberedFile("pay.yaml", "pay", "1", b"\xff\x00", ("1",))
    second = replace(first, digest="2", data=b"title: x\n", held=("1", "2"), gone=True)
    other = RememberedFile("net.yaml", "net", "3", b"", ())
    assert memory.note([first, other]) == ""
    assert memory.note([second]) == ""
    path.write_bytes(path.read_bytes() + b'{"folder": "' + b'\n[]\n{"folder": 7}\n')
    assert memory.load() == {"pay": second, "net": other}
    assert FileFolderMemory(path, tmp_path / "elsewhere").load() == {}


def test_a_line_that_was_torn_takes_no_other_along(tmp_path: Path) -> None:
    """P9: what is noted behind it is remembered. Files hold addresses: nobody else reads it."""
    path = tmp_path / "var" / "folder-memory"
    memory, file = FileFolderMemory(path, tmp_path), RememberedFile("pay.yaml", "pay", "1", b"x", ("1",))
    memory.note([file, replace(file, incident="net")])
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(path.read_bytes()[:-40])
    other = replace(file, incident="web")
    memory.note([other])
    assert memory.load() == {"pay": file, "web": other}
    assert b"\n\n" not in path.read_bytes()


def test_the_memory_of_a_folder_does_not_grow_for_ever(tmp_path: Path) -> None:
    """P9: lines that count no more go at a start."""
    path = tmp_path / "folder-memory"
    memory, file = FileFolderMemory(path, tmp_path), RememberedFile("pay.yaml", "pay", "1", b"x", ("1",))
    memory.note([replace(file, digest=str(number)) for number in range(REWRITTEN_FROM)])
    assert memory.load()["pay"].digest == str(REWRITTEN_FROM - 1)
    assert len(path.read_bytes().splitlines()) == 1
    assert memory.load()["pay"].digest == str(REWRITTEN_FROM - 1)


def test_a_memory_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    """P9: it loses no version: what a file says is then compared with the ledger alone."""
    (tmp_path / "var").write_text("no folder")
    memory = FileFolderMemory(tmp_path / "var" / "folder-memory", tmp_path)
    assert "cannot be written" in memory.note([RememberedFile("pay.yaml", "pay", "1", b"", ())])
    assert memory.load() == {}
