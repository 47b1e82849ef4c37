"""The database goes away, comes back, and loses what it had said was kept (R54, section 9)."""

import json
import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.cluster.conftest import Makes
from tests.fakes.cluster import OURS, Cluster, Machine
from tests.fakes.cluster_truth import ANA, BO, all_is_well, copies, open_tries, paged, told, wholly_paged
from tests.fakes.lagging_copy import LaggingCopy
from tests.fakes.pgbouncer import PgBouncer
from tests.fakes.postgres import Server, postgres
from tests.fakes.storm import storm

STORM = range(1, 41)


def settle(cluster: Cluster, numbers: Sequence[int]) -> None:
    """Wait until all is paged and recorded, and look at all of it."""
    cluster.until(lambda: wholly_paged(cluster, numbers), 60)
    cluster.until(lambda: cluster.leader and not open_tries(cluster), 60)
    time.sleep(5)
    all_is_well(cluster, numbers)


def remembered(machine: Machine) -> set[int]:
    """The incidents of which it remembers that it handed in what its file says."""
    memory = machine.folder / "var" / "folder-memory"
    lines = memory.read_bytes().splitlines() if memory.exists() else []
    return {int(json.loads(line)["incident"].removeprefix("f")) for line in lines}


@pytest.mark.attack
def test_it_is_restarted_during_a_takeover(make_cluster: Makes, own_server: Server) -> None:
    """The leader is killed, and the database restarted while the other counts: it pages as soon as both are known."""
    cluster = make_cluster(database=own_server.make_database().url())
    one = cluster.begin()
    one.kill()
    killed = time.time()
    cluster.declare(1)
    time.sleep(8)
    own_server.restart()
    cluster.until(lambda: wholly_paged(cluster, [1]), 40)
    assert paged(cluster, 1)[0].at - killed < 25, "10 s anew at most after the restart"
    settle(cluster, range(1, 2))


@pytest.mark.attack
@pytest.mark.parametrize("away", [1, 12, 45])
def test_it_is_stopped_at_once_in_a_storm(make_cluster: Makes, own_server: Server, away: int) -> None:
    """`pg_ctl stop -m immediate` while incidents are declared; up again after some seconds."""
    cluster = make_cluster(database=own_server.make_database().url())
    cluster.begin()
    with storm(cluster, STORM, 8):
        time.sleep(3)
        own_server.stop_immediate()
        time.sleep(away)
        own_server.start()
    settle(cluster, STORM)


@pytest.mark.attack
def test_nobody_hears_of_a_commit(make_cluster: Makes) -> None:
    """What the leader says arrives, and no answer comes back; then the connection is cut. What was committed is not done
    again, what was not is.
    """
    cluster = make_cluster()
    one = cluster.begin()
    with storm(cluster, STORM, 8):
        for _ in range(4):
            time.sleep(1.5)
            one.to_database.hold("COMMIT")
            cluster.until(lambda: one.to_database.held)
            time.sleep(0.3)
            one.to_database.heal()
    settle(cluster, STORM)
    assert cluster.epoch == 1, "a lost connection is no reason to hand over"


@pytest.mark.attack
def test_it_loses_what_it_had_confirmed(make_cluster: Makes, own_server: Server) -> None:
    """A copy of it that lags behind is promoted: what the machines' journals know was sent is not sent again untagged
    (rule 64's mark, section 9); and what is open and lost is declared again, also where one machine alone has its file,
    which remembers that it was handed in (P9): its ladder goes on.
    """
    cluster = make_cluster(database=(database := own_server.make_database()).url())
    for machine in cluster.machines.values():
        machine.quicken("1m")
    cluster.begin()
    cluster.declare(1)
    cluster.until(lambda: wholly_paged(cluster, [1]))
    time.sleep(1)
    tries = "SELECT id, via, address, started_at, provider FROM attempts WHERE left(key, 2) <> '-/' ORDER BY id"
    with closing(LaggingCopy(own_server)) as copy:
        cluster.declare(2)
        cluster.declare(4, "two")
        cluster.until(lambda: wholly_paged(cluster, [2, 4]))
        cluster.until(lambda: not open_tries(cluster))
        for name, number in (("one", 2), ("two", 2), ("two", 4)):
            cluster.until(lambda name=name, number=number: number in remembered(cluster.machines[name]))
        sent = cluster.ask(tries)
        own_server.stop_immediate()
        cluster.database = copy.url(database.name)
        for machine in cluster.machines.values():
            machine.to_database.lead("127.0.0.1", copy.port)
        cluster.declare(3)
        settle(cluster, range(1, 5))
        assert len(paged(cluster, 1)) == len(ANA), "the copy knew of it"
        assert set(sent) <= set(cluster.ask(tries)), "the copy knows of it again"
        cluster.until(lambda: "The ledger is an older copy" in told(cluster))
        unfinished = {name for (name,) in cluster.ask("SELECT id FROM incidents WHERE NOT finished")}
        assert unfinished == {"f0001", "f0002", "f0003", "f0004"}
        for number in (2, 4):
            cluster.until(lambda number=number: paged(cluster, number, BO), 90, f"the next step of incident {number}")


@pytest.mark.attack
def test_who_knew_what_it_lost_comes_back_later(make_cluster: Makes, own_server: Server) -> None:
    """A copy that lags behind is promoted while the machine that had sent is down. Another decides anew; once the first
    is back who leads begins anew from what that knew, once, and operators hear of it.
    """
    cluster = make_cluster(database=(database := own_server.make_database()).url())
    one = cluster.begin()
    with closing(LaggingCopy(own_server)) as copy:
        cluster.declare(1)
        cluster.until(lambda: wholly_paged(cluster, [1]))
        cluster.until(lambda: not open_tries(cluster))
        sent = cluster.ask("SELECT id FROM attempts WHERE left(key, 2) <> '-/'")
        one.kill()
        own_server.stop_immediate()
        cluster.database = copy.url(database.name)
        for machine in cluster.machines.values():
            machine.to_database.lead("127.0.0.1", copy.port)
        cluster.until(lambda: cluster.leader == "two", 40)
        cluster.until(lambda: len(paged(cluster, 1)) == 2 * len(ANA), 40)
        epoch = cluster.epoch
        one.begin()
        cluster.until(lambda: cluster.epoch > epoch and cluster.leader, 60)
        cluster.until(lambda: "The ledger is an older copy" in told(cluster), 60)
        time.sleep(20)
        assert set(sent) <= set(cluster.ask("SELECT id FROM attempts"))
        assert cluster.epoch == epoch + 1
        assert len(paged(cluster, 1)) == 2 * len(ANA)


@pytest.mark.attack
@pytest.mark.parametrize("version", [15, 18])
@pytest.mark.parametrize("pooled", [False, True], ids=["", "pgbouncer"])
def test_every_way_there(make_cluster: Makes, tmp_path: Path, pooled: bool, version: int) -> None:
    """The oldest PostgreSQL and the newest, directly and through pgbouncer in transaction mode: a storm, a kill in its
    midst, a clean stop and a database that is stopped at once.
    """
    with ExitStack() as ends:
        server = ends.enter_context(postgres(version))
        database, through = server.make_database().url(), ""
        if pooled:
            bouncer = PgBouncer(tmp_path / "bouncer", database)
            ends.callback(bouncer.close)
            through = bouncer.address
        cluster = make_cluster(database=database, through=through)
        ends.callback(cluster.close)
        one, two = cluster.begin(), cluster.machines["two"]
        with storm(cluster, STORM, 6):
            time.sleep(3)
            one.kill()
        cluster.until(lambda: wholly_paged(cluster, STORM), 40)
        one.begin()
        cluster.until(lambda: cluster.reported("one"))
        assert two.stop(signal.SIGTERM) == 0
        cluster.until(lambda: cluster.leader == "one", 10)
        two.begin()
        cluster.declare(51)
        server.stop_immediate()
        time.sleep(2)
        server.start()
        cluster.declare(52)
        settle(cluster, [*STORM, 51, 52])


@pytest.mark.attack
def test_it_is_away_for_a_minute(make_cluster: Makes, own_server: Server) -> None:
    """R54: the first pages leave from memory, two copies a machine at most, marked; operators hear of it once it is
    back at the latest.
    """
    cluster = make_cluster(database=own_server.make_database().url())
    cluster.begin()
    own_server.stop()
    time.sleep(6)
    cluster.declare(1)
    began = time.time()
    cluster.until(lambda: len(paged(cluster, 1)) >= len(ANA), 45)
    assert paged(cluster, 1)[0].at - began < 15
    time.sleep(30)
    assert sum(copies(cluster).values()) <= 4, "each machine by each channel once more"
    assert "The database is away" in told(cluster)
    own_server.start()
    settle(cluster, range(1, 2))


def answered(cluster: Cluster, number: int) -> list[str]:
    """Who has answered an incident, by the ledger."""
    rows = cluster.ask("SELECT body FROM facts WHERE incident = %s AND kind = 'Answered'", f"f{number:04}")
    return sorted(str(json.loads(body)["person"]) for (body,) in rows)


@pytest.mark.attack
def test_a_standby_goes_on_without_it(make_cluster: Makes, own_server: Server) -> None:
    """Rule 54: what is declared on a standby alone is paged from there, and answered there by SMS; when the database is
    back the incident is in the ledger, answered, and nothing leaves a second time.
    """
    cluster = make_cluster(database=own_server.make_database().url())
    cluster.begin()
    cluster.declare(1)
    cluster.until(lambda: wholly_paged(cluster, [1]))
    cluster.machines["one"].write("f0001.yaml", "title: Fault 0001 here\nseverity: sev1\nstatus: resolved\n")
    time.sleep(5)
    own_server.stop()
    went = time.time()
    time.sleep(35)
    cluster.declare(2, "two")
    cluster.until(lambda: {page.to for page in paged(cluster, 2)} == set(ANA), 20)
    texts = [line["body"] for line in cluster.twilio.arrived(ANA[1]) if "Fault 0002" in line["body"]]
    assert texts, "by SMS too"
    assert all("two cannot see the ledger" in text for text in texts)
    time.sleep(2)  # as the provider's times have it, which are whole seconds, she answers after the page
    cluster.twilio.order(inbound={"from": ANA[1], "to": OURS, "body": "ok"})
    time.sleep(max(0.0, went + 90 - time.time()))
    assert "The database is away" in told(cluster)
    back = time.time()
    own_server.start()
    cluster.until(lambda: cluster.leader and answered(cluster, 2) == ["ana"], 60)
    settle(cluster, [1, 2])
    later = [message.to for message in paged(cluster, 2) if message.at > back]
    assert later == [ANA[1]], "what left from memory counts as sent; this is the confirmation"
    assert not paged(cluster, 2, BO), "she had answered"


@pytest.mark.attack
def test_a_start_without_it(make_cluster: Makes, own_server: Server) -> None:
    """R54: it pages what is newly declared, and nothing that the ledger knew; then it stands by, and hands all in."""
    cluster = make_cluster(database=own_server.make_database().url())
    one = cluster.begin()
    cluster.declare(1)
    cluster.until(lambda: wholly_paged(cluster, [1]))
    two = cluster.machines["two"]
    time.sleep(3)
    assert two.stop() == 0
    own_server.stop()
    assert one.stop() == 0
    two.begin()
    cluster.declare(2, "two")
    cluster.until(lambda: {page.to for page in paged(cluster, 2)} == set(ANA), 60)
    own_server.start()
    one.begin()
    settle(cluster, [1, 2])
    assert not copies(cluster)
