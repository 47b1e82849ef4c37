"""A policy for simulations: one severity, two roles, a ladder of three, two groups, everybody with both channels."""

from datetime import timedelta

from tocsin.domain.people import Channel, Person, StakeholderGroup
from tocsin.domain.policy import Cadence, Level, PagePolicy, Policy, Role, Severity, Span, Stream, Who

WITHIN = timedelta(minutes=5)
BOTH = (Channel.SMS, Channel.EMAIL)
PEOPLE = ("ana", "bo", "chen", "dai", "eve", "olga")


def policy(via: tuple[Channel, ...] = BOTH) -> Policy:
    """sev1: ana, then bo (lead); chen, then dai (commander); then olga, each 5 minutes; updates to eve and a list."""
    page = PagePolicy(("technical_lead", "incident_commander"), via, WITHIN)
    streams = (
        Stream(("execs",), Cadence((Span(timedelta(minutes=30)),))),
        Stream(("public",), Cadence((Span(timedelta(hours=1)),))),
    )
    chains = {"technical_lead": ("ana", "bo"), "incident_commander": ("chen", "dai")}
    return Policy(
        severities={"sev1": Severity("sev1", "Critical", page=page, updates=streams)},
        roles={
            name: Role(name, name, chain=tuple(Level((Who(who),)) for who in chain)) for name, chain in chains.items()
        },
        people={
            name: Person(name, name.title(), f"{name}@example.com", f"+1415555010{number}")
            for number, name in enumerate(PEOPLE, 1)
        },
        rotations={},
        services={},
        stakeholders={
            "execs": StakeholderGroup("execs", "Execs", people=("eve",), via=(Channel.EMAIL, Channel.SMS)),
            "public": StakeholderGroup("public", "Public", emails=("status@lists.example.com",), external=True),
        },
        hours={},
        operators=("olga",),
        last_resort=("olga",),
        unreadable_severity="sev1",
        revision="r1",
    )
