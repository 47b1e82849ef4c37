"""The sample of what tests/cluster does at length: a machine dies, and one is stopped cleanly (section 9, R55)."""

import signal
import time

from tests.cluster.conftest import Makes
from tests.fakes.cluster_truth import all_is_well, copies, paged, told, wholly_paged

TAKES_OVER = 15.0
"""Seconds from a leader's death until pages leave from another machine (section 9)."""

TAKEN_OVER = "two has taken over from one, which fell silent; pages go on from here"
"""What operators hear of it, once."""


def test_a_machine_dies_and_one_is_stopped(make_cluster: Makes) -> None:
    """Killed: what is declared then in both folders, and in the other machine's alone, is paged from there within 15 s. Then a clean stop: the other leads at once. Nothing is lost, and what came twice is marked."""
    cluster = make_cluster()
    for machine in cluster.machines.values():
        machine.quick = True
    one, two = cluster.begin(), cluster.machines["two"]
    cluster.declare(1)
    cluster.until(lambda: wholly_paged(cluster, [1]))
    one.kill()
    killed, taking = time.time(), two.stopwatch()
    cluster.declare(2)
    cluster.declare(3, "two")
    cluster.until(lambda: wholly_paged(cluster, [1, 2, 3]))
    assert cluster.leader == "two"
    assert max(paged(cluster, number)[0].at for number in (2, 3)) - killed - taking.stood_in_line < TAKES_OVER
    one.begin()
    cluster.until(lambda: cluster.reported("one"))
    assert cluster.leader == "two"
    cluster.until(lambda: TAKEN_OVER in " ".join(told(cluster).split()))
    assert "Subject: tocsin on two:" in told(cluster), "a machine is called what `node` calls it"
    cluster.declare(4, "one")
    before = set(copies(cluster))
    leading = one.stopwatch()
    assert two.stop(signal.SIGTERM) == 0
    cluster.until(lambda: cluster.leader == "one")
    led = leading.seconds
    cluster.until(lambda: wholly_paged(cluster, [4]))
    assert led < 4, "2 s at most for tries under way, and one look of the standby"
    assert set(copies(cluster)) == before, "a clean stop doubles nothing"
    all_is_well(cluster, [1, 2, 3, 4])
    assert one.stop() == 0
    assert "taken over from two" not in " ".join(told(cluster).split()), "a clean hand-over is nobody's news"
