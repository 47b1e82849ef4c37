"""SIGSTOP for a minute, as a paused virtual machine: at each point of a mail and of an SMS (rules 40, 52, 53)."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.conftest import Makes
from tests.fakes.cluster import Cluster, Machine
from tests.fakes.cluster_truth import ANA, all_is_well, copies, open_tries, paged, taken, wholly_paged
from tests.fakes.stopping_point import StoppingPoint

MINUTE = 60.0
"""Seconds for which the leader is stopped: its lease is over after 10."""
MAIL, SMS = ANA


def waits(points: Path) -> Callable[[], bool]:
    """Whether a stand-in holds somebody."""
    return lambda: points.exists() and '"held"' in points.read_text()


def stop_for_a_minute(cluster: Cluster, one: Machine, *, begun: float) -> None:
    """The other machine takes over and pages meanwhile; the one that was stopped wakes up, and stands by."""
    cluster.until(lambda: cluster.leader == "two", 20)
    cluster.until(lambda: wholly_paged(cluster, [1]), 45)  # what may have left waits up to 30 s (rule 40)
    time.sleep(max(0.0, begun + MINUTE - time.time()))
    woken = time.time()
    one.go_on()
    cluster.declare(2)
    cluster.until(lambda: wholly_paged(cluster, [2]))
    cluster.until(lambda: cluster.reported("one"), 20)
    cluster.until(lambda: not open_tries(cluster), 40)
    time.sleep(3)
    assert cluster.leader == "two"
    all_is_well(cluster, [1, 2])
    assert not [it for it in copies(cluster) if it[0] == 2]
    late = [it for it in taken(cluster) if it.number == 1 and it.at > woken]
    assert len(late) <= 1, f"who was stopped spoke when it woke up: {late}"


@pytest.mark.attack
@pytest.mark.parametrize("point", ["connect", "mail", "rcpt", "data", "dot"])
def test_while_the_mail_server_is_waited_for(make_cluster: Makes, point: str) -> None:
    """Stopped while it waits for the reply. What was not dotted has not left and never does (rule 53); after the dot the
    mail was taken, which nobody else can know: the second copy is marked.
    """
    cluster = make_cluster()
    one = cluster.begin()
    cluster.relay.order(away=True)
    cluster.relay.order(away=False)  # the next mail needs a new connection
    cluster.relay.wrong(point, "hold", 1, MAIL if point in {"rcpt", "data", "dot"} else "")
    cluster.declare(1)
    cluster.until(waits(cluster.relay_points))
    one.pause()
    begun = time.time()
    cluster.relay.order(go=True)
    stop_for_a_minute(cluster, one, begun=begun)
    came = len([it for it in paged(cluster, 1) if it.to == MAIL])
    assert came == (2 if point == "dot" else 1)


@pytest.mark.attack
def test_after_the_post(make_cluster: Makes) -> None:
    """Stopped while the SMS provider has the message and has not answered: it is found in the provider's list, and is
    not sent again (rule 40).
    """
    cluster = make_cluster()
    one = cluster.begin()
    cluster.twilio.wrong("create", "hold", 1, SMS)
    cluster.declare(1)
    cluster.until(waits(cluster.twilio_points))
    one.pause()
    begun = time.time()
    cluster.twilio.order(go=True)
    stop_for_a_minute(cluster, one, begun=begun)
    assert len([it for it in paged(cluster, 1) if it.to == SMS]) == 1


@pytest.mark.attack
def test_before_the_post(make_cluster: Makes) -> None:
    """Stopped when its try is in the ledger and before it knows that: nothing of it leaves when it wakes up."""
    cluster = make_cluster()
    one = cluster.begin()
    one.to_database.hold("INSERT INTO attempts", "COMMIT")
    cluster.declare(1)
    cluster.until(lambda: one.to_database.held)
    cluster.until(lambda: open_tries(cluster))
    one.pause()
    begun = time.time()
    one.to_database.release()
    stop_for_a_minute(cluster, one, begun=begun)
    assert len(paged(cluster, 1)) == len(ANA)


@pytest.mark.attack
@pytest.mark.parametrize(
    ("words", "copied"),
    [("MAIL FROM", 0), (".\r\n", 1), ("POST /2010", 1)],
    ids=["the first byte", "the dot", "the POST"],
)
def test_between_the_look_at_the_clock_and_the_byte(
    make_cluster: Makes, tmp_path: Path, words: str, copied: int
) -> None:
    """Stopped right before the byte leaves, after it was allowed to: the world forces a copy of what is whole with that
    byte. It is marked; a mail that had only begun is not dotted.
    """
    point = StoppingPoint(tmp_path)
    cluster = make_cluster()
    cluster.machines["one"].environ |= point.environ
    one = cluster.begin()
    cluster.relay.order(away=True)
    cluster.relay.order(away=False)
    point.stop("before", words, alone=words == ".\r\n")
    cluster.declare(1)
    cluster.until(lambda: point.reached and one.is_stopped)
    stop_for_a_minute(cluster, one, begun=time.time())
    assert sum(copies(cluster).values()) <= copied


@pytest.mark.attack
@pytest.mark.parametrize("words", ["INSERT INTO attempts", "INSERT INTO facts", "COMMIT"])
def test_inside_a_transaction(make_cluster: Makes, tmp_path: Path, words: str) -> None:
    """Stopped while its transaction holds the term: the database ends that within seconds, and the takeover is no later
    (notes: SET LOCAL in each transaction, since poolers drop what holds for a session).
    """
    point = StoppingPoint(tmp_path)
    cluster = make_cluster()
    cluster.machines["one"].environ |= point.environ
    one = cluster.begin()
    cluster.declare(3)
    cluster.until(lambda: wholly_paged(cluster, [3]))
    point.stop("before", words)
    cluster.declare(1)
    cluster.until(lambda: point.reached and one.is_stopped)
    begun = time.time()
    cluster.until(lambda: cluster.leader == "two", 15)
    cluster.declare(4, "two")
    cluster.until(lambda: paged(cluster, 4))
    assert paged(cluster, 4)[0].at - begun < 15
    stop_for_a_minute(cluster, one, begun=begun)
    assert len(paged(cluster, 1)) <= len(ANA)
