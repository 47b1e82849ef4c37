"""The parts of the bench: what each measures, and how long it takes."""

from dataclasses import dataclass

from bench.measures import latency, rates, storm
from bench.rounds import Part


@dataclass(frozen=True)
class Entry:
    """One part that can be run alone."""

    words: str
    seconds: float
    """About how long it takes with five rounds, on two cores."""
    part: Part
    by_rounds: bool = True
    """Whether more rounds take longer."""

    def takes(self, rounds: int) -> float:
        """About how many seconds that is with so many rounds."""
        return self.seconds * (rounds / 5 if self.by_rounds else 1)


PARTS = {
    "incidents": Entry("one page for each of 1,000 incidents, beside Alertmanager", 75, rates.incidents),
    "update": Entry("one update to 1,000 readers, beside Alertmanager and a script", 75, rates.update),
    "latency": Entry("from the rename of a file to its page accepted", 110, latency.latency),
    "storm": Entry(
        "1,000 incidents in 60 s over 20 people, and what they get of it", 660, storm.storm, by_rounds=False
    ),
}
