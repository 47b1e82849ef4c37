"""Whom a name in a chain can mean at one time or another (rule 67)."""

import pytest
from tocsin.domain.policy import Who
from tocsin.planning.on_call.resolve import can_mean

from tests.unit.app.test_policy_parts import rich_policy


@pytest.mark.parametrize(
    ("who", "people", "can"),
    [
        (Who("ida"), ("bo", "ida"), True),
        (Who("ida"), ("bo",), False),
        (Who("somebody"), ("somebody",), False),
        (Who("team", "on_call"), ("bo",), True),
        (Who("team", "next"), ("fay",), True),
        (Who("team", "on_call"), ("gus", "jo"), False),
        (Who("feed", "everyone"), ("hal",), True),
        (Who("feed", "on_call"), ("ana",), False),
        (Who("gone", "on_call"), ("ana",), False),
        (Who("team", "on_call"), (), False),
    ],
    ids=str,
)
def test_whom_a_name_can_mean(who: Who, people: tuple[str, ...], can: bool) -> None:
    """A person who is in the config; a rotation's members, those in its calendar and who stands in by an override."""
    assert can_mean(who, rich_policy(), people) is can
