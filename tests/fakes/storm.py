"""Incidents that are declared one after the other while a test does something else."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.fakes.cluster import Cluster


@contextmanager
def storm(cluster: Cluster, numbers: Sequence[int], seconds: float) -> Iterator[None]:
    """In the folders of all machines, over so long; all are declared when this is left."""

    def blow() -> None:
        for number in numbers:
            cluster.declare(number)
            time.sleep(seconds / len(numbers))

    blowing = threading.Thread(target=blow)
    blowing.start()
    try:
        yield
    finally:
        blowing.join()
