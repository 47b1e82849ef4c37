"""Every measure of the bench: what it says, its unit, and what is asked of it.

docs/behaviour.md has the same for readers.
"""

from dataclasses import dataclass
from enum import Enum


class Asked(Enum):
    """What a target is a bound of."""

    RATIO_AT_LEAST = "ratio >="
    RATIO_AT_MOST = "ratio <="
    VALUE_AT_LEAST = ">="
    VALUE_AT_MOST = "<="
    NOTHING = ""

    @property
    def is_ratio(self) -> bool:
        """Whether it is about ours by theirs."""
        return self in {Asked.RATIO_AT_LEAST, Asked.RATIO_AT_MOST}


RATIO_AT_LEAST, RATIO_AT_MOST, AT_MOST = Asked.RATIO_AT_LEAST, Asked.RATIO_AT_MOST, Asked.VALUE_AT_MOST


@dataclass(frozen=True)
class Measure:
    """One row of the report. One that says more of the row above begins with `...`."""

    words: str
    unit: str
    asked: Asked = Asked.NOTHING
    bound: float = 0.0

    def holds(self, value: float) -> bool:
        """Whether a value, or ratio, is what was asked for."""
        if self.asked in {Asked.RATIO_AT_LEAST, Asked.VALUE_AT_LEAST}:
            return value >= self.bound
        return self.asked is Asked.NOTHING or value <= self.bound


MEASURES = {
    "incidents": Measure("S2  one page for each of 1,000 incidents", "mails/s", RATIO_AT_LEAST, 1.2),
    "incidents-cpu": Measure("... processor time a mail", "us"),
    "incidents-default": Measure("... beside the peer's own body", "mails/s"),
    "incidents-limit": Measure("... the limit: smtp-source into the same sink", "mails/s"),
    "update": Measure("S2  one update to 1,000 readers", "mails/s", RATIO_AT_LEAST, 2),
    "update-one-alert": Measure("... beside one alert for 1,000 receivers", "mails/s"),
    "libraries": Measure("S1  one update to 1,000 readers", "mails/s", RATIO_AT_LEAST, 3),
    "latency-p50": Measure("S4  file renamed -> mail accepted, p50", "ms", RATIO_AT_MOST, 3),
    "latency-p99": Measure("S4  file renamed -> mail accepted, p99", "ms", RATIO_AT_MOST, 3),
    "sms": Measure("S3  one update to 1,000 phones", "SMS/s", RATIO_AT_LEAST, 0.9),
    "commits": Measure("S5  durable commits, 16 tasks", "commits/s", RATIO_AT_LEAST, 4),
    "commits-alone": Measure("... of one task", "commits/s"),
    "memory": Measure("S6  memory with 10,000 open", "MB", RATIO_AT_MOST, 0.5),
    "memory-10": Measure("... with 10", "MB"),
    "start": Measure("S7  start with 10,000 known files", "s", RATIO_AT_MOST, 3),
    "start-page": Measure("... until the page of one dropped meanwhile is accepted", "s"),
    "start-new": Measure("... with 10,000 new files, until the last is taken in", "s", AT_MOST, 10),
    "held-rate": Measure("S8  pages with 100,000 incidents held", "mails/s", RATIO_AT_LEAST, 0.9),
    "held-latency": Measure("S8  file renamed -> mail accepted, p50, 100,000 open", "ms", RATIO_AT_MOST, 1.5),
    "idle": Measure("S9  idle, of one core, with 10,000 open", "%", AT_MOST, 0.5),
    "idle-10": Measure("S9  ... with 10 open", "%", AT_MOST, 0.3),
    "ack": Measure("tocsin ack", "s", AT_MOST, 0.35),
    "status": Measure("tocsin status", "s", AT_MOST, 0.35),
    "check": Measure("tocsin check of the shipped config", "s", AT_MOST, 0.35),
    "check-large": Measure("tocsin check of 200 people, 50 rotations, 50 services", "s", AT_MOST, 2),
    "test": Measure("tocsin test, 500 policy tests", "s", AT_MOST, 4),
    "diff": Measure("tocsin diff of one line, 200 people, 60 services", "s", AT_MOST, 3),
    "storm-sms-early": Measure("storm: SMS to one person in its first 3 min", "", AT_MOST, 4),
    "storm-sms": Measure("storm: SMS to one person in any 10 min", "", AT_MOST, 10),
    "storm-sev1": Measure("storm: SEV1 file -> accepted, p99 of all", "s", AT_MOST, 5),
    "storm-sev1-first": Measure("storm: SEV1 file -> accepted, p99 of the first of each person", "s", AT_MOST, 5),
    "storm-replies": Measure("storm: replies of one person", "", AT_MOST, 2),
    "storm-unanswered": Measure("storm: incidents not accepted", "", AT_MOST, 0),
    "storm-lost": Measure("storm: pages lost, or said to be sent and not there", "", AT_MOST, 0),
}  # fmt: skip
