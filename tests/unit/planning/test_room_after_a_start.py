"""Which pages of a process before have waited for room, as far as what is recorded tells (rules 45, 47)."""

from datetime import timedelta

import pytest
from tocsin.domain.people import Limit
from tocsin.planning.delivery.room import PageSent, room_of

from tests.builders.instants import T0

LIMIT = Limit(2, timedelta(minutes=2))


def page(incident: str, seconds: float) -> PageSent:
    return PageSent(T0 + timedelta(seconds=seconds), incident, 1, 1)


@pytest.mark.parametrize(
    ("sent", "left_over", "waited"),
    [
        ([], page("a", 0), False),
        ([page("a", 1)], page("b", 2), False),
        ([page("a", 1), page("b", 1)], page("c", 2), True),
        ([page("a", 1), page("b", 1)], page("c", 0), True),
        ([page("a", 1), page("b", 1)], page("c", 300), False),
        ([page("a", 1), page("b", 1)], page("a", 2), False),
        ([page("b", 1), page("c", 1), page("a", 9)], page("a", 0), True),
    ],
    ids=[
        "nothing-left", "there-was-room", "no-room", "room-was-taken-since", "room-had-come", "its-first-went-alone",
        "a-later-one-went-alone",
    ],
)  # fmt: skip
def test_a_page_that_waited(sent: list[PageSent], left_over: PageSent, waited: bool) -> None:
    """At its instant there was no room, or what left since has taken it; a later page of an incident whose first one
    went alone needs none.
    """
    assert room_of(sent, LIMIT).has_waited(left_over, LIMIT) is waited
