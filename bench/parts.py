"""The parts of the bench: what each measures, and how long it takes."""

from dataclasses import dataclass

from bench.measures import commands, commits, growth, held, latency, open_incidents, rates, sms, storm
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
    within: str = ""
    """The part that has all of it, so that it is not measured twice when everything is."""

    def __str__(self) -> str:
        """For who chooses."""
        within = f", a part of {self.within}" if self.within else ""
        return f"{self.words} ({self.seconds:.0f} s{within})"

    def takes(self, rounds: int) -> float:
        """About how many seconds that is with so many rounds."""
        return self.seconds * (rounds / 5 if self.by_rounds else 1)


PARTS = {
    "incidents": Entry("one page for each of 1,000 incidents, beside Alertmanager", 60, rates.incidents),
    "update": Entry("one update to 1,000 readers, beside Alertmanager and a script", 65, rates.update),
    "latency": Entry("from the rename of a file to its page accepted", 75, latency.latency),
    "sms": Entry("one update to 1,000 phones, beside the twilio client alone", 45, sms.sms),
    "commits": Entry("commits of the ledger, beside one row a commit", 20, commits.commits),
    "open": Entry("memory, idle time and start with 10 and 10,000 open incidents", 150, open_incidents.open_incidents),
    "held": Entry("pages with 10 and with 100,000 other incidents open", 240, held.held, within="growth"),
    "growth": Entry(
        "cost by open incidents, readers and connections, SQLite and PostgreSQL: plots", 1100, growth.growth
    ),
    "commands": Entry("how long people wait for commands", 75, commands.commands),
    "storm": Entry(
        "1,000 incidents in 60 s over 20 people, and what they get of it", 660, storm.storm, by_rounds=False
    ),
}
