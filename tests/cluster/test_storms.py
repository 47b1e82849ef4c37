"""Machines come and go while hundreds of incidents are open (section 9, rules 52 and 53, R54, R55)."""

import signal
import time

import pytest

from tests.cluster.conftest import Makes
from tests.fakes.cluster_truth import all_is_well, copies, marked, open_tries, taken, told, wholly_paged
from tests.fakes.storm import storm

STORM = range(1, 201)
SLOW_STORM = range(1, 13)
NOT_SENT = "SELECT count(*) FROM attempts WHERE outcome LIKE %s"


@pytest.mark.attack
def test_a_rolling_restart(make_cluster: Makes) -> None:
    """Three machines, each stopped cleanly and started again, twice round, while 200 incidents are declared: nothing is
    lost, nothing comes twice, and each handover takes less than 3 s.
    """
    cluster = make_cluster("one", "two", "three")
    cluster.begin()
    spans = []
    with storm(cluster, STORM, 40):
        for name in ("one", "two", "three") * 2:
            machine, led = cluster.machines[name], cluster.leader == name
            assert machine.stop(signal.SIGTERM) == 0
            stopped = time.time()
            cluster.until(lambda name=name: cluster.leader not in {"", name}, 10)
            if led:
                spans.append(time.time() - stopped)
            machine.begin()
            cluster.until(lambda name=name: cluster.reported(name))
            time.sleep(2)
    cluster.until(lambda: wholly_paged(cluster, STORM), 60)
    cluster.until(lambda: not open_tries(cluster))
    time.sleep(5)
    all_is_well(cluster, STORM)
    assert not copies(cluster), copies(cluster)
    assert spans
    assert max(spans) < 3, spans
    assert "took over" not in told(cluster), "a clean handover is logged, not told"


@pytest.mark.attack
@pytest.mark.parametrize(("phase", "seconds"), [("data", 2), ("dot", 1)])
def test_a_rolling_restart_with_a_slow_relay(make_cluster: Makes, phase: str, seconds: int) -> None:
    """The relay takes its time for each mail. What had no dot yet as its machine stopped is recorded as not sent, and
    leaves from the next one at once; what had is waited for: nothing comes twice, no try is marked, none is late.
    """
    cluster = make_cluster("one", "two", "three")
    cluster.begin()
    cluster.relay.wrong(phase, f"slow {seconds}")
    with storm(cluster, SLOW_STORM, 24):
        for _ in range(3):
            time.sleep(3)
            name = cluster.leader
            assert cluster.machines[name].stop(signal.SIGTERM) == 0
            cluster.until(lambda name=name: cluster.leader not in {"", name}, 10)
            cluster.machines[name].begin()
            cluster.until(lambda name=name: cluster.reported(name))
    cluster.until(lambda: wholly_paged(cluster, SLOW_STORM), 60)
    cluster.until(lambda: not open_tries(cluster))
    all_is_well(cluster, SLOW_STORM)
    assert not copies(cluster), copies(cluster)
    assert not marked(cluster), marked(cluster)
    if phase == "data":
        assert cluster.ask(NOT_SENT, "%does not lead%") != [(0,)]
    seen = dict(cluster.ask("SELECT incident, min(at)::timestamptz FROM notifications WHERE kind = 'page' GROUP BY 1"))
    late = max(it.at - seen[f"f{it.number:04}"].timestamp() for it in taken(cluster) if it.kind == "page")
    assert late < 10, late


@pytest.mark.attack
def test_one_paused_one_cut_off_one_killed(make_cluster: Makes) -> None:
    """Three machines and 200 open incidents: the leader is killed, who follows is paused, who follows then is cut off;
    the paused one goes on, the killed one comes back, the cut is mended.
    """
    cluster = make_cluster("one", "two", "three")
    cluster.begin()
    with storm(cluster, STORM, 8):
        time.sleep(6)
        cluster.machines["one"].kill()
    cluster.until(lambda: cluster.leader in {"two", "three"}, 15)
    second = cluster.machines[cluster.leader]
    time.sleep(0.5)
    second.pause()
    third = cluster.other("one", second.name)
    cluster.until(lambda: cluster.leader == third.name, 15)
    cluster.declare(301)
    time.sleep(0.5)
    third.cut_off()
    second.go_on()
    cluster.until(lambda: cluster.leader == second.name, 20)
    cluster.machines["one"].begin()
    cluster.declare(302)
    everything = [*STORM, 301, 302]
    cluster.until(lambda: wholly_paged(cluster, everything), 60)
    third.heal()
    cluster.until(lambda: all(cluster.reported(name) for name in cluster.machines), 30)
    cluster.until(lambda: not open_tries(cluster), 40)
    time.sleep(10)
    all_is_well(cluster, everything)


@pytest.mark.attack
def test_kills_in_a_storm(make_cluster: Makes) -> None:
    """Whoever leads is killed, five times, while 200 incidents are declared; each comes back at once."""
    cluster = make_cluster("one", "two", "three")
    cluster.begin()
    with storm(cluster, STORM, 60):
        for _ in range(5):
            time.sleep(2)
            leads = cluster.machines[cluster.leader]
            leads.kill()
            cluster.until(lambda name=leads.name: cluster.leader not in {"", name}, 20)
            leads.begin()
            cluster.until(lambda name=leads.name: cluster.reported(name))
    cluster.until(lambda: wholly_paged(cluster, STORM), 60)
    cluster.until(lambda: not open_tries(cluster), 40)
    time.sleep(5)
    all_is_well(cluster, STORM)
