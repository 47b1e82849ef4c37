"""Machines whose folders differ: what only one of them has, what one of them has late (section 9, P9)."""

import signal
import time

import pytest

from tests.cluster.conftest import Makes
from tests.fakes.cluster import Cluster
from tests.fakes.cluster_truth import ANA, SUPPORT, all_is_well, copies, decided_twice, paged, taken, told, wholly_paged
from tests.fakes.pager import CONFIG

UPDATED = "title: Fault {number:04} here\nseverity: sev1\nupdates:\n- {{at: {at}, text: The disk is full}}\n"


def write(cluster: Cluster, name: str, number: int, text: str) -> None:
    """An incident's file in the folder of one machine."""
    cluster.machines[name].write(f"f{number:04}.yaml", text)


@pytest.mark.attack
def test_what_a_standby_alone_has(make_cluster: Makes) -> None:
    """Declared, updated and resolved in a standby's folder alone: the leader judges it as if it had seen it itself."""
    cluster = make_cluster()
    cluster.begin()
    cluster.declare(1, "two")
    cluster.until(lambda: wholly_paged(cluster, [1]))
    write(cluster, "two", 1, UPDATED.format(number=1, at="2026-01-01T00:00:00Z"))
    cluster.until(lambda: len([it for it in taken(cluster) if it.kind == "update"]) == 2)
    write(cluster, "two", 1, "title: Fault 0001 here\nseverity: sev1\nstatus: resolved\n")
    cluster.until(lambda: [it for it in taken(cluster) if it.kind == "closing"])
    time.sleep(3)
    assert not decided_twice(cluster)


@pytest.mark.attack
def test_a_folder_that_lags_behind(make_cluster: Makes) -> None:
    """The leader's folder has a newer version; the standby's gets the older one late, and takes the lead: it changes
    nothing, reopens nothing, and who was told hears nothing twice.
    """
    cluster = make_cluster()
    one = cluster.begin()
    cluster.declare(1, "one")
    cluster.until(lambda: wholly_paged(cluster, [1]))
    write(cluster, "one", 1, "title: Fault 0001 here\nseverity: sev1\nstatus: resolved\n")
    cluster.until(lambda: {it.to for it in taken(cluster) if it.kind == "closing"} == {*ANA, SUPPORT})
    before = taken(cluster)
    cluster.declare(1, "two")
    time.sleep(8)
    assert taken(cluster) == before
    assert one.stop(signal.SIGTERM) == 0
    cluster.until(lambda: cluster.leader == "two", 10)
    time.sleep(15)
    assert taken(cluster) == before
    cluster.declare(2, "two")
    cluster.until(lambda: wholly_paged(cluster, [2]))
    all_is_well(cluster, [1, 2])


@pytest.mark.attack
def test_a_file_that_a_machine_never_had(make_cluster: Makes) -> None:
    """A takeover by a machine without the file: the incident stays open, nobody is told that it is gone, `ack` there
    writes it and counts.
    """
    cluster = make_cluster()
    one, two = cluster.begin(), cluster.machines["two"]
    cluster.declare(1, "one")
    cluster.until(lambda: wholly_paged(cluster, [1]))
    one.kill()
    cluster.until(lambda: cluster.leader == "two", 15)
    time.sleep(12)
    assert "gone" not in told(cluster)
    done = two.run("ack", "f0001", "--as", "ana")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (two.folder / "incidents" / "f0001.yaml").exists()
    answered = "SELECT 1 FROM facts WHERE incident = %s AND kind = %s AND body LIKE %s"
    cluster.until(lambda: cluster.ask(answered, "f0001", "Seen", "%acknowledged%ana%"))
    assert not copies(cluster)


@pytest.mark.attack
def test_an_older_config_on_the_standbys_disk(make_cluster: Makes) -> None:
    """The leader's newer config stays in force when a machine takes over that has an older one of the ledger's revisions
    on its disk, and operators are told (P9).
    """
    cluster = make_cluster()
    one, two = cluster.begin(), cluster.machines["two"]
    cluster.declare(1)
    cluster.until(lambda: wholly_paged(cluster, [1]))
    (one.folder / "config" / "all.yaml").write_text(CONFIG.replace("chain: [ana, bo]", "chain: [bo, ana]"))
    kept = "SELECT count(DISTINCT revision) FROM configs"
    cluster.until(lambda: cluster.ask(kept)[0][0] == 2)
    one.kill()
    cluster.declare(2)
    bo = ("bo@example.com", "+14155550102")
    cluster.until(lambda: len(paged(cluster, 2, bo)) == len(bo), 25)
    time.sleep(2)
    assert not paged(cluster, 2, ANA)
    cluster.until(lambda: "older" in told(cluster), 70)
    assert two.process is not None


@pytest.mark.attack
def test_all_folders_have_the_same(make_cluster: Makes) -> None:
    """As pulls bring it: in every folder, at once or some seconds apart: it counts once."""
    cluster = make_cluster("one", "two", "three")
    cluster.begin()
    for number in range(1, 21):
        for name in cluster.machines:
            cluster.declare(number, name)
            time.sleep(0.1)
    cluster.until(lambda: wholly_paged(cluster, range(1, 21)))
    time.sleep(5)
    all_is_well(cluster, range(1, 21))
    assert not copies(cluster)
