"""W8: an incident with very many updates costs what it is long, not the square of that; its pages show its ends."""

import asyncio
import cProfile
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tocsin.adapters.files.incident_writer import IncidentFiles
from tocsin.adapters.ledger.schema import fact_reader
from tocsin.adapters.ledger.schema.codec import read_entry, read_fact, write_fact
from tocsin.adapters.ledger.schema.fact_reader import FactReader
from tocsin.app.incidents.explanation import explain
from tocsin.app.incidents.histories import FACTS_AT_ONCE, recorded_history, tell_of
from tocsin.app.incidents.incident_views import IncidentViews, views
from tocsin.domain.facts import Fact, Seen, Updated
from tocsin.domain.incident import Incident, TimelineNote, UpdateEntry
from tocsin.domain.notification import Reason
from tocsin.domain.people import Channel
from tocsin.formats.settings.limits import AddressLimits
from tocsin.planning.history import fold
from tocsin.planning.history.versions import new_entries
from tocsin.web.access.viewer import Viewer
from tocsin.web.incidents.insiders import internal_page
from tocsin.web.incidents.kept_views import KeptViews
from tocsin.web.incidents.outsiders import Outsiders
from tocsin.wording.report.page_timeline import FIRST_MOST, LAST_MOST
from tocsin.wording.report.review import draft
from tocsin.wording.report.timeline import steps_of
from tocsin.wording.report.versions import gathered

from tests.builders.instants import MINUTE, T0
from tests.builders.policies import shipped_policy
from tests.builders.stories import CARD, know_config
from tests.fakes.ledger import MemoryLedger
from tests.unit.web.lives import alive

NOW = T0 + 10_000 * MINUTE


def told(at: datetime, reason: Reason) -> Iterator[Updated]:
    """What two groups heard."""
    yield Updated(at, "customers", reason, True, (("status@lists.example.com", Channel.EMAIL),))
    yield Updated(at, "executives", reason, False, (("ceo", Channel.EMAIL),))


def story(updates: int, at_once: int = 1) -> tuple[Fact, ...]:
    """So many updates, so many in each version of the file; all of it once written and read, as by the ledger."""
    entries = tuple(
        UpdateEntry(f"INTERNAL-{number} We wait.", f"Public {number}.", T0 + number * MINUTE, "chen")
        for number in range(updates)
    )
    facts: list[Fact] = [Seen(T0, CARD, "d"), *told(T0, Reason.DECLARED)]
    for number in range(at_once, updates + 1, at_once):
        at = T0 + number * MINUTE
        facts.append(Seen(at, replace(CARD, updates=entries[:number]), f"d{number}"))
        facts += told(at + timedelta(seconds=2), Reason.CHANGED)
    read = FactReader().read
    return tuple(read(type(fact).__name__, write_fact(fact)) for fact in facts)


async def seen(facts: Sequence[Fact]) -> IncidentViews:
    """How it looks, from a ledger in memory."""
    ledger = MemoryLedger()
    await ledger.record("card", facts, [], [])
    both_views = await views("card", ledger, shipped_policy(), AddressLimits(), NOW)
    assert both_views is not None
    assert both_views.public is not None
    return both_views


def calls(work: Callable[[], object]) -> int:
    """How many calls a piece of work takes: unlike its time, always the same."""
    profile = cProfile.Profile()
    profile.enable()
    work()
    profile.disable()
    return sum(entry.callcount for entry in profile.getstats())


def upside_down(facts: Sequence[Fact]) -> list[Fact]:
    """The same, by people who write the newest on top."""
    return [
        replace(fact, incident=replace(fact.incident, updates=fact.incident.updates[::-1]))
        if isinstance(fact, Seen)
        else fact
        for fact in facts
    ]


@pytest.mark.parametrize("newest_first", [False, True])
def test_twice_as_long_costs_twice_as_much(newest_first: bool) -> None:
    """Reading it, folding it, its views and its review: not four times, nor eight as before."""

    def work(updates: int) -> int:
        facts = upside_down(story(updates)) if newest_first else story(updates)

        def all_of_it() -> None:
            steps = tell_of("card", facts, steps_of)
            draft(steps, (), shipped_policy())
            list(gathered([fact for fact in facts if isinstance(fact, Seen)], lambda version: version.updates))

        return calls(all_of_it)

    few, many = work(100), work(200)
    assert many < 2.5 * few
    assert calls(lambda: story(200)) < 2.5 * calls(lambda: story(100))


def decoded(versions: Sequence[Seen], monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """How many characters of JSON are decoded to read these versions, and how many they have."""
    characters = 0

    def count(kind: type[Any], text: str) -> Any:
        nonlocal characters
        characters += len(text)
        return read_entry(kind, text)

    def count_whole(name: str, body: str) -> Fact:
        nonlocal characters
        characters += len(body)
        return read_fact(name, body)

    monkeypatch.setattr(fact_reader, "read_entry", count)
    monkeypatch.setattr(fact_reader, "read_fact", count_whole)
    read = FactReader().read
    bodies = [write_fact(version) for version in versions]
    assert [read("Seen", body) for body in bodies] == versions
    return characters, sum(map(len, bodies))


@pytest.mark.parametrize("mended", ["at the end", "on top", "in the middle"])
@pytest.mark.parametrize("written", ["plainly", "with braces"])
def test_each_entry_is_decoded_once(mended: str, written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of updates and of notes, wherever they are written; also of texts that look like the end of an entry."""
    texts = [f"{number}" if written == "plainly" else f'}},{{"text":"{number}"}}]' for number in range(200)]
    entries, notes = list[UpdateEntry](), list[TimelineNote]()
    versions = []
    for number, text in enumerate(texts):
        place = {"at the end": number, "on top": 0, "in the middle": number // 2}[mended]
        entries.insert(place, UpdateEntry(text, text, T0 + number * MINUTE, "chen"))
        notes.insert(place, TimelineNote(text))
        incident = replace(CARD, updates=tuple(entries), timeline=tuple(notes))
        versions.append(Seen(T0 + number * MINUTE, incident, f"d{number}"))
    characters, whole = decoded(versions, monkeypatch)
    assert characters < len(texts) * 1000
    assert whole > len(texts) * 5_000


async def test_it_is_folded_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """For the page of insiders and that of outsiders together; and once to explain it, besides what is ahead."""
    facts, folded = story(50), 0
    apply_fact = fold.apply_fact

    def count(*arguments: object) -> object:
        nonlocal folded
        folded += 1
        return apply_fact(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(fold, "apply_fact", count)
    await seen(facts)
    assert folded == len(facts)
    ledger, folded = MemoryLedger(), 0
    await ledger.record("card", facts, [], [])
    await explain("card", shipped_policy(), ledger, IncidentFiles(tmp_path), T0 + 50 * MINUTE, NOW)
    assert folded < 2 * len(facts)


@pytest.mark.parametrize("at_once", [1, 600])
async def test_its_pages_show_its_ends(at_once: int) -> None:
    """The first and the newest of what was said, some 500 paragraphs of it, and how much is left out; the review tells
    the ends of what is too long for a file that is read back.
    """
    facts = story(600, at_once)
    both_views = await seen(facts)
    assert both_views.public is not None
    async with alive() as life:
        await know_config(life.ledger)
        inside = (await internal_page(life.site, both_views, signed=False, viewer=Viewer(reads=True))).text or ""
        outside = (await Outsiders(life.site, KeptViews(life.site)).page(both_views)).text or ""
    for page, word in ((inside, "INTERNAL-"), (outside, "Public ")):
        shown = [int(number) for number in re.findall(f"{word}([0-9]+)", page)]
        assert shown[-1] == 599 or at_once == 600
        assert 100 <= len(shown) <= FIRST_MOST + LAST_MOST + 50
        assert "left out here" in page
        assert page.count("<p>") <= FIRST_MOST + LAST_MOST + 50
    review = draft(tell_of("card", facts, steps_of), (), shipped_policy()).decode()
    assert "INTERNAL-0 " in review
    assert "INTERNAL-599 " in review


def test_a_review_that_is_cut_has_its_ends() -> None:
    """The beginning, how many entries are left out, and the end; each day has its heading."""
    facts = story(3000, 1500)
    review = draft(tell_of("card", facts, steps_of), (), shipped_policy()).decode()
    assert len(review) < 256 * 1024
    (left_out,) = re.findall(r"\nand ([0-9]+) more entries here", review)
    assert "INTERNAL-0 " in review
    assert "INTERNAL-2999 " in review
    assert review.count("\n- **") == 3001 - int(left_out)  # versions that only bring entries have no line of their own


def edited(chance: random.Random, entries: list[UpdateEntry]) -> None:
    """Somebody writes, mends, removes or moves entries."""
    entry = UpdateEntry(
        chance.choice("abc"), chance.choice(["", '"updates":[{}]', "ü\n"]), T0 + chance.randrange(3) * MINUTE
    )
    kind = chance.random()
    if kind < 0.4 or not entries:
        entries.append(entry)
    elif kind < 0.55:
        entries.insert(0, entry)
    elif kind < 0.7:
        entries.pop(chance.randrange(len(entries)))
    elif kind < 0.9:
        entries[chance.randrange(len(entries))] = entry
    else:
        chance.shuffle(entries)


def histories(seed: int) -> list[Seen]:
    """Versions of a file that people edit."""
    chance, entries = random.Random(seed), list[UpdateEntry]()
    versions = []
    for number in range(8):
        versions.append(Seen(T0 + number * MINUTE, Incident("card", '"updates":[', "sev1", updates=tuple(entries))))
        for _ in range(chance.randrange(4)):
            edited(chance, entries)
    return versions


@pytest.mark.parametrize("seed", range(300))
def test_versions_are_read_as_they_were_written(seed: int) -> None:
    """What one has in common with the one before is taken from there, and is the same."""
    versions = histories(seed)
    read = FactReader().read
    bodies = [write_fact(version) for version in versions]
    assert [read("Seen", body) for body in bodies] == [read_fact("Seen", body) for body in bodies] == versions


def test_equal_entries_are_kept_once() -> None:
    """A thousand versions of a long file fit the memory."""
    first, second = [fact for fact in story(3) if isinstance(fact, Seen)][-2:]
    assert first.incident.updates[1] is second.incident.updates[1]


@pytest.mark.parametrize(
    "tail",
    [
        ',{"text":1}]',
        ",{]",
        ',"x"]',
        ",",
        "",
        ',{"text":"b","at":"x"}]',
        "," + "[" * 100_000,
        ',{"text":"b"}],"updates":[]',
    ],
)
def test_an_edited_row_is_as_unreadable_as_before(tail: str) -> None:
    """However the rest of a version was damaged, it is read as by itself or refused, and the next one is read."""
    whole = write_fact(Seen(T0, replace(CARD, updates=(UpdateEntry("a"),))))
    read = FactReader().read
    read("Seen", whole)
    begins, _, ends = whole.partition('"updates":[{"text":"a"}]')
    damaged = begins + '"updates":[{"text":"a"}' + tail + ends
    assert outcome(read, damaged) == outcome(read_fact, damaged)
    assert read("Seen", whole) == read_fact("Seen", whole)


def outcome(read: Callable[[str, str], Fact], body: str) -> Fact | type[Exception]:
    """What is read, or that nothing can be."""
    try:
        return read("Seen", body)
    except ValueError:
        return ValueError


def _edited(old: UpdateEntry, new: UpdateEntry) -> bool:
    return (old.at is not None and old.at == new.at) or bool(old.text and old.text == new.text)


def plainly(versions: Sequence[Seen]) -> list[tuple[datetime, UpdateEntry]]:
    """What `gathered` says, worked out as one would explain it."""
    known: list[tuple[UpdateEntry, datetime]] = []
    for version in versions:
        entries = version.incident.updates
        for entry in entries:
            if any(former == entry for former, _ in known):
                continue
            places = (
                place for place, (former, _) in enumerate(known) if former not in entries and _edited(former, entry)
            )
            place = next(places, None)
            if place is None:
                known.append((entry, version.at))
            else:
                known[place] = entry, known[place][1]
    return [(entry.at or seen_at, entry) for entry, seen_at in known]


@pytest.mark.parametrize("seed", range(300))
def test_entries_are_gathered_as_they_were_edited(seed: int) -> None:
    """An entry is mended by the one that took its place."""
    versions = histories(seed)
    assert list(gathered(versions, lambda version: version.updates)) == plainly(versions)


def plainly_new(old: Sequence[UpdateEntry], new: Sequence[UpdateEntry]) -> tuple[UpdateEntry, ...]:
    """What `new_entries` says, worked out as one would explain it."""
    growth = len(new) - len(old)
    if growth <= 0:
        return ()
    if tuple(new[growth:]) == tuple(old):
        return tuple(new[:growth])
    vanished, fresh = list(old), list[UpdateEntry]()
    for entry in new:
        if entry in vanished:
            vanished.remove(entry)
        else:
            fresh.append(entry)
    for entry in tuple(fresh):
        original = next((former for former in vanished if _edited(former, entry)), None)
        if original is not None:
            fresh.remove(entry)
            vanished.remove(original)
    return tuple(fresh[-growth:])


def test_new_entries_are_told_from_edited_ones() -> None:
    """Whatever was written, mended, removed or moved between two versions."""
    grown = 0
    for seed in range(1000):
        versions = [version.incident for version in histories(seed)]
        for old, new in pairwise(versions):
            if new.updates[: len(old.updates)] != old.updates:
                assert new_entries(old, new) == plainly_new(old.updates, new.updates)
                grown += len(new.updates) > len(old.updates)
    assert grown > 500


def test_a_list_that_was_written_anew_holds_up_nothing() -> None:
    """Two lists of twice the length take twice as long to compare, not four times."""

    def work(updates: int) -> int:
        old = [UpdateEntry(f"{number}", "", T0 + number * MINUTE) for number in range(updates)]
        new = [UpdateEntry(f"{number} anew", "", T0 + number * MINUTE) for number in range(0, 3 * updates, 2)]
        before, after = replace(CARD, updates=tuple(old)), replace(CARD, updates=tuple(new))
        assert len(new_entries(before, after)) == updates // 2
        return calls(lambda: new_entries(before, after))

    assert work(400) < 2.5 * work(200)


async def test_others_have_their_turn_while_it_is_folded() -> None:
    """Whoever answers about it does not hold up the pages of another incident."""
    ledger, turns = MemoryLedger(), 0
    facts = story(500)
    await ledger.record("card", facts, [], [])

    async def page() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(page())
    await asyncio.sleep(0)
    before = turns
    _, history = await recorded_history(ledger, "card")
    taken = turns - before
    other.cancel()
    assert history == tell_of("card", facts, steps_of)[-1].after
    assert taken >= len(facts) // FACTS_AT_ONCE
