"""The whole way of a file: incident, plan, words, and the bytes of the mail. Whatever stands in the file, a mail has
each header once and goes to an address of the config, and an SMS is one line of what can be sent.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.domain.delivery import Content, Message
from tocsin.domain.facts import Fact, Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident, Status
from tocsin.domain.notification import Notification
from tocsin.domain.people import Channel
from tocsin.domain.policy import Policy
from tocsin.formats.incident.read import first_lines, read_incident, unreadable_incident
from tocsin.planning.history.fold import fold_facts
from tocsin.planning.plan import plan
from tocsin.wording.message.email import Letterhead

from tests.builders.instants import T0
from tests.builders.policies import shipped_policy
from tests.fuzz.fuzzer import Fuzzer
from tests.fuzz.targets.incidents import INCIDENTS, KEYS, NAME, WORDS

TEMPLATES = Path(__file__).parents[3] / "templates"
HEADERS = re.compile(rb"[A-Za-z-]+")
ONCE = (b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type")
STEPS = (timedelta(0), timedelta(minutes=6), timedelta(minutes=31))
LETTERHEAD = Letterhead("Incidents <incidents@example.com>")


def addresses(policy: Policy) -> set[str]:
    """Every address that a message may go to."""
    people = {address for person in policy.people.values() for address in (person.email, person.phone) if address}
    return people.union(*(group.emails for group in policy.stakeholders.values()))


def check_mail(data: bytes, known: Iterable[str]) -> None:
    """Each header once, none of a stranger's, and one recipient, of the config."""
    head = data.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0].lower() for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))]
    assert all(HEADERS.fullmatch(name) for name in names), names
    assert len(names) == len(set(names)), names
    assert set(ONCE) - {b"content-type"} <= set(names), names
    assert not {b"bcc", b"cc", b"reply-to"} & set(names)
    to = re.search(rb"^To: (.*(?:\r\n[ \t].*)*)", head, re.MULTILINE)
    assert to is not None
    assert any(address.encode() in to[1] for address in known), to
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", data)
    assert max(map(len, data.split(b"\r\n"))) <= 998


def decided(incident: Incident, policy: Policy) -> Iterator[tuple[Notification, Incident, History]]:
    """What is decided of an incident that opens, stays as it is, and ends; with what was known then."""
    facts: list[Fact] = []
    for number, step in enumerate(STEPS):
        now = T0 + step
        seen = incident if number else replace(incident, status=Status.INVESTIGATING)
        facts.append(Seen(now, seen, f"d{number}"))
        history = fold_facts(facts)
        assert history.incident is not None
        planned = plan(history.incident, policy, history, now)
        facts += planned.facts
        yield from ((due.notification, history.incident, history) for due in planned.due)


def fuzzers() -> list[Fuzzer]:
    """The one."""
    policy = shipped_policy()
    known = addresses(policy)
    broken: list[object] = []
    renderer = JinjaRenderer(TEMPLATES, broken.append)

    def send(notification: Notification, content: Content) -> None:
        person = policy.people.get(notification.to)
        address = person.address(notification.via) if person else notification.to
        assert address in known, address
        if notification.via is Channel.EMAIL:
            mail = Message(
                notification.key, notification.via, address, notification.to, person.name if person else "", content,
                notification.incident, notification.episode, notification.kind.value, notification.at,
            )  # fmt: skip
            check_mail(LETTERHEAD.compose(mail), known)
        else:
            assert content.text.strip()
            assert len(content.text) <= 1600

    def message(data: bytes) -> None:
        read = read_incident(data, NAME, policy, None, f"incidents/{NAME}")
        text = data.decode("utf-8", "replace")
        incident = read.incident or unreadable_incident(NAME, first_lines(text), policy)
        for notification, known_as, history in decided(incident, policy):
            send(notification, renderer.render(notification, known_as, history, policy))
        assert not broken, broken

    return [Fuzzer("message", INCIDENTS, message, (*KEYS, *WORDS), sample=12)]
