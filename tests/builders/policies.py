"""Policies: a small one whose parts can be replaced, one with chains and groups, and the shipped config's."""

from datetime import timedelta
from functools import cache
from pathlib import Path

from tocsin.domain.people import Channel, Person, StakeholderGroup
from tocsin.domain.policy import Cadence, Level, PagePolicy, Policy, Role, Service, Severity, Span, Stream, Who

from tests.builders.instants import T0
from tests.builders.loading import load

SHIPPED_CONFIG = Path(__file__).parents[2] / "config"
WITHIN = timedelta(minutes=5)
"""How soon a page asks for an answer."""
BOTH = (Channel.SMS, Channel.EMAIL)


@cache
def shipped_policy() -> Policy:
    """The shipped config's, with calendars read around T0."""
    policy = load(SHIPPED_CONFIG, T0, {}).policy
    assert policy is not None
    return policy


def small_policy(**changes: object) -> Policy:
    """Three severities, two roles without a chain, three people with a mailbox, two services; some parts replaced."""
    page = PagePolicy(("technical_lead",), (Channel.EMAIL,), WITHIN)
    parts: dict[str, object] = {
        "severities": {name: Severity(name, name.title(), page=page) for name in ("sev1", "sev2", "Minor")},
        "roles": {name: Role(name, name) for name in ("technical_lead", "scribe")},
        "people": {
            "ana": Person("ana", "Ana Souza", "ana@example.com"),
            "bo": Person("bo", "Bo Berg", "bo@example.com"),
            "chen": Person("chen", "Chen Li", "chen@example.org"),
        },
        "rotations": {},
        "services": {name: Service(name, name) for name in ("checkout", "search")},
        "stakeholders": {},
        "hours": {},
        "operators": ("ana",),
        "last_resort": ("ana",),
        "unreadable_severity": "sev1",
    }
    return Policy(**{**parts, **changes})  # type: ignore[arg-type]  # a table of parts for a constructor


def paging_policy(via: tuple[Channel, ...] = BOTH) -> Policy:
    """sev1: ana, then bo (lead); chen, then dai (commander); then olga, each 5 minutes; updates to eve and a list.
    Everybody has both channels.
    """
    page = PagePolicy(("technical_lead", "incident_commander"), via, WITHIN)
    streams = (
        Stream(("execs",), Cadence((Span(timedelta(minutes=30)),))),
        Stream(("public",), Cadence((Span(timedelta(hours=1)),))),
    )
    chains = {"technical_lead": ("ana", "bo"), "incident_commander": ("chen", "dai")}
    return small_policy(
        severities={"sev1": Severity("sev1", "Critical", page=page, updates=streams)},
        roles={
            name: Role(name, name, chain=tuple(Level((Who(who),)) for who in chain)) for name, chain in chains.items()
        },
        people={
            name: Person(name, name.title(), f"{name}@example.com", f"+1415555010{number}")
            for number, name in enumerate(("ana", "bo", "chen", "dai", "eve", "olga"), 1)
        },
        services={},
        stakeholders={
            "execs": StakeholderGroup("execs", "Execs", people=("eve",), via=(Channel.EMAIL, Channel.SMS)),
            "public": StakeholderGroup("public", "Public", emails=("status@lists.example.com",), external=True),
        },
        operators=("olga",),
        last_resort=("olga",),
        revision="r1",
    )
