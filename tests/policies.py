"""A small policy for tests of incident files: three severities, two roles, three people, two services."""

from datetime import timedelta

from tocsin.domain.people import Channel, Person
from tocsin.domain.policy import PagePolicy, Policy, Role, Service, Severity


def small_policy(**changes: object) -> Policy:
    """The policy, with some of its parts replaced."""
    page = PagePolicy(("technical_lead",), (Channel.EMAIL,), timedelta(minutes=5))
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
