"""The machines that share a ledger, as their rows in it show them: who leads, who stands by, who has fallen silent.

Decides what a row means by now, by the database's clock, and what does not go together. Must not know how it is
printed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.app.doctor.check import Check
from tocsin.planning.machines.clocks import differs
from tocsin.planning.machines.leadership import LEASE, SILENT
from tocsin.ports.leadership import Machines, Node, NodeState
from tocsin.text.cleaning import shown
from tocsin.text.times import apart

MACHINES = "machines"
KEYS_DIFFER = "signing keys differ"
ONE_NAME = "machines have one name"
LEADING, STANDING_BY, SILENT_STATE = "leading", "standing_by", "silent"


@dataclass(frozen=True, slots=True)
class SeenNode:
    """A machine, its state as it is now, and since when it is in that."""

    node: Node
    state: str
    since: datetime


@dataclass(frozen=True, slots=True)
class SeenMachines:
    """All of them; the name of the one that leads, or None."""

    epoch: int
    leader: str | None
    nodes: tuple[SeenNode, ...]


def seen(machines: Machines) -> SeenMachines:
    """What the rows mean now. Who has not renewed the lease for as long as it lasts does not lead, whatever its row
    says.
    """
    lasts = machines.renewed_at is not None and machines.now - machines.renewed_at <= timedelta(seconds=LEASE)
    nodes = tuple(_seen(node, machines, lasts=lasts) for node in machines.nodes)
    leader = next((one.node.name for one in nodes if one.state == LEADING), None)
    return SeenMachines(machines.epoch, leader, nodes)


def _seen(node: Node, machines: Machines, *, lasts: bool) -> SeenNode:
    if not lives(node, machines.now):
        return SeenNode(node, SILENT_STATE, node.last_word or node.since)
    if node.id == machines.leader and lasts:
        return SeenNode(node, LEADING, node.since)
    if node.state is NodeState.LEADING and node.id != machines.leader:
        return SeenNode(node, SILENT_STATE, node.last_word or node.since)  # it lost the lead, and has not said so
    return SeenNode(node, STANDING_BY, node.since)


def lives(node: Node, now: datetime) -> bool:
    """Whether its daemon has not stopped, and said so lately."""
    return not node.stopped and node.last_word is not None and now - node.last_word <= timedelta(seconds=SILENT)


def differences(nodes: Sequence[SeenNode]) -> Iterator[str]:
    """What the machines that live do not have alike and ought to, or have and ought not to, each in a sentence with its
    cure: links that one has signed are none to another with another key (P8), and operators know a machine by its name.
    """
    living = [one.node for one in nodes if one.state != SILENT_STATE]
    for name in sorted({node.name for node in living}):
        folders = sorted(shown(node.folder) for node in living if node.name == name)
        if len(folders) > 1:
            what = f"{ONE_NAME}, {shown(name)} (folders {', '.join(folders)}), so nobody knows which a message means"
            yield f"{what}: give each its own (node in its tocsin.yaml), and restart it"
    by_key: dict[str, list[str]] = {}
    for node in living:
        by_key.setdefault(node.key, []).append(shown(node.name))
    if len(by_key) > 1:
        parted = "; ".join(
            f"{', '.join(sorted(names))} {key or 'without one'}" for key, names in sorted(by_key.items())
        )
        why = "links and buttons of one do not work on another"
        yield f"{KEYS_DIFFER} ({parted}), and {why}: give all machines the same"
    configs = {shown(node.name): node.config for node in living if node.config}
    if len({config.rpartition(" ")[2] for config in configs.values()}) > 1:
        each = "; ".join(f"{name} {shown(config)}" for name, config in sorted(configs.items()))
        why = "the leader's is in force"
        yield f"configs differ beside tocsin.yaml ({each}), and {why}: bring the same fragments and calendars to all"
    versions = sorted({node.version for node in living if node.version})
    if len(versions) > 1:
        yield f"versions differ ({', '.join(versions)}): upgrade the others too"


def taken_by_another(machines: Machines, name: str, folder: str, *, runs_here: bool) -> str:
    """What is wrong where a daemon of another machine has this one's name and folder; empty: nothing. `runs_here`: a
    healthy daemon watches that folder from this machine, so the row is its own.
    """
    if runs_here:
        return ""
    rows = [node for node in machines.nodes if (node.name, node.folder) == (name, folder)]
    if not any(lives(node, machines.now) for node in rows):
        return ""
    return (
        f"a tocsin that lives has this machine's name, {shown(name)}, and folder, {shown(folder)}, in the ledger, and "
        "none runs here: give one of the two another name (node: in its tocsin.yaml), or end the other"
    )


def is_grave(difference: str) -> bool:
    """Whether it is more than an upgrade or a pull that is half done."""
    return difference.startswith((KEYS_DIFFER, ONE_NAME))


def stranger(machines: Machines, name: str, folder: str, key: str, *, runs_here: bool) -> Iterator[str]:
    """What would be wrong if this machine, of which no daemon has joined the others yet, did now: it has the name of
    one that lives, or a signing key that none of them has; each with its cure. An empty `key` is not known here.
    """
    living = [node for node in machines.nodes if lives(node, machines.now)]
    if runs_here and any((node.name, node.folder) == (name, folder) for node in living):
        return
    if other := next((node for node in living if node.name == name and node.folder != folder), None):
        what = f"a machine that lives has this one's name, {shown(name)}, with the folder {shown(other.folder)}"
        yield f"{what}: give this one its own (node in its tocsin.yaml), or end the other"
    if key and living and key not in {node.key for node in living}:
        keys = sorted({f"{node.key or 'without one'} {shown(node.name)}" for node in living})
        what = f"this machine's signing key, {key}, is that of no machine that lives ({', '.join(keys)}), so it may be"
        cure = "give it a database of its own (ledger); else give all machines the same web.signing_key"
        yield f"{what} another installation, whose people this one would page: {cure}"


def clock_trouble(ahead: timedelta) -> str:
    """What is wrong where this machine's own clock is so far ahead of the database's (R60); empty: nothing."""
    if not differs(ahead):
        return ""
    what = f"this machine's clock is {apart(ahead)} that of the database, which tocsin goes by"
    return f"{what}: see that time servers set both (timedatectl, chronyc tracking)"


def examine_machines(
    machines: Machines, taken: Iterable[str], known: str = "", clock_ahead: timedelta = timedelta(0)
) -> list[Check]:
    """Who leads; what the machines do not have alike; whether another one is `taken` for this one, or this one is a
    `stranger` to them; how far this one's clock is ahead of the database's; and whether the database is that of the
    installation whose this machine used last, as far as that is `known` (P7).
    """
    all_seen = seen(machines)
    living = [one for one in all_seen.nodes if one.state != SILENT_STATE]
    silent = [one for one in all_seen.nodes if one.state == SILENT_STATE and not one.node.stopped]
    checks = []
    if all_seen.leader is None:
        cure = "start one (systemctl start tocsin), or see in its log why none takes the lead"
        checks.append(Check(MACHINES, "the lead", False, "no machine leads: nobody is paged", cure))
    else:
        alone = "" if len(living) > 1 else "let a second one stand by: nobody takes over when this one dies"
        words = f"{shown(all_seen.leader)} leads; {len(living)} of {len(all_seen.nodes)} machines live"
        checks.append(Check(MACHINES, "the lead", True, words, alone))
    for one in silent:
        name = shown(one.node.name)
        why = f"{name} has said nothing since {one.since:%Y-%m-%d %H:%M} UTC, and did not stop cleanly"
        checks.append(Check(MACHINES, name, True, why, "see whether it, or its way to the database, is down"))
    for difference in differences(all_seen.nodes):
        what, _, cure = difference.rpartition(": ")
        checks.append(Check(MACHINES, "all machines", not is_grave(difference), what, cure))
    for trouble in taken:
        what, _, cure = trouble.partition(": ")
        checks.append(Check(MACHINES, "this machine", False, what, cure))
    if trouble := clock_trouble(clock_ahead):
        what, _, cure = trouble.partition(": ")
        checks.append(Check(MACHINES, "this machine's clock", True, what, cure))
    if known and machines.installation not in {"", known}:
        what = (
            f"the ledger's database is that of installation {shown(machines.installation)}; the one that this machine "
            f"used last was that of {shown(known)}"
        )
        cure = "if that is not meant, put ledger: and TOCSIN_LEDGER right: two installations need two databases"
        checks.append(Check(MACHINES, "the database", False, what, cure))
    return checks
