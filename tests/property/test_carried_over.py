"""What one machine's file changed, done to what another one's says (P9): nothing else moves, and nothing is said twice."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tocsin.app.edits.carried_over import carried_over
from tocsin.domain.incident import Acknowledgment, Incident, Status, TimelineNote, UpdateEntry
from tocsin.formats.incident.edit import rewrite_incident, write_incident

from tests.builders.examples import some
from tests.property.test_edited import (
    INSTANTS,
    LINKS,
    PEOPLE,
    POLICY,
    ROLES,
    SEVERITIES,
    read,
)

SERVICES = st.lists(st.sampled_from(sorted(POLICY.services) or ["checkout"]), unique=True, max_size=3).map(tuple)
WORDS = st.sampled_from(["one", "two", "three: #4", "fünf\nsechs"])
LINE, TEXT = st.sampled_from(["", "one", "a: b #c", "漢字 🙂"]), st.sampled_from(["", "one", "a: b #c\n- two", "fünf"])
UPDATES = st.lists(st.builds(UpdateEntry, WORDS, st.just(""), INSTANTS, PEOPLE), unique=True, max_size=4).map(tuple)
NOTES = st.lists(st.builds(TimelineNote, WORDS, st.none() | INSTANTS, PEOPLE), unique=True, max_size=3).map(tuple)
ACKS = st.lists(st.builds(Acknowledgment, PEOPLE, st.none() | INSTANTS), unique=True, max_size=3).map(tuple)
VERSIONS = st.builds(
    Incident,
    id=st.just("pay"),
    title=st.sampled_from(["Card payments fail", "Cards and vouchers fail"]),
    severity=SEVERITIES,
    status=st.sampled_from(Status),
    summary=TEXT,
    impact=TEXT,
    services=SERVICES,
    roles=st.lists(st.tuples(ROLES, PEOPLE), unique_by=lambda pair: pair[0], max_size=2).map(tuple),
    acknowledged=ACKS,
    eta=st.none() | INSTANTS,
    declared_at=st.none() | INSTANTS,
    declared_by=st.sampled_from(["", "ana"]),
    updates=UPDATES,
    timeline=NOTES,
    resolution=TEXT,
    public_resolution=TEXT,
    verified_by=LINE,
    review=st.sampled_from(["", "done"]),
    drill=st.booleans(),
    public_title=LINE,
    bridge=st.sampled_from(["", "https://meet.example.com/1"]),
    links=LINKS,
    started_at=st.none() | INSTANTS,
)
LISTS = ("services", "acknowledged", "updates", "timeline")
MAPPINGS = ("roles", "links")
VALUES = ("title", "severity", "status", "summary", "impact", "eta", "resolution", "review", "bridge", "drill")


@settings(max_examples=some(40))
@given(VERSIONS, VERSIONS)
def test_done_to_the_version_before_it_gives_the_version_now(before: Incident, now: Incident) -> None:
    """P9: one machine that alone writes is as if there were no other."""
    assert carried_over(before, now, before) == now


@settings(max_examples=some(40))
@given(VERSIONS, VERSIONS)
def test_a_file_that_did_not_change_changes_nothing(before: Incident, newest: Incident) -> None:
    """P9: however far it lags behind."""
    assert carried_over(before, before, newest) == newest


@settings(max_examples=some(40))
@given(VERSIONS, VERSIONS, VERSIONS)
def test_what_did_not_change_stays_as_the_newest_has_it(before: Incident, now: Incident, newest: Incident) -> None:
    """P9: nothing else of a version counts than what differs from the one before."""
    result: Any = carried_over(before, now, newest)
    for name in VALUES:
        changed = getattr(before, name) != getattr(now, name)
        assert getattr(result, name) == getattr(now if changed else newest, name)
    for name in LISTS:
        old, new, last, after = (set(getattr(version, name)) for version in (before, now, newest, result))
        assert new - old <= after, "what came is there"
        assert after <= last | new, "nothing comes from nowhere"
    for name in MAPPINGS:
        old_map, new_map, last_map, after_map = (dict(getattr(it, name)) for it in (before, now, newest, result))
        for key in {**old_map, **new_map, **last_map}:
            changed = old_map.get(key) != new_map.get(key)
            assert after_map.get(key) == (new_map if changed else last_map).get(key)


@settings(max_examples=some(40))
@given(VERSIONS, VERSIONS, VERSIONS)
def test_twice_is_once(before: Incident, now: Incident, newest: Incident) -> None:
    """P9: a version that is judged again after a kill changes nothing more."""
    once = carried_over(before, now, newest)
    assert carried_over(before, now, once) == once


@settings(max_examples=some(30))
@given(VERSIONS, VERSIONS, st.lists(WORDS, unique=True, max_size=2), st.lists(WORDS, unique=True, max_size=2))
def test_entries_of_two_machines_are_all_there(
    base: Incident, other: Incident, here: list[str], there: list[str]
) -> None:
    """P9: the same file edited on two machines within a second: each list has what both wrote, whoever came first."""
    added = [TimelineNote(f"here {word}") for word in here]
    left = replace(base, timeline=(*base.timeline, *added))
    right = replace(other, timeline=(*other.timeline, *(TimelineNote(f"there {word}") for word in there)))
    first = carried_over(base, left, carried_over(other, right, base))
    second = carried_over(other, right, carried_over(base, left, base))
    for result in (first, second):
        assert set(left.timeline) - set(base.timeline) <= set(result.timeline)
        assert set(right.timeline) - set(other.timeline) <= set(result.timeline)


@settings(max_examples=some(40))
@given(VERSIONS, VERSIONS)
def test_a_file_is_rewritten_as_another_version(before: Incident, after: Incident) -> None:
    """P9: it reads as that, and the comments of what stays are there still."""
    data = b"# the night shift\n" + write_incident(before)
    written = rewrite_incident(data, before, after)
    assert written is not None
    assert read(written) == after
    assert written.startswith(b"# the night shift\n")
