"""What the tests of several machines share: servers, and machines that are ended whatever happens."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.fakes.cluster import Cluster
from tests.fakes.postgres import Server, postgres


class Makes(Protocol):
    """Makes machines on one database: an empty one of the common server, unless another is named."""

    def __call__(
        self, *names: str, database: str = "", through: str = "", more: str = "", **environ: str
    ) -> Cluster: ...


@pytest.fixture(scope="session")
def common_server() -> Iterator[Server]:
    """For tests that leave the server alone."""
    with postgres() as server:
        yield server


@pytest.fixture
def own_server() -> Iterator[Server]:
    """For tests that stop it."""
    with postgres() as server:
        yield server


@pytest.fixture
def make_cluster(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Makes]:
    made: list[Cluster] = []

    def make(*names: str, database: str = "", through: str = "", more: str = "", **environ: str) -> Cluster:
        at = database or request.getfixturevalue("common_server").make_database().url()
        made.append(Cluster(tmp_path, at, *names, through=through, more=more, **environ))
        return made[-1]

    yield make
    for cluster in made:
        cluster.close()
