"""What operators hear of a page that reached nobody: true when it arrives (rules 39, 51 and 66)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tocsin.domain.facts import PageLost
from tocsin.domain.history import FiredStep, History, RoleHistory
from tocsin.domain.people import Channel
from tocsin.wording.operator.lost_page import lost_page

from tests.builders.instants import T0
from tests.builders.policies import paging_policy

LOST = PageLost(T0 + timedelta(seconds=9), "ana", T0)
START = f"incident pay: call Ana (+14155550101), or name somebody with tocsin assign pay; the page to ana of {T0:%H:%M:%S} UTC reached nobody: "


def role(*people: str, paged: str = "ana", holder: str | None = None) -> RoleHistory:
    """A role that pages these now."""
    step = FiredStep(T0, 1, 0, people)
    return RoleHistory("lead", needed=True, step=step, first_pages=((paged, T0),), holder=holder)


@pytest.mark.parametrize(
    ("history", "asked"),
    [
        (History(roles={"lead": role("bo")}), "bo is asked"),
        (History(roles={"lead": role("bo", "chen")}), "bo, chen are asked"),
        (History(roles={"lead": role(*"abcdefg")}), "7 others are asked"),
        (History(roles={"lead": role()}), "nobody else is asked in their place"),
        (History(roles={"lead": role("bo", paged="dai")}), "nobody else is asked in their place"),
        (History(roles={"lead": role("bo", holder="bo")}), "nobody else is asked in their place"),
        (History(responders=(("ana", T0),)), "nobody else is asked in their place"),
        (History(responders=(("ana", T0), ("bo", T0), ("chen", T0)), lost=frozenset({("bo", T0)})), "chen is asked"),
    ],
)
def test_who_is_asked_besides(history: History, asked: str) -> None:
    """Nobody is promised who is not asked: a responder has no next level, a last resort neither."""
    assert lost_page("pay", LOST, history, paging_policy()) == f"{START}every channel refused it; {asked}"


@pytest.mark.parametrize(
    ("stopped", "email", "why"),
    [
        ((), "ana@example.com", "the SMS was not delivered"),
        ((Channel.SMS,), "", "the number answered STOP"),
        ((Channel.SMS,), "ana@example.com", "the number answered STOP, and no other channel works"),
    ],
)
def test_why_it_reached_nobody(stopped: tuple[Channel, ...], email: str, why: str) -> None:
    """STOP is no refusal of the provider's, and named first."""
    policy = paging_policy()
    ana = replace(policy.people["ana"], stopped=stopped, email=email)
    history = History(undelivered=frozenset({("ana", T0, Channel.SMS)}))
    said = lost_page("pay", LOST, history, replace(policy, people={**policy.people, "ana": ana}))
    assert said == f"{START}{why}; nobody else is asked in their place"
