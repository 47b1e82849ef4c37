"""One machine is cut off: from the database, from the providers, from everything (rules 52 and 53, R54, section 9)."""

import time

import pytest

from tests.cluster.conftest import Makes
from tests.fakes.cluster import Cluster, Machine
from tests.fakes.cluster_truth import ANA, all_is_well, copies, open_tries, paged, wholly_paged
from tests.fakes.storm import storm

STORM = range(1, 31)


def healed(cluster: Cluster, machine: Machine, numbers: range) -> None:
    """It is let back in: it stands by, nothing is lost, and what came twice is marked."""
    machine.heal()
    cluster.until(lambda: cluster.reported(machine.name), 30)
    cluster.until(lambda: wholly_paged(cluster, numbers), 40)
    cluster.until(lambda: not open_tries(cluster), 40)
    time.sleep(5)
    assert cluster.leader != machine.name
    all_is_well(cluster, numbers)


@pytest.mark.attack
@pytest.mark.parametrize("how", ["cut", "silence", "deafen"])
def test_the_leader_loses_the_database(make_cluster: Makes, how: str) -> None:
    """Refused, behind a firewall that drops, or with no answer coming back: the other takes over within 15 s and pages.
    What the one that was cut off sends from memory meanwhile is two copies at most, and marked (R54).
    """
    cluster = make_cluster()
    one = cluster.begin()
    with storm(cluster, STORM, 25):
        time.sleep(3)
        getattr(one.to_database, how)()
        cut = time.time()
        cluster.until(lambda: cluster.leader == "two", 17)
        assert time.time() - cut < 15
    time.sleep(20)
    cluster.until(lambda: wholly_paged(cluster, STORM), 40)
    healed(cluster, one, STORM)
    most = {message: count for message, count in copies(cluster).items() if count > 2}
    assert not most


@pytest.mark.attack
@pytest.mark.parametrize("how", ["cut", "silence"])
def test_the_leader_loses_everything(make_cluster: Makes, how: str) -> None:
    """The network of one machine is gone: nothing of it is heard of; the other pages all there is. Nothing is doubled
    but what was under way.
    """
    cluster = make_cluster()
    one = cluster.begin()
    with storm(cluster, STORM, 10):
        time.sleep(4)
        for way in (one.to_database, one.to_relay, one.to_twilio):
            getattr(way, how)()
        cut = time.time()
        cluster.until(lambda: cluster.leader == "two", 17)
        assert time.time() - cut < 15
    cluster.until(lambda: wholly_paged(cluster, STORM), 40)
    healed(cluster, one, STORM)
    assert len(copies(cluster)) <= 6, copies(cluster)


@pytest.mark.attack
@pytest.mark.parametrize("how", ["cut", "silence"])
def test_the_leader_loses_its_providers(make_cluster: Makes, how: str) -> None:
    """It leads and its pages reach nobody: after a minute it gives the lead to a machine that reaches a provider (P9).
    What was deferred leaves there as its waits run out, a page within 36 s, a mail to a plain address within 72 (rule
    35).
    """
    cluster = make_cluster()
    one = cluster.begin()
    time.sleep(5)
    for way in (one.to_relay, one.to_twilio):
        getattr(way, how)()
    cluster.declare(1)
    began = time.time()
    cluster.until(lambda: cluster.leader == "two", 100)
    handed_over = time.time()
    cluster.until(lambda: wholly_paged(cluster, [1]), 80)
    assert paged(cluster, 1)[0].at - began < 90
    assert max(page.at for page in paged(cluster, 1)) - handed_over < 40
    healed(cluster, one, range(1, 2))
    assert len(paged(cluster, 1)) == len(ANA)


@pytest.mark.attack
def test_a_standby_loses_the_database(make_cluster: Makes) -> None:
    """What is new in its own folder alone is paged from its memory after 30 s, marked, and recorded once it is back
    (R54).
    """
    cluster = make_cluster()
    cluster.begin()
    two = cluster.machines["two"]
    cluster.declare(1)
    cluster.until(lambda: wholly_paged(cluster, [1]))
    time.sleep(2)
    two.to_database.silence()
    time.sleep(3)
    cluster.declare(2, "two")
    began = time.time()
    cluster.until(lambda: len(paged(cluster, 2)) == len(ANA), 60)
    assert 20 < paged(cluster, 2)[0].at - began < 50
    assert cluster.leader == "one"
    healed(cluster, two, range(1, 3))
    assert not copies(cluster), "it counts as sent"


@pytest.mark.attack
def test_a_slow_way_to_the_database(make_cluster: Makes) -> None:
    """25 ms each way (another continent) is no reason to hand over, and loses and doubles nothing."""
    cluster = make_cluster()
    cluster.begin()
    for machine in cluster.machines.values():
        machine.to_database.delay(0.025)
    with storm(cluster, STORM, 10):
        pass
    cluster.until(lambda: wholly_paged(cluster, STORM), 60)
    time.sleep(12)
    all_is_well(cluster, STORM)
    assert cluster.epoch == 1
    assert not copies(cluster)
