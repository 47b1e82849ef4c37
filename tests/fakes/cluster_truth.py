"""What is true after machines of a cluster were killed, stopped or cut off: by what the providers took, and the ledger.

Nothing lost; a second copy of a message only where the ledger marks a try as perhaps one; everything decided once.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.fakes.cluster import Cluster

ANA, BO, SUPPORT = ("ana@example.com", "+14155550101"), ("bo@example.com", "+14155550102"), "support@example.com"
TITLE = re.compile(r"Fault (\d{4}) here")
MARKED = """
SELECT n.incident, n.kind, a.address, a.possible_duplicate FROM attempts a JOIN notifications n ON n.key = a.key
WHERE a.possible_duplicate <> '' AND n.incident <> '-'
"""
OPERATORS = ("olga@example.com", "+14155550103")


@dataclass(frozen=True)
class Taken:
    """A message that a provider truly took: when, for which address, about which incident; an SMS is a page or the
    closing.
    """

    at: float
    to: str
    number: int
    kind: str


def taken(cluster: Cluster) -> list[Taken]:
    """All messages about incidents but the operators', in the order of their instants."""
    found = []
    for line in cluster.relay.arrived():
        kind = re.search(r"X-Tocsin-Kind: (\w+)", line["data"])
        assert kind, line
        found.append((line, line["data"].replace("=\r\n", ""), kind[1]))
    found += [
        (line, line["body"], "closing" if ": resolved at" in line["body"] else "page")
        for line in cluster.twilio.arrived()
    ]
    messages = [
        Taken(line["at"], line["to"], int(title[1]), kind)
        for line, text, kind in found
        if kind != "operator" and line["to"] not in OPERATORS and (title := TITLE.search(text))
    ]
    return sorted(messages, key=lambda message: message.at)


def told(cluster: Cluster) -> str:
    """All that the operator read by mail."""
    mails = (line["data"].replace("=\r\n", "") for line in cluster.relay.arrived("olga@example.com"))
    return "\n".join(mails)


def paged(cluster: Cluster, number: int, person: Iterable[str] = ANA) -> list[Taken]:
    """The pages of an incident that a person got, on any channel."""
    return [it for it in taken(cluster) if it.number == number and it.to in person and it.kind == "page"]


def wholly_paged(cluster: Cluster, numbers: Iterable[int]) -> bool:
    """Whether of each of these incidents ana was paged on both channels, and support was told."""
    arrived = {(it.number, it.to) for it in taken(cluster)}
    return all((number, to) in arrived for number in numbers for to in (*ANA, SUPPORT))


def marked(cluster: Cluster) -> Counter[tuple[int, str]]:
    """Tries that the ledger marks as perhaps a second copy, by incident and address."""
    rows = cluster.ask(MARKED)
    return Counter((int(incident.removeprefix("f")), address) for incident, _, address, _ in rows)


def copies(cluster: Cluster) -> dict[tuple[int, str, str], int]:
    """Messages that truly came more than once: by incident, address and kind, how many more.

    While nobody answers and no step but the first is due, each comes once.
    """
    counted = Counter((it.number, it.to, it.kind) for it in taken(cluster))
    return {message: count - 1 for message, count in counted.items() if count > 1}


def untagged(cluster: Cluster) -> dict[tuple[int, str, str], int]:
    """Copies of which the ledger marks too few tries."""
    tags = marked(cluster)
    return {message: count for message, count in copies(cluster).items() if tags[message[0], message[1]] < count}


def decided_twice(cluster: Cluster) -> list[Any]:
    """What was decided more than once: steps of ladders, and places in the order of an incident's facts."""
    steps: Counter[Any] = Counter()
    places: Counter[Any] = Counter()
    for incident, sequence, kind, body in cluster.ask("SELECT incident, sequence, kind, body FROM facts"):
        places[incident, sequence] += 1
        if kind == "StepFired" and (fired := json.loads(body)).get("level") is not None:
            steps[incident, fired["role"], fired["round"], fired["level"]] += 1
    return [what for what, count in (*steps.items(), *places.items()) if count > 1]


def open_tries(cluster: Cluster) -> int:
    """Tries of which nobody has said how they ended."""
    return int(cluster.ask("SELECT count(*) FROM attempts WHERE outcome IS NULL")[0][0])


def all_is_well(cluster: Cluster, numbers: Iterable[int]) -> None:
    """Nothing of these incidents is lost, no copy is untagged, nothing was decided twice."""
    numbers = list(numbers)
    arrived = {(it.number, it.to) for it in taken(cluster)}
    lost = [(number, to) for number in numbers for to in (*ANA, SUPPORT) if (number, to) not in arrived]
    assert not lost, f"lost: {lost}\n{cluster.logs()}"
    assert not untagged(cluster), (
        f"copies without a tag: {untagged(cluster)}; tagged: {marked(cluster)}\n{cluster.logs()}"
    )
    assert not decided_twice(cluster), f"decided twice: {decided_twice(cluster)}\n{cluster.logs()}"
