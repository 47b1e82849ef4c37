"""The laws of the intake, whatever people and editors do to the folder."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tocsin.app.intake.intake import Intake
from tocsin.app.state.incident_state import KnownVersion

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
