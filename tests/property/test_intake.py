"""The laws of the intake, whatever people and editors do to the folder."""

from collections import Counter
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tocsin.app.intake.changes import Changes
from tocsin.app.intake.intake import Intake
from tocsin.app.state.incident_state import KnownVersion
from tocsin.formats.incident.file_name import same_stem

from tests.builders.examples import some
from tests.builders.policies import small_policy
from tests.fakes.folder import FakeFolder

NAMES = ("a.yaml", "a.yml", "b.yaml", "c d.yaml")
CONTENTS = (
    "title: x\nseverity: sev1\n",
    "title: x\nseverity: sev2\nstatus: identified\nupdates: [one, two]\n",
    "title: x\nseverity: sev2\nstatus: identified\nupdates: [one",
    "title: x\nseverity: sev1\nstatus: resolved\n",
    "title: y\n",
    "help!\n",
    "",
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.sampled_from(NAMES), st.sampled_from(CONTENTS)),
        st.tuples(st.just("remove"), st.sampled_from(NAMES), st.just("")),
        st.tuples(st.just("rename"), st.sampled_from(NAMES), st.sampled_from(NAMES)),
        st.tuples(st.just("obstruct"), st.sampled_from(NAMES), st.just("")),
        st.tuples(st.just("wait"), st.just(""), st.sampled_from(["0.1", "2", "11"])),
    ),
    max_size=14,
)


def act(folder: FakeFolder, verb: str, name: str, what: str) -> float:
    """One thing that happens; the seconds that pass."""
    if verb == "write":
        folder.write(name, what)
    elif verb == "obstruct":
        folder.obstruct(name, f"{name} is a FIFO")
    elif name in folder.files and verb in {"remove", "rename"}:
        data = folder.files[name].data
        folder.remove(name)
        if verb == "rename" and data is not None:
            folder.write(what, data)
    return float(what) if verb == "wait" else 0.1


@settings(max_examples=some(300), deadline=None)
@given(STEPS)
def test_laws(steps: list[tuple[str, str, str]]) -> None:
    """Only a file that says so resolves; nothing is left waiting; what can be read is known in the end; a restart on
    contents that counted declares nothing.
    """
    folder, policy, now = FakeFolder(), small_policy(), datetime(2026, 11, 23, tzinfo=UTC)
    intake, known = Intake({}), dict[str, KnownVersion]()
    for verb, name, what in [*steps, ("wait", "", "11"), ("wait", "", "11"), ("wait", "", "0.1")]:
        now += timedelta(seconds=act(folder, verb, name, what))
        changes = intake.observe(folder.scan(), now, policy)
        assert changes.next_look is None or changes.next_look > now
        for version in changes.versions:
            assert version.incident.resolved == (b"resolved" in (folder.files[version.file].data or b""))
            known[version.incident.id] = KnownVersion(version.incident, version.digest, version.file)
        for gone in changes.gone:
            del known[gone]
    assert changes.next_look is None
    counted = {(each.file, each.digest) for each in known.values()}
    held = [listed for listed in folder.files.values() if listed.data is not None]
    if len(held) == 1 and b"severity" in (held[0].data or b""):
        assert (held[0].name, held[0].digest) in counted
    if all((listed.name, listed.digest) in counted for listed in held):
        restarted = Intake(known)
        assert restarted.observe(folder.scan(), now, policy).versions == ()
        assert restarted.observe(folder.scan(), now + timedelta(seconds=30), policy).versions == ()


RESOLVED = tuple(f"title: {title}\nseverity: sev1\nstatus: resolved\n" for title in "xyz")
HINTS = st.one_of(st.none(), st.lists(st.sampled_from((*NAMES, "e.yaml", "never.yaml")), max_size=4))
LOOKS = st.lists(
    st.tuples(
        st.lists(
            st.one_of(
                st.tuples(st.just("write"), st.sampled_from(NAMES), st.sampled_from((*CONTENTS, *RESOLVED))),
                st.tuples(st.just("remove"), st.sampled_from(NAMES), st.just("")),
                st.tuples(st.just("rename"), st.sampled_from(NAMES), st.sampled_from((*NAMES, "e.yaml"))),
                st.tuples(st.just("obstruct"), st.sampled_from(NAMES), st.just("")),
            ),
            max_size=3,
        ),
        st.sampled_from([0.0, 0.1, 1.0, 2.0, 4.0, 11.0]),
        HINTS,
    ),
    max_size=10,
)


def news(*brought: Changes) -> Counter[Any]:
    """All that looks brought, in whatever order."""
    return Counter(
        thing
        for changes in brought
        for field in ("versions", "overwritten", "gone", "unknown", "mended", "returned", "notices", "missing", "left")
        for thing in getattr(changes, field)
    )


def state(intake: Intake) -> Any:
    """All that an intake remembers that what it says depends on."""
    kept = deepcopy(vars(intake))
    files = vars(kept.pop("_files"))
    seldom = {"_listing", "_contents"}
    past, policy = vars(kept.pop("_past")), kept.pop("_policy")
    for file in files["present"].values():
        file.reading = None  # it can be read again
    return kept, past, policy is None, {name: value for name, value in files.items() if name not in seldom}


@settings(max_examples=some(500), deadline=None)
@given(LOOKS)
def test_a_hint_is_only_a_hint(looks: list[tuple[list[tuple[str, str, str]], float, list[str] | None]]) -> None:
    """Whatever happens in the folder and whatever is said of it, rightly or not: what counts from a look at some files
    alone counts from a look at the whole folder at that instant; and the whole folder, looked through after that,
    brings the rest, no more, and leaves what a look without any hint would have left.
    """
    folder, policy, now = FakeFolder(), small_policy(), datetime(2026, 11, 23, tzinfo=UTC)
    intake = Intake({})
    intake.observe(folder.scan(), now, policy)
    for steps, seconds, hints in looks:
        for step in steps:
            act(folder, *step)
        now += timedelta(seconds=seconds)
        if hints is None:
            intake.observe(folder.scan(), now, policy)
            continue
        names = frozenset[str]().union(*map(same_stem, hints))
        unhinted, hinted = deepcopy(intake), intake
        whole = unhinted.observe(folder.scan(), now, policy)
        found = folder.look_at(names)
        assert found is not None
        first = hinted.observe_found(names, found, now, policy)
        assert news(first) <= news(whole)
        after = deepcopy(hinted)
        assert news(first, after.observe(folder.scan(), now, policy)) == news(whole)
        assert state(after) == state(unhinted)
        if first.next_look is not None:
            intake = after


@settings(max_examples=some(300), deadline=None)
@given(LOOKS)
def test_hints_bring_what_looks_without_them_bring(
    looks: list[tuple[list[tuple[str, str, str]], float, list[str] | None]],
) -> None:
    """When each change is said, and nothing else, the same versions count at the same instants as without a hint."""
    folder, policy, now = FakeFolder(), small_policy(), datetime(2026, 11, 23, tzinfo=UTC)
    unhinted, hinted = Intake({}), Intake({})
    for intake in (unhinted, hinted):
        intake.observe(folder.scan(), now, policy)
    for steps, seconds, _ in looks:
        now += timedelta(seconds=seconds)
        whole = unhinted.observe(folder.scan(), now, policy)
        assert news(hinted.observe(folder.scan(), now, policy)) == news(whole)
        before = dict(folder.files)
        for step in steps:
            act(folder, *step)
        changed = {name for name in before.keys() | folder.files if before.get(name) != folder.files.get(name)}
        names = frozenset[str]().union(*map(same_stem, changed))
        whole, brought = unhinted.observe(folder.scan(), now, policy), []
        found = folder.look_at(names)
        assert found is not None
        brought.append(hinted.observe_found(names, found, now, policy))
        if brought[0].next_look is not None:
            brought.append(hinted.observe(folder.scan(), now, policy))
        assert news(*brought) == news(whole)
