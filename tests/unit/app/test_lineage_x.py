"""Which contents of a machine's file were said already, and which are edits (P9)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.app.edits.carried_over import carried_over, place_of
from tocsin.app.edits.lineage import RecordedVersion, came_from, lags_behind, newest_held
from tocsin.domain.incident import Acknowledgment, Incident, Status, TimelineNote, UpdateEntry

PAY = Incident("pay", "Card payments fail", "sev1")
AT = datetime(2026, 11, 26, 3, tzinfo=UTC)


def counted(*versions: Incident) -> list[RecordedVersion]:
    """They counted one after the other, each brought by a content of its own."""
    return [(str(number), version) for number, version in enumerate(versions)]


@pytest.mark.parametrize(
    ("content", "held", "counted", "lags"),
    [
        ("a", "", "ab", True),  # a fresh clone of an old commit
        ("a", "a", "ab", True),  # looked at again
        ("b", "a", "abc", True),  # it is pulled, one commit after the other
        ("a", "ab", "ab", False),  # back to what was, on purpose
        ("a", "ab", "abc", False),
        ("x", "a", "ab", False),  # never said
        ("b", "ab", "abc", True),  # it held that very version, and nothing newer
        ("b", "a", "aba", True),  # a shared folder: another machine was quicker, both ways
        ("b", "aba", "aba", False),  # there and back, and there again
        ("b", "xa", "abxc", False),
        ("a", "ax", "abx", False),  # an edit of its own counted: what was before that is behind it
    ],
)
def test_what_lags_behind(content: str, held: str, counted: str, lags: bool) -> None:
    """P9: equal to an older version, and the machine's own file has never held a newer one."""
    assert lags_behind(content, held, counted) is lags


def test_what_a_file_has_held_for_sure() -> None:
    """P9: each content stands for the first version that it can be."""
    assert newest_held("", "ab") == -1
    assert newest_held("aa", "ab") == 0
    assert newest_held("ba", "aba") == 2
    assert newest_held("zb", "ab") == 1


def test_a_pull_of_several_commits_is_no_edit_of_what_lies_between() -> None:
    """P9: a clone that lags behind gets what the ledger knows together with one edit more: only that edit counts, also
    where what lies between was changed once more meanwhile.
    """
    identified = replace(PAY, status=Status.IDENTIFIED, impact="Nobody can pay.")
    resolved = replace(identified, status=Status.RESOLVED)
    pulled = replace(identified, timeline=(TimelineNote("the standby was promoted"),))
    base = came_from(PAY, pulled, ("0",), counted(PAY, identified, resolved))
    assert base == identified
    assert carried_over(base, pulled, resolved) == replace(resolved, timeline=pulled.timeline)


def test_an_edit_of_the_version_before_is_one_of_that() -> None:
    """P9: where nothing that counted since is nearer, the version that the file had before is the one it was made of."""
    identified = replace(PAY, status=Status.IDENTIFIED)
    saved = replace(PAY, timeline=(TimelineNote("the standby was promoted"),))
    assert came_from(PAY, saved, ("0",), counted(PAY, identified)) == PAY
    assert came_from(None, saved, (), counted(PAY)) == PAY


def test_who_sets_the_same_as_another_has_not_seen_what_that_one_wrote() -> None:
    """P9: two people set status and severity; the update that one of them wrote stays, as do words in a field."""
    took_over = UpdateEntry("Failover begun, do not touch db1", at=AT, by="ana")
    said = replace(PAY, severity="sev0", status=Status.IDENTIFIED, updates=(took_over,), impact="Nobody can pay.")
    saved = replace(PAY, severity="sev0", status=Status.IDENTIFIED, summary="The proxy is down.")
    newest = carried_over(came_from(PAY, saved, ("0",), counted(PAY, said)), saved, said)
    assert newest == replace(said, summary="The proxy is down.")


def test_a_command_on_a_clone_that_lags_may_set_back_what_another_set() -> None:
    """P9: it writes the newest version with its edit, though its folder is looked at only then."""
    note = TimelineNote("the standby was promoted")
    lowered = replace(PAY, severity="sev3", timeline=(note,))
    saved = replace(lowered, severity="sev1")
    assert carried_over(came_from(PAY, saved, ("0",), counted(PAY, lowered)), saved, lowered) == saved


def test_two_people_who_declare_the_same_incident_at_once() -> None:
    """P9: neither file was there before, so neither takes out what the other one says."""
    first = replace(PAY, impact="Nobody can pay.", updates=(UpdateEntry("We look."),))
    second = replace(PAY, title="Cards fail", status=Status.IDENTIFIED, updates=(UpdateEntry("The disk is full."),))
    newest = carried_over(came_from(None, second, (), counted(first)), second, first)
    assert newest == replace(second, impact="Nobody can pay.", updates=(*first.updates, *second.updates))


def test_a_promise_of_another_stays_whose_state_somebody_happens_to_set_as_well() -> None:
    """P9: who has not seen an estimate, a sign-off or a review has not taken it out."""
    promised = replace(PAY, severity="sev0", status=Status.IDENTIFIED, eta=AT, verified_by="ana", review="done")
    saved = replace(PAY, severity="sev0", status=Status.IDENTIFIED, updates=(UpdateEntry("We look.", at=AT, by="bo"),))
    newest = carried_over(came_from(PAY, saved, ("0",), counted(PAY, promised)), saved, promised)
    assert newest == replace(promised, updates=saved.updates)


def test_an_estimate_that_was_seen_may_be_taken_back() -> None:
    """P9: a command on a clone that lags behind writes the newest version with its edit."""
    promised = replace(PAY, eta=AT, updates=(UpdateEntry("Back soon.", at=AT, by="ana"),))
    saved = replace(promised, eta=None)
    assert carried_over(came_from(PAY, saved, ("0",), counted(PAY, promised)), saved, promised) == saved


def test_what_a_file_said_that_nobody_can_tell_any_more_is_what_it_brought() -> None:
    """P9: a save that is handed in again after the database went back takes out what it took out, sets nothing back
    that it did not set, and opens again what it opened again.
    """
    identified = replace(PAY, status=Status.IDENTIFIED, impact="Nobody can pay.")
    resolved = replace(identified, status=Status.RESOLVED, resolution="The disk is full.")
    saved = replace(identified, impact="")
    versions = counted(identified, resolved)
    assert carried_over(came_from(None, saved, ("0",), versions), saved, resolved) == replace(resolved, impact="")
    again = replace(identified, updates=(UpdateEntry("It fails again."),))
    assert carried_over(came_from(None, again, ("0", "1"), versions), again, resolved) == again
    withdrawn = replace(PAY, acknowledged=(Acknowledgment("ana", AT),), severity="sev0", roles=(("scribe", "bo"),))
    base = came_from(None, PAY, ("0",), counted(withdrawn))
    assert carried_over(base, PAY, withdrawn) == PAY


def test_one_of_two_equal_entries_that_is_taken_out_leaves_the_other() -> None:
    """P9: two were written in one file; the newest version has it once."""
    entry = UpdateEntry("We look.")
    twice = replace(PAY, updates=(entry, entry))
    newest = replace(PAY, updates=(entry,), summary="The proxy is down.")
    assert carried_over(twice, replace(PAY, updates=(entry,)), newest) == newest


class Clone:
    """One machine's file of the incident: what it says, and what it has said so far. `digest` names what it says."""

    def __init__(self) -> None:
        self.says, self.digest, self.held = PAY, "0", ["0"]


LISTS = ("updates", "timeline", "services")


def entries(incident: Incident) -> dict[tuple[str, object], set[object]]:
    """What stands in its lists and mappings, by what stays of it when it is rewritten."""
    places: dict[tuple[str, object], set[object]] = {("roles", role): {role} for role, _ in incident.roles}
    for name in LISTS:
        for entry in getattr(incident, name):
            places.setdefault((name, place_of(entry)), set()).add(entry)
    return places


@st.composite
def edited(draw: st.DrawFn, before: Incident, number: int) -> Incident:
    """What somebody makes of a version: state that others may choose as well, words that are theirs alone."""
    now = before
    for _ in range(draw(st.integers(1, 4))):
        match draw(st.sampled_from(["state", "words", "update", "note", "service", "role", "out", "rewritten"])):
            case "state":
                status = draw(st.sampled_from([Status.INVESTIGATING, Status.IDENTIFIED, Status.RESOLVED]))
                eta = draw(st.sampled_from([None, AT]))
                now = replace(now, status=status, severity=draw(st.sampled_from(["sev1", "sev2"])), eta=eta)
            case "words":
                now = replace(now, **{draw(st.sampled_from(["summary", "impact"])): f"words {number}"})
            case "update":
                at = AT + timedelta(seconds=number) if draw(st.booleans()) else None
                now = replace(now, updates=(*now.updates, UpdateEntry(f"update {number}", at=at, by="ana")))
            case "note":
                now = replace(now, timeline=(TimelineNote(f"note {number}"), *now.timeline))
            case "service":
                now = replace(now, services=tuple({**dict.fromkeys(now.services), draw(st.sampled_from("xyz")): None}))
            case "role":
                now = replace(now, roles=tuple({**dict(now.roles), "scribe": draw(st.sampled_from("abc"))}.items()))
            case "out":
                name = draw(st.sampled_from(LISTS))
                kept = [entry for entry in getattr(now, name) if draw(st.booleans())]
                now = replace(now, **{name: tuple(kept)})
            case _:
                words = [replace(entry, text=f"rewritten {number}") if entry.at else entry for entry in now.updates]
                now = replace(now, updates=tuple(words))
    return now


@__import__("hypothesis").settings(max_examples=2500, deadline=None)
@given(st.data())
def test_whatever_two_machines_write_nothing_is_lost_that_its_author_had_not_seen(data: st.DataObject) -> None:
    """P9: in any order, with pulls of the newest or an older version in between, seen by themselves or with an edit; and
    where nobody can tell what the file said before. Where none pulls, nothing else moves than what the author changed.
    """
    versions, clones, pulls = counted(PAY), (Clone(), Clone()), data.draw(st.booleans())
    for number in range(1, data.draw(st.integers(2, 8)) + 1):
        clone = data.draw(st.sampled_from(clones))
        knew, newest = clone.says, versions[-1][1]
        if pulls and data.draw(st.booleans()):  # a pull, and then an edit, before its folder is looked at
            knew = data.draw(st.sampled_from(versions[newest_held(clone.held, [one for one, _ in versions]) :]))[1]
        now = data.draw(edited(knew, number))
        if now == clone.says:
            continue
        before = data.draw(st.sampled_from([clone.says, None]))
        merged = carried_over(came_from(before, now, tuple(clone.held), versions), now, newest)
        had, wants, were, are = entries(knew), entries(now), entries(newest), entries(merged)
        for place, said in were.items():
            assert said <= are.get(place, set()) or (place in had and had[place] != wants.get(place)), place
        for place, said in wants.items():
            assert place[0] in {"services", "roles"} or said - had.get(place, set()) <= are.get(place, set()), place
        for name in ("summary", "impact"):
            assert getattr(merged, name) in {getattr(newest, name)} | {getattr(now, name)} - {getattr(knew, name)}
        for name in () if pulls else ("status", "severity", "eta"):
            assert getattr(merged, name) in {getattr(newest, name)} | {getattr(now, name)} - {getattr(knew, name)}
        clone.says, clone.digest = now, str(number)
        clone.held.append(clone.digest)
        versions.append((clone.digest, merged))
