"""The last good config that the ledger keeps, read in a process of its own: it may come to no end today."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from tocsin.app.configuration.judge import JUDGED_IN, JUDGED_WITHIN
from tocsin.app.configuration.kept.reading import KeptReading, read_kept
from tocsin.app.configuration.load import Configuration
from tocsin.ports.bounded_work import BoundedWork, Overrun
from tocsin.ports.ledger.ledger import KeptConfig


def judge_kept(
    work: BoundedWork, kept: KeptConfig, disk: Configuration, folder: Path, at: datetime, environ: Mapping[str, str]
) -> KeptReading:
    """What counts of a kept config, as `read_kept` says; nothing, if it comes to no end."""
    judged = work.run(read_kept, kept, disk, folder, at, dict(environ), seconds=JUDGED_WITHIN, megabytes=JUDGED_IN)
    if isinstance(judged, Overrun):
        nothing = Configuration(None, None, (), disk.ledger)
        return KeptReading(nothing, why=f"judging the last good config that the ledger keeps {judged.why}")
    return judged
