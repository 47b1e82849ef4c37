"""`tocsin nodes` with a ledger in a file, and what is said of machines that share one (P7)."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tocsin.adapters.clock import SystemClock
from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.adapters.ledger.sqlite.lock import Lock
from tocsin.app.doctor.machines import differences, examine_machines, is_grave, seen, stranger, taken_by_another
from tocsin.app.leadership.this_node import compared_revision, key_fingerprint
from tocsin.app.lifecycle.folders import ConfigOnDisk
from tocsin.app.lifecycle.health import HEALTHY
from tocsin.cli.nodes import command
from tocsin.cli.output.nodes_lines import lines
from tocsin.ports.leadership import Machines, Node, NodeState

from tests.fakes.bounded_work import JUDGE
from tests.unit.cli.test_resubscribe import folder, with_ledger

__all__ = ["folder"]
NOW = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)


def nodes(folder: Path, form: str) -> Result:
    return CliRunner().invoke(command, ["--config", str(folder / "config"), "--format", form])


def test_one_machine_with_a_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon that works on it leads; without it none does, and the exit status is 1; without a ledger that is told."""
    none = nodes(folder, "json")
    assert (none.exit_code, none.stderr) == (1, "there is no ledger yet; which machines share it is kept there\n")
    monkeypatch.setenv("TOCSIN_NODE", "attic")
    monkeypatch.setenv("TOCSIN_WEB__SIGNING_KEY", "k" * 32)
    with_ledger(folder, lambda ledger: ledger.claim_notice(HEALTHY, datetime.now(UTC), timedelta(0)))
    stopped = json.loads(nodes(folder, "json").stdout)
    assert (stopped["leader"], [node["state"] for node in stopped["nodes"]]) == (None, ["silent"])
    assert nodes(folder, "text").exit_code == 1
    lock = Lock(folder / "var" / "tocsin.db")
    try:
        done = nodes(folder, "json")
        (node,) = json.loads(done.stdout)["nodes"]
        text = nodes(folder, "text").stdout
    finally:
        lock.release()
    assert (done.exit_code, json.loads(done.stdout)["leader"], json.loads(done.stdout)["epoch"]) == (0, "attic", 0)
    assert (node["name"], node["state"], node["key"]) == ("attic", "leading", key_fingerprint(["k" * 32]))
    assert text.startswith("attic leads; none stands by (term 0)\n\nattic: leads since ")


def _node(name: str, *, ago: float = 0.0, **row: object) -> Node:
    last_word = NOW - timedelta(seconds=ago)
    values = {"version": "0.5.0", "schema": "0009", "key": "k1", "providers_ok": True} | row
    return Node(f"{name}-id", name, f"/{name}", NodeState.STANDING_BY, NOW - timedelta(hours=1), last_word, **values)


def _machines(*rows: Node, leader: str = "attic-id", renewed: float = 1.0) -> Machines:
    return Machines(3, leader, NOW - timedelta(seconds=renewed), NOW, rows)


@pytest.mark.parametrize(
    ("machines", "leader", "states"),
    [
        (_machines(_node("attic"), _node("hall")), "attic", ["leading", "standing_by"]),
        (_machines(_node("attic"), _node("hall"), renewed=10.1), None, ["standing_by", "standing_by"]),
        (_machines(_node("attic"), _node("hall"), leader=""), None, ["standing_by", "standing_by"]),
        (_machines(_node("attic", ago=31), _node("hall", ago=29)), None, ["silent", "standing_by"]),
        (_machines(_node("attic"), _node("hall", stopped=True)), "attic", ["leading", "silent"]),
    ],
)
def test_what_a_row_means_now(machines: Machines, leader: str | None, states: list[str]) -> None:
    """Not what it said then: a lease lasts 10 s, and who says nothing for 30 s is silent."""
    now = seen(machines)
    assert (now.leader, [one.state for one in now.nodes]) == (leader, states)


def test_who_lost_the_lead_without_a_word_does_not_stand_by() -> None:
    """A leader that was killed says "leading" for ever; one that lives says at once that it stands by."""
    dead = replace(_node("hall", ago=12), state=NodeState.LEADING)
    assert [one.state for one in seen(_machines(_node("attic"), dead)).nodes] == ["leading", "silent"]


def test_configs_are_compared_without_what_is_each_machines_own(tmp_path: Path) -> None:
    """tocsin.yaml names the machine (P9); that a clone is not clean for it, or no clone, is no difference."""
    configs = []
    for name, more in (("attic", b""), ("hall", b""), ("shed", b"# newer")):
        files = {"tocsin.yaml": f"node: {name}".encode(), "all.yaml": b"people: {}" + more}
        disk = ConfigOnDisk(tmp_path, {}, SystemClock(), DiskThreads("config"), JUDGE)
        disk.reading = replace(disk.reading, files=files, revision=f"c0ffee+{name}" if name != "hall" else "sha256:77")
        configs.append(disk.revision)
    attic, hall, shed = (
        replace(_node(name), config=config) for name, config in zip(("attic", "hall", "shed"), configs, strict=True)
    )
    assert (attic.config, hall.config) == (f"c0ffee {hall.config}", attic.config.removeprefix("c0ffee "))
    assert "configs differ" not in "\n".join(lines(seen(_machines(attic, hall)), NOW))
    told = "\n".join(lines(seen(_machines(attic, hall, shed)), NOW))
    assert f"! configs differ beside tocsin.yaml (attic {attic.config}; hall {hall.config}; shed {shed.config})" in told
    assert compared_revision("", "") == ""


def test_what_does_not_go_together_is_told() -> None:
    """Keys (a failure of doctor's), versions (an upgrade half done), a machine alone, one that fell silent, one that has
    this one's name.
    """
    rows = _node("attic"), _node("hall", key="", version="0.6.0"), _node("shed", ago=90), _node("pit", stopped=True)
    text = "\n".join(lines(seen(_machines(*rows)), NOW))
    assert "configs differ" not in text
    assert "! signing keys differ (hall without one; attic k1), and links" in text
    assert "! versions differ (0.5.0, 0.6.0): upgrade the others too" in text
    assert "shed: silent since Mon 23 Nov 2026 10:28 UTC" in text
    assert "pit: stopped since" in text
    checks = examine_machines(_machines(*rows), ())
    told = [(check.ok, check.target, bool(check.cure)) for check in checks]
    assert told == [
        (True, "the lead", False),
        (True, "shed", True),
        (False, "all machines", True),
        (True, "all machines", True),
    ]
    (alone,) = examine_machines(_machines(_node("attic")), ())
    assert (alone.ok, "a second one" in alone.cure) == (True, True)
    headless, taken = examine_machines(
        _machines(_node("attic"), leader=""), ["a tocsin that lives has it: name another"]
    )
    assert (headless.ok, taken.ok, taken.cure) == (False, False, "name another")


def test_this_machines_clock_with_the_databases() -> None:
    """R60: from 2 s on it is told with its cure, by `nodes` and by `doctor`, and is no failure."""
    machines = _machines(_node("attic"), _node("hall"))
    for ahead, stands in (
        (timedelta(seconds=-2), ""),
        (timedelta(seconds=3), "3s ahead of"),
        (-timedelta(hours=1), "1h behind"),
    ):
        text = "\n".join(lines(seen(machines), NOW, ahead))
        assert (f"! this machine's clock is {stands} that of the database" in text) is bool(stands)
        told = [(check.ok, check.message, bool(check.cure)) for check in examine_machines(machines, (), "", ahead)[1:]]
        what = f"this machine's clock is {stands} that of the database, which tocsin goes by"
        assert told == ([(True, what, True)] if stands else [])


def test_who_has_just_begun_is_not_said_to_reach_nobody() -> None:
    """It has not tried yet; later, and of who leads, it is said."""
    hall = replace(_node("hall", providers_ok=False), since=NOW - timedelta(seconds=5))
    assert "provider" not in "\n".join(lines(seen(_machines(hall)), NOW))
    assert "reaches no provider" in "\n".join(lines(seen(_machines(hall)), NOW + timedelta(seconds=10)))
    assert "reaches no provider" in "\n".join(lines(seen(_machines(hall, leader=hall.id)), NOW))


def test_a_name_is_taken_only_by_who_lives_elsewhere() -> None:
    """R43: by name and folder together."""
    machines = _machines(_node("attic"), _node("hall", ago=31))
    assert "give one of the two another name" in taken_by_another(machines, "attic", "/attic", runs_here=False)
    for name, path, runs_here in (("attic", "/attic", True), ("attic", "/other", False), ("hall", "/hall", False)):
        assert taken_by_another(machines, name, path, runs_here=runs_here) == ""


def test_two_machines_with_one_name_are_told() -> None:
    """A cloned machine watches its own folder and joins: `nodes` and `doctor` say so, and `check` before its start."""
    twins = _machines(_node("attic"), replace(_node("hall"), name="attic"), _node("shed", ago=31))
    (told,) = differences(seen(twins).nodes)
    assert told.startswith("machines have one name, attic (folders /attic, /hall)")
    assert is_grave(told)
    assert [check.ok for check in examine_machines(twins, ())] == [True, True, False]
    first = _machines(_node("attic"), _node("hall", ago=31))
    (told,) = stranger(first, "attic", "/other", "k1", runs_here=False)
    assert "a machine that lives has this one's name, attic, with the folder /attic: give this one its own" in told
    assert list(stranger(first, "hall", "/other", "k1", runs_here=False)) == []


def test_a_machine_of_another_installation_is_told_before_it_joins() -> None:
    """Its key is that of none that lives; a key that is not known here says nothing, nor one that has joined."""
    machines = _machines(_node("attic"), _node("hall", key=""), _node("shed", ago=31, key="k3"))
    (told,) = stranger(machines, "pit", "/pit", "k3", runs_here=False)
    assert "this machine's signing key, k3, is that of no machine that lives (k1 attic, without one hall)" in told
    *_, check = examine_machines(machines, [told])
    assert (check.ok, check.cure.startswith("give it a database of its own")) == (False, True)
    for key, runs_here, name in (("k1", False, "pit"), ("", False, "pit"), ("k3", True, "attic")):
        assert list(stranger(machines, name, f"/{name}", key, runs_here=runs_here)) == []
    assert list(stranger(_machines(), "pit", "/pit", "k3", runs_here=False)) == []


def test_a_fingerprint_tells_keys_apart() -> None:
    """All of them, in their order; none of it is in them."""
    prints = [key_fingerprint(keys) for keys in (["a"], ["b"], ["a", "b"], ["b", "a"], ["ab"])]
    assert len(set(prints)) == 5
    assert {len(text) for text in prints} == {12}
    assert key_fingerprint([]) == ""


def test_doctor_tells_of_the_database_of_another_installation() -> None:
    """P7: two installations need two databases; where nothing is remembered nothing is said."""
    machines = replace(_machines(_node("attic")), installation="theirs")
    *_, told = examine_machines(machines, (), "ours")
    assert (told.target, told.ok) == ("the database", False)
    assert "that of installation theirs; the one that this machine used last was that of ours" in told.message
    assert examine_machines(machines, (), "theirs") == examine_machines(machines, ())
